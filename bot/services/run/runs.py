"""Runs of runbooks as people start, cancel and decide them: one verb, one transaction. What carries them out is execution.py."""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from bot.errors import Refused
from bot.masking import mask_text
from bot.services.alert.response import called, clock_time
from bot.services.desk import VIGIE, Actor, Desk
from bot.services.leave import mandates
from bot.services.leave.mandates import FIX, PROOF, Wish
from bot.services.ledger import journal
from bot.services.run.reach import service_of
from bot.services.run.reach import values_of as values_of
from bot.store import approvals, batch, cards, runs
from bot.store.alerts import Alert
from bot.store.runs import Run
from runbooks.model import Parameter, Runbook, length
from runbooks.references import Unknown, fill

Decision = Literal["happened", "again", "stop"]

SECRET = "secret:"

UNKNOWN_RUN = "No run {ref}. `{command} runbooks` lists what runs and what ran."
NO_SUCH_PARAMETER = "\"{runbook}\" has no parameter {name}. {known}"
PARAMETERS = "It has: {names}."
NO_PARAMETERS = "It has none."
MISSING = "\"{runbook}\" needs {name}{what}. Give it: {name}=..."
NOT_A = "{name} must be {kind}, not \"{given}\"."
NOT_ONE_OF = "{name} must be one of {choices}, not \"{given}\"."
NOT_LIKE = "{name} does not look right: \"{given}\" must match {pattern}."
NOT_HERE = "{name} looks like a card number or a secret, and those never stand in a run: name what holds it."
TOO_SMALL = "{name} must be at least {bound:g}, not {given}."
TOO_LARGE = "{name} must be at most {bound:g}, not {given}."
HELD = (
    "Run {run} works on {target} since {at}: one at a time. "
    "`{command} steps {run}` shows it; `{command} cancel {run}` ends it."
)
OVER = "Run {id} is over since {at}: it {said}."
NOT_IN_DOUBT = "Nothing of run {id} is in doubt."
ALREADY_CANCELLED = "Run {id} is being cancelled already, by {who}."
KINDS = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "length": "a length of time such as 10m"}
ENDINGS = {"succeeded": "went well", "failed": "failed", "cancelled": "was cancelled"}


def find(desk: Desk, ref: str) -> Run:
    """The run that `ref` (57 or run 57) names; raises Refused."""
    digits = ref.lower().removeprefix("run").strip().lstrip("#")
    with desk.read() as connection:
        found = runs.by_id(connection, int(digits)) if re.fullmatch(r"\d{1,12}", digits) else None
    if found is None:
        raise Refused(UNKNOWN_RUN.format(ref=ref[:40], command=desk.config.command))
    return found


def start(desk: Desk, wish: Wish) -> Run:
    """Starts a run, within what the actor may do; raises Refused with what would work instead."""
    with desk.begin("run: start") as connection:
        return start_within(desk, connection, wish)


def start_within(desk: Desk, connection: sa.Connection, wish: Wish) -> Run:
    """The same, as part of a larger act."""
    now, runbook, alert = desk.clock.now(), wish.runbook, wish.alert
    parameters = resolve(runbook, wish.given or {}, alert)
    target = target_of(runbook, parameters, alert)
    leave = mandates.leave(desk, connection, wish, parameters, target, now)
    if wish.purpose == FIX and runbook.busy == "refuse":
        _refuse_a_second(desk, connection, target)
    uses = uses_of(runbook, wish.purpose)
    run = runs.add(connection, {
        "runbook": runbook.name, "title": runbook.title, "version": runbook.version, "definition": runbook.snapshot(),
        "parameters": parameters, "purpose": wish.purpose, "mode": wish.mode, "alert_id": alert.id if alert else None,
        "group_id": alert.group_id if alert else None, "service": service_of(runbook, alert), "target": target,
        "channel": _channel(desk, connection, runbook, alert), "state": runs.WAITING, "actor": wish.actor.key,
        "organisation": wish.actor.organisation, "origin": wish.actor.origin, "mandate": leave.clause,
        "mandate_version": leave.version, "config_version": desk.config.version, "glass": wish.glass,
        "begun_at": now, "due_at": now,
    }, [{"name": each.name, "title": each.title or each.name, "uses": each.uses} for each in uses])
    note(connection, run, wish.actor, "run started", now, runbook=runbook.name, version=runbook.version, mode=wish.mode,
         target=target, mandate=leave.clause, mandate_version=leave.version, config=desk.config.version, glass=wish.glass,
         purpose=None if wish.purpose == FIX else wish.purpose)
    show(connection, run, now, urgency=0 if wish.actor.slack else 2)
    return run


