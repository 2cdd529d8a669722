"""The catalogue: every runbook with the file and line where it says what it is for, and every action there is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from bot.config.matching import Shown, means
from runbooks.actions import Action, Service
from runbooks.model import Runbook

STALE_AFTER = timedelta(days=180)

CLAIM = "runbook {name} ({file}, line {line})"


@dataclass(frozen=True, slots=True)
class Entry:
    """One runbook as a file said it; `line` is that of its `when`, `lines` those of each way to be meant."""

    runbook: Runbook
    file: str
    line: int
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """The runbook that recognises an alert, and where it says so."""

    runbook: Runbook
    file: str
    line: int

    def __str__(self) -> str:
        return CLAIM.format(name=self.runbook.name, file=self.file, line=self.line)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What can be run, in the order of the files' names."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    actions: Mapping[str, Action[Any]] = field(default_factory=dict)
    shipped: bool = False       # of a release, not of a folder that somebody keeps

    def runbook(self, name: str) -> Runbook | None:
        found = self.entries.get(name)
        return found.runbook if found else None

    def claims(self, alert: Shown) -> Claim | None:
        """Which runbook recognises the alert: the first whose `when` means it."""
        for entry in self.entries.values():
            for index, when in enumerate(entry.runbook.when):
                if means(when, alert):
                    return Claim(entry.runbook, entry.file, entry.lines[index] if index < len(entry.lines) else entry.line)
        return None


def stale(catalogue: Catalogue, today: date) -> list[Entry]:
    """The runbooks that nobody has reviewed for too long, the oldest first. Those of a release are read through for it."""
    if catalogue.shipped:
        return []
    late = [each for each in catalogue.entries.values() if today - each.runbook.reviewed > STALE_AFTER]
    return sorted(late, key=lambda each: each.runbook.reviewed)


def actions_of(services: Iterable[Service]) -> dict[str, Action[Any]]:
    """All actions by their names."""
    return {action.name: action for service in services for action in service.actions}
