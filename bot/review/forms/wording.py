"""Values in words: lengths, shares, money, instants in the month's zone, and what became of a figure since last month."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from bot.review import N_, Figure, Kind, Review, Trend, Unit, Value

NOTHING, YES, NO = "—", N_("yes"), N_("no")
ALERT, RUN = "#{id}", N_("run {id}")
MEASURED: Mapping[Kind, Unit] = {"share": "share", "seconds": "seconds", "minutes": "minutes", "money": "money"}

MINUTE, HOUR, DAY = 60, 3600, 86400
LENGTHS = ((DAY, HOUR, ("d", "h")), (HOUR, MINUTE, ("h", "min")), (MINUTE, 1, ("min", "s")))
FINE = 0.01                             # what moves less than that, near such a promise, is told as exactly
NEARLY_ALL = 0.99                       # shares from here to 1 are promises, and told to a thousandth of a percent

SAME = N_("unchanged since {before}")
MORE, LESS = N_("{by} more than in {before} ({past})"), N_("{by} less than in {before} ({past})")
ONE_POINT, POINTS = N_("1 point"), N_("{points} points")
TIMES = N_("{times} times what it was in {before} ({past})")
FROM_NOTHING = N_("{by} more than in {before}, when it was {past}")
WAS = N_("was {past} in {before}")
UP, DOWN, LEVEL = "▲", "▼", "="
BETTER, WORSE = N_("better"), N_("worse")
MANY = 100                              # of more minutes nobody counts the seconds
FEW = 30                                # of fewer, a share of them says less than how many
MANY_TIMES = 3                          # "4.2 times" says more than "320 % more"


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a figure: an arrow, words, and whether that is good. Nothing rests on colour alone."""

    words: str
    arrow: str = ""
    judgement: str = ""                 # better, worse


# --- values -----------------------------------------------------------------------------------------------------------------


def amount(value: float | int | None, unit: Unit, currency: str | None = None) -> str:
    """A figure's value as people say it."""
    if value is None:
        return NOTHING
    if unit == "share":
        return share(value)
    if unit == "seconds":
        return lasting(value)
    if unit == "money":
        return f"{_number(value, 0 if abs(value) >= MANY else 2)} {currency or ''}".rstrip()
    words = {"minutes": " min", "hours": " h", "days": " d"}.get(unit, "")
    return f"{_number(value, 0 if abs(value) >= MANY and words else 2)}{words}"


def share(value: float) -> str:
    """41.3 %; what was promised more exactly: 99.962 %."""
    digits = 3 if NEARLY_ALL <= value < 1 else 1
    return f"{_number(100 * value, digits)} %"


def lasting(seconds: float) -> str:
    """42 s, 3 min 10 s, 5 h 12 min, 3 d 4 h."""
    left = round(seconds)
    for great, small, words in LENGTHS:
        if left >= great:
            rest = left % great // small
            return f"{left // great} {words[0]}" + (f" {rest} {words[1]}" if rest else "")
    return f"{_number(left)} s"


def _number(value: float | int, digits: int = 2) -> str:
    """1,234.5: no more digits than there are."""
    text = f"{value:,.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text.replace("-", "−")


# --- cells ------------------------------------------------------------------------------------------------------------------


def cell(value: Value, kind: Kind, review: Review) -> str:
    """One cell of a list."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, str):
        return _text(value, kind, review)
    if kind in ("alert", "run"):
        return {"alert": ALERT, "run": RUN}[kind].format(id=value)
    return amount(value, MEASURED.get(kind, "count"))


def _text(value: str, kind: Kind, review: Review) -> str:
    if kind == "person":
        return review.people.get(value, value)
    if kind == "side":
        return review.organisations.get(value, value)
    if kind == "list":
        return next((each.title for part in review.sections for each in part.tables if each.name == value), value)
    if kind == "instant":
        return instant(value, review.zone)
    return day(value) if kind == "day" else value


def instant(iso: str, zone: str, year: bool = False) -> str:
    """5 Oct 02:14; when clocks show it twice, with which of the two is meant."""
    at = datetime.fromisoformat(iso).astimezone(_zone(zone))
    twice = at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()
    return f"{at.day} {at:{'%b %Y %H:%M' if year else '%b %H:%M'}}" + (f" {at:%Z}" if twice else "")


def day(iso: str) -> str:
    """Mon 5 Oct 2026; what is no day is said as it stands."""
    try:
        found = date.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{found:%a} {found.day} {found:%b %Y}"


def place(text: str) -> str:
    """A place along the bottom of a chart: of days, 5 Oct."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{found.day} {found:%b}"


def month(name: str) -> str:
    """October 2026"""
    return f"{date.fromisoformat(f'{name}-01'):%B %Y}"


def before(name: str) -> str:
    """The month before, as it is spoken of: September."""
    year, number = int(name[:4]), int(name[5:])
    return f"{date(year - (number == 1), 12 if number == 1 else number - 1, 1):%B}"


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


# --- what became of it ------------------------------------------------------------------------------------------------------


def change(figure: Figure, trend: Trend | None, month_before: str) -> Change:
    """Beside each figure: what it was a month ago, or why nobody can say."""
    if trend is None or trend.value is None:
        return Change((trend.why if trend else None) or "")
    past = amount(trend.value, figure.definition.unit, figure.currency)
    if figure.value is None:
        return Change(WAS.format(past=past, before=month_before))
    if amount(figure.value, figure.definition.unit, figure.currency) == past:
        return Change(SAME.format(before=month_before), LEVEL)
    risen = figure.value > trend.value
    words = _moved(figure, figure.value, trend.value).format(before=month_before, past=past)
    return Change(words, UP if risen else DOWN, _judged(figure, risen))


def _moved(figure: Figure, now: float, then: float) -> str:
    """How far it went, with the places of `before` and `past` left open."""
    if figure.definition.unit != "share" and then > 0 and now / then >= MANY_TIMES:
        return TIMES.format(times=_number(now / then, 1), before="{before}", past="{past}")
    words = FROM_NOTHING if then == 0 else MORE if now > then else LESS
    return words.format(by=_by(figure, abs(now - then), then), before="{before}", past="{past}")


def _by(figure: Figure, delta: float, then: float) -> str:
    if figure.definition.unit == "share":
        points = _number(100 * delta, 3 if delta < FINE and then >= NEARLY_ALL - FINE else 1)
        return ONE_POINT if points == "1" else POINTS.format(points=points)
    if then > 0 and (figure.definition.unit != "count" or then >= FEW):
        return f"{_number(100 * delta / then, 0 if delta / then >= 0.01 else 2)} %"
    return amount(delta, figure.definition.unit, figure.currency)


def _judged(figure: Figure, risen: bool) -> str:
    if not figure.definition.better:
        return ""
    return BETTER if (figure.definition.better == "more") == risen else WORSE
