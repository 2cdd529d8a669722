"""CloudWatch: an alarm that is not OK is not OK, no data proves nothing, a chart says in words what it shows."""

import re
import struct
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pydantic import ValidationError

from runbooks.actions import Failed
from runbooks.actions.cloudwatch import AlarmState, Chart, ReadMetric
from runbooks.faults import told
from tests.action_stage import ActionWorld, aws_server, play, world
from tests.mishaps import phases_keep_to_what_they_declare

__all__ = ["aws_server", "world"]

LATENCY: dict[str, Any] = {
    "namespace": "AWS/ApplicationELB", "metric": "TargetResponseTime", "dimensions": {"LoadBalancer": "app/pay-api/1"},
    "minutes": 10}


def alarm(world: ActionWorld, state: str, name: str = "pay-api-5xx") -> None:
    cloudwatch = world.double.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name, MetricName="HTTPCode_Target_5XX_Count", Namespace="AWS/ApplicationELB", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=5, ComparisonOperator="GreaterThanThreshold")
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="Threshold Crossed: 17 > 5")


def put(world: ActionWorld, *values: float) -> None:
    """One figure a minute, the last a minute ago."""
    world.double.client("cloudwatch").put_metric_data(Namespace=LATENCY["namespace"], MetricData=[
        {"MetricName": LATENCY["metric"], "Dimensions": [{"Name": "LoadBalancer", "Value": "app/pay-api/1"}],
         "Timestamp": world.now - timedelta(minutes=len(values) - number), "Value": value}
        for number, value in enumerate(values)])


def look(world: ActionWorld, **more: Any) -> Any:
    return ReadMetric().look(world, ReadMetric.params.model_validate({**LATENCY, **more}), {}, {})


@pytest.mark.parametrize(("action", "given"), [
    (AlarmState(), {"alarm": "pay-api-5xx"}), (ReadMetric(), LATENCY), (ReadMetric(), {**LATENCY, "statistic": "p95"})])
def test_every_look_at_cloudwatch_keeps_to_its_permissions(world: ActionWorld, action: Any, given: Any) -> None:
    alarm(world, "OK")
    phases_keep_to_what_they_declare(world, action, **given)
    assert not action.mutates


def test_an_alarm_that_is_ok_proves_it(world: ActionWorld) -> None:
    alarm(world, "OK")
    played = play(world, AlarmState(), alarm="pay-api-5xx")
    assert played.plan == "would read the state of the alarm pay-api-5xx"
    assert played.seen == "done" and played.outcome.outputs["state"] == "OK"
    assert re.fullmatch(r"pay-api-5xx is OK since \d\d:\d\d UTC", played.looks[-1].said)      # its reason reads like a fault


@pytest.mark.parametrize("state", ["ALARM", "INSUFFICIENT_DATA"])
def test_an_alarm_in_any_other_state_is_not_ok(world: ActionWorld, state: str) -> None:
    alarm(world, state)
    params = AlarmState.params.model_validate({"alarm": "pay-api-5xx"})
    seen = AlarmState().look(world, params, {}, {})
    assert seen.seen == "under way" and seen.outputs["state"] == state


def test_an_alarm_can_be_expected_to_ring(world: ActionWorld) -> None:
    alarm(world, "ALARM")
    assert play(world, AlarmState(), alarm="pay-api-5xx", expect="ALARM").seen == "done"
    with pytest.raises(ValidationError):
        AlarmState.params.model_validate({"alarm": "pay-api-5xx", "expect": "INSUFFICIENT_DATA"})


def test_an_alarm_that_does_not_exist_proves_nothing(world: ActionWorld) -> None:
    with pytest.raises(Failed, match="there is no alarm pay-api-4xx: nobody watches"):
        play(world, AlarmState(), alarm="pay-api-4xx")


def test_a_composite_alarm_is_read_like_any_other(world: ActionWorld) -> None:
    alarm(world, "OK")
    world.double.client("cloudwatch").put_composite_alarm(AlarmName="payments", AlarmRule='ALARM("pay-api-5xx")')
    assert play(world, AlarmState(), alarm="payments").seen == "done"
    alarm(world, "ALARM")
    params = AlarmState.params.model_validate({"alarm": "payments"})
    assert AlarmState().look(world, params, {}, {}).outputs["state"] == "ALARM"


