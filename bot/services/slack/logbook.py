"""The one message in a card's thread: what happened, oldest first, the newest always in it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.config import Config
from bot.services.alert.response import clock_time
from bot.services.leave.mandates import PROOF
from bot.services.slack.drawing import Drawing, deed, escape, person, section
from bot.store.alerts import Alert

HEAD = "What happened to {name}"
EARLIER = "… {count} earlier lines: `{command} show {id}` has them all."
LINES = {
    "alert opened": "opened · {actor}: {title}",
    "alert worsened": "worsened to {severity} · {actor}",
    "alert recovered": "recovered · {actor} says OK",
    "alert relapsed": "relapsed · {actor}: {title}",
    "observer silent": "no data · {actor}",
    "observer gone": "watched no more · {actor}: the alarm was deleted",
    "alert acked": "acknowledged by {actor}{relieved}{note}",
    "alert escalated": "{actor} calls the next level ({level}): {who}{reason}",
    "alert seen": "seen by {actor}{note}",
    "alert closed": "closed by {actor}{reason}",
    "alert snoozed": "snoozed by {actor} until {until}{note}",
    "snooze ended": "snooze ended: it still fires",
    "alert assigned": "assigned to {to} by {by}{note}",
    "assignment put off": "{actor} gives it to {to} at {until}, when the blackout is over{note}",
    "assignment dropped": "no longer for {to}{reason}",
    "held back": "{who} not called: in blackout until {until}",
    "alert noted": "{actor} wrote{note}",
    "alert decided": "decided: {what}{why}",
    "alert not proven": "not closed{reason}",
    "person called": "{who} called{why}",
    "call answered": "{who} answered: nobody else is called",
    "call held back": "nobody is called until {until}{why}",
    "call missing": "it had been forgotten{why}",
    "call read": "{actor} read the call",
    "owner reminded": "{who} reminded: silent for a while",
    "ack lapsed": "no longer with {who}, who {cause}",
    "run started": "run {run} started by {actor}: {runbook}{glass}",
    "proofs started": "run {run} proves whether it is well: {runbook}",
    "run cancelled": "run {run} cancelled by {actor}{reason}{said}",
    "run succeeded": "run {run} went well{said}",
    "run failed": "run {run} failed{said}",
    "run decided": "run {run}, step {step}: {actor} says {decision}",
    "step begun": "run {run}, step {step}: {plan}",
    "step failed": "run {run}, step {step} failed{said}",
    "step in doubt": "run {run}, step {step} in doubt{said}",
    "step undone": "run {run}, step {step} undone",
    "step not undone": "run {run}, step {step} not undone{said}",
    "approval asked": "run {run}, step {step}: asked {asked}",
    "approval signed": "run {run}, step {step} approved by {by}{standing}",
    "approval rejected": "run {run}, step {step} rejected by {actor}{reason}",
    "approval revoked": "run {run}, step {step}: {actor} took the approval back",
    "approval expired": "run {run}, step {step}: nobody approved in time",
    "glass broken": "glass broken by {actor} for run {run}{reason}",
    "glass called": "{who} called in the blackout: the glass is broken",
    "alert in incident": "incident {incident}: {actor} declared it",
    "verdict given": "{actor} says what it was worth: {verdict}",
    "glass reviewed": "run {run} reviewed by {actor}{note}",
}
DECIDED = {
    "run": "run its runbook", "approve": "run its runbook after approval", "offer": "offer its runbook",
    "page": "call somebody", "show": "show it",
}
LEFT_TO_THE_RUN = frozenset({"step done"})      # its own message tells it
PEOPLE = ("who", "to", "by", "asked")
AFTER_A_COLON = ("note", "reason", "said", "why", "standing", "glass")
RELIEVED = ", who relieves {who}"
NOBODY, BEFOREHAND = "nobody", "nobody, for the yes was given beforehand"

LONGEST = 2_800
MOST_LINES = 40


def draw(config: Config, head: Alert, entries: Sequence[Any]) -> Drawing:
    """`entries` are the newest of the journal about the card's alerts, oldest first; one more than shown tells of more."""
    told = [each for each in entries if each.kind not in LEFT_TO_THE_RUN]
    several = len({each.object for each in told}) > 1
    lines = [_line(config, each, several) for each in told][-MOST_LINES:]
    left_out = len(told) - len(lines)
    while sum(len(line) + 1 for line in lines) > LONGEST:
        lines.pop(0)
        left_out += 1
    if left_out:
        lines.insert(0, EARLIER.format(count=left_out, command=config.command, id=head.id))
    title = HEAD.format(name=head.name)
    return Drawing(title, [section("\n".join(lines) or title)])


def _line(config: Config, entry: Any, several: bool) -> str:
    """Where several alerts share a card, each says which one is meant."""
    which = f"#{entry.object.rpartition(':')[2]} " if several and entry.kind.startswith(("alert", "observer")) else ""
    return f"{clock_time(entry.at)}  {which}{sentence(config, entry)}"


def sentence(config: Config, entry: Any, more: Mapping[str, str] | None = None) -> str:
    """One journal entry in a few words; a kind that has none, also in `more`, is told by its name."""
    told = json.loads(entry.details)
    words = _Words({name: escape(_spoken(value), 300) for name, value in told.items() if value not in (None, "", [])})
    for name in AFTER_A_COLON:
        words[name] = f": {words[name]}" if words[name] else ""
    for name in PEOPLE:
        words[name] = _people(config, told.get(name))
    words["asked"] = words["asked"] if told.get("asked") else BEFOREHAND
    words["relieved"] = RELIEVED.format(who=_people(config, told["relieved"])) if told.get("relieved") else ""
    words["actor"] = person(config, entry.actor)
    words["by"] = words["by"] if told.get("by") else words["actor"]
    words["until"] = clock_time(datetime.fromisoformat(told["until"])) if told.get("until") else ""
    words["plan"] = deed(words["plan"])
    words["what"] = DECIDED.get(told.get("what", ""), words["what"])
    kind = "proofs started" if told.get("purpose") == PROOF and entry.kind == "run started" else entry.kind
    return str(LINES.get(kind) or (more or {}).get(kind, kind)).format_map(words)


class _Words(dict[str, str]):
    """What an entry does not tell is left out."""

    def __missing__(self, key: str) -> str:
        return ""


def _spoken(value: Any) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)


def _people(config: Config, given: Any) -> str:
    keys = given if isinstance(given, list) else [given] if given else []
    return ", ".join(person(config, str(key)) for key in keys) or NOBODY
