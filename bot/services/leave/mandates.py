"""Who may run what: the partner's people within the mandate that both sides confirmed, others within their roles."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from bot.config import Clause, Config, Mandate
from bot.errors import Refused
from bot.services.desk import VIGIE, Actor, Desk
from bot.services.leave import authority, blackout, clauses, contracts, signers
from bot.services.leave.clauses import Deed
from bot.services.leave.signers import Asker
from bot.services.run import reach, secrecy
from bot.store import runs
from bot.store.alerts import Alert
from bot.store.runs import Run
from runbooks.model import Runbook

Mode = Literal["manual", "click", "automatic"]

FIX, PROOF = "fix", "proof"

OUTSIDER = "Only people of vigie.yaml may `{verb}`, and you are not one of them. Ask {who}."
NO_MANDATE = (
    "{side} has no mandate in vigie.yaml, so its people may not `{verb}`. "
    "{who} can write one, and leads of both sides confirm it."
)
NOT_ALLOWED = "Mandate {name}, {clause}, allows it only {only}. {who} can widen it."
NO_FORCE = "Mandate {name}, {clause}, would allow it, but {why}."
ASK_FOR_MORE = " {who} can change that."
GLASS = " If it cannot wait: `{command}`."
BREAK = "{command} break-glass {alert} {runbook} <reason>"
OTHERS = " You may run: {names}."
GONE = "The clause \"{citation}\" is no longer in vigie.yaml: the run goes no further. {who} can write it again."
ENDED = "Mandate {name}, {clause}, allows it no more: {why}."
BEYOND = "Mandate {name}, {clause}, allows it only {only}. {who} can widen it."

LEFT = "{name} asked for it, and vigie.yaml no longer lists them as somebody of {side} who may run it: it goes no further."

MOST_OTHERS = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to run."""

    runbook: Runbook
    actor: Actor
    alert: Alert | None = None
    given: Mapping[str, Any] | None = None
    mode: Mode = "manual"
    purpose: str = FIX
    glass: str | None = None        # why the mandate is broken: only glass.py says so, once it has looked


@dataclass(frozen=True, slots=True)
class Leave:
    """By what right a run is started: the clause and the confirmed version of its mandate; none for own people."""

    clause: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Try:
    """How far one clause goes for a deed."""

    name: str
    mandate: Mandate
    clause: Clause
    only: list[str]                 # what it allows instead; empty: it allows the deed
    why: str | None                 # the mandate counts for nothing now

    @property
    def distance(self) -> tuple[bool, int, bool]:
        other_runbook = bool(self.only) and self.only[0] == clauses.RUNBOOKS.format(names=clauses.listed(self.clause.runbooks))
        return other_runbook, len(self.only), self.why is not None


def leave(
    desk: Desk, connection: sa.Connection, wish: Wish, parameters: Mapping[str, Any], target: str, now: datetime
) -> Leave:
    """By what right the actor may run this now; raises Refused, naming the clause and who can grant it."""
    granted = _granted(desk, connection, wish, parameters, target, now)
    secrecy.check(desk.config, wish.runbook, parameters)
    if wish.purpose == FIX:
        asker = asker_of(desk.config, wish, granted.clause)
        try:
            signers.foresee(desk.config, desk.catalogue, wish.runbook, asker, now)
        except Refused as refusal:
            others = _others(desk, connection, wish, now) if wish.actor.key != VIGIE.key else []
            told = OTHERS.format(names=clauses.listed(others[:MOST_OTHERS])) if others else ""
            raise Refused(f"{refusal}{told}") from refusal
    return granted


def refusal(desk: Desk, connection: sa.Connection, wish: Wish, now: datetime) -> str | None:
    """Why the actor may not run this now, whatever its parameters are; None: it can be tried."""
    try:
        granted = _granted(desk, connection, wish, {}, "", now)
        signers.foresee(desk.config, desk.catalogue, wish.runbook, asker_of(desk.config, wish, granted.clause), now)
    except Refused as refused:
        return str(refused)
    return None


