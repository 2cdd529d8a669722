"""From rows to what is known of alerts: of a whole range of them, or of some."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

import sqlalchemy as sa

from bot.services.alert.folding import OPENED, RELAPSED
from bot.services.alert.triage import NO_RULE
from bot.services.desk import OBSERVER, VIGIE
from bot.services.review.facts import histories
from bot.services.review.facts.known import Act, Known
from bot.store import months, testimony
from bot.store.months import Range

ACKED, ESCALATED = "alert acked", "alert escalated"
ACTS = (ACKED, ESCALATED, "alert noted", "alert snoozed", "alert assigned", "alert closed")
HELD_BACK, SILENCE = "call held back", "silence "


def note_happened(known: Known, rows: Iterable[Any]) -> None:
    """The first acknowledgement, the first act of a person and every relapse, by alert; rows in the order of the journal."""
    for object_, at, actor, organisation, kind in rows:
        number = int(object_.removeprefix("alert:"))
        if kind == RELAPSED:
            known.relapsed.setdefault(number, []).append(at)
            continue
        if kind == ACKED and number not in known.acks:
            known.acks[number] = Act(at, known.kinds.same(actor), known.kinds.same(organisation))
        if kind == ESCALATED:
            known.by_hand.add((number, at))
        known.touches.setdefault(number, at)


def note_observers(sources: dict[int, tuple[str, ...]], rows: Iterable[Any], endpoints: dict[str, int]) -> None:
    """The sources of each alert; counts alerts by endpoint."""
    tuples: dict[tuple[str, ...], tuple[str, ...]] = {}
    for number, source, endpoint in rows:
        had = sources.get(number, ())
        if source not in had:
            now = (*had, source)
            sources[number] = tuples.setdefault(now, now)
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


def in_range(
    connection: sa.Connection, known: Known, alerts: Range, changed: Mapping[int, histories.History], start: datetime,
    as_of: datetime,
) -> dict[str, int]:
    """Fills `known` with what was done and observed about these alerts; returns how many alerts each endpoint told of."""
    endpoints: dict[str, int] = {}
    note_happened(known, testimony.acts(connection, ACTS, (RELAPSED,), start, as_of))
    rows = (row for row in months.observers(connection, alerts) if row.alert_id not in changed)
    note_observers(known.sources, chain(rows, *(each.told for each in changed.values())), endpoints)
    _note_notes(known, months.notes(connection, alerts, as_of))
    known.verdicts |= {row.group_id: row for row in months.verdicts(connection, alerts, as_of)}
    return endpoints


def of_some(connection: sa.Connection, known: Known, alerts: Sequence[int], groups: Sequence[int], as_of: datetime) -> None:
    """The same for a few alerts that are older."""
    entries = testimony.entries_of(connection, alerts, as_of)
    people = (row for row in entries if row.kind in ACTS and row.actor != VIGIE.key and not row.actor.startswith(OBSERVER))
    note_happened(known, ((row.object, row.at, row.actor, row.organisation, row.kind) for row in people))
    note_observers(known.sources, months.observers_of(connection, [each for each in alerts if each not in known.sources]), {})
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
