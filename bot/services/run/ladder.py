"""The promotion ladder: manual, one click, automatic. Evidence makes ready, two companies promote, one failure demotes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.masking import mask_text
from bot.services.alert.response import called, clock_time
from bot.services.desk import VIGIE, Actor, Desk
from bot.services.leave import authority, duty
from bot.services.ledger import journal
from bot.store import cards, evidence, rungs
from bot.store.evidence import Past
from bot.store.rungs import Proposal
from runbooks.model import RUNGS, Runbook, Rung

ENOUGH: dict[Rung, int] = {"click": 2, "automatic": 5}     # verified successes in a row, to climb there
PEOPLE: dict[Rung, int] = {"click": 1, "automatic": 2}     # by so many different people
WAITS = timedelta(days=7)                                   # a proposal, for its second signature
ROLES = frozenset({"lead", "approver"})
SHORTEST_REASON = 10

SUCCESSES = "{count} of {wanted} verified successes in a row"
BY_PEOPLE = "by {count} of {wanted} different people"
NO_PROOFS = "it proves nothing: it has no `verify`"
BROKEN_BY = "run {id} {how} on {at}: only what came after it counts"
FAILED, RELAPSED, TAKEN_BACK = "failed", "did not hold", "was taken back"
CHANGED = "changed since {count} of these runs: read what changed"

NOT_YOURS = "Only a lead or an approver promotes a runbook. Ask {who}."
NOT_NOW = "You are in blackout until {until}: promote it then."
NO_HIGHER = "\"{title}\" climbs to {ceiling} at most: its file says so (`automation: {ceiling}`)."
STEP_BY_STEP = "\"{title}\" is on {rung}: the next rung is {next}."
STANDS_THERE = "\"{title}\" is on {rung} already{since}."
NOT_READY = "\"{title}\" is not ready for {rung}: {why}. To promote it all the same, write why: `without evidence: ...`."
NOTHING_PROPOSED = "Nobody has proposed to promote \"{title}\". Propose it: `{command} promote {name}`."
SAME_SIDE = "{who} of your own company proposed it: the second signature is another company's. Ask {others}."
OWN_PROPOSAL = "You proposed it yourself: the second signature is another company's. Ask {others}."
CHANGED_MEANWHILE = "\"{title}\" has changed since {who} proposed it: read it, and propose it again."
SOMEBODY = "a lead of the other company"

WITHOUT_EVIDENCE = "without evidence: "
PROMOTED = "on {rung} since {at}, by {who}{reason}"
AND = "{one} and {other}"
DEMOTED = "\"{title}\" is on {rung} now, no longer on {before}: {why}."
ASKS = (
    "{who} proposes that \"{title}\" climbs from {before} to {rung}: {why}. "
    "A lead or approver of another company signs with `{command} promote {name}` until {until}."
)


@dataclass(frozen=True, slots=True)
class Readiness:
    """What the runs of a runbook say of its next rung."""

    rung: Rung                  # where it stands
    next: Rung | None           # None: it may not climb higher
    successes: int              # in a row, since the last run that did no good
    verified: int               # of these, proven
    people: int                 # who ran these
    failures: int               # of all runs known
    rollbacks: int
    runs: int                   # known
    since: datetime | None      # when the row of successes began
    enough: bool
    why: tuple[str, ...]


def rung(connection: sa.Connection, runbook: Runbook) -> Rung:
    """Where it stands, never above what its own file allows; without a word of people, by hand."""
    row = rungs.get(connection, runbook.name)
    found: Rung = next((each for each in RUNGS if row and each == row.rung), "manual")
    return min(found, runbook.automation, key=RUNGS.index)


def since(desk: Desk, connection: sa.Connection, runbook: Runbook) -> str:
    """Who put it there, when and why, in a few words; nothing if nobody ever did."""
    row = rungs.get(connection, runbook.name)
    if row is None:
        return ""
    who = called(desk, row.by)
    who = AND.format(one=who, other=called(desk, row.second)) if row.second else who
    reason = f": {row.reason}" if row.reason else ""
    return PROMOTED.format(rung=rung(connection, runbook), at=f"{row.at:%d %b %Y}", who=who, reason=reason)


def readiness(connection: sa.Connection, runbook: Runbook) -> Readiness:
    """Counted from the runs themselves; whoever promotes may read them all."""
    past = evidence.of_runbook(connection, runbook.name)
    spoilt = next((each for each in past if each.bad or each.taken_back), None)
    row = [each for each in past if each.good and (spoilt is None or each.begun_at > spoilt.begun_at)]
    verified, people = sum(each.proven for each in row), {each.actor for each in row} - {VIGIE.key}
    stands = rung(connection, runbook)
    higher = _next(runbook, stands)
    missing = _missing(runbook, higher, verified, len(people)) if higher else []
    told = [*missing, *_history(runbook, row, spoilt)]
    return Readiness(
        stands, higher, len(row), verified, len(people), sum(each.bad for each in past),
        sum(each.taken_back for each in past), len(past), row[-1].begun_at if row else None, not missing, tuple(told),
    )


def _next(runbook: Runbook, stands: Rung) -> Rung | None:
    higher = RUNGS[RUNGS.index(stands) + 1:]
    return higher[0] if higher and RUNGS.index(higher[0]) <= RUNGS.index(runbook.automation) else None


def _missing(runbook: Runbook, to: Rung, verified: int, people: int) -> list[str]:
    missing = [] if runbook.verify else [NO_PROOFS]
    missing += [SUCCESSES.format(count=verified, wanted=ENOUGH[to])] if verified < ENOUGH[to] else []
    return missing + ([BY_PEOPLE.format(count=people, wanted=PEOPLE[to])] if people < PEOPLE[to] else [])


def _history(runbook: Runbook, row: list[Past], spoilt: Past | None) -> list[str]:
    told = []
    if spoilt:
        how = RELAPSED if spoilt.relapsed_at else FAILED if spoilt.bad else TAKEN_BACK
        told.append(BROKEN_BY.format(id=spoilt.id, how=how, at=f"{spoilt.begun_at:%d %b}"))
    older = sum(each.version != runbook.version for each in row)
    return told + ([CHANGED.format(count=older)] if older else [])


# --- promotion: two people of two companies ---


def propose(desk: Desk, runbook: Runbook, to: Rung, actor: Actor, reason: str = "") -> Proposal | None:
    """The first of two signatures, or one person's way down at once; raises Refused with what is missing."""
    now = desk.clock.now()
    with desk.begin("propose") as connection:
        ready = readiness(connection, runbook)
        written = mask_text(reason.strip().removeprefix(WITHOUT_EVIDENCE.strip()).strip())
        if to == ready.rung:
            told = since(desk, connection, runbook)
            raise Refused(STANDS_THERE.format(title=runbook.title, rung=to, since=f" ({told})" if told else ""))
        if RUNGS.index(to) < RUNGS.index(ready.rung):
            authority.require(desk.config, actor, "promote", "act")
            _put(connection, runbook, to, actor, None, written or None, now)
            return None
        _may_promote(desk, actor, now)
        _check_height(runbook, to, ready)
        if not ready.enough and len(written) < SHORTEST_REASON:
            raise Refused(NOT_READY.format(title=runbook.title, rung=to, why="; ".join(ready.why)))
        said = (written if ready.enough else f"{WITHOUT_EVIDENCE}{written}") or None
        made = rungs.propose(connection, runbook=runbook.name, version=runbook.version, rung=to, by=actor.key,
                             organisation=actor.organisation, at=now, reason=said)
        _note(connection, runbook.name, actor, "promotion proposed", now, rung=to, version=runbook.version, reason=said)
        _ask(desk, connection, runbook, made, ready, now)
        return made


