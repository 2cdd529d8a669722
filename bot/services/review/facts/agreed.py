"""What people did, agreed and declared, as it was known at one instant: runs, maintenance, silences, incidents, measures."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.review.facts import Incident, Maintenance, Measure, Month, Notice, Run, Silence
from bot.review.facts.platform import Impact
from bot.services.incident import history
from bot.store import agreements, months


def maintenance(config: Config, month: Month) -> tuple[Maintenance, ...]:
    """Agreed stretches that touch the month."""
    return tuple(
        Maintenance(each.services, each.start, each.end, each.reason, each.agreed_by)
        for each in config.month.maintenance if each.start < month.end and each.end > month.start
    )


def covers(stretches: Iterable[Maintenance], service: str, at: datetime) -> bool:
    """Whether it was agreed not to count what comes up then."""
    return any(each.start <= at < each.end and any(fnmatchcase(service, name) for name in each.services) for each in stretches)


def runs(rows: Iterable[sa.Row[Any]], month: Month, same: Mapping[int, int], groups: Collection[int]) -> Iterator[Run]:
    """Runs begun in the month, or about its groups; one that ended after what is known is still under way.

    `same` says of a group that went on with another one which that is.
    """
    for each in rows:
        group = same.get(each.group_id, each.group_id)
        if month.has(each.begun_at) or group in groups:
            over = each.ended_at is not None and each.ended_at <= month.as_of
            relapsed = each.relapsed_at is not None and each.relapsed_at <= month.as_of
            yield Run(
                each.id, each.runbook, each.title, each.service, each.purpose, each.mode,
                each.state if over or each.ended_at is None else "running", each.actor, each.organisation, group,
                each.begun_at, each.ended_at if over else None, each.relapsed_at if relapsed else None, bool(each.undone),
                each.glass,
            )


def silences(connection: sa.Connection, month: Month, kept: Mapping[int, set[int]]) -> tuple[Silence, ...]:
    """Silences that held in the month, each with the alerts whose calls it held back."""
    return tuple(
        Silence(each.id, each.service, each.by, each.reason, each.start, _end(each, month.as_of), len(kept.get(each.id, ())))
        for each in months.silences(connection, month.start, month.until)
        if each.ended_at is None or each.ended_at > month.start
    )


def _end(row: sa.Row[Any], as_of: datetime) -> datetime | None:
    end: datetime = row.ended_at if row.ended_at is not None and row.ended_at <= as_of else row.until
    return end if end <= as_of else None


# --- incidents ------------------------------------------------------------------------------------------------------------


def incidents(connection: sa.Connection, month: Month, since: datetime) -> tuple[Incident, ...]:
    """Incidents declared by then that touch the month, or began since then."""
    as_of = month.as_of
    rows = agreements.incidents(connection, since, month.end, as_of)
    numbers = [each.id for each in rows]
    impacts = _by_incident(agreements.impacts(connection, numbers, as_of))
    judged = {each.incident_id: each for each in agreements.classifications(connection, numbers, as_of)}
    notices = _by_incident(agreements.notices(connection, numbers, as_of))
    linked = _by_incident(agreements.linked(connection, numbers, as_of))
    before, unsaid = history.as_of(connection, numbers, as_of), history.unsent(connection, numbers, as_of)
    return tuple(
        Incident(
            each.id, each.title, each.service, each.kind, each.began_at, each.detected_at, each.declared_by,
            _by(was["aware_at"], as_of), _by(was["ended_at"], as_of), was["cause"], was["third_party"], bool(each.drill),
            tuple(Impact(one.service, one.start, _by(one.end, as_of), one.share) for one in impacts[each.id]),
            tuple(one.alert_id for one in linked[each.id]),
            bool(judged[each.id].major) if each.id in judged else None,
            tuple(json.loads(judged[each.id].reasons)) if each.id in judged else (),
            judged[each.id].at if each.id in judged else None,
            tuple(_notice(one, unsaid) for one in notices[each.id]),
        )
        for each in rows for was in [{**each._mapping, **before.get(each.id, {})}]
    )


def _notice(row: sa.Row[Any], unsaid: Collection[history.Sent]) -> Notice:
    """One that was not yet said to be sent is open, whenever it was sent."""
    if row.sent_at is None or (row.incident_id, row.kind, row.due_at) in unsaid:
        return Notice(row.kind, row.due_at, None)
    return Notice(row.kind, row.due_at, row.sent_at, row.reference)


def _by(at: datetime | None, as_of: datetime) -> datetime | None:
    return at if at is not None and at <= as_of else None


def _by_incident(rows: Iterable[sa.Row[Any]]) -> dict[int, list[sa.Row[Any]]]:
    found: dict[int, list[sa.Row[Any]]] = defaultdict(list)
    for each in rows:
        found[each.incident_id].append(each)
    return found


def measures(connection: sa.Connection, month: Month) -> tuple[Measure, ...]:
    """What was read from clouds for days of the month, by then."""
    days = month.days()
    return tuple(
        Measure(each.kind, each.subject, date.fromisoformat(each.day), each.read_at, json.loads(each.body))
        for each in agreements.measures(connection, days[0].isoformat(), days[-1].isoformat(), month.as_of)
    )
