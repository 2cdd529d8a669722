"""How much of everything: the whole bench, a quick look, and the smallest that still touches all."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """`events` and `alerts` of a storm; `rounds` of storm and floor; `lone` alerts; `commands`; `stored` steps of growth;
    `month` alerts of a month that is reviewed."""

    events: int = 5_000
    alerts: int = 1_000
    rounds: int = 3
    lone: int = 100
    commands: int = 100
    stored: tuple[int, ...] = (0, 100_000, 400_000)
    storms_in_a_row: int = 5
    killed_alerts: int = 100
    killed_runs: int = 50
    month: int = 100_000


FULL = Scale()
QUICK = Scale(2_000, 400, 1, 24, 50, (0, 20_000), 3, 40, 12, 5_000)
TINY = Scale(60, 12, 1, 3, 3, (0, 500), 1, 5, 2, 200)
