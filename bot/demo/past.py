"""A month as it was lived, written as rows: what would take a month to play. Only for the demo; nobody is told of any of it."""

import hashlib
import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.config import Catalogue, Config
from bot.demo.bill import readings
from bot.doubles.months import Episode
from bot.services.desk import OBSERVER, VIGIE, Actor
from bot.services.ledger import journal
from bot.services.rota import planning, roster
from bot.services.rota.roster import Slot
from bot.store import measures
from bot.store.alerts import alert, signal
from bot.store.groups import alert_group
from bot.store.handoffs import handoff
from bot.store.incidents import impact, incident, incident_alert
from bot.store.journal import journal as entries
from bot.store.observations import observation
from bot.store.pages import escalation, page_attempt
from bot.store.runs import run
from bot.store.shifts import intervention, shift
from bot.store.verdicts import verdict
from runbooks.model import Runbook

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
PROBATION, LEVEL, LATE, UNJUDGED = 15 * MINUTE, 5 * MINUTE, 7, 8
QUIET, PROVEN = "quiet since its recovery", "seen to be well: {title}"
HAND = "slack C0ALERTS01"
SYNTHESIS = json.dumps({"risk": "none", "said": "", "ticked": [], "instead_of": None, "late": None})
NO_POLICY = json.dumps({"steps": []})

Row = dict[str, Any]


@dataclass(slots=True)
class Written:
    """What is to be written, by table; the journal's entries in the order of time."""

    rows: dict[sa.Table, list[Row]] = field(default_factory=lambda: defaultdict(list))

    def add(self, table: sa.Table, **values: Any) -> None:
        self.rows[table].append(values)

    def tell(self, actor: Actor, kind: str, about: str, at: datetime, **details: Any) -> None:
        self.rows[entries].append(journal.entry(actor=actor, kind=kind, object=about, outcome="done", at=at, **details))

    def store(self, connection: sa.Connection) -> None:
        self.rows[entries].sort(key=lambda row: row["at"])
        for table, rows in self.rows.items():
            for one_kind in _alike(rows):
                connection.execute(table.insert(), one_kind)


