"""Secrets in AWS Secrets Manager and SSM Parameter Store, by ARN; asked seldom, and kept while AWS is silent."""

import json
from datetime import datetime, timedelta

import boto3
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from bot.errors import Misbuilt, Unavailable
from bot.ports import Clock

NOT_AN_ARN = "{arn} keeps no secret. Only Secrets Manager (arn:aws:secretsmanager:...) and Parameter Store (arn:aws:ssm:...) do."
NOT_FOUND = "AWS knows no secret {arn}. Check region, account and name; a new one may need a minute."
DENIED = "AWS does not let us read {arn} ({code}). Allow our role {action} on it (and kms:Decrypt on its key)."
NO_CREDENTIALS = "Vigie has no AWS credentials, so it cannot read {arn}. Give its task or instance a role."
NO_KEY = "The secret {arn} has no key \"{key}\". Name one of its JSON keys, or leave the key away."
SILENT = "AWS did not give {arn}: {reason}"

ABSENT = ("ResourceNotFoundException", "ParameterNotFound", "InvalidRequestException")
FORBIDDEN = ("AccessDeniedException", "AccessDenied", "UnrecognizedClientException", "DecryptionFailure")
PATIENCE = ClientConfig(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
ACTIONS = {"secretsmanager": "secretsmanager:GetSecretValue", "ssm": "ssm:GetParameter"}


class AwsSecrets:
    """Reads are safe to repeat. A value is asked again after `keep`, so a changed secret needs no restart."""

    def __init__(self, clock: Clock, keep: timedelta = timedelta(minutes=5)) -> None:
        self._clock, self._keep = clock, keep
        self._kept: dict[str, tuple[str, datetime]] = {}

    def get(self, reference: str) -> str:
        """The secret behind an ARN; raises Misbuilt (wrong ARN, no right) or Unavailable (AWS is silent)."""
        now = self._clock.now()
        kept = self._kept.get(reference)
        if kept and now - kept[1] < self._keep:
            return kept[0]
        try:
            value = _ask(reference)
        except Unavailable:
            if kept is None:
                raise
            return kept[0]      # the secret of five minutes ago is better than no alert
        self._kept[reference] = (value, now)
        return value


def _ask(arn: str) -> str:
    service = _service(arn)
    try:
        return _secret(arn) if service == "secretsmanager" else _parameter(arn)
    except ClientError as error:
        raise _named(error, arn, service) from error
    except NoCredentialsError as error:
        raise Misbuilt(NO_CREDENTIALS.format(arn=arn)) from error
    except BotoCoreError as error:
        raise Unavailable(SILENT.format(arn=arn, reason=error)) from error


def _service(arn: str) -> str:
    parts = arn.split(":")
    if len(parts) < 6 or parts[2] not in ACTIONS:
        raise Misbuilt(NOT_AN_ARN.format(arn=arn))
    return parts[2]


def _secret(arn: str) -> str:
    """The secret, or one key of it where the ARN goes on as ECS writes it: ...:secret:vigie-AbCdEf:datadog::"""
    parts = arn.split(":")
    client = boto3.Session().client("secretsmanager", region_name=parts[3], config=PATIENCE)
    text: str = client.get_secret_value(SecretId=":".join(parts[:7]))["SecretString"]
    key = parts[7] if len(parts) > 7 else ""
    if not key:
        return text.strip()
    try:
        return str(json.loads(text)[key]).strip()
    except (ValueError, KeyError, TypeError):
        raise Misbuilt(NO_KEY.format(arn=arn, key=key)) from None


def _parameter(arn: str) -> str:
    client = boto3.Session().client("ssm", region_name=arn.split(":")[3], config=PATIENCE)
    text: str = client.get_parameter(Name=arn, WithDecryption=True)["Parameter"]["Value"]
    return text.strip()


def _named(error: ClientError, arn: str, service: str) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in ABSENT:
        return Misbuilt(NOT_FOUND.format(arn=arn))
    if code in FORBIDDEN:
        return Misbuilt(DENIED.format(arn=arn, code=code, action=ACTIONS[service]))
    return Unavailable(SILENT.format(arn=arn, reason=code or error))
