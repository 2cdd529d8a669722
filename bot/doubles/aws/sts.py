"""STS: who assumes a role under which name, and that a session may do what its policy says, so long as it lasts."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from bot.doubles.aws import policy
from bot.doubles.aws.arns import needed
from bot.doubles.aws.script import Ground, Onward, Script, answers
from bot.doubles.aws.wire import Call, Json, Refusal

SHORTEST_S, LONGEST_S, LONGEST_CHAINED_S = 900, 43_200, 3_600
MOST_POLICY = 2_048
MOST_TAGS = 50
ANYONE = ("sts:*",)             # what a long-lived key may always do

NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
TAG = re.compile(r"[\w \t+\-=.:/@]*")
BAD_NAME = ("1 validation error detected: Value '{value}' at '{where}' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [\\w+=,.@-]*")
BAD_DURATION = "1 validation error detected: Value '{value}' at 'durationSeconds' failed to satisfy constraint: {limit}"
TOO_LONG_A_CHAIN = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
DENIED = "User: {who} is not authorized to perform: {action} on resource: {resource} because {why}"
NO_POLICY = "no session policy allows the {action} action"


@dataclass(frozen=True, slots=True)
class Session:
    """Who holds temporary credentials, what for and until when."""

    name: str
    arn: str
    token: str
    expires: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    policy: Sequence[Json] | None = None


class Sts(Script):
    """`roles` are those that exist, with the external ids that each takes (none: it asks for none); empty: every role exists.

    `alone` is what a long-lived key may do without a role; nothing given: all.
    """

    service = "sts"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self.roles: dict[str, Sequence[str]] = {}
        self.alone: tuple[str, ...] | None = None
        self.sessions: dict[str, Session] = {}
        self._numbers = count(1)

    def session(self, call: Call) -> Session | None:
        return self.sessions.get(call.key)

    def check(self, call: Call) -> None:
        """Raises Refusal when the caller may not do this."""
        session = self.session(call)
        if session is None:
            self._check_key(call)
            return
        if call.request.headers.get("x-amz-security-token") != session.token:
            raise Refusal("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
        if self.ground.now() >= session.expires:
            raise Refusal("ExpiredToken", "The security token included in the request is expired", 403)
        if session.policy is not None and call.operation != "GetCallerIdentity":
            self._check_policy(call, session, session.policy)

    def _check_key(self, call: Call) -> None:
        if call.key.startswith("ASIA"):
            raise Refusal("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
        everything = [{"Effect": "Allow", "Action": [*ANYONE, *(self.alone or ())]}]
        if self.alone is not None and not policy.allows(everything, call.action, None, {}):
            who = f"arn:aws:iam::{self.ground.account}:user/{call.key}"
            raise denied(call, who, call.action, "*", f"no identity-based policy allows the {call.action} action")

    def _check_policy(self, call: Call, session: Session, statements: Sequence[Json]) -> None:
        facts = {"aws:RequestedRegion": call.region} | {f"aws:PrincipalTag/{name}": value for name, value in session.tags.items()}
        for action, on in needed(self.ground, call):
            if not policy.allows(statements, action, on, facts):
                raise denied(call, session.arn, action, (on or ["*"])[0], NO_POLICY.format(action=action))

    @answers("AssumeRole")
    def assume(self, call: Call, onward: Onward) -> Json:
        asked, caller = call.params, self.session(call)
        _check_name(asked["RoleSessionName"], "roleSessionName")
        _check_name(asked.get("SourceIdentity", "none"), "sourceIdentity")
        seconds = asked.get("DurationSeconds", 3600)
        _check_duration(seconds, chained=caller is not None)
        self._check_role(call, asked["RoleArn"], asked.get("ExternalId"))
        tags = _tags(asked.get("Tags", []))
        statements = policy.read(asked["Policy"]) if "Policy" in asked else None
        packed = _packed(asked.get("Policy", ""), tags)
        key, session = self._open(asked, seconds, tags, statements)
        role = f"AROA{_code(asked['RoleArn'])}:{session.name}"
        secret = {"AccessKeyId": key, "SecretAccessKey": "demo", "SessionToken": session.token, "Expiration": session.expires}
        user = {"AssumedRoleId": role, "Arn": session.arn}
        return {"Credentials": secret, "AssumedRoleUser": user, "PackedPolicySize": packed} | (
            {"SourceIdentity": session.source} if session.source else {})

    def _open(self, asked: Json, seconds: int, tags: dict[str, str], statements: list[Json] | None) -> tuple[str, Session]:
        number = next(self._numbers)
        role, name = asked["RoleArn"].rsplit("/", 1)[-1], asked["RoleSessionName"]
        arn = f"arn:aws:sts::{self.ground.account}:assumed-role/{role}/{name}"
        expires = self.ground.now().replace(microsecond=0) + timedelta(seconds=seconds)
        session = Session(name, arn, f"token-{number}", expires, tags, asked.get("SourceIdentity", ""), statements)
        key = f"ASIA{_code(f'{arn}{number}')}"
        self.sessions[key] = session
        return key, session

    def _check_role(self, call: Call, role: str, external_id: str | None) -> None:
        taken = self.roles.get(role)
        if not self.roles or (taken is not None and (not taken or external_id in taken)):
            return
        who = f"arn:aws:iam::{self.ground.account}:user/{call.key}"
        raise denied(call, who, "sts:AssumeRole", role, "no identity-based policy allows the sts:AssumeRole action")

    @answers("GetCallerIdentity")
    def identity(self, call: Call, onward: Onward) -> Json:
        session = self.session(call)
        if session is None:
            return {"UserId": "AIDAVIGIEDEMO", "Account": self.ground.account,
                    "Arn": f"arn:aws:iam::{self.ground.account}:user/{call.key}"}
        return {"UserId": f"AROA{_code(session.arn)}:{session.name}", "Account": self.ground.account, "Arn": session.arn}


def denied(call: Call, who: str, action: str, resource: str, why: str) -> Refusal:
    """In each service's own words."""
    said = DENIED.format(who=who, action=action, resource=resource, why=why)
    if call.protocol == "ec2":
        return Refusal("UnauthorizedOperation", f"You are not authorized to perform this operation. {said}", 403)
    return Refusal("AccessDeniedException", said) if call.protocol == "json" else Refusal("AccessDenied", said, 403)


