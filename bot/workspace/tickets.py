"""What lets an app answer a person: trigger_ids for modals, response_urls for messages, each short-lived."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.ports import Clock, Ids
from bot.workspace.wire import SlackError

TRIGGER_LIFE = timedelta(seconds=3)
HOOK_LIFE = timedelta(minutes=30)
HOOK_USES = 5
FORGOTTEN_AFTER = timedelta(hours=1)


@dataclass(slots=True)
class Trigger:
    person: str
    made_at: datetime
    used: bool = False


@dataclass(slots=True)
class Hook:
    """A response_url: whose act it answers, where, and the message that was clicked if there was one."""

    person: str
    channel: str
    ts: str | None
    made_at: datetime
    uses: int = 0


class Tickets:
    """Every trigger and hook given out within the last hour."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self.clock, self.ids = clock, ids
        self.triggers: dict[str, Trigger] = {}
        self.hooks: dict[str, Hook] = {}
        self.sockets: set[str] = set()

    def trigger(self, person: str) -> str:
        forget_old(self.triggers, self.clock.now())
        now = self.clock.now()
        ticket = f"{int(now.timestamp() * 1000)}.{len(self.triggers)}.{self.ids.new()}"
        self.triggers[ticket] = Trigger(person, now)
        return ticket

    def check_trigger(self, ticket: str) -> str:
        """The person behind a trigger_id that may still be used."""
        trigger = self.triggers.get(ticket)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self.clock.now() - trigger.made_at > TRIGGER_LIFE:
            raise SlackError("expired_trigger_id")
        return trigger.person

    def hook(self, person: str, channel: str, ts: str | None = None) -> str:
        forget_old(self.hooks, self.clock.now())
        ticket = self.ids.new()
        self.hooks[ticket] = Hook(person, channel, ts, self.clock.now())
        return ticket

    def socket(self) -> str:
        """Opens one Socket Mode connection, once."""
        ticket = self.ids.new()
        self.sockets.add(ticket)
        return ticket

    def use_socket(self, ticket: str) -> bool:
        known = ticket in self.sockets
        self.sockets.discard(ticket)
        return known

    def use_hook(self, ticket: str) -> Hook:
        hook = self.hooks.get(ticket)
        if hook is None or self.clock.now() - hook.made_at > HOOK_LIFE:
            raise SlackError("expired_url")
        if hook.uses >= HOOK_USES:
            raise SlackError("used_url")
        hook.uses += 1
        return hook


def forget_old(tickets: "dict[str, Trigger] | dict[str, Hook]", now: datetime) -> None:
    """Tickets stand in the order of their making, so the old ones are in front."""
    while tickets:
        oldest = next(iter(tickets))
        if now - tickets[oldest].made_at < FORGOTTEN_AFTER:
            return
        del tickets[oldest]
