"""Slack is made to match the posts: newest revision, one at a time, nothing lost, nothing twice."""

import asyncio
from functools import partial

import pytest

from bot.services import cards as drawing
from bot.services import response
from bot.services.courier import Courier
from bot.store import alerts, cards
from tests.fakes import FakeSlack, KillAt, Killed
from tests.story import ALICE, arrive, desk_on, signal

CHANNEL = "C0PAYMNT01"


@pytest.fixture
def slack():
    return FakeSlack()


def courier_on(desk, slack) -> Courier:
    return Courier(desk, slack, partial(drawing.draw, desk))


def deliver(desk, slack, channel=CHANNEL, most=50) -> list[float]:
    """Sends until nothing is due; the waits between."""
    courier = courier_on(desk, slack)

    async def run():
        waits = []
        while len(waits) < most and (wait := await courier.deliver_next(channel)) is not None:
            waits.append(wait)
            desk.clock.advance(wait)
        return waits

    return asyncio.run(run())


def ack(desk):
    with desk.read() as connection:
        response.ack(desk, alerts.recent(connection)[0], ALICE)


def test_a_card_is_posted_once_and_then_updated_in_place(engine, slack):
    desk = desk_on(engine)
    arrive(desk, signal())
    deliver(desk, slack)
    ack(desk)
    deliver(desk, slack)

    [card] = slack.shown("card:1")
    assert "Acknowledged" in card["drawing"].text
    [log] = slack.shown("log:1")
    assert "acknowledged by Alice" in log["drawing"].blocks[0]["text"]["text"]
    assert log["thread"] is not None


def test_only_the_newest_revision_is_sent(engine, slack):
    desk = desk_on(engine)
    for minute in range(5):
        arrive(desk, signal(at=minute * 60))
    deliver(desk, slack)

    assert slack.calls == [("post", "card:1")]


def test_one_message_a_second(engine, slack):
    desk = desk_on(engine)
    arrive(desk, *[signal(key=f"alarm {n}") for n in range(4)])

    assert deliver(desk, slack) == [1.0] * 4


def test_a_lost_reply_is_read_back_and_not_posted_again(engine, slack):
    desk = desk_on(engine)
    slack.faults = ["lost reply"]
    arrive(desk, signal())

    deliver(desk, slack)

    assert len(slack.shown("card:1")) == 1
    assert slack.calls == [("post", "card:1"), ("find", "card:1"), ("update", "card:1")]


def test_retry_after_is_honoured(engine, slack):
    desk = desk_on(engine)
    slack.faults = ["429"]
    arrive(desk, signal())

    assert deliver(desk, slack)[0] == 7
    assert len(slack.shown("card:1")) == 1


def test_after_an_hour_of_silence_everything_appears_and_says_how_late_it_is(engine, slack):
    desk = desk_on(engine)
    slack.faults = ["down"] * 120
    arrive(desk, signal())

    waits = deliver(desk, slack, most=200)

    assert max(waits) == 30
    [card] = slack.shown("card:1")
    assert "late: Slack did not take it before" in str(card["drawing"].blocks)


def test_blocks_that_slack_refuses_are_sent_as_plain_text(engine, slack):
    desk = desk_on(engine)
    slack.faults = ["invalid_blocks"]
    arrive(desk, signal())

    deliver(desk, slack)

    [card] = slack.shown("card:1")
    assert card["drawing"].blocks == []


def test_a_channel_that_does_not_exist_loses_nothing(engine, slack):
    desk = desk_on(engine)
    slack.faults = ["channel_not_found"]
    arrive(desk, signal())

    deliver(desk, slack, most=1)
    with desk.read() as connection:
        assert cards.failures(connection)[0].failure == "channel_not_found"
    desk.clock.advance(301)
    deliver(desk, slack)

    assert len(slack.shown("card:1")) == 1


def test_a_card_that_somebody_deleted_is_posted_anew(engine, slack):
    desk = desk_on(engine)
    arrive(desk, signal())
    deliver(desk, slack)
    slack.messages.clear()
    ack(desk)

    deliver(desk, slack)

    assert len(slack.shown("card:1")) == 1


