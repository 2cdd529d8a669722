"""What people in blackout are kept from, may not do, and are told in the morning; and the one way in, through broken glass."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from bot.config import Config
from bot.entrypoints.perform import Saying, perform
from bot.errors import Refused
from bot.services.alert import assigning, morning, response
from bot.services.desk import Desk
from bot.services.leave import answering, glass
from bot.services.leave.mandates import Wish
from bot.services.slack import cards as drawings
from bot.services.slack.courier import Courier
from bot.store import alerts, cards, deferrals, shifts
from bot.store.alerts import Alert
from bot.store.deferrals import Deferred
from tests.config_stage import example
from tests.dark_night import FAMILY
from tests.fakes import FakeSlack, ManualClock
from tests.night_shift import Shift, shift
from tests.powers import agreed, shop_at, until_asked, written
from tests.story import LEA, PAUL, arrive, desk_on, signal

NIGHT = datetime(2026, 11, 24, 2, 14, tzinfo=UTC)       # Tuesday, 03:14 in Paris
EIGHT = datetime(2026, 11, 24, 7, tzinfo=UTC)
ALERTS, PAUL_SLACK = "C0ALERTS01", "U0PAUL0001"


@pytest.fixture
def night(sqlite_engine: sa.Engine) -> Shift:
    return dark(sqlite_engine)


def dark(engine: sa.Engine) -> Shift:
    """The example's night, and an alert that nobody has."""
    made = shift(engine, config=example())
    made.clock.instant = NIGHT
    made.tell(severity="warning", key="ledger/lag", name="ledger-lag", title="ledger: lag of 40 s")
    return made


def say(desk: Desk, person: str, *words: str, way: str = "line", ref: str | None = None) -> str:
    slack = desk.config.people[person].slack
    return perform(desk, FAMILY, Saying(desk.config.workspace, slack, f"slack {ALERTS}", words, ref, way)).text


def deliver(desk: Desk, slack: FakeSlack) -> FakeSlack:
    courier = Courier(desk, slack, partial(drawings.draw, desk), pace=0)

    async def all_of(channel: str) -> None:
        while await courier.deliver_next(channel) is not None:
            pass

    with desk.read() as connection:
        channels = cards.due_channels(connection, desk.clock.now())
    for channel in channels:
        asyncio.run(all_of(channel))
    return slack


def kept(desk: Desk) -> list[Deferred]:
    with desk.read() as connection:
        found = connection.execute(sa.select(deferrals.deferred).order_by(deferrals.deferred.c.id))
        return [Deferred(**row._mapping) for row in found]


def told(slack: FakeSlack, user: str) -> list[str]:
    return [each["drawing"].text for each in slack.messages.values() if each["channel"] == user]


# --- given in the night, theirs in the morning --------------------------------------------------------------------------------


@pytest.mark.parametrize(("way", "ref"), [("line", None), ("form", "1"), ("mention", "1")])
def test_an_alert_given_to_a_sleeper_is_theirs_when_the_blackout_is_over(night: Shift, way: str, ref: str | None) -> None:
    words = ("assign", "@alice", "please") if ref else ("assign", "1", "@alice", "please")
    answer = say(night.desk, "omar", *words, way=way, ref=ref)
    assert "Alice is in Bridge's blackout until" in answer and "did not notify them" in answer and "On duty now: " in answer
    assert night.alert().assigned_to is None
    slack = deliver(night.desk, FakeSlack())
    assert "For Alice at" in json.dumps(slack.shown("card:1")[0]["drawing"].blocks)
    assert morning.tell(night.desk) == 0 and told(slack, "U0ALICE001") == []

    night.clock.instant = EIGHT
    assert (morning.tell(night.desk), morning.tell(night.desk)) == (1, 0)
    assert night.alert().assigned_to == "alice"
    [said] = told(deliver(night.desk, slack), "U0ALICE001")
    assert "Bridge's blackout is over" in said and "*#1*" not in said and "Omar gave it to you" in said and "late" not in said
    assert "For Alice at" not in json.dumps(slack.shown("card:1")[0]["drawing"].blocks)
    assert [(each["to"], each["by"]) for each in night.told("alert assigned")] == [("alice", "omar")]


