"""The workspace itself: people, conversations, views and files, held in memory."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.ports import Clock, Ids
from bot.workspace.blocks import with_ids
from bot.workspace.messages import Conversation, Message
from bot.workspace.modals import Modals
from bot.workspace.pace import Pace
from bot.workspace.seed import Channel, Person, Seed
from bot.workspace.streams import Streams
from bot.workspace.tickets import Tickets
from bot.workspace.wire import Json, SlackError
from bot.workspace.words import mentioned


@dataclass(frozen=True, slots=True)
class Request:
    """One call of the Web API as it came and was answered; `error` is Slack's code when it was refused."""

    method: str
    args: Json
    at: datetime
    status: int
    error: str | None = None


@dataclass(slots=True)
class Faults:
    """What a test may break: `down` 503 to everything, `hang` seconds before each answer, `drop_replies` posts that
    are applied but never answered, `storm_429` calls told to wait, `refuse` methods that answer with an error."""

    down: bool = False
    hang: float = 0.0
    drop_replies: int = 0
    storm_429: int = 0
    refuse: dict[str, str] = field(default_factory=dict)    # usergroups.users.update: paid_teams_only


@dataclass(slots=True)
class File:
    id: str
    name: str
    title: str
    content: bytes = b""


@dataclass(slots=True)
class State:
    seed: Seed
    clock: Clock
    ids: Ids
    pace: Pace
    base: str | None = None     # the address under which the workspace is reached; learnt from the first request
    faults: Faults = field(default_factory=Faults)
    streams: Streams = field(default_factory=Streams)
    files: dict[str, File] = field(default_factory=dict)
    conversations: dict[str, Conversation] = field(init=False)
    people: dict[str, Person] = field(init=False)
    groups: dict[str, list[str]] = field(init=False)
    tickets: Tickets = field(init=False)
    modals: Modals = field(init=False)
    left: set[str] = field(default_factory=set)     # people whose account is deactivated
    log: "deque[Request]" = field(default_factory=lambda: deque(maxlen=5000))

    def __post_init__(self) -> None:
        self.people = {person.id: person for person in self.seed.people}
        self.groups = {group.id: list(group.users) for group in self.seed.groups}
        self.conversations = {channel.id: self.opened(channel) for channel in self.seed.channels}
        for person in self.seed.people:
            if not self.stranger(person.id):
                direct = self.direct(person)
                self.conversations[direct.id] = direct
        self.tickets = Tickets(self.clock, self.ids)
        self.modals = Modals(self.seed, self.ids)

    def opened(self, channel: Channel) -> Conversation:
        everybody = [p.id for p in self.seed.people if channel.is_ext_shared or not self.stranger(p.id)]
        members = set(channel.members if channel.members is not None else [*everybody, self.seed.app.user_id])
        return Conversation(channel.id, channel.name, members, channel.is_ext_shared)

    def direct(self, person: Person) -> Conversation:
        """The conversation between a person and the app."""
        id_ = direct_id(person.id)
        return Conversation(id_, self.seed.app.name, {person.id, self.seed.app.user_id}, with_person=person.id)

    def same_conversation(self, reference: str) -> str:
        """One word for a conversation however it is named, also for one that does not exist."""
        try:
            return (self.direct_with(reference) or self.conversation(reference)).id
        except SlackError:
            return reference

    def stranger(self, person: str) -> bool:
        return self.people[person].team != self.seed.team_id

    def conversation(self, reference: str) -> Conversation:
        """By id or by name; raises SlackError. A person is none: only chat.postMessage takes one."""
        name = reference.removeprefix("#")
        if reference in self.conversations:
            return self.conversations[reference]
        for conversation in self.conversations.values():
            if conversation.name == name and not conversation.with_person:
                return conversation
        raise SlackError("channel_not_found")

    def direct_with(self, person: str) -> Conversation | None:
        """The direct messages of a person who can be written to."""
        return self.conversations.get(direct_id(person)) if person in self.people and person not in self.left else None

    def post(
        self,
        conversation: Conversation,
        user: str,
        text: str,
        blocks: Sequence[Json] = (),
        *,
        thread_ts: str | None = None,
        broadcast: bool = False,
        ephemeral_for: str | None = None,
        metadata: Json | None = None,
        files: Sequence[Json] = (),
    ) -> Message:
        """A new message stands in the conversation, counts as unread, and every page hears of it."""
        message = Message(
            conversation.id, conversation.next_ts(self.clock.now()), user, text,
            with_ids(blocks, self.modals.short_id), user == self.seed.app.user_id, thread_ts, broadcast,
            ephemeral_for, metadata, list(files),
            frozenset() if ephemeral_for else mentioned(text, blocks, conversation, self.groups) - {user},
        )
        conversation.add(message)
        self.announce(conversation, message)
        if ephemeral_for is None:
            self.streams.tell(conversation.members, {"type": "channels"})
        return message

    def announce(self, conversation: Conversation, message: Message) -> None:
        """Every page that may see the message fetches it anew."""
        event: Json = {"type": "message", "channel": conversation.id, "ts": message.ts}
        if message.thread_ts:
            event["thread"] = message.thread_ts
        people = [message.ephemeral_for] if message.ephemeral_for else conversation.members
        self.streams.tell(people, event)

    def show_modal(self, person: str) -> None:
        top = self.modals.top(person)
        self.streams.tell([person], {"type": "view", "view": self.modals.as_json(top) if top else None})

    def url(self, path: str) -> str:
        """An absolute address of ours."""
        if self.base is None:
            raise RuntimeError("the workspace does not know its own address yet: give Workspace(base_url=...)")
        return f"{self.base}/{path}"


def direct_id(person: str) -> str:
    return f"D{person[1:]}"
