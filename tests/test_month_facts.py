"""What a review knows of a month: groups, who did what about them, duty, the journal; and nothing that happened later."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.errors import Refused
from bot.review.arithmetic.patterns import pattern
from bot.review.facts import Facts, Group
from bot.services.alert import response
from bot.services.alert.intake import take
from bot.services.alert.proving import end_probation
from bot.services.desk import Desk
from bot.services.ledger.sealing import Sealer
from bot.services.review import choosing, composing
from bot.services.review.facts import gathering
from bot.sources import FIRING, RECOVERED
from bot.store import absences, alerts, groups, observations, runs, shifts
from bot.store import journal as entries
from bot.store.db import reader
from tests.config_stage import example
from tests.duty_stage import PEOPLE, paris
from tests.fakes import ManualClock
from tests.months import Invention, arrival
from tests.story import desk_on

LATER = paris("2027-01-01 00:00")


class Platform:
    """The example's platform in a month: things fire and recover, people act, a clock goes on."""

    def __init__(self, engine: sa.Engine) -> None:
        self.clock = ManualClock(paris("2026-10-05 14:00"))
        self.desk: Desk = desk_on(engine, self.clock, config=example())

    def at(self, text: str) -> None:
        self.clock.instant = paris(text)

    def fires(self, key: str = "pay-api-5xx", **more: Any) -> int:
        take(self.desk, [arrival(self.desk.config, key, FIRING, self.clock.now(), **more)])
        with self.desk.read() as connection:
            return int(connection.scalar(sa.select(sa.func.max(alerts.alert.c.id))))

    def recovers(self, key: str = "pay-api-5xx", closes_min: int | None = 15) -> None:
        """And is closed by Vigie when its quiet time is over."""
        take(self.desk, [arrival(self.desk.config, key, RECOVERED, self.clock.now())])
        if closes_min is not None:
            self.clock.instant += timedelta(minutes=closes_min)
            with self.desk.begin("close") as connection:
                open_ones = [each for each in alerts.open_ones(connection) if each.title == key]
                assert all(end_probation(self.desk, connection, each, self.clock.now()) for each in open_ones)

    def acks(self, number: int, who: str = "alice") -> None:
        response.ack(self.desk, response.find(self.desk, str(number)), PEOPLE[who])

    def closes(self, number: int, who: str = "alice", why: str = "restarted it") -> None:
        response.close(self.desk, response.find(self.desk, str(number)), PEOPLE[who], why)

    def facts(self, name: str = "2026-10", now: datetime = LATER) -> Facts:
        month = choosing.named(self.desk.config, name, now)
        with self.desk.read() as connection:
            return gathering.facts(connection, self.desk.config, month)

    def only(self, now: datetime = LATER) -> Group:
        (group,) = self.facts(now=now).groups
        return group


@pytest.fixture
def platform(sqlite_engine: sa.Engine) -> Platform:
    return Platform(sqlite_engine)


# --- groups -----------------------------------------------------------------------------------------------------------------


def test_a_group_is_told_from_its_opening_to_its_end(engine: sa.Engine) -> None:
    platform = Platform(engine)
    number = platform.fires()
    platform.at("2026-10-05 14:04")
    platform.acks(number)
    platform.at("2026-10-05 14:30")
    platform.closes(number)

    group = platform.only()

    assert (group.id, group.alert, group.title, group.service) == (number, number, "pay-api-5xx", "pay-api")
    assert (group.acked_by, group.acked_side, group.acked_at) == ("alice", "bridge", paris("2026-10-05 14:04"))
    assert (group.ending, group.closed_by, group.resolved_at) == ("person", "alice", paris("2026-10-05 14:30"))
    assert (group.side, group.touched, group.sources) == ("bridge", True, ("generic",))


def test_what_recovers_has_ended_when_it_recovered_and_not_when_it_was_closed(platform: Platform) -> None:
    platform.fires()
    platform.at("2026-10-05 14:10")
    platform.recovers()

    group = platform.only()

    assert (group.ending, group.resolved_at, group.closed_at) == ("healed", paris("2026-10-05 14:10"), paris("2026-10-05 14:25"))
    assert (group.touched, group.acked_at, group.engaged_at) == (False, None, None)


def test_what_comes_back_within_half_an_hour_of_its_end_is_the_same_group(platform: Platform) -> None:
    platform.fires()
    platform.at("2026-10-05 14:10")
    platform.recovers()
    platform.at("2026-10-05 14:40")
    platform.fires()
    platform.at("2026-10-05 14:50")
    platform.recovers()

    group = platform.only()

    assert (group.opened_at, group.resolved_at) == (paris("2026-10-05 14:00"), paris("2026-10-05 14:50"))
    assert (group.relapses, group.alerts, group.reopened) == (1, 2, False)


def test_what_comes_back_later_is_another_group_and_says_that_it_was_there_before(platform: Platform) -> None:
    platform.fires()
    platform.at("2026-10-05 14:10")
    platform.recovers()
    platform.at("2026-10-05 14:41")
    platform.fires()

    first, second = platform.facts().groups

    assert (first.reopened, second.reopened, second.ending) == (False, True, "open")


