"""Load balancing: a target leaves only while enough others serve, comes back healthy, and the ill one is found."""

from typing import Any

import pytest

from runbooks.actions import Action, Failed
from runbooks.actions.elbv2 import Drain, Return
from runbooks.actions.target_health import TargetHealth, UnhealthyTarget
from tests.action_ground import (
    assert_lost_is_found,
    assert_throttled_is_later,
    prepare,
    refusal,
    rights_unused,
    targets_of,
)
from tests.action_stage import ActionWorld, aws_server, play, play_back, world

__all__ = ["aws_server", "world"]


def states(world: ActionWorld, arn: str) -> dict[str, str]:
    found = world.double.client("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    return {each["Target"]["Id"]: each["TargetHealth"]["State"] for each in found}


# --- drained ---


def test_a_target_is_drained_until_it_is_gone_and_comes_back_by_undo(world: ActionWorld) -> None:
    arn, ids = targets_of(world)
    played = play(world, Drain(), target_group="pay-api", target=ids[0], keep=2)
    assert played.plan == (
        f"would take {ids[0]} (now healthy) out of pay-api; 2 healthy targets stay, connections get up to 300 s to end")
    assert [each.seen for each in played.looks] == ["under way"] * 20 + ["done"]
    assert played.looks[0].said == f"{ids[0]} in pay-api: draining" and ids[0] not in states(world, arn)
    assert Drain().resources(played.params, played.before, world.place) == [arn]
    back = play_back(world, Drain(), played)
    assert [each.seen for each in back] == ["under way", "under way", "done"]
    assert states(world, arn)[ids[0]] == "healthy"


def test_no_target_leaves_when_too_few_would_stay(world: ActionWorld) -> None:
    _, ids = targets_of(world)
    world.double.elbv2.sicken(ids[1])
    said = refusal(world, Drain(), target_group="pay-api", target=ids[0], keep=2)
    assert str(said) == "only 1 other healthy targets would be left in pay-api, at least 2 are needed" and said.again
    prepare(world, Drain(), target_group="pay-api", target=ids[1], keep=2)


def test_an_ill_target_that_was_drained_is_back_when_it_is_registered(world: ActionWorld) -> None:
    arn, ids = targets_of(world)
    world.double.elbv2.sicken(ids[0])
    played = play(world, Drain(), target_group="pay-api", target=ids[0])
    assert "(now unhealthy)" in played.plan and played.seen == "done"
    assert play_back(world, Drain(), played)[-1].seen == "done"
    assert states(world, arn)[ids[0]] in ("initial", "unhealthy")


def test_a_target_that_is_not_in_the_group_is_out_already(world: ActionWorld) -> None:
    targets_of(world)
    played = play(world, Drain(), target_group="pay-api", target="i-0123456789abcdef0", keep=9)
    assert played.plan == "would take i-0123456789abcdef0 out of pay-api: it is not in it, nothing would change"
    assert [each.seen for each in played.looks] == ["done"]
    assert play_back(world, Drain(), played)[-1].said == "i-0123456789abcdef0 was not in pay-api before: nothing to bring back"
    assert "RegisterTargets" not in [each.operation for each in world.double.calls]


def test_a_group_is_known_by_its_name_its_arn_and_as_cloudwatch_names_it(world: ActionWorld) -> None:
    arn, ids = targets_of(world)
    for said in ("pay-api", arn, arn.split(":")[-1]):
        params, before, _ = prepare(world, Drain(), target_group=said, target=ids[0])
        assert (before["arn"], Drain().target(params)) == (arn, "elbv2:pay-api")
    other = arn[:-4] + "0000"
    assert "is now" in str(refusal(world, Drain(), target_group=other, target=ids[0]))
    with pytest.raises(ValueError, match="pattern"):
        Drain.params(target_group="pay-*", target=ids[0])


# --- returned ---


def test_a_target_is_returned_and_done_when_it_is_healthy(world: ActionWorld) -> None:
    arn, ids = targets_of(world)
    play(world, Drain(), target_group="pay-api", target=ids[0])
    played = play(world, Return(), target_group="pay-api", target=ids[0], port=8080)
    assert played.plan == f"would register {ids[0]} (now not registered) in pay-api, and wait until it is healthy"
    assert [each.said for each in played.looks] == [
        f"{ids[0]} in pay-api: initial", f"{ids[0]} in pay-api: initial", f"{ids[0]} in pay-api: healthy"]
    assert play_back(world, Return(), played)[-1].seen == "done"
    assert ids[0] not in states(world, arn)


def test_a_target_that_is_registered_already_is_not_taken_out_by_undo(world: ActionWorld) -> None:
    arn, ids = targets_of(world)
    played = play(world, Return(), target_group="pay-api", target=ids[0])
    assert played.seen == "done" and "(now healthy)" in played.plan
    assert play_back(world, Return(), played)[-1].seen == "done"
    assert states(world, arn)[ids[0]] == "healthy"


def test_a_target_that_stays_ill_is_not_returned(world: ActionWorld) -> None:
    _, ids = targets_of(world)
    play(world, Drain(), target_group="pay-api", target=ids[0])
    world.double.elbv2.sicken(ids[0])
    looks = play(world, Return(), target_group="pay-api", target=ids[0]).looks
    assert (looks[-1].seen, looks[-1].said) == ("under way", f"{ids[0]} in pay-api: unhealthy")


# --- troubles ---


CASES = [(Drain(), "DeregisterTargets"), (Return(), "RegisterTargets")]


@pytest.mark.parametrize(("action", "operation"), CASES)
def test_a_throttled_or_lost_move_of_a_target_is_told_apart(world: ActionWorld, action: Action[Any], operation: str) -> None:
    _, ids = targets_of(world)
    asked = {"target_group": "pay-api", "target": ids[0]}
    if isinstance(action, Return):
        play(world, Drain(), **asked)
    assert_throttled_is_later(world, action, "elbv2", operation, **asked)
    world.double.calls.clear()
    assert_lost_is_found(world, action, "elbv2", operation, **asked)


@pytest.mark.parametrize(("action", "operation"), CASES)
def test_moving_a_target_asks_for_the_rights_it_uses_and_no_others(
    world: ActionWorld, action: Action[Any], operation: str,
) -> None:
    _, ids = targets_of(world)
    asked = {"target_group": "pay-api", "target": ids[0]}
    if isinstance(action, Return):
        play(world, Drain(), **asked)
    world.called.clear()
    assert rights_unused(world, action, **asked) == set()


# --- reading ---


def test_the_one_unhealthy_target_is_found_and_named(world: ActionWorld) -> None:
    _, ids = targets_of(world)
    world.double.elbv2.sicken(ids[1])
    played = play(world, UnhealthyTarget(), target_group="pay-api")
    assert played.outcome.outputs == {
        "target": ids[1], "port": 8080, "why": "Target.ResponseCodeMismatch", "healthy": 2}
    assert played.looks[-1].said == played.outcome.said == (
        f"{ids[1]} is unhealthy in pay-api (Target.ResponseCodeMismatch); 2 targets are healthy")
    assert UnhealthyTarget().look(world, played.params, {}, {}).outputs == played.outcome.outputs


def test_no_unhealthy_target_or_too_many_of_them_is_another_trouble(world: ActionWorld) -> None:
    _, ids = targets_of(world)
    params = UnhealthyTarget.params(target_group="pay-api")
    with pytest.raises(Failed, match="no target of pay-api is unhealthy"):
        UnhealthyTarget().act(world, params, {})
    for each in ids[:2]:
        world.double.elbv2.sicken(each)
    with pytest.raises(Failed, match="2 targets of pay-api are unhealthy, more than 1"):
        UnhealthyTarget().act(world, params, {})
    assert UnhealthyTarget().look(world, params, {}, {}).seen == "failed"
    assert play(world, UnhealthyTarget(), target_group="pay-api", most=2).outcome.outputs["target"] in ids[:2]


def test_the_health_of_all_targets_is_read_and_waited_for(world: ActionWorld) -> None:
    _, ids = targets_of(world)
    world.double.elbv2.sicken(ids[0])
    action = TargetHealth()
    read = action.act(world, action.params(target_group="pay-api"), {})
    assert read.said == "2 of 3 targets of pay-api are healthy"
    assert read.outputs == {"healthy": 2, "unhealthy": 1, "total": 3, "unhealthy_targets": [ids[0]]}
    for given, seen in (
        ({}, "done"), ({"at_least": 2}, "done"), ({"at_least": 3}, "under way"), ({"none_unhealthy": True}, "under way"),
        ({"target": ids[1]}, "done"), ({"target": ids[0]}, "under way"),
    ):
        assert action.look(world, action.params(target_group="pay-api", **given), {}, {}).seen == seen, given
    world.double.elbv2.heal(ids[0])
    assert play(world, action, target_group="pay-api", none_unhealthy=True, at_least=3).seen == "done"
