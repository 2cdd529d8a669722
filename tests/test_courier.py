"""Slack is made to match the posts: newest revision, one at a time, nothing lost, nothing twice."""

import asyncio
from functools import partial

import pytest

from bot.services.alert import response
from bot.services.run import runs as running
from bot.services.slack import cards as drawing
from bot.services.slack.courier import Courier
from bot.store import alerts, batch, cards, runs
from tests.fakes import FakeSlack, KillAt, Killed
from tests.story import ALICE, arrive, desk_on, signal
from tests.workshop import runbook

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


# --- threads ---


def put_run(desk, group_id=None) -> int:
    """A run with a file, as rows alone; without a group it belongs to no alert."""
    with desk.begin("test") as connection:
        run = runs.add(connection, {
            "runbook": "smaller", "title": "Smaller", "version": "1", "definition": runbook().snapshot(), "parameters": {},
            "purpose": "fix", "mode": "manual", "group_id": group_id, "service": "pay-api", "target": "service:pay-api",
            "channel": CHANNEL, "state": runs.RUNNING, "actor": "alice", "organisation": "bridge", "origin": "test",
            "config_version": "1", "begun_at": desk.clock.now(),
        }, [{"name": "resize", "title": "resize", "uses": "test.resize"}])
        running.attach(connection, run, "run1-log.txt", "All that it printed", b"much", desk.clock.now())
        running.show(connection, run, desk.clock.now(), urgency=0)
        return run.id


def test_what_stands_in_a_thread_waits_for_its_first_message_however_urgent_it_is(engine, slack):
    desk = desk_on(engine)
    arrive(desk, signal())
    put_run(desk, group_id=1)
    with desk.begin("test") as connection:
        cards.add_page(connection, "page:1:1", CHANNEL, 1, ["lea"], "It fires.", desk.clock.now())

    deliver(desk, slack)

    assert slack.calls[0][1] == "card:1"
    root = next(ts for ts, each in slack.messages.items() if each["key"] == "card:1")
    assert {each["thread"] for ts, each in slack.messages.items() if ts != root} == {root}


def test_a_run_without_an_alert_has_a_thread_of_its_own(engine, slack):
    desk = desk_on(engine)
    run = put_run(desk)

    deliver(desk, slack)

    [(root, _)] = [(ts, each) for ts, each in slack.messages.items() if each["key"] == f"run:{run}"]
    [file] = slack.shown(f"run{run}-1 log.txt")
    assert file["thread"] == root and file["file"].content == b"much"


def test_a_page_waits_as_long_as_its_card_cannot_be_shown(engine, slack):
    desk = desk_on(engine)
    arrive(desk, signal())
    slack.faults = ["channel_not_found"]
    deliver(desk, slack, most=1)
    with desk.begin("test") as connection:
        cards.add_page(connection, "page:1:1", CHANNEL, 1, ["lea"], "It fires.", desk.clock.now())

    assert deliver(desk, slack) == [] and slack.messages == {}
    desk.clock.advance(301)
    deliver(desk, slack)

    [page] = slack.shown("page:1:1")
    assert page["thread"] is not None


@pytest.mark.parametrize("point", ["post: before send", "post: after send"])
def test_a_crash_around_an_upload_shows_the_file_once(engine, slack, point):
    desk = desk_on(engine)
    run = put_run(desk)
    deliver(desk, slack, most=1)
    with pytest.raises(Killed):
        deliver(desk_on(engine, kill=KillAt(point)), slack)

    deliver(desk, slack)

    assert len(slack.shown(f"run{run}-1 log.txt")) == 1


def test_a_file_whose_answer_was_lost_is_looked_for_in_the_thread(engine, slack):
    desk = desk_on(engine)
    run = put_run(desk)
    deliver(desk, slack, most=1)
    slack.faults = ["lost reply"]

    deliver(desk, slack)

    title = f"run{run}-1 log.txt"
    assert [each for each in slack.calls if each[1] == title] == [("upload", title), ("find", title)]


def test_people_are_called_once_and_never_in_their_blackout(engine, slack):
    desk = desk_on(engine)              # 03:14 in Paris: Bridge is in blackout
    arrive(desk, signal())
    with desk.begin("test") as connection:
        cards.add_page(connection, "page:1:1", CHANNEL, 1, ["lea", "alice"], "It fires <!channel>.", desk.clock.now())
    deliver(desk, slack)
    [page] = slack.shown("page:1:1")
    assert "<@U0LEA00001> " in page["drawing"].text and "U0ALICE001" not in str(page["drawing"])
    assert "<!channel>" not in str(page["drawing"])

    with desk.begin("test") as connection:
        cards.add_page(connection, "page:1:1", CHANNEL, 1, ["ines"], "It fires still.", desk.clock.now())
        batch.bump_posts(connection, [{"key": "page:1:1", "kind": "page", "group_id": 1, "channel": CHANNEL,
                                       "due_at": desk.clock.now(), "urgency": 0}])
    deliver(desk, slack)
    [page] = slack.shown("page:1:1")
    assert page["drawing"].text.startswith("Léa: It fires") and "<@" not in str(page["drawing"])