def test_a_metric_is_well_when_every_figure_is(world: ActionWorld) -> None:
    put(world, 0.2, 0.3, 0.25)
    played = play(world, ReadMetric(), **LATENCY, below=0.5, above=0.1)
    assert played.plan == "would read Average of TargetResponseTime of the last 10 minutes"
    assert played.seen == "done"
    assert played.looks[-1].said == "Average of TargetResponseTime: last 0.25, from 0.2 to 0.3 in 10 minutes"
    assert played.outcome.outputs == {"count": 3, "last": 0.25, "lowest": 0.2, "highest": 0.3, "mean": pytest.approx(0.25)}


def test_one_bad_figure_is_enough_to_wait(world: ActionWorld) -> None:
    put(world, 0.2, 0.9, 0.2)
    assert look(world, below=0.5).seen == "under way"
    assert look(world, above=0.3).seen == "under way"
    world.forward(480)
    put(world, 0.2, 0.2)
    assert look(world, below=0.5, minutes=5).seen == "done"


def test_no_data_is_never_ok(world: ActionWorld) -> None:
    seen = look(world, below=0.5)
    assert seen.seen == "under way" and seen.said == "no data of TargetResponseTime in the last 10 minutes"
    assert look(world).seen == "under way"
    put(world, 0.2)
    assert look(world, below=0.5, at_least=3).said == "1 of at least 3 figures of TargetResponseTime in the last 10 minutes"


def test_a_percentile_is_cloudwatchs_own_or_says_that_it_is_not(world: ActionWorld) -> None:
    put(world, *(0.1 * each for each in range(1, 10)))
    seen = look(world, statistic="p90", below=1)
    assert seen.seen == "done" and seen.outputs["last"] == pytest.approx(0.9)
    world.double.faults.refuse("cloudwatch", "GetMetricData", "InvalidParameterValue", "no percentile of this metric")
    seen = look(world, statistic="p50", below=1)
    assert seen.seen == "done" and seen.outputs["count"] == 1 and seen.outputs["last"] == pytest.approx(0.5)
    assert seen.said.startswith("p50 of the averages of every 60 s (CloudWatch has none of its own) of TargetResponseTime: 0.5")


def test_a_throttled_percentile_is_not_guessed(world: ActionWorld) -> None:
    put(world, 0.2)
    world.double.faults.throttle("cloudwatch", "GetMetricData")
    with pytest.raises(ClientError) as caught:
        look(world, statistic="p95")
    meaning = told(caught.value)
    assert isinstance(meaning, Failed) and meaning.again


def test_a_metric_is_asked_for_in_words_that_cloudwatch_knows(world: ActionWorld) -> None:
    for wrong in ({"statistic": "p100"}, {"statistic": "Median"}, {"period": 90}, {"minutes": 0}):
        with pytest.raises(ValidationError):
            ReadMetric.params.model_validate({**LATENCY, **wrong})


def test_a_chart_is_a_picture_and_says_what_it_shows(world: ActionWorld) -> None:
    put(world, 0.2, 0.8, 0.25)
    phases_keep_to_what_they_declare(world, Chart(), **LATENCY)
    played = play(world, Chart(), **LATENCY, title="How fast pay-api answers")
    picture, = played.outcome.files
    assert picture.name == "TargetResponseTime.png" and picture.content.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", picture.content[16:24]) > (100, 100)
    assert picture.alt == "Chart. Average of TargetResponseTime: last 0.25, from 0.2 to 0.8 in 10 minutes"
    assert played.seen == "done"


def test_a_chart_that_cloudwatch_refuses_is_explained(world: ActionWorld) -> None:
    world.double.faults.refuse("cloudwatch", "GetMetricWidgetImage", "AccessDenied", "not for you")
    with pytest.raises(Failed, match="CloudWatch draws no chart of TargetResponseTime") as caught:
        play(world, Chart(), **LATENCY)
    assert "not for you" in str(caught.value) and not caught.value.again
    world.double.faults.throttle("cloudwatch", "GetMetricWidgetImage")
    with pytest.raises(Failed) as caught:
        play(world, Chart(), **LATENCY)
    assert caught.value.again


def test_what_cloudfront_measures_is_read_where_it_is_kept(world: ActionWorld) -> None:
    edge = {"namespace": "AWS/CloudFront", "metric": "5xxErrorRate", "dimensions": {"DistributionId": "E1PAYMENTS0001"}}
    play(world, ReadMetric(), **edge, region="us-east-1")
    there = AlarmState.params.model_validate({"alarm": "pay-edge", "region": "us-east-1"})
    with pytest.raises(Failed, match="nobody watches"):
        AlarmState().look(world, there, {}, {})
    assert {client.meta.region_name for client in world._clients.values()} == {"us-east-1"}
