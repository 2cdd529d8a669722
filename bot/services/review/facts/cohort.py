"""Groups of a month: from rows of alerts, as they were known at one instant, to the review's units.

What came back within half an hour of its end is still the same group; so is it on both sides of a month's edge.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any, NamedTuple

from bot.config import Config
from bot.review.arithmetic.bursts import most_in_an_hour
from bot.review.facts import Group, Maintenance, Month
from bot.review.facts.alerts import Ending
from bot.services.review.facts.known import Known
from bot.services.review.facts.members import Member, worst

SAME = timedelta(minutes=30)            # of quiet; what comes back later is another group
LOOK = timedelta(days=1)                # how far before the month it is looked what goes on in it


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
    same: dict[int, int] = field(default_factory=dict)          # by group that went on with another one: that one
    _last: dict[str, tuple[Shelf, int]] = field(default_factory=dict)      # where the newest of a fingerprint stands
    _opened: dict[str, list[datetime]] = field(default_factory=dict)       # when that group opened and came back

    def add(self, members: Sequence[Member]) -> None:
        """One group's alerts, the founder first."""
        prints = {each.fingerprint for each in members}
        places = {self._last.get(each) for each in prints}
        place = places.pop() if len(places) == 1 else None
        earlier, opened_at = place[0].units[place[1]] if place else None, members[0].opened_at
        ended = earlier.resolved_at if earlier else None
        goes_on = ended is not None and opened_at - ended <= SAME
        if opened_at >= self.month.end and not goes_on:
            return
        again, cycles = ended is not None and ended >= self.month.start, max(self._cycles(each, goes_on) for each in members)
        made = group(members, self.known, again and not goes_on, cycles)
        if place and earlier and goes_on:
            place[0].units[place[1]], self.same[made.id] = joined(earlier, made), earlier.id
        else:
            home = self._home(members[0])
            home.units.append(made)
            self._last |= dict.fromkeys(prints, (home, len(home.units) - 1))

    def unfinished(self) -> set[str]:
        """Fingerprints of what was open when the month ended, or had ended so late before it that it may go on after it."""
        late = self.month.end - SAME
        units = chain(self.groups.units, self.before.units, self.drills.units, self.maintained.units)
        prints = {each.fingerprint for each in units if each.resolved_at is None or each.resolved_at >= late}
        return {each for each, (home, place) in self._last.items() if home.units[place].fingerprint in prints}

    def carried(self) -> list[Group]:
        """Opened before the month, and still open when it began."""
        return [each for each in self.before.units if each.closed_at is None or each.closed_at >= self.month.start]

    def _cycles(self, member: Member, goes_on: bool) -> int:
        """The most times that it opened within an hour, those of the same group before it included."""
        before = self._opened.get(member.fingerprint, []) if goes_on else []
        opened = [*before, member.opened_at, *self.known.relapsed.get(member.id, ())]
        self._opened[member.fingerprint] = opened
        return most_in_an_hour(opened)

    def _home(self, founder: Member) -> Shelf:
        if founder.opened_at < self.month.start:
            return self.before
        if self.known.means(self.config.month.drills, founder):
            return self.drills
        return self.maintained if self._is_maintained(founder) else self.groups

    def _is_maintained(self, founder: Member) -> bool:
        return any(
            each.start <= founder.opened_at < each.end and any(fnmatchcase(founder.service, name) for name in each.services)
            for each in self.maintenance
        )