def uses_of(runbook: Runbook, purpose: str = FIX) -> tuple[Any, ...]:
    """What is done, in order: the steps and then the proofs; for a proof only these."""
    return runbook.verify if purpose == PROOF else (*runbook.steps, *runbook.verify)


def _refuse_a_second(desk: Desk, connection: sa.Connection, target: str) -> None:
    """Also while the first has not taken its lock yet, or waits for it itself."""
    same = (runs.run.c.target == target, runs.run.c.purpose == FIX, runs.run.c.state.in_(runs.UNDER_WAY))
    for first in runs.find(connection, *same, most=1):
        at = clock_time(first.begun_at)
        raise Refused(HELD.format(run=first.id, target=target, at=at, command=desk.config.command))


def _channel(desk: Desk, connection: sa.Connection, runbook: Runbook, alert: Alert | None) -> str:
    card = cards.by_key(connection, f"card:{alert.group_id}") if alert else None
    return card.channel if card else desk.config.channel_of(service_of(runbook, alert))


def target_of(runbook: Runbook, parameters: Mapping[str, Any], alert: Alert | None) -> str:
    """What it works on, for the lock: what the runbook names, else the service; raises Refused."""
    if runbook.lock is None:
        return f"service:{service_of(runbook, alert)}"
    try:
        return str(fill(runbook.lock, values_of(parameters, alert)))
    except Unknown as fault:
        raise Refused(MISSING.format(runbook=runbook.title, name=str(fault), what="")) from fault


# --- parameters -------------------------------------------------------------------------------------------------------------


def resolve(runbook: Runbook, given: Mapping[str, Any], alert: Alert | None) -> dict[str, Any]:
    """Every parameter's value: what is given, else from the alert, else the default; raises Refused at the first fault."""
    _named(runbook, given)
    known_values = values_of({}, alert)
    resolved = {}
    for name, parameter in runbook.parameters.items():
        value = given.get(name)
        if value in (None, ""):
            value = known_values.get(parameter.source) if parameter.source else None
        if value in (None, ""):
            value = parameter.default
        if value in (None, ""):
            what = f" ({parameter.description})" if parameter.description else ""
            raise Refused(MISSING.format(runbook=runbook.title, name=name, what=what))
        resolved[name] = _fitting(name, parameter, value)
    return resolved


def check(runbook: Runbook, given: Mapping[str, Any]) -> None:
    """Raises Refused at the first of the given values that cannot be one, before the others are asked for."""
    _named(runbook, given)
    for name, value in given.items():
        _fitting(name, runbook.parameters[name], value)


def _named(runbook: Runbook, given: Mapping[str, Any]) -> None:
    for name in given:
        if name not in runbook.parameters:
            known = PARAMETERS.format(names=", ".join(runbook.parameters)) if runbook.parameters else NO_PARAMETERS
            raise Refused(NO_SUCH_PARAMETER.format(runbook=runbook.title, name=name[:40], known=known))


def _fitting(name: str, parameter: Parameter, value: Any) -> Any:
    """The value in its type and within its bounds; a secret stays the name of what holds it."""
    if parameter.secret:
        return f"{SECRET}{str(value).removeprefix(SECRET)}"
    typed, shown = _typed(name, parameter, value), str(value)[:80]
    if not shown.startswith(SECRET) and mask_text(str(typed)) != str(typed):
        raise Refused(NOT_HERE.format(name=name))
    if parameter.enum and typed not in parameter.enum:
        raise Refused(NOT_ONE_OF.format(name=name, choices=", ".join(map(str, parameter.enum)), given=shown))
    if parameter.pattern and not re.fullmatch(parameter.pattern, str(typed)):
        raise Refused(NOT_LIKE.format(name=name, given=shown, pattern=parameter.pattern))
    if parameter.minimum is not None and typed < parameter.minimum:
        raise Refused(TOO_SMALL.format(name=name, bound=parameter.minimum, given=shown))
    if parameter.maximum is not None and typed > parameter.maximum:
        raise Refused(TOO_LARGE.format(name=name, bound=parameter.maximum, given=shown))
    return typed


def _typed(name: str, parameter: Parameter, value: Any) -> Any:
    text = str(value).strip()
    try:
        match parameter.type:
            case "integer":
                return int(text)
            case "number":
                return _finite(float(text))
            case "boolean":
                return {"true": True, "yes": True, "false": False, "no": False}[text.lower()]
            case "length":
                length(text)
    except (ValueError, KeyError):
        raise Refused(NOT_A.format(name=name, kind=KINDS[parameter.type], given=text[:80])) from None
    return text


