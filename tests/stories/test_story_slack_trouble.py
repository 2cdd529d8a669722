"""Slack is away, forgets to answer, or asks us to slow down: nothing is lost, nothing is said twice."""

import re
from typing import Any

import sqlalchemy as sa

from bot.store.cards import failures
from tests.stage import ALERTS, ALICE, Stage, shown, staged

AN_HOUR_LATE = r"Posted 6\d min late"       # the clock of the wall goes on meanwhile


def raised(stage: Stage, name: str, state: str = "firing") -> None:
    said = {"key": f"ledger/{name}", "state": state, "title": f"{name} is behind", "service": "ledger"}
    assert stage.send("bridge-generic", said)[0] == 200


def cards(stage: Stage) -> list[dict[str, Any]]:
    public = [each for each in stage.messages(ALERTS) if not each["ephemeral"]]
    return [each for each in public if each.get("thread_ts") in (None, each["ts"])]


def slack_has_failed(stage: Stage) -> bool:
    with stage.app.desk.read() as connection:
        return bool(failures(connection))


def test_slack_is_down_for_an_hour_and_afterwards_everything_appears_and_says_how_late(engine: sa.Engine) -> None:
    with staged(engine) as stage:
        stage.workspace.faults.down = True
        for name in ("first", "second", "third"):
            raised(stage, name)
        raised(stage, "third", "recovered")
        assert stage.status()["counts"]["firing"] == 2
        stage.until(lambda: slack_has_failed(stage), "Slack to fail, so that no card of this hour is on its way any more")
        stage.clock.advance(minutes=61)
        raised(stage, "fourth")
        stage.workspace.faults.down = False

        late = [stage.card(ALERTS, f"{name} is behind") for name in ("first", "second", "third")]
        assert all(re.search(AN_HOUR_LATE, shown(each)) for each in late)
        assert "Recovered" in shown(late[2])
        assert not re.search(AN_HOUR_LATE, shown(stage.card(ALERTS, "fourth is behind")))
        assert len(cards(stage)) == 4

        stage.say(ALICE, ALERTS, "/vigie ack 1")
        assert re.search(AN_HOUR_LATE, shown(stage.reads(ALERTS, "first is behind", "Alice has it")))


def test_a_reply_that_is_lost_does_not_make_a_second_card(engine: sa.Engine) -> None:
    with staged(engine) as stage:
        stage.workspace.faults.drop_replies = 1
        raised(stage, "only")
        card = stage.card(ALERTS, "only is behind")
        stage.until(lambda: stage.calls("conversations.history"), "Vigie to look what Slack has")

        stage.workspace.faults.drop_replies = 1
        stage.say(ALICE, ALERTS, "/vigie ack 1")
        stage.reads(ALERTS, "only is behind", "Alice has it")
        stage.until(lambda: stage.calls("conversations.replies"), "Vigie to look what the thread has")
        stage.say(ALICE, ALERTS, "/vigie note 1 looked at twice")
        stage.until(lambda: "looked at twice" in "".join(stage.thread(ALERTS, card["ts"])))
        assert len(stage.calls("chat.postMessage")) == 2
        assert len(cards(stage)) == 1 and len(stage.thread(ALERTS, card["ts"])) == 1


def test_when_slack_asks_for_a_pause_it_gets_one_and_nothing_is_lost(engine: sa.Engine) -> None:
    with staged(engine) as stage:
        stage.workspace.faults.storm_429 = 2
        for number in range(3):
            raised(stage, f"number-{number}")
        for number in range(3):
            stage.card(ALERTS, f"number-{number} is behind")
        refused = [each for each in stage.workspace.log if each.status == 429]
        assert len(refused) == 2
        for each in refused:        # of a method: Slack counts, and refuses, each by itself
            after = [one.at for one in stage.workspace.log if one.method == each.method and one.at > each.at]
            assert all((at - each.at).total_seconds() >= 1 for at in after)
        assert "vigie_slack_rate_limited_total 2.0" in stage.app.meters.expose(stage.app.desk, 0).decode()
