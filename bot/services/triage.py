"""What an alert deserves, and why; pure."""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass

from bot.config import Config, Rule

IMPORTANT_BY_DEFAULT = frozenset({"critical"})

BY_RULE = "rule \"{rule}\" (vigie.yaml, line {line})"
NO_RULE = "no rule of vigie.yaml matches it"
IMPORTANT = "important: {why}"
NOT_IMPORTANT = "not important: {why}"
SEVERITY_SAYS = "severity {severity}"
UNRECOGNISED = "not recognised: no runbook claims it, so a person decides"


@dataclass(frozen=True, slots=True)
class Case:
    """What triage looks at."""

    source: str
    service: str
    severity: str
    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the alert deserves: severity after the rules, whether it is important, its channel, and the reasons."""

    severity: str
    important: bool
    recognised: bool
    channel: str
    reasons: tuple[str, ...]


def judge(case: Case, config: Config) -> Verdict:
    """The verdict of the first rule that matches; without one, only `critical` is important."""
    rule = next((each for each in config.rules if matches(each, case)), None)
    severity = rule.severity if rule and rule.severity else case.severity
    important, why = _importance(rule, severity)
    reasons = (
        BY_RULE.format(rule=rule.name, line=rule.line) if rule else NO_RULE,
        (IMPORTANT if important else NOT_IMPORTANT).format(why=why),
        UNRECOGNISED,
    )
    channel = config.channel_of(case.service, rule.channel if rule else None)
    return Verdict(severity, important, False, channel, reasons)


def _importance(rule: Rule | None, severity: str) -> tuple[bool, str]:
    if rule is not None and rule.important is not None:
        return rule.important, f"the rule \"{rule.name}\" says so"
    return severity in IMPORTANT_BY_DEFAULT, SEVERITY_SAYS.format(severity=severity)


def matches(rule: Rule, case: Case) -> bool:
    """Whether every condition that the rule gives holds; names and label values may hold * and ?."""
    when = rule.when
    return (
        (not when.service or case.service in when.service)
        and (not when.severity or case.severity in when.severity)
        and (not when.source or case.source in when.source)
        and (not when.name or any(fnmatch.fnmatchcase(case.name.lower(), each.lower()) for each in when.name))
        and all(fnmatch.fnmatchcase(case.labels.get(key, ""), value) for key, value in when.labels.items())
    )
