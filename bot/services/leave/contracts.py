"""Mandates as contracts: which version the leads of both companies have confirmed; without that, a mandate counts for nothing."""

import difflib
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from bot.config import Clause, Config, Mandate
from bot.errors import Refused
from bot.services.alert.response import called
from bot.services.desk import Actor, Desk
from bot.services.leave import hours
from bot.services.leave.clauses import listed
from bot.services.ledger import journal
from bot.store import approvals
from runbooks.model import digest

NOT_YET = "it begins on {day:%d %b %Y}"
OVER = "it ended on {day:%d %b %Y}"
UNCONFIRMED = "no lead of {sides} has confirmed it: `{command} mandate {name} confirm`"
CHANGED = (
    "it has changed since it was confirmed on {day:%d %b %Y}, and leads of both sides must confirm it again: "
    "`{command} mandate {name} confirm`"
)

UNKNOWN = "There is no mandate \"{name}\". {hint}"
DID_YOU_MEAN = "Did you mean {names}?"
KNOWN = "vigie.yaml has {names}."
NONE = "vigie.yaml has none: nobody of the partner may run anything."
NOT_A_LEAD = "Only a lead of {sides} may {verb} mandate {name}: {who}."
ALREADY = "{who} has confirmed this version of mandate {name} for {side} already."
NOTHING_TO_WITHDRAW = "{side} has not confirmed mandate {name}: there is nothing to withdraw."
CONFIRMED = "You confirmed mandate {name} (version {version}) for {side}. {then}"
IN_FORCE = "It is in force: both sides have confirmed it."
NOT_IN_FORCE = "It is not in force: {why}."
WITHDRAWN = "You withdrew mandate {name} for {side}. From now on it allows nothing; steps that have begun are seen to their end."

NO_MANDATES = "No mandate concerns you: vigie.yaml has none of your company's."
HEAD = "*{name}*: {title} · {organisation} · {starts:%d %b %Y} to {ends:%d %b %Y} · version {version}"
CLAUSE = "• {clause}: {runbooks}{limits}"
BY = "{who} ({side}) on {at:%d %b %Y}"
CONFIRMED_BY = "Confirmed by {names}."
NOBODY_CONFIRMED = "Nobody has confirmed it."
SECOND = "second signature: {roles}{side}"
STANDING = ", standing approval of {who} until {until:%d %b %Y}"


def version_of(mandate: Mandate) -> str:
    """A hash that changes with anything in it."""
    return digest(mandate.model_dump(mode="json"))


def short(version: str) -> str:
    return version[:12]


def cite(name: str, clause: Clause) -> str:
    """As refusals and the journal name a clause: nights §1 restart what is stuck."""
    return f"{name} {clause.name}"


def cited(config: Config, citation: str) -> tuple[str, Clause] | None:
    """The mandate's name and the clause that a citation names, as they are now."""
    every = ((name, clause) for name, mandate in config.mandates.items() for clause in mandate.clauses)
    return next(((name, clause) for name, clause in every if cite(name, clause) == citation), None)


def zone_of(config: Config, mandate: Mandate) -> str:
    return config.organisations[mandate.organisation].timezone


def flaw(desk: Desk, connection: sa.Connection, name: str, mandate: Mandate, now: datetime) -> str | None:
    """Why the mandate counts for nothing now; None: it is in force."""
    why = out_of_date(desk.config, mandate, now)
    return why or unconfirmed(desk, connection, name, version_of(mandate), mandate)


def out_of_date(config: Config, mandate: Mandate, now: datetime) -> str | None:
    """Whether its days, in the zone of those whom it is about, are past or still to come."""
    today = hours.local_date(zone_of(config, mandate), now)
    if today < mandate.starts:
        return NOT_YET.format(day=mandate.starts)
    return OVER.format(day=mandate.ends) if today > mandate.ends else None


def unconfirmed(desk: Desk, connection: sa.Connection, name: str, version: str, mandate: Mandate) -> str | None:
    """Whose confirmation of that version is missing, in a sentence; None: both sides have confirmed it."""
    rows, command = approvals.confirmations(connection, name), desk.config.command
    given = {row.organisation for row in rows if row.version == version}
    lacking = [side for side in (_own(desk.config), [mandate.organisation]) if given.isdisjoint(side)]
    if not lacking:
        return None
    older = [row.at for row in rows if row.version != version]
    if older and not given:
        return CHANGED.format(day=max(older), command=command, name=name)
    return UNCONFIRMED.format(sides=_sides(desk.config, (each for side in lacking for each in side)), command=command, name=name)


def leads(config: Config, organisations: Iterable[str]) -> str:
    """Paul (Bridge) or Inès (Padok)."""
    able = [person for person in config.people.values() if "lead" in person.roles and person.organisation in set(organisations)]
    names = [f"{each.name} ({config.organisations[each.organisation].name})" for each in able[:3]]
    return listed(names) or "whoever looks after vigie.yaml"


def grantors(config: Config) -> str:
    """Who can widen a mandate: the leads of those who own the platform."""
    return leads(config, _own(config))


def _own(config: Config) -> list[str]:
    return [key for key, each in config.organisations.items() if each.kind == "own"]


def _sides(config: Config, organisations: Iterable[str]) -> str:
    known = config.organisations
    return listed([known[each].name if each in known else each for each in organisations])


# --- what leads do ----------------------------------------------------------------------------------------------------------


