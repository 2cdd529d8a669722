"""What the platform cost: lines of the bills of a month's days, added up in the currency in which they are billed."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from bot.review import Facts
from bot.review.arithmetic.availability import begun
from bot.review.arithmetic.measured import newest

EC2 = "Amazon Elastic Compute Cloud - Compute"


@dataclass(frozen=True, slots=True)
class Line:
    """What one kind of thing of one service cost on one day; `service` is empty where nobody has tagged it."""

    day: date
    service: str
    kind: str
    amount: float
    currency: str
    estimated: bool


@dataclass(frozen=True, slots=True)
class Bills:
    """All lines of the month's days, and the days that have none."""

    lines: tuple[Line, ...]
    missing: tuple[date, ...]

    @property
    def days(self) -> int:
        return len({each.day for each in self.lines})

    @property
    def estimated(self) -> int:
        """How many days AWS may still change."""
        return len({each.day for each in self.lines if each.estimated})

    @property
    def currencies(self) -> list[str]:
        return sorted({each.currency for each in self.lines})

    def total(self, of: Callable[[Line], bool] = lambda _: True) -> float | None:
        """None: there is nothing to add up, or it is billed in several currencies, and no rate between them is invented."""
        return sum(each.amount for each in self.lines if of(each)) if len(self.currencies) == 1 else None


def bills(facts: Facts) -> Bills:
    """Days are those of the bill: of UTC. Of a month that goes on, those that should be on the bill by now."""
    account = facts.config.aws.account if facts.config.aws else None
    found = {each.day: tuple(_lines(each.day, each.body)) for each in newest(facts, "cost", account)} if account else {}
    wanted = begun(facts.month)
    if facts.month.until < facts.month.end:
        wanted = wanted[:-1]            # today is on no bill
    return Bills(
        tuple(line for day in sorted(found) for line in found[day]), tuple(day for day in wanted if not found.get(day)))


def _lines(day: date, body: object) -> Iterator[Line]:
    assert isinstance(body, dict)
    for service, kind, amount, currency in body["lines"]:
        yield Line(day, str(service), str(kind), float(amount), str(currency), bool(body["estimated"]))


def added(lines: Sequence[Line], key: Callable[[Line], tuple[str, ...]]) -> list[tuple[tuple[str, ...], float]]:
    """The largest first."""
    sums: dict[tuple[str, ...], float] = defaultdict(float)
    for each in lines:
        sums[key(each)] += each.amount
    return sorted(sums.items(), key=lambda each: (-each[1], each[0]))
