"""Whoever is missing in the rota is found in time: told to the lead by day, and an alert of its own in the last 24 hours."""

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.config import Config
from bot.services.alert import automation, due
from bot.services.call import escalation
from bot.services.desk import Desk
from bot.services.rota import gaps, office, watching
from bot.services.rota.gaps import Gap
from bot.store import alerts, cards, pages, shifts
from bot.store.alerts import Alert
from bot.store.gaps import every
from tests.config_stage import example
from tests.fakes import CountingIds, KillAt, Killed, ManualClock
from tests.story import CONFIG, desk_on

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)          # 10:00 in Paris
NIGHT = datetime(2026, 11, 27, 23, tzinfo=UTC)          # Saturday, 00:00 in Paris


def with_contacts(config: Config, organisations: Sequence[str] = ("bridge", "padok")) -> Config:
    """Everybody of these has a contact beside Slack, the others have none."""
    given = {key: ("VIGIE_CONTACT",) if each.organisation in organisations else () for key, each in config.people.items()}
    people = {key: each.model_copy(update={"contacts": given[key]}) for key, each in config.people.items()}
    return config.model_copy(update={"people": people})


WELL = with_contacts(example())


def stage(engine: sa.Engine, config: Config = WELL, at: datetime = MONDAY) -> Desk:
    return desk_on(engine, ManualClock(at), config=config)


def away(desk: Desk, person: str, start: datetime, end: datetime) -> None:
    with desk.begin("test") as connection:
        connection.execute(shifts.absence.insert().values(
            person=person, organisation=desk.config.people[person].organisation, start=start, end=end, said_by=person,
            said_at=start,
        ))


def back(desk: Desk) -> None:
    with desk.begin("test") as connection:
        connection.execute(sa.update(shifts.absence).values(ended_at=desk.clock.now()))


def found(desk: Desk, ahead: timedelta = gaps.LOOK_AHEAD) -> list[Gap]:
    with desk.read() as connection:
        return gaps.gaps(connection, desk.config, desk.clock.now(), ahead)


def kinds(given: Sequence[Gap]) -> list[tuple[str, datetime, datetime]]:
    return [(each.kind, each.start, each.end) for each in given]


def letters(desk: Desk, user: str = "U0INES0001") -> list[str]:
    with desk.read() as connection:
        query = sa.select(cards.post.c.body).where(cards.post.c.kind == "direct", cards.post.c.channel == user)
        return [json.loads(body)["said"] for body in connection.execute(query.order_by(cards.post.c.id)).scalars()]


def opened(desk: Desk) -> list[Alert]:
    with desk.read() as connection:
        query = sa.select(alerts.alert).order_by(alerts.alert.c.id)
        return [alerts.by_id(connection, row.id) for row in connection.execute(query)]


def with_rotation(name: str, *people: str) -> Config:
    changed = WELL.rotations[name].model_copy(update={"people": people})
    return WELL.model_copy(update={"rotations": {**WELL.rotations, name: changed}})


# --- finding ----------------------------------------------------------------------------------------------------------------


def test_a_rota_in_which_everybody_can_be_reached_has_no_gap(sqlite_engine: sa.Engine) -> None:
    assert found(stage(sqlite_engine)) == []


def test_a_configuration_without_coverages_has_none_and_nothing_is_written(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine, CONFIG)
    assert found(desk) == [] and watching.look(desk) == 0


def test_both_away_is_nobody_one_away_is_half_and_it_is_said_which_half(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine)
    away(desk, "lea", NIGHT, NIGHT + timedelta(hours=8))
    away(desk, "omar", NIGHT + timedelta(hours=2), NIGHT + timedelta(hours=4))
    hour = timedelta(hours=1)
    # It is Omar's week as primary.
    assert kinds(found(desk)) == [
        ("no_secondary", NIGHT, NIGHT + 2 * hour), ("nobody", NIGHT + 2 * hour, NIGHT + 4 * hour),
        ("no_secondary", NIGHT + 4 * hour, NIGHT + 8 * hour),
    ]
    back(desk)
    away(desk, "omar", NIGHT, NIGHT + timedelta(hours=8))
    assert kinds(found(desk)) == [("too_few", NIGHT, NIGHT + 8 * hour)]


def test_a_gap_over_several_stretches_of_one_team_is_one_gap(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine)
    for person in ("alice", "bruno"):
        away(desk, person, MONDAY + timedelta(days=1), MONDAY + timedelta(days=1, hours=20))
    tuesday = MONDAY + timedelta(days=1)
    assert kinds(found(desk)) == [("nobody", tuesday, datetime(2026, 11, 24, 23, tzinfo=UTC))]


def test_one_person_in_both_roles_is_a_gap(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine, with_rotation("bridge-secondary", "alice"))
    assert {each.kind for each in found(desk)} == {"same_person_twice"}


