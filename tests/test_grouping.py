"""Alerts of several observers that show one symptom share a card: they are taken, closed and recovered from together."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.doubles.cloudwatch import alarm
from bot.doubles.datadog import webhook
from bot.errors import Refused
from bot.services.alert import assigning, response
from bot.services.alert.arrivals import arrivals
from bot.services.alert.intake import take
from bot.sources import Delivery
from bot.store import alerts, batch, observations
from bot.store.alerts import Alert
from bot.store.groups import alert_group
from tests.catalogue_stage import SOURCES, shipped
from tests.config_stage import example
from tests.night_shift import SHARED, Shift, shift
from tests.story import ALICE, LEA, desk_on, signal

SEEN_BY = [
    ("alarm", "CloudWatch", "bridge-generic"), ("monitor 7", "Bridge-1", "bridge-generic"),
    ("monitor 9", "Padok-1", "padok-datadog"),
]


def all_see(night: Shift, state: str = "firing") -> None:
    for key, observer, endpoint in SEEN_BY:
        night.tell(state, key=key, observer=observer, endpoint=endpoint)


def members(night: Shift) -> list[Alert]:
    with night.desk.read() as connection:
        return alerts.of_group(connection, 1)


@pytest.fixture
def night(engine: sa.Engine) -> Shift:
    return shift(engine, config=SHARED)


def test_three_observers_of_one_symptom_make_one_card(night: Shift) -> None:
    all_see(night)
    assert [each.id for each in members(night)] == [1, 2, 3]
    assert [each.key for each in night.posts("card")] == ["card:1"]
    with night.desk.read() as connection:
        group = connection.execute(sa.select(alert_group)).one()
    assert (group.service, group.symptom) == ("pay-api", "errors")


def test_they_are_one_card_even_when_they_come_in_together(night: Shift) -> None:
    given = Delivery("bridge-generic", SHARED.endpoints["bridge-generic"], b"{}", {}, night.clock.now())
    said = [signal(key=key, observer=observer) for key, observer, _ in SEEN_BY]
    take(night.desk, [
        each for n, one in enumerate(said) for each in arrivals(SHARED, night.desk.catalogue, given, f"d{n}", "{}", [one])
    ])
    assert len(members(night)) == 3 and len(night.posts("card")) == 1


def test_what_shows_no_symptom_keeps_its_own_card(night: Shift) -> None:
    all_see(night)
    night.tell(key="p99", name="pay-api-p99")
    night.tell(key="ledger", name="ledger-lag")
    assert [each.key for each in night.posts("card")] == ["card:1", "card:4", "card:5"]


def test_two_writers_found_one_group(postgres_engine: sa.Engine) -> None:
    night = shift(postgres_engine, config=SHARED)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: night.tell(key=f"monitor {n}", observer=f"Probe {n}"), range(6)))
    with night.desk.read() as connection:       # whoever was late took numbers that nothing has
        assert connection.scalars(sa.select(alert_group.c.id)).one()
        assert connection.scalar(sa.select(sa.func.count()).select_from(alerts.alert)) == 6


def test_a_group_that_closes_in_this_instant_is_not_joined(postgres_engine: sa.Engine) -> None:
    night = shift(postgres_engine, config=SHARED)
    all_see(night)
    with ThreadPoolExecutor(2) as pool:
        closing = pool.submit(response.close, night.desk, night.alert(), LEA, "false alarm")
        joining = pool.submit(night.tell, key="monitor 11", observer="Bridge-2")
        closing.result(), joining.result()
    with night.desk.read() as connection:
        late = alerts.by_id(connection, 4) or night.alert(4)
        home = connection.execute(sa.select(alert_group).where(alert_group.c.id == late.group_id)).one()
    assert (late.state == "closed") == (home.closed_at is not None)


def test_after_its_end_a_symptom_gets_a_new_card(night: Shift) -> None:
    all_see(night)
    response.close(night.desk, night.alert(), LEA, "false alarm")
    night.tell(key="monitor 7", observer="Bridge-1")
    assert night.alert(4).group_id == 4


def test_a_signal_without_symptom_costs_no_statement_more(sqlite_engine: sa.Engine) -> None:
    night, asked = shift(sqlite_engine, config=SHARED), []
    ask = batch._ask
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "_ask", lambda connection, query, given: asked.append(query) or ask(connection, query, given))
        night.tell(key="ledger", name="ledger-lag")
        alone = len(asked)
        night.tell(key="alarm")
    assert (alone, len(asked) - alone) == (11, 12)


def test_the_alarm_and_the_monitors_of_both_companies_stand_on_one_card(engine: sa.Engine) -> None:
    """As the shipped example is configured, with bodies as CloudWatch and Datadog send them."""
    desk = replace(desk_on(engine, config=example()), catalogue=shipped())
    at, words = desk.clock.now(), "pay-api target unhealthy"
    for n, (endpoint, body) in enumerate([
        ("bridge-cloudwatch", alarm("pay-api-unhealthy-hosts", "ALARM", "pay-api", at)),
        ("bridge-datadog", webhook(words, "Triggered", at, service="pay-api", probe="Bridge-1")),
        ("padok-datadog", webhook(words, "Triggered", at, service="pay-api", probe="Padok-1", organisation="padok")),
    ]):
        given = Delivery(endpoint, desk.config.endpoints[endpoint], b"{}", {}, at)
        signals = SOURCES[given.endpoint.source].read(body, given)
        take(desk, arrivals(desk.config, desk.catalogue, given, f"d{n}", "{}", signals))
    with desk.read() as connection:
        shown = alerts.of_group(connection, 1)
        seen = observations.by_alert(connection, [each.id for each in shown])
    assert [each.runbook for each in shown] == ["unhealthy-target"] * 3
    assert sorted(row.organisation for rows in seen.values() for row in rows) == ["bridge", "bridge", "padok"]


# --- what people do on the card ---


def test_who_takes_the_card_has_all_of_it(night: Shift) -> None:
    all_see(night)
    response.ack(night.desk, night.alert(2), LEA, "on it")
    assert {(each.state, each.acked_by) for each in members(night)} == {("acked", "lea")}
    assert [each.get("note") for each in night.told("alert acked")] == ["on it", None, None]
    with pytest.raises(Refused, match="already acknowledged"):
        response.ack(night.desk, night.alert(1), ALICE)


def test_who_takes_it_later_takes_what_has_joined_since(night: Shift) -> None:
    night.tell()
    response.ack(night.desk, night.alert(), LEA)
    night.tell(key="monitor 7", observer="Bridge-1")
    response.ack(night.desk, night.alert(), ALICE)
    assert [(each.state, each.acked_by) for each in members(night)] == [("acked", "lea"), ("acked", "alice")]


def test_closing_the_card_closes_all_or_nothing(night: Shift) -> None:
    all_see(night)
    night.clock.advance(5)
    night.tell("recovered", key="alarm")
    with pytest.raises(Refused, match="Bridge-1, Padok-1 still see the fault"):
        response.close(night.desk, night.alert(1), LEA)
    assert [each.state for each in members(night)] == ["recovered", "firing", "firing"]
    response.close(night.desk, night.alert(1), LEA, "false alarm")
    assert {(each.state, each.ending, each.close_reason) for each in members(night)} == {("closed", "person", "false alarm")}


def test_snooze_and_assign_are_for_the_whole_card(night: Shift) -> None:
    all_see(night)
    response.snooze(night.desk, night.alert(), LEA, night.desk.probation(None))
    assigning.assign(night.desk, night.alert(3), LEA, "ines")
    assert {(each.snoozed_until is not None, each.assigned_to) for each in members(night)} == {(True, "ines")}


# --- the end ---


def test_a_group_recovers_when_every_observer_that_fired_has(night: Shift) -> None:
    night.trust("manual")
    all_see(night)
    night.live(1)
    night.tell("recovered", key="alarm")
    night.live(20)
    assert [each.state for each in members(night)] == ["recovered", "firing", "firing"]
    night.tell("recovered", key="monitor 7", observer="Bridge-1")
    night.live(5)
    night.tell("recovered", key="monitor 9", observer="Padok-1", endpoint="padok-datadog")
    night.live(14)
    assert {each.state for each in members(night)} == {"recovered"}
    night.live(2)
    assert {(each.state, each.ending) for each in members(night)} == {("closed", "healed")}
    assert [each.purpose for each in night.runs()] == ["proof"]


def test_a_relapse_of_one_holds_all_open(night: Shift) -> None:
    night.trust("manual")
    all_see(night)
    night.live(1)
    all_see(night, "recovered")
    night.live(10)
    night.tell(key="monitor 7", observer="Bridge-1")
    night.live(10)
    assert [each.state for each in members(night)] == ["recovered", "firing", "recovered"]


def test_one_page_and_one_run_for_the_whole_group(night: Shift) -> None:
    night.trust("manual")
    for key, observer, endpoint in SEEN_BY:
        night.tell(key=key, observer=observer, endpoint=endpoint, severity="critical")
    night.live(5)
    assert (night.called(), len(night.told("alert decided"))) == (["lea"], 3)


def test_a_fix_is_a_fix_for_all_of_them(night: Shift) -> None:
    all_see(night)
    night.live(5)
    all_see(night, "recovered")
    night.live(20)
    assert {(each.state, each.ending, each.fixed_by) for each in members(night)} == {("closed", "fixed", 1)}
    assert (night.called(), [each.purpose for each in night.runs()]) == ([], ["fix", "proof"])
