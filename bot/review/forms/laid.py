"""A review laid out to be read: every value in words, every number with its list and its definition. Page and PDF draw this."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.review import N_, Chart, Figure, Kind, Review, Section, Table, Value
from bot.review.forms import Signed, audience, wording
from bot.review.forms.calm import calm
from bot.review.forms.wording import Change

TITLE = N_("Monthly review of alerts")
SIDES = " × "
SEALED, PROVISIONAL = N_("version {version}, sealed"), N_("provisional: not sealed")
KNOWN = N_("Facts up to {as_of}. Times are those of {zone}.")
SPAN = N_("The month is {start} to {end}.")
DIGEST = N_("SHA-256 {digest}")
SIGNED, UNSIGNED = N_("Signed for {organisation} by {person}, {at}."), N_("Not signed for {organisation}.")
UNSEALED = N_("Nobody has signed it.")
WHOLE = N_("Journal: {entries} entries of the month, checked and whole, sealed up to entry {sealed_to}.")
NOT_CHECKED = N_("Journal: {entries} entries of the month, sealed up to entry {sealed_to}; the chain was not checked whole.")
NOT_WHOLE = N_("Journal: NOT whole at entry {first_bad}: {why}.")
PRIVATE, SHARED = N_("Made for {organisation}: it holds what only its people may see."), N_("Made for both sides.")

OF, LEFT_OUT = N_("of {n}"), N_("left out: {reasons}")
FIRST = N_("The first {shown} are here; alerts.csv has every alert.")
UNITS = {
    "count": N_("count"), "share": N_("share"), "seconds": N_("length of time"), "minutes": N_("minutes"), "hours": N_("hours"),
    "days": N_("days"), "money": N_("money"), "text": N_("text"),
}
PROSE, LONG = "prose", 40   # a column with a text of more characters wants room
OPEN, OPEN_ALERTS = 15, 5   # rows of a list that stands open, and of one that has alerts: of a longer one its title
WIDE, SHORT = 11, 3         # a list of so many columns and so few rows is turned: it reads, and prints, as a column of facts
MEANING = N_("{unit}, definition version {version}")
SHAPES: Mapping[Kind, str] = {              # numbers stand at the right; a time is not broken
    **dict.fromkeys(("count", "share", "seconds", "minutes", "money"), "num"),
    **dict.fromkeys(("instant", "day", "alert"), "at"),
    "list": "to",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One figure: a line of its section's table."""

    name: str
    title: str
    value: str
    of: str
    left_out: str
    change: Change
    behind: str | None
    why: str
    grey: bool


Columns = tuple[tuple[str, str], ...]                       # title and shape: num, at, to (another list), prose or nothing
Rows = tuple[tuple[tuple[str, Value], ...], ...]            # a cell is its words and what it sorts by


@dataclass(frozen=True, slots=True)
class Sheet:
    """One list."""

    name: str
    title: str
    columns: Columns
    rows: Rows
    total: int
    note: str
    empty: str
    open: bool = True

    @property
    def is_wide(self) -> bool:
        return len(self.columns) >= WIDE


@dataclass(frozen=True, slots=True)
class Picture:
    """One chart, and the same numbers as a table."""

    name: str
    title: str
    alt: str
    svg: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Part:
    number: int
    name: str
    title: str
    said: tuple[str, ...]
    lines: tuple[Line, ...]
    pictures: tuple[Picture, ...]
    sheets: tuple[Sheet, ...]


@dataclass(frozen=True, slots=True)
class Meaning:
    """A definition, as the list at the end has it."""

    name: str
    title: str
    text: str
    facts: str
    source: str


@dataclass(frozen=True, slots=True)
class Laid:
    title: str
    month: str
    sides: str
    state: str
    known: tuple[str, ...]
    notes: tuple[str, ...]
    parts: tuple[Part, ...]
    meanings: tuple[Meaning, ...]
    foot: tuple[str, ...]
    digest: str
    before: str


def lay(
    review: Review, digest: str, charts: Mapping[str, bytes], signed: Sequence[Signed] = (), made_for: str | None = None
) -> Laid:
    """The review in words; `charts` are SVG by name, `made_for` the name of the organisation that it is for."""
    review = calm(review)
    start, end, as_of = (wording.instant(each, review.zone, year=True) for each in (review.start, review.end, review.as_of))
    return Laid(
        title=TITLE, month=wording.month(review.month), sides=SIDES.join(review.organisations.values()),
        state=PROVISIONAL if review.state == "provisional" else SEALED.format(version=review.version),
        known=(KNOWN.format(as_of=as_of, zone=review.zone), SPAN.format(start=start, end=end),
               PRIVATE.format(organisation=made_for) if made_for else SHARED, *_signatures(review, signed)),
        notes=review.notes, parts=_parts(review, charts), meanings=_meanings(review),
        foot=(*_signatures(review, signed), _journal(review.journal), DIGEST.format(digest=digest)),
        digest=digest, before=wording.before(review.month),
    )


