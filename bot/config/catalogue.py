"""The catalogue: every runbook with the file and line where it says what it is for, and every action there is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runbooks.actions import Action, Service
from runbooks.model import Runbook


@dataclass(frozen=True, slots=True)
class Entry:
    """One runbook as a file said it; `line` is that of its `when`."""

    runbook: Runbook
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What can be run."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    actions: Mapping[str, Action[Any]] = field(default_factory=dict)

    def runbook(self, name: str) -> Runbook | None:
        found = self.entries.get(name)
        return found.runbook if found else None


def actions_of(services: Iterable[Service]) -> dict[str, Action[Any]]:
    """All actions by their names."""
    return {action.name: action for service in services for action in service.actions}
