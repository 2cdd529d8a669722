"""The policies that `vigie check --iam` prints: all that the runbooks need, nothing else, and never what no runbook does."""

import json
from collections.abc import Mapping
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from bot.clients import clouds
from bot.clients.roles import session_policy
from bot.config import Catalogue, Entry, actions_of, load_catalogue
from bot.config.use_rules import spots
from bot.errors import Misbuilt
from bot.services.check import iam
from bot.services.review import measuring
from bot.worlds import _guise
from runbooks.actions import Action, Errand
from runbooks.model import Runbook
from tests.config_stage import EXAMPLE, actions, example
from tests.processes import vigie
from tests.story import T0

VIGIE = "arn:aws:iam::111122223333:role/vigie"
ACTIONS = actions_of(actions().values())
SHIPPED = load_catalogue(None, example(), actions())
MARKED = {"aws:ResourceTag/managed-by": "vigie", "iam:PassedToService": "ssm.amazonaws.com"}
ANYTHING = "arn:aws:any:eu-west-3:111122223333:thing"
LONGEST_POLICY = 6_144          # of a managed policy; white space is not counted
HARM = (
    "iam:CreateUser", "iam:AttachRolePolicy", "organizations:LeaveOrganization", "kms:ScheduleKeyDeletion",
    "rds:DeleteDBInstance", "ec2:TerminateInstances", "s3:DeleteObject", "cloudtrail:StopLogging", "cloudtrail:DeleteTrail",
)


# --- IAM, as far as these policies speak it -----------------------------------------------------------------------------------


def matches(patterns: Any, text: str) -> bool:
    given = patterns if isinstance(patterns, list) else [patterns]
    return any(fnmatchcase(text, each) for each in given)


