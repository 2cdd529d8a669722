"""What people agreed and declared, as it was known at one instant: decisions and their effect, silences, incidents, measures."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.review.facts import Decision, Group, Incident, Intervention, Maintenance, Measure, Month, Notice, Run, Silence
from bot.review.facts.platform import Impact
from bot.services.review.past import Echoes
from bot.store import agreements, months

SUCCEEDED = "succeeded"
DAY = timedelta(days=1)
NEWEST = 5                              # alerts that are named beside a decision


def maintenance(config: Config, month: Month) -> tuple[Maintenance, ...]:
    """Agreed stretches that touch the month."""
    return tuple(
        Maintenance(each.services, each.start, each.end, each.reason, each.agreed_by)
        for each in config.month.maintenance if each.start < month.end and each.end > month.start
    )


def runs(rows: Iterable[sa.Row[Any]], month: Month) -> Iterator[Run]:
    """Runs begun in the month; one that ended after what is known is still under way."""
    for each in rows:
        if month.has(each.begun_at):
            over = each.ended_at is not None and each.ended_at <= month.as_of
            relapsed = each.relapsed_at is not None and each.relapsed_at <= month.as_of
            yield Run(
                each.id, each.runbook, each.title, each.service, each.purpose, each.mode,
                each.state if over or each.ended_at is None else "running", each.actor, each.organisation, each.group_id,
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
    notices = _by_incident(agreements.notices(connection, numbers))
    linked = _by_incident(agreements.linked(connection, numbers, as_of))
    return tuple(
        Incident(
            each.id, each.title, each.service, each.kind, each.began_at, each.detected_at, each.declared_by,
            _by(each.aware_at, as_of), _by(each.ended_at, as_of), each.cause, each.third_party, bool(each.drill),
            tuple(Impact(one.service, one.start, _by(one.end, as_of), one.share) for one in impacts[each.id]),
            tuple(one.alert_id for one in linked[each.id]),
            bool(judged[each.id].major) if each.id in judged else None,
            tuple(json.loads(judged[each.id].reasons)) if each.id in judged else (),
            judged[each.id].at if each.id in judged else None,
            tuple(Notice(one.kind, one.due_at, _by(one.sent_at, as_of), one.reference) for one in notices[each.id]),
        )
        for each in rows
    )


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


# --- decisions ------------------------------------------------------------------------------------------------------------


def decisions(
    connection: sa.Connection, month: Month, groups: Sequence[Group], echoes: Echoes, worked: Sequence[Intervention]
) -> tuple[Decision, ...]:
    """All that were open in the month, or made or ended in it or after, each with what it changed."""
    rows = agreements.decisions(connection, month.start, month.as_of)
    return tuple(_decision(each, month, groups, echoes, worked) for each in rows)


def _decision(
    row: sa.Row[Any], month: Month, groups: Sequence[Group], echoes: Echoes, worked: Sequence[Intervention]
) -> Decision:
    over = _by(row.ended_at, month.as_of)
    effect = _effect(row, over, month, groups, echoes, worked) if row.pattern or row.service else {}
    return Decision(
        row.id, row.month, row.text, row.kind, row.owner, row.side, date.fromisoformat(row.due) if row.due else None, row.made_by,
        row.made_at, row.service, row.pattern, row.saving, row.state if over else "open", over, row.ended_by if over else None,
        row.said if over else None, **effect,
    )


def _effect(
    row: sa.Row[Any], done: datetime | None, month: Month, groups: Sequence[Group], echoes: Echoes,
    worked: Sequence[Intervention],
) -> dict[str, Any]:
    """How often its groups came in the month before it was done (until now, if it is not), and since then."""
    turn = min(done, month.until) if done else month.until
    mine = [each for each in groups if _is_about(row, each.service, each.pattern)]
    first = max(turn - 30 * DAY, echoes.since)
    before = [each for each in mine if first <= each.opened_at < turn]
    after = [each for each in mine if each.opened_at >= turn] if done else []
    earlier = echoes.between(first, min(turn, month.start), lambda service, pattern: _is_about(row, service, pattern))
    minutes = _minutes(worked, {each.alert for each in mine}, turn)
    return {
        "days_before": max(0.0, (turn - first) / DAY), "groups_before": len(before) + earlier,
        "days_after": (month.until - turn) / DAY if done else 0.0, "groups_after": len(after),
        "sleep_before_min": minutes[0], "sleep_after_min": minutes[1] if done else 0.0,
        "alerts": tuple(each.alert for each in mine[-NEWEST:]),
    }


def _is_about(row: sa.Row[Any], service: str, pattern: str) -> bool:
    return bool(pattern == row.pattern if row.pattern else service == row.service)


def _minutes(worked: Sequence[Intervention], alerts: set[int], turn: datetime) -> tuple[float, float]:
    """Minutes of work of people on call about these alerts, before that instant and since."""
    before = after = 0.0
    for each in worked:
        if each.alert in alerts and each.end is not None:
            length = (each.end - each.start).total_seconds() / 60
            before, after = (before + length, after) if each.start < turn else (before, after + length)
    return before, after
