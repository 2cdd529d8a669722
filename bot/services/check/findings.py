"""What a check found: how a thing stands, and what to do about it."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from bot.errors import Misbuilt, Unavailable

Level = Literal["ok", "warning", "fault"]

Answer = TypeVar("Answer")

UNREACHED = "Vigie called {url} and got no good answer ({reason})"
NEXT_STEP = "From this machine try: curl -sS {url}. Then look at proxy, firewall and DNS for {host}."

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


async def asked(id: str, url: str, answer: Awaitable[Answer]) -> Answer | Finding:
    """The answer, or the finding that says who called whom, what came back, and what to try next."""
    try:
        return await answer
    except Unavailable as error:
        remedy = NEXT_STEP.format(url=url, host=urlsplit(url).hostname)
        return Finding(id, "fault", UNREACHED.format(url=url, reason=error), remedy)
    except Misbuilt as error:
        return told(id, "fault", str(error))


def failed(findings: Sequence[Finding]) -> bool:
    """Whether the command line ends with 1."""
    return any(finding.level == "fault" for finding in findings)


def for_machines(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """The findings as `--json` prints them; no secret is ever in one."""
    return [asdict(finding) for finding in findings]
