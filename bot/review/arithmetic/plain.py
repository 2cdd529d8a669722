"""Numbers as people say them: 41 %, 3 min 10, 18 % fewer."""

from collections.abc import Sequence

MINUTE, HOUR, DAY = 60, 3_600, 86_400
ROUND = 10 * MINUTE                         # from here on, seconds are not worth saying


def percent(share: float, digits: int = 0) -> str:
    return f"{share * 100:.{digits}f} %"


def percents(parts: Sequence[float]) -> list[str]:
    """Of a whole: rounded so that they add up to 100 %. Up go those that would lose most, of equals the greatest."""
    whole = sum(parts)
    exact = [part / whole * 100 if whole else 0.0 for part in parts]
    down = [int(each) for each in exact]
    missing = 100 - sum(down) if whole else 0
    by_loss = sorted(range(len(parts)), key=lambda place: (round(down[place] - exact[place], 9), -parts[place]))
    up = set(by_loss[:missing])
    return [f"{value + (place in up)} %" for place, value in enumerate(down)]


def length(seconds: float) -> str:
    """45 s; 3 min 10; 21 min; 2 h 05; 3 d 4 h."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < ROUND:
        return f"{whole // MINUTE} min" + (f" {whole % MINUTE:02}" if whole % MINUTE else "")
    minutes = round(seconds / MINUTE)
    if minutes < 120:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h" + (f" {minutes % 60:02}" if minutes % 60 else "")
    hours = round(seconds / HOUR)
    return f"{hours // 24} d" + (f" {hours % 24} h" if hours % 24 else "")


def signed(value: float, digits: int = 0) -> str:
    """−31, +4, 0: with the sign that typographers use."""
    rounded = round(value, digits)
    text = f"{abs(rounded):.{digits}f}"
    return f"−{text}" if rounded < 0 else f"+{text}" if rounded > 0 else text


def change(now: float, before: float | None) -> str | None:
    """By how many percent it changed; None: there is nothing to compare with."""
    return f"{signed((now - before) / before * 100)} %" if before else None


def several(count: int, one: str, many: str) -> str:
    """1 alert, 3 alerts."""
    return f"{count:,} {one if count == 1 else many}"
