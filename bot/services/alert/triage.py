"""What an alert is worth, who recognises it and what to do about it; pure: facts in, verdict and reasons out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from bot.config import Config, Rule
from bot.config.catalogue import Catalogue
from bot.config.matching import means
from bot.config.powers import Symptom
from runbooks.model import Rung

What = Literal["run", "approve", "offer", "page", "show"]

IMPORTANT_BY_DEFAULT = frozenset({"critical"})

BY_RULE = "rule \"{rule}\" (vigie.yaml, line {line})"
NO_RULE = "no rule of vigie.yaml matches it"
IMPORTANT = "important: {why}"
NOT_IMPORTANT = "not important: {why}"
SEVERITY_SAYS = "severity {severity}"
RECOGNISED = "{claim} recognises it"
UNRECOGNISED = "not recognised: no runbook claims it, so a person decides"
SHARED = "one card with all that shows the symptom \"{name}\" of {service} (vigie.yaml)"
SHOWN = "shown, nobody is called: it is not important"

RUNS = "Vigie runs it by itself{since}"
RUNS_AFTER_YES = "Vigie runs it after somebody's approval, because the alert is important{since}"
MAY_RUN = "Vigie may run it by itself{since}"
ON_CLICK = "the runbook runs on one click, not by itself{since}"
BY_HAND = "the runbook is started by hand, not by itself{since}"
HELD_BACK = "Vigie does not run it: {why}"
CAME_BACK = "it came back: {why}"
CALLS = "a person is called: {why}"
IT_IS_IMPORTANT, IT_CAME_BACK = "the alert is important", "what was done did not hold"
CALL, NOT_KNOWN = "{why}, and {state}.", "no runbook recognises it"
PRESSING, WAITS, HELD = "important", "its runbook waits for somebody to start it", "Vigie does not run its runbook: {why}"


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
    """What the alert deserves: severity after the rules, importance, channel, runbook, symptom, and the reasons."""

    severity: str
    important: bool
    channel: str
    reasons: tuple[str, ...]
    runbook: str | None = None          # the name of the one that recognises it
    symptom: str | None = None          # the alert stands in one group with all that shows it

    @property
    def recognised(self) -> bool:
        return self.runbook is not None

    @property
    def only_shown(self) -> bool:
        """Nothing is to be done about it: nothing needs to be decided either."""
        return not self.important and not self.recognised


def judge(case: Case, config: Config, catalogue: Catalogue) -> Verdict:
    """The verdict of the first rule that matches; without one, only `critical` is important."""
    rule = next((each for each in config.rules if means(each.when, case)), None)
    severity = rule.severity if rule and rule.severity else case.severity
    important, why = _importance(rule, severity)
    ruled = replace(case, severity=severity) if severity != case.severity else case
    claim = catalogue.claims(ruled)
    symptom = symptom_of(ruled, config)
    reasons = [
        BY_RULE.format(rule=rule.name, line=rule.line) if rule else NO_RULE,
        (IMPORTANT if important else NOT_IMPORTANT).format(why=why),
        RECOGNISED.format(claim=claim) if claim else UNRECOGNISED,
    ]
    reasons += [SHARED.format(name=symptom.name, service=symptom.service)] if symptom else []
    reasons += [] if claim or important else [SHOWN]
    channel = config.channel_of(case.service, rule.channel if rule else None)
    return Verdict(
        severity, important, channel, tuple(reasons), claim.runbook.name if claim else None, symptom.name if symptom else None
    )


def _importance(rule: Rule | None, severity: str) -> tuple[bool, str]:
    if rule is not None and rule.important is not None:
        return rule.important, f"the rule \"{rule.name}\" says so"
    return severity in IMPORTANT_BY_DEFAULT, SEVERITY_SAYS.format(severity=severity)


def symptom_of(case: Case, config: Config) -> Symptom | None:
    """The first symptom of vigie.yaml that the alert shows."""
    return next((each for each in config.symptoms if each.service == case.service and means(each.when, case)), None)


# --- what to do ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Facts:
    """All on which a decision rests."""

    recognised: str | None              # the runbook, and where it says that it recognises the alert
    important: bool
    rung: Rung = "manual"
    since: str = ""                     # who put it on its rung, and when
    brakes: tuple[str, ...] = ()        # why Vigie may not act by itself now
    came_back: str | None = None        # what had seemed to be the end of it


@dataclass(frozen=True, slots=True)
class Decision:
    """run: at once; approve: run after approval; offer: people may run it; page: a person is called; show: nothing more."""

    what: What
    pages: bool
    reasons: tuple[str, ...]
    call: str = ""                      # what whoever is called is told: the same, in one sentence


def decide(facts: Facts) -> Decision:
    """Recognised, important, rung and brakes decide, nothing else."""
    what = _what(facts)
    acts = what in ("run", "approve")
    why = [IT_IS_IMPORTANT] if facts.important else []
    why += [IT_CAME_BACK] if facts.came_back else []
    pages = bool(why) and not acts
    reasons = [RECOGNISED.format(claim=facts.recognised) if facts.recognised else UNRECOGNISED]
    reasons += [CAME_BACK.format(why=facts.came_back)] if facts.came_back else []
    reasons += [_about_rung(facts, what)] if facts.recognised else []
    reasons += [] if acts else [HELD_BACK.format(why=each) for each in facts.brakes]
    reasons += [CALLS.format(why=" and ".join(why))] if pages else [] if facts.recognised else [SHOWN]
    return Decision(what, pages, tuple(reasons), _call(facts) if pages else "")


def _call(facts: Facts) -> str:
    """One short sentence for somebody who is woken by it."""
    why = [CAME_BACK.format(why=facts.came_back)] if facts.came_back else []
    why += [PRESSING] if facts.important else []
    held = HELD.format(why="; ".join(facts.brakes)) if facts.brakes else WAITS
    return CALL.format(why=", ".join(why), state=held if facts.recognised else NOT_KNOWN)


def _what(facts: Facts) -> What:
    if facts.recognised is None:
        return "page" if facts.important or facts.came_back else "show"
    if facts.rung == "automatic" and not facts.brakes:
        return "approve" if facts.important else "run"
    return "offer"


def _about_rung(facts: Facts, what: What) -> str:
    runs = {"run": RUNS, "approve": RUNS_AFTER_YES}.get(what, MAY_RUN)
    words = {"manual": BY_HAND, "click": ON_CLICK, "automatic": runs}[facts.rung]
    return words.format(since=f" ({facts.since})" if facts.since else "")
