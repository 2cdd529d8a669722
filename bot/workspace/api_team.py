"""Web API: who there is: the team, its people and groups, the app itself."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.workspace.api import method
from bot.workspace.api_conversations import paged
from bot.workspace.render import bot, bot_user, person
from bot.workspace.state import State
from bot.workspace.wire import Args, Json, SlackError

DAY, NO_DAY = timedelta(days=1), timedelta(0)


@method("api.test")
def api_test(state: State, args: Args) -> Json:
    if args.text("error"):
        raise SlackError(args.text("error"), args=args.values)
    return {"args": args.values}


@method("auth.test")
def auth_test(state: State, args: Args) -> Json:
    seed = state.seed
    return {
        "url": f"{args.base}/", "team": seed.team_name, "user": seed.app.name.lower(), "team_id": seed.team_id,
        "user_id": seed.app.user_id, "bot_id": seed.app.bot_id, "is_enterprise_install": False,
    }


@method("team.info", scope="team:read", tier=3)
def team_info(state: State, args: Args) -> Json:
    seed = state.seed
    return {"team": {"id": seed.team_id, "name": seed.team_name, "domain": seed.domain, "url": f"{args.base}/"}}


@method("bots.info", scope="users:read", tier=3)
def bots_info(state: State, args: Args) -> Json:
    if args.text("bot", state.seed.app.bot_id) != state.seed.app.bot_id:
        raise SlackError("bot_not_found")
    return {"bot": bot(state.seed.app)}


@method("users.list", scope="users:read", tier=2)
def users_list(state: State, args: Args) -> Json:
    """The workspace's own people; strangers of shared channels are not in it."""
    own = [person(state, one) for one in state.seed.people if not state.stranger(one.id)]
    page, more = paged([*own, bot_user(state)], lambda user: str(user["id"]), args, 200)
    return {"members": page, "response_metadata": more}


@method("users.info", scope="users:read", tier=4)
def users_info(state: State, args: Args) -> Json:
    if args.text("user") == state.seed.app.user_id:
        return {"user": bot_user(state)}
    if args.text("user") not in state.people:
        raise SlackError("user_not_found")
    return {"user": person(state, state.people[args.text("user")])}


@method("users.lookupByEmail", scope="users:read.email", tier=3)
def lookup_by_email(state: State, args: Args) -> Json:
    for one in state.seed.people:
        if one.email == args.text("email").lower() and not state.stranger(one.id):
            return {"user": person(state, one)}
    raise SlackError("users_not_found")


def group(state: State, id_: str) -> Json:
    seeded = {one.id: one for one in state.seed.groups}[id_]
    users = state.groups[id_]
    return {"id": id_, "team_id": state.seed.team_id, "is_usergroup": True, "name": seeded.name,
            "handle": seeded.handle, "users": users, "user_count": len(users), "date_delete": 0}


def group_id(state: State, args: Args) -> str:
    if args.text("usergroup") not in state.groups:
        raise SlackError("no_such_subteam")
    return args.text("usergroup")


@method("usergroups.list", scope="usergroups:read", tier=2)
def groups(state: State, args: Args) -> Json:
    return {"usergroups": [group(state, id_) for id_ in state.groups]}


@method("usergroups.users.list", scope="usergroups:read", tier=2)
def group_users(state: State, args: Args) -> Json:
    return {"users": state.groups[group_id(state, args)]}


@method("usergroups.users.update", scope="usergroups:write", tier=2)
def change_group(state: State, args: Args) -> Json:
    """The whole list is replaced; it cannot be empty, nor hold guests, strangers, or who has left."""
    id_, users = group_id(state, args), args.listed("users")
    if not users:
        raise SlackError("no_users_provided")
    gone = state.left
    if any(user not in state.people or user in gone or state.people[user].guest or state.stranger(user) for user in users):
        raise SlackError("invalid_users")
    state.groups[id_] = users
    return {"usergroup": group(state, id_)}


@method("dnd.info", scope="dnd:read", tier=3)
def dnd_info(state: State, args: Args) -> Json:
    if args.text("user") not in state.people:
        raise SlackError("user_not_found")
    return {**silence(state, args.text("user")), "snooze_enabled": False}


@method("dnd.teamInfo", scope="dnd:read", tier=2)
def dnd_team_info(state: State, args: Args) -> Json:
    return {"users": {one: silence(state, one) for one in args.listed("users") if one in state.people}}


def silence(state: State, person: str) -> Json:
    """The next hours in which Slack keeps silent for a person, those that have begun too."""
    hours = state.people[person].quiet
    if hours is None:
        return {"dnd_enabled": False, "next_dnd_start_ts": 1, "next_dnd_end_ts": 1}
    now = state.clock.now().astimezone(ZoneInfo(state.people[person].tz))
    first, last = (time.fromisoformat(each.replace("24:00", "00:00")) for each in hours.split("-"))
    begin = datetime.combine(now.date() - DAY, first, now.tzinfo)
    while (end := datetime.combine(begin.date() + (DAY if last <= first else NO_DAY), last, now.tzinfo)) <= now:
        begin += DAY
    return {"dnd_enabled": True, "next_dnd_start_ts": int(begin.timestamp()), "next_dnd_end_ts": int(end.timestamp())}


@method("apps.connections.open", tier=1, app_level=True)
def connections_open(state: State, args: Args) -> Json:
    """An address for one Socket Mode connection."""
    base = args.base.replace("http", "ws", 1)
    return {"url": f"{base}/link?ticket={state.tickets.socket()}&app_id={state.seed.app.app_id}"}
