"""Day plans and rotations as nobody would write them, in zones whose clocks change in every way: for properties of the rota."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import strategies as some

from bot.config import Config
from bot.config.nights import Boundary, Coverage, Rotation, Team
from tests.story import CONFIG

ZONES = (
    "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Beirut", "Pacific/Chatham", "Asia/Tokyo",
)
# The nights in which clocks change in these zones, over three years.
CHANGES = (
    "2026-03-29", "2026-10-25", "2027-03-28", "2027-10-31", "2028-03-26",                       # Paris, Beirut
    "2026-03-08", "2026-11-01", "2027-03-14", "2027-11-07",                                     # New York, Havana
    "2026-04-05", "2026-10-04", "2027-04-04", "2027-10-03", "2026-09-27", "2027-09-26",         # Lord Howe, Chatham
)

quarters = some.sampled_from((0, 15, 30, 45))
times_of_day = some.builds(lambda hour, minute: f"{hour:02}:{minute:02}", some.integers(0, 23), quarters)
small_hours = some.builds(lambda hour, minute: f"{hour:02}:{minute:02}", some.integers(0, 3), quarters)
near_a_change = some.builds(
    lambda day, minutes: datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(minutes=minutes),
    some.sampled_from(CHANGES), some.integers(-2_880, 2_880),
)
lengths = some.integers(1, 12 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))


@some.composite
def plans(draw) -> Config:
    """Two companies, any zone, days cut anywhere (often in the hours that clocks skip or show twice), turns of any length."""
    zone = draw(some.sampled_from(ZONES))

    def cut() -> tuple[Boundary, ...]:
        ats = draw(some.lists(times_of_day | small_hours, min_size=1, max_size=4, unique=True))
        return tuple(
            Boundary(at=at, team=draw(some.sampled_from(("day", "night"))), mode=draw(some.sampled_from(("active", "on_call"))),
                     people=draw(some.integers(1, 2)))
            for at in ats
        )

    days = {"weekday": cut()} | {each: cut() for each in draw(some.sets(some.sampled_from(("saturday", "sunday"))))}
    rotations = {
        f"{team}-{role}": Rotation(
            team=team, coverage="platform", role=role, people=people, starts=date(2026, 1, 5),
            days=draw(some.integers(1, 15)), changes_at=draw(times_of_day | small_hours),
        )
        for team, people in (("day", ("alice", "paul")), ("night", ("lea", "ines"))) for role in ("primary", "secondary")
    }
    organisations = {
        key: each.model_copy(update={"timezone": zone, "blackout": None}) for key, each in CONFIG.organisations.items()
    }
    return CONFIG.model_copy(update={
        "organisations": organisations, "rotations": rotations,
        "teams": {"day": Team(organisation="bridge", lead="paul"), "night": Team(organisation="padok", lead="ines")},
        "coverages": {"platform": Coverage(days=days, fallback="ines")},
    })


def local(text: str, zone: str = "Europe/Paris") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def is_partition(pieces, start: datetime, end: datetime) -> bool:
    """No gap, no overlap, nothing empty, from the start to the end."""
    whole = [(each.start, each.end) for each in pieces]
    touching = all(before[1] == after[0] for before, after in pairwise(whole))
    return bool(whole) and whole[0][0] == start and whole[-1][1] == end and touching and all(a < b for a, b in whole)
