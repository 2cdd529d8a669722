"""The monthly statement of on-call time, per employee: what the law wants given and kept; never changed once it is given."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.config import Config
from bot.labour import Case
from bot.labour.arithmetic.stretches import merged
from bot.labour.checking import night_hours
from bot.services.desk import VIGIE, Desk
from bot.services.leave import hours
from bot.services.ledger import journal
from bot.services.rota import moments, office, telling
from bot.services.worktime import interventions, lawful
from bot.store import interventions as records
from bot.store import statements
from bot.store.interventions import Intervention
from runbooks.model import digest

TOLD = (
    "🧾 Your on-call statement of {month}: {hours} h on call, {calls}, {night} of it at night; your rest was {moved}. "
    "Compensation: as your company's agreement says. `{command} shift statement {month}` shows it whole."
)
CALLS, CALL = "{count} interventions of {minutes} min together", "1 intervention of {minutes} min"
NO_CALL, TIMES, ONCE, NEVER = "no intervention", "moved {count} times", "moved once", "never moved"
HEAD = "*On-call statement of {who}, {month}* ({organisation}), given {given:%d %b %Y}"
LINES = "On call {hours} h · {calls} · {night} at night · rest {moved}"
LINE = "• {when}: {minutes} min{alert}{open}{rest}"
ALERT, OPEN, REST = ", #{alert}", ", not confirmed", ", rest until {until}"
FOOT = "Compensation: left to the agreement. Times are {place}. Digest {digest}."
COMPENSATION = "as the company's agreement says"

DAY = timedelta(days=1)
KEPT = 12                           # months: as long as the law wants a statement kept (D3171-16)
FORMULA = ("=", "+", "-", "@")
COLUMNS = (
    "month", "person", "name", "organisation", "on_call_hours", "intervention_start", "intervention_end", "minutes",
    "night_minutes", "confirmed", "alert", "rest_until", "compensation", "digest",
)


def act(desk: Desk) -> int:
    """On the first working day after a month everybody who was on call gets its statement; each once. Safe to repeat."""
    now, given = desk.clock.now(), 0
    for organisation, side in desk.config.organisations.items():
        if not desk.config.coverages or not _is_due(desk.config, organisation, now):
            continue
        for month in reversed(months_before(side.timezone, now, KEPT)):     # one that Vigie has slept through is given late
            with desk.read() as connection:
                due = statements.without(connection, month, organisation, *bounds(side.timezone, month))
            given += sum(_give(desk, person, month, now) for person in due if _is_employee(desk.config, person))
    return given


def _is_employee(config: Config, person: str) -> bool:
    return person in config.people and config.people[person].regime != "none"


def last_month(config: Config, organisation: str, now: datetime) -> str:
    return months_before(config.organisations[organisation].timezone, now, 1)[0]


def months_before(zone: str, now: datetime, count: int) -> list[str]:
    """The last months that are over, the newest first: 2026-10, 2026-09."""
    first, found = hours.local_date(zone, now), []
    for _ in range(count):
        first = (first.replace(day=1) - DAY).replace(day=1)
        found.append(f"{first:%Y-%m}")
    return found


def _is_due(config: Config, organisation: str, now: datetime) -> bool:
    """From the first working hours of the new month on."""
    side = config.organisations[organisation]
    first = hours.local_date(side.timezone, now).replace(day=1)
    return now >= office.opens(config, organisation, hours.instant(first, office.OPENS, ZoneInfo(side.timezone)))


def _give(desk: Desk, person: str, month: str, now: datetime) -> bool:
    with desk.read() as connection:
        body = made(connection, desk.config, person, month, now)
    text = json.dumps(body, ensure_ascii=False, sort_keys=True)
    try:
        with desk.begin("statement") as connection:
            organisation = desk.config.people[person].organisation
            statements.give(connection, person, month, organisation, now, text, digest(body))
            journal.record(connection, actor=VIGIE, kind="statement given", object=f"person:{person}", outcome="done", at=now,
                           month=month, digest=digest(body))
            said = TOLD.format(month=month, command=desk.config.command, **_words(body))
            telling.tell(connection, desk.config, person, f"statement:{month}:{person}", said, now,
                         due_at=office.opens(desk.config, organisation, now))
    except sa.exc.IntegrityError:       # it is there: the other process gave it
        return False
    return True


# --- what it says -----------------------------------------------------------------------------------------------------------


def made(connection: sa.Connection, config: Config, person: str, month: str, now: datetime) -> dict[str, Any]:
    """Hours on call, interventions, night work, rest moved; all of [month), by the clocks of the employer."""
    start, end = bounds(telling.zone_of(config, person), month)
    case = lawful.case(connection, config, person, start, end, max(now, end), "actual")
    on_call = [_clip(*each, start, end) for each in merged([one for one in case.spans if one.kind == "on_call"])]
    calls = [each for each in records.of_person(connection, person, start, end) if each.start >= start]
    rows = [_row(connection, config, case, each, now) for each in calls]
    return {
        "month": month, "person": person, "name": config.people[person].name,
        "organisation": config.people[person].organisation,
        "on_call_hours": round(sum(max(0.0, each.total_seconds()) for each in on_call) / 3600, 2),
        "interventions": rows, "minutes": sum(each["minutes"] for each in rows),
        "night_minutes": sum(each["night_minutes"] for each in rows),
        "rest_moved": sum(each["rest_until"] is not None for each in rows), "compensation": COMPENSATION,
    }


def bounds(zone: str, month: str) -> tuple[datetime, datetime]:
    """The month in UTC; March is an hour shorter, October an hour longer."""
    place, first = ZoneInfo(zone), date.fromisoformat(f"{month}-01")
    after = (first + 31 * DAY).replace(day=1)
    return hours.instant(first, time(), place), hours.instant(after, time(), place)


def _clip(start: datetime, end: datetime, low: datetime, high: datetime) -> timedelta:
    return min(end, high) - max(start, low)


def _row(connection: sa.Connection, config: Config, case: Case, each: Intervention, now: datetime) -> dict[str, Any]:
    end = each.end or each.last_act_at
    moved = interventions.rest_moved(connection, config, each, now)
    return {
        "start": each.start.isoformat(), "end": end.isoformat(), "minutes": round((end - each.start).total_seconds() / 60),
        "night_minutes": _night_minutes(config, case, each, end), "confirmed": each.confirmed_at is not None,
        "alert": each.alert_id, "rest_until": moved[0].isoformat() if moved else None,
    }


def _night_minutes(config: Config, case: Case, each: Intervention, end: datetime) -> int:
    """By the employer's night, or the law's."""
    profile = lawful.profile_of(config, each.organisation)
    if profile is None or "R10" not in profile.figures:
        return 0
    alone = Case(case.worker, case.employer, [span for span in case.spans if (span.start, span.end) == (each.start, end)],
                 each.start, end, "actual")
    return round(sum((length.total_seconds() for length in night_hours(alone, profile.figures["R10"]).values()), 0.0) / 60)


# --- how it is shown --------------------------------------------------------------------------------------------------------


def shown(config: Config, given: statements.Statement) -> str:
    """A statement as its person reads it."""
    body: dict[str, Any] = json.loads(given.body)
    zone = telling.zone_of(config, given.person)
    head = HEAD.format(who=body["name"], month=given.month, organisation=body["organisation"], given=given.given_at)
    lines = [_line(each, zone) for each in body["interventions"]]
    foot = FOOT.format(place=moments.place_of(zone), digest=given.digest[:12])
    return "\n".join([head, LINES.format(**_words(body)), *lines, foot])


def _line(row: Mapping[str, Any], zone: str) -> str:
    start, end = (datetime.fromisoformat(row[each]) for each in ("start", "end"))
    rest = REST.format(until=moments.shown(datetime.fromisoformat(row["rest_until"]), zone)) if row["rest_until"] else ""
    alert = ALERT.format(alert=row["alert"]) if row["alert"] else ""
    return LINE.format(when=moments.between(start, end, zone), minutes=row["minutes"], alert=alert,
                       open="" if row["confirmed"] else OPEN, rest=rest)


def _words(body: Mapping[str, Any]) -> dict[str, str]:
    count, moved = len(body["interventions"]), body["rest_moved"]
    calls = CALL if count == 1 else CALLS
    return {
        "hours": f"{body['on_call_hours']:g}", "night": f"{body['night_minutes']} min",
        "calls": calls.format(count=count, minutes=body["minutes"]) if count else NO_CALL,
        "moved": ONCE if moved == 1 else TIMES.format(count=moved) if moved else NEVER,
    }


def as_csv(given: Sequence[statements.Statement]) -> str:
    """One line an intervention, or one for a person without any."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for each in given:
        body: dict[str, Any] = json.loads(each.body)
        same = {name: body[name] for name in ("month", "person", "name", "organisation", "on_call_hours", "compensation")}
        for row in body["interventions"] or [{}]:
            told = {name: row.get(name) for name in ("minutes", "night_minutes", "confirmed", "alert", "rest_until")}
            writer.writerow(_harmless({**same, **told, "intervention_start": row.get("start"), "digest": each.digest,
                                       "intervention_end": row.get("end")}))
    return text.getvalue()


def _harmless(row: Mapping[str, Any]) -> dict[str, Any]:
    """No cell is a formula to a spreadsheet."""
    return {
        name: f"'{each}" if isinstance(each, str) and each[:1] in FORMULA else each for name, each in row.items()
    }
