"""What a check found: how a thing stands, and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

Level = Literal["ok", "warning", "fault"]

MARKS: Mapping[Level, str] = {"ok": "✔", "warning": "⚠", "fault": "✘"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    id: str
    level: Level
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f"\n  → {self.remedy}" if self.remedy else ""
        return f"{MARKS[self.level]} {self.what}  [{self.id}]{remedy}"


def told(id: str, level: Level, sentences: str) -> Finding:
    """A finding from "What is wrong. What would be right."."""
    what, _, remedy = sentences.partition(". ")
    return Finding(id, level, what.rstrip("."), remedy)


def failed(findings: Sequence[Finding]) -> bool:
    """Whether the command line ends with 1."""
    return any(finding.level == "fault" for finding in findings)


def for_machines(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """The findings as `--json` prints them; no secret is ever in one."""
    return [asdict(finding) for finding in findings]
