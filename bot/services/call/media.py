"""Ways to reach a person beside Slack: each ring is claimed first, so that none is made twice unless its answer was lost."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog

from bot.errors import Misbuilt, Rejected, Unavailable
from bot.masking import mask_text
from bot.services.call import receipts
from bot.services.call.wording import LONGEST_RING, RING_AGAIN
from bot.services.desk import VIGIE, Desk
from bot.services.ledger import journal
from bot.services.slack import hush
from bot.store import escalations
from bot.store.escalations import CONTACT, DOUBTFUL, FAILED, HELD_BACK, SENT, Attempt

log = structlog.get_logger()

MOST_AT_ONCE = 8
MOST_TRIES = 2                              # of a ring whose answer was lost; what was refused is not tried again
AGAIN_AFTER = timedelta(seconds=45)         # longer than any provider is waited for
LONGEST_WHY = 200

NO_ANSWER = "nobody knows whether it rang: {why}"
LOST = "its process died while it rang"
SLEEPS = "the person is in blackout"
NO_ADDRESS = "no address: {why}"
TITLE = "Vigie"


class Ringer(Protocol):
    """Rings one address. Rejected: it did not ring and never will. Unavailable: nobody knows whether it did."""

    def ring(self, address: str, title: str, text: str) -> None:
        """At most one ring; gives up in time."""


@dataclass(frozen=True, slots=True)
class Ring:
    """One attempt on its way."""

    attempt: Attempt
    text: str


class Ringing:
    """Rings what is due, each in a thread of its own: a provider that hangs holds up nobody else."""

    def __init__(self, desk: Desk, secret: Callable[[str], str], ringer: Ringer) -> None:
        self._desk, self._secret, self._ringer = desk, secret, ringer
        self._pool = ThreadPoolExecutor(MOST_AT_ONCE, "ring")
        self._under_way: set[Future[None]] = set()

    def act(self) -> int:
        """Starts what is due, as many as there is room for; returns how many. Safe to repeat, and for several at once."""
        self._under_way = {each for each in self._under_way if not each.done()}
        room = MOST_AT_ONCE - len(self._under_way)
        claimed = [each for each in (self._claim(one) for one in self._due(room)) if each]
        self._under_way |= {self._pool.submit(self._ring, each) for each in claimed}
        return len(claimed)

    def rest(self, patience_s: float = 15) -> None:
        """Waits for those under way."""
        wait(self._under_way, patience_s)

    def _due(self, most: int) -> list[Attempt]:
        if most <= 0:
            return []
        with self._desk.read() as connection:
            return escalations.to_ring(connection, self._desk.clock.now(), most)

    def _claim(self, attempt: Attempt) -> Ring | None:
        """Written down before it rings: after a crash it is in doubt, and rings once more, saying so."""
        desk, now = self._desk, self._desk.clock.now()
        with desk.begin("ring") as connection:
            if hush.asleep(desk.config, attempt.person, now) is not None:
                escalations.change(connection, attempt, state=HELD_BACK, due_at=None, why=SLEEPS)
                return None
            if attempt.tries >= MOST_TRIES:
                if escalations.change(connection, attempt, due_at=None, why=attempt.why or LOST):
                    receipts.failed(connection, attempt, now)
                return None
            claimed = {"state": DOUBTFUL, "tries": attempt.tries + 1, "due_at": now + AGAIN_AFTER}
            if not escalations.change(connection, attempt, **claimed):
                return None
        again = RING_AGAIN if attempt.tries else ""
        return Ring(attempt, f"{again}{mask_text(attempt.said)}"[:LONGEST_RING])

    def _ring(self, ring: Ring) -> None:
        self._desk.kill("ring: before")
        medium, state, why = self._try(ring)
        self._desk.kill("ring: after")
        self._note(ring.attempt, medium, state, why)

    def _try(self, ring: Ring) -> tuple[str, str, str | None]:
        """By what it rang, how that ended, and why."""
        medium = CONTACT
        try:
            address = self._secret(self._desk.config.people[ring.attempt.person].contacts[ring.attempt.contact or 0])
            medium = address.partition(":")[0].lower()[:20]
            self._ringer.ring(address, TITLE, ring.text)
        except Rejected as refusal:
            return medium, FAILED, refusal.code
        except Unavailable as problem:
            return medium, DOUBTFUL, NO_ANSWER.format(why=problem)
        except (Misbuilt, IndexError, KeyError) as fault:       # vigie.yaml or the environment says something else by now
            return medium, FAILED, NO_ADDRESS.format(why=fault)
        return medium, SENT, None

    def _note(self, attempt: Attempt, medium: str, state: str, why: str | None) -> None:
        desk, now = self._desk, self._desk.clock.now()
        told = {"state": state, "medium": medium, "why": why[:LONGEST_WHY] if why else None}
        when = {"sent_at": now, "due_at": None} if state == SENT else {"due_at": None} if state == FAILED else {}
        with desk.begin("rung") as connection:
            claimed = escalations.attempt(connection, attempt.id)
            if claimed is None or claimed.state != DOUBTFUL or not escalations.change(connection, claimed, **told, **when):
                return      # the person has seen it meanwhile
            journal.record(
                connection, actor=VIGIE, kind="person rung", object=f"person:{attempt.person}", at=now, who=attempt.person,
                outcome="done" if state == SENT else "failed", medium=medium, why=told["why"], attempt=attempt.key,
            )
            if state == FAILED:
                receipts.failed(connection, attempt, now)
        if state != SENT:
            log.warning("a ring did not go well", attempt=attempt.key, medium=medium, state=state, why=why)