def _others(desk: Desk, connection: sa.Connection, wish: Wish, now: datetime) -> list[str]:
    """Runbooks for the same service that the actor may run without waiting for anybody."""
    service = reach.service_of(wish.runbook, wish.alert)
    every = (entry.runbook for entry in desk.catalogue.entries.values() if entry.runbook.name != wish.runbook.name)
    fitting = (each for each in every if any(service in when.service for when in each.when))
    return [each.title for each in fitting if refusal(desk, connection, replace(wish, runbook=each, given=None), now) is None]


def asker_of(config: Config, wish: Wish, citation: str | None) -> Asker:
    """Who asks, and by what clause."""
    important = wish.mode == "automatic" and wish.alert is not None and wish.alert.important
    made = asker(config, wish.actor.key, wish.actor.organisation, citation, wish.glass is not None, important)
    alert_id = wish.alert.id if wish.alert else None
    return replace(made, instead=instead_of(config, wish.actor.key, wish.runbook.name, alert_id, wish.glass))


def instead_of(config: Config, actor: str, runbook: str, alert_id: int | None, glass: str | None = None) -> str:
    """How the actor could break the glass for it; empty when that was done, or nobody is there to do it."""
    if glass is not None or actor == VIGIE.key:
        return ""
    return BREAK.format(command=config.command, alert=alert_id or "<alert>", runbook=runbook)


def asker(config: Config, actor: str, organisation: str, citation: str | None, glass: bool, important: bool) -> Asker:
    found = contracts.cited(config, citation) if citation else None
    name, clause = found or ("", None)
    zone = contracts.zone_of(config, config.mandates[name]) if clause else "UTC"
    return Asker(actor, organisation, clause, citation or "", zone, glass, important)


# --- by what right --------------------------------------------------------------------------------------------------------


def _granted(
    desk: Desk, connection: sa.Connection, wish: Wish, parameters: Mapping[str, Any], target: str, now: datetime
) -> Leave:
    if wish.actor.key == VIGIE.key or wish.glass is not None:
        return Leave()
    if is_own(desk.config, wish.actor, "run"):
        authority.require(desk.config, wish.actor, "run", "act")
        return Leave()
    authority.require(desk.config, wish.actor, "run", "act")
    deed = Deed(
        wish.runbook.name, reach.touched(wish.runbook, wish.alert), now, "UTC", wish.alert.severity if wish.alert else None,
        parameters, target, reach.changed(desk.catalogue, wish.runbook, parameters, wish.alert),
    )
    instead = instead_of(desk.config, wish.actor.key, wish.runbook.name, wish.alert.id if wish.alert else None)
    found = _nearest(desk, connection, wish.actor, deed, "run", clauses.WHOLE, instead)
    if any(_mutates(desk, step.uses) for step in reach.straight(wish.runbook)):
        glass = GLASS.format(command=instead) if instead else ""
        blackout.require_duty(desk.config, connection, wish.actor.organisation, deed.service, now, glass)
    return Leave(contracts.cite(found.name, found.clause), contracts.version_of(found.mandate))


def _mutates(desk: Desk, uses: str) -> bool:
    action = desk.catalogue.actions.get(uses)
    return action is None or action.mutates


def is_own(config: Config, actor: Actor, verb: str) -> bool:
    """Whether the actor is of the company that owns the platform; raises Refused for everybody whom vigie.yaml does not know."""
    person = config.people.get(actor.key)
    if person is None or person.organisation != actor.organisation:
        raise Refused(OUTSIDER.format(verb=verb, who=contracts.grantors(config)))
    return config.organisations[person.organisation].kind == "own"


def _nearest(
    desk: Desk, connection: sa.Connection, actor: Actor, deed: Deed, verb: str, aspects: tuple[clauses.Aspect, ...],
    instead: str = "",
) -> Try:
    """The clause that allows the deed; raises Refused about the one that comes nearest."""
    tried = sorted(_tries(desk, connection, actor.organisation, deed, aspects), key=lambda each: each.distance)
    if not tried:
        side, who = desk.config.organisations[actor.organisation].name, contracts.grantors(desk.config)
        raise Refused(NO_MANDATE.format(side=side, verb=verb, who=who) + (GLASS.format(command=instead) if instead else ""))
    nearest = tried[0]
    if nearest.only or nearest.why:
        raise Refused(_refusal(desk.config, nearest) + (GLASS.format(command=instead) if instead else ""))
    return nearest


