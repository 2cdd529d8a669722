"""What to make in AWS, as JSON to paste: whom the two roles trust, and the least rights of all that the runbooks use."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.config import Aws, Catalogue, Config
from bot.config.use_rules import spots
from bot.errors import Misbuilt
from bot.services.desk import VIGIE
from bot.services.review import measuring
from runbooks.actions import Action, Place

VERSION = "2012-10-17"
MARK, MARKED = "aws:ResourceTag/managed-by", "vigie"        # the tag of what runbooks may change
SSM = "ssm.amazonaws.com"
TAGS = ("alert", "organisation", "run")                     # of a session, as worlds.py gives them

NEVER = (
    "cloudtrail:Delete*", "cloudtrail:Stop*", "ec2:TerminateInstances", "kms:ScheduleKeyDeletion", "organizations:*",
    "rds:Delete*", "s3:Delete*",
)
# What cannot be asked for the tag, and why not.
NEW, TASK, INTERFACE, DOCUMENT = (
    "it makes something, which has no tag yet", "tasks seldom have the tags of their service",
    "interfaces seldom have the tags of their machine", "AWS's own documents have none: the list in vigie.yaml bounds them",
)
UNMARKED: Mapping[str, str] = {
    "ec2:CreateSnapshots": NEW, "ec2:CreateTags": NEW, "rds:CreateDBSnapshot": NEW, "rds:AddTagsToResource": NEW,
    "ecs:StopTask": TASK, "ec2:ModifyNetworkInterfaceAttribute": INTERFACE,
    "ssm:SendCommand": DOCUMENT, "ssm:StartAutomationExecution": DOCUMENT, "ssm:AddTagsToResource": DOCUMENT,
    "iam:PassRole": f"a role is handed on to {SSM} only",
}

NO_AWS = "vigie.yaml has no section `aws`. Add it, with `account`, `read_role`, `act_role` and `external_ids`."
NO_ROLE = "vigie.yaml names no `{key}`. Name the one that you will make: arn:aws:iam::{account}:role/{name}."
NO_ID = "vigie.yaml gives {name} no external id. Make one under `external_ids`: a role must be able to ask for it."
NOBODY = "\"{given}\" is not the ARN of a role or user. Give that of Vigie's own role, as in arn:aws:iam::{account}:role/vigie."
SESSION = "\"{given}\" is a session of a role. Give the ARN of the role itself, as in arn:aws:iam::{account}:role/{role}."

_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/[\w+=,.@/-]{1,576}")
_SESSION = re.compile(r"arn:aws[a-z-]*:sts::(\d{12}):assumed-role/([\w+=,.@-]+)/.*")

Statement = dict[str, Any]
Policy = dict[str, Any]


def policies(config: Config, catalogue: Catalogue, principal: str) -> dict[str, Policy]:
    """For Vigie that runs as `principal`: its own policy, then each role's trust and permissions; raises Misbuilt."""
    aws = _whole(config, principal)
    read_role, act_role = str(aws.read_role), str(aws.act_role)
    reads, writes = rights(catalogue)
    looks = looking({*reads, *measuring.rights(config)})
    return {
        "vigie": {"permissions": _policy(_allow("Take", ["sts:AssumeRole", "sts:TagSession"], [read_role, act_role]))},
        "read_role": {"arn": read_role, "trust": trust(config, aws, principal), "permissions": looks},
        "act_role": {"arn": act_role, "trust": trust(config, aws, principal), "permissions": acting(aws, reads, writes)},
    }


def rights(catalogue: Catalogue) -> tuple[list[str], list[str]]:
    """The IAM actions with which its runbooks look, and those with which they change something."""
    used = list(_used(catalogue))
    return sorted({each for action in used for each in action.reads}), sorted({each for action in used for each in action.writes})


def _used(catalogue: Catalogue) -> Iterator[Action[Any]]:
    for entry in catalogue.entries.values():
        for spot in spots(entry.runbook):
            if action := catalogue.actions.get(spot.use.uses):
                yield action