def second(desk: Desk, runbook: Runbook, actor: Actor) -> Proposal:
    """The second signature, of another company's lead or approver: the runbook stands there from now on."""
    now = desk.clock.now()
    with desk.begin("promote") as connection:
        made = rungs.open_proposal(connection, runbook.name, now - WAITS)
        if made is None:
            raise Refused(NOTHING_PROPOSED.format(title=runbook.title, name=runbook.name, command=desk.config.command))
        _may_promote(desk, actor, now)
        if actor.organisation == made.organisation:
            words = OWN_PROPOSAL if actor.key == made.by else SAME_SIDE
            raise Refused(words.format(who=called(desk, made.by), others=_others(desk.config, made.organisation)))
        if made.version != runbook.version:
            raise Refused(CHANGED_MEANWHILE.format(title=runbook.title, who=called(desk, made.by)))
        to = next(each for each in RUNGS if each == made.rung)
        _check_height(runbook, to, readiness(connection, runbook))
        if not rungs.end_proposals(connection, runbook.name, now):
            raise Refused(NOTHING_PROPOSED.format(title=runbook.title, name=runbook.name, command=desk.config.command))
        _put(connection, runbook, to, actor, made, made.reason, now)
        return made


def waiting(desk: Desk, connection: sa.Connection, runbook: Runbook) -> Proposal | None:
    """The proposal that waits for its second signature."""
    return rungs.open_proposal(connection, runbook.name, desk.clock.now() - WAITS)