def test_a_card_that_cannot_be_drawn_holds_up_no_other_and_is_tried_again(engine, slack):
    desk = desk_on(engine)
    arrive(desk, signal(), signal(key="pay-api/cpu"))
    ack(desk)
    broken = {"card:1"}

    def draw(connection, post, late_s):
        if post.key in broken:
            raise KeyError(post.key)
        return drawing.draw(desk, connection, post, late_s)

    courier = Courier(desk, slack, draw, pace=0)

    async def run():
        while await courier.deliver_next(CHANNEL) is not None:
            pass

    asyncio.run(run())
    assert slack.shown("card:1") == slack.shown("log:1") == []
    assert len(slack.shown("card:2")) == 1
    with desk.read() as connection:
        assert [(each.failure, each.posts) for each in cards.failures(connection)] == [("Vigie cannot draw it: KeyError", 1)]
    broken.clear()
    desk.clock.advance(301)
    asyncio.run(run())
    assert len(slack.shown("card:1")) == 1


def test_what_a_person_waits_for_goes_first(engine, slack):
    desk = desk_on(engine)
    arrive(desk, signal())
    deliver(desk, slack)
    arrive(desk, *[signal(key=f"alarm {n}") for n in range(5)])
    with desk.read() as connection:
        response.ack(desk, alerts.by_id(connection, 1), ALICE)

    deliver(desk, slack, most=1)

    assert slack.calls[-1] == ("update", "card:1")


@pytest.mark.parametrize("point", ["post: before send", "post: after send", "courier: before commit", "courier: after commit"])
def test_a_crash_around_the_post_neither_loses_nor_doubles_it(engine, slack, point):
    desk = desk_on(engine)
    arrive(desk, signal())
    dying = desk_on(engine, kill=KillAt(point))
    with pytest.raises(Killed):
        deliver(dying, slack)

    deliver(desk, slack)

    assert len(slack.shown("card:1")) == 1


def test_the_channel_is_not_given_free_while_something_is_due(engine, slack):
    desk = desk_on(engine)
    with engine.begin() as connection:
        generation = cards.claim(connection, CHANNEL)
    arrive(desk, signal())
    courier = courier_on(desk, slack)

    assert asyncio.run(courier.release(CHANNEL, generation)) is False
    deliver(desk, slack)
    assert asyncio.run(courier.release(CHANNEL, generation)) is True


def test_two_runs_cannot_hold_one_channel(engine):
    with engine.begin() as connection:
        assert cards.claim(connection, CHANNEL) == 1
        assert cards.claim(connection, CHANNEL) is None
        cards.release(connection, CHANNEL, 1)
        assert cards.claim(connection, CHANNEL) == 2


def test_a_doubt_stays_a_doubt_until_slack_can_be_read(engine, slack):
    class Busy(FakeSlack):
        async def find(self, channel, key, thread, oldest):
            self._fault()
            return await super().find(channel, key, thread, oldest)

    slack = Busy()
    slack.faults = ["lost reply", "429"]
    desk = desk_on(engine)
    arrive(desk, signal())

    deliver(desk, slack)

    assert [method for method, _ in slack.calls if method == "post"] == ["post"]


def test_what_is_read_back_may_be_an_older_revision_and_is_updated(engine, slack):
    desk = desk_on(engine)
    slack.faults = ["lost reply"]
    arrive(desk, signal())
    deliver(desk, slack, most=1)
    ack(desk)

    deliver(desk, slack)

    [card] = slack.shown("card:1")
    assert "Acknowledged" in card["drawing"].text


def test_a_log_waits_for_its_card_to_stand_in_its_thread(engine, slack):
    desk = desk_on(engine)
    slack.faults = ["channel_not_found"]
    arrive(desk, signal())
    ack(desk)

    deliver(desk, slack)
    assert slack.messages == {}
    desk.clock.advance(301)
    deliver(desk, slack)

    [log] = slack.shown("log:1")
    assert log["thread"] is not None


def test_a_run_that_gave_its_channel_free_before_a_crash_leaves_it_to_the_next(engine, slack):
    desk = desk_on(engine)
    with engine.begin() as connection:
        first = cards.claim(connection, CHANNEL)
        cards.release(connection, CHANNEL, first)
        cards.claim(connection, CHANNEL)
    arrive(desk, signal())

    assert asyncio.run(courier_on(desk, slack).release(CHANNEL, first)) is True
