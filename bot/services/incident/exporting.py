"""Incidents as files: the pre-filled report, the log of all of them, what recurs, the evidence; JSON, CSV, Markdown."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.review.arithmetic import limits
from bot.services.incident import bank_api, clocks, filling, impact, postmortem, recurrence, showing, timeline
from bot.services.incident.filling import Filled
from bot.store import incidents, notices
from bot.store.incidents import Incident

NOTE = (
    "Pre-filled by Vigie from its own rows, by annex I of 2025/302. Check every value; \"human: to fill\" is for people. "
    "Lengths are DD:HH:MM, instants UTC."
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")
LOG = (
    "id", "title", "service", "kind", "drill", "began", "detected", "found_by", "aware", "ended", "duration", "downtime", "cause",
    "third_party", "major", "reasons", "classified", "classified_by", "classifications", "alerts", "reports",
)
RECURRING = ("by", "what", "count", "incidents", "services", "first", "last", "duration", "downtime", "major_together", "reasons")


def report(connection: sa.Connection, config: Config, incident: Incident, kind: str, now: datetime) -> list[Filled]:
    """The fields of one report."""
    view = showing.look(connection, config, incident, now)
    return filling.fields(filling.look(connection, config, view), kind)


def kind_owed(connection: sa.Connection, incident: Incident) -> str:
    """Which report comes next: the final one when all were sent."""
    open_ones = {each.kind for each in notices.still_open(connection, incident.id)}
    sent = {each.kind for each in notices.of_incident(connection, incident.id) if each.sent_at}
    if "intermediate" in open_ones:
        return "intermediate"
    return "final" if "intermediate" in sent else "intermediate" if "initial" in sent else "initial"


def as_json(incident: Incident, kind: str, filled: Sequence[Filled]) -> str:
    body = {"incident": incident.id, "report": kind, "note": NOTE, "fields": [asdict(each) for each in filled]}
    return json.dumps(body, ensure_ascii=False, indent=2) + "\n"


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """No cell is a formula to a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_harmless(each) for each in row] for row in rows)
    return text.getvalue()


def report_csv(filled: Sequence[Filled]) -> str:
    return as_csv(("field", "name", "value", "source"), [(each.number, each.name, each.value, each.source) for each in filled])


def _harmless(value: Any) -> Any:
    if isinstance(value, list | tuple):
        value = "; ".join(map(str, value))
    return f"'{value}" if isinstance(value, str) and value[:1] in FORMULA else value


# --- one incident, whole ----------------------------------------------------------------------------------------------------


def files(connection: sa.Connection, config: Config, incident: Incident, now: datetime) -> dict[str, str]:
    """All that there is of one incident, by the name of its file."""
    found: dict[str, str] = {}
    for kind in filling.TYPES:
        filled = report(connection, config, incident, kind, now)
        found |= {f"{kind}.json": as_json(incident, kind, filled), f"{kind}.csv": report_csv(filled)}
    found |= {
        "timeline.md": timeline.markdown(connection, config, incident, now),
        "post-mortem.md": postmortem.markdown(connection, config, incident, now),
        "incident.json": _document(row(connection, incident, now)),
        "classifications.json": _document([
            {**asdict(each), "at": _iso(each.at), "answers": json.loads(each.answers), "reasons": json.loads(each.reasons)}
            for each in incidents.classifications(connection, incident.id)
        ]),
        "journal.jsonl": "".join(
            json.dumps({**each._asdict(), "at": _iso(each.at), "details": json.loads(each.details)}, ensure_ascii=False) + "\n"
            for each in timeline.entries(connection, incident)
        ),
    }
    if incident.kind == bank_api.KIND:
        found["bank-api.json"] = _document(bank_api.as_document(bank_api.evidence(connection, incident)))
    return found


# --- all of them ------------------------------------------------------------------------------------------------------------


def log(connection: sa.Connection, start: datetime, end: datetime, now: datetime) -> list[dict[str, Any]]:
    """Every incident that began in that time, not only the major ones (DORA art. 17(2))."""
    return [row(connection, each, now) for each in incidents.between(connection, start, end)]


def row(connection: sa.Connection, it: Incident, now: datetime) -> dict[str, Any]:
    history, impacts = incidents.classifications(connection, it.id), incidents.impacts(connection, it.id)
    until, last = it.ended_at or now, history[-1] if history else None
    return {
        "id": it.id, "title": it.title, "service": it.service, "kind": it.kind, "drill": it.drill, "began": _iso(it.began_at),
        "detected": _iso(it.detected_at), "found_by": it.found_by, "aware": _iso(it.aware_at), "ended": _iso(it.ended_at),
        "duration": limits.written(until - it.began_at),
        "downtime": limits.written(timedelta(seconds=impact.down_s(impacts, until))) if impacts else None,
        "cause": it.cause, "third_party": it.third_party,
        "major": None if last is None else clocks.major_since(history) is not None,
        "reasons": json.loads(last.reasons) if last else [], "classified": _iso(last.at) if last else None,
        "classified_by": last.by if last else None, "classifications": len(history),
        "alerts": incidents.alerts_of(connection, it.id),
        "reports": [_notice(each) for each in notices.of_incident(connection, it.id)],
    }


def _notice(each: notices.Notice) -> dict[str, Any]:
    in_time = None if each.sent_at is None or each.due_at is None else each.sent_at <= each.due_at
    return {"kind": each.kind, "due": _iso(each.due_at), "sent": _iso(each.sent_at), "in_time": in_time,
            "reference": each.reference, "delay": each.delay_reason, "ended": _iso(each.ended_at)}


def log_csv(rows: Sequence[dict[str, Any]]) -> str:
    return as_csv(LOG, [[_reports(each[name]) if name == "reports" else each[name] for name in LOG] for each in rows])


def _reports(given: Sequence[dict[str, Any]]) -> list[str]:
    return [f"{each['kind']} due {each['due']} sent {each['sent']}" for each in given]


def recurring(connection: sa.Connection, config: Config, until: datetime) -> list[dict[str, Any]]:
    """The table of six months, each with its verdict as one incident."""
    return [
        {
            "by": one.by, "what": one.what, "count": one.count, "incidents": list(one.incidents), "services": list(one.services),
            "first": _iso(one.first_at), "last": _iso(one.last_at),
            "duration": limits.written(timedelta(minutes=one.duration_min)),
            "downtime": limits.written(timedelta(minutes=one.downtime_min)), "major_together": result.major,
            "reasons": list(result.reasons),
        }
        for one, result in recurrence.all_of(connection, config, until)
    ]


def month_files(connection: sa.Connection, config: Config, start: datetime, end: datetime, now: datetime) -> dict[str, str]:
    """The log of a month and what recurs up to its end."""
    rows, table = log(connection, start, end, now), recurring(connection, config, min(end, now))
    return {
        "incidents.json": _document(rows), "incidents.csv": log_csv(rows), "recurring.json": _document(table),
        "recurring.csv": as_csv(RECURRING, [[each[name] for name in RECURRING] for each in table]),
    }


def _document(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, indent=2) + "\n"


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
