"""Pass the duty on: the note, one line of the outgoing person, questions, acceptance, actions that are carried on."""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.errors import Refused
from bot.services.alert.response import clock_time
from bot.services.handoff import accepting, actions, asking, finding, writing
from bot.services.handoff.note import AMBER, RED, Note, label, risks
from bot.services.slack import handoffcards
from bot.store import handoffs
from bot.store.handoffs import Handoff
from commands import Call, Field, Fields, Subject, command

WRITTEN = "Your line is in the note for {taker} at {at}. Until then you may write it anew."
ACCEPTED = "You have the duty of {what}, and the note: top risk {risk}. It is kept with its digest {digest}."
ASKED, ANSWERED = "Your question stands in the note. {told}", "Your answer stands in the note."
ADDED = "Action {id}: {text}. It is carried from handoff to handoff until `{command} handoff done {id}`."
DONE = "Action {id} is done."
DIGEST = "SHA-256 of the accepted note: {digest}"
NOT_MADE = "The next handoff is {giver} → {taker} at {at}; its note is made from {made} on."
WHICH = "`{command} handoff {given}` is nothing. Say note, accept, query, answer, action or done; or nothing, to see the note."
NO_RISK = "Name the top risk: `{command} handoff accept <{known}|none>`."
TITLE, READ = "{giver} → {taker}", "State: {state}.\n{line}"
LINE_ABOUT = (
    "One line for {taker}: how it feels, what you would look at first.\n"
    "Vigie adds the rest: what is open, in progress, to come and to watch."
)
ABOUT = {
    "query": "The question stands in the note, and whoever of {giver} may be reached is told.",
    "answer": "The answer stands in the note, under the question.",
    "action": "An action is carried from handoff to handoff until it is done.",
}
RAISES = ((AMBER, "amber: something is not over"), (RED, "red: I would not sleep"))
IFS_HINT = "At most three, each on a line: pay-api 5xx again: drain a target first"

VERBS = ("show", "note", "accept", "query", "answer", "action", "done")
KNOWN = ("line", "if-then", "raise", "risk", "items", "text", "question", "owner", "due", "action")
NAMED = re.compile(rf"({'|'.join(KNOWN)})=(.*)", re.DOTALL)
FIRST = {"note": "line", "query": "text", "answer": "text", "action": "text", "done": "action"}


@dataclass(frozen=True, slots=True)
class Said:
    """What was said: the verb, and the values by the names that the form gives them."""

    verb: str
    values: Mapping[str, str]

    def get(self, name: str) -> str:
        return self.values.get(name, "")


def parse(call: Call) -> Said:
    """The verb and what follows it, typed or from a form; raises Refused."""
    verb, *rest = call.words or ("show",)
    verb = {"ask": "query"}.get(verb.lower(), verb.lower())
    if verb not in VERBS:
        raise Refused(WHICH.format(command=call.desk.config.command, given=verb[:20]))
    named = {found[1]: found[2] for each in rest if (found := NAMED.fullmatch(each))}
    plain = [each for each in rest if not NAMED.fullmatch(each)]
    return Said(verb, named | _plain(call, verb, plain))


def _plain(call: Call, verb: str, words: list[str]) -> dict[str, str]:
    """What stands in the line without a name."""
    if not words:
        return {}
    if verb == "accept":
        return {"risk": words[0]} | ({"text": " ".join(words[1:])} if words[1:] else {})
    if verb == "action":
        owner = next((each for each in words if each.startswith("@") and call.desk.config.person_named(each)), None)
        due = words[-1] if actions.DAY.fullmatch(words[-1]) else None
        text = " ".join(each for each in words if each not in (owner, due))
        return {name: each for name, each in (("text", text), ("owner", owner), ("due", due)) if each}
    return {FIRST[verb]: " ".join(words)} if verb in FIRST else {}


def found(call: Call) -> Handoff:
    return finding.find(call.desk, call.actor, parse(call).verb, call.ref)


# --- forms ----------------------------------------------------------------------------------------------------------------


def form(call: Call) -> Fields:
    """What is still to be said."""
    said = parse(call)
    asked = FORMS[said.verb](call, found(call)) if said.verb in FORMS else ()
    return tuple(each for each in asked if not said.get(each.name))


def _note_form(call: Call, meant: Handoff) -> Fields:
    return (
        Field("line", "Your one line", initial=meant.line if call.way == "button" else None, named=True),
        Field("if-then", "If … then …", optional=True, hint=IFS_HINT, named=True),
        Field("raise", "Raise the state", "choice", optional=True, options=RAISES, named=True),
    )


def _accept_form(call: Call, meant: Handoff) -> Fields:
    if (kept := _kept(meant)) is None:
        raise Refused(_not_made(call, meant))
    reds = tuple((each.ref, label(each)) for each in kept.reds)
    ticks = (Field("items", "Read and understood", "checks", options=reds, named=True),) if reds else ()
    return (
        Field("risk", "The top risk of your shift", "choice", options=risks(kept), named=True), *ticks,
        Field("text", "In your words", optional=True, named=True),
    )


def _query_form(_call: Call, _meant: Handoff) -> Fields:
    return (Field("text", "What do you want to know?", named=True),)


