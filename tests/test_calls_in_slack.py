"""A call as people see it in Slack: a mention and a direct message with its buttons; and a silence that two agree on."""

from typing import Any

import sqlalchemy as sa

from bot.services.call import escalation
from tests.stage import ALERTS, INES, LEA, OMAR, PAYMENTS, Stage, shown, staged

LEAS = f"D{LEA[1:]}"
FAULT = {"key": "ledger drift", "state": "firing", "severity": "critical", "title": "books do not balance", "service": "ledger"}


def direct(stage: Stage, words: str) -> dict[str, Any]:
    """What Léa reads in her direct messages, waited for."""
    def found() -> dict[str, Any] | None:
        if LEAS not in stage.workspace.state.conversations:
            return None
        return next((each for each in stage.messages(LEAS, LEA) if words in shown(each)), None)

    return stage.until(found, f"Léa to read {words!r}")


def pressed(stage: Stage, channel: str, words: str, label: str, person: str) -> None:
    message = stage.until(
        lambda: next((each for each in stage.messages(channel) if words in shown(each) and not each["ephemeral"]), None), words,
    )
    stage.click(person, channel, message["ts"], label)


def test_who_is_called_answers_from_the_direct_message_and_a_silence_needs_two(sqlite_engine: sa.Engine) -> None:
    with staged(sqlite_engine) as stage:
        stage.clock.go_to(2, 0)
        first, second = (LEA, OMAR) if _is_leas_week(stage) else (OMAR, LEA)
        assert stage.send("bridge-generic", FAULT)[0] == 200
        stage.until(lambda: first in stage.pinged(), "the primary to be mentioned")
        stage.clock.advance(minutes=6)
        escalation.act(stage.app.desk)
        stage.until(lambda: second in stage.pinged(), "the secondary to be mentioned")
        message = direct(stage, "You are called as")
        stage.click(LEA, LEAS, message["ts"], "Acknowledge")
        card = stage.reads(PAYMENTS, "books do not balance", "Acknowledged")
        assert "Paging" not in shown(card)

        stage.click(OMAR, PAYMENTS, card["ts"], "Silence ledger…")
        assert stage.fill(OMAR, duration="2h", reason="books are being mended") == {}
        stage.reads(PAYMENTS, "books do not balance", "Silenced until")
        pressed(stage, ALERTS, "calls nobody until", "Agree…", INES)
        assert stage.fill(INES) == {}
        stage.reads(PAYMENTS, "books do not balance", "by Omar and Inès")


def test_who_has_it_asks_for_help_from_the_card_and_who_is_called_takes_it_over(sqlite_engine: sa.Engine) -> None:
    with staged(sqlite_engine) as stage:
        stage.clock.go_to(2, 0)
        first, second = (LEA, OMAR) if _is_leas_week(stage) else (OMAR, LEA)
        assert stage.send("bridge-generic", FAULT)[0] == 200
        stage.until(lambda: first in stage.pinged(), "the primary to be mentioned")
        card = stage.reads(PAYMENTS, "books do not balance", "Firing")
        stage.click(first, PAYMENTS, card["ts"], "Acknowledge")
        stage.reads(PAYMENTS, "books do not balance", "Acknowledged")

        stage.click(first, PAYMENTS, card["ts"], "Escalate…")
        assert stage.fill(first, reason="the books of Monday are gone") == {}
        stage.until(lambda: second in stage.pinged(), "the secondary to be mentioned")
        assert "has it since" in shown(stage.reads(PAYMENTS, "books do not balance", "Paging"))
        pressed(stage, PAYMENTS, "until you acknowledge it", "Acknowledge", second)
        name = "Omar" if second == OMAR else "Léa"
        assert "Paging" not in shown(stage.reads(PAYMENTS, "books do not balance", f"{name} has it since"))


def _is_leas_week(stage: Stage) -> bool:
    weeks = (stage.clock.now().date() - stage.config.rotations["padok-primary"].starts).days // 7
    return weeks % 2 == 0
