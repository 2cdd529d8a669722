"""What is known of the alerts of a month beside their rows: who did what about them, who observed them, what was said."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from bot.config.matching import means
from bot.config.models import UNKNOWN_SERVICE
from bot.review.arithmetic.patterns import pattern
from bot.services.review.facts.members import Member, worst
from bot.services.review.facts.sides import Sides
from runbooks.model import When

MOST_REMEMBERED = 20_000                # of labels and patterns: storms say the same again and again


class Act(NamedTuple):
    """The first thing of a kind that a person did."""

    at: datetime
    actor: str
    organisation: str


class Shown(NamedTuple):
    """What of an alert conditions of vigie.yaml can ask."""

    source: str
    service: str
    severity: str
    name: str
    labels: Mapping[str, str]


@dataclass(slots=True)
class Known:
    """Facts about alerts and groups, by their number, as of one instant."""

    sides: Sides
    acks: dict[int, Act] = field(default_factory=dict)              # by alert, as all that follow unless they say otherwise
    touches: dict[int, datetime] = field(default_factory=dict)
    sources: dict[int, tuple[str, ...]] = field(default_factory=dict)
    noted: dict[int, datetime] = field(default_factory=dict)
    ran: dict[int, datetime] = field(default_factory=dict)          # by group: the first run that a person began
    approved: dict[int, datetime] = field(default_factory=dict)     # by group: the first yes that a person said to a run
    verdicts: dict[int, sa.Row[Any]] = field(default_factory=dict)  # by group
    levels: dict[int, int] = field(default_factory=dict)            # by group
    relapsed: dict[int, list[datetime]] = field(default_factory=dict)       # by alert: each time that it came back
    silenced: set[int] = field(default_factory=set)
    ruled: set[int] = field(default_factory=set)                    # of those that no runbook and no service knows
    _words: dict[str, str] = field(default_factory=dict)
    _labels: dict[str, dict[str, str]] = field(default_factory=dict)
    _patterns: dict[tuple[str, str], str] = field(default_factory=dict)

    def folded(self, members: Sequence[Member]) -> Member:
        """A group's alerts as one: the worst and the sum of them; what is known of any is known of the founder."""
        first, others = members[0], [each.id for each in members[1:]]
        for some in (self.acks, self.touches, self.noted):
            _fold(some, first.id, others)
        self.sources[first.id] = tuple(dict.fromkeys(name for each in members for name in self.sources.get(each.id, ())))
        for held in (self.silenced, self.ruled):
            held |= {first.id} if not held.isdisjoint(others) else set()
        books = (each.runbook for each in members if each.runbook)
        return replace(
            first, severity=worst(each.severity for each in members), important=any(each.important for each in members),
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

    def acted(self, group: int, alert: int) -> datetime | None:
        """When the first person did anything about it: took it, ran, approved or wrote something, closed it."""
        found = (self.touches.get(alert), self.engaged(group, alert), self.approved.get(group))
        return min((at for at in found if at is not None), default=None)

    def recognised(self, member: Member) -> bool:
        """Whether a runbook, a service or a rule knew it when it opened."""
        return member.recognised or member.service != UNKNOWN_SERVICE or member.id in self.ruled

    def means(self, when: When, member: Member) -> bool:
        """Whether a condition of vigie.yaml is about the alert."""
        labels = self.labels(member.labels)
        return means(when, Shown(self._source(member), member.service, member.severity, labels.get("name", ""), labels))

    def pattern(self, member: Member) -> str:
        key = self._source(member), member.labels
        if key not in self._patterns:
            _forget(self._patterns)
            self._patterns[key] = self.same(pattern(key[0], self.labels(member.labels)))
        return self._patterns[key]

    def labels(self, written: str) -> dict[str, str]:
        if written not in self._labels:
            _forget(self._labels)
            self._labels[written] = json.loads(written)
        return self._labels[written]

    def same(self, text: str) -> str:
        """One string for all that are alike: a month says the same words a hundred thousand times."""
        return self._words.setdefault(text, text)

    def _source(self, member: Member) -> str:
        return next(iter(self.sources.get(member.id, ())), "")


def _fold(known: dict[int, Any], first: int, others: Sequence[int]) -> None:
    """The earliest of what is known of them, told of the first."""
    some = [known[each] for each in (first, *others) if each in known]
    if some:
        known[first] = min(some)


def _forget(remembered: dict[Any, Any]) -> None:
    if len(remembered) >= MOST_REMEMBERED:
        remembered.clear()
