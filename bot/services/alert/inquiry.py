"""All about one alert: who sees what, who has it, what was done about it; and why it was judged so."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.services.alert.overview import FACES, IMPORTANT, short, whose
from bot.services.alert.response import TROUBLE, called, clock_time, headline, lasted, lasting
from bot.services.call import retelling
from bot.services.desk import VIGIE, Desk
from bot.services.slack import logbook
from bot.services.slack.drawing import deed
from bot.store import journal, notes, observations
from bot.store.alerts import Alert

ABOUT_HEAD = "{face} *{name}* {severity}{important} · {what}"
SINCE, LASTED = "Since {since} ({ago}), opened {opened}", "Opened {opened}, lasted {lasted}"
TOLD_TIMES, RELAPSED = ", told {signals}×", ", relapsed {relapses}×"
OBSERVERS, NOTES, HAPPENED = "*Who sees what*", "*Notes*", "*What happened*"
OBSERVED = "• {observer}: {state}, {at}"
NOTED = "• {at} {who}: {text}"
RUN = "run {id}"
ENTRY = "• {at} {kind} · {who}{details}"
EARLIER = "… {count} earlier lines are in the journal."

WHY_HEAD = "*{name}* {what}"
NO_REASONS = "What was thought when it opened is not in the journal."
CLOSED_BY = "Closed by {who} at {at}: {reason}"
NO_REASON = "no reason given"
DECIDED = "*Decided* {at}: {what}, because"
STAYED_QUIET, PROVEN = "it stayed quiet for {length}", ". {proof}"

MOST_NOTES, MOST_ENTRIES = 8, 20
LONGEST_NOTE, LONGEST_DETAIL = 250, 120
TOLD = ("note", "reason", "to", "severity", "run", "plan", "said", "decision", "what", "who")


def about(desk: Desk, alert: Alert) -> str:
    """One alert: who sees what, who has it, what was written, what was done."""
    with desk.read() as connection:
        observed = observations.by_alert(connection, [alert.id]).get(alert.id, [])
        written = notes.of_alert(connection, alert.id)[-MOST_NOTES:]
        entries = _entries(connection, alert)
    lines = [*_about_head(desk, alert), OBSERVERS]
    lines += [OBSERVED.format(observer=row.observer, state=row.state, at=clock_time(row.at)) for row in observed]
    lines += [NOTES, *(_note(desk, row) for row in written)] if written else []
    lines += [HAPPENED]
    lines += [EARLIER.format(count=len(entries) - MOST_ENTRIES)] if len(entries) > MOST_ENTRIES else []
    return "\n".join([*lines, *(_entry(desk, each) for each in entries[-MOST_ENTRIES:])])


def _note(desk: Desk, row: Any) -> str:
    return NOTED.format(at=clock_time(row.at), who=called(desk, row.actor), text=short(row.text, LONGEST_NOTE))


def _about_head(desk: Desk, alert: Alert) -> Iterable[str]:
    yield ABOUT_HEAD.format(
        face=FACES[alert.state], name=alert.name, severity=alert.severity, what=short(headline(alert)),
        important=IMPORTANT if alert.important else "",
    )
    yield _times(alert, desk.clock.now())
    yield _closing(desk, alert) if alert.state == "closed" else _sentence(whose(desk, alert))


def _times(alert: Alert, now: datetime) -> str:
    words = (SINCE if alert.state in TROUBLE else LASTED) + TOLD_TIMES + (RELAPSED if alert.relapses else "")
    return words.format(
        since=clock_time(alert.since), ago=lasting(now - alert.since), opened=clock_time(alert.opened_at),
        lasted=lasted(alert), signals=alert.signals, relapses=alert.relapses,
    )


def _entries(connection: sa.Connection, alert: Alert) -> list[Any]:
    return list(journal.about(connection, [f"alert:{alert.id}"], most=500))


def _entry(desk: Desk, entry: Any) -> str:
    given = json.loads(entry.details)
    told = [_told(desk, name, given[name]) for name in TOLD if given.get(name)]
    details = f": {short(', '.join(told), LONGEST_DETAIL)}" if told else ""
    who = called(desk, given.get("by") or entry.actor)       # a yes that was given beforehand is that of who gave it
    return ENTRY.format(at=clock_time(entry.at), kind=entry.kind, who=who, details=details)


def _told(desk: Desk, name: str, value: object) -> str:
    """One detail as people say it."""
    if name in ("to", "who"):
        return called(desk, str(value))
    words = {"run": RUN.format(id=value), "plan": deed(str(value)), "what": logbook.DECIDED.get(str(value), str(value))}
    return words.get(name, str(value))


def why(desk: Desk, alert: Alert) -> str:
    """What triage said when it opened, what was decided and why, and how it ended."""
    with desk.read() as connection:
        entries, calls = _entries(connection, alert), list(retelling.why(desk, connection, alert))
    opening = next((each for each in entries if each.kind == "alert opened"), None)
    reasons = json.loads(opening.details).get("why", []) if opening else [NO_REASONS]
    decided = next((each for each in reversed(entries) if each.kind == "alert decided"), None)
    if decided:
        told = json.loads(decided.details)
        what = logbook.DECIDED.get(told.get("what", ""), told.get("what"))
        said = [each for each in told.get("why", []) if each not in reasons]
        reasons += [DECIDED.format(what=what, at=clock_time(decided.at)), *said]
    head = WHY_HEAD.format(name=alert.name, what=short(headline(alert)))
    ending = [_closing(desk, alert)] if alert.state == "closed" else []
    return "\n".join([head, *(f"• {reason}" for reason in reasons), *calls, *ending])


def _closing(desk: Desk, alert: Alert) -> str:
    by_time = STAYED_QUIET.format(length=lasting(desk.probation(alert.runbook)))
    by_time += PROVEN.format(proof=alert.proof) if alert.proof else ""
    reason = alert.close_reason or (by_time if alert.closed_by == VIGIE.key else NO_REASON)
    return CLOSED_BY.format(who=called(desk, alert.closed_by), at=clock_time(alert.closed_at), reason=reason)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
