"""Systems Manager: only listed documents, in the version that was planned, sent once, found again by label or tag."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from bot.clients.roles import session_policy
from runbooks.actions import Failed, Unsure
from runbooks.actions.ssm import FREE_TEXT, Automation, RunDocument
from tests.action_stage import ActionWorld, aws_server, look_on, play, world
from tests.mishaps import phases_keep_to_what_they_declare, throttled, tried, unanswered

__all__ = ["aws_server", "world"]

SEND, START = "ssm:SendCommand", "ssm:StartAutomationExecution"
ROLE = "arn:aws:iam::111122223333:role/vigie-automation"


def document(world: ActionWorld, name: str, kind: str, *parameters: str) -> None:
    known = {each: {"type": "String", "default": ""} for each in parameters}
    step = ({"action": "aws:runShellScript", "name": "threads", "inputs": {"runCommand": ["jstack"]}} if kind == "Command"
            else {"action": "aws:sleep", "name": "rest", "inputs": {"Duration": "PT10S"}})
    schema = "2.2" if kind == "Command" else "0.3"
    content = {"schemaVersion": schema, "description": name, "parameters": known, "mainSteps": [step]}
    world.double.client("ssm").create_document(Name=name, DocumentType=kind, DocumentFormat="JSON", Content=json.dumps(content))


@pytest.fixture(autouse=True)
def machines(world: ActionWorld) -> list[str]:
    """Two instances, a document of each kind, both on the list."""
    document(world, "pay-collect-threads", "Command", "Process")
    document(world, "pay-restart-batch", "Automation", "Queue", "AutomationAssumeRole")
    document(world, "pay-not-listed", "Command")
    world.allowed = {"documents": ["pay-collect-threads", "pay-restart-batch", "AWS-RunShellScript"]}
    run = world.double.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=2, MaxCount=2)
    return [each["InstanceId"] for each in run["Instances"]]


def on(machines: list[str], **more: Any) -> dict[str, Any]:
    return {"document": "pay-collect-threads", "instances": machines, **more}


BATCH: dict[str, Any] = {"document": "pay-restart-batch", "parameters": {"Queue": "batch"}}


def test_running_a_document_keeps_to_its_permissions(world: ActionWorld, machines: list[str]) -> None:
    phases_keep_to_what_they_declare(world, RunDocument(), **on(machines))
    params = RunDocument.params.model_validate(on(machines[:1]))
    assert RunDocument().resources(params, {}, world.place) == [
        "arn:aws:ssm:eu-west-3:111122223333:document/pay-collect-threads",
        f"arn:aws:ec2:eu-west-3:111122223333:instance/{machines[0]}"]


def test_as_many_machines_as_a_step_may_name_fit_into_a_session_policy(world: ActionWorld) -> None:
    many = [f"mi-{number:017x}" for number in range(20)]
    params, action = RunDocument.params.model_validate(on(many)), RunDocument()
    assert session_policy(action.writes, action.resources(params, {}, world.place), action.reads)
    with pytest.raises(ValidationError):
        RunDocument.params.model_validate(on([*many, "i-0123456789abcdef0"]))


def test_an_automation_keeps_to_its_permissions(world: ActionWorld) -> None:
    phases_keep_to_what_they_declare(world, Automation(), **BATCH, role=ROLE)
    params = Automation.params.model_validate({"document": "AWS-RestartEC2Instance", "role": ROLE})
    assert Automation().resources(params, {"version": "1"}, world.place) == [
        "arn:aws:ssm:eu-west-3:111122223333:automation-definition/AWS-RestartEC2Instance:1",
        "arn:aws:ssm:eu-west-3::document/AWS-RestartEC2Instance",
        "arn:aws:ssm:eu-west-3:111122223333:automation-execution/*", ROLE]


@pytest.mark.parametrize("name", sorted(FREE_TEXT))
def test_free_text_is_refused_even_when_it_is_listed(world: ActionWorld, machines: list[str], name: str) -> None:
    world.allowed = {"documents": [name]}
    with pytest.raises(Failed, match="runs whatever text it is given"):
        play(world, RunDocument(), document=name, instances=machines, parameters={"commands": "id"})
    assert SEND not in world.called


def test_a_document_that_is_not_listed_is_refused(world: ActionWorld, machines: list[str]) -> None:
    unlisted = {"document": "pay-not-listed"}
    for action, given in ((RunDocument(), {**unlisted, "instances": machines}), (Automation(), unlisted)):
        with pytest.raises(Failed, match=r"not among the documents that vigie.yaml allows"):
            play(world, action, **given)
    with pytest.raises(ValidationError):
        RunDocument.params.model_validate(on(machines, document="arn:aws:ssm:eu-west-3::document/AWS-RunShellScript"))


def test_a_document_of_the_other_kind_or_with_unknown_parameters_is_refused(world: ActionWorld, machines: list[str]) -> None:
    with pytest.raises(Failed, match="of the kind Automation, this step needs Command"):
        play(world, RunDocument(), **on(machines, document="pay-restart-batch"))
    with pytest.raises(Failed, match="knows no parameter Shell; it knows Process"):
        play(world, RunDocument(), **on(machines, parameters={"Shell": "id"}))


def test_a_command_succeeds_on_every_machine(world: ActionWorld, machines: list[str]) -> None:
    played = play(world, RunDocument(), **on(machines, parameters={"Process": "pay-api"}))
    assert played.plan == f"would run pay-collect-threads (version 1) on {machines[0]}, {machines[1]}, with Process=pay-api"
    assert played.looks[0].seen == "under way" and played.seen == "done"
    assert set(played.looks[-1].outputs["printed"]) == set(machines)
    sent = next(call.params for call in world.double.calls if call.operation == "SendCommand")
    assert sent["Comment"] == world.label and sent["DocumentVersion"] == "1" and sent["DocumentHashType"] == "Sha256"


def test_a_command_without_an_answer_is_found_by_its_comment(world: ActionWorld, machines: list[str]) -> None:
    ssm = world.double.client("ssm")
    ssm.send_command(DocumentName="pay-collect-threads", InstanceIds=machines, Comment="somebody else's")
    params = RunDocument.params.model_validate(on(machines))
    assert RunDocument().look(world, params, RunDocument().before(world, params), {}).seen == "not seen"
    once, looks = unanswered(world, RunDocument(), SEND, **on(machines))
    assert looks[-1].seen == "done"
    ours = ssm.list_commands(CommandId=looks[-1].outputs["command"])["Commands"][0]
    assert ours["Comment"] == world.label and isinstance(once.meaning, Unsure)


def test_a_command_that_was_never_sent_is_not_seen(world: ActionWorld, machines: list[str]) -> None:
    world.double.faults.broken("ssm", "SendCommand")
    once = tried(world, RunDocument(), SEND, **on(machines))
    assert RunDocument().look(world, once.params, once.before, {}).seen == "not seen"


def test_a_command_that_fails_on_one_machine_has_failed(world: ActionWorld, machines: list[str]) -> None:
    world.double.ssm.fail("pay-collect-threads", "no such process")
    played = play(world, RunDocument(), **on(machines))
    assert played.seen == "failed" and "Failed (code 1)" in played.looks[-1].said
    assert "no such process" in played.looks[-1].outputs["printed"][machines[0]]


def test_a_throttled_call_to_ssm_may_be_made_again(world: ActionWorld, machines: list[str]) -> None:
    throttled(world, RunDocument(), SEND, **on(machines))
    throttled(world, Automation(), START, **BATCH)


def test_an_automation_is_seen_through(world: ActionWorld) -> None:
    played = play(world, Automation(), **BATCH, role=ROLE)
    given = f"AutomationAssumeRole={ROLE}, Queue=batch"
    assert played.plan == f"would start the automation pay-restart-batch (version 1), with {given}"
    assert played.looks[0].seen == "under way" and played.seen == "done"
    assert Automation.no_undo


def test_an_automation_starts_once_however_often_it_is_asked(world: ActionWorld) -> None:
    played = play(world, Automation(), **BATCH)
    again = Automation().act(world, played.params, played.before)
    assert again.outputs == played.outcome.outputs


def test_an_automation_without_an_answer_is_found_by_its_tag(world: ActionWorld) -> None:
    params = Automation.params.model_validate(BATCH)
    before = Automation().before(world, params)
    assert Automation().look(world, params, before, {}).seen == "not seen"
    _, looks = unanswered(world, Automation(), START, **BATCH)
    assert looks[-1].seen == "done"


def test_an_automation_that_fails_says_why(world: ActionWorld) -> None:
    world.double.ssm.fail("pay-restart-batch", "Step rest failed")
    action, params = Automation(), Automation.params.model_validate(BATCH)
    before = action.before(world, params)
    looks = look_on(world, action, params, before, action.act(world, params, before).outputs)
    assert looks[-1].seen == "failed" and looks[-1].said.endswith("is Failed: Step rest failed")