def _tries(
    desk: Desk, connection: sa.Connection, organisation: str, deed: Deed, aspects: tuple[clauses.Aspect, ...]
) -> Iterator[Try]:
    for name, mandate in desk.config.mandates.items():
        if mandate.organisation != organisation:
            continue
        why = contracts.flaw(desk, connection, name, mandate, deed.at)
        there = replace(deed, zone=contracts.zone_of(desk.config, mandate))
        for clause in mandate.clauses:
            yield Try(name, mandate, clause, clauses.missing(clause, there, aspects), why)


def _refusal(config: Config, nearest: Try) -> str:
    name, clause = nearest.name, nearest.clause.name
    if nearest.only:
        return NOT_ALLOWED.format(name=name, clause=clause, only="; and only ".join(nearest.only), who=contracts.grantors(config))
    return NO_FORCE.format(name=name, clause=clause, why=nearest.why) + ASK_FOR_MORE.format(who=_who_confirms(config, nearest))


def _who_confirms(config: Config, nearest: Try) -> str:
    own = [key for key, each in config.organisations.items() if each.kind == "own"]
    return contracts.leads(config, [*own, nearest.mandate.organisation])


# --- a run under way ---------------------------------------------------------------------------------------------------------


def may_touch(desk: Desk, connection: sa.Connection, run: Run, actor: Actor, verb: str, now: datetime) -> None:
    """Raises Refused unless the actor may cancel or decide this run."""
    own = is_own(desk.config, actor, verb)
    if actor.key == run.actor:
        return
    authority.require(desk.config, actor, verb, "act")
    if not own:
        _nearest(desk, connection, actor, Deed(run.runbook, run.service, now, "UTC"), verb, clauses.TOUCH)


def holds(desk: Desk, connection: sa.Connection, run: Run, target: str, now: datetime) -> None:
    """Before each step that changes something: raises Refused when who asked has left, or the mandate ends short of it.

    Days and hours count until the run has changed something: what has begun within them is brought to its end.
    """
    _still_there(desk.config, run)
    if run.mandate is None:
        return
    found, who = contracts.cited(desk.config, run.mandate), contracts.grantors(desk.config)
    if found is None:
        raise Refused(GONE.format(citation=run.mandate, who=who))
    (name, clause), begun = found, _has_changed_something(desk, connection, run)
    mandate = desk.config.mandates[name]
    why = contracts.unconfirmed(desk, connection, name, run.mandate_version or "", mandate)
    why = why or (None if begun else contracts.out_of_date(desk.config, mandate, now))
    if why is not None:
        raise Refused(ENDED.format(name=name, clause=clause.name, why=why))
    deed = Deed(run.runbook, run.service, now, contracts.zone_of(desk.config, mandate), lock=run.target, changes=[target])
    only = clauses.missing(clause, deed, (clauses.targets,) if begun else (clauses.targets, clauses.daytime))
    if only:
        raise Refused(BEYOND.format(name=name, clause=clause.name, only=only[0], who=who))
    if not begun:
        blackout.require_duty(desk.config, connection, run.organisation, run.service, now)


def _still_there(config: Config, run: Run) -> None:
    """Raises Refused when whoever asked has left, is of another company by now, or may no longer run anything."""
    person = config.people.get(run.actor)
    there = person is not None and person.organisation == run.organisation
    if run.actor == VIGIE.key or (there and person and (run.glass is not None or authority.may(person.roles, "act"))):
        return
    side = config.organisations.get(run.organisation)
    raise Refused(LEFT.format(name=person.name if person else run.actor, side=side.name if side else run.organisation))


def _has_changed_something(desk: Desk, connection: sa.Connection, run: Run) -> bool:
    return any(_mutates(desk, each.uses) for each in runs.steps(connection, run.id) if each.begun_at is not None)
