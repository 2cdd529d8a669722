"""Web API: conversations, their members, and what was said in them."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

from bot.workspace.api import check_scope, method
from bot.workspace.messages import Conversation, Message
from bot.workspace.render import api_message, channel
from bot.workspace.state import State
from bot.workspace.wire import Args, Json, SlackError

Item = TypeVar("Item")
MOST = 999


def paged(items: Sequence[Item], name: Callable[[Item], str], args: Args, usual: int) -> tuple[list[Item], Json]:
    """One page of a list, and the cursor that leads to the next; a cursor names the first item of its page."""
    limit = args.number("limit", usual)
    if not 0 < limit <= MOST + 1:
        raise SlackError("invalid_limit")
    start = place_of(items, name, args.text("cursor"))
    rest = items[start + limit:]
    cursor = base64.b64encode(f"next:{name(rest[0])}".encode()).decode() if rest else ""
    return list(items[start:start + limit]), {"next_cursor": cursor}


def place_of(items: Sequence[Item], name: Callable[[Item], str], cursor: str) -> int:
    if not cursor:
        return 0
    try:
        kind, _, wanted = base64.b64decode(cursor, validate=True).decode().partition(":")
        if kind == "next":
            return [name(item) for item in items].index(wanted)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        pass
    raise SlackError("invalid_cursor")


def within(messages: Sequence[Message], args: Args) -> list[Message]:
    """Public messages between `oldest` and `latest`."""
    oldest, latest, inclusive = args.text("oldest", "0"), args.text("latest"), args.flag("inclusive")

    def wanted(ts: str) -> bool:
        at = micros(ts)
        after = at > micros(oldest) or (inclusive and at == micros(oldest))
        before = not latest or at < micros(latest) or (inclusive and at == micros(latest))
        return after and before

    return [message for message in messages if message.ephemeral_for is None and wanted(message.ts)]


def micros(ts: str) -> int:
    """A ts, or any number of seconds, as microseconds."""
    whole, _, part = ts.partition(".")
    try:
        return int(whole or 0) * 1_000_000 + int(part.ljust(6, "0")[:6])
    except ValueError:
        raise SlackError("invalid_ts_latest") from None


def readable(state: State, args: Args) -> Conversation:
    """A conversation the app may read; direct messages need another scope than channels."""
    conversation = state.conversation(args.text("channel"))
    check_scope(state, "im:history" if conversation.with_person else "channels:history")
    if state.seed.app.user_id not in conversation.members:
        raise SlackError("not_in_channel")
    return conversation


@method("conversations.history", tier=3)
def history(state: State, args: Args) -> Json:
    newest_first = within(readable(state, args).in_channel, args)[::-1]
    messages, more = paged(newest_first, lambda message: message.ts, args, 100)
    return shown(state, messages, more, args)


@method("conversations.replies", tier=3)
def replies(state: State, args: Args) -> Json:
    conversation = readable(state, args)
    message = conversation.public(args.text("ts"))
    parent = conversation.public(message.thread_ts) if message and message.thread_ts else message
    if parent is None:
        raise SlackError("thread_not_found")
    messages, more = paged([parent, *within(parent.replies, args)], lambda message: message.ts, args, 100)
    return shown(state, messages, more, args)


def shown(state: State, messages: list[Message], more: Json, args: Args) -> Json:
    with_metadata = args.flag("include_all_metadata")
    return {
        "messages": [api_message(state, message, with_metadata) for message in messages],
        "has_more": bool(more["next_cursor"]), "response_metadata": more,
    }


@method("conversations.list", scope="channels:read", tier=2)
def list_(state: State, args: Args) -> Json:
    kinds = args.listed("types") or ["public_channel"]
    wanted = [
        one for one in state.conversations.values() if ("im" if one.with_person else "public_channel") in kinds
    ]
    page, more = paged(wanted, lambda one: one.id, args, 100)
    return {"channels": [channel(state, one) for one in page], "response_metadata": more}


@method("conversations.info", scope="channels:read", tier=3)
def info(state: State, args: Args) -> Json:
    return {"channel": channel(state, state.conversation(args.text("channel")))}


@method("conversations.members", scope="channels:read", tier=4)
def members(state: State, args: Args) -> Json:
    everybody = sorted(state.conversation(args.text("channel")).members)
    page, more = paged(everybody, lambda member: member, args, 100)
    return {"members": page, "response_metadata": more}


@method("conversations.join", scope="channels:join", tier=3)
def join(state: State, args: Args) -> Json:
    conversation = state.conversation(args.text("channel"))
    if conversation.with_person:
        raise SlackError("method_not_supported_for_channel_type")
    conversation.members.add(state.seed.app.user_id)
    return {"channel": channel(state, conversation)}


@method("conversations.open", scope="im:write", tier=3)
def open_(state: State, args: Args) -> Json:
    """Direct messages with one person; a stranger cannot be written to."""
    users = args.listed("users")
    if len(users) != 1:
        raise SlackError("not_enough_users" if not users else "invalid_user_combination")
    if users[0] not in state.people or state.stranger(users[0]):
        raise SlackError("user_not_found")
    conversation = state.direct_with(users[0])
    if conversation is None:
        raise SlackError("user_disabled")
    return {"channel": {"id": conversation.id}, "no_op": True, "already_open": True}
