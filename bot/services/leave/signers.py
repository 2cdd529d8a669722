"""Whose yes a step needs, who could give it, who is asked; pure. Nobody in blackout is ever among them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.config import Clause, Config
from bot.config.catalogue import Catalogue
from bot.errors import Refused
from bot.services.alert.response import clock_time
from bot.services.desk import VIGIE
from bot.services.leave import duty, hours
from bot.services.leave.clauses import listed
from bot.services.leave.contracts import grantors
from bot.services.run.reach import straight
from runbooks.actions import Action
from runbooks.model import Runbook, Step, Use

SIGNERS = ("lead", "approver")

BY_RUNBOOK = "the runbook asks for it"
BY_MANDATE = "mandate {clause}"
BY_IMPORTANCE = "the alert is important, and Vigie acts by itself"
BY_GLASS = "the glass is broken"
STANDING = "mandate {clause}, standing approval of {who} until {until:%d %b %Y}"
STANDS_IN = "{why}; {absent} in blackout, so the lead on duty signs"

NOBODY = "It needs the yes of {whose} ({why}), and {lack}. {instead}"
SEVERAL = "{count} people: "
A_ROLE = "a {roles}{side}"
OF = " of {names}"
OF_OTHERS = " of another company than {name}"
ASLEEP = "{names} {is_are} in blackout until {at}"
TOO_FEW = "only {names} may be asked now"
ONLY_YOU = "whoever asks for a run cannot approve it"
NOBODY_AT_ALL = "nobody in vigie.yaml has that role"
WAIT = "Wait until {at}"
GLASS = "break glass: `{command}`"
CHANGE = "{who} can change what vigie.yaml or the runbook asks for"
STEP_AHEAD = "Step {number} \"{title}\" could not be approved. {why}"


@dataclass(frozen=True, slots=True)
class Demand:
    """Whose yes is wanted, how many, and why."""

    roles: tuple[str, ...]
    side: str                           # any, own, partner, other, or an organisation's key
    count: int
    why: str
    standing: str | None = None         # in words: the approval given beforehand that may count as it
    signer: str | None = None           # ... and who gave it
    who: tuple[str, ...] = ()           # the people who were asked
    stands_in: bool = False             # they are leads who sign for those in blackout


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants a run, as far as it decides whose yes it needs."""

    actor: str
    organisation: str
    clause: Clause | None = None
    citation: str = ""                  # nights §1 restart what is stuck
    zone: str = "UTC"                   # of the mandate's organisation
    glass: bool = False
    important: bool = False             # an important alert that Vigie treats by itself
    instead: str = ""                   # how the glass can be broken; empty: not by this asker


def demands(config: Config, asker: Asker, use: Use, action: Action[Any], first: bool, now: datetime) -> list[Demand]:
    """Whose yes a step needs; none: it may begin. `first`: nothing was changed before it."""
    if asker.glass and action.mutates:
        return [Demand(SIGNERS, "any", 1, BY_GLASS)]
    wanted = []
    approve = use.approve if isinstance(use, Step) else None
    if approve is not None:
        wanted.append(Demand(approve.by, approve.side, approve.count, action.asks or BY_RUNBOOK))
    elif action.asks:
        wanted.append(Demand(SIGNERS, "any", 1, action.asks))
    if asker.clause is not None and asker.clause.second is not None and action.mutates:
        wanted.append(_second(config, asker, asker.clause, now))
    if asker.important and action.mutates and first:
        wanted.append(Demand(SIGNERS, "any", 1, BY_IMPORTANCE))
    return wanted


def _second(config: Config, asker: Asker, clause: Clause, now: datetime) -> Demand:
    second = clause.second
    assert second is not None
    wanted = Demand(second.by, second.organisation or "any", 1, BY_MANDATE.format(clause=asker.citation))
    given = second.standing
    if given is None or hours.local_date(asker.zone, now) > given.until:
        return wanted
    words = STANDING.format(clause=asker.citation, who=_names(config, [given.by]), until=given.until)
    return replace(wanted, standing=words, signer=given.by)


def could(config: Config, demand: Demand, asker: Asker) -> list[str]:
    """Who has the role, is of the right side, and did not ask for the run, awake or not."""
    return [
        key for key, person in config.people.items()
        if key != asker.actor and not set(demand.roles).isdisjoint(person.roles)
        and _of_side(config, demand.side, person.organisation, asker.organisation)
    ]


def able(config: Config, demand: Demand, asker: Asker) -> list[str]:
    """Whose answer counts: who could now, and whoever stands in for them, as long as they are leads."""
    leads = [key for key in demand.who if key in config.people and "lead" in config.people[key].roles]
    return [*could(config, demand, asker), *(leads if demand.stands_in else ())]


