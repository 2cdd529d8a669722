"""How what we hold looks from outside: to the app as Slack shows it, to the page as the page wants it."""

from bot.workspace.messages import Conversation, Message
from bot.workspace.seed import App, Person
from bot.workspace.state import State
from bot.workspace.wire import Json


def api_message(state: State, message: Message, with_metadata: bool = False) -> Json:
    """A message in Web API answers and interaction payloads."""
    shown: Json = {
        "type": "message", "user": message.user, "ts": message.ts, "text": message.text,
        "team": state.people[message.user].team if message.user in state.people else state.seed.team_id,
    }
    if message.by_app:
        shown |= {"bot_id": state.seed.app.bot_id, "app_id": state.seed.app.app_id, "bot_profile": bot(state.seed.app)}
    if message.blocks:
        shown["blocks"] = message.blocks
    if message.files:
        shown["files"] = message.files
    if message.edited_at:
        shown["edited"] = {"user": message.user, "ts": message.edited_at}
    if message.reactions:
        shown["reactions"] = [reaction(name, users) for name, users in message.reactions.items()]
    if with_metadata and message.metadata:
        shown["metadata"] = message.metadata
    return shown | subtype(message) | thread(message)


def subtype(message: Message) -> Json:
    if message.deleted:
        return {"subtype": "tombstone", "hidden": True}
    return {"subtype": "thread_broadcast"} if message.broadcast else {}


def thread(message: Message) -> Json:
    """Where the message stands in a thread: as a reply, or as the parent of replies."""
    if message.thread_ts:
        return {"thread_ts": message.thread_ts}
    replies = [reply for reply in message.replies if reply.ephemeral_for is None]
    if not replies:
        return {}
    users = list(dict.fromkeys(reply.user for reply in replies))
    return {
        "thread_ts": message.ts, "reply_count": len(replies), "reply_users_count": len(users), "reply_users": users,
        "latest_reply": replies[-1].ts, "is_locked": False,
    }


def reaction(name: str, users: list[str]) -> Json:
    return {"name": name, "users": users, "count": len(users)}


def bot(app: App) -> Json:
    return {"id": app.bot_id, "app_id": app.app_id, "user_id": app.user_id, "name": app.name, "deleted": False}


def page_message(message: Message) -> Json:
    """A message for the page."""
    shown: Json = {
        "ts": message.ts, "user": message.user, "text": message.text, "blocks": message.blocks or None,
        "attachments": None, "edited": message.edited_at is not None, "ephemeral": message.ephemeral_for is not None,
        "reactions": [reaction(name, users) for name, users in message.reactions.items()],
    }
    if message.files:
        shown["files"] = [{"name": one["name"], "url": one["path"]} for one in message.files]
    known = thread(message)
    return shown | {name: known[name] for name in ("thread_ts", "reply_count", "latest_reply") if name in known}


def channel(state: State, conversation: Conversation) -> Json:
    """A conversation object of the Web API."""
    member = state.seed.app.user_id in conversation.members
    shared = conversation.is_ext_shared
    if conversation.with_person:
        return {"id": conversation.id, "is_im": True, "user": conversation.with_person, "is_open": True,
                "is_archived": False}
    return {
        "id": conversation.id, "name": conversation.name, "name_normalized": conversation.name, "is_channel": True,
        "is_group": False, "is_im": False, "is_private": False, "is_archived": False, "is_member": member,
        "is_shared": shared, "is_ext_shared": shared, "is_org_shared": False, "context_team_id": state.seed.team_id,
        "num_members": len(conversation.members),
    }


def person(state: State, one: Person) -> Json:
    """A user object of the Web API."""
    stranger = state.stranger(one.id)
    return {
        "id": one.id, "team_id": one.team, "name": one.name, "real_name": one.real_name, "deleted": one.id in state.left,
        "tz": one.tz, "is_bot": False, "is_restricted": one.guest, "is_ultra_restricted": False, "is_stranger": stranger,
        "profile": {"real_name": one.real_name, "display_name": one.name, "title": one.title, "team": one.team,
                    **({} if stranger else {"email": one.email})},
    }


def bot_user(state: State) -> Json:
    """The app's own user object."""
    app = state.seed.app
    return {
        "id": app.user_id, "team_id": state.seed.team_id, "name": app.name.lower(), "real_name": app.name,
        "deleted": False, "is_bot": True, "is_restricted": False, "is_stranger": False,
        "profile": {"real_name": app.name, "display_name": app.name, "bot_id": app.bot_id,
                    "api_app_id": app.app_id, "team": state.seed.team_id},
    }
