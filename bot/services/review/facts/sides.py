"""Which side had the duty at an instant: the rota's stretches of a whole month, made once and looked up."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

import sqlalchemy as sa

from bot.config import Config
from bot.services.leave import hours
from bot.services.leave.duty import SIDES
from bot.services.rota import planning
from bot.store import duties
from bot.store.shifts import Shift

PRIMARY, UNCOVERED = "primary", ""


class Sides:
    """As it was published; as vigie.yaml plans it, where nothing was. Whoever sleeps has not the duty: the other side has."""

    def __init__(self, connection: sa.Connection, config: Config, start: datetime, end: datetime, as_of: datetime) -> None:
        self._config, self._start, self._end = config, start, end
        self._asleep = {
            key: hours.spans(each.blackout, each.timezone, start, end)
            for key, each in config.organisations.items() if each.blackout
        }
        published = duties.published_by(connection, start, end, as_of)
        self._cuts = {name: self._cut(name, [each for each in published if each.coverage == name]) for name in config.coverages}
        self._cuts[UNCOVERED] = self._cut(UNCOVERED, ())
        self._coverages: dict[str, str] = {}

    def at(self, service: str, instant: datetime) -> str | None:
        """The organisation on duty for a service; None outside of the time for which this was made."""
        if service not in self._coverages:
            self._coverages[service] = planning.coverage_of(self._config, service) or UNCOVERED
        moments, sides = self._cuts[self._coverages[service]]
        place = bisect_right(moments, instant) - 1
        return sides[place] if place >= 0 and instant < self._end else None

    def _cut(self, coverage: str, published: Sequence[Shift]) -> tuple[list[datetime], list[str | None]]:
        """From which instant on which side has it."""
        planned = planning.stretches(self._config, coverage, self._start, self._end) if coverage else []
        plan = [(each.start, each.end, each.organisation) for each in planned]
        known = [(each.start, each.end, each.organisation) for each in published if each.role == PRIMARY]
        edges = {self._start, self._end}
        for start, end, _ in (*plan, *known):
            edges |= {start, end}
        for spans in self._asleep.values():
            edges |= {edge for span in spans for edge in span}
        moments = sorted(each for each in edges if self._start <= each <= self._end)
        return moments[:-1], [self._side(known, plan, begin) for begin, _ in pairwise(moments)]

    def _side(self, known: Sequence[tuple[datetime, datetime, str]], plan: Sequence[tuple[datetime, datetime, str]],
              at: datetime) -> str | None:
        holder = next((each for start, end, each in (*known, *plan) if start <= at < end), None)
        if holder is not None and not self._sleeps(holder, at):
            return holder
        ranked = sorted(self._config.organisations, key=lambda name: SIDES.index(self._config.organisations[name].kind))
        return next((each for each in ranked if not self._sleeps(each, at)), holder)

    def _sleeps(self, organisation: str, at: datetime) -> bool:
        return any(start <= at < end for start, end in self._asleep.get(organisation, ()))