def _of_side(config: Config, side: str, organisation: str, asking: str) -> bool:
    kind = config.organisations[organisation].kind
    return {"any": True, "own": kind == "own", "partner": kind == "partner", "other": organisation != asking}.get(
        side, organisation == side
    )


def placed(config: Config, demand: Demand, asker: Asker, now: datetime) -> Demand:
    """The demand with those who are asked: whoever could and is awake.

    While all who could are in blackout, an approval that one of them gave beforehand counts; without one, the lead on duty
    signs for them. Raises Refused when nobody may be asked, with what would work.
    """
    those = could(config, demand, asker)
    awake = _awake(config, those, now)
    if len(awake) >= demand.count:
        return replace(demand, who=tuple(awake), standing=None, signer=None)
    if those and not awake:
        if demand.signer in those and demand.count == 1:
            return demand
        leads = _leads_on_duty(config, asker, now)
        if len(leads) >= demand.count:
            why = STANDS_IN.format(why=demand.why, absent=_names(config, those, "and"))
            return replace(demand, who=tuple(leads), why=why, standing=None, signer=None, stands_in=True)
    raise Refused(_nobody(config, demand, asker, those, awake, now))


def _awake(config: Config, people: Iterable[str], now: datetime) -> list[str]:
    return [key for key in people if duty.in_blackout(config, config.people[key].organisation, now) is None]


def _leads_on_duty(config: Config, asker: Asker, now: datetime) -> list[str]:
    side = duty.side_on_duty(config, now)
    leads = Demand(("lead",), side, 1, "") if side else None
    return _awake(config, could(config, leads, asker), now) if leads else []


def signed(config: Config, demand: Demand, asker: Asker, signatures: Sequence[Any]) -> bool:
    """Whether these signatures are all that the demand wants; what was given beforehand counts for nothing else."""
    fit = able(config, demand, asker)
    people = {each.person for each in signatures if each.standing is None and each.person in fit}
    beforehand = {each.person for each in signatures if each.standing is not None and each.standing == demand.standing}
    return len(people | beforehand) >= demand.count


def foresee(config: Config, catalogue: Catalogue, runbook: Runbook, asker: Asker, now: datetime) -> None:
    """Raises Refused when a step of a run in which all goes well could not be approved by anybody."""
    first = True
    for number, step in enumerate(straight(runbook)):
        action = catalogue.actions.get(step.uses)
        if action is None:
            continue
        for demand in demands(config, asker, step, action, first, now):
            try:
                placed(config, demand, asker, now)
            except Refused as refusal:
                raise Refused(STEP_AHEAD.format(number=number + 1, title=step.caption, why=refusal)) from refusal
        first = first and not action.mutates


# --- in words ---------------------------------------------------------------------------------------------------------------


def whose(config: Config, demand: Demand, asking: str) -> str:
    """A lead or approver of Bridge."""
    count = SEVERAL.format(count=demand.count) if demand.count > 1 else ""
    return count + A_ROLE.format(roles=listed(demand.roles), side=_side(config, demand.side, asking))


def _side(config: Config, side: str, asking: str) -> str:
    known = config.organisations
    if side == "other" and asking in known:
        return OF_OTHERS.format(name=known[asking].name)
    if side in ("any", "other"):
        return ""
    return OF.format(names=listed([each.name for key, each in known.items() if side in (key, each.kind)]))


def _nobody(
    config: Config, demand: Demand, asker: Asker, those: Sequence[str], awake: Sequence[str], now: datetime
) -> str:
    asleep = [key for key in those if key not in awake]
    ends = [end for key in asleep if (end := duty.in_blackout(config, config.people[key].organisation, now))]
    ways = [WAIT.format(at=clock_time(min(ends)))] if ends else []
    ways += [GLASS.format(command=asker.instead)] if asker.instead else []
    instead = ", or ".join(ways) if ways else CHANGE.format(who=grantors(config))
    lack = _lack(config, demand, asker, asleep, awake, min(ends) if ends else None)
    return NOBODY.format(
        whose=whose(config, demand, asker.organisation), why=demand.why, lack=lack,
        instead=f"{instead[:1].upper()}{instead[1:]}.",
    )


def _lack(
    config: Config, demand: Demand, asker: Asker, asleep: Sequence[str], awake: Sequence[str], until: datetime | None
) -> str:
    words = [TOO_FEW.format(names=_names(config, awake, "and"))] if awake else []
    if asleep:
        is_are = "is" if len(asleep) == 1 else "are"
        words.append(ASLEEP.format(names=_names(config, asleep, "and"), is_are=is_are, at=clock_time(until)))
    if words:
        return "; ".join(words)
    alone = could(config, demand, replace(asker, actor=VIGIE.key))
    return ONLY_YOU if alone else NOBODY_AT_ALL


def _names(config: Config, people: Sequence[str], last: str = "or") -> str:
    return listed([config.people[key].name if key in config.people else key for key in people], last)
