"""Breaking the glass: a run that no mandate allows, for a written reason, loudly, with a second yes, and reviewed afterwards."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.masking import mask_text
from bot.services.alert.response import clock_time
from bot.services.desk import Actor, Desk
from bot.services.leave import blackout, contracts, duty, mandates
from bot.services.leave.clauses import listed
from bot.services.leave.mandates import Wish
from bot.services.leave.signing import plain_times
from bot.services.run import runs
from bot.services.slack.drawing import escape
from bot.services.slack.hush import GLASS_CALL
from bot.services.slack.runcards import thing
from bot.store import approvals, cards
from bot.store import runs as rows
from bot.store.runs import Run

SHORTEST_REASON, LONGEST_REASON, SHORTEST_VERDICT = 10, 500, 10
TOLD_LATER = ("lead", "approver")

SAY_WHY = "Say why the glass must be broken, in at least {least} characters: both companies will read it."
IN_BLACKOUT = "You are in {side}'s blackout until {at}: the glass can be broken by whoever is on duty. On duty: {who}."
NO_NEED = "You may run \"{title}\" as it is: `{command} run`. The glass stays whole."
NOBODY_ON_DUTY = "nobody"

BROKEN = (
    "🔨 {who} ({side}) broke the glass: {run} \"{title}\" on {target}. Why: {reason}\n"
    "No mandate allows it: {refused}\n"
    "Each step that changes something waits for the yes of a lead or approver. {reviewers} must review it: "
    "`{command} reviewed {id} &lt;text&gt;`.{calls}"
)
AFTERWARDS = (
    "{calls} While {side} was in blackout, {who} broke the glass at {at}: run {id} \"{title}\" on {target}. Why: {reason}\n"
    "Please review it: `{command} reviewed {id} &lt;text&gt;`."
)
CALLS = " {people}"
CALLED = (
    "🔨 {side} is in blackout until {until}, and you are the one of its people who is called when the glass is broken.\n"
    "{who} ({whose}) broke it: {run} \"{title}\" on {target}. Why: {reason}\n"
    "Each step that changes something waits for a yes, and yours counts: `{command} approve run{id}`, or "
    "`{command} reject run{id} &lt;reason&gt;`. What you do now is working time: your rest begins anew after it."
)

NOT_BROKEN = "Run {id} broke no glass: there is nothing to review."
UNDER_WAY = "Run {id} is still under way: review it when it is over."
REVIEWED_ALREADY = "Run {id} was reviewed by {who} already."
NOT_A_LEAD = "Only a lead of {sides} may review run {id}: {who}."
OWN_RUN = "You broke the glass yourself: somebody else must review run {id}. {who}"
SAY_WHAT = "Say what you found, in at least {least} characters: it stands in the journal."


def break_glass(desk: Desk, wish: Wish, actor: Actor, reason: str) -> Run:
    """Starts what the actor otherwise may not run; raises Refused for strangers, in the own blackout, and without need."""
    why, now = mask_text(reason.strip())[:LONGEST_REASON], desk.clock.now()
    mandates.is_own(desk.config, actor, "break-glass")          # a person of vigie.yaml, of whichever side
    if len(why) < SHORTEST_REASON:
        raise Refused(SAY_WHY.format(least=SHORTEST_REASON))
    with desk.begin("glass: break") as connection:
        _awake(connection, desk.config, actor, now)
        refused = _refused(desk, connection, replace(wish, actor=actor, glass=None), now)
        run = runs.start_within(desk, connection, replace(wish, actor=actor, mode="manual", glass=why))
        runs.note(connection, run, actor, "glass broken", now, reason=why, refused=refused, runbook=run.runbook,
                  version=run.version, target=run.target, config=desk.config.version)
        _tell(desk, connection, run, actor, refused, now)
        _tell_sleepers(desk, connection, run, actor, now)
        _call_approvers(desk, connection, run, actor, now)
    return run


def _awake(connection: sa.Connection, config: Config, actor: Actor, now: datetime) -> None:
    until = duty.in_blackout(config, actor.organisation, now)
    if until is not None:
        who = listed([config.people[key].name for key in duty.on_call(connection, config, now)]) or NOBODY_ON_DUTY
        side = config.organisations[actor.organisation].name
        raise Refused(IN_BLACKOUT.format(side=side, at=clock_time(until), who=who))


def _refused(desk: Desk, connection: sa.Connection, wish: Wish, now: datetime) -> str:
    """Why the actor may not run it; raises Refused when nothing forbids it."""
    parameters = runs.resolve(wish.runbook, wish.given or {}, wish.alert)
    try:
        mandates.leave(desk, connection, wish, parameters, runs.target_of(wish.runbook, parameters, wish.alert), now)
    except Refused as refusal:
        return plain_times(str(refusal)).partition(mandates.GLASS.partition("{")[0])[0]     # that it can be broken is known
    raise Refused(NO_NEED.format(title=wish.runbook.title, command=desk.config.command))


# --- loud -----------------------------------------------------------------------------------------------------------------


def _tell(desk: Desk, connection: sa.Connection, run: Run, actor: Actor, refused: str, now: datetime) -> None:
    """In the service's channel and where reviews are read; only there people are mentioned who are awake."""
    config = desk.config
    awake = [key for key in _own_signers(config) if duty.in_blackout(config, config.people[key].organisation, now) is None]
    review = config.channels.get(config.review_channel or "")
    for key, channel, called in (("", run.channel, [] if review else awake), (":review", review, awake)):
        if channel is None or (key and channel == run.channel):
            continue
        said = BROKEN.format(
            who=escape(actor.name), side=_side(config, actor.organisation), run=run.name, title=escape(run.title), id=run.id,
            target=escape(thing(run)), reason=escape(run.glass or "", LONGEST_REASON), command=config.command,
            refused=escape(refused, LONGEST_REASON), reviewers=contracts.grantors(config),
            calls=CALLS.format(people=_mentions(config, called)) if called else "",
        )
        cards.add_notice(connection, f"glass:{run.id}{key}", channel, said, now)


