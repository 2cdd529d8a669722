"""What goes on around Vigie in a simulated night: senders who send until they are answered, people who act on what they read."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

from bot.errors import Refused, Unavailable
from bot.ports import KillPoint
from bot.services.alert import assigning, response
from bot.services.desk import Actor, Desk
from bot.store import alerts
from bot.store.alerts import Alert
from tests.fakes import Killed
from tests.process import ENDPOINT, Process
from tests.story import ALICE, LEA
from tests.virtual import Event, Timeline

KEYS = ("pay-api 5xx", "pay-api p99", "pay-db locks", "ledger lag", "bank-sync file", "edge 4xx")     # two channels
OBSERVERS = ("CloudWatch", "Probe")
SEVERITIES = ("warning", "high", "high", "critical")
STORIES = (
    ("firing", "recovered"),
    ("firing", "recovered"),
    ("firing", "firing", "firing", "recovered"),
    ("firing", "recovered", "firing", "recovered"),
    ("firing", "no data", "firing", "recovered"),
    ("firing", "firing", "no data"),
    ("firing",),
)
SLOWEST_S = 1200        # a word that is under way for so long comes after the end of its alert's probation
LONGEST_BACKOFF_S = 300
LOST_ANSWERS = 0.03
VERBS = ("ack", "ack", "ack", "close", "close anyway", "snooze", "assign", "note")


class Night(Protocol):
    """What they know of the night they live in."""

    timeline: Timeline
    rng: random.Random
    process: Process | None
    peace: bool

    @property
    def kill(self) -> KillPoint: ...

    def say(self, what: str) -> None: ...

    def name(self, prefix: str) -> str: ...

    def unless_peace(self, seconds: float, event: Event) -> None: ...


@dataclass(slots=True)
class Parcel:
    """A delivery that its sender keeps until somebody answers 2xx."""

    body: dict[str, Any]
    tries: int = 0
    answered: bool = False

    def __str__(self) -> str:
        said = self.body
        told = f"{said['id']} {said['key']}: {said['observer']} {said['state']} of {said['at'][11:19]}"
        return f"{told}: {'taken' if self.answered else 'no answer'}"


class Senders:
    """Things break; one or two observers tell of it, in their own time, twice, slowly, out of order."""

    def __init__(self, night: Night) -> None:
        self.taken: set[str] = set()            # deliveries that were answered 2xx
        self._night, self._rng, self._after = night, night.rng, night.timeline.after
        self._door: list[Parcel] = []

    async def trouble(self) -> None:
        self._night.unless_peace(self._rng.expovariate(1 / 120), self.trouble)
        key = self._rng.choice(KEYS)
        for observer in self._rng.sample(OBSERVERS, self._rng.choice((1, 1, 2))):
            moment = self._rng.uniform(0, 60)
            for state in self._rng.choice(STORIES):
                said = {"key": key, "service": key.split()[0], "title": key, "state": state, "observer": observer}
                self._night.unless_peace(moment, partial(self._tell, said))
                moment += self._rng.choice((3, 20, 90, 400))

    async def _tell(self, said: dict[str, Any]) -> None:
        """An observer has seen something: the word sets out, perhaps twice."""
        if self._night.peace:
            return
        word = {**said, "at": self._night.timeline.now().isoformat(), "severity": self._rng.choice(SEVERITIES)}
        for id in self._copies():
            delay = self._rng.choice((0.2, 0.5, 1, 2, 5, 30, self._rng.uniform(0, SLOWEST_S)))
            self._after(delay, partial(self._arrive, Parcel({**word, "id": id})))

    def _copies(self) -> list[str]:
        """The ids under which a word is sent: mostly one, now and then twice, or told again as if it were new."""
        first = self._night.name("d")
        return self._rng.choice(([first],) * 6 + ([first, first], [first, self._night.name("d")]))

    async def _arrive(self, parcel: Parcel) -> None:
        """What arrives in one second is taken together."""
        if not self._door:
            self._after(1 - self._night.timeline.now().microsecond / 1e6, self._open_door)
        self._door.append(parcel)

    async def _open_door(self) -> None:
        parcels, self._door = self._door, []
        process = self._night.process
        try:
            if process:
                await process.all_at_once(*[self._receive(process, each) for each in parcels])
        finally:
            for each in parcels:
                self._go_home(each)

    async def _receive(self, process: Process, parcel: Parcel) -> None:
        try:
            await process.receive(parcel.body)
        except Unavailable:
            return
        self.taken.add(f"{ENDPOINT}:{parcel.body['id']}:")
        parcel.answered = self._night.peace or self._rng.random() > LOST_ANSWERS
        self._night.kill("answer: after")

    def _go_home(self, parcel: Parcel) -> None:
        """Without an answer a sender sends again, later each time."""
        self._night.say(str(parcel))
        if not parcel.answered:
            parcel.tries += 1
            backoff = min(LONGEST_BACKOFF_S, 5 * 2**parcel.tries) * self._rng.uniform(0.5, 1)
            self._after(backoff, partial(self._arrive, parcel))


class People:
    """Somebody reads the channel and, a little later, acts on what was read; sometimes two do at once."""

    def __init__(self, night: Night) -> None:
        self.done: set[str] = set()             # words of acts that were answered with success
        self.refused: set[str] = set()
        self._night, self._rng = night, night.rng

    async def look(self) -> None:
        self._night.unless_peace(self._rng.expovariate(1 / 60), self.look)
        if found := self._read():
            chosen, verb, delay = self._rng.choice(found), self._rng.choice(VERBS), self._rng.uniform(1, 30)
            for actor in self._rng.sample((ALICE, LEA), self._rng.choice((1, 1, 1, 2))):
                self._night.unless_peace(delay, partial(self._act, verb, chosen, actor))

    def _read(self) -> list[Alert]:
        if self._night.process is None:
            return []
        with self._night.process.desk.read() as connection:
            return alerts.recent(connection, most=12)

    async def _act(self, verb: str, alert: Alert, actor: Actor) -> None:
        if self._night.process is None:
            return
        word = self._night.name("n")
        said = f"{actor.key} {verb} {alert.name} {word}"
        try:
            self._do(self._night.process.desk, verb, alert, actor, word)
        except Refused as refusal:
            self.refused.add(word)
            self._night.say(f"{said}: {refusal}")
            return
        except Killed:
            self._night.say(f"{said}: no answer")
            raise
        self._night.say(f"{said}: done")
        if verb != "close":     # that one takes no words
            self.done.add(word)
        self._night.kill("answer: after")

    def _do(self, desk: Desk, verb: str, alert: Alert, actor: Actor, word: str) -> None:
        acts: dict[str, Callable[[], Any]] = {
            "ack": lambda: response.ack(desk, alert, actor, word),
            "close": lambda: response.close(desk, alert, actor),
            "close anyway": lambda: response.close(desk, alert, actor, word),
            "snooze": lambda: response.snooze(desk, alert, actor, timedelta(minutes=self._rng.randint(1, 15)), word),
            "assign": lambda: assigning.assign(desk, alert, actor, self._rng.choice(("alice", "lea", "paul")), word),
            "note": lambda: response.note(desk, alert, actor, word),
        }
        acts[verb]()
        self._night.kill("answer: before")
