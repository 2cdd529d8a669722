"""ECS: a service is restarted once, scaled and taken back, its oldest task replaced; all seen from the world alone."""

from typing import Any

import pytest

from runbooks.actions import Failed
from runbooks.actions.ecs import RestartService, RollBack, Scale, ServiceState, StopOldestTask
from tests.action_stage import ActionWorld, aws_server, play, play_back, world
from tests.mishaps import phases_keep_to_what_they_declare, throttled, tried, unanswered

__all__ = ["aws_server", "world"]

LEDGER = {"cluster": "payments", "service": "ledger"}
UPDATE = "ecs:UpdateService"


@pytest.fixture(autouse=True)
def ledger(world: ActionWorld) -> None:
    """Three tasks of the ledger's second revision."""
    ecs = world.double.client("ecs")
    ecs.create_cluster(clusterName="payments")
    for image in ("ledger:1.0", "ledger:1.1"):
        ecs.register_task_definition(family="ledger", containerDefinitions=[{"name": "ledger", "image": image, "memory": 64}])
    ecs.create_service(cluster="payments", serviceName="ledger", taskDefinition="ledger:2", desiredCount=3)
    world.forward(3600)


def service(world: ActionWorld) -> Any:
    return world.double.client("ecs").describe_services(cluster="payments", services=["ledger"])["services"][0]


@pytest.mark.parametrize(("action", "more"), [
    (RestartService(), {}), (Scale(), {"desired": 4}), (StopOldestTask(), {}), (RollBack(), {}), (ServiceState(), {}),
])
def test_every_action_on_ecs_keeps_to_its_permissions(world: ActionWorld, action: Any, more: dict[str, Any]) -> None:
    phases_keep_to_what_they_declare(world, action, **LEDGER, **more)


def test_a_restarted_service_has_new_tasks_of_the_same_definition(world: ActionWorld) -> None:
    played = play(world, RestartService(), **LEDGER)
    assert played.plan == "would restart ledger: a new deployment of ledger:2 replaces its 3 tasks one after the other"
    assert [played.looks[0].seen, played.seen] == ["under way", "done"]
    assert played.looks[-1].said == "ledger runs 3 of 3 tasks with ledger:2"


def test_a_service_is_not_restarted_while_it_is_deployed(world: ActionWorld) -> None:
    world.double.client("ecs").update_service(cluster="payments", service="ledger", forceNewDeployment=True)
    with pytest.raises(Failed, match="under way already") as caught:
        play(world, RestartService(), **LEDGER)
    assert caught.value.again


def test_a_service_that_somebody_else_deployed_meanwhile_is_not_restarted(world: ActionWorld) -> None:
    action, params = RestartService(), RestartService.params.model_validate(LEDGER)
    before = action.before(world, params)
    world.double.client("ecs").update_service(cluster="payments", service="ledger", forceNewDeployment=True)
    for _ in range(3):
        world.forward(60)
        service(world)
    with pytest.raises(Failed, match="somebody else"):
        action.act(world, params, before)


def test_a_service_without_tasks_or_deployed_elsewhere_is_not_restarted(world: ActionWorld) -> None:
    ecs = world.double.client("ecs")
    ecs.update_service(cluster="payments", service="ledger", desiredCount=0)
    world.forward(600)
    with pytest.raises(Failed, match="nothing to restart"):
        play(world, RestartService(), **LEDGER)
    ecs.create_service(cluster="payments", serviceName="green", taskDefinition="ledger:2", desiredCount=1,
                       deploymentController={"type": "CODE_DEPLOY"})
    with pytest.raises(Failed, match="CODE_DEPLOY"):
        play(world, RestartService(), cluster="payments", service="green")


def test_a_service_that_is_not_there_is_named(world: ActionWorld) -> None:
    with pytest.raises(Failed, match="no active service payroll in the cluster payments"):
        play(world, RestartService(), cluster="payments", service="payroll")