def _check_name(value: str, where: str) -> None:
    if not NAME.fullmatch(value):
        raise Refusal("ValidationError", BAD_NAME.format(value=value, where=where))


def _check_duration(seconds: int, chained: bool) -> None:
    if seconds < SHORTEST_S:
        limit = f"Member must have value greater than or equal to {SHORTEST_S}"
    elif seconds > LONGEST_S:
        limit = f"Member must have value less than or equal to {LONGEST_S}"
    elif chained and seconds > LONGEST_CHAINED_S:
        raise Refusal("ValidationError", TOO_LONG_A_CHAIN)
    else:
        return
    raise Refusal("ValidationError", BAD_DURATION.format(value=seconds, limit=limit))


def _tags(given: Sequence[Json]) -> dict[str, str]:
    tags = {each["Key"]: each["Value"] for each in given}
    if len({name.lower() for name in tags}) != len(given):
        raise Refusal("InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if len(tags) > MOST_TAGS or not all(TAG.fullmatch(each) for pair in tags.items() for each in pair):
        raise Refusal("ValidationError", "1 validation error detected: Value at 'tags' failed to satisfy constraint")
    if any(not name or len(name) > 128 or len(value) > 256 for name, value in tags.items()):
        raise Refusal("ValidationError", "1 validation error detected: Value at 'tags' failed to satisfy constraint")
    return tags


def _packed(text: str, tags: Mapping[str, str]) -> int:
    """AWS packs policy and tags together, in a way it does not tell; we count characters, in percent."""
    if len(text) > MOST_POLICY:
        limit = f"Member must have length less than or equal to {MOST_POLICY}"
        raise Refusal("ValidationError", f"1 validation error detected: Value at 'policy' failed to satisfy constraint: {limit}")
    said = len(json.dumps(json.loads(text), separators=(",", ":"))) if text else 0
    percent = 100 * (said + sum(len(name) + len(value) for name, value in tags.items())) // MOST_POLICY
    if percent > 100:
        raise Refusal("PackedPolicyTooLarge", f"Packed size of session policy and tags is {percent}% of the allowed size.")
    return percent


def _code(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16].upper()
