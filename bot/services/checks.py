"""`vigie check`: everything that can be wrong before the first alert, each with its remedy; it changes nothing."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from bot.config import Config, Fault, read_config
from bot.errors import Misbuilt, Unavailable
from bot.services import database_checks
from bot.services.findings import Finding, Level, told
from bot.settings import Secrets, Settings, demo_faults, load_settings, slack_faults, typing_mistakes

SETTINGS_FINE = "the environment can be read"
CONFIG_FINE = "{file}: {people} people, {services} services, {endpoints} endpoints, {rules} rules"
FAMILIES_FINE = "{count} sources, {names}"
NO_SUCH_SOURCE = "endpoint \"{endpoint}\" wants the source \"{source}\", which this Vigie does not have"
INSTALL_SOURCE = "Install the Vigie that has it, or take the endpoint out of vigie.yaml."
FAMILY_BROKEN = "Report it, or take out the file that was added to that folder."
SECRETS_FINE = "endpoint \"{endpoint}\" has its secret"
SHORT_SECRET = "the secret {reference} has only {length} signs"
LONGER = "Make one that cannot be guessed: openssl rand -hex 32."
ASK_AWS = "Look whether this machine may call AWS in the region that the ARN names, then check again."
SLACK_FINE = "tokens of the right kinds, {mode}"
BY_SOCKET, BY_HTTP = "Socket Mode", "by HTTP at public_url/slack/events"
NO_PUBLIC_URL = "neither `public_url` nor Socket Mode: Slack and the sources know no address of Vigie"
SET_PUBLIC_URL = "Write `public_url: https://...` into vigie.yaml, or set SLACK_APP_TOKEN."
DEMO_FINE = "nothing of the demo is in use"

SHORTEST_SECRET = 16


@dataclass(frozen=True, slots=True)
class Means:
    """What the checks work with; built in app.py."""

    environ: Mapping[str, str]
    secrets: Secrets
    sources: Callable[[], Mapping[str, object]]         # the family of sources; raises Misbuilt
    database: Callable[[str], sa.Engine]
    free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free
    demo: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, and what could be read on the way to them (for the checks that go online)."""

    findings: tuple[Finding, ...]
    settings: Settings | None
    config: Config | None


def run_checks(means: Means) -> Report:
    """Every check that needs nobody but this machine and the database; one broken thing hides no other."""
    settings, findings = _settings(means.environ)
    path = settings.config if settings else Path(means.environ.get("VIGIE_CONFIG", "").strip() or "vigie.yaml")
    config, read = _config(path)
    findings += read
    if config:
        findings += [*_sources(means, config), *_secrets(means, config)]
    if settings:
        findings += [*_slack(means, settings, config), *_demo(means, settings, config)]
        findings += database_checks.look(settings.database_url, means.database, means.free)
    return Report(tuple(findings), settings, config)


def _settings(environ: Mapping[str, str]) -> tuple[Settings | None, list[Finding]]:
    mistakes = [told("settings-typing", "warning", text) for text in typing_mistakes(environ)]
    try:
        settings = load_settings(environ)
    except Misbuilt as error:
        return None, mistakes + [told("settings", "fault", line) for line in str(error).splitlines()]
    return settings, [*mistakes, Finding("settings", "ok", SETTINGS_FINE)]


def _config(path: Path) -> tuple[Config | None, list[Finding]]:
    reading = read_config(path)
    findings = [_at_line("config", "fault", each) for each in reading.faults]
    findings += [_at_line("config-warning", "warning", each) for each in reading.warnings]
    config = reading.config
    if config:
        counts = {part: len(getattr(config, part)) for part in ("people", "services", "endpoints", "rules")}
        findings.append(Finding("config", "ok", CONFIG_FINE.format(file=path.name, **counts)))
    return config, findings


def _at_line(name: str, level: Level, fault: Fault) -> Finding:
    where = f"{fault.file}:{fault.line}" if fault.line else fault.file
    return Finding(name, level, ": ".join(filter(None, (where, fault.place, fault.what))), fault.right)


def _sources(means: Means, config: Config) -> Iterator[Finding]:
    try:
        known = means.sources()
    except Misbuilt as error:
        yield Finding("sources", "fault", str(error), FAMILY_BROKEN)
        return
    yield Finding("sources", "ok", FAMILIES_FINE.format(count=len(known), names=", ".join(sorted(known))))
    for name, endpoint in config.endpoints.items():
        if endpoint.source not in known:
            what = NO_SUCH_SOURCE.format(endpoint=name, source=endpoint.source)
            yield Finding("endpoint-source", "fault", what, INSTALL_SOURCE)


def _secrets(means: Means, config: Config) -> Iterator[Finding]:
    for name, endpoint in config.endpoints.items():
        findings = [each for reference in endpoint.secrets for each in _secret(means, reference)]
        yield from findings
        if endpoint.secrets and not findings:
            yield Finding("secret", "ok", SECRETS_FINE.format(endpoint=name))


def _secret(means: Means, reference: str) -> Iterator[Finding]:
    try:
        value = means.secrets.get(reference)
    except Misbuilt as error:
        yield told("secret", "fault", str(error))
    except Unavailable as error:
        yield Finding("secret", "fault", str(error), ASK_AWS)
    else:
        if len(value) < SHORTEST_SECRET and not means.demo:
            what = SHORT_SECRET.format(reference=reference, length=len(value))
            yield Finding("secret-short", "warning", what, LONGER)


def _slack(means: Means, settings: Settings, config: Config | None) -> Iterator[Finding]:
    faults = slack_faults(settings)
    yield from (told("slack-token", "fault", fault) for fault in faults)
    if not faults:
        mode = BY_SOCKET if settings.socket_mode else BY_HTTP
        yield Finding("slack-token", "ok", SLACK_FINE.format(mode=mode))
    if config and config.public_url is None and not settings.socket_mode and not means.demo:
        yield Finding("public-url", "warning", NO_PUBLIC_URL, SET_PUBLIC_URL)


def _demo(means: Means, settings: Settings, config: Config | None) -> list[Finding]:
    if means.demo:
        return []
    references = {each for endpoint in (config.endpoints.values() if config else ()) for each in endpoint.secrets}
    known = {reference: value for reference in sorted(references) if (value := _value(means.secrets, reference))}
    faults = [told("demo", "fault", fault) for fault in demo_faults(settings, known)]
    return faults or [Finding("demo", "ok", DEMO_FINE)]


def _value(secrets: Secrets, reference: str) -> str | None:
    try:
        return secrets.get(reference)
    except (Misbuilt, Unavailable):
        return None     # already told by the check of the endpoint's secret
