"""`vigie check`: everything that can be wrong before the first alert, each with its remedy; it changes nothing."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from bot.config import Config, Fault, Reading, read_catalogue, read_config, secrets_of, unmatched, unmatched_pools
from bot.errors import Misbuilt, Unavailable
from bot.services.check import contact_checks, database_checks
from bot.services.check.findings import Finding, Level, told
from bot.settings import Secrets, Settings, demo_faults, load_settings, slack_faults, typing_mistakes
from runbooks.actions import Service

SETTINGS_FINE = "the environment can be read"
CONFIG_FINE = "{file}: {people} people, {services} services, {endpoints} endpoints, {rules} rules"
FAMILIES_FINE = "{count} sources, {names}"
NO_SUCH_SOURCE = "endpoint \"{endpoint}\" wants the source \"{source}\", which this Vigie does not have"
INSTALL_SOURCE = "Install the Vigie that has it, or take the endpoint out of vigie.yaml."
FAMILY_BROKEN = "Report it, or take out the file that was added to that folder."
RUNBOOKS_FINE = "{count} runbooks, {automatic} of which may run by themselves one day"
ACTIONS_FINE = "{count} actions of {services} services"
SECRETS_FINE = "\"{name}\" has its secret"
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
    actions: Callable[[], Mapping[str, Service]]        # the family of actions; raises Misbuilt
    database: Callable[[str], sa.Engine]
    today: date
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
    reading, read = _config(path)
    config = reading.config
    findings += read
    if config:
        findings += [*_sources(means, config), *_secrets(means, config), *contact_checks.look(config, means.secrets)]
    findings += _runbooks(means, settings, reading)
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


def _config(path: Path) -> tuple[Reading, list[Finding]]:
    reading = read_config(path)
    findings = [_at_line("config", "fault", each) for each in reading.faults]
    findings += [_at_line("config-warning", "warning", each) for each in reading.warnings]
    config = reading.config
    if config:
        counts = {part: len(getattr(config, part)) for part in ("people", "services", "endpoints", "rules")}
        findings.append(Finding("config", "ok", CONFIG_FINE.format(file=path.name, **counts)))
    return reading, findings


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


def _runbooks(means: Means, settings: Settings | None, reading: Reading) -> Iterator[Finding]:
    """The catalogue, as far as it can be judged: with what vigie.yaml says where that can be read."""
    try:
        services = means.actions()
    except Misbuilt as error:
        yield Finding("actions", "fault", str(error), FAMILY_BROKEN)
        return
    count = sum(len(each.actions) for each in services.values())
    yield Finding("actions", "ok", ACTIONS_FINE.format(count=count, services=len(services)))
    shelf = read_catalogue(_folder(means, settings), reading.config, services, means.today)
    yield from (_at_line("runbook", "fault", each) for each in shelf.faults)
    yield from (_at_line("runbook-warning", "warning", each) for each in shelf.warnings)
    if shelf.catalogue is None:
        return
    runbooks = [each.runbook for each in shelf.catalogue.entries.values()]
    automatic = sum(each.automation == "automatic" for each in runbooks)
    yield Finding("runbook", "ok", RUNBOOKS_FINE.format(count=len(runbooks), automatic=automatic))
    if reading.config and reading.document:
        about = (reading.config, shelf.catalogue)
        _, warnings = reading.document.told([*unmatched(*about), *unmatched_pools(*about)])
        yield from (_at_line("config-warning", "warning", each) for each in warnings)


def _folder(means: Means, settings: Settings | None) -> Path | None:
    """The customer's folder, also where the rest of the settings cannot be read."""
    given = means.environ.get("VIGIE_RUNBOOKS", "").strip()
    return settings.runbooks if settings else Path(given) if Path(given).is_dir() and given else None


def _secrets(means: Means, config: Config) -> Iterator[Finding]:
    for name, references in secrets_of(config):
        findings = [each for reference in references for each in _secret(means, reference)]
        yield from findings
        if references and not findings:
            yield Finding("secret", "ok", SECRETS_FINE.format(name=name))


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
    references = {each for _, kept in (secrets_of(config) if config else ()) for each in kept}
    known = {reference: value for reference in sorted(references) if (value := _value(means.secrets, reference))}
    faults = [told("demo", "fault", fault) for fault in demo_faults(settings, known)]
    return faults or [Finding("demo", "ok", DEMO_FINE)]


def _value(secrets: Secrets, reference: str) -> str | None:
    try:
        return secrets.get(reference)
    except (Misbuilt, Unavailable):
        return None     # already told by the check of the endpoint's secret
