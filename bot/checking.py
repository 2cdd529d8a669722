"""`vigie check`: runs every check, says each finding with its remedy, and what to set at the other end of each endpoint."""

import asyncio
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import aiohttp

from bot import sources
from bot.clients.aws import caller_identity
from bot.clients.datadog import key_is_valid
from bot.clients.slack import SlackClient, web_client
from bot.config import secrets_of
from bot.discover import discover
from bot.errors import Unavailable
from bot.ports import SystemClock
from bot.services.advice import advice
from bot.services.checks import Means, Report, run_checks
from bot.services.findings import Finding, failed, for_machines
from bot.services.online_checks import Probes, run_online_checks
from bot.settings import Secrets, Settings
from bot.sources.datadog import WEBHOOK_TEMPLATE
from bot.store.db import create_engine
from runbooks import actions

DEFAULT_SITE = "datadoghq.eu"
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
        findings += asyncio.run(_ask_everybody(environ, report.settings, report, demo))
    if as_json:
        say(json.dumps(for_machines(findings), ensure_ascii=False, indent=2))
    else:
        _tell(findings, report, say)
    return not failed(findings)


def _tell(findings: list[Finding], report: Report, say: Say) -> None:
    for finding in findings:
        say(str(finding))
    if report.config:
        for each in advice(report.config, WEBHOOK_TEMPLATE):
            say(ADVICE_HEAD.format(endpoint=each.endpoint, text=each.text))
    faults = sum(finding.level == "fault" for finding in findings)
    warnings = sum(finding.level == "warning" for finding in findings)
    say("\n" + (SOME_FAULTS.format(count=faults) if faults else SOME_WARNINGS.format(count=warnings) if warnings else ALL_WELL))


async def _ask_everybody(environ: Mapping[str, str], settings: Settings, report: Report, demo: bool) -> list[Finding]:
    assert report.config is not None
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session:
        token = settings.slack_bot_token
        slack = SlackClient(web_client(token.get_secret_value() if token else "", settings.slack_api_url, session))
        key, site = environ.get("DD_API_KEY", "").strip(), environ.get("DD_SITE", "").strip() or DEFAULT_SITE
        probes = Probes(
            slack_auth=slack.auth_test,
            slack_channel=slack.channel_info,
            slack_person=slack.user_info,
            aws_identity=None if demo else _uses_aws(report),
            datadog_valid=partial(key_is_valid, key, site) if key else None,
            datadog_url=f"https://api.{site}/api/v1/validate",
            status_of=partial(_status_of, session),
        )
        return await run_online_checks(settings, report.config, probes)


def _uses_aws(report: Report) -> Any:
    """AWS is asked only when something of vigie.yaml needs it."""
    config = report.config
    if config is None:
        return None
    kept = any(reference.startswith("arn:") for _, references in secrets_of(config) for reference in references)
    read = any(each.queue_url or each.topics for each in config.endpoints.values())
    return caller_identity if kept or read or config.aws else None


async def _status_of(session: aiohttp.ClientSession, url: str) -> int:
    try:
        async with session.get(url, allow_redirects=False) as answer:
            return answer.status
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable(type(error).__name__) from error
