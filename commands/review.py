"""The month: read it, sign it, have it made anew."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.errors import Refused
from bot.review.forms import audience, wording
from bot.services.alert.response import called
from bot.services.leave.clauses import listed
from bot.services.review import choosing, links, posting, reading, sealing, signers, signing
from bot.services.review.reading import Read
from bot.services.rota import telling
from bot.services.slack import reviewcards
from bot.store import reviews
from commands import Call, Field, Fields, Subject, command

HEAD = "*{month}, {sides}*: v{version}, sealed {day}."
PROVISIONAL = (
    "*{month}, {sides}*: so far, provisional, facts up to {at}. It is sealed on {cut_off}; until then nobody can sign it."
)
NOT_KEPT = "*{month}, {sides}*: reckoned now, provisional: no version of it was sealed."
SIGNED, UNSIGNED = "Signed by {who}.", "Nobody has signed it yet."
TO_SIGN = "Not signed for {sides}: a lead or a manager says `{command} review {month} sign`."
SIGNATURE = "{who} for {side}"
LINKS = {"page": "Report", "pdf": "PDF", "csv": "CSV"}
LINK = "{what} for {side}, works for {length}: {url}"
MORE_FORMS = "As PDF or as lists: `{command} review {month} pdf`, or csv."
BY_COMMAND = "The whole of it, where Vigie runs: `vigie review {month} --format html` (or pdf, csv, json)."
DONE_SIGNING = "You have signed v{version} of {month} for {side}: digest {digest}.{both}"
NOT_YOURS = "You sign for {own}, not for {other}."
BOTH = " Both sides have signed it now."
MADE = "v{version} of {month} is sealed and posted. {changes}"
DIFFERS = "It differs from v{before} in: {changes}."
VERSION = "v{version}, {at}, by {who}, digest {digest}{why}"
NO_VERSION = "No version of {month} is sealed yet: it is provisional until {at}."
WHICH = "`{command} review {given}` is nothing. Say `{command} review 2026-10`, then again <why>, sign or versions."
ABOUT_AGAIN = "A new version is made of what is known now; it says what differs from the one before, and both sides sign anew."
WHY_LABEL, MONTH_LABEL = "Why, for those who have signed the one before", "Which month"

SHORT, MOST_CHANGES, MONTHS = 12, 10, 12
REF = re.compile(r"(20\d\d-\d\d)(?:v(\d{1,3}))?", re.ASCII)
VERBS = ("show", "page", "pdf", "csv", "again", "sign", "versions")


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of which month, and the words after it."""

    verb: str
    month: str | None
    version: int | None
    rest: str


def parse(call: Call) -> Said:
    """review 2026-10 sign, review sign, or a button about 2026-10v1; raises Refused."""
    words = list(call.words)
    month, version = named(call.ref)
    if words and words[0].lower() not in VERBS:
        month, version = named(words[0]) if REF.fullmatch(words[0]) else (words[0], None)
        words.pop(0)
    verb = words.pop(0).lower() if words else "show"
    if verb not in VERBS:
        raise Refused(WHICH.format(command=call.desk.config.command, given=" ".join(call.words)[:40]))
    return Said(verb, month, version, " ".join(words).removeprefix("why="))


def named(ref: str | None) -> tuple[str | None, int | None]:
    """2026-10v1 as month and version."""
    found = REF.fullmatch(ref or "")
    return (found[1], int(found[2]) if found[2] else None) if found else (None, None)


# --- forms ----------------------------------------------------------------------------------------------------------------


def form(call: Call) -> Fields | None:
    """Which month, for whoever says nothing with a button; why, for whoever has it made anew."""
    if call.way == "button" and _means_nothing(call):
        return (_months(call),)
    said = parse(call)
    return (Field("why", WHY_LABEL, "word", named=True),) if said.verb == "again" and not said.rest else None


def _means_nothing(call: Call) -> bool:
    """A button that only says review, as the one of the Home tab does."""
    return not call.words and named(call.ref) == (None, None)


def _months(call: Call) -> Field:
    running = choosing.month_at(call.desk.config, call.desk.clock.now())
    names = [running.previous(steps) for steps in range(MONTHS)]
    return Field("month", MONTH_LABEL, "choice", options=tuple((each, wording.month(each)) for each in names), initial=names[1])


def subject(call: Call) -> Subject:
    if _means_nothing(call):
        return Subject(yes="Read")
    said = parse(call)
    month = choosing.month_of(call.desk.config, said.month, call.desk.clock.now()).name
    return Subject(month, ABOUT_AGAIN, None, (month, said.verb), "Seal anew")


# --- what is done ---------------------------------------------------------------------------------------------------------


