"""Messages and the conversations they stand in: order, threads, who has read what."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from bot.workspace.wire import Json


@dataclass(slots=True)
class Message:
    """One message; `ephemeral_for` names the only person who sees it."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    by_app: bool = False
    thread_ts: str | None = None
    broadcast: bool = False
    ephemeral_for: str | None = None
    metadata: Json | None = None
    files: list[Json] = field(default_factory=list)
    mentions: frozenset[str] = frozenset()
    edited_at: str | None = None
    deleted: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict)
    replies: list["Message"] = field(default_factory=list)

    @property
    def in_channel(self) -> bool:
        """Whether it stands in the channel itself and not only in a thread."""
        return self.thread_ts is None or self.broadcast


@dataclass(slots=True)
class Conversation:
    """A channel, or the direct messages between one person and the app (`with_person`)."""

    id: str
    name: str
    members: set[str]
    is_ext_shared: bool = False
    with_person: str | None = None
    by_ts: dict[str, Message] = field(default_factory=dict)
    in_channel: list[Message] = field(default_factory=list)
    read_until: dict[str, str] = field(default_factory=dict)
    pins: list[str] = field(default_factory=list)
    last: int = 0       # the newest ts ever given, in microseconds

    def next_ts(self, now: datetime) -> str:
        """Unique and increasing within the conversation, even when the clock stands still."""
        self.last = max(self.last + 1, int(now.timestamp() * 1_000_000))
        return f"{self.last // 1_000_000}.{self.last % 1_000_000:06d}"

    def add(self, message: Message) -> None:
        self.by_ts[message.ts] = message
        if message.in_channel:
            self.in_channel.append(message)
        if message.thread_ts is not None:
            self.by_ts[message.thread_ts].replies.append(message)

    def remove(self, message: Message) -> None:
        """A parent of replies stays as a tombstone, as in Slack."""
        if any(reply.ephemeral_for is None for reply in message.replies):
            message.deleted, message.text, message.blocks = True, "This message was deleted.", []
            return
        del self.by_ts[message.ts]
        if message.in_channel:
            self.in_channel.remove(message)
        if message.thread_ts is not None:
            self.by_ts[message.thread_ts].replies.remove(message)

    def public(self, ts: str) -> Message | None:
        """The message with this ts, unless it is only for one person's eyes."""
        message = self.by_ts.get(ts)
        return message if message and message.ephemeral_for is None else None

    def thread_of(self, ts: str | None) -> str | None:
        """The ts of a thread's first message, also when a reply is named; None when there is no such message."""
        message = self.public(ts or "")
        return (message.thread_ts or message.ts) if message else None

    def seen_by(self, person: str, thread: str | None) -> list[Message]:
        """What one person sees, oldest first."""
        if thread is not None:
            parent = self.by_ts.get(thread)
            messages = [parent, *parent.replies] if parent else []
        else:
            messages = self.in_channel
        return [message for message in messages if message.ephemeral_for in (None, person)]

    def mark_read(self, person: str) -> None:
        self.read_until[person] = f"{self.last // 1_000_000}.{self.last % 1_000_000:06d}"

    def unread(self, person: str) -> int:
        return sum(message.in_channel for message in self.new_for(person))

    def mentions(self, person: str) -> int:
        return sum(person in message.mentions for message in self.new_for(person))

    def new_for(self, person: str) -> Iterator[Message]:
        """Public messages by others since the person last looked, newest first."""
        until = self.read_until.get(person, "")
        for ts in reversed(self.by_ts):
            if ts <= until:
                return
            message = self.by_ts[ts]
            if message.user != person and message.ephemeral_for is None:
                yield message