def test_a_group_belongs_to_the_month_in_which_it_opened_and_goes_on_over_its_edge(platform: Platform) -> None:
    platform.at("2026-10-31 23:50")
    platform.fires()
    platform.at("2026-10-31 23:55")
    platform.recovers()
    platform.at("2026-11-01 00:20")
    platform.fires()
    platform.at("2026-11-01 00:30")
    platform.recovers()

    (october,), november = platform.facts().groups, platform.facts("2026-11")

    assert october.resolved_at == paris("2026-11-01 00:30")
    assert (november.groups, [each.id for each in november.carried]) == ([], [october.id])


def test_the_hour_that_clocks_show_twice_is_in_october_once_more(platform: Platform) -> None:
    platform.clock.instant = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)     # 02:30, for the first time
    platform.fires("pay-api-5xx")
    platform.clock.instant = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)     # 02:30 again
    platform.fires("ledger-lag")

    facts = platform.facts()

    assert len(facts.groups) == 2 and facts.month.minutes == 31 * 24 * 60 + 60


def test_a_first_acknowledgement_counts_though_it_lapsed_and_is_a_persons(platform: Platform) -> None:
    number = platform.fires()
    platform.at("2026-10-05 14:04")
    platform.acks(number, "lea")
    platform.at("2026-10-05 14:10")
    platform.recovers(closes_min=None)
    platform.at("2026-10-05 14:12")
    platform.fires()
    platform.at("2026-10-05 14:20")
    platform.acks(number, "alice")

    group = platform.only()

    assert (group.acked_by, group.acked_side, group.acked_at) == ("lea", "padok", paris("2026-10-05 14:04"))
    assert (group.relapses, group.side) == (1, "bridge")


def test_drills_and_agreed_maintenance_are_counted_apart(platform: Platform) -> None:
    platform.fires("pay-api-drill", labels={"drill": "fire"})
    platform.fires("pay-api-5xx")

    facts = platform.facts()

    assert ([each.title for each in facts.drills], [each.title for each in facts.groups]) == (["pay-api-drill"], ["pay-api-5xx"])


def test_side_on_duty_is_that_of_the_opening(platform: Platform) -> None:
    platform.at("2026-10-06 03:00")
    number = platform.fires()
    platform.at("2026-10-06 09:00")
    platform.closes(number)

    group = platform.only()

    assert (group.side, group.closed_side) == ("padok", "bridge")


def test_repeats_have_the_same_pattern_whatever_their_digits_and_ids() -> None:
    one = pattern("cloudwatch", {"name": "pay-api-5xx", "instance": "i-0a1b2c3d4e5f", "cluster": "prod", "value": "12.4"})
    other = pattern("cloudwatch", {"name": "pay-api-5xx", "instance": "i-9f8e7d6c5b4a", "cluster": "prod", "value": "7"})

    assert one == other == "cloudwatch|pay-api-*xx|cluster=prod,instance=i-*"
    assert pattern("datadog", {"name": "pay-api-5xx"}) != pattern("cloudwatch", {"name": "pay-api-5xx"})


# --- as of ------------------------------------------------------------------------------------------------------------------


def test_what_happens_after_the_instant_that_counts_is_not_known(platform: Platform) -> None:
    number = platform.fires()
    platform.at("2026-10-05 14:10")
    platform.recovers(closes_min=None)
    before = platform.facts(now=paris("2026-10-05 14:11"))
    platform.at("2026-10-05 14:12")
    platform.fires(severity="critical")
    platform.at("2026-10-05 14:13")
    platform.acks(number)
    platform.at("2026-10-05 14:14")
    platform.closes(number)

    after = platform.facts(now=paris("2026-10-05 14:11"))

    assert replace(after, sources=()) == replace(before, sources=())
    assert (after.groups[0].ending, after.groups[0].severity, after.groups[0].signals) == ("open", "high", 2)


def test_a_review_of_an_instant_stays_the_same_whatever_comes_after_it(engine: sa.Engine) -> None:
    month = choosing.named(example(), "2026-10", LATER)
    made = Invention(3, month)
    made.invent(400)
    made.write(engine)
    early = replace(month, as_of=paris("2026-10-20 12:00"))
    with reader(engine) as connection:
        told = [each for each in made.told if any(at > early.as_of for at, *_ in each.entries)]
        with_all = composing.compose(gathering.facts(connection, example(), early))
    _forget_after(engine, early.as_of)

    with reader(engine) as connection:
        without = composing.compose(gathering.facts(connection, example(), early))

    assert len(told) > 50 and with_all == without


