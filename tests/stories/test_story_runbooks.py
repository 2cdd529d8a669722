"""Nights on which something is repaired: real HTTP, a real Slack workspace, an AWS and two Datadogs that live."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from botocore.config import Config

from bot.clients import roles
from bot.doubles.night import evening
from bot.doubles.troubles import PAY_API_TARGET
from bot.store.runs import ENDED, Run
from tests.stage import INES, LEA, OMAR, PAYMENTS, REVIEW, Stage, example_config, shown, staged

WRITES = ("TerminateInstanceInAutoScalingGroup", "DeregisterTargets", "RegisterTargets", "RebootDBInstance", "StopTask",
          "UpdateService", "ModifyInstanceAttribute", "ModifyNetworkInterfaceAttribute")


@contextmanager
def night(engine: sa.Engine, **given: Any) -> Iterator[Stage]:
    """In the evening the leads of both companies put the mandate in force and promote two runbooks; then it is 02:14."""
    with staged(engine, example_config(probation=15), with_platform=True, **given) as stage:
        stage.clock.go_to(18, 10)
        for line in evening():
            said = stage.ask(line.person, line.channel, line.line)
            assert "confirmed" in said or "propose" in said or "is on" in said, said
        stage.clock.go_to(2, 14)
        yield stage


def changes(stage: Stage, operation: str | None = None) -> list[Any]:
    """What was really changed on AWS, or asked to be."""
    return [each for each in stage.platform.aws.calls if each.operation in ((operation,) if operation else WRITES)]


def ended(stage: Stage, runbook: str) -> Run | None:
    return next((each for each in stage.runs() if each.runbook == runbook and each.state in ENDED), None)


def asked(stage: Stage, words: str) -> str:
    """The question that an approver sees, waited for."""
    def found() -> str | None:
        return next((shown(each) for each in stage.messages(PAYMENTS, INES) if words in shown(each)), None)

    stage.live(stage.questions, f"{words!r} to be asked")
    return stage.until(found, f"{words!r} to be seen")


def number(stage: Stage, about: str) -> str:
    """The alert whose card speaks of it."""
    text = shown(stage.card(PAYMENTS, about))
    return text.split("*#")[1].split("*")[0]


def test_at_0214_a_target_is_replaced_and_nobody_is_woken(engine: sa.Engine) -> None:
    with night(engine) as stage:
        stage.platform.break_("unhealthy target")
        fix = stage.live(lambda: ended(stage, "unhealthy-target"), "the run to end")
        assert fix.state == "succeeded" and fix.mode == "automatic", fix.said
        stage.live(lambda: {each["state"] for each in stage.alerts()} == {"recovered"}, "both observers to say OK")
        stage.pass_time(minutes=14)
        assert stage.status()["counts"].get("closed", 0) == 0, "the quiet time is not over"
        stage.live(lambda: stage.status()["counts"].get("closed") == 2, "both alerts to be closed")

        card = stage.reads(PAYMENTS, "UnHealthyHostCount", "Closed by Vigie")
        assert "nobody was paged" in shown(card) and "fixed it (run 1)" in shown(card)
        assert len([each for each in stage.messages(PAYMENTS) if "target unhealthy" in each["text"]]) == 0, "one card for both"
        assert stage.pinged() == set()

        (end,) = changes(stage, "TerminateInstanceInAutoScalingGroup")
        assert end.session == "vigie-run1" and end.tags["alert"] in ("1", "2") and end.tags["run"] == "1"
        assert {each.outcome for each in stage.platform.aws.calls} == {"ok"}
        health = stage.platform.aws.client("elbv2").describe_target_health(TargetGroupArn=stage.platform.laid.target_group)
        assert [each["TargetHealth"]["State"] for each in health["TargetHealthDescriptions"]] == ["healthy"] * 4

        for words in ("Take it out of the load balancer", "serves in pay-api in place of", "Padok's probe says OK", "opened",
                      "recovered", "stayed quiet, and is proven well"):
            stage.until(lambda said=words: said in "\n".join(stage.thread(PAYMENTS, card["ts"])), f"the thread to tell {words!r}")
        verdict = stage.verdict()
        assert verdict.ok, verdict.faults


def test_when_the_other_company_still_sees_it_the_alert_stays_open_and_its_engineer_is_called(sqlite_engine: sa.Engine) -> None:
    with night(sqlite_engine) as stage:
        stage.platform.accounts["padok"].monitors.set(PAY_API_TARGET, "Alert", "probe:padok-1")      # and tells nobody
        stage.platform.break_("unhealthy target")
        fix = stage.live(lambda: ended(stage, "unhealthy-target"), "the run to end")
        assert fix.state == "failed" and "Padok's probe" in (fix.said or "")
        stage.live(lambda: stage.pinged(), "somebody to be called")
        assert stage.pinged() == {stage.on_call("pay-api")}
        stage.pass_time(minutes=40)
        stage.live(lambda: len(stage.runs()) > 1, "it to be proven once more")
        assert {each["state"] for each in stage.alerts()} == {"recovered"}, "what is not proven stays open"
        assert [each.kind for each in stage.entries() if each.kind == "runbook demoted"] == ["runbook demoted"]


def test_what_the_mandate_does_not_cover_is_refused_before_and_while_it_runs(sqlite_engine: sa.Engine) -> None:
    with night(sqlite_engine) as stage:
        stage.platform.break_("hanging database")
        alert = number(stage, "DatabaseConnections")
        no = stage.ask(OMAR, PAYMENTS, f"/vigie run {alert} isolate-instance instance=i-0a1b2c3d4e5f67890")
        assert "Mandate nights, §1" in no and "allows it only for" in no and "Paul (Bridge) can widen it" in no
        assert stage.runs() == [] and [each.outcome for each in stage.entries("command refused")] == ["refused"]

        stage.ask(OMAR, PAYMENTS, f"/vigie run {alert}")
        asked(stage, "pay-db over from")
        assert "From now on it allows nothing" in stage.ask(INES, REVIEW, "/vigie mandate nights withdraw")
        stage.ask(INES, PAYMENTS, "/vigie approve 1")
        run = stage.live(lambda: ended(stage, "rds-failover"), "the run to end")
        assert run.state == "failed" and "mandate nights" in (run.said or "").lower()
        assert changes(stage) == []


def test_an_approval_that_nobody_gives_expires_and_nothing_is_changed(sqlite_engine: sa.Engine) -> None:
    with night(sqlite_engine) as stage:
        stage.platform.break_("hanging database")
        stage.ask(OMAR, PAYMENTS, f"/vigie run {number(stage, 'DatabaseConnections')}")
        asked(stage, "pay-db over from")
        stage.pass_time(minutes=14)
        assert [each.state for each in stage.runs()] == ["asking"]
        stage.pass_time(minutes=2)
        run = stage.live(lambda: ended(stage, "rds-failover"), "the run to end")
        assert run.state == "failed" and "approved it within 15 min" in (run.said or "")
        assert "15 min" in stage.ask(INES, PAYMENTS, "/vigie approve 1")
        assert changes(stage, "RebootDBInstance") == []


def test_of_two_runs_for_one_database_the_second_is_refused(sqlite_engine: sa.Engine) -> None:
    with night(sqlite_engine) as stage:
        stage.platform.break_("hanging database")
        alert = number(stage, "DatabaseConnections")
        assert "Run 1 is started" in stage.ask(OMAR, PAYMENTS, f"/vigie run {alert}")
        assert "Run 1 works on rds:pay-db since" in stage.ask(LEA, PAYMENTS, f"/vigie run {alert}")
        asked(stage, "pay-db over from")
        stage.ask(INES, PAYMENTS, "/vigie approve 1")
        assert stage.live(lambda: ended(stage, "rds-failover")).state == "succeeded"
        assert len(stage.runs()) == 1 and len(changes(stage, "RebootDBInstance")) == 1


def test_of_two_runs_for_one_worker_the_second_waits_for_the_first(sqlite_engine: sa.Engine) -> None:
    with night(sqlite_engine) as stage:
        for person in (OMAR, LEA):
            assert "is started" in stage.ask(person, PAYMENTS, "/vigie run queue-backlog")
        stage.live(lambda: len(changes(stage, "StopTask")) == 1, "the first to act")
        assert [each.state for each in stage.runs()] == ["running", "waiting"]
        first, second = stage.live(lambda: [each for each in stage.runs() if each.state == "succeeded"][1:] and stage.runs())
        acts = changes(stage, "StopTask")
        assert [each.session for each in acts] == ["omar-run1", "lea-run2"]
        assert first.ended_at <= acts[1].at <= second.ended_at


def test_a_failover_that_rds_accepts_without_an_answer_in_time_happens_once(
    sqlite_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles, "ONCE", Config(read_timeout=3, retries={"total_max_attempts": 1}))
    with night(sqlite_engine) as stage:
        stage.platform.aws.faults.lose("rds", "RebootDBInstance", hang=True)
        stage.platform.break_("hanging database")
        stage.ask(OMAR, PAYMENTS, f"/vigie run {number(stage, 'DatabaseConnections')}")
        asked(stage, "pay-db over from")
        stage.ask(INES, PAYMENTS, "/vigie approve 1")
        run = stage.live(lambda: ended(stage, "rds-failover"), "the run to end")
        assert run.state == "succeeded", run.said
        (once,) = changes(stage, "RebootDBInstance")
        assert (once.outcome, once.session) == ("no answer", "omar-run1")
        database = stage.platform.aws.client("rds").describe_db_instances(DBInstanceIdentifier="pay-db")["DBInstances"][0]
        assert (database["AvailabilityZone"], database["DBInstanceStatus"]) == ("eu-west-3b", "available")
