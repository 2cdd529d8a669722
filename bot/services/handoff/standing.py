"""What stands in a handoff's note: what is open, in progress, will happen, and must still be done."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.config import Config
from bot.services.alert.response import called, headline
from bot.services.desk import Desk
from bot.services.handoff.note import MOST_ITEMS, SILENT, TAKE_OVER, Item, Section
from bot.services.handoff.protocol import WITHIN, Times
from bot.services.incident import recovery
from bot.services.rota import planning
from bot.services.slack.drawing import deed
from bot.services.slack.runcards import thing
from bot.store import approvals, handoffs, incidents, journal, notes, overnight, pages, rungs, runs
from bot.store.alerts import Alert
from bot.store.handoffs import Handoff
from bot.store.runs import Run

SILENT_AFTER = timedelta(minutes=60)
LOOK_BACK = timedelta(days=1)
NOBODY, UNTAKEN = "nobody", "nobody has it"
CLOCKS = ("SLA and DORA clocks",)
PLANS = ("planned changes and releases", "certificates and keys", "maintenance of banks and providers", "batch jobs")
IN_STATE, STEP = "\"{title}\" on {target}", "{state} at step {at} of {all}"
APPROVAL, LEFT, STOPPED = "waits for a yes: {plan}", "\"{title}\" on {target} left: {step}", "automation is stopped: {scope}"
OVER, DRILL = "its alerts have recovered: is it over? {line}", "drill"
SILENCE_ENDS, SNOOZE_ENDS = "silence ends, and it will page then: {reason}", "snooze ends: {what}"
PROBATION_ENDS = "closes if it stays quiet: {what}"
CARRIED = "carried {count} time{s}"
ACKED, LAPSED = "alert acked", "ack lapsed"
LAPSED_BEFORE = timedelta(minutes=1)
MOST_ENTRIES, LONGEST = 12, 160


@dataclass(frozen=True, slots=True)
class Place:
    """Where the note is made: of which handoff, from which rows, when."""

    desk: Desk
    connection: sa.Connection
    found: Handoff
    times: Times
    now: datetime

    @property
    def config(self) -> Config:
        return self.desk.config

    def covers(self, service: str) -> bool:
        """Whether the coverage has this service; what none has, the first one has."""
        first = next(iter(self.config.coverages))
        return (planning.coverage_of(self.config, service) or first) == self.found.coverage

    def mine(self, some: Iterable[Alert]) -> list[Alert]:
        return [each for each in some if self.covers(each.service)]


def section(items: Sequence[Item], unconnected: tuple[str, ...] = ()) -> Section:
    """As many lines as anybody reads."""
    return Section(items=tuple(items[:MOST_ITEMS]), more=max(0, len(items) - MOST_ITEMS), unconnected=unconnected)


def item(alert: Alert, **more: object) -> Item:
    told = {"ref": str(alert.id), "name": alert.name, "text": short(headline(alert)), "severity": alert.severity}
    return Item.model_validate(told | more)


def short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


# --- open -----------------------------------------------------------------------------------------------------------------


def opened(where: Place) -> Section:
    """What fires: how bad, since when, whose, what was done last and should be done next."""
    every = where.mine(overnight.in_trouble(where.connection))
    told = [_open(where, each) for each in every[:MOST_ITEMS]]
    return Section(items=tuple(told), more=max(0, len(every) - MOST_ITEMS), unconnected=CLOCKS)


def _open(where: Place, alert: Alert) -> Item:
    entries = journal.about(where.connection, [f"alert:{alert.id}"], most=MOST_ENTRIES)
    owner = alert.assigned_to or alert.acked_by or _lapsed(where, entries)
    last = next((each for each in reversed(entries) if each.actor in where.config.people), None)
    silent = owner is not None and where.now - (last.at if last else alert.updated_at) > SILENT_AFTER
    flags = [flag for flag, holds in ((SILENT, silent), (TAKE_OVER, is_outgoing(where, owner))) if holds]
    written = notes.of_alert(where.connection, alert.id)
    return item(
        alert, who=called(where.desk, owner) if owner else UNTAKEN, since=alert.since, red=is_red(alert), flags=flags,
        last=_told(where, last) if last else "", last_at=last.at if last else None,
        next=short(written[-1].text) if written else "",
    )


def _lapsed(where: Place, entries: Sequence[journal.Entry]) -> str | None:
    """Who had it until the duty passed: as their blackout begins or their shift ends, an alert is nobody's."""
    last = next((each for each in reversed(entries) if each.kind in (ACKED, LAPSED)), None)
    if last is None or last.kind != LAPSED or last.at < where.found.boundary - LAPSED_BEFORE:
        return None
    who = json.loads(last.details).get("who")
    return str(who) if who and is_outgoing(where, who) else None


def is_red(alert: Alert) -> bool:
    return alert.important or alert.severity == "critical"


