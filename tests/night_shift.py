"""A night with Vigie at work in a workshop: alarms come in, it decides, runs go on, time passes; and what was done."""

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.services.alert import automation, due
from bot.services.desk import Desk
from bot.store import alerts, cards, rungs, runs
from bot.store import journal as book
from bot.store.alerts import Alert
from bot.store.runs import Run
from runbooks.model import Runbook
from tests.fakes import ManualClock
from tests.story import CONFIG, T0, arrive, desk_on, signal
from tests.workshop import Machine, Workshop, runbook, workshop

SYMPTOMS = [{"name": "errors", "service": "pay-api", "when": {"name": ["pay-api-5xx", "pay-api answers*"]}}]
SHARED = Config.model_validate({**CONFIG.model_dump(), "symptoms": SYMPTOMS})


@dataclass
class Shift:
    """The workshop, and all that Vigie does in it by itself."""

    shop: Workshop

    @property
    def desk(self) -> Desk:
        return self.shop.desk

    @property
    def machine(self) -> Machine:
        return self.shop.machine

    @property
    def clock(self) -> ManualClock:
        return self.shop.clock

    def tell(self, state: str = "firing", endpoint: str = "bridge-generic", **fields: Any) -> None:
        """An observer says something now."""
        at = (self.clock.now() - T0).total_seconds()
        arrive(self.desk, signal(state, at, **fields), endpoint=endpoint)

    def decide(self) -> int:
        return automation.act(self.desk)

    def trust(self, rung: str = "automatic", name: str = "smaller") -> None:
        with self.desk.begin("test") as connection:
            rungs.put(connection, name, rung, self.clock.now(), "paul", "ines")

    def work(self) -> list[Run]:
        """All runs go on as far as they can; the clock goes on with them."""
        for run in self.runs():
            if run.state in runs.UNDER_WAY:
                self.shop.carry_on(run)
        return self.runs()

    def live(self, minutes: int, step_s: int = 60) -> None:
        """Time passes; whatever is due is done."""
        until = self.clock.now().timestamp() + 60 * minutes
        while self.clock.now().timestamp() < until:
            self.clock.advance(step_s)
            due.act(self.desk)
            self.decide()
            self.work()

    # --- what one can ask ---

    def alert(self, number: int = 1) -> Alert:
        with self.desk.read() as connection:
            found = alerts.by_id(connection, number)
        assert found is not None
        return found

    def runs(self) -> list[Run]:
        """Oldest first."""
        with self.desk.read() as connection:
            return runs.find(connection)[::-1]

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The journal's details of all entries of a kind, oldest first."""
        with self.desk.read() as connection:
            query = sa.select(book.journal.c.details).where(book.journal.c.kind == kind).order_by(book.journal.c.id)
            return [json.loads(each) for each in connection.execute(query).scalars()]

    def posts(self, kind: str) -> list[cards.Post]:
        with self.desk.read() as connection:
            query = sa.select(cards.post).where(cards.post.c.kind == kind).order_by(cards.post.c.id)
            return [cards.Post(**row._mapping) for row in connection.execute(query)]

    def called(self) -> list[str]:
        """Who was called, in order."""
        return [name for each in self.posts("page") for name in json.loads(each.body or "{}")["people"] or ["nobody"]]


def shift(engine: sa.Engine, *books: Runbook, config: Config = CONFIG) -> Shift:
    """A night shift in which Vigie may run what it recognises."""
    made = Shift(workshop(desk_on(engine, config=config), *(books or (runbook(),))))
    made.trust()
    return made