def test_a_leaver_leaves_a_gap(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine)
    with desk.begin("test") as connection:
        connection.execute(shifts.leaver.insert().values(person="omar", at=MONDAY))
    assert {each.kind for each in found(desk)} == {"too_few", "no_secondary"}
    assert {slot.missing for each in found(desk) for slot in each.slots if slot.was == "omar"} == {"left"}


def test_people_planned_in_their_own_blackout_are_a_gap(sqlite_engine: sa.Engine) -> None:
    coverage = WELL.coverages["platform"]
    first, day, evening = coverage.days["weekday"]
    cut = {**coverage.days, "weekday": (first, day.model_copy(update={"at": "07:00"}), evening)}
    changed = coverage.model_copy(update={"days": cut})
    desk = stage(sqlite_engine, WELL.model_copy(update={"coverages": {"platform": changed}}))
    assert {each.kind for each in found(desk)} == {"in_blackout"}
    assert all(each.end - each.start == timedelta(hours=1) for each in found(desk))


def test_whoever_is_on_call_without_a_contact_beside_slack_is_told_once_a_person_and_never_an_alert(
    sqlite_engine: sa.Engine,
) -> None:
    desk = stage(sqlite_engine, with_contacts(example(), ["padok"]))
    unreachable = found(desk)
    assert {(each.kind, each.slots[0].person) for each in unreachable} == {("unreachable", "alice"), ("unreachable", "bruno")}
    assert len(unreachable) == 2
    watching.look(desk)
    assert len(letters(desk, "U0PAUL0001")) == 1 and "Alice, from Mon 23 Nov 20:00 on" in letters(desk, "U0PAUL0001")[0]
    for _ in range(5):
        desk.clock.advance(86_400)
        watching.look(desk)
    assert len(letters(desk, "U0PAUL0001")) == 1 and opened(desk) == []


# --- told in working hours --------------------------------------------------------------------------------------------------


def test_the_lead_is_told_once_with_who_is_missing_and_again_when_it_grows(engine: sa.Engine) -> None:
    desk = stage(engine)
    away(desk, "lea", NIGHT, NIGHT + timedelta(hours=4))
    watching.look(desk)
    watching.look(desk)
    assert letters(desk) == [
        "⚠ Gaps in the rota of padok-nights, next 60 days:\n"
        "• no secondary for platform: Sat 28 Nov 00:00–04:00 (Paris time): secondary: Léa is away\n"
        "`/vigie override` gives a shift to somebody; `/vigie oncall week` shows who is on."
    ]
    away(desk, "lea", NIGHT + timedelta(hours=4), NIGHT + timedelta(hours=8))
    watching.look(desk)
    assert len(letters(desk)) == 2 and "00:00–08:00" in letters(desk)[1]
    assert letters(desk, "U0PAUL0001") == []


def test_a_gap_that_shrinks_or_moves_nearer_is_not_told_again_and_one_that_comes_back_is(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine)
    away(desk, "lea", NIGHT, NIGHT + timedelta(hours=8))
    watching.look(desk)
    back(desk)
    away(desk, "lea", NIGHT, NIGHT + timedelta(hours=3))
    desk.clock.advance(3_600)
    watching.look(desk)
    assert len(letters(desk)) == 1
    back(desk)
    assert watching.look(desk) == 0
    away(desk, "lea", NIGHT, NIGHT + timedelta(hours=3))
    watching.look(desk)
    assert len(letters(desk)) == 2


def test_outside_of_working_hours_the_lead_is_told_when_they_begin(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine, at=MONDAY + timedelta(hours=12))        # 22:00 in Paris
    away(desk, "lea", NIGHT, NIGHT + timedelta(hours=8))
    watching.look(desk)
    assert letters(desk) == []
    desk.clock.advance(10 * 3_600 - 60)
    watching.look(desk)
    assert letters(desk) == []
    desk.clock.advance(60)
    watching.look(desk)
    assert len(letters(desk)) == 1


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-11-23T09:00", "2026-11-23T09:00"), ("2026-11-23T17:00", "2026-11-24T07:00"),
        ("2026-11-20T18:00", "2026-11-23T07:00"), ("2026-12-24T20:00", "2026-12-28T07:00"),
        ("2027-03-27T12:00", "2027-03-30T06:00"), ("2026-11-23T02:00", "2026-11-23T07:00"),
    ],
)
def test_working_hours_know_weekends_holidays_and_the_blackout(at: str, opens: str) -> None:
    given, wanted = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (at, opens))
    assert office.opens(WELL, "bridge", given) == wanted


# --- alerts of the last day -------------------------------------------------------------------------------------------------


