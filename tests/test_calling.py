"""A person is called once for a reason, never one in blackout; and when there is nobody, that is said loudly."""

import json

import sqlalchemy as sa

from bot.config import Config
from bot.services.alert import response
from bot.services.call import calling
from bot.services.slack.askcards import draw_page
from bot.store import cards
from tests.night_shift import Shift, shift
from tests.story import CONFIG, LEA, PAUL

DARK = {
    name: {**each, "blackout": "00:00-08:00"}
    for name, each in CONFIG.model_dump()["organisations"].items()
}
ALL_ASLEEP = Config.model_validate({**CONFIG.model_dump(), "organisations": DARK})


def call(night: Shift, key: str = "page:1:1", why: str = "it is important") -> bool:
    with night.desk.begin("test") as connection:
        return calling.call(night.desk, connection, night.alert(), why, night.clock.now(), key)


def test_the_first_on_call_is_called_in_the_thread_of_the_card(engine: sa.Engine) -> None:
    night = shift(engine)
    night.tell()
    assert call(night)
    page, = night.posts("page")
    said = json.loads(page.body or "{}")
    assert (page.key, page.group_id, page.channel, page.urgency) == ("page:1:1", 1, "C0PAYMNT01", 0)
    assert said["people"] == ["lea"] and "#1 pay-api: 5xx" in said["said"] and "it is important" in said["said"]
    assert night.alert().called_at == night.clock.now()


def test_one_reason_calls_once(engine: sa.Engine) -> None:
    night = shift(engine)
    night.tell()
    first = night.clock.now()
    assert call(night)
    night.clock.advance(60)
    assert not call(night) and call(night, "page:1:run7-1", "run 7 failed")
    assert (len(night.posts("page")), night.alert().called_at, len(night.told("person called"))) == (2, first, 2)


def test_the_buttons_of_a_call_go_once_somebody_has_the_alert(engine: sa.Engine) -> None:
    night = shift(engine)
    night.tell()
    call(night)
    page, = night.posts("page")
    with night.desk.begin("test") as connection:
        assert [each["type"] for each in draw_page(night.desk, connection, page).blocks] == ["section", "context", "actions"]
        cards.shown(connection, page, "1.2", page.revision, night.clock.now(), None)
    response.ack(night.desk, night.alert(), LEA)
    page, = night.posts("page")
    with night.desk.begin("test") as connection:
        assert page.due_at and [each["type"] for each in draw_page(night.desk, connection, page).blocks] == ["section"]


def test_with_nobody_to_call_two_channels_learn_it(engine: sa.Engine) -> None:
    night = shift(engine, config=ALL_ASLEEP)
    night.tell()
    assert call(night)
    assert night.called() == ["nobody"]
    assert {each.channel for each in night.posts("notice")} == {"C0PAYMNT01", "C0REVIEW01"}
    assert all("Nobody can be called" in (each.body or "") for each in night.posts("notice"))
    assert "who" not in night.told("person called")[0]


def test_words_from_outside_call_nobody(engine: sa.Engine) -> None:
    night = shift(engine, config=ALL_ASLEEP)
    night.tell(title="<!channel> help")
    call(night, why="<@U0ALICE001> said so")
    assert not any("<!" in (each.body or "") or "<@" in (each.body or "") for each in night.posts("notice"))


def test_who_asked_for_a_run_is_called_about_it_unless_asleep(engine: sa.Engine) -> None:
    night = shift(engine)
    run = night.shop.start(PAUL)
    for hours, key in ((0, "doubt:1:1"), (10, "doubt:1:2")):
        night.clock.advance(hours * 3_600)
        with night.desk.begin("test") as connection:
            calling.call_about_run(night.desk, connection, run, "in doubt", night.clock.now(), key)
    assert night.called() == ["lea", "paul"]
