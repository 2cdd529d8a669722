"""How the app answers an act: in its response, or within half an hour through a response_url."""

from bot.workspace.api_chat import content
from bot.workspace.blocks import with_ids
from bot.workspace.messages import Conversation, Message
from bot.workspace.state import State
from bot.workspace.tickets import Hook
from bot.workspace.wire import Args, Json


def by_hook(state: State, hook: Hook, answer: Json) -> None:
    """An answer to a response_url; raises SlackError when it says nothing, or nothing that Slack would take."""
    conversation = state.conversations[hook.channel]
    original = conversation.by_ts.get(hook.ts) if hook.ts else None
    if original and Args(answer).flag("delete_original"):
        conversation.remove(original)
        state.announce(conversation, original)
    elif original and Args(answer).flag("replace_original"):
        replace(state, conversation, original, answer)
    else:
        respond(state, hook.person, conversation, answer, original.thread_ts if original else None)


def replace(state: State, conversation: Conversation, original: Message, answer: Json) -> None:
    """New content for the message that was clicked; who can see it never changes."""
    said = content(Args(answer))
    original.text, original.blocks = said.text, with_ids(said.blocks, state.modals.short_id)
    state.announce(conversation, original)


def respond(
    state: State, person: str, conversation: Conversation, answer: Json, thread_ts: str | None = None
) -> None:
    """A new message by the app: for one person unless it says in_channel."""
    said = content(Args(answer))
    in_channel = answer.get("response_type") == "in_channel"
    thread = conversation.thread_of(answer.get("thread_ts") or thread_ts)
    state.post(
        conversation, state.seed.app.user_id, said.text, said.blocks, thread_ts=thread,
        broadcast=bool(thread) and bool(answer.get("reply_broadcast")), ephemeral_for=None if in_channel else person,
    )
