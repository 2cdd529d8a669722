"""`vigie check`: runs every check, says each finding with its remedy, and what to set at the other end of each endpoint."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import aiohttp

from bot import sources
from bot.clients.aws import caller_identity
from bot.clients.datadog import Keys
from bot.clients.roles import Guise, Sessions
from bot.clients.slack import SlackClient, web_client
from bot.config import Config, load_catalogue, load_config, secrets_of
from bot.discover import discover
from bot.errors import Misbuilt, Unavailable
from bot.ports import SystemClock
from bot.services.check.account_checks import AwsProbes, DatadogProbes
from bot.services.check.advice import advice
from bot.services.check.checks import Means, Report, run_checks
from bot.services.check.findings import Finding, failed, for_machines
from bot.services.check.iam import policies
from bot.services.check.online_checks import Probes, run_online_checks
from bot.settings import Secrets, Settings, load_settings
from bot.sources.datadog import WEBHOOK_TEMPLATE
from bot.store.db import create_engine
from runbooks import actions

DEFAULT_REGION = "us-east-1"    # where STS answers everybody
STS, DATADOG = "https://sts.{region}.amazonaws.com/", "https://api.{site}/"
SESSION = "vigie-check"         # as CloudTrail shows it
ADVICE_HEAD = "\n{endpoint}\n{text}"
ALL_WELL, SOME_WARNINGS = "Nothing is wrong.", "No faults; warnings: {count}."
SOME_FAULTS = "Faults: {count}. Vigie would not work as it stands."

Say = Callable[[str], None]


def run_check(environ: Mapping[str, str], secrets: Secrets, *, online: bool, as_json: bool, say: Say, demo: bool) -> bool:
    """Says everything at once; true when nothing is wrong."""
    means = Means(
        environ,
        secrets,
        sources=partial(discover, sources, sources.Source),
        actions=partial(discover, actions, actions.Service),
        database=create_engine,
        today=SystemClock().now().date(),
        demo=demo,
    )
    report = run_checks(means)
    findings = list(report.findings)
    if online and report.settings and report.config:
        findings += asyncio.run(_ask_everybody(secrets, report.settings, report.config, demo))
    if as_json:
        say(json.dumps(for_machines(findings), ensure_ascii=False, indent=2))
    else:
        _tell(findings, report, say)
    return not failed(findings)


def print_policies(environ: Mapping[str, str], principal: str, say: Say) -> None:
    """What to make in AWS for a Vigie that runs as `principal`; raises Misbuilt when something must be written first."""
    settings = load_settings(environ)
    config = load_config(settings.config)
    catalogue = load_catalogue(settings.runbooks, config, discover(actions, actions.Service))
    say(json.dumps(policies(config, catalogue, principal), indent=2, ensure_ascii=False))


def _tell(findings: list[Finding], report: Report, say: Say) -> None:
    for finding in findings:
        say(str(finding))
    if report.config:
        for each in advice(report.config, WEBHOOK_TEMPLATE):
            say(ADVICE_HEAD.format(endpoint=each.endpoint, text=each.text))
    faults = sum(finding.level == "fault" for finding in findings)
    warnings = sum(finding.level == "warning" for finding in findings)
    say("\n" + (SOME_FAULTS.format(count=faults) if faults else SOME_WARNINGS.format(count=warnings) if warnings else ALL_WELL))


async def _ask_everybody(secrets: Secrets, settings: Settings, config: Config, demo: bool) -> list[Finding]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session:
        token = settings.slack_bot_token
        slack = SlackClient(web_client(token.get_secret_value() if token else "", settings.slack_api_url, session))
        probes = Probes(
            slack_auth=slack.auth_test,
            slack_channel=slack.channel_info,
            slack_person=slack.user_info,
            slack_quiet=slack.do_not_disturb,
            now=SystemClock().now(),
            aws=None if demo else aws_probes(config),
            datadog={} if demo else dict(datadog_probes(config, secrets)),
            status_of=partial(_status_of, session),
        )
        return await run_online_checks(settings, config, probes)


def aws_probes(config: Config) -> AwsProbes | None:
    """AWS is asked only when something of vigie.yaml needs it. A role is taken as a step takes it, but to do nothing."""
    kept = any(reference.startswith("arn:") for _, references in secrets_of(config) for reference in references)
    read = any(each.queue_url or each.topics for each in config.endpoints.values())
    if not (kept or read or config.aws):
        return None
    region = config.aws.region if config.aws else DEFAULT_REGION
    return AwsProbes(STS.format(region=region), partial(caller_identity, region), partial(_assume, region))


async def _assume(region: str, role: str, organisation: str, external_id: str | None) -> str:
    guise = Guise(role, SESSION, (("organisation", organisation), ("run", "check")), external_id)
    return await asyncio.to_thread(Sessions(region).arn, guise)


def datadog_probes(config: Config, secrets: Secrets, url: str | None = None) -> Iterator[tuple[str, DatadogProbes]]:
    """Each company's account whose keys can be read; those that cannot were told before. `url` is for a double of Datadog."""
    for name, account in config.datadog.items():
        try:
            keys = Keys(secrets.get(account.api_key), secrets.get(account.app_key), account.site, url)
        except (Misbuilt, Unavailable):
            continue
        yield name, DatadogProbes(url or DATADOG.format(site=account.site), keys.api_key_is_valid, keys.app_key_is_valid)


async def _status_of(session: aiohttp.ClientSession, url: str) -> int:
    try:
        async with session.get(url, allow_redirects=False) as answer:
            return answer.status
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable(type(error).__name__) from error