def _may_promote(desk: Desk, actor: Actor, now: datetime) -> None:
    if not ROLES & actor.roles:
        raise Refused(NOT_YOURS.format(who=_others(desk.config, "")))
    until = duty.in_blackout(desk.config, actor.organisation, now)
    if until is not None:
        raise Refused(NOT_NOW.format(until=clock_time(until)))


def _check_height(runbook: Runbook, to: Rung, ready: Readiness) -> None:
    if RUNGS.index(to) > RUNGS.index(runbook.automation):
        raise Refused(NO_HIGHER.format(title=runbook.title, ceiling=runbook.automation))
    if to != ready.next:
        raise Refused(STEP_BY_STEP.format(title=runbook.title, rung=ready.rung, next=ready.next))


def _others(config: Config, organisation: str) -> str:
    able = [each.name for each in config.people.values() if each.organisation != organisation and ROLES & set(each.roles)]
    return " or ".join(able[:3]) or SOMEBODY


def _ask(desk: Desk, connection: sa.Connection, runbook: Runbook, made: Proposal, ready: Readiness, now: datetime) -> None:
    """Who could sign shall see it, without being called for it."""
    why = made.reason or SUCCESSES.format(count=ready.verified, wanted=ENOUGH[ready.next or "click"])
    said = ASKS.format(
        who=called(desk, made.by), title=runbook.title, before=ready.rung, rung=made.rung, why=why, name=runbook.name,
        command=desk.config.command, until=f"{now + WAITS:%d %b}",
    )
    channel = desk.config.channels[desk.config.review_channel or desk.config.default_channel]
    cards.add_notice(connection, f"proposal:{made.id}", channel, said, now)


def _put(
    connection: sa.Connection, runbook: Runbook, to: Rung, actor: Actor, made: Proposal | None, reason: str | None, now: datetime,
) -> None:
    """`made` is the proposal that the actor signs; without one, the actor alone takes trust back."""
    by, signed = (made.by, actor.key) if made else (actor.key, None)
    rungs.put(connection, runbook.name, to, now, by, signed, reason)
    rungs.end_proposals(connection, runbook.name, now)
    kind = "runbook promoted" if made else "runbook demoted"
    _note(connection, runbook.name, actor, kind, now, rung=to, version=runbook.version, proposed_by=by if made else None,
          reason=reason)


# --- trust that is lost ---


def fell(desk: Desk, connection: sa.Connection, runbook: str, why: str, now: datetime) -> str | None:
    """One rung lower, at once, unless the runbook's limits allow another failure; returns the sentence that says so."""
    known = desk.catalogue.runbook(runbook)
    if known is None or max(1, in_a_row(connection, known)) < known.limits.stop_after_failures:
        return None
    before = rung(connection, known)
    if before == "manual":
        return None
    lower = RUNGS[RUNGS.index(before) - 1]
    rungs.put(connection, runbook, lower, now, VIGIE.key, None, why)
    rungs.end_proposals(connection, runbook, now)
    _note(connection, runbook, VIGIE, "runbook demoted", now, rung=lower, version=known.version, reason=why)
    return DEMOTED.format(title=known.title, rung=lower, before=before, why=why)


def in_a_row(connection: sa.Connection, runbook: Runbook) -> int:
    """How many of its last runs did no good, since one that did or since people last said how far it is trusted."""
    row = rungs.get(connection, runbook.name)
    trusted = row.at if row and row.by != VIGIE.key else None
    count = 0
    for each in evidence.of_runbook(connection, runbook.name, most=20):
        if each.good or (trusted and each.begun_at < trusted):
            break
        count += each.bad
    return count


def _note(connection: sa.Connection, runbook: str, actor: Actor, kind: str, now: datetime, **details: str | None) -> None:
    journal.record(connection, actor=actor, kind=kind, object=f"runbook:{runbook}", outcome="done", at=now, **details)
