"""Verdicts: one click about a closed alert, by either side; the newest of a side counts, and late ones for the next version."""

import json

import pytest
import sqlalchemy as sa

import commands
from bot.discover import discover
from bot.entrypoints.perform import Saying, perform
from bot.errors import Refused
from bot.services.desk import Desk
from bot.services.review import choosing, verdicts
from bot.services.slack import cards as drawn
from bot.store import cards, journal, reviews
from bot.store import verdicts as rows
from commands import Command
from tests.month_stage import MORNING, NOVEMBER, alert, clock, close, go_to, lived
from tests.stage import ALERTS, staged
from tests.stage import LEA as LEA_IN_SLACK
from tests.story import ALICE, INES, LEA, T0

FAMILY = discover(commands, Command)


@pytest.fixture
def desk(sqlite_engine: sa.Engine) -> Desk:
    made = lived(sqlite_engine)
    go_to(made, MORNING)
    return made


def given(desk: Desk) -> list[tuple[str, str]]:
    with desk.read() as connection:
        return [(each.organisation, each.verdict) for each in rows.newest(connection, [1, 2, 3])]


def left(desk: Desk) -> int:
    with desk.read() as connection:
        return len(verdicts.missing(connection, choosing.month_of(desk.config, NOVEMBER, desk.clock.now())))


def say(desk: Desk, user: str, *words: str, ref: str | None = None, way: str = "line"):
    return perform(desk, FAMILY, Saying("T0BRIDGE01", user, "slack C0ALERTS01", words, ref, way))


def test_either_side_says_with_one_click_what_a_closed_alert_was_worth(desk: Desk) -> None:
    assert say(desk, "U0LEA00001", "verdict", "noise", ref="1", way="button").text == "#1: noise."
    assert say(desk, "U0ALICE001", "verdict", "#1", "needs", "fix").text == "#1: needs-fix."
    assert given(desk) == [("padok", "noise"), ("bridge", "needs-fix")]


def test_the_newest_verdict_of_a_side_counts_and_each_stands_in_the_journal(desk: Desk) -> None:
    verdicts.give(desk, LEA, alert(desk, 1), "noise")
    again = verdicts.give(desk, INES, alert(desk, 1), "useful")
    assert again.changed_from == "noise" and given(desk) == [("padok", "useful")]
    with desk.read() as connection:
        told = [json.loads(each.details) for each in journal.about(connection, ["alert:1"], 50) if each.kind == "verdict given"]
    assert [(each["verdict"], each.get("was")) for each in told] == [("noise", None), ("useful", "noise")]


def test_saying_the_same_twice_is_refused_with_the_name_of_who_said_it(desk: Desk) -> None:
    verdicts.give(desk, LEA, alert(desk, 1), "noise")
    with pytest.raises(Refused, match="#1 has that verdict of Padok already, by Léa"):
        verdicts.give(desk, INES, alert(desk, 1), "noise")


def test_an_open_alert_has_no_verdict_yet_and_one_is_told_what_to_do(desk: Desk) -> None:
    for words in (("verdict", "3", "noise"), ("verdict", "3")):
        assert "#3 is firing: a verdict is about what is over" in say(desk, "U0LEA00001", *words).text
    assert given(desk) == []


def test_a_word_that_is_no_verdict_is_answered_with_those_that_there_are(desk: Desk) -> None:
    with pytest.raises(Refused, match="useful, noise, duplicate, missing-runbook, needs-fix"):
        verdicts.give(desk, LEA, alert(desk, 1), "meh")


def test_an_alert_without_a_verdict_in_the_line_asks_for_one(desk: Desk) -> None:
    ask = say(desk, "U0LEA00001", "verdict", "1").ask
    assert ask is not None and [each.name for each in ask.fields] == ["verdict"] and ask.subject.name == "#1"


def test_the_card_of_a_closed_alert_offers_the_five_verdicts_and_shows_what_was_said(desk: Desk) -> None:
    verdicts.give(desk, LEA, alert(desk, 1), "missing-runbook")
    with desk.read() as connection:
        card = drawn.draw(desk, connection, cards.by_key(connection, "card:1"))
        open_one = drawn.draw(desk, connection, cards.by_key(connection, "card:3"))
    chosen = [each for each in card.blocks[-1]["elements"] if each["type"] == "static_select"]
    assert [each["value"] for each in chosen[0]["options"]] == [f"verdict:{word}:1" for word in verdicts.VERDICTS]
    assert "Verdict: missing-runbook (Léa)" in json.dumps(card.blocks, ensure_ascii=False)
    assert "static_select" not in json.dumps(open_one.blocks)


def test_the_review_asks_for_the_verdicts_that_are_missing_and_takes_several_at_once(desk: Desk) -> None:
    close(desk, 3, ALICE)
    assert left(desk) == 2
    ask = say(desk, "U0INES0001", "verdict", ref="2026-11v1", way="button").ask
    assert ask is not None and [each.name for each in ask.fields] == ["v1", "v3"]
    answer = say(desk, "U0INES0001", "verdict", "v1=useful", ref=ask.subject.ref, way="form")
    assert answer.text == "1 given: #1 useful. 1 more of November 2026 have none: click again for the next ones."
    assert given(desk) == [("padok", "useful")] and left(desk) == 1


def test_what_healed_alone_and_what_is_open_lacks_no_verdict(desk: Desk) -> None:
    assert left(desk) == 1


def test_a_verdict_after_the_review_was_sealed_says_that_it_counts_in_the_next_version(desk: Desk) -> None:
    assert clock(desk).now() > T0
    with desk.begin("test") as connection:
        reviews.add(connection, reviews.Sealed(NOVEMBER, 1, MORNING, MORNING, "vigie", None, "0", None, None, None), "{}")
    assert verdicts.give(desk, LEA, alert(desk, 1), "noise").later
    assert "The review of November 2026 is sealed: it counts in its next version" in say(
        desk, "U0ALICE001", "verdict", "1", "noise").text


def test_the_list_on_a_closed_card_gives_the_verdict_in_slack_itself(sqlite_engine: sa.Engine) -> None:
    with staged(sqlite_engine) as stage:
        fault = {"key": "k", "state": "firing", "severity": "info", "title": "It fails", "service": "ledger"}
        stage.send("bridge-generic", fault)
        ts = stage.card(ALERTS, "It fails", LEA_IN_SLACK)["ts"]
        said = stage.ask(LEA_IN_SLACK, ALERTS, "/vigie close 1 it was a test")
        assert "closed" in said, said
        stage.reads(ALERTS, "It fails", "What was it worth?")
        stage.click(LEA_IN_SLACK, ALERTS, ts, "Noise: nobody was needed")
        stage.told(ALERTS, LEA_IN_SLACK, "#1: noise.")
        stage.reads(ALERTS, "It fails", "Verdict: noise (Léa")