def test_an_alert_that_was_closed_meanwhile_is_nobodys_and_it_is_said(night: Shift) -> None:
    say(night.desk, "omar", "assign", "1", "@alice")
    response.close(night.desk, night.alert(), LEA, "false alarm")
    night.clock.instant = EIGHT
    assert morning.tell(night.desk) == 1
    assert night.alert().assigned_to is None
    assert "it was closed before it was yours" in told(deliver(night.desk, FakeSlack()), "U0ALICE001")[0]


def test_whoever_is_given_it_meanwhile_has_it_and_the_sleeper_hears_nothing(engine: sa.Engine) -> None:
    night = dark(engine)
    say(night.desk, "omar", "assign", "1", "@alice")
    assert "is for Alice already" in say(night.desk, "lea", "assign", "1", "@alice")
    assert "assigned to Léa" in say(night.desk, "omar", "assign", "1", "@lea")
    night.clock.instant = EIGHT
    assert morning.tell(night.desk) == 0 and night.alert().assigned_to == "lea"
    assert [each["to"] for each in night.told("assignment dropped")] == ["alice"]
    say(night.desk, "omar", "assign", "1", "@bruno")
    assert night.alert().assigned_to == "bruno"


def test_told_late_after_an_outage_it_says_how_late_and_never_into_the_next_blackout(night: Shift) -> None:
    say(night.desk, "omar", "assign", "1", "@alice")
    night.clock.instant = NIGHT + timedelta(days=1)
    assert morning.tell(night.desk) == 0
    night.clock.instant = EIGHT + timedelta(days=1, hours=2)
    assert morning.tell(night.desk) == 1
    assert "Told 1 d 2 h late" in told(deliver(night.desk, FakeSlack()), "U0ALICE001")[0]


# --- called in the night, told in the morning -----------------------------------------------------------------------------------


def test_many_calls_become_one_message_that_says_how_each_alert_stands(engine: sa.Engine) -> None:
    night = dark(engine)
    with night.desk.begin("test") as connection:
        for number in range(3):
            cards.add_page(connection, f"page:1:x{number}", ALERTS, 1, ["alice"], "look at it", NIGHT)
        cards.add_notice(connection, "notice:1", ALERTS, "<@U0ALICE001> the seal is broken", NIGHT)
        offers = [("Acknowledge", "ack", "1")]
        cards.add_direct(connection, "page:1:x1/alice/direct", "U0ALICE001", "You are called", NIGHT, offers=offers)
        cards.add_direct(connection, "swap:1", "U0ALICE001", "Bruno asks for your Saturday", NIGHT)
    slack = deliver(night.desk, FakeSlack())
    assert told(slack, "U0ALICE001") == [] and "U0ALICE001" not in json.dumps([str(each) for each in slack.messages.values()])
    assert sorted(each.kind for each in kept(night.desk)) == ["direct", "direct", "mention", "mention", "mention", "mention"]

    night.clock.instant = EIGHT
    assert morning.tell(night.desk) == 1
    summary, put_off = sorted(told(deliver(night.desk, slack), "U0ALICE001"), key=len, reverse=True)
    assert put_off == "Bruno asks for your Saturday"
    assert summary.count("#1 ") == 1 and "you were called 4 times since" in summary and "still firing, nobody has it" in summary
    assert "Alice the seal is broken" in summary and len(summary.splitlines()) == 3


def test_what_was_held_back_is_counted_by_company_and_kind(night: Shift) -> None:
    say(night.desk, "omar", "assign", "1", "@alice")
    with night.desk.read() as connection:
        assert deferrals.counts(connection) == {("bridge", "assignment"): 1}
        assert deferrals.counts(connection, NIGHT + timedelta(hours=1)) == {}


def test_nobody_is_told_who_has_left(night: Shift) -> None:
    say(night.desk, "omar", "assign", "1", "@alice")
    with night.desk.begin("test") as connection:
        connection.execute(shifts.leaver.insert().values(person="alice", at=NIGHT))
    night.clock.instant = EIGHT
    assert morning.tell(night.desk) == 0 and night.alert().assigned_to is None


