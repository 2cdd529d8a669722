"""What vigie.yaml may say about nights: teams, what must be covered, how a day is cut among teams, who takes turns."""

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from runbooks.model import Length, Names, Part

DayClass = Literal["weekday", "saturday", "sunday", "holiday", "holiday_eve"]
Mode = Literal["active", "on_call"]
TurnOf = Literal["primary", "secondary"]
Regime = Literal["hours", "forfait-jours", "executive", "under-18", "none"]
Flag = Literal["no_night", "no_on_call"]

TIME_OF_DAY = r"^([01]\d|2[0-3]):[0-5]\d$"
TimeOfDay = Annotated[str, Field(pattern=TIME_OF_DAY)]


class Agreement(Part):
    """A collective or company agreement that replaces one figure of the country's rules."""

    rule: Annotated[str, Field(pattern=r"^R\d\d$", description="R13")]
    parameter: Annotated[str, Field(description="As the profile calls the figure: notice_days")]
    value: Any
    title: Annotated[str, Field(min_length=1, description="What it is, of when, which article and page")]


class Labour(Part):
    """Which working-time rules hold for an employer's people. An aid to checking: the employer stays responsible."""

    profile: Annotated[str, Field(description="The country's rules and their version: FR-2026.08, EU-2003-88")] = "FR-2026.08"
    holidays: Annotated[str, Field(description="Whose public holidays: FR, or with the part of the country, FR-57")] = "FR"
    posted_rest: Annotated[
        str | None, Field(description="Hours posted as daily rest, at least 11 h: 21:00-08:00; no planned work in them")
    ] = None
    night: Annotated[str | None, Field(description="The employer's own night; without it, the law's")] = None
    sunday_basis: Annotated[str | None, Field(description="On what ground Sundays are worked")] = None
    may1_basis: Annotated[str | None, Field(description="On what ground the first of May is worked")] = None
    night_basis: Annotated[str | None, Field(description="The agreement or authorisation for night workers")] = None
    agreements: tuple[Agreement, ...] = ()


class Team(Part):
    """People of one organisation who take turns."""

    organisation: Annotated[str, Field(description="A name of `organisations`")]
    lead: Annotated[str, Field(description="The person who is told of gaps, and called when nobody else answers")]
    channel: Annotated[str | None, Field(description="A name of `channels`: where handoffs are; without it, the default")] = None
    contact: Annotated[str | None, Field(description="Whom the other side may ask by day; without it, the lead")] = None


class Boundary(Part):
    """From this time of the day on, until the next one, a team has the duty."""

    at: Annotated[TimeOfDay, Field(description="In the coverage's own zone: 08:00")]
    team: Annotated[str, Field(description="A name of `teams`")]
    mode: Annotated[Mode, Field(description="active: at work; on_call: at home, reachable")] = "active"
    people: Annotated[int, Field(ge=1, le=2, description="1: a primary; 2: a secondary too")] = 2
    respond_within: Annotated[Length, Field(description="How soon somebody called must be at it")] = timedelta(minutes=30)


class Paging(Part):
    """When who is told next: all counted from when the first is called."""

    secondary_after: Length = timedelta(minutes=5)
    lead_after: Length = timedelta(minutes=10)
    other_side_after: Length = timedelta(minutes=15)
    fallback_after: Length = timedelta(minutes=20)
    again_every: Annotated[Length, Field(description="After that everybody is called again, so often")] = timedelta(minutes=10)
    lease: Annotated[
        Length, Field(description="How long an acknowledged alert may be silent before its owner is reminded")
    ] = timedelta(minutes=30)
    reminder: Annotated[Length, Field(description="How long the reminded owner has, before others are called")] = timedelta(
        minutes=10
    )


class Coverage(Part):
    """What must always be covered. Each day is cut at its boundaries, so a gap or an overlap cannot be written."""

    services: Annotated[Names, Field(description="Names of services; * stands for anything")] = ("*",)
    timezone: Annotated[str | None, Field(description="IANA name; without it, that of the platform's owner")] = None
    days: Annotated[
        dict[DayClass, tuple[Boundary, ...]],
        Field(description="`weekday` at least; saturday, sunday, holiday and holiday_eve are weekdays unless they are written"),
    ]
    dates: Annotated[dict[date, tuple[Boundary, ...]], Field(description="Single days that are cut otherwise: 2026-12-24")] = {}
    fallback: Annotated[str, Field(description="The person who is called when nobody else can be; never in their blackout")]
    user_group: Annotated[str | None, Field(description="A Slack user group kept to whoever is on duty: S0ASTREINT")] = None
    paging: Paging = Paging()


class Rotation(Part):
    """Who takes turns in a team for a coverage."""

    team: Annotated[str, Field(description="A name of `teams`")]
    coverage: Annotated[str, Field(description="A name of `coverages`")]
    role: Annotated[TurnOf, Field(description="primary, or secondary")] = "primary"
    people: Annotated[tuple[str, ...], Field(min_length=1, description="In this order")]
    starts: Annotated[date, Field(description="The day on which the first of them has the first turn")]
    days: Annotated[int, Field(ge=1, le=366, description="How many days a turn lasts")] = 7
    changes_at: Annotated[
        TimeOfDay, Field(description="The time of the day at which turns change, in the coverage's zone: 08:00")
    ] = "00:00"
