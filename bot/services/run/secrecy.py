"""Which secrets a run may read: those that somebody named for a parameter that is secret, and none of Vigie's own."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.config import Config
from bot.errors import Refused
from runbooks.model import Runbook

PLAIN = "{name} must not begin with `{prefix}`: only a parameter that is secret names one."
NAMED = (
    "{name} must name what holds the secret, a variable VIGIE_SECRET_... or an ARN, and never hold it; "
    "those that Vigie itself needs are given to no runbook."
)

PREFIX, NAMES = "secret:", ("VIGIE_SECRET_", "arn:")


def check(config: Config, runbook: Runbook, parameters: Mapping[str, Any]) -> None:
    """Raises Refused when a value would make a runbook read a secret that was not meant for it; repeats no value."""
    own = set(_own(config))
    for name, value in parameters.items():
        reference = str(value).removeprefix(PREFIX)
        if runbook.parameters[name].secret:
            if not reference.startswith(NAMES) or _whole(reference) in own:
                raise Refused(NAMED.format(name=name))
        elif str(value).startswith(PREFIX):
            raise Refused(PLAIN.format(name=name, prefix=PREFIX))


def _own(config: Config) -> Iterator[str]:
    """What lets senders in, and us into Datadog."""
    yield from (_whole(each) for endpoint in config.endpoints.values() for each in endpoint.secrets)
    yield from (_whole(each) for account in config.datadog.values() for each in (account.api_key, account.app_key))


def _whole(reference: str) -> str:
    """A secret, whichever of its keys is named: arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME."""
    return ":".join(reference.split(":")[:7])
