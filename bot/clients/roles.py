"""AWS roles: each errand gets a session of its own, named after the person, allowed exactly what one step needs."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bot.errors import Rejected, Unavailable

LIVES_S = 900                   # the shortest that STS gives
FRESH_ENOUGH = timedelta(seconds=LIVES_S - 120)
MOST_KEPT = 64
LONGEST_POLICY = 2_048
ONCE = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 1, "mode": "standard"})
FORBIDDEN = ("AccessDenied", "AccessDeniedException")
LOADER = botocore.session.Session().get_component("data_loader")

NO_ROLE = "AWS did not let us act as {role} ({why})."
TOO_LONG = "the step's session policy has {length} characters, and STS takes {most}"


@dataclass(frozen=True, slots=True)
class Guise:
    """As whom, and with which rights, AWS sees us: CloudTrail shows `name` and the tags."""

    role: str | None                        # none: our own credentials
    name: str                               # 2 to 64 of [\\w+=,.@-]
    tags: tuple[tuple[str, str], ...] = ()
    external_id: str | None = None
    policy: str | None = None


def session_name(person: str, run: int) -> str:
    """lea-run57, whatever signs are in the person's name."""
    return f"{re.sub(r'[^A-Za-z0-9_+=,.@-]', '-', person)[:40]}-run{run}"


def session_policy(writes: Sequence[str], on: Sequence[str], reads: Sequence[str]) -> str:
    """Exactly these actions: those that change something on these ARNs only. Raises Unavailable when STS would not take it."""
    statements: list[dict[str, Any]] = []
    if writes and on:
        statements.append({"Effect": "Allow", "Action": sorted(writes), "Resource": sorted(on)})
    if reads:
        statements.append({"Effect": "Allow", "Action": sorted(reads), "Resource": "*"})
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
    if len(policy) > LONGEST_POLICY:
        raise Unavailable(TOO_LONG.format(length=len(policy), most=LONGEST_POLICY))
    return policy


@dataclass(frozen=True, slots=True)
class Kept:
    """A session since when, and its clients by service and region: each keeps its connections."""

    at: datetime
    session: boto3.session.Session
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)


class Sessions:
    """boto3 sessions by guise, kept while their credentials are fresh. Their clients send each call once."""

    def __init__(self, region: str, endpoint_url: str | None = None, credentials: Mapping[str, str] | None = None) -> None:
        self._region, self._endpoint, self._own = region, endpoint_url, dict(credentials or {})
        self._kept: dict[Guise, Kept] = {}

    def client(self, guise: Guise, service: str, region: str | None, now: datetime) -> Any:
        """A client of that service; raises Unavailable when the role cannot be taken, and then nothing was done."""
        kept, where = self._fresh(guise, now), (service, region or self._region)
        if where not in kept.clients:
            kept.clients[where] = kept.session.client(  # type: ignore[call-overload]
                service, region_name=where[1], endpoint_url=self._endpoint, config=ONCE,
            )
        return kept.clients[where]

    def _fresh(self, guise: Guise, now: datetime) -> Kept:
        kept = self._kept.get(guise)
        if kept is None or now - kept.at >= FRESH_ENOUGH:
            kept = Kept(now, self._with(self._credentials(guise)))
            if len(self._kept) >= MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[guise] = kept
        return kept

    def arn(self, guise: Guise) -> str:
        """As whom AWS would know us; raises Rejected with its word when we may not, Unavailable when nobody answers."""
        try:
            return str(self._assume(guise)["AssumedRoleUser"]["Arn"])
        except (BotoCoreError, ClientError) as fault:
            if _why(fault) in FORBIDDEN:
                raise Rejected(_why(fault)) from fault
            raise Unavailable(_why(fault)) from fault

    def _credentials(self, guise: Guise) -> dict[str, str]:
        if guise.role is None:
            return self._own
        try:
            given = self._assume(guise)["Credentials"]
        except (BotoCoreError, ClientError) as fault:
            raise Unavailable(NO_ROLE.format(role=guise.role.rpartition("/")[2], why=_why(fault))) from fault
        return {
            "aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }

    def _assume(self, guise: Guise) -> Any:
        asked: dict[str, Any] = {
            "RoleArn": guise.role, "RoleSessionName": guise.name, "DurationSeconds": LIVES_S,
            "Tags": [{"Key": key, "Value": value} for key, value in guise.tags],
        }
        asked |= {"Policy": guise.policy} if guise.policy else {}
        asked |= {"ExternalId": guise.external_id} if guise.external_id else {}
        return self._with(self._own).client("sts", endpoint_url=self._endpoint, config=ONCE).assume_role(**asked)

    def _with(self, credentials: Mapping[str, str]) -> boto3.session.Session:
        bare = botocore.session.Session()
        bare.register_component("data_loader", LOADER)      # AWS's models are read once, not once a session
        session = boto3.session.Session(
            botocore_session=bare, aws_access_key_id=credentials.get("aws_access_key_id"),
            aws_secret_access_key=credentials.get("aws_secret_access_key"),
            aws_session_token=credentials.get("aws_session_token"), region_name=self._region,
        )
        LOADER.search_paths[:] = dict.fromkeys(LOADER.search_paths)     # each session adds its own to the one list
        return session


def _why(fault: BotoCoreError | ClientError) -> str:
    return str(fault.response["Error"]["Code"]) if isinstance(fault, ClientError) else type(fault).__name__
