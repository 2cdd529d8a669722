"""Fills in the report on an incident with what Vigie knows; what it does not know is said to be for people."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from bot.config import Config
from bot.review.arithmetic import limits
from bot.review.arithmetic.dora import Answers, classify
from bot.services.incident import clocks, ground, impact, recurrence, template, worksheet
from bot.services.incident.showing import View
from bot.store import incidents, notices, runs

FILLED, CONFIG, HUMAN = "filled", "config", "human: to fill"
TYPES = {"initial": "initial notification", "intermediate": "intermediate report", "final": "final report"}
REFERENCE = "VIGIE-{year}-{number}"
ESTIMATES, ACTUAL = "estimates", "actual figures"
YES, NO = "yes", "no"
RUN = "{name} \"{title}\": {state}. {said}"
INCIDENT_TYPES = {"security": "cybersecurity-related", "outage": "other", "degraded": "other", "bank_api_down": "external event"}


@dataclass(frozen=True, slots=True)
class Filled:
    """One field: its number and name, its value, and where that is from."""

    number: str
    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Known:
    """What fills the fields."""

    view: View
    answers: Answers | None
    recurring: tuple[datetime, ...]
    runs: tuple[str, ...]
    reference: str | None                   # of the authority


def look(connection: sa.Connection, config: Config, view: View) -> Known:
    answers = worksheet.load(json.loads(view.history[-1].answers)) if view.history else None
    mine = recurrence.of(connection, config, view.incident, view.now)
    same = {number for one in mine for number in one.incidents}
    began = sorted(found.began_at for number in same if (found := incidents.by_id(connection, number)))
    done = runs.find(connection, runs.run.c.alert_id.in_(view.alerts)) if view.alerts else []
    told = tuple(RUN.format(name=each.name, title=each.title, state=each.state, said=each.said or "") for each in reversed(done))
    sent = [each.reference for each in notices.of_incident(connection, view.incident.id) if each.sent_at and each.reference]
    return Known(view, answers, tuple(began), told, sent[0] if sent else None)


def fields(known: Known, kind: str) -> list[Filled]:
    """Those of an initial, intermediate or final report, in order."""
    given = {**dict.fromkeys(template.FIELDS, ("", HUMAN)), **dict(_of_config(known.view.config, kind)), **dict(_of_rows(known))}
    return [
        Filled(number, name, *(given[number] if given[number][0] else ("", HUMAN)))
        for number, name in template.FIELDS.items() if number.startswith(template.SUBMISSIONS[kind])
    ]


def _of_config(config: Config, kind: str) -> Iterator[tuple[str, tuple[str, str]]]:
    yield "1.1", (TYPES[kind], FILLED)
    known = ground.regulator(config)
    if known is None:
        return
    people = config.people
    for number, value in (
        ("1.2", known.entity), ("1.3", known.lei), ("1.4", known.kind), ("1.5", known.entity), ("1.6", known.lei),
        ("1.7", people[known.compliance].name if known.compliance in people else known.compliance),
        ("1.10", people[known.second_contact].name if known.second_contact in people else known.second_contact),
        ("1.15", known.currency),
    ):
        yield number, (value or "", CONFIG)


def _of_rows(known: Known) -> Iterator[tuple[str, tuple[str, str]]]:
    """What the rows say; an empty value is one for people."""
    for part in (_initial(known), _intermediate(known), _reach(known), _final(known)):
        for number, value in part:
            yield number, (value, FILLED)


def _initial(known: Known) -> Iterator[tuple[str, str]]:
    it, answers = known.view.incident, known.answers
    since = clocks.major_since(known.view.history)
    yield "2.1", REFERENCE.format(year=it.declared_at.year, number=it.id)
    yield "2.2", _at(it.detected_at)
    yield "2.3", _at(since)
    if answers is not None:
        yield "2.5", "; ".join(classify(answers).reasons) if since else ""
        yield "2.6", f"{answers.member_states} member states" if (answers.member_states or 0) > 1 else ""
    yield "2.7", it.found_by
    yield "2.8", it.third_party or ""


def _intermediate(known: Known) -> Iterator[tuple[str, str]]:
    it, view = known.view.incident, known.view
    until = it.ended_at or view.now
    yield "3.1", known.reference or ""
    yield "3.2", _at(it.began_at)
    yield "3.3", _at(it.ended_at)
    yield "3.15", limits.written(until - it.began_at)
    yield "3.16", limits.written(timedelta(seconds=impact.down_s(view.impacts, until))) if view.impacts else ""
    yield "3.17", ESTIMATES if it.ended_at is None or (known.answers and known.answers.estimated) else ACTUAL
    yield "3.23", INCIDENT_TYPES[it.kind]
    services = dict.fromkeys([it.service, *(each.service for each in view.impacts)])
    described = [each for name in services if (each := _described(view.config, name))]
    yield "3.27", "; ".join(described)
    yield "3.28", YES
    yield "3.29", ", ".join(services)
    yield "3.33", YES if known.runs else ""
    yield "3.34", "; ".join(known.runs)


def _reach(known: Known) -> Iterator[tuple[str, str]]:
    """What a person answered in the worksheet."""
    answers = known.answers
    if answers is None:
        return
    shares = {"3.5": answers.clients_share, "3.7": answers.counterparts_share, "3.10": answers.transactions_share}
    yield "3.4", "" if answers.clients is None else str(answers.clients)
    yield from ((number, "" if share is None else f"{share * 100:.1f}%") for number, share in shares.items())
    yield "3.8", "" if answers.relevant is None else YES if answers.relevant else NO
    told = any(each is not None for each in (answers.clients, *shares.values()))
    yield "3.12", "" if not told else ESTIMATES if answers.estimated else ACTUAL
    said = {
        "media": answers.media, "repeated complaints": answers.complaints,
        "regulatory requirements not met": answers.regulation, "loss of clients": answers.lost_clients,
    }
    yield "3.13", ", ".join(name for name, true in said.items() if true)
    gate = {
        "ICT services of critical or important functions": answers.critical,
        "authorised financial services": answers.supervised, "successful malicious access": answers.access,
    }
    yield "3.22", ", ".join(name for name, true in gate.items() if true)
    yield "4.13", "" if answers.costs_eur is None else f"{answers.costs_eur:.2f} EUR"


def _final(known: Known) -> Iterator[tuple[str, str]]:
    it = known.view.incident
    yield "4.5", it.cause or ""
    yield "4.8", _at(it.ended_at)
    yield "4.15", YES if known.recurring else NO
    yield "4.16", ", ".join(_at(each) for each in known.recurring)


def _described(config: Config, service: str) -> str:
    known = config.services.get(service)
    return f"{service}: {known.description}" if known and known.description else service


def _at(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else ""

