"""What clouds have measured: bills of Cost Explorer, machines and metrics of CloudWatch, queries of Datadog. Only reads."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bot.errors import Misbuilt, Unavailable
from runbooks import faults
from runbooks.actions import Failed, Unsure, World
from runbooks.aids import datadog_api, usage
from runbooks.aids.sizing import BIN_S

COSTS = "us-east-1"             # the one region in which Cost Explorer answers
METRIC = "UnblendedCost"
MOST_PAGES = 20                 # each costs a cent
READS = ("ce:GetCostAndUsage", *usage.READS)

TOO_MANY = "Cost Explorer has more than {pages} pages for these days: each is paid for, so they were left alone"


@dataclass(frozen=True, slots=True)
class Line:
    """What one kind of thing cost on one day; `tag` is empty where nobody has tagged it."""

    tag: str
    kind: str                               # Amazon Elastic Compute Cloud - Compute
    amount: float
    currency: str


@dataclass(frozen=True, slots=True)
class Bill:
    """One day (UTC) as it was billed; `estimated` while AWS may still change it."""

    estimated: bool
    lines: tuple[Line, ...]


class Clouds:
    """Reads as Vigie itself, with the role that only looks; each call raises Unavailable with a sentence that says why not."""

    def __init__(self, world: Callable[[tuple[str, ...]], World]) -> None:
        self._world = world                 # for an errand with these rights

    def bills(self, tag: str, start: date, end: date) -> dict[date, Bill]:
        """Days in [start, end), cut by the tag and by the kind of thing: one paid call, or one a page."""
        with _answering():
            client = self._world(READS[:1]).aws("ce", COSTS)
            asked = {
                "TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()}, "Granularity": "DAILY", "Metrics": [METRIC],
                "GroupBy": [{"Type": "TAG", "Key": tag}, {"Type": "DIMENSION", "Key": "SERVICE"}],
            }
            found: dict[date, Bill] = {}
            for page in _pages(client, asked):
                for each in page["ResultsByTime"]:
                    day = date.fromisoformat(each["TimePeriod"]["Start"])
                    known = found.get(day, Bill(False, ()))
                    found[day] = Bill(
                        known.estimated or bool(each.get("Estimated")), (*known.lines, *_lines(each.get("Groups", []))))
            return found

    def machines(self, group: str, start: datetime, end: datetime, balancer: Mapping[str, str] | None) -> usage.Usage:
        """An Auto Scaling group as it is now, and what was measured of it then."""
        with _answering():
            return usage.between(self._world(READS[1:]), group, start, end, balancer)

    def sums(self, metrics: Sequence[tuple[str, str, Mapping[str, str]]], start: datetime, end: datetime) -> list[float | None]:
        """The sum of each over that time; None: there is no value at all."""
        with _answering():
            asked = {f"m{number}": (*each, "Sum") for number, each in enumerate(metrics)}
            found = usage.bins(self._world(READS[1:]), asked, start, end)
            return [sum(found[id].values()) if found[id] else None for id in asked]

    def shares(self, organisation: str, query: str, start: datetime, end: datetime) -> dict[int, float]:
        """What Datadog shows for the query, the largest in each five minutes."""
        with _answering():
            return datadog_api.spans(self._world(()).datadog(organisation), query, start, end, BIN_S)


def _pages(client: Any, asked: dict[str, Any]) -> Iterator[Any]:
    for _ in range(MOST_PAGES):
        page = client.get_cost_and_usage(**asked)
        yield page
        if not page.get("NextPageToken"):
            return
        asked = asked | {"NextPageToken": page["NextPageToken"]}
    raise Failed(TOO_MANY.format(pages=MOST_PAGES))


def _lines(groups: Sequence[Any]) -> Iterator[Line]:
    for each in groups:
        tag, kind = each["Keys"]
        cost = each["Metrics"][METRIC]
        yield Line(tag.partition("$")[2], kind, float(cost["Amount"]), cost["Unit"])


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (*faults.KNOWN, Failed, Unsure) as fault:
        raise Unavailable(str(faults.told(fault))) from fault
    except Misbuilt as fault:
        raise Unavailable(str(fault)) from fault