def _tell_sleepers(desk: Desk, connection: sa.Connection, run: Run, actor: Actor, now: datetime) -> None:
    """Leads and approvers of the owner who are in blackout learn of it when that ends."""
    config = desk.config
    for organisation, people in _by_organisation(config, _own_signers(config)):
        end = duty.in_blackout(config, organisation, now)
        if end is None:
            continue
        said = AFTERWARDS.format(
            calls=_mentions(config, people), side=_side(config, organisation), who=escape(actor.name), at=clock_time(now),
            id=run.id, title=escape(run.title), target=escape(thing(run)), reason=escape(run.glass or "", LONGEST_REASON),
            command=config.command,
        )
        channel = config.channels.get(config.review_channel or "", run.channel)
        cards.add_notice(connection, f"glass:{run.id}:{organisation}", channel, said, now, due_at=end)


def _call_approvers(desk: Desk, connection: sa.Connection, run: Run, actor: Actor, now: datetime) -> None:
    """The only way into a blackout: the one whom an organisation names for it is told at once, and may answer."""
    config = desk.config
    for person in blackout.reached_through_glass(config, now):
        known = config.people[person]
        said = CALLED.format(
            side=_side(config, known.organisation), until=clock_time(duty.asleep(config, person, now)), who=escape(actor.name),
            whose=_side(config, actor.organisation), run=run.name, title=escape(run.title), target=escape(thing(run)), id=run.id,
            reason=escape(run.glass or "", LONGEST_REASON), command=config.command,
        )
        cards.add_direct(connection, f"{GLASS_CALL}{run.id}:{person}", known.slack, said, now)
        runs.note(connection, run, actor, "glass called", now, who=person, reason=run.glass, config=config.version)


def _own_signers(config: Config) -> list[str]:
    own = {key for key, each in config.organisations.items() if each.kind == "own"}
    return [key for key, each in config.people.items() if each.organisation in own and not set(TOLD_LATER).isdisjoint(each.roles)]


def _by_organisation(config: Config, people: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    keys = list(people)
    for organisation in dict.fromkeys(config.people[key].organisation for key in keys):
        yield organisation, [key for key in keys if config.people[key].organisation == organisation]


def _mentions(config: Config, people: Iterable[str]) -> str:
    return " ".join(f"<@{config.people[key].slack}>" for key in people)


def _side(config: Config, organisation: str) -> str:
    return escape(config.organisations[organisation].name)


# --- reviewed ---------------------------------------------------------------------------------------------------------------


def review(desk: Desk, run_id: int, actor: Actor, verdict: str) -> Run:
    """A lead of the platform's owner has looked at it and says what was found."""
    now, text = desk.clock.now(), mask_text(verdict.strip())[:LONGEST_REASON]
    with desk.begin("glass: review") as connection:
        run = rows.by_id(connection, run_id)
        if run is None or run.glass is None:
            raise Refused(NOT_BROKEN.format(id=run_id))
        _may_review(desk.config, run, actor)
        if run.state not in rows.ENDED:
            raise Refused(UNDER_WAY.format(id=run_id))
        if len(text) < SHORTEST_VERDICT:
            raise Refused(SAY_WHAT.format(least=SHORTEST_VERDICT))
        if not approvals.review(connection, run_id, actor.key):
            who = desk.config.people.get(rows.get(connection, run_id).reviewed_by or "")
            raise Refused(REVIEWED_ALREADY.format(id=run_id, who=who.name if who else "somebody"))
        runs.note(connection, run, actor, "glass reviewed", now, note=text, config=desk.config.version)
        runs.show(connection, run, now, urgency=1)
        return rows.get(connection, run_id)


def _may_review(config: Config, run: Run, actor: Actor) -> None:
    person = config.people.get(actor.key)
    own = [key for key, each in config.organisations.items() if each.kind == "own"]
    if person is None or "lead" not in person.roles or person.organisation not in own:
        sides = listed([config.organisations[key].name for key in own])
        raise Refused(NOT_A_LEAD.format(sides=sides, id=run.id, who=contracts.grantors(config)))
    if actor.key == run.actor:
        raise Refused(OWN_RUN.format(id=run.id, who=contracts.grantors(config)))


def unreviewed(connection: sa.Connection) -> list[Run]:
    """Runs that broke the glass and that nobody has reviewed, newest first."""
    return approvals.unreviewed(connection)
