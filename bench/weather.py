"""What goes wrong during a soak, and when: the same for the same seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

KILL, STOP = "kill -9", "SIGTERM"
DEATHS = (KILL, STOP)
SLACK = ("down", "hang", "storm_429", "drop_replies")
CALM: dict[str, Any] = {"down": False, "hang": 0.0, "storm_429": 0, "drop_replies": 0}
LONGEST_GAP_S = 30.0
DEADLY_SHARE = 2 / 3        # nobody dies in the last third, so that one long life shows whether memory grows


@dataclass(frozen=True, slots=True)
class Moment:
    """At `at_s` Slack gets these faults, or Vigie ends by `death` and comes back after `away_s`."""

    at_s: float
    faults: dict[str, Any] = field(default_factory=dict)
    death: str = ""
    away_s: float = 0.0

    def __str__(self) -> str:
        return self.death or ", ".join(f"Slack {name}: {value}" for name, value in self.faults.items())


def forecast(seed: int, seconds: float) -> list[Moment]:
    """Every kind of fault in turn, in an order that changes; faults of Slack that last also end."""
    return sorted(_moments(random.Random(f"weather {seed}"), seconds), key=lambda moment: moment.at_s)


def _moments(chance: random.Random, seconds: float) -> Iterator[Moment]:
    gap, at = min(LONGEST_GAP_S, seconds / 12), 0.0
    while True:
        for kind in chance.sample((*DEATHS, *SLACK), len(DEATHS) + len(SLACK)):
            at += gap * chance.uniform(0.5, 1.5)
            if at >= seconds:
                return
            if kind in SLACK:
                yield from _trouble(chance, kind, at, seconds)
            elif at < seconds * DEADLY_SHARE:
                yield Moment(at, death=kind, away_s=chance.uniform(0, gap / 6))


def _trouble(chance: random.Random, kind: str, at: float, seconds: float) -> Iterator[Moment]:
    """A fault of Slack; `down` for minutes of an hour, `hang` for half of that."""
    strength: dict[str, Any] = {
        "down": True, "hang": round(chance.uniform(0.5, 15), 1), "storm_429": chance.randint(30, 150),
        "drop_replies": chance.randint(3, 10),
    }
    yield Moment(at, {kind: strength[kind]})
    if kind in ("down", "hang"):
        length = seconds * chance.uniform(0.02, 0.05) / (1 if kind == "down" else 2)
        yield Moment(at + length, {kind: CALM[kind]})
