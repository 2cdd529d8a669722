"""In which order people are called about one thing, and when; pure. Kept as it was when the calling began."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Literal

from bot.config.nights import Paging
from bot.services.leave.duty import Callee

OWNER, EVERYBODY = "owner", "everybody"
NONE_YET = -1
About = Literal["trouble", "recovered", "doubt"]    # a fault; a recovery that is not believed; a step of a run


@dataclass(frozen=True, slots=True)
class Policy:
    """The snapshot: who is called at which step, how long after the first; then everybody again and again."""

    steps: tuple[tuple[str, float], ...]            # role, seconds after the first call
    again_s: float
    lease_s: float
    reminder_s: float
    about: About
    first: str | None = None                        # who has it, or asked for it: before anybody on duty
    standing: tuple[tuple[str, str], ...] = ()      # who had which role when it began
    told: tuple[str, ...] = ()                      # what else whoever is called must know

    def dump(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Level:
    """One step: its number, and who is called then."""

    number: int
    people: tuple[Callee, ...]


def load(text: str) -> Policy:
    given = json.loads(text)
    steps = tuple((role, after) for role, after in given["steps"])
    standing = tuple((role, person) for role, person in given["standing"])
    return Policy(**{**given, "steps": steps, "standing": standing, "told": tuple(given["told"])})


def policy(paging: Paging, about: About, first: str | None, callees: Sequence[Callee], told: Sequence[str] = ()) -> Policy:
    """What counts for one calling, however vigie.yaml changes meanwhile."""
    after = [
        ("primary", timedelta(0)), ("secondary", paging.secondary_after), ("lead", paging.lead_after),
        ("other side", paging.other_side_after), ("fallback", paging.fallback_after),
    ]
    # Whoever has it comes first, and the duty as much later as its secondary would.
    steps = [(OWNER, timedelta(0)), *((role, paging.secondary_after + length) for role, length in after)] if first else after
    return Policy(
        tuple((role, length.total_seconds()) for role, length in steps), paging.again_every.total_seconds(),
        paging.lease.total_seconds(), paging.reminder.total_seconds(), about, first,
        tuple((each.role, each.person) for each in callees), tuple(told),
    )


def following(rules: Policy, last: int, callees: Sequence[Callee], called: Collection[str]) -> Level | None:
    """Who is called after step `last`: the next step that has somebody new, else everybody; None: nobody can be called.

    Who came to an earlier step since (the duty has passed meanwhile) is called with it.
    """
    new = [each for each in callees if each.person not in called]
    earlier = {role for role, _ in rules.steps[:last + 1]}
    missed = [each for each in new if each.role in earlier]
    for number in range(last + 1, len(rules.steps)):
        people = [each for each in new if each.role == rules.steps[number][0]]
        if missed or people:
            return Level(number, (*missed, *people))
    everybody = tuple(callees)
    return Level(max(last + 1, len(rules.steps)), everybody) if everybody else None


def wait(rules: Policy, number: int, upcoming: Level | None) -> timedelta:
    """How long after step `number` the next one is."""
    last = len(rules.steps) - 1
    if number >= last or upcoming is None or upcoming.number > last:
        return timedelta(seconds=rules.again_s)
    return timedelta(seconds=max(0.0, rules.steps[number + 1][1] - rules.steps[number][1]))


def role_at(rules: Policy, number: int) -> str:
    """What the people of that step are called for."""
    return rules.steps[number][0] if number < len(rules.steps) else EVERYBODY
