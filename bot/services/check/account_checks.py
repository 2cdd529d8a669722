"""What `vigie check --online` asks of AWS and Datadog: may we do there what runbooks need, and nobody else in our name?"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.config import Aws, Config, DatadogAccount
from bot.errors import Rejected
from bot.services.check.findings import Finding, asked, failed

AWS_FINE = "AWS knows us as {arn}"
ROLE_FINE = "{role}: Vigie may take it for {name}"
ROLE_CLOSED = "{role}: without an external id nobody gets it"
ROLE_REFUSED = "{role}: AWS does not let Vigie take it for {name} ({code})"
ROLE_OPEN = "{role}: AWS gives it to Vigie without an external id too: nothing but its ARN keeps companies apart"
NO_ROLE = "`{key}` is not in vigie.yaml: steps run with Vigie's own rights, in Vigie's own name, without a policy for each step"
OTHER_ACCOUNT = "{whose} of the account {given}, and vigie.yaml says {wanted}"
THIS_ROLE, WE_ARE = "{role} is", "our own credentials are"
TRUST = "Compare its trust policy (principal, external id, sts:TagSession) with what `vigie check --iam <our own ARN>` prints."
DEMAND_ID = "Demand sts:ExternalId in its trust policy, as `vigie check --iam <our own ARN>` prints it."
MAKE_ROLES = "Make the roles that `vigie check --iam <our own ARN>` prints, and name them under `aws`."
CORRECT_ACCOUNT = "Correct `account`, or the credentials that Vigie runs with."

DATADOG_FINE = "Datadog ({site}) takes both keys of {name}"
API_KEY_NO = "Datadog ({site}) does not take the API key of {name}"
API_KEY = "Copy it from Organization Settings, API Keys, into {reference}; and look at `site`: no site knows another's keys."
APP_KEY_NO = "Datadog ({site}) does not let the application key of {name} read monitors"
APP_KEY = "Copy it from Organization Settings, Application Keys, into {reference}: of that organisation, allowed monitors_read."

ROLES = ("read_role", "act_role")
Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AwsProbes:
    """Whom to ask; each raises Unavailable (silence) or Misbuilt."""

    url: str
    identity: Callable[[], Awaitable[Told]]                         # sts get-caller-identity
    assume: Callable[[str, str, str | None], Awaitable[str]]        # role, organisation, external id: the session's ARN
    # `assume` raises Rejected with AWS's word when we may not


@dataclass(frozen=True, slots=True)
class DatadogProbes:
    """The two keys of one organisation; each raises Unavailable."""

    url: str
    api_key: Callable[[], Awaitable[bool]]
    app_key: Callable[[], Awaitable[bool]]


# --- AWS ---


async def of_aws(config: Config, probes: AwsProbes) -> list[Finding]:
    """Who we are; and whether each role lets us in for each company with its external id, and never without."""
    who = await asked("aws", probes.url, probes.identity())
    if isinstance(who, Finding):
        return [who]        # nothing else can be asked
    findings = [Finding("aws", "ok", AWS_FINE.format(arn=who.get("Arn", "?")))]
    if config.aws is None:
        return findings
    for key in ROLES:
        role = getattr(config.aws, key)
        findings += await _role(config, config.aws, role, probes) if role else _no_role(config.aws, key, who)
    return findings


def _no_role(aws: Aws, key: str, who: Told) -> list[Finding]:
    warning = Finding("aws-role", "warning", NO_ROLE.format(key=key), MAKE_ROLES)
    given = str(who.get("Account", ""))
    return [warning] if given == aws.account else [warning, _other_account(aws, WE_ARE, given)]


async def _role(config: Config, aws: Aws, role: str, probes: AwsProbes) -> list[Finding]:
    findings, name = list[Finding](), role.rpartition("/")[2]
    for organisation, external_id in _guises(config, aws):
        side, got = config.organisations[organisation].name, await _taken(probes, role, organisation, external_id)
        if isinstance(got, Finding):
            return [*findings, got]     # AWS is silent: it will not say more of this role
        findings.append(_judged(aws, name, side, got))
    if not failed(findings):
        without = await _taken(probes, role, next(iter(config.organisations)), None)
        findings.append(without if isinstance(without, Finding) else _judged_without(name, without))
    return findings


def _judged(aws: Aws, name: str, side: str, got: str | Rejected) -> Finding:
    if isinstance(got, Rejected):
        return Finding("aws-role", "fault", ROLE_REFUSED.format(role=name, name=side, code=got.code), TRUST)
    given = got.split(":")[4]
    if given != aws.account:
        return _other_account(aws, THIS_ROLE.format(role=name), given)
    return Finding("aws-role", "ok", ROLE_FINE.format(role=name, name=side))


def _judged_without(name: str, got: str | Rejected) -> Finding:
    if isinstance(got, Rejected):
        return Finding("aws-external-id", "ok", ROLE_CLOSED.format(role=name))
    return Finding("aws-external-id", "warning", ROLE_OPEN.format(role=name), DEMAND_ID)


def _other_account(aws: Aws, whose: str, given: str) -> Finding:
    what = OTHER_ACCOUNT.format(whose=whose, given=given, wanted=aws.account)
    return Finding("aws-account", "fault", what, CORRECT_ACCOUNT)


def _guises(config: Config, aws: Aws) -> Iterator[tuple[str, str | None]]:
    """Each company with the external id that its people's steps are given; as worlds.py gives it."""
    own = next((key for key, each in config.organisations.items() if each.kind == "own"), "")
    for organisation in config.organisations:
        yield organisation, aws.external_ids.get(organisation) or aws.external_ids.get(own)


async def _taken(probes: AwsProbes, role: str, organisation: str, external_id: str | None) -> str | Rejected | Finding:
    try:
        return await asked("aws-role", probes.url, probes.assume(role, organisation, external_id))
    except Rejected as refusal:
        return refusal


# --- Datadog ---


async def of_datadog(config: Config, probes: Mapping[str, DatadogProbes]) -> list[Finding]:
    """Whether each company's account takes its keys, on its own site."""
    return [await _keys(config.organisations[name].name, config.datadog[name], each) for name, each in probes.items()]


async def _keys(name: str, account: DatadogAccount, probes: DatadogProbes) -> Finding:
    for valid, wrong, remedy, reference in (
        (probes.api_key, API_KEY_NO, API_KEY, account.api_key), (probes.app_key, APP_KEY_NO, APP_KEY, account.app_key),
    ):
        answer = await asked("datadog", probes.url, valid())
        if isinstance(answer, Finding):
            return answer
        if not answer:
            return Finding("datadog", "fault", wrong.format(name=name, site=account.site), remedy.format(reference=reference))
    return Finding("datadog", "ok", DATADOG_FINE.format(name=name, site=account.site))
