"""What is known of the alerts of a month beside their rows: who did what about them, who observed them, what was said."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from bot.config.models import UNKNOWN_SERVICE
from bot.services.review.facts.kinds import Kind, Kinds
from bot.services.review.facts.members import Member, worst
from bot.services.review.facts.sides import Sides


class Act(NamedTuple):
    """The first thing of a kind that a person did."""

    at: datetime
    actor: str
    organisation: str


@dataclass(slots=True)
class Known:
    """Facts about alerts and groups, by their number, as of one instant."""

    sides: Sides
    kinds: Kinds
    acks: dict[int, Act] = field(default_factory=dict)              # by alert, as all that follow unless they say otherwise
    touches: dict[int, datetime] = field(default_factory=dict)
    sources: dict[int, tuple[str, ...]] = field(default_factory=dict)
    noted: dict[int, datetime] = field(default_factory=dict)
    ran: dict[int, datetime] = field(default_factory=dict)          # by group: the first run that a person began
    approved: dict[int, datetime] = field(default_factory=dict)     # by group: the first yes that a person said to a run
    verdicts: dict[int, sa.Row[Any]] = field(default_factory=dict)  # by group
    levels: dict[int, int] = field(default_factory=dict)            # by group
    second_levels: dict[int, datetime] = field(default_factory=dict)        # by group: when one was first called
    by_hand: set[tuple[int, datetime]] = field(default_factory=set)         # alerts about which a person called the next level
    relapsed: dict[int, list[datetime]] = field(default_factory=dict)       # by alert: each time that it came back
    silenced: set[int] = field(default_factory=set)
    ruled: set[int] = field(default_factory=set)                    # of those that no runbook and no service knows

    def folded(self, members: Sequence[Member]) -> Member:
        """A group's alerts as one: the worst and the sum of them; what is known of any is known of the founder."""
        first, others = members[0], [each.id for each in members[1:]]
        for some in (self.acks, self.touches, self.noted):
            _fold(some, first.id, others)
        self.sources[first.id] = tuple(dict.fromkeys(name for each in members for name in self.sources.get(each.id, ())))
        for held in (self.silenced, self.ruled):
            held |= {first.id} if not held.isdisjoint(others) else set()
        books = (each.runbook for each in members if each.runbook)
        return first._replace(
            severity=worst(each.severity for each in members), important=any(each.important for each in members),
            recognised=any(self.recognised(each) for each in members), signals=sum(each.signals for each in members),
            relapses=sum(each.relapses for each in members), runbook=next(books, None),
            called_at=min((each.called_at for each in members if each.called_at), default=None),
        )

    def forget(self) -> None:
        """The groups are made: what was known of single alerts is not needed any more."""
        for some in (self.acks, self.touches, self.relapsed, self.sources, self.noted, self.silenced, self.ruled):
            some.clear()

    def engaged(self, group: int, alert: int) -> datetime | None:
        """When the first person began a run or wrote something."""
        noted, ran = self.noted.get(alert), self.ran.get(group)
        return min(noted, ran) if noted and ran else noted or ran

    def acted(self, group: int, alert: int, engaged: datetime | None) -> datetime | None:
        """When the first person did anything about it: took it, ran, approved or wrote something, closed it."""
        touched, approved = self.touches.get(alert), self.approved.get(group)
        if touched is None and engaged is None and approved is None:
            return None
        return min(at for at in (touched, engaged, approved) if at is not None)

    def recognised(self, member: Member) -> bool:
        """Whether a runbook, a service or a rule knew it when it opened."""
        return member.recognised or member.service != UNKNOWN_SERVICE or member.id in self.ruled

    def kind(self, member: Member) -> Kind:
        """What the alert shares with others like it."""
        source = next(iter(self.sources.get(member.id, ())), "")
        return self.kinds.of(source, member.service, member.severity, member.labels)


def _fold(known: dict[int, Any], first: int, others: Sequence[int]) -> None:
    """The earliest of what is known of them, told of the first."""
    some = [known[each] for each in (first, *others) if each in known]
    if some:
        known[first] = min(some)
