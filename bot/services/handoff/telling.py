"""What people are told about a handoff, each in a direct message and never in their blackout; and the card in the channel."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.services.alert.response import called, clock_time, lasting
from bot.services.desk import VIGIE, Desk
from bot.services.handoff import protocol
from bot.services.handoff.note import Note
from bot.services.handoff.protocol import Step, Times
from bot.services.handoff.upcoming import Sides
from bot.services.leave import duty
from bot.services.ledger import journal
from bot.services.slack import handoffcards
from bot.services.slack.drawing import escape
from bot.store import batch, cards, handoffs
from bot.store.handoffs import Handoff

LATE_AFTER = timedelta(seconds=60)

SAID = {
    protocol.ASK_LINE: "You hand {what} over to {taker} at {at}. Write your one line by {due}{why}",
    protocol.REMIND_LINE: "Your line for the handoff of {what} at {at} is missing. At {submit} the note goes without it, marked "
    "not reviewed.",
    protocol.AGAIN: "You are at work this evening: add to your line for {taker} while you are at it. Nobody will ask you later.",
    protocol.CALL: "You have the duty of {what} since {at}, from {giver}. Accept the note by naming its top risk{by}.",
    protocol.REMIND: "The handoff of {what} at {at} still waits for you: accept it by naming its top risk.",
    protocol.SECONDARY: "{incoming} has not accepted the handoff of {what} at {at}. You may accept it for them; until somebody "
    "does, both of you are paged.",
    protocol.LEAD: "Nobody has accepted the handoff of {what} at {at}: {incoming} was asked, and is paged together "
    "with the secondary until somebody does. You may accept it for them.",
    protocol.STANDBY: "{taker} has not accepted the handoff of {what} at {at}. Please stand by for {giver} until they do: your "
    "night engineer is off.",
    protocol.TRANSFER: "The duty of {what} passes while {alerts} is in progress, and nobody of {taker} has taken it. Whoever "
    "accepts the handoff takes it over.",
}
BY = ", by {at}; after that {second} is asked too"
IN_REST, NOT_REVIEWED = ": after that it would be work in your rest.", ", or the note goes marked not reviewed."
WRITE, ACCEPT, ASK = "Write your line…", "Accept…", "Ask…"
LATE = " _{length} late: it could not be said before._"
TO_WRITE = (protocol.ASK_LINE, protocol.REMIND_LINE, protocol.AGAIN)
TO_ACCEPT = (protocol.CALL, protocol.REMIND, protocol.SECONDARY, protocol.LEAD)
ASLEEP, NOBODY, SAME = "in blackout", "there is nobody", "told already, as somebody else"


@dataclass(frozen=True, slots=True)
class Scene:
    """One handoff at one instant, in one transaction."""

    desk: Desk
    connection: sa.Connection
    found: Handoff
    times: Times
    sides: Sides
    note: Note
    now: datetime

    def record(self, kind: str, outcome: journal.Outcome = "done", **details: str | None) -> None:
        about = f"handoff:{self.found.id}"
        journal.record(self.connection, actor=VIGIE, kind=kind, object=about, outcome=outcome, at=self.now, **details)


def whom(scene: Scene, step: Step) -> tuple[str | None, str | None]:
    """Whom a step reaches, and why it cannot."""
    sides = scene.sides
    person = {
        "outgoing": sides.outgoing, "incoming": sides.incoming, "secondary": sides.secondary, "lead": sides.lead,
        "standby": sides.standby,
    }[step.whom or "lead"]
    if person is None or person not in scene.desk.config.people:
        return person, NOBODY
    if step.name == protocol.LEAD and person in (sides.incoming, sides.secondary):
        return person, SAME
    return person, ASLEEP if duty.asleep(scene.desk.config, person, scene.now) else None


def tell(scene: Scene, step: str, person: str, at: datetime) -> None:
    """A direct message, once for each step and person; it says when it should have come before."""
    key = f"tell:{scene.found.id}:{_slug(step)}:{person}"
    user = scene.desk.config.people[person].slack
    cards.add_direct(scene.connection, key, user, _words(scene, step, at), scene.now, offers=_offers(scene.found, step))
    scene.record("handoff told", about=step, who=person)


def recall(connection: sa.Connection, found: Handoff, *steps: str) -> int:
    """Takes back what Slack has not taken yet, of all steps or of these: it would only come when it is about nothing."""
    return handoffs.recall(connection, found.id, *map(_slug, steps))


def _slug(step: str) -> str:
    return step.replace(" ", "-")


def _words(scene: Scene, step: str, at: datetime) -> str:
    """What one step says; with the note below, where somebody is to accept it."""
    note, times = scene.note, scene.times
    said = SAID[step].format(
        what=escape(scene.found.coverage), giver=escape(note.giver), taker=escape(note.taker),
        at=clock_time(times.passes_at), due=clock_time(protocol.line_due(times)),
        submit=clock_time(times.passes_at - protocol.SUBMIT_BEFORE), alerts=" and ".join(each.name for each in note.untaken),
        incoming=escape(called(scene.desk, scene.sides.incoming)),
        by=_by(scene),
        why=IN_REST if protocol.is_late_evening(times) else NOT_REVIEWED,
    )
    late = scene.now - at
    head = said + (LATE.format(length=lasting(late)) if late >= LATE_AFTER else "")
    return "\n".join([head, "", *handoffcards.lines(note)]) if step in TO_ACCEPT else head


def _by(scene: Scene) -> str:
    """Until when the incoming person is alone with it; nothing where there is no second."""
    second = scene.sides.secondary
    at = clock_time(scene.times.passes_at + protocol.SECONDARY_AFTER)
    return BY.format(at=at, second=escape(called(scene.desk, second))) if second else ""


def _offers(found: Handoff, step: str) -> tuple[tuple[str, str, str], ...]:
    """The buttons of a message."""
    if step in TO_WRITE:
        return ((WRITE, "handoff:note", ref(found)),)
    if step in TO_ACCEPT:
        return (ACCEPT, "handoff:accept", ref(found)), (ASK, "handoff:query", ref(found))
    return ()


def ref(found: Handoff) -> str:
    """How a button names it."""
    return f"handoff{found.id}"


def show(connection: sa.Connection, found: Handoff, now: datetime, urgency: int = 0) -> None:
    """The card is to be posted, or drawn anew."""
    key = f"handoff:{found.id}"
    record = {"key": key, "kind": "handoff", "group_id": None, "channel": found.channel, "due_at": now, "urgency": urgency}
    batch.bump_posts(connection, [record])