def is_outgoing(where: Place, person: str | None) -> bool:
    """Whether somebody belongs to the side that hands over."""
    known = where.config.people.get(person or "")
    if known is None or where.found.direction == WITHIN:
        return person is not None and person == where.found.outgoing
    return known.organisation == where.config.teams[where.found.from_team].organisation


def _told(where: Place, entry: journal.Entry) -> str:
    return f"{entry.kind.removeprefix('alert ')} by {called(where.desk, entry.actor)}"


# --- in progress ----------------------------------------------------------------------------------------------------------


def running(where: Place) -> Section:
    """Incidents and runs that are not finished, questions that wait for a yes, and what should be undone."""
    return section([*_incidents(where), *_runs(where), *_approvals(where), *_left(where), *_stopped(where)])


def _incidents(where: Place) -> Iterator[Item]:
    """None ends by itself: of one whose alerts have recovered stands there how to end it."""
    reader = where.config.teams[where.found.to_team].organisation
    for each in incidents.still_open(where.connection):
        if where.covers(each.service):
            at = recovery.recovered_at(where.connection, each)
            how = OVER.format(line=recovery.line(where.config, each, reader, at)) if at else ""
            yield Item(
                ref=each.ref, name=each.name, text=short(each.title), who=called(where.desk, each.declared_by),
                since=each.began_at, next=how, flags=(DRILL,) if each.drill else (),
            )


def _runs(where: Place) -> Iterator[Item]:
    for run in runs.find(where.connection, runs.run.c.state.in_(runs.UNDER_WAY)):
        if where.covers(run.service):
            count = len(runs.steps(where.connection, run.id))
            said = STEP.format(state=run.state, at=min(run.position + 1, count), all=count)
            yield _run(run, IN_STATE.format(title=run.title, target=thing(run)), who=called(where.desk, run.actor), next=said)


def _run(run: Run, text: str, **more: object) -> Item:
    return Item.model_validate({"ref": f"run{run.id}", "name": run.name, "text": short(text), "since": run.begun_at} | more)


def _approvals(where: Place) -> Iterator[Item]:
    for asked in approvals.find(where.connection, approvals.approval.c.state == approvals.OPEN):
        run = runs.get(where.connection, asked.run_id)
        if where.covers(run.service):
            step = runs.step_of(where.connection, run.id, asked.number)
            whom = ", ".join(called(where.desk, each) for each in asked.asked)
            told = APPROVAL.format(plan=deed(step.plan or step.title))
            yield _run(run, told, ref=f"approval{asked.id}", who=whom, until=asked.expires_at)


def _left(where: Place) -> Iterator[Item]:
    for run, step in overnight.left_changed(where.connection, where.now - LOOK_BACK):
        if where.covers(run.service):
            yield _run(run, LEFT.format(title=run.title, target=thing(run), step=step), ref=f"left{run.id}")


def _stopped(where: Place) -> Iterator[Item]:
    for each in rungs.switches(where.connection):
        told = STOPPED.format(scope=each.scope.replace(":", " "))
        name = "switch"
        yield Item(ref=f"switch-{each.scope}", name=name, text=short(told), who=called(where.desk, each.by), since=each.at)


# --- will happen ----------------------------------------------------------------------------------------------------------


def coming(where: Place) -> Section:
    """What ends by itself in the shift that begins; what no source tells is said to be not connected."""
    end = where.times.over_at
    silences = (_silence(where, each) for each in pages.silences(where.connection, where.now)
                if each.until < end and (each.service == "*" or where.covers(each.service)))
    waiting = (_waiting(each) for each in where.mine(overnight.waiting(where.connection, end)))
    return section(sorted((*silences, *waiting), key=lambda each: (each.until or end, each.ref)), PLANS)


def _silence(where: Place, each: pages.Silence) -> Item:
    told = SILENCE_ENDS.format(reason=each.reason)
    return Item(ref=f"silence{each.id}", name=each.service, text=short(told), who=called(where.desk, each.by), until=each.until)


def _waiting(alert: Alert) -> Item:
    if alert.state == "recovered":
        return item(alert, text=short(PROBATION_ENDS.format(what=headline(alert))), until=alert.due_at)
    return item(alert, text=short(SNOOZE_ENDS.format(what=headline(alert))), until=alert.snoozed_until)


# --- to be done -----------------------------------------------------------------------------------------------------------


def actions(where: Place) -> Section:
    """What outlives shifts, carried on until somebody closes it."""
    return section([_action(where, each) for each in handoffs.actions(where.connection, where.found.coverage)])


def _action(where: Place, each: handoffs.Action) -> Item:
    carried = (CARRIED.format(count=each.carried, s="" if each.carried == 1 else "s"),) if each.carried else ()
    who = called(where.desk, each.owner) if each.owner else NOBODY
    flags = (*([f"due {each.due}"] if each.due else []), *carried)
    return Item(ref=f"action{each.id}", name=f"action {each.id}", text=short(each.text), who=who, flags=flags)