def confirm(desk: Desk, name: str, actor: Actor) -> str:
    """A lead confirms the mandate as it stands in vigie.yaml; it counts once both sides have."""
    key, mandate, now = *_named(desk.config, name), desk.clock.now()
    side, version = _side(desk.config, key, mandate, actor, "confirm"), version_of(mandate)
    with desk.begin("mandate: confirm") as connection:
        if not approvals.confirm(connection, key, version, actor.organisation, actor.key, now):
            row = next(each for each in approvals.confirmations(connection, key)
                       if (each.version, each.organisation) == (version, actor.organisation))
            raise Refused(ALREADY.format(who=called(desk, row.person), name=key, side=side))
        _note(desk, connection, key, actor, "mandate confirmed", now, version=version)
        why = flaw(desk, connection, key, mandate, now)
    then = NOT_IN_FORCE.format(why=why) if why else IN_FORCE
    return CONFIRMED.format(name=key, version=short(version), side=side, then=then)


def withdraw(desk: Desk, name: str, actor: Actor) -> str:
    """A lead of either side ends what it allows, at once."""
    key, mandate, now = *_named(desk.config, name), desk.clock.now()
    side = _side(desk.config, key, mandate, actor, "withdraw")
    with desk.begin("mandate: withdraw") as connection:
        if not approvals.withdraw(connection, key, actor.organisation):
            raise Refused(NOTHING_TO_WITHDRAW.format(side=side, name=key))
        _note(desk, connection, key, actor, "mandate withdrawn", now, version=version_of(mandate))
    return WITHDRAWN.format(name=key, side=side)


def _note(
    desk: Desk, connection: sa.Connection, name: str, actor: Actor, kind: str, now: datetime, version: str
) -> None:
    journal.record(connection, actor=actor, kind=kind, object=f"mandate:{name}", outcome="done", at=now, mandate=name,
                   mandate_version=version, config=desk.config.version)


def _named(config: Config, name: str) -> tuple[str, Mandate]:
    found = next((key for key in config.mandates if key.casefold() == name.strip().casefold()), None)
    if found is not None:
        return found, config.mandates[found]
    near = difflib.get_close_matches(name.strip(), config.mandates, n=2, cutoff=0.5)
    hint = DID_YOU_MEAN.format(names=listed(near)) if near else KNOWN.format(names=listed(list(config.mandates), "and"))
    raise Refused(UNKNOWN.format(name=name.strip()[:40], hint=hint if config.mandates else NONE))


def _side(config: Config, name: str, mandate: Mandate, actor: Actor, verb: str) -> str:
    """The name of the side that the actor leads; raises Refused."""
    sides, person = [*_own(config), mandate.organisation], config.people.get(actor.key)
    if person is None or "lead" not in person.roles or person.organisation not in sides:
        raise Refused(NOT_A_LEAD.format(sides=_sides(config, sides), verb=verb, name=name, who=leads(config, sides)))
    return config.organisations[person.organisation].name


# --- how they stand -----------------------------------------------------------------------------------------------------------


def overview(desk: Desk, actor: Actor) -> str:
    """Every mandate that concerns the actor's side: its days and version, who confirmed it, its clauses."""
    now, own = desk.clock.now(), _own(desk.config)
    mine = {name: each for name, each in desk.config.mandates.items() if actor.organisation in (*own, each.organisation)}
    with desk.read() as connection:
        told = [_told(desk, connection, name, mandate, now) for name, mandate in mine.items()]
    return "\n\n".join(told) or NO_MANDATES


def _told(desk: Desk, connection: sa.Connection, name: str, mandate: Mandate, now: datetime) -> str:
    version, config = version_of(mandate), desk.config
    head = HEAD.format(
        name=name, title=mandate.title, organisation=_sides(config, [mandate.organisation]), starts=mandate.starts,
        ends=mandate.ends, version=short(version),
    )
    by = [BY.format(who=called(desk, row.person), side=_sides(config, [row.organisation]), at=row.at)
          for row in approvals.confirmations(connection, name) if row.version == version]
    why = flaw(desk, connection, name, mandate, now)
    state = IN_FORCE if why is None else NOT_IN_FORCE.format(why=why)
    confirmed = CONFIRMED_BY.format(names=listed(by, "and")) if by else NOBODY_CONFIRMED
    return "\n".join([head, f"{confirmed} {state}", *(_line(desk, clause) for clause in mandate.clauses)])


def _line(desk: Desk, clause: Clause) -> str:
    limits = [listed(each) for each in (clause.services, clause.targets, clause.hours, clause.severities) if each]
    limits += [f"{name} {_range(bound.minimum, bound.maximum, bound.among)}" for name, bound in clause.parameters.items()]
    if clause.second is not None:
        limits.append(_second(desk, clause))
    return CLAUSE.format(clause=clause.name, runbooks=listed(clause.runbooks), limits="".join(f" · {each}" for each in limits))


def _range(low: float | None, high: float | None, among: Iterable[object]) -> str:
    parts = [listed([str(each) for each in among]), "" if low is None else f"≥ {low:g}", "" if high is None else f"≤ {high:g}"]
    return " ".join(each for each in parts if each)


def _second(desk: Desk, clause: Clause) -> str:
    second = clause.second
    assert second is not None
    side = f" of {_sides(desk.config, [second.organisation])}" if second.organisation else ""
    words = SECOND.format(roles=listed(second.by), side=side)
    if second.standing is None:
        return words
    return words + STANDING.format(who=called(desk, second.standing.by), until=second.standing.until)
