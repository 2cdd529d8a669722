"""Groups of a month: from rows of alerts, as they were known at one instant, to the review's units.

What came back within half an hour of its end is still the same group; so is it on both sides of a month's edge.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from bot.config import Config
from bot.config.matching import means
from bot.review.arithmetic.bursts import most_in_an_hour
from bot.review.facts import Group, Maintenance, Month
from bot.services.review.alert_facts import Known, Member
from bot.store.alerts import SEVERITIES

SAME = timedelta(minutes=30)            # of quiet; what comes back later is another group
LOOK = timedelta(days=1)                # how far beyond the month's edges its groups are followed


@dataclass(slots=True, eq=False)
class Shelf:
    """Groups of one kind, in the order in which they were opened."""

    units: list[Group] = field(default_factory=list)


@dataclass(slots=True)
class Cohort:
    """Takes groups in the order in which they were opened."""

    config: Config
    month: Month
    known: Known
    maintenance: Sequence[Maintenance] = ()
    before: Shelf = field(default_factory=Shelf)                # opened before the month
    groups: Shelf = field(default_factory=Shelf)
    drills: Shelf = field(default_factory=Shelf)
    maintained: Shelf = field(default_factory=Shelf)
    _last: dict[str, tuple[Shelf, int]] = field(default_factory=dict)      # where the newest of a fingerprint stands
    _opened: dict[str, list[datetime]] = field(default_factory=dict)       # when that group opened and came back

    def add(self, members: Sequence[Member]) -> None:
        """One group's alerts, the founder first."""
        made = self._group(members)
        prints = {each.fingerprint for each in members}
        places = {self._last.get(each) for each in prints}
        place = places.pop() if len(places) == 1 else None
        earlier = place[0].units[place[1]] if place else None
        if place and earlier and _goes_on(earlier, made):
            cycles = max(self._cycles(each, goes_on=True) for each in members)
            place[0].units[place[1]] = replace(joined(earlier, made), cycles=max(earlier.cycles, cycles))
            return
        if made.opened_at >= self.month.end:
            return
        again = earlier is not None and earlier.resolved_at is not None and earlier.resolved_at >= self.month.start
        home = self._home(members[0], made)
        cycles = max(self._cycles(each) for each in members)
        home.units.append(replace(made, reopened=again, cycles=cycles) if again or cycles > 1 else made)
        self._last |= dict.fromkeys(prints, (home, len(home.units) - 1))

    def carried(self) -> list[Group]:
        """Opened before the month, and still open when it began."""
        return [each for each in self.before.units if each.closed_at is None or each.closed_at >= self.month.start]

    def _cycles(self, member: Member, goes_on: bool = False) -> int:
        """The most times that it opened within an hour, those of the same group before it included."""
        before = self._opened.get(member.fingerprint, []) if goes_on else []
        opened = [*before, member.opened_at, *self.known.relapsed.get(member.id, ())]
        self._opened[member.fingerprint] = opened
        return most_in_an_hour(opened)

    def _home(self, founder: Member, made: Group) -> Shelf:
        if made.opened_at < self.month.start:
            return self.before
        if means(self.config.month.drills, self.known.shown(founder)):
            return self.drills
        return self.maintained if self._is_maintained(made) else self.groups

    def _is_maintained(self, made: Group) -> bool:
        return any(
            each.start <= made.opened_at < each.end and any(fnmatchcase(made.service, name) for name in each.services)
            for each in self.maintenance
        )

    def _group(self, members: Sequence[Member]) -> Group:
        known, first = self.known, members[0]
        numbers = [each.id for each in members] if len(members) > 1 else (first.id,)
        ended = _ended(members)
        taken = known.taken(numbers)
        engaged = known.engaged(first.group_id, numbers)
        acted = min((at for at in (known.touched(numbers), engaged) if at is not None), default=None)
        verdict = known.verdicts.get(first.group_id)
        level = known.levels.get(first.group_id, 0)
        return Group(
            id=first.group_id, alert=first.id, service=known.same(first.service), title=known.same(first.title),
            pattern=known.pattern(first), fingerprint=known.same(first.fingerprint), sources=known.sources_of(numbers),
            severity=worst(each.severity for each in members), important=any(each.important for each in members),
            recognised=any(known.recognised(each) for each in members), opened_at=first.opened_at,
            runbook=next((each.runbook for each in members if each.runbook), None), symptom=first.symptom,
            side=known.sides.at(first.service, first.opened_at), signals=sum(each.signals for each in members),
            alerts=len(members), relapses=sum(each.relapses for each in members),
            called_at=min((each.called_at for each in members if each.called_at), default=None), level=level,
            escalated="timeout" if level > 1 else None, acked_at=taken.at if taken else None,
            acked_by=taken.actor if taken else None, acked_side=taken.organisation if taken else None, engaged_at=engaged,
            resolved_at=ended.resolved_at, closed_at=ended.closed_at, closed_by=ended.closed_by,
            closed_side=known.sides.at(first.service, ended.closed_at) if ended.closed_at else None, ending=ended.ending,
            fixed_by=ended.fixed_by, touched=acted is not None and (ended.resolved_at is None or acted <= ended.resolved_at),
            silenced=not known.silenced.isdisjoint(numbers),
            verdict=verdict.verdict if verdict else None, verdict_by=verdict.by if verdict else None,
        )


@dataclass(frozen=True, slots=True)
class _Ended:
    ending: Any = "open"
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    fixed_by: int | None = None


_OPEN = _Ended()


def _ended(members: Sequence[Member]) -> _Ended:
    """A group has ended when its last member is closed: recovered for good, or closed by a person while it still fired."""
    closed = [each.closed_at for each in members if each.closed_at is not None]
    if len(closed) < len(members):
        return _OPEN
    last = members[closed.index(max(closed))]
    endings = {each.ending for each in members}
    ending = next((each for each in ("person", "fixed") if each in endings), "healed")
    resolved_at = max(each.recovered_at or at for each, at in zip(members, closed, strict=True))
    fixed_by = next((each.fixed_by for each in members if each.fixed_by), None) if ending == "fixed" else None
    return _Ended(ending, resolved_at, last.closed_at, last.closed_by, fixed_by)


def _goes_on(earlier: Group, later: Group) -> bool:
    return earlier.resolved_at is not None and later.opened_at - earlier.resolved_at <= SAME


def joined(first: Group, then: Group) -> Group:
    """One group that went on: opened with the first, ended with the second."""
    took, verdict = first if first.acked_at else then, then if then.verdict else first
    return replace(
        first, sources=tuple(dict.fromkeys((*first.sources, *then.sources))), severity=worst((first.severity, then.severity)),
        important=first.important or then.important, signals=first.signals + then.signals, alerts=first.alerts + then.alerts,
        relapses=first.relapses + 1 + then.relapses, called_at=first.called_at or then.called_at,
        level=max(first.level, then.level), escalated=first.escalated or then.escalated, acked_at=took.acked_at,
        acked_by=took.acked_by, acked_side=took.acked_side, engaged_at=first.engaged_at or then.engaged_at,
        resolved_at=then.resolved_at, closed_at=then.closed_at, closed_by=then.closed_by, closed_side=then.closed_side,
        ending=then.ending, fixed_by=then.fixed_by, touched=first.touched or then.touched,
        silenced=first.silenced or then.silenced, verdict=verdict.verdict, verdict_by=verdict.verdict_by,
    )


def worst(severities: Iterable[str]) -> str:
    return min(severities, key=SEVERITIES.index)
