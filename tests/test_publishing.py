"""A programme is published at a certain date, once, 60 days ahead; it is only added to, and anew only by a rota admin."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.services.desk import Actor, Desk
from bot.services.rota import roster
from bot.services.shift import filling, publishing
from bot.services.worktime.timesheets import FIRST_PROGRAMME
from bot.store import cards, shifts
from bot.store.journal import journal
from bot.store.shifts import shift
from tests.config_stage import example
from tests.fakes import CountingIds, KillAt, Killed, ManualClock
from tests.story import desk_on

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)          # 10:00 in Paris
PAUL = Actor("paul", "Paul", "bridge", frozenset({"lead", "approver", "rota_admin"}), "U0PAUL0001", "slack C0ALERTS01")
ALICE = Actor("alice", "Alice", "bridge", frozenset({"engineer"}), "U0ALICE001", "slack C0ALERTS01")
INES = Actor("ines", "Inès", "padok", frozenset({"lead", "rota_admin"}), "U0INES0001", "slack C0ALERTS01")


def stage(engine: sa.Engine, config: Config | None = None, at: datetime = MONDAY) -> Desk:
    return desk_on(engine, ManualClock(at), config=config or example())


def later(desk: Desk, config: Config | None = None, **wait: float) -> Desk:
    """The same database, later, perhaps with another vigie.yaml."""
    return desk_on(desk.engine, ManualClock(desk.clock.now() + timedelta(**wait)), config=config or desk.config)


def rows(desk: Desk) -> list[sa.Row]:
    with desk.read() as connection:
        return list(connection.execute(sa.select(shift).order_by(shift.c.id)))


def holding(desk: Desk) -> list[sa.Row]:
    return [each for each in rows(desk) if each.superseded_at is None]


def directs(desk: Desk, user: str) -> list[tuple[str, datetime]]:
    with desk.read() as connection:
        query = sa.select(cards.post).where(cards.post.c.kind == "direct", cards.post.c.channel == user)
        return [(json.loads(row.body)["said"], row.due_at) for row in connection.execute(query.order_by(cards.post.c.id))]


def with_people(config: Config, rotation: str, *people: str) -> Config:
    changed = config.rotations[rotation].model_copy(update={"people": people})
    return config.model_copy(update={"rotations": {**config.rotations, rotation: changed}})


def the_other_way_round(config: Config) -> Config:
    """Bridge's primary and secondary change places."""
    return with_people(with_people(config, "bridge-primary", "bruno", "alice"), "bridge-secondary", "alice", "bruno")


def with_flag(config: Config, person: str, **said: object) -> Config:
    return config.model_copy(update={"people": {**config.people, person: config.people[person].model_copy(update=said)}})


def test_the_first_programme_covers_sixty_days_and_says_that_it_is_the_first(engine: sa.Engine) -> None:
    desk = stage(engine)
    assert filling.fill(desk) == 2
    found = holding(desk)
    assert {each.reason for each in found} == {FIRST_PROGRAMME} and {each.source for each in found} == {"rotation"}
    assert {each.published_at for each in found} == {MONDAY} and {each.published_by for each in found} == {"vigie"}
    assert min(each.start for each in found) == datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert max(each.end for each in found) >= MONDAY + timedelta(days=60)
    said, due = directs(desk, "U0PAUL0001")[0]
    assert "first programme of bridge-day" in said and due == MONDAY


def test_what_is_published_is_what_was_planned(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine)
    end = MONDAY + timedelta(days=40)
    with desk.read() as connection:
        planned = [(each.role, each.person, each.start, each.end) for each in
                   roster.slots(connection, desk.config, "platform", MONDAY, end)]
    filling.fill(desk)
    with desk.read() as connection:
        found = roster.slots(connection, desk.config, "platform", MONDAY, end)
    assert [(each.role, each.person, each.start, each.end) for each in found] == planned
    assert all(each.shift for each in found)


def test_it_is_published_once_and_a_day_later_only_what_is_new_is_added(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine)
    filling.fill(desk)
    first = rows(desk)
    assert filling.fill(desk) == 0 and rows(desk) == first
    assert filling.fill(later(desk, days=2)) == 2
    found = rows(desk)
    assert found[: len(first)] == first and len(first) < len(found) < len(first) + 20
    assert {each.reason for each in found[len(first):]} == {None}
    assert len(directs(desk, "U0PAUL0001")) == 1


