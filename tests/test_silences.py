"""A silence keeps a service from calling: at most twelve hours, important alerts only if two agree, and it ends by itself."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

import commands
from bot.discover import discover
from bot.errors import Refused
from bot.services.alert import overview
from bot.services.call import calling, silences
from bot.services.slack import cards as drawing
from bot.store import cards
from commands import Call, Command
from tests.call_stage import OMAR, Calls, calls
from tests.story import ALICE, INES, LEA

FAMILY = discover(commands, Command)
TWO_HOURS = timedelta(hours=2)


def say(night: Calls, actor, *words: str, way: str = "line", ref: str | None = None) -> str:
    return FAMILY["silence"].run(Call(night.night.desk, actor, words, ref, FAMILY, "silence", way))


def unimportant(night: Calls) -> None:
    """A fault that came back: somebody is called although it is not important."""
    night.night.tell(key="batch", name="batch-slow", severity="warning", service="batch-worker")
    with night.night.desk.begin("test") as connection:
        calling.call(night.night.desk, connection, night.night.alert(), "it came back", night.night.clock.now(), "page:1:1")


def shown(night: Calls, group: int = 1) -> str:
    with night.night.desk.begin("test") as connection:
        post = cards.by_key(connection, f"card:{group}")
        return str(drawing.draw(night.night.desk, connection, post).blocks)


def test_what_is_not_important_calls_nobody_until_the_silence_is_over(engine: sa.Engine) -> None:
    night = calls(engine)
    assert "Silence 1: batch-worker calls nobody until" in say(night, OMAR, "batch-worker", "2h", "settlement", "runs", "late")
    unimportant(night)
    night.live(110, 600)
    night.live(9)
    assert night.timeline() == [] and night.night.alert().called_at is None
    night.live(2)
    assert night.timeline() == [(120, "lea")]
    assert [each["service"] for each in night.night.told("silence ended")] == ["batch-worker"]
    assert "Silence 1 of batch-worker is over. Still firing: #1" in (night.night.posts("notice")[-1].body or "")


def test_important_alerts_call_until_a_second_person_agrees(engine: sa.Engine) -> None:
    night = calls(engine)
    say(night, OMAR, "pay-api", "1h", "deploying")
    night.alarm()
    assert night.timeline() == [(0, "lea")]
    assert "important alerts of pay-api are silent too" in say(night, INES, "agree", "1")
    night.live(50, 300)
    assert night.timeline() == [(0, "lea")]
    night.live(11)
    assert night.timeline() == [(0, "lea"), (60, "omar")]


@pytest.mark.parametrize(("actor", "words"), [
    (OMAR, "a second person must agree"), (ALICE, "in blackout cannot agree"),
])
def test_not_everybody_may_agree(sqlite_engine: sa.Engine, actor, words: str) -> None:
    night = calls(sqlite_engine)
    say(night, OMAR, "pay-api", "1h", "deploying")
    with pytest.raises(Refused, match=words):
        silences.agree(night.night.desk, 1, actor)


def test_agreeing_twice_and_to_what_is_over_is_refused(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    say(night, OMAR, "pay-api", "1h", "deploying")
    say(night, LEA, "agree", "1")
    with pytest.raises(Refused, match="Léa has agreed to silence 1 already"):
        say(night, INES, "agree", "1")
    with pytest.raises(Refused, match=r"There is no silence 7\. These hold: 1"):
        say(night, INES, "agree", "7")
    night.live(61, 600)
    with pytest.raises(Refused, match="Silence 1 of pay-api ended at"):
        say(night, INES, "agree", "1")


@pytest.mark.parametrize(("words", "why"), [
    (("*", "2h", "x"), "without \\* or"), (("nothing", "2h", "x"), "knows no service"), (("ledger", "13h", "x"), "at most 12 h"),
    (("ledger", "soon", "x"), "For how long"), (("ledger", "2h"), "Say why"), (("end", "x"), "Which silence"),
])
def test_what_is_no_silence_is_refused_and_says_what_would_be(sqlite_engine: sa.Engine, words, why: str) -> None:
    with pytest.raises(Refused, match=why):
        say(calls(sqlite_engine), OMAR, *words)


def test_a_silence_that_is_ended_early_calls_at_once(engine: sa.Engine) -> None:
    night = calls(engine)
    say(night, OMAR, "batch-worker", "2h", "settlement")
    unimportant(night)
    night.live(10)
    say(night, LEA, "end", "1")
    night.live(1)
    assert night.timeline() == [(11, "lea")]


def test_of_two_silences_the_longer_counts(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    say(night, OMAR, "batch-worker", "1h", "settlement")
    say(night, LEA, "batch-worker", "3h", "settlement again")
    unimportant(night)
    night.live(170, 300)
    assert night.timeline() == []
    night.live(11)
    assert night.timeline() == [(180, "lea")]


def test_a_silence_stands_on_the_card_in_status_and_in_the_channel(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    night.alarm()
    say(night, OMAR, "pay-api", "2h", "card", "4111111111111111", "tested")
    assert "Silenced until" in shown(night) and "by Omar (important alerts still call)" in shown(night)
    assert "411111" not in shown(night).replace("411111******1111", "")
    told = overview.text(night.night.desk)
    assert "*Silences*" in told and "silence agree 1" in told and "*Being called*" in told
    assert "Paging Léa (Padok, primary); Omar (Padok, secondary) at" in told
    assert any("Silence 1: pay-api" in said and channel == "C0PAYMNT01" for channel, said in night.directs())


def test_the_form_asks_only_for_what_is_missing(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    night.alarm()
    silence = FAMILY["silence"]

    def asked(*words: str, way: str = "line", ref: str | None = None) -> list[str]:
        return [each.name for each in silence.fields(Call(night.night.desk, OMAR, words, ref, FAMILY, "silence", way))]

    assert asked() == ["service", "duration", "reason"] and asked("ledger") == ["duration", "reason"]
    assert asked("ledger", "2h") == ["reason"] and asked("ledger", "2h", "why") == []
    assert asked(way="button", ref="1") == ["duration", "reason"]
    subject = silence.subject(Call(night.night.desk, OMAR, (), "1", FAMILY, "silence", "button"))
    assert (subject.name, subject.said) == ("pay-api", ("pay-api",))
    say(night, OMAR, "pay-api", "1h", "deploying")
    agreeing = silence.subject(Call(night.night.desk, LEA, ("agree",), "1", FAMILY, "silence", "button"))
    assert agreeing.said == ("agree", "1") and "pay-api until" in agreeing.about
