"""The outgoing side's one line, its if-thens, and how grave it finds the state."""

import json
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.errors import Refused
from bot.masking import mask_text
from bot.services.alert.response import clock_time
from bot.services.desk import Actor, Desk
from bot.services.handoff import acting, gathering, upcoming
from bot.services.handoff.note import STATES
from bot.store import handoffs
from bot.store.handoffs import Handoff

BEFORE = ("planned", "draft", "submitted")
MOST_IF_THEN, LONGEST_LINE = 3, 300

NO_LINE = "Write something: `{command} handoff note <line>`."
LINE_TOO_LONG = (
    "line too long: one line holds at most {most} characters, this one has {length}; what must be done is an action: "
    "`{command} handoff action <text>`."
)
TOO_MANY_IFS = "if-then holds at most three lines, these are {count}; keep those that matter tonight."
ONLY_RAISED = "raise goes up only: the state is computed as {computed}."
HAS_PASSED = (
    "The duty passed at {at}: the note is closed. Write on the alert itself, or add an action: `{command} handoff action <text>`."
)
NOT_YOUR_LINE = "{giver} hands over at {at}: only its people write this line."


def write(
    desk: Desk, found: Handoff, actor: Actor, line: str, if_then: Sequence[str] = (), raised: str | None = None
) -> Handoff:
    """The outgoing side's one line; with it the note is submitted. Written again, the newest counts."""
    now, line = desk.clock.now(), mask_text(line.strip())
    acting.demand(desk, found, actor, found.from_team, NOT_YOUR_LINE)
    if not line:
        raise Refused(NO_LINE.format(command=desk.config.command))
    if len(line) > LONGEST_LINE:
        raise Refused(LINE_TOO_LONG.format(most=LONGEST_LINE, length=len(line), command=desk.config.command))
    kept = [mask_text(each.strip())[:LONGEST_LINE] for each in if_then if each.strip()]
    if len(kept) > MOST_IF_THEN:
        raise Refused(TOO_MANY_IFS.format(count=len(kept)))
    given = {"line": line, "if_then": json.dumps(kept, ensure_ascii=False), "raised": raised, "submitted_by": actor.key}
    with desk.begin("handoff: write") as connection:
        _demand_raised(desk, connection, found, raised, now)
        if now >= found.boundary or not handoffs.change(
            connection, found.id, BEFORE, state="submitted", submitted_at=now, due_at=now, **given
        ):
            raise Refused(HAS_PASSED.format(at=clock_time(found.boundary), command=desk.config.command))
        told = {"line": line, "raised": raised, "if_then": "; ".join(kept) or None}
        acting.record(connection, found, actor, "handoff line written", now, **told)
        return acting.redrawn(desk, connection, found, now)


def _demand_raised(desk: Desk, connection: sa.Connection, found: Handoff, raised: str | None, now: datetime) -> None:
    if raised is None:
        return
    computed = gathering.gather(desk, connection, found, upcoming.times(desk.config, found), now).computed
    if raised not in STATES or STATES.index(raised) < STATES.index(computed):
        raise Refused(ONLY_RAISED.format(computed=computed))
