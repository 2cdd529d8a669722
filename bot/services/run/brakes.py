"""The brakes of automation: switches for one runbook, one service or everything; limits by the hour; trust that was lost."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.errors import Refused
from bot.masking import mask_text
from bot.services.alert.response import called, clock_time
from bot.services.desk import VIGIE, Actor, Desk
from bot.services.leave import authority
from bot.services.ledger import journal
from bot.services.run import ladder
from bot.services.slack.drawing import escape
from bot.store import alerts, batch, cards, evidence, groups, rungs, runs
from bot.store.rungs import Switch
from bot.store.runs import Run
from runbooks.model import Runbook

EVERYTHING, SERVICE, RUNBOOK = "everything", "service:", "runbook:"
HOUR = timedelta(hours=1)
LONGEST_REASON = 300

NO_SCOPE = (
    "Nothing is called {given}. Stop `everything`, a service ({services}), or a runbook (`{command} runbooks` lists them)."
)
STOPPED_ALREADY = "Automation is stopped for {scope} already, by {who} since {at}{reason}."
NOT_STOPPED = "Automation is not stopped for {scope}.{others}"
OTHERS = " It is for {scopes}."
NOT_YOURS = "{who} stopped it: they, or a lead, may resume it. Ask {who} or {leads}."

STOPPED = "stopped by {who} {at} for {scope}{reason}"
OFTEN = "{count} run{s} within the hour already, at most {most}"
UNTRUSTED = "the last {count} run{s} did no good, a person must look first"
NO_LONGER = "Automation was {why}."
CLOSED = "{name} is closed: there is nothing left to fix."
WELL = "{name} has recovered meanwhile: there is nothing left to fix."
TOLD = "{who} stopped automation for {scope}{reason}. `{command} resume-automation {word}` lets it go on."
TOLD_AGAIN = "{who} lets automation go on for {scope}."


# --- switches ---


def scope_of(desk: Desk, word: str) -> str:
    """everything, service:pay-api or runbook:queue-backlog, from what a person writes; raises Refused."""
    given = word.strip().lower()
    kind, _, name = given.rpartition(":")
    if given in ("", EVERYTHING):
        return EVERYTHING
    if name in desk.config.services and kind in ("", "service"):
        return f"{SERVICE}{name}"
    if desk.catalogue.runbook(name) and kind in ("", "runbook"):
        return f"{RUNBOOK}{name}"
    raise Refused(NO_SCOPE.format(given=word[:40], services=", ".join(desk.config.services), command=desk.config.command))


def stop(desk: Desk, scope: str, actor: Actor, reason: str = "") -> Switch:
    """From now on nothing of it runs by itself; what is under way stops before its next change. Raises Refused."""
    authority.require(desk.config, actor, "stop-automation", "write")
    now, scope, reason = desk.clock.now(), scope_of(desk, scope), mask_text(reason.strip())
    with desk.begin("stop automation") as connection:
        if not rungs.stop(connection, scope, actor.key, now, reason or None):
            known = rungs.switches(connection, scope)[0]
            raise Refused(STOPPED_ALREADY.format(
                scope=spoken(scope), who=called(desk, known.by), at=clock_time(known.at), reason=_because(known.reason)
            ))
        _told(desk, connection, actor, "automation stopped", scope, now, TOLD, reason)
        return Switch(scope, actor.key, now, reason or None)


def resume(desk: Desk, scope: str, actor: Actor) -> None:
    """It may run by itself again; for whoever stopped it, or a lead. Raises Refused."""
    now, scope = desk.clock.now(), scope_of(desk, scope)
    with desk.begin("resume automation") as connection:
        found = rungs.switches(connection, scope)
        if not found:
            raise Refused(_not_stopped(connection, scope))
        if actor.key != found[0].by and "lead" not in actor.roles:
            leads = [each.name for each in desk.config.people.values() if "lead" in each.roles]
            raise Refused(NOT_YOURS.format(who=called(desk, found[0].by), leads=" or ".join(leads[:3])))
        if not rungs.resume(connection, scope):
            raise Refused(_not_stopped(connection, scope))
        _told(desk, connection, actor, "automation resumed", scope, now, TOLD_AGAIN, "")


def stopped(connection: sa.Connection, runbook: str | None, service: str) -> Switch | None:
    """What keeps this runbook from running by itself for this service; the oldest switch, if there are several."""
    scopes = [EVERYTHING, f"{SERVICE}{service}", *([f"{RUNBOOK}{runbook}"] if runbook else [])]
    return next(iter(rungs.switches(connection, *scopes)), None)


def spoken(scope: str) -> str:
    """As people say it: service pay-api."""
    return scope.replace(":", " ", 1)


def told(desk: Desk, switch: Switch) -> str:
    """stopped by Léa 02:10 for service pay-api: too many restarts."""
    return STOPPED.format(
        who=called(desk, switch.by), at=f"{switch.at:%d %b %H:%M} UTC", scope=spoken(switch.scope),
        reason=_because(switch.reason),
    )


def _because(reason: str | None) -> str:
    return f": {reason}" if reason else ""


def _not_stopped(connection: sa.Connection, scope: str) -> str:
    others = ", ".join(spoken(each.scope) for each in rungs.switches(connection))
    return NOT_STOPPED.format(scope=spoken(scope), others=OTHERS.format(scopes=others) if others else "")


def _told(
    desk: Desk, connection: sa.Connection, actor: Actor, kind: str, scope: str, now: datetime, words: str, reason: str
) -> None:
    """In the journal, in the channel, and on the card of every open alert that it is about."""
    journal.record(connection, actor=actor, kind=kind, object=f"automation:{scope}", outcome="done", at=now,
                   scope=scope, reason=reason or None)
    said = words.format(who=actor.name, scope=spoken(scope), reason=_because(escape(reason, LONGEST_REASON)),
                        command=desk.config.command, word=scope.rpartition(":")[2])
    service = scope.removeprefix(SERVICE) if scope.startswith(SERVICE) else ""
    cards.add_notice(connection, f"switch:{scope}:{now:%Y%m%d%H%M%S%f}", desk.config.channel_of(service), said, now)
    about = {SERVICE: alerts.alert.c.service, RUNBOOK: alerts.alert.c.runbook}
    where = [column == scope.removeprefix(kind) for kind, column in about.items() if scope.startswith(kind)]
    batch.bump_posts(connection, [
        {"key": f"card:{group_id}", "kind": "card", "group_id": group_id, "channel": channel, "due_at": now, "urgency": 2}
        for group_id, channel in groups.open_ones(connection, *where)
    ])


# --- before a run, and before each of its changes ---


def against(
    desk: Desk, connection: sa.Connection, runbook: Runbook, service: str, target: str, now: datetime
) -> tuple[str, ...]:
    """Why Vigie may not run this by itself now; nothing if it may."""
    why = []
    if switch := stopped(connection, runbook.name, service):
        why.append(told(desk, switch))
    count = evidence.automatic_since(connection, runbook.name, target, now - HOUR)
    if count >= runbook.limits.per_hour:
        why.append(OFTEN.format(count=count, s="" if count == 1 else "s", most=runbook.limits.per_hour))
    failures = ladder.in_a_row(connection, runbook)
    if failures >= runbook.limits.stop_after_failures:
        why.append(UNTRUSTED.format(count=failures, s="" if failures == 1 else "s"))
    return tuple(why)


def look(desk: Desk, connection: sa.Connection, run: Run) -> None:
    """Before each step that changes something: raises Refused when Vigie acts by itself and was told to stop meanwhile."""
    if run.actor != VIGIE.key:
        return
    if switch := stopped(connection, run.runbook, run.service):
        raise Refused(NO_LONGER.format(why=told(desk, switch)))
    if run.group_id is not None and first_change(desk, connection, run.id) is None:
        _still_needed(connection, run.group_id)


def _still_needed(connection: sa.Connection, group_id: int) -> None:
    """What healed while the run waited is left alone; a run that has changed something goes on to its end."""
    members = alerts.of_group(connection, group_id)
    if all(each.state in ("recovered", "closed") for each in members):
        words = CLOSED if all(each.state == "closed" for each in members) else WELL
        raise Refused(words.format(name=members[0].name))


def first_change(desk: Desk, connection: sa.Connection, run_id: int) -> datetime | None:
    """When the run began to change the world; None: it has only looked."""
    begun = [
        each.begun_at for each in runs.steps(connection, run_id)
        if each.begun_at and (action := desk.catalogue.actions.get(each.uses)) and action.mutates
    ]
    return min(begun, default=None)
