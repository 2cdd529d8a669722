"""Slack is away for an hour, or has a bad night: afterwards it is told what matters first, and each card once."""

import re
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa

from bot.clients import slack
from bot.store.cards import backlog, failures
from bot.store.db import reader
from tests.stage import ALERTS, ALICE, Stage, shown, staged

ENDLESS = 1_000_000         # refused calls: people can still type, but no card moves
STORM = [f"part-{number}" for number in range(60)]


def raised(stage: Stage, name: str, state: str = "firing") -> None:
    said = {"key": f"ledger/{name}", "state": state, "title": f"{name} is behind", "service": "ledger"}
    assert stage.send("bridge-generic", said)[0] == 200


def named(text: str) -> str:
    found = re.search(r"([\w-]+) is behind", text)
    assert found, text
    return found[1]


def cards(stage: Stage) -> Counter[str]:
    """How often each alert's card stands in the channel."""
    public = [each for each in stage.messages(ALERTS) if not each["ephemeral"]]
    return Counter(named(shown(each)) for each in public if each.get("thread_ts") in (None, each["ts"]))


def taken(stage: Stage, after: int = 0) -> list[str]:
    """The alerts whose cards Slack has taken since, in that order."""
    return list(dict.fromkeys(named(each.args["text"]) for each in list(stage.workspace.log)[after:] if is_card(each)))


def is_card(call: Any) -> bool:
    sent = call.method in ("chat.postMessage", "chat.update") and call.status == 200
    return sent and "thread_ts" not in call.args and "is behind" in call.args["text"]


def nothing_waits(stage: Stage) -> bool:
    with reader(stage.app.engine) as connection:
        return backlog(connection)[0] == 0


def slack_has_failed(stage: Stage) -> bool:
    with reader(stage.app.engine) as connection:
        return bool(failures(connection))


def test_after_an_hour_slack_is_told_first_what_people_wait_for_then_the_new_the_changed_and_the_counted(
    engine: sa.Engine,
) -> None:
    with staged(engine) as stage:
        for name in ("taken", "counted", "changed"):
            raised(stage, name)
        stage.until(lambda: nothing_waits(stage))
        before = len(stage.workspace.log)
        stage.workspace.faults.storm_429 = ENDLESS
        raised(stage, "counted")
        raised(stage, "changed", "recovered")
        for name in ("new-1", "new-2"):
            raised(stage, name)
        stage.say(ALICE, ALERTS, "/vigie ack 1")
        stage.told(ALERTS, ALICE, "#1 is yours")
        stage.clock.advance(minutes=61)
        stage.until(lambda: slack_has_failed(stage))

        stage.workspace.faults.storm_429 = 0
        stage.until(lambda: nothing_waits(stage))

        assert taken(stage, before) == ["taken", "new-1", "new-2", "changed", "counted"]
        assert set(cards(stage).values()) == {1}
        told = {name: shown(stage.card(ALERTS, f"{name} is behind")) for name in cards(stage)}
        late = {name for name, said in told.items() if re.search(r"Posted 6\d min late", said)}
        assert late == {"new-1", "new-2"}


def test_a_storm_in_which_slack_hangs_and_refuses_and_forgets_to_answer_shows_every_card_once_and_in_order(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack, "TIMEOUT_S", 0.2)
    with staged(engine) as stage:
        stage.workspace.faults.hang = 0.5
        for name in STORM:
            raised(stage, name)
        stage.until(lambda: slack_has_failed(stage))
        stage.workspace.faults.storm_429 = 3
        stage.workspace.faults.hang = 0
        stage.until(lambda: cards(stage), "the first card")
        stage.workspace.faults.drop_replies = 3

        stage.until(lambda: nothing_waits(stage), "the storm to be told")

        assert cards(stage) == Counter(STORM)
        assert taken(stage) == STORM
        assert stage.status()["counts"]["firing"] == len(STORM)
        assert (stage.workspace.faults.storm_429, stage.workspace.faults.drop_replies) == (0, 0)
