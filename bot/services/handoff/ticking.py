"""What time alone does to handoffs: each step of the protocol once, however many processes ask and whenever they come back."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.services import singly
from bot.services.desk import Desk
from bot.services.handoff import gathering, protocol, telling, upcoming
from bot.services.handoff.note import same, written
from bot.services.handoff.protocol import Step, Times
from bot.services.handoff.telling import Scene
from bot.services.handoff.upcoming import Sides
from bot.services.slack.drawing import escape
from bot.store import alerts, cards, handoffs, overnight
from bot.store.handoffs import Handoff

LOOK_EVERY = timedelta(minutes=1)       # so often a note is made anew that nobody has accepted
DONE, SKIPPED, TOO_LATE, NOT_REVIEWED = "done", "skipped", "its time was over", "not reviewed"
NOT_ACCEPTED, NOT_RUNNING = "nobody accepted it by {due}", "Vigie was not running"
IN_HAND = "{who} has {name} in hand and is off now: nobody of {taker} has taken it over."
MOVES = {
    protocol.DRAFT: (("planned",), "draft"),
    protocol.SUBMIT: (("planned", "draft"), "submitted"),
    protocol.MISS: (handoffs.OPEN, "missed"),
}
KINDS = {
    protocol.DRAFT: "handoff drafted", protocol.SUBMIT: "handoff submitted", protocol.PASS: "duty passed",
    protocol.MISS: "handoff missed",
}


def act(desk: Desk) -> int:
    """Does what is due now, each handoff in a transaction of its own; returns how many moved. Safe to repeat."""
    upcoming.plan(desk)
    now = desk.clock.now()
    with desk.read() as connection:
        waiting = handoffs.due(connection, now)
    return singly.each("handoff", waiting, lambda one: _act(desk, one, now))


def _act(desk: Desk, handoff_id: int, now: datetime) -> bool:
    with desk.begin("handoff") as connection:
        found = handoffs.by_id(connection, handoff_id)
        if found is None or found.due_at is None or found.due_at > now:
            return False
        if not upcoming.is_known(desk.config, found):
            return upcoming.drop(connection, found, now)
        times, sides = upcoming.times(desk.config, found), upcoming.sides(connection, desk.config, found)
        return _step(desk, connection, found, times, sides, now)


def _step(
    desk: Desk, connection: sa.Connection, found: Handoff, times: Times, sides: Sides, now: datetime
) -> bool:
    """Takes the steps that are due, in order; false if another process was first."""
    plan, done = protocol.steps(times), json.loads(found.done)
    due = [each for each in plan if each.at <= now and each.name not in done]
    again = _asks_again(connection, found, times, sides, done, now)
    done |= {each.name: DONE if _has_sense(each, found, now) else SKIPPED for each in due}
    done |= {protocol.AGAIN: DONE} if again else {}
    moved = replace(found, state=_moved(found.state, due), outgoing=sides.outgoing, incoming=sides.incoming)
    note = gathering.gather(desk, connection, moved, times, now)
    kept = moved.state != "planned" and bool(due or not same(found.note, note))
    values = _values(moved, times, due, now) | ({"note": written(note)} if kept else {})
    next_at = _next(plan, done, moved.state, times, now)
    if not handoffs.move(connection, found, done=json.dumps(done), due_at=next_at, **values):
        return False
    scene = Scene(desk, connection, moved, times, sides, note, now)
    _carry_out(scene, due, done)
    if again and sides.outgoing:
        telling.tell(scene, protocol.AGAIN, sides.outgoing, now)
    if kept and (now < times.over_at or found.state != "planned"):      # of what is long over nobody wants a card
        telling.show(connection, found, now, urgency=1 if due else 2)
    return True


def _moved(state: str, due: Iterable[Step]) -> str:
    for each in due:
        from_states, to = MOVES.get(each.name, ((), state))
        state = to if state in from_states else state
    return state


def _has_sense(step: Step, found: Handoff, now: datetime) -> bool:
    if step.name == protocol.REMIND_LINE and found.submitted_by is not None:
        return False
    return step.until is None or now < step.until


def _next(plan: Iterable[Step], done: dict[str, str], state: str, times: Times, now: datetime) -> datetime | None:
    """When to look again: at the next step, and each minute while the note is kept; never after the duty passed on."""
    ahead = [each.at for each in plan if each.name not in done]
    looks = [now + LOOK_EVERY] if state != "planned" and now < times.over_at else []
    return min((*ahead, *looks), default=None)


def _values(moved: Handoff, times: Times, due: Iterable[Step], now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {"state": moved.state, "outgoing": moved.outgoing, "incoming": moved.incoming}
    names = {each.name for each in due}
    if protocol.SUBMIT in names and moved.submitted_at is None:
        values["submitted_at"] = now
    if protocol.MISS in names:
        due_by = f"{protocol.accept_due(times):%H:%M} UTC"
        values["missed_reason"] = NOT_RUNNING if now >= times.over_at else NOT_ACCEPTED.format(due=due_by)
    return values


def _asks_again(
    connection: sa.Connection, found: Handoff, times: Times, sides: Sides, done: dict[str, str], now: datetime
) -> bool:
    """In an evening's intervention, within it, once: later would be in the rest of whoever wrote the line at the day's end."""
    due = protocol.line_due(times)
    evening = protocol.is_late_evening(times) and due <= now < times.passes_at
    if not evening or protocol.AGAIN in done or sides.outgoing is None or found.state not in handoffs.OPEN:
        return False
    return overnight.at_work(connection, sides.outgoing, due)


# --- what each step does --------------------------------------------------------------------------------------------------


def _carry_out(scene: Scene, due: Iterable[Step], done: dict[str, str]) -> None:
    for each in due:
        if done[each.name] == SKIPPED:
            scene.record("handoff step skipped", about=each.name, why=TOO_LATE)
        elif each.whom is None:
            _move_on(scene, each)
        elif each.name != protocol.TRANSFER or scene.note.untaken:
            _reach(scene, each)


def _move_on(scene: Scene, step: Step) -> None:
    found, details = scene.found, {"state": scene.note.state}
    if step.name == protocol.SUBMIT:
        details["by"] = found.submitted_by or NOT_REVIEWED
    if step.name == protocol.PASS:
        handoffs.carry(scene.connection, found.coverage, found.boundary)
        _recall(scene)
    scene.record(
        KINDS[step.name], outcome="failed" if step.name == protocol.MISS else "done", outgoing=found.outgoing,
        incoming=found.incoming, **details,
    )


def _recall(scene: Scene) -> None:
    """Whoever is off now gets nothing more: neither what Slack has not taken of this handoff, nor of the one before."""
    before = handoffs.before(scene.connection, scene.found.coverage, scene.found.boundary)
    count = telling.recall(scene.connection, scene.found, *telling.TO_WRITE)
    count += telling.recall(scene.connection, before) if before else 0
    if count:
        scene.record("handoff message withdrawn", count=str(count))


def _reach(scene: Scene, step: Step) -> None:
    person, why = telling.whom(scene, step)
    if person is None or why is not None:
        scene.record("handoff step skipped", about=step.name, who=person, why=why)
        return
    telling.tell(scene, step.name, person, step.at)
    if step.name == protocol.TRANSFER:
        _page(scene, person)


def _page(scene: Scene, lead: str) -> None:
    """Called in the thread of each card too: an incident that changes hands in this very minute."""
    for each in scene.note.untaken:
        alert = alerts.by_id(scene.connection, int(each.ref))
        card = cards.by_key(scene.connection, f"card:{alert.group_id}") if alert else None
        if alert and card:
            said = IN_HAND.format(who=escape(each.who), name=each.name, taker=escape(scene.note.taker))
            key = f"page:{alert.id}:handoff{scene.found.id}"
            cards.add_page(scene.connection, key, card.channel, alert.group_id, [lead], said, scene.now)