# --- who may act ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("words", "way", "ref"), [
    (("ack", "1"), "line", None), (("ack",), "button", "1"), (("snooze", "10m"), "form", "1"),
    (("close", "done"), "mention", "1"), (("note", "1", "hm"), "line", None),
    (("run", "1"), "line", None), (("assign", "1", "me"), "line", None),
])
def test_in_their_own_blackout_people_may_only_look(night: Shift, words: tuple[str, ...], way: str, ref: str | None) -> None:
    said = say(night.desk, "alice", *words, way=way, ref=ref)
    assert "You are in Bridge's blackout until" in said and "only Padok may" in said and "On duty: " in said
    assert "break-glass" in said and night.alert().state == "firing"
    assert "firing" in say(night.desk, "alice", "show", "1")
    assert "is yours" in say(night.desk, "omar", "ack", "1")


def test_by_day_the_same_people_act(night: Shift) -> None:
    night.clock.instant = EIGHT
    assert "is yours" in say(night.desk, "alice", "ack", "1")


def test_where_there_is_no_rota_nothing_changes(sqlite_engine: sa.Engine) -> None:
    plain = desk_on(sqlite_engine, ManualClock(NIGHT), config=example().model_copy(update={"coverages": {}, "rotations": {}}))
    arrive(plain, signal())
    assert "is yours" in say(plain, "alice", "ack", "1")


# --- broken glass ---------------------------------------------------------------------------------------------------------------


def rostered(**organisations: dict[str, str]) -> Config:
    """The small platform of powers.py with the example's rota: Padok at night, Bridge by day."""
    told, given = agreed({"name": "§1", "runbooks": "other"}).model_dump(mode="json"), example().model_dump(mode="json")
    bruno = {**told["people"]["alice"], "name": "Bruno", "slack": "U0BRUNO001"}
    return Config.model_validate({
        **told, "people": {**told["people"], "bruno": bruno},
        **{name: given[name] for name in ("teams", "coverages", "rotations")},
        "organisations": {name: {**each, **organisations.get(name, {})} for name, each in told["organisations"].items()},
    })


def test_broken_glass_reaches_the_one_who_is_named_and_his_yes_counts(engine: sa.Engine) -> None:
    shop = shop_at(engine, NIGHT, rostered(bridge={"break_glass": "paul"}))
    book = shop.desk.catalogue.runbook("smaller")
    assert book is not None
    run = glass.break_glass(shop.desk, Wish(book, LEA), LEA, "the ledger stands still and nobody else can help")
    slack = deliver(shop.desk, FakeSlack())
    [said] = told(slack, PAUL_SLACK)
    assert "Léa (Padok) broke it" in said and "the ledger stands still" in said and f"approve run{run.id}" in said
    assert written(shop, "glass called")
    until_asked(shop, run)
    answering.approve(shop.desk, run.id, PAUL)
    with shop.desk.read() as connection:
        [worked] = connection.execute(sa.select(shifts.intervention)).all()
    assert (worked.person, worked.end) == ("paul", None) and worked.start >= NIGHT


def test_without_a_name_nobody_is_reached_and_nobody_else_of_the_sleepers_may_answer(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, NIGHT, rostered())
    book = shop.desk.catalogue.runbook("smaller")
    assert book is not None
    run = glass.break_glass(shop.desk, Wish(book, LEA), LEA, "the ledger stands still and nobody else can help")
    assert told(deliver(shop.desk, FakeSlack()), PAUL_SLACK) == []
    until_asked(shop, run)
    with pytest.raises(Refused, match="in blackout"):
        answering.approve(shop.desk, run.id, PAUL)


# --- power follows the duty -----------------------------------------------------------------------------------------------------


def test_a_partner_changes_something_only_while_it_has_the_duty(engine: sa.Engine) -> None:
    mandated = rostered().model_copy(update={"mandates": agreed().mandates})
    shop = shop_at(engine, EIGHT + timedelta(hours=3), mandated)
    with pytest.raises(Refused) as caught:
        shop.start(LEA)
    assert "Only Bridge's people on duty may run what changes" in str(caught.value) and "On duty: " in str(caught.value)
    assert "break-glass" in str(caught.value)
    shop.clock.instant = NIGHT + timedelta(days=1)
    assert shop.start(LEA).actor == "lea"


def test_assigning_to_oneself_waits_for_nothing(sqlite_engine: sa.Engine) -> None:
    desk = desk_on(sqlite_engine)
    arrive(desk, signal())
    with desk.read() as connection:
        found = alerts.by_id(connection, 1)
    assert isinstance(found, Alert)
    assert assigning.assign(desk, found, PAUL, "paul").until is None
