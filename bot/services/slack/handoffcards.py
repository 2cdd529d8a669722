"""The card of a handoff, edited in place: the note as it stands, who must accept it by when, and how that went."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.config import Config
from bot.services.alert.response import clock_time, lasting
from bot.services.handoff.note import AMBER, GREEN, RED, Asked, Item, Note, Section, Synthesis, Turn
from bot.services.slack.drawing import Drawing, button, context, escape, person, section, sections
from bot.store import handoffs
from bot.store.cards import Post
from bot.store.handoffs import Handoff

MARKS = {"to_partner": "🌙", "to_own": "☀️", "within": "🔁"}
STATES = {
    RED: "🔴 *RED*: something critical or important is open", AMBER: "🟠 *AMBER*: something is not over",
    GREEN: "🟢 *GREEN*: nothing is open",
}
HEAD = "{mark} *Handoff {giver} → {taker}*, {local} ({at}) · {coverage} · {length}{clocks}"
CLOCKS = {"": "", "back": ", clocks go back in it", "forward": ", clocks go forward in it"}
RAISED = " (raised by {who})"
ON = "*On next*   {people}"
TURN, WAYS = "{name} ({role}) until {until}{ways}", ", by Slack and {count} other way{s}"
DARK = "{company} is in blackout until {until}: nobody there is asked."
OPEN, RUNNING, COMING, WATCH, ACTIONS, CLOSED = "Open", "In progress", "In your shift", "Watch", "Actions", "Closed"
TITLE, AND_MORE = "*{name} {count}*", "• … and {count} more"
NONE, UNCONNECTED, AS_OF = "*None*: {what}.", "*Not connected*: {what}.", "As of {at}."
CLOSED_HEAD, CLOSED_TOP = "*Closed {count}*   {severities} · {vigie} by Vigie · {unknown} unrecognised", "• {name} {text}{end}"
ENDED, ENDED_WHY = " · closed by {who}", " · closed by {who}: {why}"
LINE, NO_LINE = "*Line*   {line}  ({who})", "*Line*   nothing was written"
IF_THEN = "*If*   {said}"
ASKED, ANSWERED = "*Asked*   {text}  ({who})", "{text}  → {answer}  ({who})"
SINCE, UNTIL, LAST, NEXT = "since {at}", "ends {at}", "last: {what} {at}", "next: {what}"

WAITS_FOR_LINE = "Draft. {who} writes one line by {due}; Vigie keeps the rest true until {at}."
LINE_MISSING = "Draft. {who}'s line was due at {due}; Vigie keeps the rest true until {at}."
WAITS = "{who} accepts by naming the top risk, from {at} on. Not accepted by {second_at}: {second}; by {lead_at}: {lead}."
NOT_REVIEWED = "Nobody of {giver} has reviewed it."
QUERIED = "{who} has asked back."
MISSED = "⚠ *Missed*: {why}. Pages go to the primary and the secondary until somebody accepts."
ACCEPTED = "✅ *Accepted* by {who} {at}{instead}{late}. Top risk: {risk} · note {digest}"
INSTEAD, TOO_LATE = " for {who}", ", {length} after it was due"
PLAIN = "Handoff {giver} → {taker}, {local}: {state}"

WRITE, ACCEPT, ASK, ANSWER, ADD = "Write your line…", "Accept…", "Ask…", "Answer…", "Add action…"
NOBODY, NOTHING = "nobody", '{"risk": ""}'
CUT = "…"
LONGEST_TEXT, LONGEST_LINE, LONGEST_PART, LONGEST_DIRECT, LONGEST_CARD, DIGEST = 200, 700, 1_500, 2_300, 9_000, 12
MINUTE = timedelta(minutes=1)


def draw_handoff(config: Config, connection: sa.Connection, post: Post) -> Drawing:
    """The note as it was last written down, with what was asked and answered since."""
    found = handoffs.by_id(connection, int(post.key.split(":")[1]))
    if found is None or found.note is None:
        return Drawing(post.key, [section(post.key)])
    return draw(config, found, Note.model_validate_json(found.note), handoffs.questions(connection, found.id))


def draw(config: Config, found: Handoff, note: Note, questions: Sequence[handoffs.Question] = ()) -> Drawing:
    """The card; pure."""
    asked = tuple(_asked(config, each) for each in questions)
    shown = _fitting((*_head(note), *_body(note.model_copy(update={"questions": asked}))), LONGEST_CARD)
    plain = PLAIN.format(giver=escape(note.giver), taker=escape(note.taker), local=note.local, state=note.state)
    row = {"type": "actions", "block_id": f"handoff:{found.id}", "elements": list(_buttons(found, questions))}
    small = [context(_small_print(note)), context(" ".join(_standing(config, found, note)))]
    return Drawing(plain, [*sections(shown), *small, row])


def text(config: Config, found: Handoff, note: Note, questions: Sequence[handoffs.Question] = ()) -> list[str]:
    """The same as lines, how it stands first."""
    asked = tuple(_asked(config, each) for each in questions)
    return [" ".join(_standing(config, found, note)), *_told(note.model_copy(update={"questions": asked}))]


def _asked(config: Config, each: handoffs.Question) -> Asked:
    answered = person(config, each.answered_by) if each.answered_by else ""
    return Asked(id=each.id, by=person(config, each.asked_by), text=each.text, answer=each.answer or "", answered_by=answered)


def lines(note: Note) -> list[str]:
    """The note as text for a direct message: as many whole lines as fit."""
    return _fitting(_told(note), LONGEST_DIRECT)


def _told(note: Note) -> list[str]:
    return [*_head(note), *_body(note), _small_print(note)]


def _fitting(every: Iterable[str], most: int) -> list[str]:
    """As many of the lines, or pieces, as fit together."""
    shown: list[str] = []
    for each in every:
        if sum(len(line) + 1 for line in shown) + len(each) > most:
            return [*shown, CUT]
        shown.append(each)
    return shown


# --- the note -------------------------------------------------------------------------------------------------------------


def _head(note: Note) -> Iterator[str]:
    yield HEAD.format(
        mark=MARKS[note.direction], giver=escape(note.giver), taker=escape(note.taker), local=note.local,
        at=f"{note.boundary:%H:%M} UTC", coverage=escape(note.coverage), length=note.length, clocks=CLOCKS[note.clocks],
    )
    raised = note.raised and note.state == note.raised != note.computed
    yield STATES[note.state] + (RAISED.format(who=escape(note.line_by)) if raised else "")
    yield ON.format(people=" · ".join(map(_turn, note.turns)))
    extra = [DARK.format(company=escape(note.dark), until=clock_time(note.dark_until))] if note.dark else []
    if note.previous:
        extra.append(f"{escape(note.previous[:1].upper() + note.previous[1:])}.")
    yield from [" ".join(extra)] if extra else []


def _turn(turn: Turn) -> str:
    ways = WAYS.format(count=turn.ways, s="" if turn.ways == 1 else "s") if turn.ways else ""
    return TURN.format(name=escape(turn.name), role=turn.role, until=clock_time(turn.until), ways=ways)


def _body(note: Note) -> Iterator[str]:
    """What there is; what there is not stands in the small print."""
    yield from _part(OPEN, note.opened, note.at)
    yield from _part(RUNNING, note.running, note.at)
    yield from _part(COMING, note.coming, note.at)
    yield from _part(WATCH, note.watch, note.at)
    yield from _closed(note)
    yield LINE.format(line=escape(note.line, 400), who=escape(note.line_by)) if note.line else NO_LINE
    yield from (IF_THEN.format(said=escape(each, 300)) for each in note.if_then)
    yield from map(_question, note.questions)
    yield from _part(ACTIONS, note.actions, note.at)


def _part(name: str, part: Section, at: datetime) -> Iterator[str]:
    if not part.items:
        return
    yield TITLE.format(name=name, count=len(part.items) + part.more)
    shown = [each for each in _fitting((_line(each, at) for each in part.items), LONGEST_PART) if each != CUT]
    yield from shown
    if more := part.more + len(part.items) - len(shown):
        yield AND_MORE.format(count=more)


def _small_print(note: Note) -> str:
    """Where there is nothing, when that was asked, and what nobody can say."""
    parts = {OPEN: note.opened, RUNNING: note.running, COMING: note.coming, WATCH: note.watch, ACTIONS: note.actions}
    empty = [name for name, part in parts.items() if not part.items] + ([] if note.closed.count else [CLOSED])
    away = [each for part in parts.values() for each in part.unconnected]
    told = [NONE.format(what=" · ".join(empty).lower())] if empty else []
    told += [UNCONNECTED.format(what=" · ".join(away))] if away else []
    return " ".join((*told, AS_OF.format(at=clock_time(note.at))))


def _line(item: Item, at: datetime) -> str:
    told = f"• {'*' if item.red else ''}{escape(item.name, 60)}{'*' if item.red else ''} {escape(item.text, LONGEST_TEXT)}"
    return " · ".join(_fitting((told, *_details(item, at)), LONGEST_LINE))


def _details(item: Item, at: datetime) -> Iterable[str]:
    if item.severity:
        yield escape(item.severity)
    if item.since:
        yield f"{SINCE.format(at=clock_time(item.since))} ({lasting(at - item.since)})"
    if item.until:
        yield UNTIL.format(at=clock_time(item.until))
    if item.who:
        yield escape(item.who)
    if item.last:
        yield LAST.format(what=escape(item.last), at=clock_time(item.last_at))
    if item.next:
        yield NEXT.format(what=escape(item.next, LONGEST_TEXT))
    yield from (f"*{escape(each)}*" for each in item.flags)


def _end(ended: Item) -> str:
    """By whom and why: the first thing that is asked in the morning. Notes of an older Vigie do not know it."""
    why = ENDED_WHY if ended.last else ENDED if ended.who else ""
    return why.format(who=escape(ended.who, 60), why=escape(ended.last, LONGEST_TEXT))


def _closed(note: Note) -> Iterator[str]:
    closed = note.closed
    if not closed.count:
        return
    severities = ", ".join(f"{count} {name}" for name, count in closed.by_severity.items())
    yield CLOSED_HEAD.format(count=closed.count, severities=severities, vigie=closed.by_vigie, unknown=closed.unrecognised)
    for each in closed.top:
        yield CLOSED_TOP.format(name=escape(each.name, 60), text=escape(each.text, LONGEST_TEXT), end=_end(each))


def _question(asked: Asked) -> str:
    text = ASKED.format(text=escape(asked.text, 300), who=escape(asked.by))
    if not asked.answered_by:
        return text
    return ANSWERED.format(text=text, answer=escape(asked.answer, 300), who=escape(asked.answered_by))


# --- how it stands --------------------------------------------------------------------------------------------------------


def _standing(config: Config, found: Handoff, note: Note) -> Iterator[str]:
    """Who does what by when; or who did."""
    who = _name(config, found.incoming)
    if found.state == "accepted":
        yield _accepted(config, found)
    elif found.state == "missed":
        yield MISSED.format(why=escape(found.missed_reason or ""))
    elif found.state == "draft":
        giver, at = _name(config, found.outgoing), clock_time(note.boundary)
        words = LINE_MISSING if note.overdue else WAITS_FOR_LINE
        yield words.format(who=giver, due=clock_time(note.line_due), at=at)
    else:
        if found.submitted_by is None:
            yield NOT_REVIEWED.format(giver=escape(note.giver))
        if found.state == "queried":
            yield QUERIED.format(who=who)
        yield _waits(who, note)


def _waits(who: str, note: Note) -> str:
    second = next((each.name for each in note.turns[1:]), note.lead)
    later = (clock_time(note.boundary + minutes * MINUTE) for minutes in (10, 15))
    second_at, lead_at = later
    return WAITS.format(
        who=who, at=clock_time(note.boundary), second_at=second_at, second=escape(second), lead_at=lead_at,
        lead=escape(note.lead),
    )


def _accepted(config: Config, found: Handoff) -> str:
    kept = Synthesis.model_validate_json(found.synthesis or NOTHING)
    instead = INSTEAD.format(who=_name(config, kept.instead_of)) if kept.instead_of else ""
    late = TOO_LATE.format(length=kept.late) if kept.late else ""
    return ACCEPTED.format(
        who=_name(config, found.accepted_by), at=clock_time(found.accepted_at), instead=instead, late=late, risk=risk(found),
        digest=(found.digest or "")[:DIGEST],
    )


def risk(found: Handoff) -> str:
    """The top risk, as whoever accepted named it and in their words."""
    kept = Synthesis.model_validate_json(found.synthesis or NOTHING)
    return " — ".join(escape(each, LONGEST_TEXT) for each in (kept.risk, kept.said) if each)


def _name(config: Config, key: str | None) -> str:
    return person(config, key) if key else NOBODY


def _buttons(found: Handoff, questions: Sequence[handoffs.Question]) -> Iterator[dict[str, object]]:
    ref = f"handoff{found.id}"
    if found.state == "draft":
        yield button(WRITE, "handoff:note", ref, "primary")
    elif found.state != "accepted":
        yield button(ACCEPT, "handoff:accept", ref, "primary")
    yield button(ASK, "handoff:query", ref)
    if any(each.answered_at is None for each in questions):
        yield button(ANSWER, "handoff:answer", ref)
    yield button(ADD, "handoff:action", ref)