def _finite(number: float) -> float:
    """Neither infinite nor "not a number", which would pass every bound."""
    if not math.isfinite(number):
        raise ValueError
    return number


# --- what people do with a run --------------------------------------------------------------------------------------------


def cancel(desk: Desk, run: Run, actor: Actor, reason: str = "") -> Run:
    """No further step begins; what is under way is seen to its end."""
    now = desk.clock.now()
    with desk.begin("run: cancel") as connection:
        current = runs.get(connection, run.id)
        if current.state in runs.ENDED:
            raise Refused(over(current))
        if current.cancelled_by is not None:
            raise Refused(ALREADY_CANCELLED.format(id=run.id, who=called(desk, current.cancelled_by)))
        mandates.may_touch(desk, connection, current, actor, "cancel", now)
        runs.change(connection, run.id, runs.UNDER_WAY, cancelled_by=actor.key, due_at=now)
        approvals.close_open(connection, run.id, approvals.REVOKED, now)
        note(connection, current, actor, "run cancelled", now, reason=reason.strip() or None)
        show(connection, current, now, urgency=0)
        return runs.get(connection, run.id)


def decide(desk: Desk, run: Run, actor: Actor, decision: Decision) -> Run:
    """A person says what became of a step whose outcome nobody could read: it happened, do it again, or stop here."""
    now = desk.clock.now()
    with desk.begin("run: decide") as connection:
        current = runs.get(connection, run.id)
        mandates.may_touch(desk, connection, current, actor, "decide", now)
        moved = {"happened": "witnessed", "again": "pending", "stop": "stopped"}[decision]
        kept: dict[str, Any] = {} if decision == "again" else {"outputs": {}}      # perhaps it happened: the way back must know
        if not runs.change_step(connection, run.id, current.position, ["in doubt"], state=moved, **kept):
            raise Refused(NOT_IN_DOUBT.format(id=run.id))
        runs.change(connection, run.id, [runs.IN_DOUBT], state=runs.RUNNING, due_at=now)
        if decision == "again":
            approvals.use_up(connection, run.id, now)       # a yes to the first time is none to the second
        note(connection, current, actor, "run decided", now, step=current.position + 1, decision=decision)
        show(connection, current, now, urgency=0)
        return runs.get(connection, run.id)


def over(run: Run) -> str:
    return OVER.format(id=run.id, at=clock_time(run.ended_at), said=ENDINGS.get(run.state, run.state))


# --- what every act of a run ends with -------------------------------------------------------------------------------------


def note(
    connection: sa.Connection, run: Run, actor: Actor, kind: str, now: datetime, outcome: journal.Outcome = "done",
    **details: Any,
) -> None:
    """The journal's line; about the alert where there is one, so that its story is whole."""
    given = {name: mask_text(each) if isinstance(each, str) else each for name, each in details.items()}
    about = f"alert:{run.alert_id}" if run.alert_id is not None else f"run:{run.id}"
    journal.record(connection, actor=actor, kind=kind, object=about, outcome=outcome, at=now, run=run.id, **given)


def attach(connection: sa.Connection, run: Run, name: str, alt: str, content: bytes, now: datetime) -> None:
    """A file for the run's thread."""
    number = runs.add_file(connection, run.id, name, alt, content)
    batch.bump_posts(connection, [{
        "key": f"file:{run.id}:{number}", "kind": "file", "group_id": run.group_id, "channel": run.channel, "due_at": now,
        "urgency": 2,
    }])


def show(connection: sa.Connection, run: Run, now: datetime, urgency: int) -> None:
    """The run's message, and the alert's card, are to be drawn anew."""
    batch.bump_posts(connection, [{
        "key": f"run:{run.id}", "kind": "run", "group_id": run.group_id, "channel": run.channel, "due_at": now,
        "urgency": urgency,
    }])
    if run.group_id is not None:
        cards.bump(connection, run.group_id, now, urgency)


def actor_of(desk: Desk, run: Run) -> Actor:
    """On whose behalf the run acts."""
    if run.actor == VIGIE.key:
        return VIGIE
    person = desk.config.people.get(run.actor)
    roles = frozenset(person.roles) if person else frozenset()
    return Actor(run.actor, person.name if person else run.actor, run.organisation, roles,
                 person.slack if person else None, run.origin)
