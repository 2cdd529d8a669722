"""FAMILY: sections of the monthly review. One file, one section; a pure function of the month's facts.

What a month is made of lies in `facts`, what sections share in `arithmetic`, the ways in which a review is shown (page, PDF,
CSV, JSON, charts) in `forms`. A section's file holds its figures' definitions too. Sections know no database and no Slack.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.review.facts import Facts as Facts

Unit = Literal["count", "share", "seconds", "minutes", "hours", "days", "money", "text"]
Kind = Literal["text", "count", "share", "seconds", "minutes", "instant", "day", "alert", "run", "person", "side",
               "list", "money"]
Mark = Literal["bars", "stacked", "line", "steps"]
Value = str | int | float | bool | None

N_ = str        # marks a text for the catalogue of translations: English in the source, looked up where it is drawn


@dataclass(frozen=True, slots=True)
class Definition:
    """What a figure means. A changed meaning gets a higher version: the trend then breaks, and says so."""

    name: str                               # snake case: mtta_median_s
    title: str                              # as the page calls it: Time to acknowledge, median
    text: str                               # how it is computed, whom it leaves out
    unit: Unit
    version: int = 1
    source: str = ""                        # rota.md 6.3; an article of law
    better: Literal["more", "less", ""] = ""        # which way is good, if any

    def of(self, value: float | int | None, n: int, left_out: Mapping[str, int] | None = None, **more: Any) -> "Figure":
        """The figure of this definition."""
        return Figure(self, value, n, left_out or {}, **more)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the review.

    `value` None: it cannot be said, and `why` says why (grey, never zero). Shares are 0 to 1; others in the definition's unit.
    """

    definition: Definition
    value: float | int | None
    n: int                                  # of how many things it speaks
    left_out: Mapping[str, int] = field(default_factory=dict)       # how many were left out, by reason
    behind: str | None = None               # the name of the table that lists what it counts
    why: str | None = None                  # why there is no value, or why it is to be read with care
    grey: bool = False                      # too little is known: shown, but not relied upon
    currency: str | None = None
    only_for: str | None = None             # the organisation whose people may see it; None: both

    @property
    def name(self) -> str:
        return self.definition.name


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    title: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """A list behind figures: made by `arithmetic.listing`, which keeps the first thousand rows and counts all of them."""

    name: str                               # unique in the review: never-acknowledged
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]     # instants in UTC as ISO 8601; alerts, people, sides, lists as their key
    total: int                              # how many there are, shown or not
    empty: str = ""                         # what stands there when there are no rows
    only_for: str | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of numbers: `title` is a sentence that says what it shows, `alt` the same for those who do not see it."""

    name: str                               # alerts-per-day
    title: str
    alt: str
    mark: Mark
    across: str                             # what runs along the bottom: day
    up: str                                 # what is counted: alerts
    points: tuple[tuple[str, str, float], ...]      # (across, series, value), in the order in which they are drawn
    only_for: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the review as it was written."""

    name: str
    title: str
    said: tuple[str, ...] = ()              # sentences, one a paragraph
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()


Figures = Mapping[str, Figure]
Write = Callable[[Facts, Figures], Section]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A member of the family: where it stands, and how it is written."""

    name: str
    title: str
    number: int                             # its place in the review: that of rota.md 6.3
    write: Write
    last: bool = False                      # written when all others are, for it picks from their figures


def chapter(name: str, title: str, number: int, last: bool = False) -> Callable[[Write], Chapter]:
    """Makes a chapter out of a function of the facts and of the figures of the chapters written before it."""

    def make(write: Write) -> Chapter:
        return Chapter(name, title, number, write, last)

    return make


@dataclass(frozen=True, slots=True)
class Trend:
    """A figure's value a month ago; None: there is none, and `why` says why (no earlier month, another definition)."""

    value: float | int | None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """A month as it was reviewed: what is kept, hashed and shown. Instants are UTC in ISO 8601."""

    month: str                              # 2026-10
    zone: str
    start: str
    end: str
    as_of: str                              # what was known by then
    state: Literal["provisional", "sealed"]
    version: int                            # 0: provisional
    organisations: Mapping[str, str]        # key: name
    sections: tuple[Section, ...]
    trends: Mapping[str, Trend]             # by figure
    journal: Mapping[str, str | int | bool | None]      # entries, ok, head, first_bad, why
    people: Mapping[str, str]               # key: name, of whoever is named in it
    notes: tuple[str, ...] = ()             # what the reader must know: provisional, first month, chain broken

    @property
    def figures(self) -> dict[str, Figure]:
        return {each.name: each for section in self.sections for each in section.figures}
