"""What Slack tells the app: commands, clicks, submissions and events, with the keys that Slack sends."""

from bot.workspace.messages import Conversation, Message
from bot.workspace.modals import View
from bot.workspace.render import api_message
from bot.workspace.render import person as as_user
from bot.workspace.state import State
from bot.workspace.wire import Json

TOKEN = "verification-token"    # Slack still sends one; nobody should look at it


def command(state: State, person: str, conversation: Conversation, name: str, text: str) -> Json:
    """A slash command, as form fields."""
    return {
        "token": TOKEN, "team_id": state.seed.team_id, "team_domain": state.seed.domain,
        "channel_id": conversation.id,
        "channel_name": "directmessage" if conversation.with_person else conversation.name,
        "user_id": person, "user_name": state.people[person].name, "command": name, "text": text,
        "api_app_id": state.seed.app.app_id, "is_enterprise_install": "false",
        "response_url": state.url(f"hooks/{state.tickets.hook(person, conversation.id)}"),
        "trigger_id": state.tickets.trigger(person),
    }


def interaction(state: State, person: str, kind: str) -> Json:
    """What every interaction says: who, in which team, for which app."""
    one = state.people[person]
    return {
        "type": kind, "token": TOKEN, "api_app_id": state.seed.app.app_id,
        "user": {"id": one.id, "username": one.name, "name": one.name, "team_id": one.team},
        "team": {"id": state.seed.team_id, "domain": state.seed.domain},
        "enterprise": None, "is_enterprise_install": False,
    }


def channel(conversation: Conversation) -> Json:
    return {"id": conversation.id, "name": "directmessage" if conversation.with_person else conversation.name}


def click_on_message(state: State, person: str, conversation: Conversation, message: Message, action: Json) -> Json:
    """block_actions of a message; an ephemeral message is not repeated in it."""
    ephemeral = message.ephemeral_for is not None
    container: Json = {
        "type": "message", "message_ts": message.ts, "channel_id": conversation.id, "is_ephemeral": ephemeral,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload: Json = {
        **interaction(state, person, "block_actions"), "container": container, "channel": channel(conversation),
        "trigger_id": state.tickets.trigger(person), "state": {"values": {}}, "actions": [action],
        "response_url": state.url(f"hooks/{state.tickets.hook(person, conversation.id, message.ts)}"),
    }
    return payload if ephemeral else {**payload, "message": api_message(state, message)}


def click_on_view(state: State, view: View, action: Json) -> Json:
    return {
        **interaction(state, view.person, "block_actions"), "container": {"type": "view", "view_id": view.id},
        "trigger_id": state.tickets.trigger(view.person), "view": state.modals.as_json(view), "actions": [action],
    }


def submission(state: State, view: View) -> Json:
    """view_submission; for a stranger the team is their own, and the view says where the app is installed."""
    payload = interaction(state, view.person, "view_submission")
    if state.stranger(view.person):
        payload["team"] = {"id": state.people[view.person].team, "domain": "elsewhere"}
    return {
        **payload, "trigger_id": state.tickets.trigger(view.person), "view": state.modals.as_json(view),
        "response_urls": [],
    }


def closed(state: State, view: View) -> Json:
    return {
        **interaction(state, view.person, "view_closed"), "view": state.modals.as_json(view),
        "is_cleared": bool(view.body.get("clear_on_close")),
    }


def global_shortcut(state: State, person: str, callback_id: str) -> Json:
    return {
        **interaction(state, person, "shortcut"), "callback_id": callback_id,
        "trigger_id": state.tickets.trigger(person), "action_ts": now(state),
    }


def message_shortcut(
    state: State, person: str, callback_id: str, conversation: Conversation, message: Message
) -> Json:
    return {
        **interaction(state, person, "message_action"), "callback_id": callback_id,
        "trigger_id": state.tickets.trigger(person), "action_ts": now(state), "channel": channel(conversation),
        "message_ts": message.ts, "message": api_message(state, message),
        "response_url": state.url(f"hooks/{state.tickets.hook(person, conversation.id, message.ts)}"),
    }


def now(state: State) -> str:
    return f"{state.clock.now().timestamp():.6f}"


def event(state: State, inner: Json, conversation: Conversation | None = None) -> Json:
    """The envelope of the Events API around one event."""
    team, app = state.seed.team_id, state.seed.app
    return {
        "token": TOKEN, "team_id": team, "api_app_id": app.app_id, "event": inner, "type": "event_callback",
        "event_id": f"Ev{state.modals.short_id().upper()}", "event_time": int(state.clock.now().timestamp()),
        "authorizations": [{
            "enterprise_id": None, "team_id": team, "user_id": app.user_id, "is_bot": True,
            "is_enterprise_install": False,
        }],
        "is_ext_shared_channel": bool(conversation and conversation.is_ext_shared),
        "context_team_id": team, "context_enterprise_id": None, "event_context": f"4-{state.modals.short_id()}",
    }


def said(state: State, kind: str, conversation: Conversation, message: Message) -> Json:
    """The event of a person's message: `app_mention`, or `message` in direct messages."""
    team = state.people[message.user].team
    inner: Json = {
        "type": kind, "user": message.user, "text": message.text, "ts": message.ts, "event_ts": message.ts,
        "channel": conversation.id, "team": state.seed.team_id, "client_msg_id": state.ids.new(),
    }
    if kind == "message":
        inner["channel_type"] = "im"
    if message.thread_ts:
        inner["thread_ts"] = message.thread_ts
    if team != state.seed.team_id:
        inner |= {"user_team": team, "source_team": team, "team": team}
    return event(state, inner, conversation)


def home_opened(state: State, person: str, conversation: Conversation) -> Json:
    inner: Json = {
        "type": "app_home_opened", "user": person, "channel": conversation.id, "tab": "home", "event_ts": now(state),
    }
    if person in state.modals.homes:
        inner["view"] = state.modals.as_json(state.modals.homes[person])
    return event(state, inner, conversation)


def user_changed(state: State, person: str) -> Json:
    """Something about a person is new: here, whether the account is deactivated."""
    user = as_user(state, state.people[person])
    return event(state, {"type": "user_change", "user": user, "cache_ts": int(float(now(state))), "event_ts": now(state)})