def _answer_form(call: Call, meant: Handoff) -> Fields:
    with call.desk.read() as connection:
        left = [each for each in handoffs.questions(connection, meant.id) if each.answered_at is None]
    choice = Field("question", "Which question", "choice", options=tuple((str(each.id), each.text) for each in left), named=True)
    return (*((choice,) if len(left) > 1 else ()), Field("text", "Your answer", named=True))


def _action_form(_call: Call, _meant: Handoff) -> Fields:
    return (
        Field("text", "What must be done", named=True), Field("owner", "By whom", "person", optional=True, named=True),
        Field("due", "Until which day", "word", optional=True, hint="2026-12-01", named=True),
    )


def _done_form(call: Call, meant: Handoff) -> Fields:
    with call.desk.read() as connection:
        left = handoffs.actions(connection, meant.coverage)
    options = tuple((str(each.id), each.text) for each in left)
    return (Field("action", "Which action is done", "choice", options=options, named=True),) if options else ()


FORMS: Mapping[str, Callable[[Call, Handoff], Fields]] = {
    "note": _note_form, "accept": _accept_form, "query": _query_form, "answer": _answer_form, "action": _action_form,
    "done": _done_form,
}
YES = {"note": "Hand over", "accept": "Accept", "query": "Ask", "answer": "Answer", "action": "Add", "done": "Done"}


def subject(call: Call) -> Subject:
    said, meant = parse(call), found(call)
    giver, taker = _sides(call, meant)
    kept, about = _kept(meant), {**ABOUT, "note": LINE_ABOUT}.get(said.verb, "").format(giver=giver, taker=taker)
    if said.verb == "accept" and kept:
        about = READ.format(state=kept.state.upper(), line=kept.line or "Nobody wrote a line.")
    title, yes = TITLE.format(giver=giver, taker=taker), YES.get(said.verb, "")
    return Subject(title, about, f"handoff{meant.id}", call.words or ("show",), yes)


def _sides(call: Call, meant: Handoff) -> tuple[str, str]:
    config = call.desk.config
    giver, taker = (config.organisations[config.teams[each].organisation].name for each in (meant.from_team, meant.to_team))
    return giver, taker


def _kept(meant: Handoff) -> Note | None:
    return Note.model_validate_json(meant.note) if meant.note else None


# --- what is done ---------------------------------------------------------------------------------------------------------


@command(
    "handoff",
    usage="[note <line>|accept|query <text>|answer <text>|action <text> [@owner] [day]|done <action>]",
    help="see the handoff note, write your line, accept it, ask back, keep actions",
    example="handoff note watch p95 of pay-api until 00:30",
    level="read",
    button="Handoff…",
    form=form,
    subject=subject,
    group="who is on",
)
def handoff(call: Call) -> str:
    said = parse(call)
    return DEEDS[said.verb](call, said, found(call))


def _show(call: Call, _said: Said, meant: Handoff) -> str:
    kept = _kept(meant)
    if kept is None:
        return _not_made(call, meant)
    with call.desk.read() as connection:
        lines = handoffcards.text(call.desk.config, meant, kept, handoffs.questions(connection, meant.id))
    digest = [DIGEST.format(digest=meant.digest)] if meant.digest else []
    return html.unescape("\n".join([*lines, *digest]))      # it is made harmless once, at the door


def _not_made(call: Call, meant: Handoff) -> str:
    giver, taker = _sides(call, meant)
    return NOT_MADE.format(giver=giver, taker=taker, at=clock_time(meant.boundary), made=clock_time(meant.due_at))


def _write(call: Call, said: Said, meant: Handoff) -> str:
    if_then = said.get("if-then").splitlines()
    writing.write(call.desk, meant, call.actor, said.get("line"), if_then, said.get("raise") or None)
    return WRITTEN.format(taker=_sides(call, meant)[1], at=clock_time(meant.boundary))


def _accept(call: Call, said: Said, meant: Handoff) -> str:
    if not said.get("risk"):
        known = "|".join(each for each, _ in risks(kept)[:-1]) if (kept := _kept(meant)) else "142"
        raise Refused(NO_RISK.format(command=call.desk.config.command, known=known or "142"))
    done = accepting.accept(call.desk, meant, call.actor, said.get("risk"), said.get("items").split(","), said.get("text"))
    return ACCEPTED.format(what=done.coverage, risk=handoffcards.risk(done), digest=(done.digest or "")[:12])


def _query(call: Call, said: Said, meant: Handoff) -> str:
    return ASKED.format(told=asking.ask(call.desk, meant, call.actor, said.get("text")))


def _answer(call: Call, said: Said, meant: Handoff) -> str:
    number = said.get("question")
    asking.answer(call.desk, meant, call.actor, said.get("text"), int(number) if number.isdecimal() else None)
    return ANSWERED


def _add(call: Call, said: Said, meant: Handoff) -> str:
    made = actions.add(call.desk, meant.coverage, call.actor, said.get("text"), said.get("owner"), said.get("due"))
    return ADDED.format(id=made.id, text=made.text, command=call.desk.config.command)


def _done(call: Call, said: Said, meant: Handoff) -> str:
    return DONE.format(id=actions.close(call.desk, meant.coverage, call.actor, said.get("action")).id)


DEEDS: Mapping[str, Callable[[Call, Said, Handoff], str]] = {
    "show": _show, "note": _write, "accept": _accept, "query": _query, "answer": _answer, "action": _add, "done": _done,
}
