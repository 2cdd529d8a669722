"""A night in which people are called: the example's rota, important alerts, and time that passes."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.services.alert import automation, due
from bot.services.call import escalation, silences
from bot.services.desk import Actor
from bot.store import cards, escalations
from bot.store.escalations import Attempt, Escalation
from bot.store.pages import escalation as callings
from tests.config_stage import example
from tests.night_shift import Shift, shift
from tests.story import T0

OMAR = Actor("omar", "Omar", "padok", frozenset({"engineer"}), "U0OMAR0001", "slack C0ALERTS01")
UNKNOWN = {"key": "pay-api p99", "name": "pay-api-p99", "severity": "critical"}
EXAMPLE = example()


def with_(**changes: Any) -> Config:
    """The example with some of its parts replaced."""
    return Config.model_validate({**EXAMPLE.model_dump(), **changes})


def dark(*companies: str) -> Config:
    """The example, with these companies in blackout from midnight to eight."""
    given = EXAMPLE.model_dump()["organisations"]
    return with_(organisations={
        name: {**each, "blackout": "00:00-08:00" if name in companies else None} for name, each in given.items()
    })


@dataclass
class Calls:
    """The shift, and who is called in it when."""

    night: Shift

    def alarm(self, **fields: Any) -> None:
        """An important alert that no runbook knows."""
        self.night.tell(**{**UNKNOWN, **fields})
        self.tick()

    def tick(self) -> None:
        """Twice what is due: doing it again must do nothing."""
        for door in (due.act, automation.act, silences.act, escalation.act, escalation.act):
            door(self.night.desk)

    def live(self, minutes: float, step_s: float = 60) -> None:
        until = self.night.clock.now() + timedelta(minutes=minutes)
        while self.night.clock.now() < until:
            self.night.clock.advance(min(step_s, (until - self.night.clock.now()).total_seconds()))
            self.tick()

    def go_to(self, at: datetime) -> None:
        self.live((at - self.night.clock.now()).total_seconds() / 60)

    # --- what one can ask ---

    def timeline(self) -> list[tuple[int, str]]:
        """Who was called, and how many minutes after 02:14 UTC."""
        return [
            (int((each.first_due_at - T0).total_seconds() // 60), " ".join(json.loads(each.body or "{}")["people"]) or "nobody")
            for each in self.night.posts("page")
        ]

    def directs(self) -> list[tuple[str, str]]:
        return [(each.channel, json.loads(each.body or "{}")["said"]) for each in self.night.posts("direct")]

    def attempts(self) -> list[Attempt]:
        with self.night.desk.read() as connection:
            return escalations.attempts(connection)

    def callings(self) -> list[Escalation]:
        with self.night.desk.read() as connection:
            found = connection.execute(sa.select(callings).order_by(callings.c.id))
            return [Escalation(**row._mapping) for row in found]

    def under(self, number: int = -1) -> str:
        return json.loads(self.night.posts("page")[number].body or "{}")["under"]

    def show(self, fails: str | None = None) -> None:
        """Slack shows all that waits, or refuses direct messages."""
        with self.night.desk.begin("test") as connection:
            for each in [*self.night.posts("page"), *self.night.posts("direct")]:
                if each.ts is None and fails and each.kind == "direct":
                    cards.failed(connection, each, fails, self.night.clock.now())
                elif each.ts is None:
                    cards.shown(connection, each, f"{each.id}.1", each.revision, self.night.clock.now(), None)


def calls(engine: sa.Engine, config: Config = EXAMPLE, at: datetime = T0) -> Calls:
    made = Calls(shift(engine, config=config))
    made.night.clock.instant = at
    return made