def _alike(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows of one statement name the same columns."""
    found: dict[frozenset[str], list[Row]] = defaultdict(list)
    for row in rows:
        found[frozenset(row)].append(row)
    yield from found.values()


class Past:
    """Writes stretches of the past, one after the other, each with what was published, passed on, told and done in it."""

    def __init__(self, config: Config, catalogue: Catalogue) -> None:
        self._config, self._catalogue = config, catalogue
        self._numbers: dict[str, int] = defaultdict(int)
        self._duty: Sequence[Slot] = ()
        self._zone = planning.zone_of(config, next(iter(config.coverages.values())))

    def live(self, connection: sa.Connection, episodes: Sequence[Episode], start: datetime, end: datetime) -> int:
        """What was in [start, end); returns how many alerts there were."""
        made = Written()
        coverage = next(iter(self._config.coverages))
        self._duty = roster.plan(self._config, coverage, start, end)
        for slot in self._duty:
            made.add(shift, coverage=coverage, organisation=slot.organisation, team=slot.team, role=slot.role, mode=slot.mode,
                     person=slot.person, start=slot.start, end=slot.end, source="rotation", version=1,
                     published_at=start - timedelta(days=20), published_by="vigie", reason=None, superseded_at=None)
        self._pass_on(made, coverage, start, end)
        mine = [each for each in episodes if start <= each.at < end]
        for each in mine:
            self._episode(made, coverage, each)
        made.store(connection)
        first, last = (each.astimezone(self._zone).date() for each in (start, end))
        measures.add(connection, readings(self._config, self._zone, first, last))
        return len(mine)

    # --- who was there ---

    def _on(self, at: datetime, role: str) -> Slot:
        slots = [each for each in self._duty if each.role == role]
        return slots[bisect_right([each.start for each in slots], at) - 1]

    def _actor(self, key: str | None) -> Actor:
        person = self._config.people[key or ""]
        return Actor(key or "", person.name, person.organisation, frozenset(person.roles), person.slack, HAND)

    def _pass_on(self, made: Written, coverage: str, start: datetime, end: datetime) -> None:
        for number, (before, after) in enumerate(planning.passings(self._config, coverage, start, end)):
            giver, taker = self._on(after.start - MINUTE, "primary"), self._on(after.start, "primary")
            missed = number % 40 == LATE
            accepted = after.start + (number * 37 % 400 + 20) * SECOND
            made.add(
                handoff, coverage=coverage, boundary=after.start, from_team=before.team, to_team=after.team,
                direction="to_partner" if self._config.organisations[after.organisation].kind == "partner" else "to_own",
                channel=self._config.channels[self._config.default_channel], state="missed" if missed else "accepted",
                outgoing=giver.person, incoming=taker.person, if_then="[]", submitted_by=giver.person,
                submitted_at=after.start - 20 * MINUTE, accepted_by=None if missed else taker.person,
                accepted_at=None if missed else accepted, missed_reason="nobody accepted it" if missed else None, done="{}",
                synthesis=None if missed else SYNTHESIS,
            )
            if not missed:
                about = f"handoff:{after.start:%Y%m%d%H%M}"
                made.tell(self._actor(taker.person), "handoff accepted", about, accepted, risk="none")

    # --- what broke ---

    def _number(self, kind: str) -> int:
        self._numbers[kind] += 1
        return self._numbers[kind]

    def _episode(self, made: Written, coverage: str, each: Episode) -> None:
        number, problem = self._number("alert"), each.problem
        times = _times(each)
        taker = self._on(each.at, "secondary" if each.unanswered else "primary") if each.acked_after else None
        fixed = self._automatic(made, number, each, times) if each.ends == "fixed" else None
        if problem.important and each.ends != "fixed":
            self._call(made, coverage, number, each)
        self._alert(made, number, each, times, taker, fixed)
        self._told(made, number, each, times, taker)
        if each.hurt and taker:
            self._incident(made, number, each, self._actor(taker.person))
        if taker and taker.mode == "on_call" and each.acked_after:
            made.add(intervention, person=taker.person, organisation=taker.organisation, alert_id=number,
                     start=each.at + each.acked_after, end=times["recovered"], last_act_at=times["recovered"], source="acts",
                     confirmed_at=times["recovered"] + 6 * 60 * MINUTE, asked_at=times["recovered"] + 30 * MINUTE)

    def _alert(
        self, made: Written, number: int, each: Episode, times: Mapping[str, datetime], taker: Slot | None, fixed: int | None
    ) -> None:
        problem = each.problem
        labels = {"service": problem.service, "env": "prod", "alarm": problem.name}
        channel = self._config.channel_of(problem.service)
        mark = _fingerprint(each)
        acked = each.at + each.acked_after if each.acked_after else None
        person = taker.person if taker else None
        made.add(alert_group, id=number, service=problem.service, channel=channel, opened_at=each.at, closed_at=times["closed"],
                 symptom=None)
        made.add(
            alert, id=number, fingerprint=mark, group_id=number, state="closed", severity=problem.severity,
            important=problem.important, recognised=problem.recognised, service=problem.service,
            organisation=problem.eye.organisation, title=problem.title, summary="", labels=json.dumps(labels), link=None,
            since=each.at, opened_at=each.at, updated_at=times["closed"], signals=problem.told + 2 * each.relapses,
            relapses=each.relapses, acked_by=person, acked_at=acked, recovered_at=times["recovered"], closed_at=times["closed"],
            closed_by="vigie", close_reason=None, seen_by=person, runbook=problem.runbook, ending="fixed" if fixed else "healed",
            decision="run" if fixed else "page" if problem.important else "show", decided_at=each.at + SECOND,
            called_at=each.at + SECOND if problem.important and not fixed else None, fixed_by=fixed,
            proof=PROVEN.format(title=problem.title) if fixed else None,
        )
        seen = {"observer": problem.eye.observer, "source": problem.eye.source, "endpoint": problem.eye.endpoint,
                "organisation": problem.eye.organisation}
        made.add(observation, alert_id=number, state="recovered", at=times["recovered"], **seen)
        for nth, (state, at) in enumerate(_words(each, times)):
            made.add(signal, delivery=f"past:{number}:{nth}", received_at=at, at=at, fingerprint=mark, state=state,
                     severity=problem.severity, title=problem.title, body="{}", alert_id=number, **seen)

    def _automatic(self, made: Written, number: int, each: Episode, times: Mapping[str, datetime]) -> int:
        """The run that Vigie began by itself."""
        return self._run(made, number, each, VIGIE, "automatic", each.at + 2 * SECOND, times["recovered"])

    def _run(
        self, made: Written, number: int, each: Episode, actor: Actor, mode: str, begun: datetime, ended: datetime
    ) -> int:
        run_id, problem, book = self._number("run"), each.problem, self._book(each)
        made.add(
            run, id=run_id, runbook=book.name, title=book.title, version=book.version,
            definition=json.dumps(book.model_dump(mode="json"), sort_keys=True), parameters="{}", purpose="fix", mode=mode,
            alert_id=number, group_id=number, service=problem.service, target=f"service:{problem.service}",
            channel=self._config.channel_of(problem.service), state="succeeded", actor=actor.key, organisation=actor.organisation,
            origin=actor.origin, config_version="past", position=1, begun_at=begun, ended_at=ended,
            said="All steps done and seen to have worked.", busy=False, leg=1,
            relapsed_at=times_of_relapse(each) if each.relapses else None,
        )
        made.tell(actor, "run started", f"alert:{number}", begun, run=run_id, runbook=book.name, mode=mode)
        made.tell(VIGIE, "run succeeded", f"alert:{number}", ended, run=run_id)
        return run_id

    def _book(self, each: Episode) -> Runbook:
        found = self._catalogue.runbook(each.problem.runbook or "")
        assert found is not None, each.problem.runbook
        return found

    def _call(self, made: Written, coverage: str, number: int, each: Episode) -> None:
        """Who was rung, one level after the other."""
        escalation_id, key = self._number("escalation"), f"page:{number}:1"
        answered = self._on(each.at, "secondary" if each.unanswered else "primary").person
        why = "important, and a person decides."
        made.add(
            escalation, id=escalation_id, key=key, group_id=number, alert_id=number, coverage=coverage,
            channel=self._config.channel_of(each.problem.service), why=why, policy=NO_POLICY, level=each.unanswered,
            state="ended", begun_at=each.at + SECOND, answered_by=answered, ended_at=each.at + each.lasts,
        )
        for level in range(each.unanswered + 1):
            role = ("primary", "secondary")[level]
            called, at = self._on(each.at, role).person, each.at + SECOND + level * LEVEL
            seen = at + 40 * SECOND if level == each.unanswered else None
            for medium in ("mention", "direct"):
                made.add(
                    page_attempt, key=f"{key}/{called}/{medium}", escalation_id=escalation_id, level=level, group_id=number,
                    person=called, role=role, medium=medium, said=each.problem.title, state="seen" if seen else "sent", at=at,
                    sent_at=at, seen_at=seen, tries=0,
                )
            made.tell(VIGIE, "person called", f"alert:{number}", at, who=called, role=role, why=why)

    def _told(self, made: Written, number: int, each: Episode, times: Mapping[str, datetime], taker: Slot | None) -> None:
        about, problem = f"alert:{number}", each.problem
        observer = Actor(f"{OBSERVER}{problem.eye.observer}", problem.eye.observer, problem.eye.organisation, frozenset(),
                         origin=f"webhook {problem.eye.endpoint}")
        made.tell(observer, "alert opened", about, each.at, severity=problem.severity, title=problem.title)
        if taker and each.acked_after:
            person = self._actor(taker.person)
            made.tell(person, "alert acked", about, each.at + each.acked_after)
            if problem.runbook:
                self._run(made, number, each, person, "manual", each.at + each.acked_after + 2 * MINUTE, times["recovered"])
        if each.relapses:
            made.tell(observer, "alert recovered", about, each.at + each.lasts / 2)
            made.tell(observer, "alert relapsed", about, times_of_relapse(each))
        made.tell(observer, "alert recovered", about, times["recovered"])
        ending = "fixed" if each.ends == "fixed" else "healed"
        made.tell(VIGIE, "alert closed", about, times["closed"], reason=QUIET, ending=ending)
        if taker and problem.verdict and number % UNJUDGED:
            self._judge(made, number, self._actor(taker.person), problem.verdict, times["closed"] + 20 * MINUTE)

    def _incident(self, made: Written, number: int, each: Episode, actor: Actor) -> None:
        """Declared by whoever took it, for as long as merchants could not pay."""
        incident_id, service = self._number("incident"), each.problem.service
        declared, over = each.at + 4 * MINUTE, each.at + each.lasts
        made.add(
            incident, id=incident_id, title=f"{service} takes no connections", service=service, kind="outage",
            channel=self._config.channel_of(service), began_at=each.at, detected_at=each.at, found_by="monitoring systems",
            aware_at=each.at + (each.acked_after or MINUTE), aware_by=actor.key, ended_at=over, cause="connection-pool",
            drill=False, declared_by=actor.key, declared_at=declared,
        )
        made.add(incident_alert, incident_id=incident_id, alert_id=number, at=declared)
        made.add(impact, incident_id=incident_id, service=service, start=each.at, end=over, share=1.0, said_by=actor.key,
                 said_at=declared)
        made.tell(actor, "incident declared", f"incident:{incident_id}", declared, title=f"{service} takes no connections")

    def _judge(self, made: Written, number: int, actor: Actor, said: str, at: datetime) -> None:
        made.add(verdict, group_id=number, alert_id=number, verdict=said, by=actor.key, organisation=actor.organisation, at=at)
        made.tell(actor, "verdict given", f"alert:{number}", at, verdict=said, group=number)

def times_of_relapse(each: Episode) -> datetime:
    return each.at + each.lasts / 2 + 3 * MINUTE


def _times(each: Episode) -> dict[str, datetime]:
    recovered = each.at + each.lasts + each.relapses * 10 * MINUTE
    return {"recovered": recovered, "closed": recovered + PROBATION}


def _words(each: Episode, times: Mapping[str, datetime]) -> Iterator[tuple[str, datetime]]:
    """What its observer said: again and again that it fires, at last that it is well."""
    repeats = each.problem.told - 1
    yield from (("firing", each.at + each.lasts * nth / repeats / 2) for nth in range(repeats))
    if each.relapses:
        yield "recovered", each.at + each.lasts / 2
        yield "firing", times_of_relapse(each)
    yield "recovered", times["recovered"]


def _fingerprint(each: Episode) -> str:
    return hashlib.sha256(f"{each.problem.eye.endpoint}/{each.problem.name}".encode()).hexdigest()[:32]