def holds(condition: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """A key that is not in the request: no equality holds, and every inequality does."""
    for operator, asked in condition.items():
        for key, wanted in asked.items():
            if operator == "ForAllValues:StringEquals":
                good = all(matches(wanted, each) for each in facts.get(key, []))
            elif operator == "StringNotEquals":
                good = key not in facts or not matches(wanted, facts[key])
            else:
                assert operator in ("StringEquals", "StringLike"), operator
                good = key in facts and matches(wanted, facts[key])
            if not good:
                return False
    return True


def allows(policy: Mapping[str, Any], action: str, facts: Mapping[str, Any] = MARKED, resource: str | None = None) -> bool:
    """Whether it allows that; `resource` of nothing: on something."""
    said = [
        each["Effect"] for each in policy["Statement"]
        if matches(each["Action"], action) and holds(each.get("Condition", {}), facts)
        and (resource is None or matches(each.get("Resource", "*"), resource))
    ]
    return "Allow" in said and "Deny" not in said


def made(catalogue: Catalogue = SHIPPED) -> dict[str, Any]:
    return iam.policies(example(), catalogue, VIGIE)


def using(action: Action[Any]) -> Catalogue:
    """A catalogue of one runbook, which uses this action and nothing else."""
    book = Runbook.model_validate({
        "name": "one", "title": "One", "owner": "bridge", "reviewed": date(2026, 11, 1),
        "steps": [{"name": "it", "uses": action.name, "with": dict(action.example)}],
    })
    return Catalogue({"one": Entry(book, "one.yaml", 1)}, ACTIONS)


# --- what the roles may do ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ACTIONS.values(), ids=list(ACTIONS))
def test_each_action_may_do_what_it_declares_and_nothing_else(action: Action[Any]) -> None:
    made_for = made(using(action))
    look, act = made_for["read_role"]["permissions"], made_for["act_role"]["permissions"]
    granted = {each for said in act["Statement"] if said["Effect"] == "Allow" for each in said["Action"]}
    assert granted == {*action.reads, *action.writes}
    assert all(allows(look, each) and allows(act, each) for each in action.reads)
    assert all(allows(act, each) and not allows(look, each) for each in action.writes)


@pytest.mark.parametrize("action", ACTIONS.values(), ids=list(ACTIONS))
def test_what_changes_something_changes_only_what_is_marked(action: Action[Any]) -> None:
    act = made(using(action))["act_role"]["permissions"]
    unmarked = {"iam:PassedToService": "ssm.amazonaws.com"}
    for each in action.writes:
        assert allows(act, each, unmarked) == (each in iam.UNMARKED), each
    assert all(allows(act, each, {}) for each in action.reads)


def test_the_shipped_catalogue_gets_what_its_runbooks_use_and_no_more() -> None:
    used = [ACTIONS[spot.use.uses] for entry in SHIPPED.entries.values() for spot in spots(entry.runbook)]
    reads, writes = iam.rights(SHIPPED)
    assert set(reads) == {each for action in used for each in action.reads} and len(reads) == len(set(reads))
    assert set(writes) == {each for action in used for each in action.writes}
    assert "kms:DescribeKey" not in reads, "an action that no runbook uses"
    assert not set(reads) & set(writes)


@pytest.mark.parametrize("harm", HARM)
@pytest.mark.parametrize("role", ["read_role", "act_role"])
def test_what_no_runbook_does_stays_forbidden_whatever_else_the_role_is_given(role: str, harm: str) -> None:
    policy = made()[role]["permissions"]
    generous = {"Statement": [*policy["Statement"], {"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    assert allows(generous, "sqs:SendMessage") and not allows(generous, harm, {"aws:ResourceTag/managed-by": "vigie"})


def test_a_role_is_handed_on_to_automations_only_and_only_where_a_runbook_starts_one() -> None:
    act = made(using(ACTIONS["aws.ssm.automation"]))["act_role"]["permissions"]
    elsewhere = {**MARKED, "iam:PassedToService": "ec2.amazonaws.com"}
    assert allows(act, "iam:PassRole", MARKED) and not allows(act, "iam:PassRole", elsewhere)
    assert not allows(act, "iam:PassRole", MARKED, "arn:aws:iam::999988887777:role/other")
    none = made(using(ACTIONS["aws.ec2.reboot"]))["act_role"]["permissions"]
    assert not allows({"Statement": [*none["Statement"], {"Effect": "Allow", "Action": "*"}]}, "iam:PassRole", MARKED)


def test_of_ssm_only_the_documents_of_vigie_yaml_may_be_started() -> None:
    act = made()["act_role"]["permissions"]
    ssm = "arn:aws:ssm:eu-west-3:"
    for document in (f"{ssm}111122223333:document/pay-clear-disk", f"{ssm}:document/AWS-RestartEC2Instance"):
        assert allows(act, "ssm:SendCommand", MARKED, document)
    for other in (f"{ssm}:document/AWS-RunShellScript", f"{ssm}111122223333:document/pay-drop-tables"):
        assert not allows(act, "ssm:SendCommand", MARKED, other)
    definition = f"{ssm}111122223333:automation-definition/AWS-RestartEC2Instance:1"
    assert allows(act, "ssm:StartAutomationExecution", MARKED, definition)


def test_the_role_that_looks_may_read_what_the_month_wants_and_only_that_role() -> None:
    wanted = measuring.rights(example())
    assert set(wanted) == set(clouds.READS)
    look, act = made()["read_role"]["permissions"], made()["act_role"]["permissions"]
    assert all(allows(look, each) for each in wanted) and not allows(act, "ce:GetCostAndUsage")
    month = example().month
    costs = month.costs.model_copy(update={"bill": False, "pools": {}})
    nothing = example().model_copy(update={"month": month.model_copy(update={"costs": costs})})
    assert measuring.rights(nothing) == ()


def test_a_session_policy_never_asks_for_more_than_its_role_has() -> None:
    look, act = made()["read_role"]["permissions"], made()["act_role"]["permissions"]
    for entry in SHIPPED.entries.values():
        for spot in spots(entry.runbook):
            action = ACTIONS[spot.use.uses]
            session = json.loads(session_policy(action.writes, [ANYTHING], action.reads))
            asked = {each for said in session["Statement"] for each in said["Action"]}
            assert all(allows(act, each) for each in asked) and all(allows(look, each) for each in action.reads)


def test_the_policies_are_json_that_aws_takes() -> None:
    for part in made().values():
        for policy in (part["permissions"], *([part["trust"]] if "trust" in part else [])):
            assert len(json.dumps(policy, separators=(",", ":"))) <= LONGEST_POLICY
            assert policy["Version"] == "2012-10-17" and json.loads(json.dumps(policy)) == policy
            sids = [each["Sid"] for each in policy["Statement"]]
            assert len(set(sids)) == len(sids) and all(each.isalnum() for each in sids)
            assert all(each["Action"] and ("Principal" in each) != ("Resource" in each) for each in policy["Statement"])


# --- whom they trust ----------------------------------------------------------------------------------------------------------


def request(organisation: str, external_id: str | None, **tags: str) -> dict[str, Any]:
    """The facts of one sts:AssumeRole."""
    given = {"organisation": organisation, "run": "57", **tags}
    facts = {f"aws:RequestTag/{name}": value for name, value in given.items()} | {"aws:TagKeys": list(given)}
    return facts | ({"sts:ExternalId": external_id} if external_id else {})


def taken(facts: Mapping[str, Any]) -> bool:
    trust = made()["act_role"]["trust"]
    return all(allows(trust, each, facts) for each in ("sts:AssumeRole", "sts:TagSession"))


def test_a_role_is_taken_with_the_external_id_of_the_company_only() -> None:
    bridge, padok = example().aws.external_ids.values()     # type: ignore[union-attr]
    assert taken(request("bridge", bridge)) and taken(request("padok", padok, alert="142")) and taken(request("vigie", bridge))
    for organisation, external_id in (("padok", bridge), ("bridge", padok), ("vigie", padok), ("padok", None), ("eve", padok)):
        assert not taken(request(organisation, external_id)), (organisation, external_id)


def test_a_session_has_the_tags_of_a_step_and_no_others() -> None:
    _, padok = example().aws.external_ids.values()          # type: ignore[union-attr]
    assert not taken(request("padok", padok, administrator="yes"))
    facts = request("padok", padok)
    del facts["aws:RequestTag/run"]
    assert not taken(facts)


@pytest.mark.parametrize(("organisation", "person"), [("bridge", "alice"), ("padok", "lea"), ("vigie", "vigie")])
def test_what_a_step_asks_sts_for_is_what_the_role_trusts(organisation: str, person: str) -> None:
    errand = Errand(57, 1, person, organisation, 142, T0, True, ("rds:RebootDBInstance",), (ANYTHING,), ())
    aws = example().aws
    assert aws is not None
    guise = _guise(aws, errand, aws.external_ids["bridge"])
    assert taken({
        **{f"aws:RequestTag/{name}": value for name, value in guise.tags}, "aws:TagKeys": [name for name, _ in guise.tags],
        "sts:ExternalId": guise.external_id,
    })


def test_nobody_but_vigie_is_trusted() -> None:
    for role in ("read_role", "act_role"):
        assert {each["Principal"]["AWS"] for each in made()[role]["trust"]["Statement"]} == {VIGIE}
    assert made()["vigie"]["permissions"]["Statement"][0]["Resource"] == [
        "arn:aws:iam::111122223333:role/vigie-read", "arn:aws:iam::111122223333:role/vigie-act"]


# --- asked for on the command line --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "said"), [
    ("vigie", "is not the ARN of a role or user"),
    ("arn:aws:iam::111122223333:root", "is not the ARN of a role or user"),
    ("arn:aws:sts::111122223333:assumed-role/vigie-task/i-07", "arn:aws:iam::111122223333:role/vigie-task"),
])
def test_a_principal_that_is_none_is_refused_with_what_would_be_right(given: str, said: str) -> None:
    with pytest.raises(Misbuilt, match=said):
        iam.policies(example(), SHIPPED, given)


@pytest.mark.parametrize(("changed", "said"), [
    ({"read_role": None}, "names no `read_role`"), ({"act_role": None}, "role/vigie-act"),
    ({"external_ids": {}}, "gives Bridge no external id"),
])
def test_what_vigie_yaml_must_say_first_is_told(changed: dict[str, Any], said: str) -> None:
    aws = example().aws
    assert aws is not None
    with pytest.raises(Misbuilt, match=said):
        iam.policies(example().model_copy(update={"aws": aws.model_copy(update=changed)}), SHIPPED, VIGIE)
    with pytest.raises(Misbuilt, match="no section `aws`"):
        iam.policies(example().model_copy(update={"aws": None}), SHIPPED, VIGIE)


def test_the_command_line_prints_json_and_nothing_else(tmp_path: Path) -> None:
    done = vigie("check", "--iam", VIGIE, cwd=tmp_path, given={"VIGIE_CONFIG": str(EXAMPLE)})
    assert done.returncode == 0 and json.loads(done.stdout) == made() and done.stderr == ""
    wrong = vigie("check", "--iam", "me", cwd=tmp_path, given={"VIGIE_CONFIG": str(EXAMPLE)})
    assert wrong.returncode == 1 and wrong.stdout == "" and wrong.stderr.count("\n") == 1
