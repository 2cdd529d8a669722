"""What the incoming side asks back, and the answers: they stand in the note, and wake nobody."""

from datetime import datetime

import sqlalchemy as sa

from bot.errors import Refused
from bot.masking import mask_text
from bot.services.alert.response import called, clock_time
from bot.services.desk import Actor, Desk
from bot.services.handoff import acting, protocol, telling, upcoming
from bot.services.leave import duty
from bot.services.rota import roster
from bot.services.slack.drawing import escape
from bot.store import cards, handoffs
from bot.store.handoffs import Handoff, Question

LONGEST_TEXT = 600

EMPTY_QUESTION = "Ask something: `{command} handoff query <text>`."
EMPTY_ANSWER = "Say something: `{command} handoff answer <text>`."
NO_QUESTION, ANSWERED = "Nothing was asked about this handoff.", "{who} has answered that at {at}."
NOT_YOUR_QUESTION = "{taker} takes over at {at}: its people ask back. What you know goes into the line or onto the alert."
NOT_YOUR_ANSWER = "{giver} was asked: only its people answer."
TOLD_NOW = "{who} is asked now."
TOLD_LATER = "{who} is in {side}'s blackout until {at}: the question waits for them until then. What cannot wait: ask {lead}."
ASKED = "{who} asks about the handoff of {what} at {at}: {text}"
REPLY = "{who} answers about the handoff of {what} at {at}: {text}"
ANSWER = "Answer…"


def ask(desk: Desk, found: Handoff, actor: Actor, text: str) -> str:
    """Asks the outgoing side back; nobody who sleeps is woken for it. Returns what is to be known about that."""
    now, text = desk.clock.now(), mask_text(text.strip())[:LONGEST_TEXT]
    acting.demand(desk, found, actor, found.to_team, NOT_YOUR_QUESTION)
    if not text:
        raise Refused(EMPTY_QUESTION.format(command=desk.config.command))
    with desk.begin("handoff: ask") as connection:
        number = handoffs.ask(connection, found.id, actor.key, now, text)
        if now >= found.boundary:
            handoffs.change(connection, found.id, ("submitted",), state="queried")
        acting.record(connection, found, actor, "handoff queried", now, question=str(number), text=text)
        told = _ask_them(desk, connection, found, actor, number, text, now)
        acting.redrawn(desk, connection, found, now)
    return told


def _ask_them(
    desk: Desk, connection: sa.Connection, found: Handoff, actor: Actor, number: int, text: str, now: datetime
) -> str:
    """By day the team's contact, else whoever hands over; after their shift, or in their blackout, never at once."""
    config, team = desk.config, desk.config.teams[found.from_team]
    sides = upcoming.sides(connection, config, found)
    of_the_night = found.direction == protocol.TO_OWN and now >= found.boundary
    person = team.contact or (team.lead if of_the_night else sides.outgoing) or team.lead
    wakes = duty.asleep(config, person, now)
    said = _sentence(ASKED, found, actor, text)
    cards.add_direct(
        connection, f"ask:{found.id}:{number}", config.people[person].slack, said, now, due_at=wakes,
        offers=((ANSWER, "handoff:answer", telling.ref(found)),),
    )
    if wakes is None:
        return TOLD_NOW.format(who=called(desk, person))
    side = config.organisations[config.people[person].organisation].name
    lead = called(desk, config.teams[found.to_team].lead)
    return TOLD_LATER.format(who=called(desk, person), side=side, at=clock_time(wakes), lead=lead)


def answer(desk: Desk, found: Handoff, actor: Actor, text: str, question: int | None = None) -> Question:
    """The outgoing side answers the oldest open question, or the one that is named."""
    now, text = desk.clock.now(), mask_text(text.strip())[:LONGEST_TEXT]
    acting.demand(desk, found, actor, found.from_team, NOT_YOUR_ANSWER)
    if not text:
        raise Refused(EMPTY_ANSWER.format(command=desk.config.command))
    with desk.begin("handoff: answer") as connection:
        asked = handoffs.questions(connection, found.id)
        meant = next((each for each in asked if each.id == question or (question is None and each.answered_at is None)), None)
        meant = meant or (asked[-1] if asked and question is None else None)
        if meant is None:
            raise Refused(NO_QUESTION)
        if not handoffs.answer(connection, meant.id, actor.key, now, text):
            raise Refused(ANSWERED.format(who=called(desk, meant.answered_by), at=clock_time(meant.answered_at)))
        acting.record(connection, found, actor, "handoff answered", now, question=str(meant.id), text=text)
        _reply(desk, connection, found, actor, meant, text, now)
        acting.redrawn(desk, connection, found, now)
        return meant


def _reply(
    desk: Desk, connection: sa.Connection, found: Handoff, actor: Actor, asked: Question, text: str, now: datetime
) -> None:
    """Whoever asked is told while they are on; later the card says it."""
    on = {each.person for each in roster.at(connection, desk.config, found.coverage, now)}
    person = desk.config.people.get(asked.asked_by)
    if person is None or asked.asked_by not in on or duty.asleep(desk.config, asked.asked_by, now):
        return
    said = _sentence(REPLY, found, actor, text)
    cards.add_direct(connection, f"answer:{found.id}:{asked.id}", person.slack, said, now)


def _sentence(words: str, found: Handoff, actor: Actor, text: str) -> str:
    at = clock_time(found.boundary)
    return words.format(who=escape(actor.name), what=escape(found.coverage), at=at, text=escape(text, LONGEST_TEXT))
