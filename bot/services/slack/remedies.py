"""What a card says of remedies: the runbook that fits, a run under way, what fixed it, who was called, what Vigie may do."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.config import Config
from bot.services.alert import similar
from bot.services.alert.response import clock_time
from bot.services.call import retelling, silences
from bot.services.desk import VIGIE, Actor, Desk
from bot.services.leave import authority, duty, mandates
from bot.services.leave.mandates import FIX, Wish
from bot.services.run import brakes, ladder
from bot.services.slack import runcards
from bot.services.slack.drawing import escape, person
from bot.services.slack.runcards import RunView
from bot.store import evidence, journal, rungs, runs
from bot.store.alerts import Alert
from bot.store.rungs import Switch
from bot.store.runs import Run
from runbooks.model import Runbook

RUNBOOK = "Runbook: \"{title}\" · {count} step{s} · {rung}{may}"
RUNGS = {"manual": "run by a person", "click": "one click", "automatic": "runs by itself"}
FROM = "{who} (in blackout until {at})"
MAY, NOBODY_MAY = " · may run: {who}", " · nobody may run it now"
UNDER_WAY = {
    runs.WAITING: "Run {id} \"{title}\" waits for its turn · started by {who}",
    runs.RUNNING: "Runbook \"{title}\" running (step {at} of {all}: {step}) · started by {who} · run {id}",
    runs.ASKING: "✋ Run {id} \"{title}\" waits for approval of step {at} of {all}: {step}",
    runs.IN_DOUBT: "⚠ Run {id} \"{title}\" is in doubt at step {at}: somebody must say in the thread what happened",
    runs.UNDOING: "↩ Run {id} \"{title}\" takes back what it did",
}
FIXED = "\"{title}\" fixed it (run {id})"
NOT_FIXED = "\"{title}\" did not fix it (run {id}): {said}"
NOT_PROVEN = "Not closed: {proof}"
GOOD = "Automatic since {since}: {good} of {all} went well."
STOPPED = "⏸ Automation is stopped for {scope} by {who} since {at}{reason}."
CALLED = "{who} was called {at}"
NOBODY_CALLED, NOT_REACHED = "nobody was paged", "nobody could be reached"

LIKELY, LIKE = "Like {past}", "{name} ({at}): {how}"

MOST_ENTRIES, LONGEST_PROOF, MOST_LIKES = 200, 500, 5_000

Likes = dict[int, str]      # by alert


@dataclass(frozen=True, slots=True)
class Remedies:
    """All that a card tells of remedies; what is not known is left out."""

    runbook: Runbook | None = None
    rung: str = "manual"
    may: tuple[str, ...] | None = None          # who may run it, now or soon; None: not asked
    may_now: bool = True
    under_way: RunView | None = None
    last: Run | None = None                     # the run that fixed it; else the newest that is over
    record: tuple[datetime, int, int] | None = None     # automatic since, good, all
    stopped: Switch | None = None               # what stops Vigie here
    called: tuple[tuple[str | None, datetime], ...] = ()    # None: nobody could be reached
    like: str = ""
    paging: str = ""                            # who is called now, and who is next
    silence: str = ""                           # the one that holds for it


def look(desk: Desk, connection: sa.Connection, members: Sequence[Alert], head: Alert, likes: Likes | None = None) -> Remedies:
    """What the rows say of remedies for these alerts; `likes` remembers what does not change from one drawing to the next."""
    runbook = desk.catalogue.runbook(head.runbook) if head.runbook else None
    tried = runs.find(connection, runs.run.c.group_id == head.group_id, runs.run.c.purpose == FIX, most=5)
    under_way = next((each for each in tried if each.state in runs.UNDER_WAY), None)
    may = who_may(desk, connection, runbook, head) if runbook and _open(head) and not under_way else None
    return Remedies(
        runbook=runbook,
        rung=ladder.rung(connection, runbook) if runbook else "manual",
        may=tuple(each.who for each in may) if may is not None else None,
        may_now=may is None or any(each.since is None for each in may),
        under_way=runcards.view(desk, connection, under_way.id) if under_way else None,
        last=_last(tried, head),
        record=_record(connection, runbook) if runbook and head.state == "closed" else None,
        stopped=brakes.stopped(connection, head.runbook, head.service) if _tells_of_stops(head) else None,
        called=tuple(_called(connection, members)),
        like=_like(desk, connection, head, {} if likes is None else likes) if _open(head) else "",
        paging=retelling.on_card(desk, connection, head),
        silence=silences.on_card(desk, connection, head),
    )


def _last(tried: Sequence[Run], head: Alert) -> Run | None:
    """The one that fixed it; else the newest that is over."""
    over = [each for each in tried if each.state in runs.ENDED]
    return next((each for each in over if each.id == head.fixed_by), next(iter(over), None))


def _like(desk: Desk, connection: sa.Connection, head: Alert, likes: Likes) -> str:
    """What ended the nearest of the past, in one line; the search through thousands is done once an alert."""
    if len(likes) >= MOST_LIKES:
        likes.clear()
    if head.id not in likes:
        likes[head.id] = _compared(desk, connection, head)
    return likes[head.id]


def _compared(desk: Desk, connection: sa.Connection, head: Alert) -> str:
    past = similar.similar_within(desk, connection, head)
    told = [LIKE.format(name=each.name, at=day(each.closed_at), how=escape(each.how, 80)) for each in past]
    return LIKELY.format(past=" · ".join(told)) if told else ""


def day(at: datetime) -> str:
    """4 Nov"""
    return f"{at.day} {at:%b}"


def _open(head: Alert) -> bool:
    return head.state in ("firing", "acked")


def _tells_of_stops(head: Alert) -> bool:
    return head.runbook is not None and head.state != "closed"


@dataclass(frozen=True, slots=True)
class Side:
    """A company whose people may run something: at once, or when their blackout is over."""

    who: str
    since: datetime | None = None


def who_may(desk: Desk, connection: sa.Connection, runbook: Runbook, alert: Alert | None) -> tuple[Side, ...]:
    """Whose people may run it: Padok; Bridge, which nobody shall wake before 08:00."""
    now, found = desk.clock.now(), []
    for key, organisation in desk.config.organisations.items():
        until = duty.in_blackout(desk.config, key, now)
        if _somebody_may(desk, connection, runbook, alert, key, until or now):
            name = escape(organisation.name)
            found.append(Side(FROM.format(who=name, at=clock_time(until)) if until else name, until))
    return tuple(sorted(found, key=lambda each: each.since or now))


def _somebody_may(
    desk: Desk, connection: sa.Connection, runbook: Runbook, alert: Alert | None, organisation: str, at: datetime
) -> bool:
    for key, each in desk.config.people.items():
        if each.organisation == organisation and authority.may(each.roles, "act"):
            actor = Actor(key, each.name, each.organisation, frozenset(each.roles), each.slack)
            return mandates.refusal(desk, connection, Wish(runbook, actor, alert), at) is None
    return False


def _record(connection: sa.Connection, runbook: Runbook) -> tuple[datetime, int, int] | None:
    """Since when it runs by itself, how often that did good, and how often it ran."""
    stands = rungs.get(connection, runbook.name)
    if stands is None or ladder.rung(connection, runbook) != "automatic":
        return None
    past = [each for each in evidence.of_runbook(connection, runbook.name)
            if each.actor == VIGIE.key and each.begun_at >= stands.at]
    return (stands.at, sum(each.good for each in past), len(past)) if past else None


def _called(connection: sa.Connection, members: Sequence[Alert]) -> Iterable[tuple[str | None, datetime]]:
    """Whom Vigie called about these alerts, once each."""
    called_at = [each.called_at for each in members if each.called_at]
    if not called_at:
        return
    entries = journal.about(connection, [f"alert:{each.id}" for each in members], most=MOST_ENTRIES)
    calls = [(json.loads(each.details).get("who"), each.at) for each in entries if each.kind == "person called"]
    first = {who: at for who, at in reversed(calls) if who}
    yield from sorted(first.items(), key=lambda call: call[1]) or [(None, called_at[0])]


def lines(config: Config, remedies: Remedies, head: Alert) -> Iterable[str]:
    """Under who has it: what is done, or could be done, about it."""
    if remedies.under_way:
        yield _running(config, remedies.under_way)
    elif remedies.runbook and head.state in ("firing", "acked"):
        yield _offered(remedies)
    if remedies.last and not remedies.under_way:
        yield from filter(None, _ended(remedies, remedies.last, head))
    if head.proof:
        yield escape(head.proof if head.state == "closed" else NOT_PROVEN.format(proof=head.proof), LONGEST_PROOF)
    if head.state == "closed" and remedies.record:
        since, good, tries = remedies.record
        yield GOOD.format(since=day(since), good=good, all=tries)
    if remedies.stopped:
        yield _stopped(config, remedies.stopped)


def _running(config: Config, shown: RunView) -> str:
    run, step = shown.run, shown.step
    return UNDER_WAY[run.state].format(
        id=run.id, title=escape(run.title), who=person(config, run.actor), at=run.position + 1, all=len(shown.steps),
        step=escape(step.title) if step else "",
    )


def _offered(remedies: Remedies) -> str:
    runbook = remedies.runbook
    assert runbook is not None
    may = "" if remedies.may is None else MAY.format(who="; ".join(remedies.may)) if remedies.may else NOBODY_MAY
    count = len(runbook.steps)
    return RUNBOOK.format(
        title=escape(runbook.title), count=count, s="" if count == 1 else "s", rung=RUNGS[remedies.rung], may=may,
    )


def _ended(remedies: Remedies, run: Run, head: Alert) -> Iterable[str]:
    said = escape(run.said or "", LONGEST_PROOF)
    if done := fixed(remedies, head):
        told = "" if head.state == "closed" else f"{done}."         # the end of a closed one begins with it
        yield " ".join(filter(None, (told, "" if head.proof else said)))        # its proof says it anew
    elif run.state == runs.FAILED:
        yield NOT_FIXED.format(title=escape(run.title), id=run.id, said=said).rstrip()


def fixed(remedies: Remedies, head: Alert) -> str:
    """The run that fixed it, in words; empty when none did."""
    run = remedies.last
    return FIXED.format(title=escape(run.title), id=run.id) if run and head.fixed_by == run.id else ""


def _stopped(config: Config, switch: Switch) -> str:
    reason = f": {escape(switch.reason, 200)}" if switch.reason else ""
    return STOPPED.format(
        scope=escape(brakes.spoken(switch.scope)), who=person(config, switch.by), at=clock_time(switch.at), reason=reason,
    )


def calling(config: Config, remedies: Remedies) -> str:
    """Who was called for it, or that nobody was."""
    told = [
        CALLED.format(who=person(config, key), at=clock_time(at)) if key else NOT_REACHED for key, at in remedies.called
    ]
    return ", ".join(told) or NOBODY_CALLED
