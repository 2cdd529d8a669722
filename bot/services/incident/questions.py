"""What is said of incidents, as words: the verb, whom it names, and what its form still asks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.services.alert import response
from bot.services.desk import Desk
from bot.services.incident import bank_api, declaring, ground, recovery, showing
from bot.services.incident.declaring import FOUND_BY
from bot.services.slack.forms import Field, Fields
from bot.store import notices
from bot.store.alerts import Alert
from bot.store.incidents import KINDS, Incident

DRILL_HINT = "A drill is kept apart: nothing is owed for it"
TIME_HINT = "02:14, or 22/11 02:14"
BEGAN_HINT, SENT_HINT = f"{TIME_HINT}. Without it: the first trace", f"{TIME_HINT}. Without it: now"
RECOVERED_HINT = f"{TIME_HINT}. Its alerts recovered at {{at}}"
YES, WHOLE_IMPACT = "yes", 3           # service, from, to


@dataclass(frozen=True, slots=True)
class Said:
    """What was said: the verb, the incident or alert that it names, the words after it, and name=value."""

    verb: str
    number: str | None
    words: tuple[str, ...]
    values: Mapping[str, str]

    def get(self, name: str) -> str:
        return " ".join(self.values.get(name, "").split())

    @property
    def rest(self) -> str:
        return " ".join(self.words)


def of_declaring(desk: Desk, alert: Alert, said: Said) -> Fields:
    with desk.read() as connection:
        kind = bank_api.KIND if bank_api.is_about(desk.config, connection, alert) else declaring.OUTAGE
    kinds, found_by = tuple((each, showing.KINDS[each]) for each in KINDS), tuple((each, each) for each in FOUND_BY)
    kind = said.words[0].lower() if said.words and said.words[0].lower() in KINDS else kind
    title = " ".join(said.words[1:]) or response.headline(alert)[:200]
    return _left(said, (
        Field("kind", "What kind", "choice", options=kinds, initial=kind, named=True),
        Field("title", "In a few words", "word", initial=title, named=True),
        Field("found", "How it was found", "choice", options=found_by, initial=FOUND_BY[0], named=True),
        Field("began", "When it began", "word", optional=True, hint=BEGAN_HINT, named=True),
        Field("drill", "Is it a drill?", "choice", optional=True, options=((YES, "yes, a drill"),), hint=DRILL_HINT, named=True),
    ))


def _impact(desk: Desk, it: Incident, said: Said) -> Fields:
    if len(said.words) >= WHOLE_IMPACT:
        return ()
    services = tuple((each, each) for each in desk.config.services)
    given = next((each for each in said.words[:1] if each in desk.config.services), it.service)
    return (
        Field("service", "Which service", "choice", options=services, initial=given, named=True),
        Field("from", "From", "word", hint=TIME_HINT, named=True),
        Field("to", "To", "word", initial="-", hint="- while it lasts", named=True),
        Field("share", "Share of requests that failed", "word", optional=True, hint="30%; without it, all of them", named=True),
    )


def _cause(_desk: Desk, _it: Incident, said: Said) -> Fields:
    hint = "As a tag that you would use again: nat-gateway"
    return () if said.words else (Field("cause", "The root cause", "word", hint=hint, named=True),)


def _end(desk: Desk, it: Incident, said: Said) -> Fields:
    if said.words:
        return ()
    with desk.read() as connection:
        at = recovery.recovered_at(connection, it)
    hint = RECOVERED_HINT.format(at=ground.when(desk.config, at)) if at else TIME_HINT
    return (Field("at", "Since when", "word", initial="now", hint=hint, named=True),)


def _party(_desk: Desk, _it: Incident, said: Said) -> Fields:
    return () if said.words else (Field("who", "Whom it came from", "word", hint="A provider or a bank; or none", named=True),)


def _notice(desk: Desk, it: Incident, said: Said) -> Fields:
    if len(said.words) > 1:
        return ()
    with desk.read() as connection:
        left = notices.still_open(connection, it.id)
    kinds = tuple((each.kind, showing.NAMES[each.kind]) for each in left)
    given = said.words[0] if said.words else kinds[0][0] if kinds else None
    which = (Field("kind", "What was sent", "choice", options=kinds, initial=given, named=True),) if kinds else ()
    return (
        *which,
        Field("reference", "Reference of the authority", "word", optional=True, named=True),
        Field("at", "When it was sent", "word", optional=True, hint=SENT_HINT, named=True),
        Field("delay", "Why it is, or will be, late", optional=True, named=True,
              hint="With a reason and no reference it is not sent yet: tell the authority before the limit"),
    )


FORMS: Mapping[str, Callable[[Desk, Incident, Said], Fields]] = {
    "impact": _impact, "cause": _cause, "end": _end, "third-party": _party, "notice": _notice,
}


def of_verb(desk: Desk, it: Incident, said: Said) -> Fields:
    """What is still to be said."""
    return _left(said, FORMS[said.verb](desk, it, said))


def _left(said: Said, asked: Fields) -> Fields:
    return tuple(each for each in asked if each.name not in said.values)