def _whole(config: Config, principal: str) -> Aws:
    aws = config.aws
    if aws is None:
        raise Misbuilt(NO_AWS)
    for key, role, name in (("read_role", aws.read_role, "vigie-read"), ("act_role", aws.act_role, "vigie-act")):
        if role is None:
            raise Misbuilt(NO_ROLE.format(key=key, account=aws.account, name=name))
    own = [key for key, each in config.organisations.items() if each.kind == "own"]
    if lacking := [each.name for key, each in config.organisations.items() if key in own and key not in aws.external_ids]:
        raise Misbuilt(NO_ID.format(name=lacking[0]))
    if session := _SESSION.fullmatch(principal):
        raise Misbuilt(SESSION.format(given=principal, account=session[1], role=session[2]))
    if not _PRINCIPAL.fullmatch(principal):
        raise Misbuilt(NOBODY.format(given=principal, account=aws.account))
    return aws


# --- whom a role trusts -------------------------------------------------------------------------------------------------------


def trust(config: Config, aws: Aws, principal: str) -> Policy:
    """Vigie only; with a company's external id only for that company's people; each session with its tags, and no others."""
    companies = dict[str, list[str]]()
    for organisation in (*config.organisations, VIGIE.organisation):
        companies.setdefault(_external_id(config, aws, organisation), []).append(organisation)
    us = {"Principal": {"AWS": principal}}
    take = [
        us | _allow(f"Take{number}", ["sts:AssumeRole"]) | {"Condition": {
            "StringEquals": {"sts:ExternalId": external_id, "aws:RequestTag/organisation": theirs},
            "StringLike": {"aws:RequestTag/run": "*"},
        }}
        for number, (external_id, theirs) in enumerate(companies.items(), 1)
    ]
    tag = us | _allow("Tag", ["sts:TagSession"]) | {"Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": list(TAGS)}}}
    return _policy(*take, tag)


def _external_id(config: Config, aws: Aws, organisation: str) -> str:
    """As worlds.py gives it: that of the platform's owner for what Vigie does by itself, and for who has none."""
    own = next(key for key, each in config.organisations.items() if each.kind == "own")
    return aws.external_ids.get(organisation) or aws.external_ids[own]


# --- what a role may do -------------------------------------------------------------------------------------------------------


def looking(reads: Iterable[str]) -> Policy:
    """It reads, and that is all."""
    return _policy(_allow("Look", reads, ["*"]), *_never(False))


def acting(aws: Aws, reads: Iterable[str], writes: Iterable[str]) -> Policy:
    """The frame of all steps; the session policy of each step narrows it to that step's actions and things."""
    wanted, place = set(writes), Place(aws.account, aws.region, str(aws.act_role).split(":")[1])
    documents = {each for each, why in UNMARKED.items() if why == DOCUMENT} & wanted
    passes = {"iam:PassRole"} & wanted
    hand_on = _allow("HandOn", passes, [place.arn("iam", "role/*", region="")])
    return _policy(
        _allow("Look", reads, ["*"]),
        _allow("Change", wanted - documents - passes, ["*"]),
        _allow("Documents", documents, _documents(aws.documents, place)),
        hand_on | {"Condition": {"StringEquals": {"iam:PassedToService": SSM}}},
        _deny("OnlyMarked", wanted - set(UNMARKED)) | {"Condition": {"StringNotEquals": {MARK: MARKED}}},
        *_never(bool(passes)),
    )


def _documents(names: Iterable[str], place: Place) -> list[str]:
    """Those of vigie.yaml, the machines on which they may run, and the automations that they start."""
    own = [place.arn("ssm", "automation-execution/*"), place.arn("ssm", "managed-instance/*"), place.arn("ec2", "instance/*")]
    for name in names:
        account = "" if name.startswith("AWS") else place.account       # AWS's own belong to nobody
        own += [f"arn:{place.partition}:ssm:{place.region}:{account}:document/{name}",
                place.arn("ssm", f"automation-definition/{name}:*")]
    return own


def _never(passes: bool) -> Iterator[Statement]:
    """What no runbook does, whatever else the role is given. Only PassRole says to whom: all else of IAM stays forbidden."""
    yield _deny("Never", NEVER)
    yield _deny("NeverIam", ["iam:*"]) | ({"Condition": {"StringNotEquals": {"iam:PassedToService": SSM}}} if passes else {})


def _deny(sid: str, actions: Iterable[str]) -> Statement:
    return {"Sid": sid, "Effect": "Deny", "Action": sorted(actions), "Resource": "*"}


def _allow(sid: str, actions: Iterable[str], resources: Iterable[str] = ()) -> Statement:
    allowed = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions)}
    return allowed | ({"Resource": list(resources)} if resources else {})


def _policy(*statements: Statement) -> Policy:
    """A statement about no action is no statement."""
    return {"Version": VERSION, "Statement": [each for each in statements if each["Action"]]}
