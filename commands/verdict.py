"""Say what a closed alert was worth: one click, by either side."""

import re
from collections.abc import Iterable, Iterator, Sequence

from bot.errors import Refused
from bot.review.facts import Month
from bot.review.forms import wording
from bot.services.alert import response
from bot.services.alert.response import lasted
from bot.services.review import choosing, verdicts
from bot.store.alerts import Alert
from commands import Call, Field, Fields, Subject, command
from commands.review import named

GIVEN = "{name}: {verdict}.{was}{later}"
WAS, LATER = " Your side had said {was} before.", " The review of {month} is sealed: it counts in its next version."
SEVERAL, MISSING = "{count} given: {which}.", "{count} more of {month} have none: click again for the next ones."
ALL_DONE, NONE_LEFT = "Every alert of {month} that somebody handled has one now.", "No verdict of {month} is missing."
NOTHING_SAID = "You gave none: choose at least one."
ABOUT = "Of {month} {count} alerts that somebody handled have no verdict; these are the oldest of them."
LABEL = "{name} {said}, closed {at}, lasted {length}"
HOW = "Say for instance `{command} verdict 142 noise`."
MOST = 8
SAID = re.compile(r"v(\d{1,12})=(\S+)")


def form(call: Call) -> Fields | None:
    """Of one alert its verdict; of a month those of the next alerts that have none."""
    month = _month(call)
    options = tuple(verdicts.VERDICTS.items())
    if month is None:
        return None if call.args else (_only(call, options),)
    if any(SAID.fullmatch(each) for each in call.words):
        return None
    labels = ((each.id, _label(each, month)) for each in _next(call, month))
    return tuple(Field(f"v{id}", label, "choice", optional=True, options=options, named=True) for id, label in labels)


def _only(call: Call, options: tuple[tuple[str, str], ...]) -> Field:
    verdicts.require_over(call.desk, call.alert())
    return Field("verdict", "What was it worth?", "choice", options=options)


def _label(each: Alert, month: Month) -> str:
    at = wording.instant(each.closed_at.isoformat(), month.zone) if each.closed_at else ""
    return LABEL.format(name=each.name, said=response.headline(each), at=at, length=lasted(each))


def _next(call: Call, month: Month) -> Sequence[Alert]:
    with call.desk.read() as connection:
        found = verdicts.next_ones(connection, month, MOST)
    if not found:
        raise Refused(NONE_LEFT.format(month=wording.month(month.name)))
    return found


def _month(call: Call) -> Month | None:
    """The month that is meant: a button of its review names it, or the word itself."""
    name, _ = named(call.ref or (call.words[0] if call.words else None))
    return choosing.month_of(call.desk.config, name, call.desk.clock.now()) if name else None


def subject(call: Call) -> Subject:
    month = _month(call)
    if month is None:
        alert = call.alert()
        return Subject(alert.name, response.headline(alert), str(alert.id), call.args, "Give it")
    with call.desk.read() as connection:
        count = len(verdicts.missing(connection, month))
    return Subject("", ABOUT.format(month=wording.month(month.name), count=count), month.name, (), "Give them")


@command(
    "verdict",
    usage="<alert> useful|noise|duplicate|missing-runbook|needs-fix",
    help="say what a closed alert was worth",
    example="verdict 142 noise",
    level="write",
    button="Verdict…",
    form=form,
    subject=subject,
    group="looking back",
)
def verdict(call: Call) -> str:
    month = _month(call)
    if month is not None:
        return _several(call, month)
    alert = call.alert()
    given = verdicts.give(call.desk, call.actor, alert, call.rest)
    later = LATER.format(month=wording.month(given.month)) if given.later else ""
    was = WAS.format(was=given.changed_from) if given.changed_from else ""
    return GIVEN.format(name=alert.name, verdict=given.verdict, was=was, later=later)


def _several(call: Call, month: Month) -> str:
    told = list(_told(call, call.words))
    if not told and call.way != "form":
        return _listed(call, month)
    if not told:
        raise Refused(NOTHING_SAID)
    with call.desk.read() as connection:
        left = len(verdicts.missing(connection, month))
    rest = MISSING if left else ALL_DONE
    which = ", ".join(f"{name} {word}" for name, word in told)
    return f"{SEVERAL.format(count=len(told), which=which)} {rest.format(count=left, month=wording.month(month.name))}"


def _listed(call: Call, month: Month) -> str:
    lines = [_label(each, month) for each in _next(call, month)]
    return "\n".join([subject(call).about, *lines, HOW.format(command=call.desk.config.command)])


def _told(call: Call, words: Iterable[str]) -> Iterator[tuple[str, str]]:
    for each in words:
        if found := SAID.fullmatch(each):
            alert = response.find(call.desk, found[1])
            yield alert.name, verdicts.give(call.desk, call.actor, alert, found[2]).verdict


