"""`vigie check --online`: whether Slack, AWS, Datadog and our own address answer, and as whom they know us."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from bot.config import Config, Person
from bot.errors import Rejected
from bot.services.check import account_checks, quiet_hours
from bot.services.check.account_checks import AwsProbes, DatadogProbes
from bot.services.check.findings import Finding, asked
from bot.services.check.manifest import missing_scopes
from bot.settings import Settings

Told = Mapping[str, Any]

REFUSED = "Slack answered {code} to {method}"
REMEDIES = {
    "invalid_auth": "Copy SLACK_BOT_TOKEN again from the app's OAuth & Permissions (it starts with xoxb-).",
    "not_authed": "Set SLACK_BOT_TOKEN.",
    "not_allowed_token_type": "SLACK_BOT_TOKEN must be the bot token (xoxb-), not a user's or an app-level one.",
    "token_revoked": "Install the app again, then copy the new token.",
    "token_expired": "Switch token rotation off in the app's settings, install it again, copy the new token.",
    "account_inactive": "The app was removed from the workspace: install it again.",
    "missing_scope": "Install the app again with the manifest that `vigie manifest` prints.",
    "channel_not_found": "Correct the id in vigie.yaml; if the channel is private, /invite the bot first.",
    "user_not_found": "Correct the id in vigie.yaml (profile, three dots, Copy member ID), or take the person out.",
}
OTHER_REMEDY = "Slack's documentation of {method} explains {code}."

AUTH_FINE = "Slack knows us as {user} in {team}"
OTHER_WORKSPACE = "the token is of the workspace {given}, and vigie.yaml says {wanted}"
ONE_WORKSPACE = "Install the app in {wanted}, or correct `workspace` in vigie.yaml."
SCOPES_FINE = "the app has every scope that Vigie uses"
SCOPE_MISSING = "the app lacks the scope {scope}, so Vigie cannot {why}"
INSTALL_AGAIN = "Paste what `vigie manifest` prints into the app's manifest, then install the app again."
CHANNEL_FINE = "#{name} ({alias}): Vigie is a member"
NOT_A_MEMBER = "Vigie is not a member of #{name} ({alias}), so nothing can be posted there"
INVITE = "In that channel: /invite @Vigie."
ARCHIVED = "#{name} ({alias}) is archived"
OTHER_CHANNEL = "Name another channel in vigie.yaml, or bring this one back."
PERSON_FINE = "Slack knows all {count} people of vigie.yaml"
PERSON_GONE = "{name} ({slack}) is no longer active in Slack"
TAKE_OUT = "Take the person out of vigie.yaml."
OTHER_TEAM = "{name} ({slack}) is of the workspace {given}, not {wanted}: their clicks will be refused"
CORRECT_TEAM = "Write `team: {given}` for that person."
OURSELVES_FINE = "Vigie answers at {url}"
OURSELVES_NO = "Vigie called its own address {url} and it answered {status}"
OURSELVES_REMEDY = "Slack and the sources meet the same. Does `vigie serve` run? Then look at the balancer."

OK = 200
HEALTH_PATH = "/health/live"


Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Probes:
    """Whom to ask; each raises Unavailable (silence), Rejected (Slack's word) or Misbuilt. None: not asked."""

    slack_auth: Callable[[], Awaitable[Told]] | None = None             # auth.test, with the granted `scopes`
    slack_channel: Callable[[str], Awaitable[Told]] | None = None       # conversations.info's channel
    slack_person: Callable[[str], Awaitable[Told]] | None = None        # users.info's user
    slack_quiet: Callable[[str], Awaitable[Told]] | None = None         # dnd.info
    now: datetime | None = None                                         # for whom the hours of day matter
    aws: AwsProbes | None = None
    datadog: Mapping[str, DatadogProbes] = field(default_factory=dict)  # by organisation
    status_of: Callable[[str], Awaitable[int]] | None = None            # GET: the HTTP status


async def run_online_checks(settings: Settings, config: Config, probes: Probes) -> list[Finding]:
    """Asks everybody once; one who is silent hides no other."""
    findings = []
    if probes.slack_auth:
        findings += await _slack(settings.slack_api_url, config, probes)
    if probes.aws:
        findings += await account_checks.of_aws(config, probes.aws)
    findings += await account_checks.of_datadog(config, probes.datadog)
    if probes.status_of and config.public_url:
        findings.append(await _ourselves(config.public_url.rstrip("/") + HEALTH_PATH, probes.status_of))
    return findings


# --- Slack ---


async def _ask(id: str, url: str, answer: Awaitable[Answer]) -> Answer | Finding:
    """As `asked`, and what to do about Slack's own word."""
    try:
        return await asked(id, url, answer)
    except Rejected as error:
        method = url.rpartition("/")[2]
        remedy = REMEDIES.get(error.code, OTHER_REMEDY.format(method=method, code=error.code))
        return Finding(id, "fault", REFUSED.format(code=error.code, method=method), remedy)


async def _slack(api: str, config: Config, probes: Probes) -> list[Finding]:
    assert probes.slack_auth
    answer = await _ask("slack-auth", api + "auth.test", probes.slack_auth())
    if isinstance(answer, Finding):
        return [answer]     # nothing else can be asked
    findings = [_workspace(answer, config), *_scopes(answer, config)]
    if probes.slack_channel:
        for alias, channel in config.channels.items():
            info = await _ask("slack-channel", api + "conversations.info", probes.slack_channel(channel))
            findings.append(_about(alias, channel, info) if isinstance(info, Finding) else _channel(alias, info))
    if probes.slack_person:
        findings += await _people(api, config, probes.slack_person)
    if probes.slack_quiet and probes.now:
        findings += await quiet_hours.of_blackouts(config, probes.slack_quiet, api, probes.now)
    return findings


def _workspace(answer: Told, config: Config) -> Finding:
    given, wanted = answer.get("team_id"), config.workspace
    if given != wanted:
        what = OTHER_WORKSPACE.format(given=given, wanted=wanted)
        return Finding("slack-workspace", "fault", what, ONE_WORKSPACE.format(wanted=wanted))
    user, team = answer.get("user", "our app"), answer.get("team", given)
    return Finding("slack-auth", "ok", AUTH_FINE.format(user=user, team=team))


def _scopes(answer: Told, config: Config) -> list[Finding]:
    missing = missing_scopes(config, answer.get("scopes", ()))
    faults = [
        Finding("slack-scopes", "fault", SCOPE_MISSING.format(scope=scope, why=why), INSTALL_AGAIN)
        for scope, why in missing.items()
    ]
    return faults or [Finding("slack-scopes", "ok", SCOPES_FINE)]


def _channel(alias: str, info: Told) -> Finding:
    name = info.get("name", alias)
    if info.get("is_archived"):
        return Finding("slack-channel", "fault", ARCHIVED.format(name=name, alias=alias), OTHER_CHANNEL)
    if not info.get("is_member"):
        return Finding("slack-channel", "fault", NOT_A_MEMBER.format(name=name, alias=alias), INVITE)
    return Finding("slack-channel", "ok", CHANNEL_FINE.format(name=name, alias=alias))


def _about(name: str, slack: str, finding: Finding) -> Finding:
    """The same finding, with whom or what of vigie.yaml it is about."""
    return replace(finding, what=f"{name} ({slack}): {finding.what}")


async def _people(api: str, config: Config, ask: Callable[[str], Awaitable[Told]]) -> list[Finding]:
    findings = []
    for person in config.people.values():
        user = await _ask("slack-person", api + "users.info", ask(person.slack))
        if isinstance(user, Finding):
            findings.append(_about(person.name, person.slack, user))
        else:
            findings += _person(person, person.team or config.workspace, user)
    return findings or [Finding("slack-person", "ok", PERSON_FINE.format(count=len(config.people)))]


def _person(person: Person, wanted: str, user: Told) -> Iterator[Finding]:
    given = user.get("team_id", wanted)
    if user.get("deleted"):
        yield Finding("slack-person", "fault", PERSON_GONE.format(name=person.name, slack=person.slack), TAKE_OUT)
    elif given != wanted:
        what = OTHER_TEAM.format(name=person.name, slack=person.slack, given=given, wanted=wanted)
        yield Finding("slack-person", "fault", what, CORRECT_TEAM.format(given=given))


# --- ourselves ---


async def _ourselves(url: str, ask: Callable[[str], Awaitable[int]]) -> Finding:
    status = await asked("public-url", url, ask(url))
    if isinstance(status, Finding):
        return status
    if status != OK:
        return Finding("public-url", "fault", OURSELVES_NO.format(url=url, status=status), OURSELVES_REMEDY)
    return Finding("public-url", "ok", OURSELVES_FINE.format(url=url))
