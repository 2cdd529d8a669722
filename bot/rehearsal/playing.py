"""Plays a night: the clock jumps from one instant to the next at which something happens or is due; every door is knocked at."""

import asyncio
import heapq
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import sqlalchemy as sa

import commands
from bot import sources
from bot.discover import discover
from bot.entrypoints.perform import Saying, perform
from bot.entrypoints.wording import words
from bot.errors import Refused
from bot.rehearsal.doubles import Hands, Phones, Slack
from bot.rehearsal.nights import Night, Sent, Typed
from bot.services.alert import automation, due, intake, morning
from bot.services.alert.arrivals import arrivals
from bot.services.call import auditor, escalation, silences
from bot.services.call.media import Ringing
from bot.services.desk import Desk
from bot.services.handoff import accepting, gathering, ticking, upcoming
from bot.services.leave import authority
from bot.services.run.execution import Execution
from bot.services.slack import cards as drawings
from bot.services.slack.courier import Courier
from bot.services.worktime import interventions
from bot.sources import Delivery, Signal, Source, Unreadable, unreadable_signal
from bot.store import alerts, cards, escalations, handoffs, journal
from bot.store import runs as rows
from bot.store.db import instant, metadata
from bot.store.pages import escalation as escalation_table
from bot.store.pages import page_attempt
from commands import Command

LONGEST, SHORTEST = timedelta(minutes=5), timedelta(seconds=1)
MOST_ROUNDS, MOST_POSTS = 12, 500
AUDITED_EVERY = timedelta(minutes=1)
ORIGIN = "rehearsal"
STILL_AT_IT = "still at it"
# What says when it is due. The note of a handoff is due anew each minute: the grid of a few minutes is enough for it.
WAITS = tuple(metadata.tables[name].c.due_at for name in ("alert", "escalation", "page_attempt", "post", "run"))

Happen = Callable[[], object]