def group(members: Sequence[Member], known: Known, reopened: bool = False, cycles: int = 1) -> Group:
    """One group of alerts, as it was known."""
    first = members[0]
    last = first if len(members) == 1 else known.folded(members)
    number, ended = first.id, _ended(members)
    taken, engaged = known.acks.get(number), known.engaged(first.group_id, number)
    acted = known.acted(first.group_id, number)
    touched = acted is not None and (ended.resolved_at is None or acted <= ended.resolved_at)
    ending = _how(ended.ending, touched)
    verdict, level = known.verdicts.get(first.group_id), known.levels.get(first.group_id, 0)
    return Group(
        id=number if number == first.group_id else first.group_id, alert=number, service=known.same(first.service),
        title=known.same(first.title), pattern=known.pattern(first), fingerprint=known.same(first.fingerprint),
        sources=known.sources.get(number, ()),
        severity=known.same(last.severity), important=last.important, recognised=known.recognised(last),
        opened_at=first.opened_at, runbook=last.runbook, symptom=first.symptom,
        side=known.sides.at(first.service, first.opened_at), signals=last.signals, alerts=len(members),
        relapses=last.relapses, called_at=last.called_at, level=level, escalated="timeout" if level > 1 else None,
        acked_at=taken.at if taken else None, acked_by=taken.actor if taken else None,
        acked_side=taken.organisation if taken else None, engaged_at=engaged, resolved_at=ended.resolved_at,
        closed_at=ended.closed_at, closed_by=ended.closed_by, ending=ending,
        fixed_by=ended.fixed_by if ending == "fixed" else None,
        closed_side=known.sides.at(first.service, ended.closed_at) if ended.closed_at else None,
        touched=touched, silenced=number in known.silenced, verdict=verdict.verdict if verdict else None,
        verdict_by=verdict.by if verdict else None, reopened=reopened, cycles=cycles,
    )


class _Ended(NamedTuple):
    ending: Any = "open"
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    fixed_by: int | None = None


_OPEN = _Ended()


def _ended(members: Sequence[Member]) -> _Ended:
    """A group has ended when its last member is closed: recovered for good, or closed by a person while it still fired."""
    if len(members) == 1:
        (only,) = members
        fixed_by = only.fixed_by if only.ending == "fixed" else None
        resolved_at = only.recovered_at or only.closed_at
        return _Ended(only.ending or "healed", resolved_at, only.closed_at, only.closed_by, fixed_by) if only.closed_at else _OPEN
    every = [_ended([each]) for each in members]
    if _OPEN in every:
        return _OPEN
    closed = [each.closed_at for each in every if each.closed_at]
    last = every[closed.index(max(closed))]
    ending = next((each for each in ("person", "fixed") if each in {one.ending for one in every}), "healed")
    resolved_at = max(each.resolved_at for each in every if each.resolved_at)
    fixed_by = next((each.fixed_by for each in every if each.fixed_by), None) if ending == "fixed" else None
    return _Ended(ending, resolved_at, last.closed_at, last.closed_by, fixed_by)


def _how(ending: Ending, touched: bool) -> Ending:
    """What a person worked on did not heal alone, nor was it fixed without a person, even if nobody had to close it."""
    return "person" if touched and ending != "open" else ending


def joined(first: Group, then: Group) -> Group:
    """One group that went on: opened with the first, ended with the second."""
    took, verdict = first if first.acked_at else then, then if then.verdict else first
    touched = first.touched or then.touched or first.ending == "person"
    ending = _how(then.ending, touched)
    return replace(
        first, sources=tuple(dict.fromkeys((*first.sources, *then.sources))), severity=worst((first.severity, then.severity)),
        important=first.important or then.important, signals=first.signals + then.signals, alerts=first.alerts + then.alerts,
        relapses=first.relapses + 1 + then.relapses, called_at=first.called_at or then.called_at,
        level=max(first.level, then.level), escalated=first.escalated or then.escalated, acked_at=took.acked_at,
        acked_by=took.acked_by, acked_side=took.acked_side, engaged_at=first.engaged_at or then.engaged_at,
        resolved_at=then.resolved_at, closed_at=then.closed_at, closed_by=then.closed_by, closed_side=then.closed_side,
        ending=ending, fixed_by=then.fixed_by if ending == "fixed" else None, touched=touched,
        silenced=first.silenced or then.silenced, cycles=max(first.cycles, then.cycles), verdict=verdict.verdict,
        verdict_by=verdict.verdict_by,
    )