def test_two_processes_that_publish_at_once_publish_once(engine: sa.Engine) -> None:
    desk, moved = stage(engine), []
    threads = [threading.Thread(target=lambda: moved.append(filling.fill(desk))) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sum(moved) == 2
    found = [(each.coverage, each.role, each.start) for each in holding(desk)]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("when", ["before commit", "after commit"])
def test_a_death_at_the_publication_publishes_nothing_twice_and_loses_nothing(when: str, sqlite_engine: sa.Engine) -> None:
    dying = Desk(sqlite_engine, example(), ManualClock(MONDAY), CountingIds(), KillAt(f"publish: {when}"))
    with pytest.raises(Killed):
        filling.fill(dying)
    desk = stage(sqlite_engine)
    assert filling.fill(desk) == (2 if when == "before commit" else 1)
    found = [(each.coverage, each.role, each.start) for each in holding(desk)]
    assert len(found) == len(set(found)) and len(directs(desk, "U0PAUL0001")) == len(directs(desk, "U0INES0001")) == 1


def test_who_stands_in_for_a_lead_who_has_left_is_told(sqlite_engine: sa.Engine) -> None:
    config = with_flag(example(), "marie", roles=("manager", "rota_admin"))
    desk = stage(sqlite_engine, config)
    with desk.begin("test") as connection:
        connection.execute(shifts.leaver.insert().values(person="paul", at=MONDAY))
    filling.fill(desk)
    assert directs(desk, "U0PAUL0001") == [] and len(directs(desk, "U0MARIE001")) == 1


def test_after_a_long_sleep_nothing_is_published_for_what_is_over(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine)
    filling.fill(desk)
    count = len(rows(desk))
    awake = later(desk, days=90)
    filling.fill(awake)
    new = rows(desk)[count:]
    assert min(each.end for each in new) > awake.clock.now()
    near = awake.clock.now() + timedelta(days=15)
    assert {each.reason for each in new if each.start < near} == {filling.LATE}
    assert {each.reason for each in new if each.start >= near} == {None}


def test_a_turn_that_a_rule_forbids_is_nobodys_and_the_lead_is_told_why(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine, with_flag(example(), "omar", flags=("no_night",)))
    filling.fill(desk)
    nobody = [each for each in holding(desk) if each.person is None]
    assert nobody and all(each.reason.startswith("R16 forbids Omar") for each in nobody)
    assert not [each for each in holding(desk) if each.person == "omar"]
    said = "\n".join(text for text, _ in directs(desk, "U0INES0001"))
    assert "Nobody has" in said and "R16 forbids Omar" in said and "more." in said
    assert not any("Omar" in text for text, _ in directs(desk, "U0PAUL0001"))


def test_a_rule_takes_from_a_person_only_what_is_too_much(sqlite_engine: sa.Engine) -> None:
    """Léa alone as primary of every weekend at work: some of it is forbidden, most stays."""
    config = example()
    active = [each.model_copy(update={"mode": "active"}) for each in config.coverages["platform"].days["sunday"]]
    days = {**config.coverages["platform"].days, "sunday": tuple(active)}
    coverage = config.coverages["platform"].model_copy(update={"days": days})
    desk = stage(sqlite_engine, config.model_copy(update={"coverages": {"platform": coverage}}))
    filling.fill(desk)
    padok = [each for each in holding(desk) if each.organisation == "padok"]
    forbidden = [each for each in padok if each.person is None]
    assert forbidden and all(each.start.astimezone().weekday() >= 5 or each.reason for each in forbidden)
    assert len(forbidden) < len(padok) / 2


def test_a_programme_over_a_change_of_clocks_says_how_long_that_night_is(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine, at=datetime(2026, 10, 12, 9, tzinfo=UTC))
    filling.fill(desk)
    assert any("25 Oct 2026 lasts 9 h" in text for text, _ in directs(desk, "U0INES0001"))


def test_leads_read_of_it_in_working_hours_only(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine, at=datetime(2026, 11, 21, 2, tzinfo=UTC))       # Saturday, 03:00 in Paris
    filling.fill(desk)
    assert [due for _, due in directs(desk, "U0PAUL0001")] == [datetime(2026, 11, 23, 7, tzinfo=UTC)]


# --- when vigie.yaml changes ------------------------------------------------------------------------------------------------


def test_a_changed_rota_changes_nothing_by_itself_and_the_lead_is_told_once(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine)
    filling.fill(desk)
    before = rows(desk)
    changed = later(desk, the_other_way_round(example()), hours=1)
    assert filling.fill(changed) == 0 and rows(desk) == before
    assert publishing.tell_differences(changed) == 1 and publishing.tell_differences(changed) == 0
    told = [text for text, _ in directs(desk, "U0PAUL0001")]
    assert len(told) == 2 and "vigie.yaml no longer plans what is published for Bridge" in told[1]
    assert not any("no longer plans" in text for text, _ in directs(desk, "U0INES0001"))


def test_a_rota_as_published_differs_in_nothing(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine)
    filling.fill(desk)
    with desk.read() as connection:
        assert publishing.differences(connection, desk.config, MONDAY) == []
        assert publishing.differences(connection, desk.config, MONDAY + timedelta(days=3, minutes=7)) == []
    with pytest.raises(Refused, match="nothing to publish"):
        publishing.publish(desk, "bridge", PAUL)


def test_a_rota_admin_publishes_anew_and_what_was_stays_as_it_was_said(engine: sa.Engine) -> None:
    desk = stage(engine)
    filling.fill(desk)
    before = rows(desk)
    changed = later(desk, the_other_way_round(example()), hours=1)
    with pytest.raises(Refused, match="say why"):
        publishing.publish(changed, "bridge", PAUL)
    with pytest.raises(Refused, match=r"R13 Alice(?s:.)*start at Wed 25 Nov 00:00 or later"):
        publishing.publish(changed, "bridge", PAUL, "Alice asked for other weeks", since=changed.clock.now())
    done = publishing.publish(changed, "bridge", PAUL, "Alice asked for other weeks")
    assert {each.rule for each in done.findings} >= {"R13"}
    assert not {each.rule for each in done.findings} & {"R12"}, "two people are at work: each covers the other's break"
    assert done.since == datetime(2026, 11, 25, 7, tzinfo=UTC), "the first shift after a clear day of notice"
    now, after = done.since, rows(desk)
    assert [tuple(each)[:-1] for each in after[: len(before)]] == [tuple(each)[:-1] for each in before], "a row was edited"
    with changed.read() as connection:
        assert publishing.differences(connection, changed.config, now) == []
        past = shifts.published(connection, "platform", MONDAY - timedelta(hours=2), now)
        assert {each.person for each in past if (each.role, each.organisation) == ("primary", "bridge")} == {before[0].person}
    new = [each for each in holding(desk) if each.published_by == "paul"]
    assert {each.reason for each in new} == {"Alice asked for other weeks"} and {each.version for each in new} >= {2}
    told = [text for text, _ in directs(desk, "U0ALICE001")]
    assert len(told) == 1 and "• yours now: primary of platform, Wed 25 Nov 08:00–Sun 29 Nov 00:00 (Paris time)" in told[0]
    assert {each.organisation for each in after[len(before):]} == {"bridge"}


def test_publishing_anew_cuts_a_running_shift_at_this_instant(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine)
    filling.fill(desk)
    primary = next(each for each in holding(desk) if each.role == "primary" and each.team == "bridge-day")
    other = "bruno" if primary.person == "alice" else "alice"
    ruled = the_other_way_round(example())
    bridge = ruled.organisations["bridge"].model_copy(update={"labour": None})
    changed = later(desk, ruled.model_copy(update={"organisations": {**ruled.organisations, "bridge": bridge}}), hours=2)
    publishing.publish(changed, "bridge", PAUL, "the order was wrong")
    now = changed.clock.now()
    pieces = [(each.person, each.start, each.end) for each in holding(desk)
              if each.role == "primary" and each.start < primary.end and each.end > primary.start]
    assert sorted(pieces, key=lambda each: each[1]) == [(primary.person, primary.start, now), (other, now, primary.end)]


def test_hours_that_move_to_the_other_company_are_withdrawn_and_the_rest_of_the_day_stays(sqlite_engine: sa.Engine) -> None:
    config = example()
    first, day, evening = config.coverages["platform"].days["weekday"]
    days = {**config.coverages["platform"].days, "weekday": (first, day.model_copy(update={"at": "09:00"}), evening)}
    moved = config.coverages["platform"].model_copy(update={"days": days})
    desk = stage(sqlite_engine)
    filling.fill(desk)
    changed = later(desk, config.model_copy(update={"coverages": {"platform": moved}}), hours=1)
    publishing.publish(changed, "bridge", PAUL, "Bridge begins at nine from now on")
    tuesday = [each for each in holding(desk) if each.team == "bridge-day" and each.role == "primary"
               and datetime(2026, 11, 24, 5, tzinfo=UTC) < each.start < datetime(2026, 11, 24, 12, tzinfo=UTC)]
    assert [(each.start.hour, each.end.hour) for each in tuesday] == [(8, 19)]
    with changed.read() as connection:
        left = publishing.differences(connection, changed.config, changed.clock.now())
    assert {each.organisation for each in left} == {"padok"}


def test_only_a_rota_admin_of_the_own_company_publishes(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine, with_people(example(), "bridge-primary", "bruno"))
    for actor in (ALICE, INES):
        with pytest.raises(Refused, match="Only a rota admin of Bridge may publish its programme: Paul"):
            publishing.publish(desk, "bridge", actor, "because")


def test_what_a_hard_rule_forbids_blocks_and_is_named_with_its_article(sqlite_engine: sa.Engine) -> None:
    config = example()
    desk = stage(sqlite_engine, config)
    filling.fill(desk)
    changed = later(desk, with_flag(with_people(config, "padok-primary", "ines"), "ines", flags=("no_on_call",)), hours=1)
    before = rows(desk)
    with pytest.raises(Refused, match=r"rules of Padok do not allow it:\n(?s:.)*R16 Inès.*Lawful: .*L3163-2"):
        publishing.publish(changed, "padok", INES, "Inès takes the nights")
    assert rows(desk) == before


def test_each_publication_is_in_the_journal(sqlite_engine: sa.Engine) -> None:
    desk = stage(sqlite_engine)
    filling.fill(desk)
    with desk.read() as connection:
        kinds = list(connection.execute(sa.select(journal.c.kind, journal.c.object)))
    assert kinds == [("programme published", "coverage:platform")] * 2