def test_a_restart_whose_answer_is_lost_is_found_and_not_repeated(world: ActionWorld) -> None:
    _, looks = unanswered(world, RestartService(), UPDATE, **LEDGER)
    assert [looks[0].seen, looks[-1].seen] == ["under way", "done"]


def test_a_restart_that_never_reached_aws_is_not_seen(world: ActionWorld) -> None:
    world.double.faults.broken("ecs", "UpdateService")
    once = tried(world, RestartService(), UPDATE, **LEDGER)
    assert RestartService().look(world, once.params, once.before, {}).seen == "not seen"


def test_a_throttled_call_to_ecs_may_be_made_again(world: ActionWorld) -> None:
    throttled(world, RestartService(), UPDATE, **LEDGER)
    throttled(world, StopOldestTask(), "ecs:StopTask", **LEDGER)
    throttled(world, RollBack(), UPDATE, **LEDGER)
    throttled(world, Scale(), UPDATE, **LEDGER, desired=5)


def test_a_restart_whose_new_tasks_die_has_failed(world: ActionWorld) -> None:
    ecs = world.double.client("ecs")
    ecs.create_service(cluster="payments", serviceName="frail", taskDefinition="ledger:2", desiredCount=2,
                       deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": False}})
    world.forward(600)
    action, params = RestartService(), RestartService.params.model_validate({"cluster": "payments", "service": "frail"})
    before = action.before(world, params)
    outputs = action.act(world, params, before).outputs
    world.double.ecs.crash("payments/frail")
    seen = "under way"
    for _ in range(60):
        world.forward(10)
        look = action.look(world, params, before, outputs)
        seen = look.seen
        if seen != "under way":
            break
    assert seen == "failed" and "the deployment of frail failed" in look.said


def test_a_restart_that_another_deployment_replaced_has_failed(world: ActionWorld) -> None:
    action, params = RestartService(), RestartService.params.model_validate(LEDGER)
    before = action.before(world, params)
    outputs = action.act(world, params, before).outputs
    world.double.client("ecs").update_service(cluster="payments", service="ledger", taskDefinition="ledger:1")
    look = action.look(world, params, before, outputs)
    assert look.seen == "failed" and "was replaced by" in look.said


def test_a_scaled_service_runs_as_many_tasks_and_goes_back(world: ActionWorld) -> None:
    action = Scale()
    played = play(world, action, **LEDGER, desired=5)
    assert played.plan == "would set the desired count of ledger from 3 to 5"
    assert [played.looks[0].seen, played.seen] == ["under way", "done"]
    assert played.looks[-1].outputs == {"running": 5, "desired": 5}
    assert play_back(world, action, played)[-1].seen == "done"
    assert service(world)["runningCount"] == 3


def test_scaling_that_something_takes_back_has_failed(world: ActionWorld) -> None:
    action, params = Scale(), Scale.params.model_validate({**LEDGER, "desired": 5})
    before = action.before(world, params)
    outputs = action.act(world, params, before).outputs
    world.double.client("ecs").update_service(cluster="payments", service="ledger", desiredCount=2)
    look = action.look(world, params, before, outputs)
    assert look.seen == "failed" and "auto scaling or a person" in look.said


def test_scaling_without_an_answer_is_seen_from_the_service(world: ActionWorld) -> None:
    _, looks = unanswered(world, Scale(), UPDATE, **LEDGER, desired=4)
    assert looks[-1].seen == "done"


def test_the_oldest_task_is_stopped_and_replaced(world: ActionWorld) -> None:
    ecs = world.double.client("ecs")
    ecs.update_service(cluster="payments", service="ledger", desiredCount=4)
    world.forward(600)
    old = set(ecs.list_tasks(cluster="payments", serviceName="ledger")["taskArns"])
    played = play(world, StopOldestTask(), **LEDGER)
    assert played.before["task"] in old and played.before["since"].startswith("2026-11-22T02:14:00")
    assert played.plan.startswith("would stop the task ") and "the oldest of 4 (since 22 Nov 02:14 UTC)" in played.plan
    assert "under way" in [each.seen for each in played.looks] and played.seen == "done"
    now = set(ecs.list_tasks(cluster="payments", serviceName="ledger")["taskArns"])
    assert old - now == {played.before["task"]} and len(now) == 4


def test_a_task_is_not_stopped_when_too_few_would_go_on(world: ActionWorld) -> None:
    with pytest.raises(Failed, match="would leave less than 3") as caught:
        play(world, StopOldestTask(), **LEDGER, keep=3)
    assert caught.value.again


def test_a_stopped_task_without_an_answer_is_found_by_its_name(world: ActionWorld) -> None:
    once, looks = unanswered(world, StopOldestTask(), "ecs:StopTask", **LEDGER)
    assert looks[-1].seen == "done" and service(world)["runningCount"] == 3
    assert StopOldestTask().resources(once.params, once.before, world.place) == [once.before["task"]]


def test_a_task_that_runs_on_is_not_seen_to_stop(world: ActionWorld) -> None:
    action, params = StopOldestTask(), StopOldestTask.params.model_validate(LEDGER)
    assert action.look(world, params, action.before(world, params), {}).seen == "not seen"


def test_a_service_goes_back_to_the_revision_before_and_returns(world: ActionWorld) -> None:
    action = RollBack()
    played = play(world, action, **LEDGER)
    assert played.plan == "would take ledger back from ledger:2 to ledger:1"
    assert [played.looks[0].seen, played.seen] == ["under way", "done"]
    assert service(world)["taskDefinition"].endswith("ledger:1")
    assert play_back(world, action, played)[-1].seen == "done"
    assert service(world)["taskDefinition"].endswith("ledger:2")


def test_a_revision_that_was_taken_out_of_use_is_passed_over(world: ActionWorld) -> None:
    ecs = world.double.client("ecs")
    ecs.register_task_definition(family="ledger", containerDefinitions=[{"name": "ledger", "image": "ledger:1.2", "memory": 64}])
    ecs.register_task_definition(family="ledger-batch", containerDefinitions=[{"name": "b", "image": "batch:1", "memory": 64}])
    ecs.update_service(cluster="payments", service="ledger", taskDefinition="ledger:3")
    ecs.deregister_task_definition(taskDefinition="ledger:2")
    params = RollBack.params.model_validate(LEDGER)
    assert RollBack().before(world, params)["to"].endswith("/ledger:1")


def test_a_first_revision_has_nothing_to_go_back_to(world: ActionWorld) -> None:
    world.double.client("ecs").update_service(cluster="payments", service="ledger", taskDefinition="ledger:1")
    with pytest.raises(Failed, match="ledger:1 has no older active revision"):
        play(world, RollBack(), **LEDGER)


def test_going_back_without_an_answer_goes_back_only_once(world: ActionWorld) -> None:
    assert RollBack.idempotent is False
    once, looks = unanswered(world, RollBack(), UPDATE, **LEDGER)
    assert looks[-1].seen == "done" and once.before["to"].endswith("ledger:1")
    with pytest.raises(Failed, match="somebody else"):
        RollBack().act(world, once.params, once.before)


def test_a_service_stands_well_only_when_all_its_tasks_run(world: ActionWorld) -> None:
    played = play(world, ServiceState(), **LEDGER)
    assert played.seen == "done" and not ServiceState().mutates
    assert played.outcome.outputs == {"running": 3, "desired": 3, "one_more": 4, "pending": 0, "task_definition": "ledger:2"}
    action, params = ServiceState(), ServiceState.params.model_validate(LEDGER)
    world.double.client("ecs").update_service(cluster="payments", service="ledger", desiredCount=4)
    assert action.look(world, params, {}, {}).seen == "under way"
    world.forward(600)
    assert action.look(world, params, {}, {}).seen == "done"
    wants_more = ServiceState.params.model_validate({**LEDGER, "at_least": 5})
    assert action.look(world, wants_more, {}, {}).seen == "under way"
