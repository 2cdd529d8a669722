"""A stage for the daily life of the rota: the shipped example, its shifts published, its people, a clock to move."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.config import Config
from bot.entrypoints.perform import Saying, perform
from bot.services.desk import Actor, Desk
from bot.services.rota import roster
from bot.store import cards, journal, shifts
from tests.chat_stage import FAMILY
from tests.config_stage import example
from tests.fakes import ManualClock
from tests.story import ALICE, INES, LEA, MARIE, PAUL, desk_on

PARIS = ZoneInfo("Europe/Paris")
OMAR = Actor("omar", "Omar", "padok", frozenset({"engineer"}), "U0OMAR0001", "slack C0ALERTS01")
BRUNO = Actor("bruno", "Bruno", "bridge", frozenset({"engineer"}), "U0BRUNO001", "slack C0ALERTS01")
ADMIN = Actor("ines", "Inès", "padok", frozenset({"lead", "rota_admin"}), "U0INES0001", "slack C0ALERTS01")
PEOPLE = {each.key: each for each in (ALICE, BRUNO, PAUL, MARIE, LEA, OMAR, INES)}


def paris(text: str, fold: int = 0) -> datetime:
    """2026-11-30 20:00, as clocks in Paris show it."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS, fold=fold).astimezone(UTC)


@dataclass
class Life:
    """The example's rota on a desk, whose clock the test moves."""

    desk: Desk
    clock: ManualClock

    def say(self, person: str, *words: str, ref: str | None = None, way: Any = "line") -> str:
        """Somebody types a line, or clicks; the answer."""
        slack = self.desk.config.people[person].slack
        said = tuple(part for each in words for part in each.split())
        saying = Saying(self.desk.config.workspace, slack, "slack C0ALERTS01", said, ref, way)
        return perform(self.desk, FAMILY, saying).text

    def move(self, text: str, fold: int = 0) -> None:
        self.clock.instant = paris(text, fold)

    def directs(self, person: str, head: str = "") -> list[cards.Post]:
        """The direct messages to somebody, oldest first."""
        slack = self.desk.config.people[person].slack
        with self.desk.read() as connection:
            query = sa.select(cards.post).where(cards.post.c.kind == "direct", cards.post.c.channel == slack)
            found = [cards.Post(**row._mapping) for row in connection.execute(query.order_by(cards.post.c.id))]
        return [each for each in found if each.key.startswith(head)]

    def told(self, person: str, head: str = "") -> list[str]:
        return [json.loads(each.body or "{}")["said"] for each in self.directs(person, head)]

    def offers(self, person: str, head: str = "") -> list[list[str]]:
        """The buttons of the newest direct message to somebody."""
        return json.loads(self.directs(person, head)[-1].body or "{}")["offers"]

    def entries(self, kind: str | None = None) -> list[journal.Entry]:
        with self.desk.read() as connection:
            return [each for each in journal.all_entries(connection) if kind in (None, each.kind)]

    def has(self, text: str, role: str = "primary", fold: int = 0) -> str | None:
        """Who has a role of the platform then."""
        with self.desk.read() as connection:
            at = roster.at(connection, self.desk.config, "platform", paris(text, fold))
        return next(each.person for each in at if each.role == role)

    def shift(self, text: str, role: str = "primary") -> shifts.Shift:
        """The published shift of the platform that holds then."""
        with self.desk.read() as connection:
            at = roster.at(connection, self.desk.config, "platform", paris(text))
        found = next(each.shift for each in at if each.role == role)
        assert found is not None
        return found


def life(engine: sa.Engine, now: str, config: Config | None = None, published_days: int = 21, fold: int = 0) -> Life:
    """From then on the next weeks are published, since long ago."""
    clock = ManualClock(paris(now, fold))
    desk = desk_on(engine, clock, config=config or example())
    if published_days:
        publish(desk, published_days)
    return Life(desk, clock)


def publish(desk: Desk, days: int) -> None:
    start = desk.clock.now().replace(minute=0, second=0) - timedelta(days=7)
    with desk.begin("publish") as connection:
        slots = [
            each for name in desk.config.coverages
            for each in roster.slots(connection, desk.config, name, start, start + timedelta(days=days + 7))
        ]
        shifts.add(connection, [
            {"coverage": each.coverage, "organisation": each.organisation, "team": each.team, "role": each.role,
             "mode": each.mode, "person": each.person, "start": each.start, "end": each.end, "source": "rotation", "version": 1,
             "published_at": start - timedelta(days=30), "published_by": "vigie", "reason": None}
            for each in slots
        ])