def _forget_after(engine: sa.Engine, at: datetime) -> None:
    """The database as it would be if nothing had been opened since then."""
    with engine.begin() as connection:
        young = sa.select(alerts.alert.c.id).where(alerts.alert.c.opened_at > at)
        for table in (alerts.signal, observations.observation):
            connection.execute(sa.delete(table).where(table.c.alert_id.in_(young)))
        connection.execute(sa.delete(groups.alert_group).where(groups.alert_group.c.opened_at > at))
        connection.execute(sa.delete(runs.run).where(runs.run.c.begun_at > at))
        connection.execute(sa.delete(alerts.alert).where(alerts.alert.c.opened_at > at))


# --- duty -------------------------------------------------------------------------------------------------------------------


def test_every_minute_of_the_month_has_each_role_once(platform: Platform) -> None:
    facts = platform.facts()

    primary = [each for each in facts.slots if each.coverage == "platform" and each.role == "primary"]
    assert sum((each.end - each.start).total_seconds() for each in primary) / 60 == facts.month.minutes


def test_whoever_left_later_had_their_shifts_before(platform: Platform) -> None:
    with platform.desk.begin("leave") as connection:
        absences.add_leaver(connection, "lea", paris("2026-10-20 00:00"))

    facts = platform.facts()

    lea = [each for each in facts.slots if each.person == "lea"]
    assert lea and max(each.end for each in lea) <= paris("2026-10-20 00:00")


def test_a_shift_that_was_published_goes_before_the_plan(platform: Platform) -> None:
    start, end = paris("2026-10-06 12:00"), paris("2026-10-06 14:00")
    with platform.desk.begin("publish") as connection:
        shifts.add_one(connection, {
            "coverage": "platform", "organisation": "padok", "team": "padok", "role": "primary", "mode": "active",
            "person": "lea", "start": start, "end": end, "source": "override", "version": 1, "published_at": start,
            "published_by": "ines", "reason": None,
        })
    platform.at("2026-10-06 13:00")
    platform.fires()

    assert platform.only().side == "padok"


# --- the journal --------------------------------------------------------------------------------------------------------------


def test_a_changed_entry_of_the_month_is_found_and_named(platform: Platform) -> None:
    number = platform.fires()
    sealer = Sealer(platform.desk.engine)
    sealer.seal_due(platform.clock.now() + timedelta(seconds=1))
    platform.at("2026-10-05 14:04")
    platform.acks(number)
    sealer.seal_due(platform.clock.now() + timedelta(seconds=1))
    assert platform.facts().trail.ok is True

    with platform.desk.engine.begin() as connection:
        for (trigger,) in connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.execute(sa.text(f"DROP TRIGGER {trigger}"))
        row = entries.journal.c
        forged = sa.update(entries.journal).where(row.kind == "alert acked").values(actor="paul").returning(row.id)
        changed = connection.execute(forged).scalar_one()

    trail = platform.facts().trail
    assert (trail.ok, trail.first_bad) == (False, changed) and str(changed) in (trail.why or "")


def test_a_journal_without_seals_was_not_looked_at_whole(platform: Platform) -> None:
    platform.fires()

    trail = platform.facts().trail

    assert (trail.ok, trail.head, trail.kinds) == (None, None, {"alert opened": 1})


# --- the months before --------------------------------------------------------------------------------------------------------


def test_a_first_month_has_none_before_it(platform: Platform) -> None:
    platform.fires()

    facts = platform.facts()

    assert (facts.before, list(facts.earlier), facts.volumes) == (None, [], {})


def test_the_month_before_is_reckoned_now_when_nobody_has_sealed_it(platform: Platform) -> None:
    platform.fires()
    platform.at("2026-10-05 14:10")
    platform.recovers()
    platform.at("2026-11-05 14:10")
    platform.fires()

    facts = platform.facts("2026-11")

    assert facts.before is not None and facts.before["volume"].value == 1
    assert [each.service for each in facts.earlier] == ["pay-api"] and facts.volumes["2026-10"] == 1


# --- which month --------------------------------------------------------------------------------------------------------------


def test_without_a_name_the_last_month_that_is_over_is_meant() -> None:
    assert choosing.month_of(example(), None, paris("2026-11-01 00:00")).name == "2026-10"
    assert choosing.month_of(example(), "", paris("2026-10-31 23:59")).name == "2026-09"


def test_a_month_in_the_future_and_one_that_is_none_are_refused_with_what_would_be_right() -> None:
    with pytest.raises(Refused, match="2026-12 has not begun: the newest month that can be looked at is 2026-11"):
        choosing.month_of(example(), "2026-12", paris("2026-11-22 02:14"))
    with pytest.raises(Refused, match="\"october\" is no month: write year and month, as 2026-10"):
        choosing.month_of(example(), "october", paris("2026-11-22 02:14"))


def test_a_month_is_looked_at_as_of_now_until_its_cut_off() -> None:
    month = choosing.month_of(example(), "2026-11", paris("2026-11-22 02:14"))

    assert (month.as_of, month.is_open) == (paris("2026-11-22 02:14"), True)
    assert choosing.month_of(example(), "2026-10", paris("2026-12-22 02:14")).as_of == paris("2026-11-04 09:00")
