"""What is told of calls where people look: on the card, in `status`, and in `why`."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from bot.services.alert.response import called, clock_time
from bot.services.call import placing, wording
from bot.services.desk import Desk
from bot.services.leave.duty import Callee
from bot.services.slack.drawing import escape
from bot.store import escalations, pages
from bot.store.alerts import Alert
from bot.store.escalations import Attempt, Escalation
from bot.store.pages import RUNNING, Silence

PAGING, THEN, THEN_ALL = "Paging {who}; {then} at {at}.", "{who}", "everybody again"
NOBODY = "Nobody can be called; Vigie tries again at {at}."
CALLED = "*Called*"
CALL = "• {at} {who} ({role}): {media}"
MEDIUM, BECAUSE = "{medium}: {state}{at}", " ({why})"
MEDIA = {"mention": "thread", "direct": "direct message", "contact": "other way"}     # the last until it is known which
STATES = {"due": "on its way", "sent": "sent", "seen": "read", "failed": "failed", "doubtful": "perhaps sent",
          "held_back": "held back"}
SILENCED = "*Silences*"
SILENCE = "• {id}: {service} until {until} by {who}{second}: {reason}. `{command} silence end {id}`"
SECOND, UNAGREED = " and {who}", " (important alerts still call: `{command} silence agree {id}`)"
CALLING = "*Being called*"
CALLING_LINE = "• #{alert}: {paging}"
MOST = 8


# --- the card ---------------------------------------------------------------------------------------------------------------


def on_card(desk: Desk, connection: sa.Connection, head: Alert) -> str:
    """Paging @lea (Padok, primary); @omar (secondary) at 02:19. Names, no mentions: an edited card calls nobody."""
    if head.state not in ("firing", "acked"):
        return ""
    going = [each for each in escalations.of_group(connection, head.group_id) if each.state == RUNNING and not each.held_until
             and (each.relieves or not head.acked_by)]
    return _paging(desk, connection, going[-1]) if going else ""


def _paging(desk: Desk, connection: sa.Connection, calling: Escalation) -> str:
    at = clock_time(calling.due_at)
    if calling.nobody_since is not None:
        return NOBODY.format(at=at)
    here = placing.ladder(desk, connection, calling, desk.clock.now())
    last = [Callee(each.person, each.role) for each in here.before if each.level == calling.level]
    coming = here.after(calling.level)
    everybody = coming is None or coming.number >= len(here.rules.steps)
    then = THEN_ALL if everybody or coming is None else THEN.format(who=wording.everybody(desk.config, coming.people))
    return PAGING.format(who=wording.everybody(desk.config, last), then=then, at=at)


# --- status and why -----------------------------------------------------------------------------------------------------------


def status(desk: Desk, connection: sa.Connection) -> Iterable[str]:
    """Who is being called about what, and what is silent."""
    going = [each for each in escalations.running(connection) if each.alert_id and not each.held_until]
    if going:
        lines = [CALLING_LINE.format(alert=each.alert_id, paging=_paging(desk, connection, each)) for each in going[:MOST]]
        yield from (CALLING, *lines)
    if holding := pages.silences(connection, desk.clock.now()):
        yield from (SILENCED, *(_silence(desk, each) for each in holding))


def _silence(desk: Desk, each: Silence) -> str:
    command = desk.config.command
    second = SECOND.format(who=called(desk, each.second)) if each.second else UNAGREED.format(command=command, id=each.id)
    return SILENCE.format(id=each.id, service=each.service, until=clock_time(each.until), who=called(desk, each.by),
                          second=second, reason=escape(each.reason), command=command)


def why(desk: Desk, connection: sa.Connection, alert: Alert) -> Iterable[str]:
    """Who was called when, and what became of each way."""
    found = escalations.about_group(connection, alert.group_id)
    if not found:
        return
    yield CALLED
    by_call: dict[tuple[int, int, str], list[Attempt]] = {}
    for each in found:
        by_call.setdefault((each.escalation_id, int(each.at.timestamp()), each.person), []).append(each)
    yield from (_call(desk, each) for each in list(by_call.values())[-2 * MOST:])


def _call(desk: Desk, ways: Sequence[Attempt]) -> str:
    first = ways[0]
    media = ", ".join(_medium(each) for each in ways)
    return CALL.format(at=clock_time(first.at), who=called(desk, first.person), role=first.role, media=media)


def _medium(each: Attempt) -> str:
    at, medium = each.seen_at or each.sent_at, MEDIA.get(each.medium, each.medium)
    told = MEDIUM.format(medium=medium, state=STATES[each.state], at=f" {clock_time(at)}" if at else "")
    return told + (BECAUSE.format(why=escape(each.why, 80)) if each.why else "")