def _signatures(review: Review, signed: Sequence[Signed]) -> tuple[str, ...]:
    if review.state == "provisional":
        return (UNSEALED,)
    there = {each.organisation for each in signed}
    return tuple(
        SIGNED.format(organisation=each.organisation, person=each.person,
                      at=wording.instant(each.at.isoformat(), review.zone, year=True))
        for each in signed
    ) + tuple(UNSIGNED.format(organisation=each) for each in review.organisations.values() if each not in there)


def _journal(journal: Mapping[str, Any]) -> str:
    known = {"entries": 0, "sealed_to": 0, **journal}
    if known.get("ok") is False:
        return NOT_WHOLE.format(first_bad=known.get("first_bad"), why=known.get("why"))
    return (WHOLE if known.get("ok") else NOT_CHECKED).format(entries=f"{known['entries']:,}", sealed_to=known["sealed_to"])


# --- parts ------------------------------------------------------------------------------------------------------------------


def _parts(review: Review, charts: Mapping[str, bytes]) -> tuple[Part, ...]:
    lists = audience.names(review)
    return tuple(_part(number, each, review, charts, lists) for number, each in enumerate(review.sections, 1))


def _part(number: int, section: Section, review: Review, charts: Mapping[str, bytes], lists: set[str]) -> Part:
    pictures = tuple(_picture(each, charts[each.name]) for each in section.charts if each.name in charts)
    return Part(
        number, section.name, section.title, section.said, tuple(_line(each, review, lists) for each in section.figures),
        pictures, tuple(_sheet(each, review) for each in section.tables),
    )


def _line(figure: Figure, review: Review, lists: set[str]) -> Line:
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in figure.left_out.items() if count)
    return Line(
        figure.name, figure.definition.title, wording.amount(figure.value, figure.definition.unit, figure.currency),
        _of(figure), LEFT_OUT.format(reasons=reasons) if reasons else "",
        wording.change(figure, review.trends.get(figure.name), wording.before(review.month)),
        audience.behind(figure, lists), figure.why or "", figure.grey or figure.value is None,
    )


def _of(figure: Figure) -> str:
    """Of how many; nothing where that says nothing: of none, or a count of just these."""
    counts_all = figure.definition.unit == "count" and figure.n == figure.value
    return "" if counts_all or not figure.n else OF.format(n=f"{figure.n:,}")


def _sheet(table: Table, review: Review) -> Sheet:
    kinds = tuple(each.kind for each in table.columns)
    rows = tuple(
        tuple((wording.cell(value, kind, review), value) for value, kind in zip(row, kinds, strict=True)) for row in table.rows
    )
    shapes = tuple((each.title, _shape(each.kind, (row[place][0] for row in rows))) for place, each in enumerate(table.columns))
    if len(shapes) >= WIDE and 0 < len(rows) <= SHORT:
        shapes, rows = _turned(shapes, rows)
    note = FIRST.format(shown=f"{len(table.rows):,}") if table.total > len(table.rows) else ""
    return Sheet(
        table.name, table.title, shapes, rows, table.total, note, table.empty or wording.NOTHING,
        table.total <= (OPEN_ALERTS if kinds[0] == "alert" else OPEN),
    )


def _shape(kind: Kind, cells: Iterable[str]) -> str:
    return SHAPES.get(kind) or (PROSE if max(map(len, cells), default=0) > LONG else "")


def _turned(columns: Columns, rows: Rows) -> tuple[Columns, Rows]:
    """Columns become rows; what stood first in each row becomes its head."""
    heads = tuple((row[0][0], "") for row in rows)
    turned = tuple(((title, title), *(row[place] for row in rows)) for place, (title, _) in enumerate(columns) if place)
    return ((columns[0][0], ""), *heads), turned


def _picture(chart: Chart, svg: bytes) -> Picture:
    series = tuple(dict.fromkeys(each for _, each, _ in chart.points))
    values = {(across, each): value for across, each, value in chart.points}
    places = dict.fromkeys(across for across, _, _ in chart.points)
    rows = tuple((wording.place(place), *(_point(values.get((place, each))) for each in series)) for place in places)
    named = tuple(each or chart.up for each in series)
    return Picture(chart.name, chart.title, chart.alt, svg.decode(), (chart.across, *named), rows)


def _point(value: float | None) -> str:
    return wording.amount(value, "count")


def _meanings(review: Review) -> tuple[Meaning, ...]:
    found = {each.name: each.definition for section in review.sections for each in section.figures}
    return tuple(
        Meaning(each.name, each.title, each.text, MEANING.format(unit=UNITS[each.unit], version=each.version), each.source)
        for each in sorted(found.values(), key=lambda each: each.title.lower())
    )
