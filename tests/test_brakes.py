"""Automation can be stopped at once, for one runbook, one service or everything; and it has limits of its own."""

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Refused
from bot.services.desk import Actor
from bot.services.run import brakes
from bot.store import rungs
from bot.store import runs as rows
from bot.store.cards import by_key
from tests.night_shift import Shift, shift
from tests.story import ALICE, LEA, T0
from tests.workshop import runbook

INES = Actor("ines", "Inès", "padok", frozenset({"lead"}), "U0INES0001", "slack C0ALERTS01")
PASSER_BY = Actor("nobody", "Nobody", "elsewhere", frozenset(), None)


@pytest.fixture
def night(engine: sa.Engine) -> Shift:
    return shift(engine)


@pytest.mark.parametrize(("word", "scope"), [
    ("everything", "everything"), ("", "everything"), ("pay-api", "service:pay-api"), ("service:pay-api", "service:pay-api"),
    ("smaller", "runbook:smaller"), ("Smaller", "runbook:smaller"),
])
def test_people_say_what_is_to_stop_in_a_word(night: Shift, word: str, scope: str) -> None:
    assert brakes.stop(night.desk, word, LEA, "too many restarts").scope == scope
    night.tell()
    night.decide()
    assert (night.alert().decision, night.runs()) == ("offer", [])


@pytest.mark.parametrize("word", ["ledger", "service:edge"])
def test_what_is_stopped_elsewhere_runs_on_here(night: Shift, word: str) -> None:
    brakes.stop(night.desk, word, LEA)
    night.tell()
    night.decide()
    assert night.alert().decision == "run"


def test_nothing_of_that_name_is_refused_with_what_there_is(night: Shift) -> None:
    with pytest.raises(Refused, match=r"Nothing is called pay-apy.*pay-api"):
        brakes.stop(night.desk, "pay-apy", LEA)


def test_it_is_stopped_once_and_the_second_learns_by_whom(night: Shift) -> None:
    brakes.stop(night.desk, "everything", LEA, "drill")
    with pytest.raises(Refused, match=r"already, by Léa since .*: drill"):
        brakes.stop(night.desk, "everything", ALICE)


def test_who_stopped_it_or_a_lead_lets_it_go_on(night: Shift) -> None:
    for resumer in (LEA, INES):
        brakes.stop(night.desk, "pay-api", LEA)
        with pytest.raises(Refused, match="Léa stopped it"):
            brakes.resume(night.desk, "pay-api", ALICE)
        brakes.resume(night.desk, "pay-api", resumer)
    with pytest.raises(Refused, match="not stopped for service pay-api"):
        brakes.resume(night.desk, "pay-api", LEA)
    assert [each["scope"] for each in night.told("automation resumed")] == ["service:pay-api"] * 2


def test_a_stranger_stops_nothing(night: Shift) -> None:
    with pytest.raises(Refused, match="stop-automation"):
        brakes.stop(night.desk, "everything", PASSER_BY)


def test_the_cards_it_is_about_are_drawn_anew_and_the_channel_is_told(night: Shift) -> None:
    night.tell()
    night.tell(key="ledger", name="ledger-lag")
    with night.desk.read() as connection:
        before = [by_key(connection, f"card:{n}").revision for n in (1, 2)]
    brakes.stop(night.desk, "pay-api", LEA, "<!channel> look")
    with night.desk.read() as connection:
        after = [by_key(connection, f"card:{n}").revision for n in (1, 2)]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 0]
    notice, = night.posts("notice")
    assert "Léa stopped automation for service pay-api" in (notice.body or "") and "<!channel>" not in (notice.body or "")


def test_a_run_under_way_stops_before_its_next_change(night: Shift) -> None:
    night.tell()
    night.decide()
    run, = night.runs()
    while night.machine.calls != ["resize"]:
        night.shop.execution.move(run.id)
    brakes.stop(night.desk, "smaller", LEA, "enough")
    ended, = night.work()
    assert (ended.state, night.machine.calls) == (rows.FAILED, ["resize", "resize back"])
    assert "stopped by Léa" in (ended.said or "") and night.called() == ["lea"]
    assert night.told("runbook demoted") == []


def test_a_person_may_run_what_is_stopped_for_vigie(night: Shift) -> None:
    brakes.stop(night.desk, "everything", LEA)
    assert night.shop.carry_on(night.shop.start(ALICE)).state == rows.SUCCEEDED


def test_an_hour_has_room_for_so_many_runs(engine: sa.Engine) -> None:
    night = shift(engine, runbook(limits={"per_hour": 2}))
    for n in range(3):
        night.tell(key=f"alarm {n}")
        night.decide()
        night.work()
    assert [night.alert(n).decision for n in (1, 2, 3)] == ["run", "run", "offer"]
    assert any("2 runs within the hour already, at most 2" in each for each in night.told("alert decided")[2]["why"])
    night.clock.advance(3_601)
    night.tell(key="alarm 4")
    night.decide()
    assert night.alert(4).decision == "run"


def test_after_a_failure_a_person_must_look_first(night: Shift) -> None:
    night.machine.faults = ["refuse"]
    night.tell()
    night.decide()
    night.work()
    night.clock.advance(1)
    night.trust()
    night.clock.advance(1)
    night.tell(key="alarm 2")
    night.decide()
    assert night.alert(2).decision == "run", "people trust it again since"


# --- whatever is switched, nothing runs that somebody stopped ---

words = st.sampled_from(["everything", "pay-api", "ledger", "smaller"])
acts = st.lists(st.tuples(st.sampled_from(["stop", "resume"]), words), max_size=6)


@given(acts)
def test_nothing_is_stopped_but_what_is_switched_off(acts: list[tuple[str, str]]) -> None:
    engine = sa.create_engine("sqlite://")
    rungs.switch.create(engine)
    off: set[str] = set()
    names = {"everything": "everything", "pay-api": "service:pay-api", "ledger": "service:ledger", "smaller": "runbook:smaller"}
    with engine.begin() as connection:
        for act, word in acts:
            scope = names[word]
            if act == "stop":
                assert rungs.stop(connection, scope, "lea", T0, None) == (scope not in off)
                off.add(scope)
            else:
                assert rungs.resume(connection, scope) == (scope in off)
                off.discard(scope)
        found = brakes.stopped(connection, "smaller", "pay-api")
        assert (found is not None) == bool(off & {"everything", "service:pay-api", "runbook:smaller"})
