"""What is known of the alerts of a month beside their rows: who did what about them, who observed them, what was said."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

import sqlalchemy as sa

from bot.config.matching import means
from bot.config.models import UNKNOWN_SERVICE
from bot.review.arithmetic.patterns import pattern
from bot.services.alert.folding import OPENED, RELAPSED
from bot.services.alert.triage import NO_RULE
from bot.services.desk import OBSERVER, VIGIE
from bot.services.review import histories
from bot.services.review.sides import Sides
from bot.store import months, testimony
from bot.store.alerts import SEVERITIES
from bot.store.months import Range
from runbooks.model import When

ACKED = "alert acked"
ACTS = (ACKED, "alert noted", "alert snoozed", "alert assigned", "alert closed")
HELD_BACK, SILENCE = "call held back", "silence "
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
class Member:
    """One alert as it was known at one instant."""

    id: int
    group_id: int
    fingerprint: str
    severity: str
    important: bool
    recognised: bool
    service: str
    title: str
    labels: str
    opened_at: datetime
    signals: int
    relapses: int
    recovered_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    runbook: str | None
    called_at: datetime | None
    fixed_by: int | None
    ending: str | None
    symptom: str | None


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


def worst(severities: Iterable[str]) -> str:
    return min(severities, key=SEVERITIES.index)


def _forget(remembered: dict[Any, Any]) -> None:
    if len(remembered) >= MOST_REMEMBERED:
        remembered.clear()


# --- gathered for a range of alerts, or for some ---


def note_acts(known: Known, rows: Iterable[Any]) -> None:
    """The first acknowledgement and the first act of a person, by alert; rows in the order of the journal."""
    for object_, at, actor, organisation, kind in rows:
        number = int(object_.removeprefix("alert:"))
        if kind == ACKED:
            known.acks.setdefault(number, Act(at, known.same(actor), known.same(organisation)))
        known.touches.setdefault(number, at)


def note_observers(known: Known, rows: Iterable[Any], endpoints: dict[str, int]) -> None:
    """The sources of each alert; counts alerts by endpoint."""
    tuples: dict[tuple[str, ...], tuple[str, ...]] = {}
    for number, source, endpoint in rows:
        had = known.sources.get(number, ())
        if source not in had:
            now = (*had, source)
            known.sources[number] = tuples.setdefault(now, now)
        endpoints[endpoint] = endpoints.get(endpoint, 0) + 1


def note_silenced(known: Known, rows: Iterable[Any]) -> dict[int, set[int]]:
    """The alerts whose call a silence held back; returns them by silence."""
    found: dict[int, set[int]] = {}
    for row in rows:
        why, _, number = str(json.loads(row.details).get("why", "")).partition(SILENCE)
        if row.object.startswith("alert:") and not why and number.isdigit():
            alert = int(row.object.removeprefix("alert:"))
            known.silenced.add(alert)
            found.setdefault(int(number), set()).add(alert)
    return found


def note_ruled(known: Known, connection: sa.Connection, alerts: Iterable[int], until: datetime) -> None:
    """Of alerts that no runbook and no service knows, those that a rule of vigie.yaml knew when they opened."""
    for row in testimony.openings(connection, alerts, OPENED, until):
        if NO_RULE not in json.loads(row.details).get("why", (NO_RULE,)):
            known.ruled.add(int(row.object.removeprefix("alert:")))


def members(
    rows: Iterable[sa.Row[Any]], as_of: datetime, changed: Mapping[int, histories.History]
) -> Iterator[list[Member]]:
    """Group by group, each with those of its alerts that were known by then."""
    group: list[Member] = []
    for row in rows:
        if group and group[0].group_id != row.group_id:
            yield group
            group = []
        if row.opened_at <= as_of and (group or row.id == row.group_id):
            group.append(_member(row, as_of, changed.get(row.id)))
    if group:
        yield group


def _member(row: sa.Row[Any], as_of: datetime, then: histories.History | None) -> Member:
    (number, group, print_, severity, important, recognised, service, title, labels, opened_at, _, signals, relapses,
     recovered_at, closed_at, closed_by, runbook, called_at, fixed_by, ending, symptom) = tuple(row)
    if called_at is not None and called_at > as_of:
        called_at = None
    member = Member(
        number, group, print_, severity, bool(important), bool(recognised), service, title, labels, opened_at, signals, relapses,
        recovered_at, closed_at, closed_by, runbook, called_at, fixed_by, ending, symptom,
    )
    if then is not None:
        then.tell(member)
    return member


def note_relapses(known: Known, rows: Iterable[Any]) -> None:
    """When alerts came back in their probation; rows in the order of the journal."""
    for object_, at in rows:
        known.relapsed.setdefault(int(object_.removeprefix("alert:")), []).append(at)


def in_range(
    connection: sa.Connection, known: Known, alerts: Range, changed: Mapping[int, histories.History], start: datetime,
    as_of: datetime,
) -> dict[str, int]:
    """Fills `known` with what was done and observed about these alerts; returns how many alerts each endpoint told of."""
    endpoints: dict[str, int] = {}
    note_acts(known, testimony.acts(connection, ACTS, start, as_of))
    note_relapses(known, testimony.happened(connection, RELAPSED, start, as_of))
    rows = (row for row in months.observers(connection, alerts) if row.alert_id not in changed)
    note_observers(known, chain(rows, *(each.told for each in changed.values())), endpoints)
    _note_notes(known, months.notes(connection, alerts, as_of))
    known.verdicts |= {row.group_id: row for row in months.verdicts(connection, alerts, as_of)}
    return endpoints


def of_some(connection: sa.Connection, known: Known, alerts: Sequence[int], groups: Sequence[int], as_of: datetime) -> None:
    """The same for a few alerts that are older."""
    entries = testimony.entries_of(connection, alerts, as_of)
    people = (row for row in entries if row.kind in ACTS and row.actor != VIGIE.key and not row.actor.startswith(OBSERVER))
    note_acts(known, ((row.object, row.at, row.actor, row.organisation, row.kind) for row in people))
    note_observers(known, months.observers_of(connection, [each for each in alerts if each not in known.sources]), {})
    _note_notes(known, months.notes_of(connection, alerts, as_of))
    known.verdicts |= {row.group_id: row for row in months.verdicts_of(connection, groups, as_of)}


def note_runs(known: Known, rows: Iterable[Any]) -> None:
    """The first run that a person began, by group; rows in order."""
    for row in rows:
        if row.group_id is not None and row.actor != VIGIE.key:
            known.ran.setdefault(row.group_id, row.begun_at)


def _note_notes(known: Known, rows: Iterable[Any]) -> None:
    for number, at, _actor in rows:
        known.noted.setdefault(number, at)
