"""Signals become alerts: opened, repeated, recovered, relapsed; nothing twice, nothing lost, nothing out of order."""

import sqlalchemy as sa

from bot.services.alert import due, response
from bot.store import alerts, cards
from bot.store.alerts import Alert
from bot.store.journal import journal
from tests.story import ALICE, arrive, desk_on, signal


def only(desk) -> Alert:
    with desk.read() as connection:
        found = alerts.recent(connection)
    assert len(found) == 1
    return found[0]


def kinds(desk) -> list[str]:
    with desk.read() as connection:
        return list(connection.execute(sa.select(journal.c.kind).order_by(journal.c.id)).scalars())


def test_a_firing_signal_opens_an_alert_with_its_group_card_and_journal_entry(engine):
    desk = desk_on(engine)

    arrive(desk, signal())

    alert = only(desk)
    assert (alert.state, alert.service, alert.signals, alert.group_id) == ("firing", "pay-api", 1, alert.id)
    with desk.read() as connection:
        card = cards.by_key(connection, f"card:{alert.id}")
    assert (card.channel, card.revision, card.sent_revision) == ("C0PAYMNT01", 1, 0)
    assert kinds(desk) == ["alert opened"]


def test_the_same_delivery_twice_counts_once(engine):
    desk = desk_on(engine)

    arrive(desk, signal(), delivery="sns-1")
    arrive(desk, signal(), delivery="sns-1")

    assert only(desk).signals == 1


def test_twins_in_one_batch_count_once(engine):
    desk = desk_on(engine)

    arrive(desk, signal(), signal(), delivery="sns-1")

    assert only(desk).signals == 1


def test_a_repeat_counts_and_makes_no_journal_entry(engine):
    desk = desk_on(engine)

    arrive(desk, signal())
    arrive(desk, signal(at=60))

    assert only(desk).signals == 2
    assert kinds(desk) == ["alert opened"]


def test_a_recovery_starts_probation_and_a_relapse_reopens_the_same_alert(engine):
    desk = desk_on(engine)
    arrive(desk, signal())
    response.ack(desk, only(desk), ALICE)
    desk.clock.advance(60)
    arrive(desk, signal("recovered", at=60))

    recovered = only(desk)
    assert recovered.state == "recovered"
    assert (recovered.due_at - recovered.recovered_at).total_seconds() == 15 * 60

    desk.clock.advance(60)
    arrive(desk, signal(at=120))
    relapsed = only(desk)
    assert (relapsed.state, relapsed.relapses, relapsed.acked_by, relapsed.due_at) == ("firing", 1, None, None)


def test_after_quiet_probation_it_is_closed_for_good_and_the_next_signal_opens_a_new_one(engine):
    desk = desk_on(engine)
    arrive(desk, signal())
    arrive(desk, signal("recovered", at=30))
    desk.clock.advance(15 * 60)

    assert due.act(desk) == 1
    assert (only(desk).state, only(desk).closed_by, only(desk).seen_by) == ("closed", "vigie", None)
    assert due.act(desk) == 0

    arrive(desk, signal(at=1800))
    with desk.read() as connection:
        assert [each.state for each in alerts.recent(connection)] == ["firing", "closed"]


def test_a_recovery_older_than_the_alarm_changes_nothing(engine):
    desk = desk_on(engine)

    arrive(desk, signal(at=100))
    arrive(desk, signal("recovered", at=50))

    assert only(desk).state == "firing"


def test_an_alarm_that_comes_after_its_own_recovery_opens_as_recovered(engine):
    desk = desk_on(engine)

    arrive(desk, signal("recovered", at=50))
    arrive(desk, signal(at=10))

    assert only(desk).state == "recovered"
    assert kinds(desk) == ["alert opened", "alert recovered"]


def test_an_old_alarm_told_again_after_the_end_opens_nothing(engine):
    desk = desk_on(engine)
    arrive(desk, signal(at=10))
    arrive(desk, signal("recovered", at=50))
    desk.clock.advance(15 * 60)
    due.act(desk)

    arrive(desk, signal(at=10))

    assert only(desk).state == "closed"


def test_no_data_is_not_a_recovery(engine):
    desk = desk_on(engine)
    arrive(desk, signal())

    arrive(desk, signal("no data", at=60))

    assert only(desk).state == "firing"
    assert kinds(desk) == ["alert opened", "observer silent"]


def test_it_recovers_only_when_every_observer_says_so(engine):
    desk = desk_on(engine)
    arrive(desk, signal(observer="Bridge-1"))
    arrive(desk, signal(observer="Bridge-2"))

    arrive(desk, signal("recovered", at=60, observer="Bridge-1"))
    assert only(desk).state == "firing"
    arrive(desk, signal("recovered", at=61, observer="Bridge-2"))
    assert only(desk).state == "recovered"


def test_two_organisations_have_two_alerts(engine):
    desk = desk_on(engine)

    arrive(desk, signal())
    arrive(desk, signal(), endpoint="padok-datadog")

    with desk.read() as connection:
        assert len(alerts.recent(connection)) == 2


def test_a_source_whose_clock_runs_ahead_can_still_recover(engine):
    desk = desk_on(engine)
    arrive(desk, signal(at=86_400))
    desk.clock.advance(60)

    arrive(desk, signal("recovered", at=60))

    assert only(desk).state == "recovered"


def test_a_burst_of_five_hundred_is_taken_in_one_go(engine):
    desk = desk_on(engine)

    arrive(desk, *[signal(key=f"alarm {n % 50}", at=n / 1000) for n in range(500)])

    with desk.read() as connection:
        found = alerts.recent(connection)
    assert len(found) == 50
    assert sum(each.signals for each in found) == 500


def test_an_old_word_of_an_observer_who_has_recovered_since_cannot_hold_the_alert_open(engine):
    desk = desk_on(engine)
    arrive(desk, signal("recovered", at=20, observer="Bridge-2"))
    arrive(desk, signal(at=0, observer="Bridge-1"))

    arrive(desk, signal(at=10, observer="Bridge-2"))
    arrive(desk, signal("recovered", at=30, observer="Bridge-1"))

    assert (only(desk).state, only(desk).signals) == ("recovered", 3)


def test_a_recovery_that_arrives_together_with_its_alarm_but_before_it_is_heard(engine):
    desk = desk_on(engine)

    arrive(desk, signal("recovered", at=50), signal(at=10))

    assert (only(desk).state, only(desk).signals) == ("recovered", 1)