class Player:
    """The night, while it is played; what it came to stands in the rows of its database and in `slack` and `phones`."""

    def __init__(self, desk: Desk, hands: Hands, night: Night, on: Callable[[float], object] = float) -> None:
        self.desk, self._hands, self.night, self._on = desk, hands, night, on
        self.slack, self.phones = Slack(desk.config, hands), Phones(desk.config, hands)
        self.forgotten: list[tuple[datetime, int]] = []         # important alerts that the auditor had to call about
        self.refused: list[str] = []                            # lines that people typed in vain
        self.brought: list[str] = []                            # every notification, by the name under which it is kept
        self._courier = Courier(desk, self.slack, partial(drawings.draw, desk), pace=0)
        self._ringing = Ringing(desk, self.phones.address, self.phones)
        assert desk.worlds is not None
        self._execution = Execution(desk, desk.worlds, _NoEngine())
        self._sources, self._family = discover(sources, Source), discover(commands, Command)
        self._order = count()
        self._ahead: list[tuple[datetime, int, Happen]] = []
        self._called, self._accepting, self._answering = 0, set[int](), set[tuple[str, int, datetime]]()
        self._acts = (silences.act, escalation.act, due.act, automation.act, ticking.act, morning.tell, interventions.act)

    def play(self) -> None:
        """From its first instant to its last."""
        for number, each in enumerate(self.night.sent):
            self._plan(each.at, partial(self._receive, each, number))
        for line in self.night.typed:
            self._plan(line.at, partial(self._type, line))
        with asyncio.Runner() as runner:
            while self._hands.at < self.night.end:
                while self._ahead and self._ahead[0][0] <= self._hands.at:
                    heapq.heappop(self._ahead)[2]()
                self._settle(runner)
                self._hands.at = min(self._next(), self.night.end)
                self._on((self._hands.at - self.night.start) / (self.night.end - self.night.start))
            self._settle(runner)
        self._ringing.rest()

    def _plan(self, at: datetime, happen: Happen) -> None:
        heapq.heappush(self._ahead, (max(at, self.night.start), next(self._order), happen))

    def _next(self) -> datetime:
        """When something is due, or happens; else the next of a grid of a few minutes, on which duty passes too."""
        now = self._hands.at
        with self.desk.read() as connection:
            waits = [connection.scalar(sa.select(sa.func.min(each)).where(each > now)) for each in WAITS]
        ahead = [instant(each) for each in waits if each is not None] + [each[0] for each in self._ahead[:1]]
        grid = self.night.start + ((now - self.night.start) // LONGEST + 1) * LONGEST
        return max(min([*ahead, grid]), now + SHORTEST)

    # --- what is due ---

    def _settle(self, runner: asyncio.Runner) -> None:
        """Until nothing moves any more."""
        for _ in range(MOST_ROUNDS):
            before = self._entries()
            for act in self._acts:
                act(self.desk)
            self._ringing.act()
            self._ringing.rest()
            moved = self._work()
            sent = self._deliver(runner)
            self._hear()
            if not moved and not sent and self._entries() == before:
                break
        if self._hands.at - self.night.start >= AUDITED_EVERY:
            self.forgotten += [(self._hands.at, each.group_id) for each in auditor.audit(self.desk)]

    def _entries(self) -> int:
        with self.desk.read() as connection:
            return connection.scalar(sa.select(sa.func.max(journal.journal.c.id))) or 0

    def _work(self) -> bool:
        """Every run that can go on makes its moves; what it waits for is due later, and stands in its row."""
        now = self._hands.at
        with self.desk.read() as connection:
            waiting = rows.due(connection, now)
        for run_id in waiting:
            with self.desk.engine.begin() as connection:
                leg = rows.claim(connection, run_id, now)
            pause: float | None = 0.0
            while pause == 0.0:
                pause = self._execution.move(run_id)
            with self.desk.engine.begin() as connection:
                rows.release(connection, run_id, leg or 0, None if pause is None else now + timedelta(seconds=pause))
        return bool(waiting)

    def _deliver(self, runner: asyncio.Runner) -> bool:
        with self.desk.read() as connection:
            channels = cards.due_channels(connection, self._hands.at)
        for channel in channels:
            for _ in range(MOST_POSTS):
                if runner.run(self._courier.deliver_next(channel)) is None:
                    break
        return bool(channels)

    # --- what happens ---

    def _receive(self, sent: Sent, number: int) -> None:
        config = self.desk.config
        endpoint = config.endpoints[sent.endpoint]
        delivery = Delivery(sent.endpoint, endpoint, b"", {}, self._hands.at)
        signals = self._read(self._sources[endpoint.source], sent, delivery)
        made = arrivals(config, self.desk.catalogue, delivery, f"{ORIGIN}:{number}", "", signals)
        self.brought += [each.delivery for each in made]
        intake.take(self.desk, made)

    def _read(self, source: Source, sent: Sent, delivery: Delivery) -> list[Signal]:
        try:
            return list(source.read(sent.content, delivery))
        except Unreadable as problem:
            return [unreadable_signal(delivery, str(problem))]

    def _type(self, typed: Typed) -> None:
        config = self.desk.config
        person = config.people[typed.person]
        saying = Saying(person.team or config.workspace, person.slack, ORIGIN, words(typed.line, config))
        reply = perform(self.desk, self._family, saying)
        if not reply.ok:
            self.refused.append(f"{typed.person}: {typed.line}: {reply.text}")

    # --- what people are assumed to do ---

    def _hear(self) -> None:
        """Whoever was reached answers, and whoever takes the duty over accepts the note, as is assumed."""
        answer, handoff = self.night.assume.answer, self.night.assume.handoff
        with self.desk.read() as connection:
            calls = list(self._new_calls(connection))
            passed = connection.execute(sa.select(handoffs.handoff.c.id).where(
                handoffs.handoff.c.boundary <= self._hands.at, handoffs.handoff.c.state != "accepted",
            )).scalars().all()
        for call in calls if answer is not None else ():
            at = self._hands.at + (answer or LONGEST)
            if (*call, at) not in self._answering:          # by one way is enough
                self._answering.add((*call, at))
                self._plan(at, partial(self._answer, *call))
        for each in passed if handoff is not None else ():
            if each not in self._accepting:
                self._accepting.add(each)
                self._plan(self._hands.at + (handoff or LONGEST), partial(self._accept, each))

    def _new_calls(self, connection: sa.Connection) -> Iterator[tuple[str, int]]:
        page, whole = page_attempt.c, escalation_table.c
        query = sa.select(page.id, page.person, whole.alert_id).join(
            escalation_table, whole.id == page.escalation_id).where(
            page.id > self._called, page.state.in_((escalations.SENT, escalations.SEEN))).order_by(page.id)
        for number, person, alert_id in connection.execute(query):
            self._called = number
            if alert_id is not None:
                yield person, alert_id

    def _answer(self, person: str, alert_id: int) -> None:
        with self.desk.read() as connection:
            alert = alerts.by_id(connection, alert_id)
        if alert is None or alert.state not in ("firing", "acked"):
            return
        line = f"ack {alert_id}" if alert.state == "firing" else f"note {alert_id} {STILL_AT_IT}"
        if alert.acked_by in (None, person):
            self._type(Typed(self._hands.at, person, line))

    def _accept(self, handoff_id: int) -> None:
        config = self.desk.config
        with self.desk.read() as connection:
            found = handoffs.by_id(connection, handoff_id)
            if found is None or found.incoming is None or found.state == "accepted":
                return
            note = gathering.gather(self.desk, connection, found, upcoming.times(config, found), self._hands.at)
        person = config.people[found.incoming]
        try:
            actor = authority.authorise(config, person.team or config.workspace, person.slack, ORIGIN)
            accepting.accept(self.desk, found, actor, "none", [each.ref for each in note.reds])
        except Refused as refusal:
            self.refused.append(f"{found.incoming}: handoff accept: {refusal}")


class _NoEngine:
    """Legs of runs are walked here, one after the other: nothing outlives this process."""

    async def start(self, name: str, identity: str, *args: Any) -> None:
        """Nothing is begun beside the player."""

    async def ended(self, identity: str) -> bool:
        return True