@command(
    "review",
    usage="[month] [pdf|csv|again <why>|sign|versions]",
    help="read the month, sign it, have it made anew",
    example="review 2026-10",
    level="read",
    button="Review…",
    form=form,
    subject=subject,
    group="looking back",
)
def review(call: Call) -> str:
    said = parse(call)
    return DEEDS[said.verb](call, said)


def _show(call: Call, said: Said) -> str:
    desk, now = call.desk, call.desk.clock.now()
    with desk.read() as connection:
        found = reading.get(connection, desk.config, said.month, now, said.version)
    shown = audience.shown_to(found.review, call.actor.organisation)
    signed = [_signatures(call, found)] if found.sealed else []
    return "\n".join([_head(found), *reviewcards.summary(shown), *_notes(found), *signed, *_links(call, found)])


def _notes(found: Read) -> tuple[str, ...]:
    """Of a month under way the head has said the first."""
    return found.review.notes[1 if found.sealed is None and found.month.is_open else 0:]


def _head(found: Read) -> str:
    names, kept = " × ".join(found.review.organisations.values()), found.sealed
    given = {"month": wording.month(found.month.name), "sides": names}
    if kept is not None:
        return HEAD.format(**given, version=kept.version, day=posting.local(found.month, kept.made_at))
    if found.month.is_open:
        at, cut_off = (posting.local(found.month, each) for each in (found.month.as_of, found.month.cut_off))
        return PROVISIONAL.format(**given, at=at, cut_off=cut_off)
    return NOT_KEPT.format(**given)


def _signatures(call: Call, found: Read) -> str:
    config = call.desk.config
    names = [
        SIGNATURE.format(who=telling.name(config, each.person), side=config.organisations[each.organisation].name)
        for each in found.signatures if each.organisation in config.organisations
    ]
    told = SIGNED.format(who=", ".join(names)) if names else UNSIGNED
    missing = [config.organisations[each].name for each in signers.missing(config, found.signatures)]
    asked = TO_SIGN.format(sides=listed(missing, "and"), command=config.command, month=found.month.name) if missing else ""
    return f"{told} {asked}".rstrip()


def _links(call: Call, found: Read, form: str = "page") -> list[str]:
    """For the asker's own side: what only they may see is in it."""
    config = call.desk.config
    actor, version = call.actor, found.sealed.version if found.sealed else 0
    url = links.link(call.desk, found.month.name, version, actor.organisation, call.desk.clock.now(), actor.key)
    if url is None:
        return [BY_COMMAND.format(month=found.month.name)]
    side, length = config.organisations[actor.organisation].name, wording.lasting(config.month.link_lasts.total_seconds())
    whole = url if form == "page" else f"{url}&format={form}"
    told = [LINK.format(what=LINKS[form], side=side, length=length, url=whole)]
    return [*told, MORE_FORMS.format(command=config.command, month=found.month.name)] if form == "page" else told


def _link(call: Call, said: Said) -> str:
    desk = call.desk
    with desk.read() as connection:
        found = reading.get(connection, desk.config, said.month, desk.clock.now(), said.version)
    return "\n".join([_head(found), *_links(call, found, said.verb)])


def _again(call: Call, said: Said) -> str:
    made = sealing.again(call.desk, call.actor, said.month, said.rest)
    with call.desk.read() as connection:
        found = reading.get(connection, call.desk.config, made.month, call.desk.clock.now(), made.version)
    changes = "; ".join(reviewcards.differences(found.review, made, MOST_CHANGES))
    differs = DIFFERS.format(before=made.version - 1, changes=changes)
    return MADE.format(version=made.version, month=wording.month(made.month), changes=differs)


def _sign(call: Call, said: Said) -> str:
    every, own = call.desk.config.organisations, call.actor.organisation
    signers.require(call.desk.config, call.actor, "review sign")
    if said.rest in every and said.rest != own:
        raise Refused(NOT_YOURS.format(own=every[own].name, other=every[said.rest].name))
    kept, both = signing.sign(call.desk, call.actor, said.month, said.version)
    side = every[own].name
    return DONE_SIGNING.format(
        version=kept.version, month=wording.month(kept.month), side=side, digest=kept.digest[:SHORT], both=BOTH if both else "",
    )


def _versions(call: Call, said: Said) -> str:
    month = choosing.month_of(call.desk.config, said.month, call.desk.clock.now())
    with call.desk.read() as connection:
        known = reviews.versions(connection, month.name)
    lines = [
        VERSION.format(
            version=each.version, at=posting.local(month, each.made_at), who=called(call.desk, each.made_by),
            digest=each.digest[:SHORT], why=f": {each.why}" if each.why else "",
        )
        for each in known
    ]
    return "\n".join(lines) or NO_VERSION.format(month=month.name, at=posting.local(month, month.cut_off))


DEEDS: Mapping[str, Callable[[Call, Said], str]] = {
    "show": _show, "page": _link, "pdf": _link, "csv": _link, "again": _again, "sign": _sign, "versions": _versions,
}
