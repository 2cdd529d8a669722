"""A partner in another country is another profile and another zone in vigie.yaml, and nothing else."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bot.config import Config
from bot.services.handoff import protocol, upcoming
from bot.services.handoff.protocol import TO_OWN, TO_PARTNER
from bot.services.leave import duty
from bot.services.rota import planning
from bot.services.worktime import lawful, statements
from bot.store import interventions
from bot.store import statements as kept
from tests.config_stage import example
from tests.duty_stage import life, paris
from tests.test_handoff_protocol import EVENING, MORNING, handoff_at

DAY = timedelta(days=1)
ONLY_FRENCH = {"R03", "R04", "R05", "R06", "R07", "R08", "R13", "R14"}
CHANGES = [
    ("Europe/Paris", "2026-10-25"), ("Europe/Paris", "2027-03-28"), ("America/New_York", "2026-11-01"),
    ("America/New_York", "2027-03-14"), ("Australia/Lord_Howe", "2027-04-04"), ("Australia/Lord_Howe", "2026-10-04"),
]


def abroad(zone: str = "Europe/Lisbon", **labour: str) -> Config:
    """The example, whose partner is elsewhere."""
    given = example().model_dump()
    labour = {"profile": "EU-2003-88", "holidays": "PT", "night_basis": "Portuguese law", **labour}
    given["organisations"]["padok"] |= {"timezone": zone, "labour": labour}
    return Config.model_validate(given)


def everywhere(zone: str) -> Config:
    given = example().model_dump()
    for each in given["organisations"].values():
        each["timezone"] = zone
    return Config.model_validate(given)


def test_the_duty_passes_at_the_same_instant_wherever_the_partner_is() -> None:
    start, end = datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 4, 15, tzinfo=UTC)
    assert planning.stretches(abroad(), "platform", start, end) == planning.stretches(example(), "platform", start, end)


@pytest.mark.parametrize(("month", "first"), [("2026-10", 20), ("2027-03", 22)])
def test_the_rules_of_one_country_say_nothing_of_people_in_another(engine: sa.Engine, month: str, first: int) -> None:
    now = datetime.fromisoformat(f"{month}-{first}T00:00:00+00:00")
    with engine.connect() as connection:
        found = lawful.examine(connection, abroad(), "padok", now, now + 14 * DAY, now)
    assert found and lawful.hard(found) == [] and not {each.rule for each in found} & ONLY_FRENCH
    assert all("L31" not in each.source for each in found) and "EU-2003-88" in (lawful.itself(abroad(), "padok") or "")


def test_a_statement_is_of_the_employees_own_clocks_and_working_days(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-20 12:00", abroad())
    with here.desk.begin("test") as connection:
        interventions.begin(connection, "omar", "padok", 7, paris("2026-11-28 02:10"), end=paris("2026-11-28 03:10"))
    here.move("2026-12-01 12:00")           # a holiday in Portugal, a working day in France
    statements.act(here.desk)
    assert here.told("alice", "statement:") and not here.told("omar", "statement:")
    here.move("2026-12-02 09:00")           # eight in Lisbon
    statements.act(here.desk)
    with here.desk.read() as connection:
        shown = statements.shown(here.desk.config, kept.of_month(connection, "2026-11", "omar")[0])
    assert "Sat 28 Nov 01:10–02:10: 60 min" in shown and "60 min at night" in shown and "Times are Lisbon time" in shown


def test_a_blackout_of_the_partner_is_by_the_clocks_of_the_partner() -> None:
    padok = abroad().organisations["padok"].model_copy(update={"blackout": "12:00-14:00"})
    config = abroad().model_copy(update={"organisations": {**abroad().organisations, "padok": padok}})
    assert duty.asleep(config, "lea", paris("2026-12-02 12:30")) is None
    assert duty.asleep(config, "lea", paris("2026-12-02 13:30")) == paris("2026-12-02 15:00")


@pytest.mark.parametrize(("zone", "night"), CHANGES)
def test_around_a_change_of_clocks_the_table_of_the_handoff_is_by_the_wall_of_every_zone(zone: str, night: str) -> None:
    place, config = ZoneInfo(zone), everywhere(zone)
    start = datetime.fromisoformat(night).replace(tzinfo=place).astimezone(UTC) - 2 * DAY
    passings = planning.passings(config, "platform", start, start + 5 * DAY)
    assert len(passings) >= 5
    for _, after in passings:
        direction = TO_OWN if after.organisation == "bridge" else TO_PARTNER
        times = upcoming.times(config, handoff_at(after.start, direction))
        told = [(f"{each.at.astimezone(place):%H:%M}", each.name, each.whom) for each in protocol.steps(times)]
        assert told == (MORNING if direction == TO_OWN else EVENING), after.start
