"""Web API: messages are posted, changed, deleted."""

import re
from dataclasses import dataclass

from bot.workspace.api import method
from bot.workspace.blocks import MOST_CHARACTERS, faults, weight, with_ids
from bot.workspace.messages import Conversation, Message
from bot.workspace.render import api_message
from bot.workspace.state import State
from bot.workspace.wire import Args, Json, SlackError, invalid

LONGEST_TEXT = 40_000       # of a new message: what is longer is cut
LONGEST_OTHER_TEXT = 4_000  # of an update or an ephemeral message: what is longer is refused
NO_ATTACHMENTS = "[ERROR] this workspace shows no attachments: send blocks [json-pointer:/attachments]"
TS = re.compile(r"\d{1,12}\.\d{6}")


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says, checked."""

    text: str
    blocks: list[Json]


def content(args: Args) -> Content:
    """Text and blocks of a message; raises SlackError with every fault in them."""
    blocks = args.structure("blocks", "invalid_blocks_format") or []
    if args.structure("attachments", "invalid_attachments"):
        raise invalid("invalid_attachments", [NO_ATTACHMENTS])
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    if weight(blocks) > MOST_CHARACTERS:
        raise SlackError("msg_blocks_too_long")
    found = faults(blocks)
    if found:
        raise invalid("invalid_blocks", found)
    if not blocks and not args.text("text").strip():
        raise SlackError("no_text")
    return Content(args.text("text"), blocks)


def writable(state: State, args: Args) -> Conversation:
    """The conversation to write to; raises SlackError when the app may not."""
    conversation = state.conversation(args.text("channel"))
    if state.seed.app.user_id not in conversation.members:
        granted = state.seed.scopes
        if granted is None or "chat:write.public" not in granted:
            raise SlackError("not_in_channel")
    return conversation


def parent_of(conversation: Conversation, args: Args) -> str | None:
    """The ts of the thread's first message, also when a reply is named."""
    if args.values.get("thread_ts") is None:
        return None
    ts = args.text("thread_ts")
    if not TS.fullmatch(ts):
        raise invalid("invalid_thread_ts", [f"[ERROR] {ts} is not a valid thread_ts"])
    parent = conversation.thread_of(ts)
    if parent is None:
        raise SlackError("thread_not_found")
    return parent


def metadata_of(args: Args) -> Json | None:
    metadata = args.structure("metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    if not metadata.get("event_type"):
        raise SlackError("invalid_metadata_schema")
    return metadata


def own(state: State, args: Args, refusal: str) -> tuple[Conversation, Message]:
    """A message of the app's own."""
    conversation = state.conversation(args.text("channel"))
    message = conversation.public(args.text("ts"))
    if message is None or message.deleted:
        raise SlackError("message_not_found")
    if not message.by_app:
        raise SlackError(refusal)
    return conversation, message


@method("chat.postMessage", scope="chat:write")
def post_message(state: State, args: Args) -> Json:
    conversation = state.direct_with(args.text("channel")) or writable(state, args)
    said, thread = content(args), parent_of(conversation, args)
    message = state.post(
        conversation, state.seed.app.user_id, said.text[:LONGEST_TEXT], said.blocks, thread_ts=thread,
        broadcast=bool(thread) and args.flag("reply_broadcast"), metadata=metadata_of(args),
    )
    return {"channel": conversation.id, "ts": message.ts, "message": api_message(state, message, True)}


@method("chat.update", scope="chat:write", tier=3)
def update(state: State, args: Args) -> Json:
    """Text without blocks takes the blocks away and marks the message as edited; an update never calls anybody."""
    conversation, message = own(state, args, "cant_update_message")
    said = content(args)
    if len(said.text) > LONGEST_OTHER_TEXT:
        raise SlackError("msg_too_long")
    message.text = said.text or message.text
    message.blocks = with_ids(said.blocks, state.modals.short_id)
    message.metadata = metadata_of(args) or message.metadata
    if not said.blocks:
        message.edited_at = f"{state.clock.now().timestamp():.6f}"
    state.announce(conversation, message)
    return {"channel": conversation.id, "ts": message.ts, "text": message.text, "message": api_message(state, message)}


@method("chat.delete", scope="chat:write", tier=3)
def delete(state: State, args: Args) -> Json:
    conversation, message = own(state, args, "cant_delete_message")
    conversation.remove(message)
    state.announce(conversation, message)
    return {"channel": conversation.id, "ts": message.ts}


@method("chat.postEphemeral", scope="chat:write", tier=4)
def post_ephemeral(state: State, args: Args) -> Json:
    conversation = writable(state, args)
    if args.text("user") not in conversation.members:
        raise SlackError("user_not_in_channel")
    said = content(args)
    if len(said.text) > LONGEST_OTHER_TEXT:
        raise SlackError("msg_too_long")
    message = state.post(
        conversation, state.seed.app.user_id, said.text, said.blocks,
        thread_ts=parent_of(conversation, args), ephemeral_for=args.text("user"),
    )
    return {"message_ts": message.ts}


@method("chat.getPermalink")
def permalink(state: State, args: Args) -> Json:
    conversation = state.conversation(args.text("channel"))
    message = conversation.public(args.text("message_ts"))
    if message is None:
        raise SlackError("message_not_found")
    link = f"{args.base}/archives/{conversation.id}/p{message.ts.replace('.', '')}"
    thread = f"?thread_ts={message.thread_ts}&cid={conversation.id}" if message.thread_ts else ""
    return {"channel": conversation.id, "permalink": link + thread}


def find_message(state: State, args: Args) -> tuple[Conversation, Message]:
    conversation = state.conversation(args.text("channel"))
    message = conversation.public(args.text("timestamp"))
    if message is None:
        raise SlackError("message_not_found")
    return conversation, message


@method("reactions.add", scope="reactions:write", tier=3)
def react(state: State, args: Args) -> Json:
    conversation, message = find_message(state, args)
    users = message.reactions.setdefault(args.need("name"), [])
    if state.seed.app.user_id in users:
        raise SlackError("already_reacted")
    users.append(state.seed.app.user_id)
    state.announce(conversation, message)
    return {}


@method("reactions.remove", scope="reactions:write", tier=2)
def unreact(state: State, args: Args) -> Json:
    conversation, message = find_message(state, args)
    users = message.reactions.get(args.need("name"), [])
    if state.seed.app.user_id not in users:
        raise SlackError("no_reaction")
    users.remove(state.seed.app.user_id)
    message.reactions = {name: left for name, left in message.reactions.items() if left}
    state.announce(conversation, message)
    return {}


@method("reactions.get", scope="reactions:read", tier=3)
def reactions(state: State, args: Args) -> Json:
    conversation, message = find_message(state, args)
    return {"type": "message", "channel": conversation.id, "message": api_message(state, message)}


@method("pins.add", scope="pins:write", tier=2)
def pin(state: State, args: Args) -> Json:
    conversation, message = find_message(state, args)
    if message.ts in conversation.pins:
        raise SlackError("already_pinned")
    conversation.pins.append(message.ts)
    return {}
