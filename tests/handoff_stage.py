"""A stage for the tests of handoffs: the example's rota, a clock by Paris, and what is told to whom."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.config import Config
from bot.ports import KillPoint, survive
from bot.services.desk import Actor, Desk
from bot.services.handoff import ticking
from bot.store import cards, handoffs, journal
from bot.store.cards import Post
from bot.store.handoffs import Handoff
from bot.store.journal import Entry
from tests.config_stage import example
from tests.fakes import ManualClock
from tests.story import ALICE as ALICE
from tests.story import INES as INES
from tests.story import LEA as LEA
from tests.story import PAUL as PAUL
from tests.story import desk_on

PARIS = ZoneInfo("Europe/Paris")
OMAR = Actor("omar", "Omar", "padok", frozenset({"engineer"}), "U0OMAR0001", "slack C0ALERTS01")
BRUNO = Actor("bruno", "Bruno", "bridge", frozenset({"engineer"}), "U0BRUNO001", "slack C0ALERTS01")
MONDAY = "2026-11-23"       # alice and lea have the first turns of this week, bruno and omar the second
CONFIG = example()


def local(text: str, day: str = MONDAY) -> datetime:
    """08:00 in Paris, of that day or of the one that is named: 2026-11-24 00:10."""
    given = text if "-" in text else f"{day} {text}"
    return datetime.fromisoformat(given).replace(tzinfo=PARIS).astimezone(UTC)


def look_after(at: datetime) -> datetime:
    """The next half hour; where steps are minutes apart, the next five minutes."""
    soon = at.replace(minute=at.minute // 5 * 5, second=0, microsecond=0)
    while True:
        soon += timedelta(minutes=5)
        clock = soon.astimezone(PARIS).strftime("%H:%M")
        if soon.minute % 30 == 0 or clock >= "23:50" or clock[:4] in ("00:0", "00:1", "07:5", "08:0", "08:1"):
            return soon


class Passing:
    """A desk at which time passes; `at` is in Paris."""

    def __init__(self, engine: sa.Engine, at: str = "12:00", config: Config = CONFIG, kill: KillPoint = survive) -> None:
        self.clock = ManualClock(local(at))
        self.desk: Desk = desk_on(engine, self.clock, kill, config)
        ticking.act(self.desk)

    def go(self, to: str) -> Handoff:
        """Lets time pass, with a tick at each half hour and more of them around a boundary; returns the handoff of then."""
        end = local(to)
        while self.clock.instant < end:
            self.clock.instant = min(end, look_after(self.clock.instant))
            ticking.act(self.desk)
        return self.now_is()

    def sleep(self, to: str) -> None:
        """Nothing runs until then."""
        self.clock.instant = local(to)

    def tick(self) -> int:
        return ticking.act(self.desk)

    def now_is(self, boundary: str | None = None) -> Handoff:
        """The handoff at a boundary; without one, the nearest to now."""
        every, now = self.every(), self.clock.instant
        if boundary:
            return next(each for each in every if each.boundary == local(boundary))
        return min(every, key=lambda each: abs(each.boundary - now))

    def every(self) -> list[Handoff]:
        with self.desk.read() as connection:
            return handoffs.since(connection, "platform", datetime(2020, 1, 1, tzinfo=UTC))

    def posts(self, kind: str = "direct") -> list[Post]:
        with self.desk.read() as connection:
            found = connection.execute(sa.select(cards.post).where(cards.post.c.kind == kind).order_by(cards.post.c.id))
            return [Post(**row._mapping) for row in found]

    def told(self) -> list[tuple[str, str, str]]:
        """Who was told what when: (23:55, lea, call incoming)."""
        names = {person.slack: key for key, person in self.desk.config.people.items()}
        return [
            (f"{each.first_due_at.astimezone(PARIS):%H:%M}", names[each.channel], each.key.split(":")[2].replace("-", " "))
            for each in self.posts() if each.key.startswith("tell:")
        ]

    def said(self, key: str) -> str:
        """The words of the direct message whose key begins so."""
        return next(json.loads(each.body or "{}")["said"] for each in self.posts() if each.key.startswith(key))

    def entries(self, kind: str | None = None) -> list[Entry]:
        with self.desk.read() as connection:
            return [each for each in journal.all_entries(connection) if kind in (None, each.kind)]