def test_a_gap_within_a_day_is_an_alert_that_recovers_when_it_is_filled(engine: sa.Engine) -> None:
    desk = stage(engine, at=NIGHT - timedelta(hours=25))
    for person in ("lea", "omar"):
        away(desk, person, NIGHT, NIGHT + timedelta(hours=8))
    watching.look(desk)
    assert opened(desk) == []
    desk.clock.advance(3_700)
    watching.look(desk)
    watching.look(desk)
    alert = opened(desk)[0]
    assert (alert.state, alert.severity, alert.important, len(opened(desk))) == ("firing", "critical", True, 1)
    assert alert.fingerprint == "coverage-gap:platform:2026-11-27T23:00Z"
    assert alert.title == "nobody covers platform: Sat 28 Nov 00:00–08:00 (Paris time)"
    assert not any(name in alert.title + alert.summary for name in ("Léa", "Omar", "away"))
    back(desk)
    watching.look(desk)
    assert [each.state for each in opened(desk)] == ["recovered"] and watching.look(desk) == 0
    desk.clock.advance(16 * 60)
    due.act(desk)
    assert [each.state for each in opened(desk)] == ["closed"]


def test_the_lead_whose_team_has_the_gap_is_called_first(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine, at=NIGHT - timedelta(hours=10))       # Bridge has the duty: it could not fill it
    for person in ("lea", "omar"):
        away(desk, person, NIGHT, NIGHT + timedelta(hours=8))
    watching.look(desk)
    automation.act(desk)
    with desk.read() as connection:
        called = connection.scalars(sa.select(pages.page_attempt.c.person).order_by(pages.page_attempt.c.id)).all()
    assert set(called) == {"ines"}
    desk.clock.advance(5 * 60)
    escalation.act(desk)
    with desk.read() as connection:
        later = connection.scalars(sa.select(pages.page_attempt.c.person).order_by(pages.page_attempt.c.id)).all()
    assert set(later) > {"ines"}


def test_an_alert_that_somebody_closed_is_not_raised_again_for_the_same_gap(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine, at=NIGHT - timedelta(hours=5))
    away(desk, "omar", NIGHT, NIGHT + timedelta(hours=8))
    watching.look(desk)
    assert [each.severity for each in opened(desk)] == ["high"]
    with desk.begin("test") as connection:
        connection.execute(sa.update(alerts.alert).values(state="closed", closed_at=desk.clock.now()))
    desk.clock.advance(600)
    watching.look(desk)
    assert len(opened(desk)) == 1


def test_a_gap_that_comes_back_is_an_alert_again(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine, at=NIGHT - timedelta(hours=5))
    away(desk, "omar", NIGHT, NIGHT + timedelta(hours=8))
    watching.look(desk)
    back(desk)
    desk.clock.advance(60)
    watching.look(desk)
    away(desk, "omar", NIGHT, NIGHT + timedelta(hours=8))
    desk.clock.advance(60)
    watching.look(desk)
    assert [(each.state, each.relapses) for each in opened(desk)] == [("firing", 1)]


def test_a_gap_that_is_over_ends_its_alert_and_is_forgotten(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine, at=NIGHT - timedelta(hours=5))
    away(desk, "omar", NIGHT, NIGHT + timedelta(hours=8))
    watching.look(desk)
    desk.clock.advance(10 * 3_600)      # under way: the same alert
    watching.look(desk)
    assert [each.state for each in opened(desk)] == ["firing"]
    desk.clock.advance(4 * 3_600)
    watching.look(desk)
    assert [each.state for each in opened(desk)] == ["recovered"]
    with desk.read() as connection:
        assert every(connection) == []


def test_two_processes_that_look_at_once_tell_and_raise_once(engine: sa.Engine) -> None:
    desk = stage(engine, at=NIGHT - timedelta(hours=14))        # Friday, 10:00 in Paris
    away(desk, "omar", NIGHT, NIGHT + timedelta(hours=8))
    threads = [threading.Thread(target=watching.look, args=[desk]) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(letters(desk)) == 1 and [each.signals for each in opened(desk)] == [1]


@pytest.mark.parametrize("point", ["gaps", "tell gaps", "intake", "gaps alerted"])
@pytest.mark.parametrize("when", ["before commit", "after commit"])
def test_a_death_while_it_looks_neither_doubles_nor_loses_anything(point: str, when: str, sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine, at=NIGHT - timedelta(hours=14))
    away(desk, "omar", NIGHT, NIGHT + timedelta(hours=8))
    with pytest.raises(Killed):
        watching.look(Desk(sqlite_engine, WELL, desk.clock, CountingIds(), KillAt(f"{point}: {when}")))
    desk.clock.advance(60)
    watching.look(desk)
    watching.look(desk)
    assert len(letters(desk)) == 1 and [(each.state, each.signals) for each in opened(desk)] == [("firing", 1)]
