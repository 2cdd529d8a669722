"""One way for all that people say: who is it, which command, may they, do it, answer in a sentence."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
import structlog

from bot.entrypoints.wording import marked
from bot.errors import Refused, Unavailable
from bot.services.desk import Actor, Desk
from bot.services.leave import authority, blackout, hours
from bot.services.ledger import journal
from bot.store import shifts, traffic
from commands import Call, Command, Field, Subject, Way, named

log = structlog.get_logger()

Family = Mapping[str, Command]

LATER = "Not now: {why}. Nothing was changed; try again in a moment."
ALREADY = "Slack brought this twice. It was dealt with the first time; the card shows how it stands."
SILENT = "the database does not answer"
BROKEN = "Something broke on our side (reference {reference}); nothing was changed."
OLD_BUTTON = "This button is of an older Vigie and does nothing any more. Type `{command} help` to see what works."
TOO_LONG = "That is too long for one line: open the form with less, and write the rest there."
LONGEST_KEPT = 1_500            # Slack keeps 3,000 characters with a form
REFUSED_KIND = "command refused"
PRIVATE = frozenset({"away"})


@dataclass(frozen=True, slots=True)
class Saying:
    """What a person said and where, whichever way it came in; the first word is the command."""

    team_id: str | None
    user_id: str
    origin: str                     # slack C0ALERTS01
    words: tuple[str, ...]
    ref: str | None = None          # what a button or a thread names: an alert (142) or a run (run57)
    way: Way = "line"
    event: str | None = None        # how Slack names a delivery that it may make twice


@dataclass(frozen=True, slots=True)
class Ask:
    """The form that must be filled in first."""

    command: Command
    subject: Subject
    fields: tuple[Field, ...]
    actor: Actor


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer, ready for Slack; or the form to open instead of it."""

    text: str
    ok: bool
    ask: Ask | None = None


def perform(desk: Desk, family: Family, saying: Saying) -> Reply:
    """Does what was said. Never raises: whoever speaks gets a sentence."""
    try:
        return _once(desk, family, saying)
    except Unavailable as problem:
        return Reply(marked(LATER.format(why=problem)), ok=False)
    except sa.exc.OperationalError as error:
        log.warning("the database does not answer", command=saying.words[:1], user=saying.user_id, error=str(error.orig))
        return Reply(marked(LATER.format(why=SILENT)), ok=False)
    except Exception:
        # The edge of the entrypoint: a person waits for an answer, the log has the rest.
        reference = desk.ids.new()[:8]
        log.exception("a command broke", reference=reference, command=saying.words[:1], ref=saying.ref,
                      user=saying.user_id, way=saying.way)
        return Reply(marked(BROKEN.format(reference=reference)), ok=False)


def _once(desk: Desk, family: Family, saying: Saying) -> Reply:
    """Acts on a delivery that was dealt with before no second time.

    It is remembered after the act, not before: a crash between may let a note stand twice, where it would else be lost.
    """
    if saying.event is None:
        return _answer(desk, family, saying)
    key = f"event:{saying.event}"
    with desk.read() as connection:
        if traffic.came_before(connection, key):
            return Reply(ALREADY, ok=True)
    reply = _answer(desk, family, saying)
    try:
        with desk.begin("inbound") as connection:
            traffic.remember(connection, key, desk.clock.now())
    except sa.exc.SQLAlchemyError:      # the act is done, and its answer shall not be "nothing was changed"
        log.exception("a delivery was not remembered", event=saying.event)
    return reply


def _answer(desk: Desk, family: Family, saying: Saying) -> Reply:
    actor = authority.stranger(saying.team_id, saying.user_id, saying.origin)
    try:
        actor = authority.authorise(desk.config, saying.team_id, saying.user_id, saying.origin)
        _require_present(desk, actor)
        return _carry_out(desk, family, saying, actor)
    except Refused as refusal:
        _write_down(desk, saying, actor, str(refusal))
        return Reply(marked(_as_said_there(desk, saying, str(refusal))), ok=False)


def _require_present(desk: Desk, actor: Actor) -> None:
    with desk.read() as connection:
        gone = shifts.leavers(connection)
    zone = desk.config.organisations[actor.organisation].timezone
    authority.require_present(actor, desk.config, gone, hours.local_date(zone, desk.clock.now()))


def _as_said_there(desk: Desk, saying: Saying, text: str) -> str:
    """In a thread Slack takes no slash commands: what would work there is a mention."""
    return text.replace(f"`{desk.config.command} ", "`@Vigie ") if saying.way == "mention" else text


def _carry_out(desk: Desk, family: Family, saying: Saying, actor: Actor) -> Reply:
    verb, *rest = saying.words or ("help",)
    if saying.way in ("button", "form") and verb not in family:
        raise Refused(OLD_BUTTON.format(command=desk.config.command))
    command = named(family, verb, desk.config.command)
    authority.require(desk.config, actor, command.name, command.level)
    blackout.require_awake(desk, actor, command.name, command.level)
    call = Call(desk, actor, tuple(rest), saying.ref, family, command.name, saying.way)
    if command.wants_form(call):
        return Reply("", ok=True, ask=_ask(command, call))
    return Reply(marked(command.run(call)), ok=True)


def _ask(command: Command, call: Call) -> Ask:
    subject = command.subject(call)
    if sum(map(len, subject.said)) > LONGEST_KEPT:
        raise Refused(TOO_LONG)
    return Ask(command, subject, command.fields(call), call.actor)


def _write_down(desk: Desk, saying: Saying, actor: Actor, why: str) -> None:
    with desk.begin("refuse") as connection:
        journal.record(
            connection, actor=actor, kind=REFUSED_KIND, object=_object(saying), outcome="refused", at=desk.clock.now(),
            verb=" ".join(saying.words[:1])[:40], way=saying.way, **_quoted(saying, why),
        )


def _quoted(saying: Saying, why: str) -> dict[str, str]:
    """What was said, and why not; nothing of what people say of their absences, where a reason may slip in."""
    if saying.words[:1] and saying.words[0].lower() in PRIVATE:
        return {}
    said = " ".join(saying.words[1:])[:200]
    return {"why": why} | ({"said": said} if said else {})


def _object(saying: Saying) -> str:
    """The alert or run that was meant, or else the person."""
    ref = (saying.ref or " ".join(saying.words[1:2])).lstrip("#")
    if found := re.fullmatch(r"run([0-9]{1,12})", ref):
        return f"run:{found[1]}"
    return f"alert:{ref}" if re.fullmatch(r"[0-9]{1,12}", ref) else f"person:{saying.user_id[:40]}"
