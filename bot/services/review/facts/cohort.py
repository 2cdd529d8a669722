"""Groups of a month: from rows of alerts, as they were known at one instant, to the review's units."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any, Literal, NamedTuple

from bot.review.arithmetic.bursts import most_in_an_hour
from bot.review.facts import Group, Maintenance, Month
from bot.review.facts.alerts import Ending
from bot.services.review.facts import agreed
from bot.services.review.facts.known import Known
from bot.services.review.facts.members import Member, worst
from bot.services.review.facts.sameness import SAME, goes_on, newest


@dataclass(slots=True)
class Cohort:
    """Takes groups in the order in which they were opened."""

    month: Month
    known: Known
    maintenance: Sequence[Maintenance] = ()
    before: list[Group] = field(default_factory=list)           # opened before the month
    groups: list[Group] = field(default_factory=list)
    drills: list[Group] = field(default_factory=list)
    maintained: list[Group] = field(default_factory=list)
    same: dict[int, int] = field(default_factory=dict)          # by group that went on with another one: that one
    _last: dict[str, Group] = field(default_factory=dict)       # the newest of a fingerprint
    _opened: dict[str, list[datetime]] = field(default_factory=dict)       # when that group opened and came back

    def add(self, members: Sequence[Member]) -> None:
        """One group's alerts, the founder first."""
        founder, earlier = members[0], newest(self._last, members)
        ended = earlier.resolved_at if earlier else None
        still = goes_on(ended, founder.opened_at)
        if founder.opened_at >= self.month.end and not still:
            return
        again = ended is not None and ended >= self.month.start
        made = group(members, self.known, again and not still, self._cycles(members, still))
        if earlier and still:
            join(earlier, made)
            self.same[made.id] = earlier.id
        else:
            self._home(founder).append(made)
            for each in members:
                self._last[each.fingerprint] = made

    def unfinished(self) -> set[str]:
        """Fingerprints of what was open when the month ended, or had ended so late before it that it may go on after it."""
        late = self.month.end - SAME
        units = chain(self.groups, self.before, self.drills, self.maintained)
        prints = {each.fingerprint for each in units if each.resolved_at is None or each.resolved_at >= late}
        return {each for each, last in self._last.items() if last.fingerprint in prints}

    def carried(self) -> list[Group]:
        """Opened before the month, and still open when it began."""
        return [each for each in self.before if each.closed_at is None or each.closed_at >= self.month.start]

    def _cycles(self, members: Sequence[Member], still: bool) -> int:
        """The most times that one of them opened within an hour, those of the same group before it included."""
        most = 1
        for each in members:
            before = self._opened.get(each.fingerprint, []) if still else []
            opened = self._opened[each.fingerprint] = [*before, each.opened_at, *self.known.relapsed.get(each.id, ())]
            if len(opened) > 1:
                most = max(most, most_in_an_hour(opened))
        return most

    def _home(self, founder: Member) -> list[Group]:
        if founder.opened_at < self.month.start:
            return self.before
        if self.known.kind(founder).drill:
            return self.drills
        return self.maintained if agreed.covers(self.maintenance, founder.service, founder.opened_at) else self.groups


def group(members: Sequence[Member], known: Known, reopened: bool = False, cycles: int = 1) -> Group:
    """One group of alerts, as it was known."""
    first = members[0]
    last = first if len(members) == 1 else known.folded(members)
    number, ended, same = first.id, _ended(members), known.kinds.same
    taken, engaged = known.acks.get(number), known.engaged(first.group_id, number)
    acted = known.acted(first.group_id, number, engaged)
    touched = acted is not None and (ended.resolved_at is None or acted <= ended.resolved_at)
    ending = _how(same(ended.ending), touched)
    verdict, level = known.verdicts.get(first.group_id), known.levels.get(first.group_id, 0)
    return Group(                       # in the order of its fields: to name three dozen takes as long as to make them
        number if number == first.group_id else first.group_id, number, same(first.service), same(first.title),
        known.kind(first).pattern, same(first.fingerprint), known.sources.get(number, ()),
        same(last.severity), last.important, known.recognised(last), first.opened_at, last.runbook, first.symptom,
        known.sides.at(first.service, first.opened_at), last.signals, len(members), last.relapses, cycles, reopened,
        last.called_at, level, _escalated(members, known) if level > 1 else None,
        taken.at if taken else None, taken.actor if taken else None, taken.organisation if taken else None,
        engaged, ended.resolved_at, ended.closed_at, same(ended.closed_by) if ended.closed_by else None,
        known.sides.at(first.service, ended.closed_at) if ended.closed_at else None,
        ending, ended.fixed_by if ending == "fixed" else None, touched, number in known.silenced,
        verdict.verdict if verdict else None, verdict.by if verdict else None,
    )


def _escalated(members: Sequence[Member], known: Known) -> Literal["timeout", "manual"] | None:
    """How it came to a second level: whoever called it by hand did so in that very instant."""
    at = known.second_levels.get(members[0].group_id)
    if at is None:
        return None
    return "manual" if any((each.id, at) in known.by_hand for each in members) else "timeout"


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


def join(first: Group, then: Group) -> None:
    """One group that went on: opened with the first, ended with the second."""
    if not first.acked_at:
        first.acked_at, first.acked_by, first.acked_side = then.acked_at, then.acked_by, then.acked_side
    if then.verdict:
        first.verdict, first.verdict_by = then.verdict, then.verdict_by
    first.sources = tuple(dict.fromkeys((*first.sources, *then.sources)))
    first.severity, first.important = worst((first.severity, then.severity)), first.important or then.important
    first.signals, first.alerts = first.signals + then.signals, first.alerts + then.alerts
    first.relapses, first.cycles = first.relapses + 1 + then.relapses, max(first.cycles, then.cycles)
    first.called_at, first.engaged_at = first.called_at or then.called_at, first.engaged_at or then.engaged_at
    first.level, first.escalated = max(first.level, then.level), first.escalated or then.escalated
    first.silenced, first.touched = first.silenced or then.silenced, first.touched or then.touched or first.ending == "person"
    first.ending = _how(then.ending, first.touched)
    first.fixed_by = then.fixed_by if first.ending == "fixed" else None
    first.resolved_at, first.closed_at = then.resolved_at, then.closed_at
    first.closed_by, first.closed_side = then.closed_by, then.closed_side
