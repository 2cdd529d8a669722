"""The first story: an alarm is raised, somebody is called and takes it, it heals, it is closed, all of it written down."""

import sqlalchemy as sa

from bot.doubles import cloudwatch
from tests.stage import LEA, OMAR, PAYMENTS, example_config, shown, staged


def test_an_alarm_becomes_a_card_is_taken_heals_and_is_closed(engine: sa.Engine) -> None:
    with staged(engine, example_config(probation=15)) as stage:
        stage.clock.go_to(2, 14)
        primary = stage.on_call("pay-api")
        assert stage.send("bridge-cloudwatch", cloudwatch.alarm("pay-api-5xx", "ALARM", "pay-api", stage.clock.now()))[0] == 200
        card = stage.reads(PAYMENTS, "pay-api", "Nobody has it yet.")
        assert card["text"].startswith("Firing, important: pay-api")

        stage.say(LEA, PAYMENTS, "/vigie ack 1 looking at the targets")
        card = stage.reads(PAYMENTS, "pay-api", "Léa has it since")
        assert "Acknowledged" in shown(card)

        stage.clock.advance(minutes=17)
        stage.send("bridge-cloudwatch", cloudwatch.alarm("pay-api-5xx", "OK", "pay-api", stage.clock.now()))
        stage.reads(PAYMENTS, "pay-api", "if it stays quiet")

        stage.pass_time(minutes=16)
        card = stage.reads(PAYMENTS, "pay-api", "Closed by Vigie")
        assert "lasted 17 min" in shown(card) and "Seen by Léa" in shown(card)

        log = "\n".join(stage.until(lambda: [each for each in stage.thread(PAYMENTS, card["ts"]) if "closed by Vigie" in each]))
        assert log.index("opened") < log.index("acknowledged by Léa: looking at the targets") < log.index("recovered")
        told = [each.kind for each in stage.entries() if each.object == "alert:1"]
        kinds = [each for each in told if each != "call read"]      # in Léa's week her answer shows that she has read the call
        assert kinds == ["alert opened", "alert decided", "person called", "alert acked", "alert recovered", "alert closed"]
        verdict = stage.verdict()
        assert verdict.ok, verdict.faults
        assert primary in (LEA, OMAR), "at night Padok has the duty"
        assert stage.pinged() == {primary}, "and nobody else is called"
