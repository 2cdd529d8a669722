"""Interruptions: attempts to reach one person that the person notices as one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.review.facts import Page

AT_ONCE = timedelta(seconds=60)         # of one person, from the first: they count once
MAIL = frozenset({"mailto", "mailtos"})     # wakes nobody
REACHED = frozenset({"sent", "seen", "doubtful"})


@dataclass(frozen=True, slots=True)
class Interruption:
    """One person, torn away once: by all that came within a minute, whatever it was about."""

    at: datetime
    pages: tuple[Page, ...]

    @property
    def person(self) -> str:
        return self.pages[0].person

    @property
    def organisation(self) -> str:
        return self.pages[0].organisation

    @property
    def groups(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(each.group for each in self.pages if each.group is not None))


def reaches(page: Page) -> bool:
    """Whether it came to somebody, and by a way that interrupts."""
    return page.state in REACHED and page.medium not in MAIL


def interruptions(pages: Iterable[Page]) -> list[Interruption]:
    """In the order of time."""
    by_person: dict[str, list[list[Page]]] = {}
    for each in sorted((page for page in pages if reaches(page)), key=lambda page: page.at):
        kept = by_person.setdefault(each.person, [])
        if kept and each.at - kept[-1][0].at <= AT_ONCE:
            kept[-1].append(each)
        else:
            kept.append([each])
    found = [Interruption(one[0].at, tuple(one)) for kept in by_person.values() for one in kept]
    return sorted(found, key=lambda each: (each.at, each.person))
