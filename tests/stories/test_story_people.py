"""People act on alerts: by button, line, form and mention, at the same time, and without the right to."""

import asyncio
from typing import Any

import sqlalchemy as sa

from bot.doubles import datadog
from tests.stage import ALERTS, ALICE, BRUNO, EVE, LEA, PAYMENTS, Stage, shown, staged


def ledger(key: str = "ledger/lag", **more: Any) -> dict[str, Any]:
    """An alert of a service whose cards stand in #alerts, a channel shared with strangers."""
    return {"key": key, "state": "firing", "title": f"{key} is behind", "service": "ledger", **more}


def raised(stage: Stage, key: str = "ledger/lag") -> dict[str, Any]:
    assert stage.send("bridge-generic", ledger(key))[0] == 200
    return stage.card(ALERTS, f"{key} is behind")


def _whispers(stage: Stage, *people: str) -> list[str]:
    return [each for person in people for each in stage.whispers(ALERTS, person)]


def kinds(stage: Stage, alert: int) -> list[tuple[str, str]]:
    """What people did with it. Whether a call had reached them before they acted is another story."""
    found = [(each.kind, each.actor) for each in stage.entries() if each.object == f"alert:{alert}"]
    return [each for each in found if each[1] in stage.config.people and each[0] != "call read"]


def test_a_probe_of_the_partner_speaks_and_a_click_and_a_form_are_written_down(engine: sa.Engine) -> None:
    with staged(engine) as stage:
        said = datadog.webhook(
            "pay-api answers with errors", "Triggered", stage.clock.now(), service="pay-api", probe="padok-1",
            organisation="padok", priority="P1",
        )
        assert stage.send("padok-datadog", said)[0] == 200
        card = stage.card(PAYMENTS, "pay-api answers with errors")
        assert "Padok-1 sees the fault" in shown(card)

        stage.click(LEA, PAYMENTS, card["ts"], "Acknowledge")
        stage.reads(PAYMENTS, "pay-api answers", "Léa has it since")
        stage.click(LEA, PAYMENTS, card["ts"], "Close…")
        assert stage.modal(LEA).body["submit"]["text"] == "Close for good"
        faults = stage.fill(LEA)
        assert "still see" in faults["reason"] or "still sees" in faults["reason"]
        assert stage.fill(LEA, reason="the probe was wrong") == {}

        stage.reads(PAYMENTS, "pay-api answers", "the probe was wrong")
        assert kinds(stage, 1) == [("alert acked", "lea"), ("command refused", "lea"), ("alert closed", "lea")]
        assert stage.alerts()[0]["closed_by"] == "lea"


def test_of_two_who_click_at_once_one_wins_and_the_other_is_told_who_was_first(engine: sa.Engine) -> None:
    with staged(engine) as stage:
        card = raised(stage)
        place = {"channel": ALERTS, "ts": card["ts"], **stage._target(ALERTS, card["ts"], "Acknowledge")}

        async def both() -> None:
            await asyncio.gather(*(stage.workspace.acts.click(person, place) for person in (ALICE, BRUNO)))

        stage.wait(both())
        heard = stage.until(lambda: found if len(found := _whispers(stage, ALICE, BRUNO)) == 2 else None)
        winner = stage.alerts()[0]["acked_by"]
        assert sum(f"already acknowledged by {winner.capitalize()}" in each for each in heard) == 1
        assert [kind for kind, _ in kinds(stage, 1)].count("alert acked") == 1


def test_a_stranger_of_a_shared_channel_is_refused_and_the_journal_knows(engine: sa.Engine) -> None:
    with staged(engine) as stage:
        card = raised(stage)
        stage.click(EVE, ALERTS, card["ts"], "Acknowledge")
        stage.told(ALERTS, EVE, "may")
        stage.say(EVE, ALERTS, "@Vigie close because I say so", thread=card["ts"])
        refused = stage.until(lambda: found if len(found := stage.entries("command refused")) == 2 else None)
        assert {each.outcome for each in refused} == {"refused"}
        assert {each.object for each in refused} == {"alert:1"}
        assert all("U0EVE00001" in each.actor for each in refused), [each.actor for each in refused]
        assert stage.alerts()[0]["state"] == "firing"


def test_whichever_way_it_is_said_the_journal_says_the_same(engine: sa.Engine) -> None:
    with staged(engine) as stage:
        cards = [raised(stage, f"ledger/{name}") for name in ("button", "line", "mention")]
        stage.click(ALICE, ALERTS, cards[0]["ts"], "Acknowledge")
        stage.say(ALICE, ALERTS, "/vigie ack 2")
        stage.say(ALICE, ALERTS, "@Vigie ack", thread=cards[2]["ts"])
        stage.until(lambda: len(stage.entries("alert acked")) == 3)

        stage.click(ALICE, ALERTS, cards[0]["ts"], "Note…")
        assert stage.fill(ALICE, text="the bank has been called") == {}
        stage.say(ALICE, ALERTS, "/vigie note 2 the bank has been called")
        stage.say(ALICE, ALERTS, "@Vigie note the bank has been called", thread=cards[2]["ts"])
        noted = stage.until(lambda: found if len(found := stage.entries("alert noted")) == 3 else None)
        assert len({(each.actor, each.organisation, each.details, each.outcome) for each in noted}) == 1
        assert all(kinds(stage, n) == [("alert acked", "alice"), ("alert noted", "alice")] for n in (1, 2, 3))
