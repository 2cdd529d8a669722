"""What people decided, as it was known at one instant, and what came of it: alerts and lost sleep before, and since."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.labour.arithmetic.days import Stretch
from bot.review.arithmetic.patterns import pattern
from bot.review.arithmetic.stretches import minutes
from bot.review.arithmetic.windows import dark
from bot.review.facts import Decision, Group, Month
from bot.services.review.facts.echoes import Echoes
from bot.store import agreements, duties, months

DAY = timedelta(days=1)
LOOKED_AT = 30 * DAY                    # before it was done
NEWEST = 5                              # alerts that are named beside a decision

About = Callable[[str, str], bool]      # of a service and a pattern


@dataclass(frozen=True, slots=True)
class Stint:
    """Work of somebody on call, as far as it lay in the night or in the blackout."""

    start: datetime
    minutes: float
    service: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What effects are measured on."""

    month: Month
    groups: Sequence[Group]
    echoes: Echoes
    stints: Sequence[Stint]

    def count(self, start: datetime, end: datetime, about: About) -> int:
        """Groups that opened in [start, end)."""
        here = sum(start <= each.opened_at < end and about(each.service, each.pattern) for each in self.groups)
        return here + self.echoes.between(start, min(end, self.month.start), about)

    def slept(self, start: datetime, end: datetime, about: About) -> float:
        """Minutes of sleep that they cost."""
        return sum(each.minutes for each in self.stints if start <= each.start < end and about(each.service, each.pattern))


def decisions(
    connection: sa.Connection, config: Config, month: Month, groups: Sequence[Group], echoes: Echoes,
) -> tuple[Decision, ...]:
    """All that were open in the month or in the one before, or made or ended since: an effect needs a week to be seen."""
    since = echoes.starts[-2]
    rows = agreements.decisions(connection, since, month.as_of)
    stints = _stints(connection, config, month, max(echoes.since, since - LOOKED_AT)) if rows else ()
    ground = Ground(month, groups, echoes, stints)
    return tuple(_decision(each, ground) for each in rows)


def _decision(row: sa.Row[Any], ground: Ground) -> Decision:
    over = row.ended_at if row.ended_at is not None and row.ended_at <= ground.month.as_of else None
    return Decision(
        row.id, row.month, row.text, row.kind, row.owner, row.side, date.fromisoformat(row.due) if row.due else None, row.made_by,
        row.made_at, row.service, row.pattern, row.saving, row.state if over else "open", over, row.ended_by if over else None,
        row.said if over else None, **(_effect(row, over, ground) if row.pattern or row.service else {}),
    )


def _effect(row: sa.Row[Any], done: datetime | None, ground: Ground) -> Mapping[str, Any]:
    """In the month before it was done (until now, if it is not), and since then."""

    def about(service: str, pattern: str) -> bool:
        return bool(pattern == row.pattern if row.pattern else service == row.service)

    until = ground.month.until
    turn = min(done, until) if done else until
    first = min(turn, max(turn - LOOKED_AT, ground.echoes.since))
    mine = [each.alert for each in ground.groups if about(each.service, each.pattern)]
    return {
        "days_before": (turn - first) / DAY, "groups_before": ground.count(first, turn, about),
        "days_after": (until - turn) / DAY if done else 0.0, "groups_after": ground.count(turn, until, about) if done else 0,
        "sleep_before_min": ground.slept(first, turn, about),
        "sleep_after_min": ground.slept(turn, until, about) if done else 0.0,
        "alerts": tuple(mine[-NEWEST:]),
    }


def _stints(connection: sa.Connection, config: Config, month: Month, since: datetime) -> list[Stint]:
    """Work about alerts that was over by then; one that does not say what it was about cost sleep, but not because of these."""
    worked = [
        each for each in duties.interventions(connection, since, month.until, month.as_of)
        if each.alert_id is not None and each.end is not None and each.end <= month.as_of
    ]
    known = _patterns(connection, {each.alert_id for each in worked})
    return [
        Stint(each.start, minutes(dark(config, each.organisation, month, Stretch(each.start, each.end))), *known[each.alert_id])
        for each in worked if each.alert_id in known
    ]


def _patterns(connection: sa.Connection, alerts: set[int]) -> dict[int, tuple[str, str]]:
    """The service and the pattern of each of these alerts."""
    sources: dict[int, str] = {}
    for row in months.observers_of(connection, alerts):
        sources.setdefault(row.alert_id, row.source)
    return {
        row.id: (row.service, pattern(sources.get(row.id, ""), json.loads(row.labels)))
        for row in months.alerts_of(connection, alerts)
    }
