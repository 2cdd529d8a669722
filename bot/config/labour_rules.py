"""What must be true of the working-time rules of an organisation, and of the one of its people who may be woken."""

from collections.abc import Iterator
from datetime import timedelta

from bot.calendars import UnknownCalendar, public_holidays
from bot.config.coverage_rules import leaving
from bot.config.duties import YEAR, minutes
from bot.config.mandate_rules import HOURS_FORM, is_hours
from bot.config.nights import Labour
from bot.config.remarks import Book, Place, Remark, Saying, hint
from bot.config.team_rules import OTHER_COMPANY
from bot.labour import Agreement
from bot.labour.checking import night_fault
from bot.labour.profiles import WrongAgreement, known, load

LEAST_REST = timedelta(hours=11)

PROFILE = Saying('no working-time rules are called "{name}"', "{hint}")
CALENDAR = Saying('no public holidays are called "{name}"', "A country, as in FR, or with a part of it, as in FR-57.")
AGREEMENT = Saying("{problem}", "Name a rule and a figure of the profile, and a value that the law allows.")
SHORT_REST = Saying(
    "posted rest of {given} h is shorter than daily rest, 11 h (D3131-3)",
    "As in 21:00-08:00; on the night in March when clocks skip an hour, it then opens an hour earlier by itself.",
)
NIGHT = Saying("{problem}", "The law's own night holds when none is given.")
NO_LABOUR = Saying(
    '"{name}" has people who take turns, and no working-time rules: nothing is checked',
    "Add `labour:` with a profile, as in {{profile: FR-2026.08, holidays: FR}}.",
    warning=True,
)
GLASS_IDLE = Saying('"{name}" has no blackout, so there is no glass to break', "Take `break_glass` away.", warning=True)


def labour(book: Book) -> Iterator[Remark]:
    at_work = {each.organisation for each in book.config.teams.values()}
    for name, organisation in book.config.organisations.items():
        place = ("organisations", name)
        if organisation.labour is not None:
            yield from _labour(organisation.labour, (*place, "labour"))
        elif name in at_work:
            yield NO_LABOUR.at(*place, name=name)


def _labour(given: Labour, place: Place) -> Iterator[Remark]:
    if given.profile not in known():
        yield PROFILE.at(*place, "profile", name=given.profile, hint=hint(given.profile, known()))
    else:
        yield from _agreements(given, place)
        yield from _night(given, place)
    try:
        public_holidays(given.holidays, YEAR)
    except UnknownCalendar:
        yield CALENDAR.at(*place, "holidays", name=given.holidays)
    for key, hours in (("posted_rest", given.posted_rest), ("night", given.night)):
        if hours is not None and not is_hours(hours):
            yield HOURS_FORM.at(*place, key, hours=hours)
    if given.posted_rest and is_hours(given.posted_rest) and minutes(given.posted_rest) < LEAST_REST:
        yield SHORT_REST.at(*place, "posted_rest", given=f"{minutes(given.posted_rest) / timedelta(hours=1):g}")


def _agreements(given: Labour, place: Place) -> Iterator[Remark]:
    for index, each in enumerate(given.agreements):
        try:
            load(given.profile, [Agreement(each.rule, each.parameter, each.value, each.title)])
        except WrongAgreement as error:
            yield AGREEMENT.at(*place, "agreements", index, problem=error)


def _night(given: Labour, place: Place) -> Iterator[Remark]:
    figures = load(given.profile).figures.get("R10")
    if given.night and is_hours(given.night) and figures and (problem := night_fault(given.night, figures)):
        yield NIGHT.at(*place, "night", problem=problem)


def glass(book: Book) -> Iterator[Remark]:
    for name, organisation in book.config.organisations.items():
        key, place = organisation.break_glass, ("organisations", name, "break_glass")
        yield from book.known("people", key, *place)
        person = book.config.people.get(key) if key else None
        if key is None or person is None:
            continue
        yield from leaving(key, person, place)
        if person.organisation != name:
            yield OTHER_COMPANY.at(*place, name=key, organisation=person.organisation, wanted=name)
        if organisation.blackout is None:
            yield GLASS_IDLE.at(*place, name=name)
