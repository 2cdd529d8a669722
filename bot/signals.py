"""A signal: one thing that one observer said, parsed and typed; and the words all sources share."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

FIRING, RECOVERED, NO_DATA = "firing", "recovered", "no data"
GONE = "gone"            # what watched was taken away: neither a fault nor OK, and nothing will follow
CRITICAL, HIGH, WARNING, INFO = "critical", "high", "warning", "info"

MAX_TITLE, MAX_SUMMARY, MAX_LABEL, MAX_NAME = 250, 3000, 500, 200
AHEAD = timedelta(minutes=5)

_SEVERITIES = {
    CRITICAL: "critical crit fatal emergency emerg disaster page p1 sev1",
    HIGH: "high error err major alert p2 sev2",
    WARNING: "warning warn medium moderate average minor p3 sev3",
    INFO: "info information informational low none debug notice ok p4 p5 sev4 sev5",
}
_SEVERITY_OF = {word: severity for severity, words in _SEVERITIES.items() for word in words.split()}
_SERVICE_NAMES = {"service", "servicename"}


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that one observer said, parsed and typed.

    `key` names the problem within the organisation whatever path the word took (an alarm's ARN, a monitor and its
    scope); `at` is the source's own time, UTC; `service` is None when the source names none: it is then read off
    `name`. `part` tells apart the signals of one delivery.
    """

    key: str
    state: str
    severity: str
    name: str
    title: str
    observer: str
    at: datetime
    summary: str = ""
    service: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    link: str | None = None
    part: str = ""


class Unreadable(Exception):
    """The delivery is authentic but makes no sense to us; the message says what was expected."""


def severity_of(word: str) -> str | None:
    """Our severity for a word of theirs; None when the word says nothing."""
    return _SEVERITY_OF.get(word.strip().lower())


def service_in(labels: Mapping[str, str]) -> str | None:
    """The service that a tag, label or dimension names, however it is spelled."""
    named = (value for name, value in labels.items() if re.sub(r"[^a-z]", "", name.lower()) in _SERVICE_NAMES)
    return next((value for value in named if value), None)


def clip(text: str, size: int) -> str:
    """The text, cut where it is longer than a person would read."""
    return text if len(text) <= size else text[: size - 1].rstrip() + "…"


def happened(at: datetime | None, received_at: datetime) -> datetime:
    """The source's own time unless it gives none, or one in the future, which would make all that follows look old."""
    return received_at if at is None or at > received_at + AHEAD else at
