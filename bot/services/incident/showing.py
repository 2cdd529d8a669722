"""An incident as people read it: in a few lines, in a list; the card in Slack and the answer to `show` say the same."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.config import Config
from bot.services.alert.response import lasting
from bot.services.incident import clocks, ground, impact, reminding
from bot.services.rota import telling
from bot.store import incidents, notices
from bot.store.incidents import Classification, Impact, Incident
from bot.store.notices import Notice

KINDS = {
    "outage": "outage", "degraded": "degraded", "bank_api_down": "a bank's interface is down", "security": "security",
}
HEAD = "{face} {name} · {kind} · {what}"
FACES = {True: "🚨", False: "🏁"}
DRILL = " · DRILL"
BEGAN, LASTS, LASTED = "Began {began}", "lasts {length}", "ended {ended}, lasted {length}"
KNOWN = "Alerts {alerts} · detected {detected} by {found_by} · known to {own} since {aware} ({who})"
IMPACT = "Impact: {all}"
NO_IMPACT = "Impact: nobody has said it. `{command} incident impact {id} <service> <from> <to|-> [share]`"
STRETCH, SHARE, STILL = "{service} {start} – {end} ({length}{share})", ", {share:.0%} of requests failed", "now"
CAUSE, NO_CAUSE, PARTY = "Cause: {cause}", "Cause: not known yet", "from {party}"
UNCLASSIFIED = "Not classified: `{command} classify {id}`"
CLASSIFIED = "{verdict} ({rules}, {at}, {who}): {reasons}"
MAJOR, NOT_MAJOR = "MAJOR", "Not major"
OWED, SENT, LATE_SENT = "Owed: {all}", "{kind} sent {at}{reference}", ", after its limit"
LINE = "{name} · {kind} · {what} · {began} · {state} · {verdict}"
OPEN, OVER, UNCLASSIFIED_SHORT = "lasts", "lasted {length}", "not classified"
NONE = "No incident was ever declared. `{command} incident 142` declares one about alert 142."
MORE = "The newest {most}; `vigie export dora 2026-10` has all of a month."
NAMES = {
    "initial": "initial notification", "intermediate": "intermediate report", "final": "final report",
    "clients": "word to clients", "bank_api": "report of a bank's interface",
}
MOST = 15


@dataclass(frozen=True, slots=True)
class View:
    """All that is shown of one."""

    config: Config
    incident: Incident
    alerts: tuple[int, ...]
    impacts: tuple[Impact, ...]
    history: tuple[Classification, ...]
    owed: tuple[Notice, ...]
    now: datetime


def look(connection: sa.Connection, config: Config, incident: Incident, now: datetime) -> View:
    number = incident.id
    return View(
        config, incident, tuple(incidents.alerts_of(connection, number)), tuple(incidents.impacts(connection, number)),
        tuple(incidents.classifications(connection, number)), tuple(notices.of_incident(connection, number)), now,
    )


def lines(view: View) -> Iterator[str]:
    """What it is, how long, whom it hurts; then why, how it is classified, what is owed."""
    it, config = view.incident, view.config
    drill = DRILL if it.drill else ""
    yield HEAD.format(face=FACES[it.ended_at is None], name=it.name.capitalize(), kind=KINDS[it.kind] + drill, what=headline(it))
    yield " · ".join([BEGAN.format(began=ground.when(config, it.began_at)), _length(view)])
    yield KNOWN.format(
        alerts=" ".join(f"#{each}" for each in view.alerts) or "none", detected=ground.shown(config, it.detected_at),
        found_by=it.found_by, own=ground.own_name(config), who=telling.name(config, it.aware_by),
        aware=ground.shown(config, it.aware_at) if it.aware_at else "an unknown time",
    )
    yield _impact(view)
    yield " · ".join([CAUSE.format(cause=it.cause) if it.cause else NO_CAUSE,
                      *([PARTY.format(party=it.third_party)] if it.third_party else [])])
    yield _classified(view)
    if owed := _owed(view):
        yield owed


def headline(it: Incident) -> str:
    """The service only once."""
    return it.title if it.title.casefold().startswith(it.service.casefold()) else f"{it.service}: {it.title}"


def _length(view: View) -> str:
    it = view.incident
    if it.ended_at is None:
        return LASTS.format(length=lasting(view.now - it.began_at))
    return LASTED.format(ended=ground.shown(view.config, it.ended_at), length=lasting(it.ended_at - it.began_at))


def _impact(view: View) -> str:
    if not view.impacts:
        return NO_IMPACT.format(command=view.config.command, id=view.incident.id)
    return IMPACT.format(all="; ".join(stretch(view.config, each, view.now) for each in view.impacts))


def stretch(config: Config, each: Impact, now: datetime) -> str:
    end = ground.shown(config, each.end) if each.end else STILL
    share = SHARE.format(share=each.share) if each.share < 1 else ""
    length = lasting(timedelta(seconds=impact.down_s([each], now)))
    return STRETCH.format(service=each.service, start=ground.shown(config, each.start), end=end, length=length, share=share)


def _classified(view: View) -> str:
    if not view.history:
        return UNCLASSIFIED.format(command=view.config.command, id=view.incident.id)
    last = view.history[-1]
    return CLASSIFIED.format(
        verdict=MAJOR if last.major else NOT_MAJOR, rules=last.rules, at=ground.shown(view.config, last.at),
        who=telling.name(view.config, last.by), reasons="; ".join(json.loads(last.reasons)),
    )


def _owed(view: View) -> str:
    said = [
        f"{NAMES[each.kind]} {reminding.limit(view.config, each, view.now)}" for each in view.owed if each.is_open
    ]
    done = [
        SENT.format(kind=NAMES[each.kind], at=ground.shown(view.config, each.sent_at),
                    reference=f" ({each.reference})" if each.reference else "")
        + (LATE_SENT if each.due_at and each.sent_at > each.due_at else "")
        for each in view.owed if each.sent_at
    ]
    told = [OWED.format(all="; ".join(said))] if said else []
    return " · ".join([*told, *done])


def every(connection: sa.Connection, config: Config) -> list[str]:
    """The newest, each in a line."""
    known = incidents.newest(connection, MOST + 1)
    if not known:
        return [NONE.format(command=config.command)]
    said = [_line(config, each, incidents.classifications(connection, each.id)) for each in known[:MOST]]
    return said + ([MORE.format(most=MOST)] if len(known) > MOST else [])


def _line(config: Config, each: Incident, history: Sequence[Classification]) -> str:
    verdict = UNCLASSIFIED_SHORT if not history else MAJOR if clocks.major_since(history) else NOT_MAJOR.lower()
    state = OVER.format(length=lasting(each.ended_at - each.began_at)) if each.ended_at else OPEN
    return LINE.format(
        name=each.name.capitalize(), kind=KINDS[each.kind] + (DRILL if each.drill else ""), what=headline(each),
        began=ground.when(config, each.began_at), state=state, verdict=verdict,
    )


def listed(found: Iterable[str]) -> str:
    return "\n".join(found)
