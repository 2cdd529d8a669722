"""What was like this before, and what ended it: past alerts of the same service or with nearly the same title."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from rapidfuzz import fuzz

from bot.services.alert.response import called
from bot.services.desk import VIGIE, Desk
from bot.store import alerts, runs
from bot.store.alerts import Alert

MOST_COMPARED = 2_000
NEAR, NEAR_AT_HOME = 88.0, 70.0         # of 100: how alike two titles must be, in different services and in the same
SAME_PROBLEM, SAME_SERVICE = 200.0, 20.0

FIXED = "fixed by {title}, run {run}"
CLOSED = "{who} closed it: {reason}"
CLOSED_SILENTLY = "{who} closed it"
HEALED = "healed by itself"

_NUMBERS = re.compile(r"[\d.,:%]+")


@dataclass(frozen=True, slots=True)
class Similar:
    """A past alert, when it ended, and how."""

    id: int
    title: str
    closed_at: datetime
    how: str
    score: float

    @property
    def name(self) -> str:
        """How people call it: #97."""
        return f"#{self.id}"


def similar(desk: Desk, alert: Alert, most: int = 3) -> list[Similar]:
    """The nearest that were over before this one began, the nearest first."""
    with desk.read() as connection:
        return similar_within(desk, connection, alert, most)


def similar_within(desk: Desk, connection: sa.Connection, alert: Alert, most: int = 3) -> list[Similar]:
    """The same on a connection. What ends later changes nothing: the answer for an alert stays what it is."""
    title = _bare(alert.title)
    scored = [(_score(alert, title, row), row) for row in alerts.closed_before(connection, alert.opened_at, MOST_COMPARED)]
    near = sorted((each for each in scored if each[0]), key=lambda each: (-each[0], -each[1].id))
    return [
        Similar(row.id, row.title, row.closed_at, _how(desk, connection, row), score)
        for score, row in _each_problem_once(near)[:most]
    ]


def _score(alert: Alert, title: str, row: Any) -> float:
    """How near it is; 0: not near at all."""
    if row.fingerprint == alert.fingerprint:
        return SAME_PROBLEM
    at_home = row.service == alert.service
    likeness = float(fuzz.token_set_ratio(title, _bare(row.title), score_cutoff=NEAR_AT_HOME if at_home else NEAR))
    return likeness + SAME_SERVICE if likeness and at_home else likeness


def _bare(title: str) -> str:
    """Without the figures: 12.4 % and 9.1 % above 5 % are one problem."""
    return " ".join(_NUMBERS.sub(" ", title.casefold()).split())


def _each_problem_once(near: Iterable[tuple[float, Any]]) -> list[tuple[float, Any]]:
    """Of one problem that came often, its newest end of each kind."""
    found: dict[tuple[str, str | None, str | None], tuple[float, Any]] = {}
    for score, row in near:
        found.setdefault((row.fingerprint, row.ending, row.runbook if row.fixed_by else None), (score, row))
    return list(found.values())


def _how(desk: Desk, connection: sa.Connection, row: Any) -> str:
    run = runs.by_id(connection, row.fixed_by) if row.fixed_by else None
    if run is not None and run.relapsed_at is None:
        return FIXED.format(title=run.title, run=run.id)
    if row.closed_by in (None, VIGIE.key):
        return HEALED
    words = CLOSED if row.close_reason else CLOSED_SILENTLY
    return words.format(who=called(desk, row.closed_by), reason=row.close_reason)
