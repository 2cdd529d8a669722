"""The note of a handoff: what it holds, what it makes of the state, and its digest; made elsewhere, drawn elsewhere; pure."""

import hashlib
from datetime import datetime

from pydantic import ValidationError

from runbooks.model import Part

GREEN, AMBER, RED = "green", "amber", "red"
STATES = (GREEN, AMBER, RED)
NONE = "none"
SILENT, TAKE_OVER = "silent", "to take over"      # flags of what is open
MOST_ITEMS, MOST_RISKS, MOST_TICKS = 12, 25, 10
LONGEST_LABEL = 75


class Item(Part):
    """One line. `ref` is how a tick names it: 142, run57, action5."""

    ref: str
    name: str
    text: str
    severity: str = ""
    who: str = ""                       # whose it is, as people call them
    since: datetime | None = None
    until: datetime | None = None
    last: str = ""                      # the last thing that somebody did about it
    last_at: datetime | None = None
    next: str = ""                      # what should be done next
    flags: tuple[str, ...] = ()         # silent, to take over
    red: bool = False                   # must be ticked by whoever accepts


class Section(Part):
    """Some lines, how many more there are, and what this Vigie cannot see."""

    items: tuple[Item, ...] = ()
    more: int = 0
    unconnected: tuple[str, ...] = ()


class Closed(Part):
    """What was closed while the outgoing side had the duty."""

    by_severity: dict[str, int] = {}
    by_vigie: int = 0
    unrecognised: int = 0
    top: tuple[Item, ...] = ()

    @property
    def count(self) -> int:
        return sum(self.by_severity.values())


class Turn(Part):
    """Who is on next, until when, and by how many ways beside Slack they are reached."""

    name: str
    role: str
    until: datetime
    ways: int = 0


class Asked(Part):
    """A question to the outgoing side, and its answer."""

    id: int
    by: str
    text: str
    answer: str = ""
    answered_by: str = ""


class Note(Part):
    """All of it. The accepted one is stored as text; its digest is the SHA-256 of that text."""

    coverage: str
    giver: str                          # Bridge
    taker: str                          # Padok
    direction: str
    boundary: datetime
    local: str                          # Sun 22 Nov 00:00
    ends: datetime
    length: str                         # 8 h
    clocks: str = ""                    # back or forward, when they change in the shift
    previous: str = ""
    turns: tuple[Turn, ...] = ()
    dark: str = ""                      # whose blackout it is at the boundary
    dark_until: datetime | None = None
    opened: Section
    running: Section
    coming: Section
    watch: Section
    closed: Closed
    actions: Section
    computed: str                       # red, amber, green
    raised: str = ""
    lead: str = ""                      # of the side that takes over
    line_due: datetime
    overdue: bool = False               # the line should be there by now
    line: str = ""
    line_by: str = ""
    if_then: tuple[str, ...] = ()
    questions: tuple[Asked, ...] = ()
    at: datetime                        # when the rows were asked

    @property
    def state(self) -> str:
        """As computed, or as the outgoing person raised it."""
        return max(self.computed, self.raised or GREEN, key=STATES.index)

    @property
    def reds(self) -> tuple[Item, ...]:
        """What whoever accepts must tick."""
        return tuple(each for each in self.opened.items if each.red)[:MOST_TICKS]

    @property
    def to_take_over(self) -> tuple[Item, ...]:
        """What somebody of the outgoing side has in hand."""
        return tuple(each for each in self.opened.items if TAKE_OVER in each.flags)

    @property
    def untaken(self) -> tuple[Item, ...]:
        """What is grave, and still in the hands of somebody who hands over."""
        return tuple(each for each in self.to_take_over if each.red)


class Synthesis(Part):
    """What whoever accepted said of it."""

    risk: str
    said: str = ""
    ticked: tuple[str, ...] = ()
    instead_of: str | None = None       # whose place the accepting person took
    late: str | None = None             # how long after it was due


def state_of(opened: Section, *others: Section) -> str:
    """Red: something critical or important fires. Amber: anything else that is not over. Green: nothing."""
    if any(each.red for each in opened.items):
        return RED
    return AMBER if any(each.items for each in (opened, *others)) else GREEN


def risks(note: Note) -> tuple[tuple[str, str], ...]:
    """From which the top risk is chosen: (how it is said, how it is shown); the worst first, none last."""
    every = (*note.opened.items, *note.running.items, *note.watch.items, *note.coming.items, *note.actions.items)
    named = {each.ref: label(each) for each in every[:MOST_RISKS]}
    return (*named.items(), (NONE, "none: nothing of this worries me"))


def label(item: Item) -> str:
    """One line of a choice."""
    told = f"{item.name} {item.text}"
    return told if len(told) <= LONGEST_LABEL else f"{told[: LONGEST_LABEL - 1]}…"


def written(note: Note) -> str:
    return note.model_dump_json()


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def same(text: str | None, note: Note) -> bool:
    """Whether what was written down says the same as this, whenever it was asked."""
    if text is None:
        return False
    try:
        return Note.model_validate_json(text).model_copy(update={"at": note.at}) == note
    except ValidationError:     # an older Vigie wrote it
        return False
