"""What the month knows of clouds: each day is read once it is over and kept in rows; no page that is looked at asks for it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import structlog

from bot.config import Config
from bot.config.months import Pool
from bot.errors import Unavailable
from bot.labour.arithmetic.days import midnight
from bot.services.desk import Desk
from bot.store import measures
from bot.store.measures import Reading
from runbooks.aids import usage

log = structlog.get_logger()

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BACK = 35                       # days: CloudWatch keeps five minutes for 63, Cost Explorer corrects a month for some days
SETTLES = timedelta(hours=1)    # metrics of the last minutes of a day come late
BILLED = time(6)                # UTC: by then the day before is on the bill
MOST_AT_ONCE = 8                # readings a knock; the rest comes with the next
BIN_S = 300
BILL = "ce:GetCostAndUsage"
COST, CAPACITY, AVAILABILITY = "cost", "capacity", "availability"


class Clouds(Protocol):
    """Who reads clouds; each call raises Unavailable with a sentence that says why not."""

    def bills(self, tag: str, start: date, end: date) -> Mapping[date, Any]:
        """Days in [start, end), in one paid call."""

    def machines(self, group: str, start: datetime, end: datetime, balancer: Mapping[str, str] | None) -> Any:
        """An Auto Scaling group and what was measured of it: runbooks.aids.usage.Usage."""

    def sums(self, metrics: Sequence[tuple[str, str, Mapping[str, str]]], start: datetime, end: datetime) -> list[float | None]:
        """The sum of each metric (namespace, name, dimensions); None: there is no value at all."""

    def shares(self, organisation: str, query: str, start: datetime, end: datetime) -> Mapping[int, float]:
        """Of a Datadog query, the largest in each five minutes."""


def rights(config: Config) -> tuple[str, ...]:
    """The IAM actions that the role that looks needs for it."""
    month = config.month
    bill = (BILL,) if month.costs.bill else ()
    return (*bill, *(usage.READS if month.costs.pools or month.availability.requests else ()))


@dataclass(frozen=True, slots=True)
class Due:
    """One thing to ask: of which days of what."""

    kind: str
    subject: str
    day: date                               # the first of the days
    until: date                             # the day after the last of them


class Measurer:
    """Asks for what is missing, a few days a knock; a failure is kept with its reason and tried again in the next hour."""

    def __init__(self, desk: Desk, clouds: Clouds, back: int = BACK) -> None:
        self._desk, self._clouds, self._back = desk, clouds, back
        own = next((each for each in desk.config.organisations.values() if each.kind == "own"), None)
        self._zone = ZoneInfo(own.timezone if own else "UTC")
        self._own = next((key for key, each in desk.config.organisations.items() if each.kind == "own"), "")

    def act(self) -> int:
        """How many readings were kept. Safe to repeat, from any number of processes: they take turns by the hour."""
        kept, left, failed = 0, MOST_AT_ONCE, set[tuple[str, str]]()
        for due in self._due():
            if not left or (due.kind, due.subject) in failed or not self._my_turn(due):
                continue
            left -= 1
            try:
                readings = self._read(due)
            except Unavailable as problem:
                failed.add((due.kind, due.subject))
                self._failed(due, str(problem))
                continue
            with self._desk.begin("measure") as connection:
                measures.add(connection, readings)
            kept += len(readings)
        return kept

    def _my_turn(self, due: Due) -> bool:
        """Not when another process asks in this hour, nor when this subject could not be read in it."""
        hour = self._desk.clock.now().replace(minute=0, second=0, microsecond=0)
        with self._desk.begin("measure") as connection:
            if measures.failed_since(connection, due.kind, due.subject, hour):
                return False
            return measures.take_turn(connection, due.kind, due.subject, due.until - DAY, hour)

    def _failed(self, due: Due, why: str) -> None:
        log.warning("a day could not be read", kind=due.kind, subject=due.subject, day=f"{due.day}", why=why)
        with self._desk.begin("measure") as connection:
            measures.fail(connection, due.kind, due.subject, due.until - DAY, self._desk.clock.now(), why)

    # --- what is due ---

    def _due(self) -> list[Due]:
        config = self._desk.config
        if config.aws is None:
            return []
        month, now = config.month, self._desk.clock.now()
        wanted = [(CAPACITY, name) for name in month.costs.pools]
        wanted += [(AVAILABILITY, name) for name in month.availability.requests]
        with self._desk.read() as connection:
            found = list(self._bill_due(connection, config.aws.account, now))
            for kind, subject in wanted:
                last = (now - SETTLES).astimezone(self._zone).date() - DAY
                days = [last - n * DAY for n in range(self._back - 1, -1, -1)]
                known = measures.days_read(connection, kind, subject, days[0])
                found += [Due(kind, subject, day, day + DAY) for day in days if day not in known]
        return found

    def _bill_due(self, connection: Any, account: str, now: datetime) -> Iterator[Due]:
        """One call a day, for all days that are not known or not final; Cost Explorer's days are those of UTC."""
        today = now.astimezone(UTC).date()
        if not self._desk.config.month.costs.bill or now < datetime.combine(today, BILLED, UTC):
            return
        known = measures.newest(connection, COST, account, today - self._back * DAY)
        if today - DAY in known:
            return
        days = [today - n * DAY for n in range(self._back, 0, -1)]
        first = next(day for day in days if day not in known or known[day].body["estimated"])
        yield Due(COST, account, first, today)

    # --- how it is read ---

    def _read(self, due: Due) -> list[Reading]:
        if due.kind == COST:
            return self._bill(due)
        start, end = midnight(due.day, self._zone), midnight(due.until, self._zone)
        month = self._desk.config.month
        if due.kind == CAPACITY:
            body = self._machines(month.costs.pools[due.subject], start, end)
        else:
            asked = [(each.namespace, each.metric, each.dimensions) for each in month.availability.requests[due.subject]]
            total, failed = self._clouds.sums(asked, start, end)
            body = {"total": total, "failed": failed}
        return [Reading(due.kind, due.subject, due.day, self._desk.clock.now(), body)]

    def _bill(self, due: Due) -> list[Reading]:
        """Only what is new or has changed. A day of which the bill says nothing is kept as such, unless it once said more."""
        found = self._clouds.bills(self._desk.config.month.costs.tag, due.day, due.until)
        with self._desk.read() as connection:
            known = measures.newest(connection, COST, due.subject, due.day)
        days = [due.day + n * DAY for n in range((due.until - due.day).days)]
        bodies = {day: _bill_body(found.get(day)) for day in days}
        now = self._desk.clock.now()
        return [
            Reading(COST, due.subject, day, now, body) for day, body in bodies.items()
            if day not in known or (day in found and known[day].body != body)
        ]

    def _machines(self, pool: Pool, start: datetime, end: datetime) -> dict[str, Any]:
        balancer = None
        if pool.load_balancer:
            balancer = {"LoadBalancer": pool.load_balancer} | ({"TargetGroup": pool.target_group} if pool.target_group else {})
        body = _machines_body(self._clouds.machines(pool.group, start, end, balancer))
        if pool.busy_threads:
            body["series"]["busy_threads"] = _listed(self._clouds.shares(self._own, pool.busy_threads, start, end), start, end)
        return body


def _bill_body(bill: Any) -> dict[str, Any]:
    if bill is None:
        return {"estimated": True, "lines": []}
    lines = sorted((each.tag, each.kind, round(each.amount, 6), each.currency) for each in bill.lines)
    return {"estimated": bill.estimated, "lines": [list(each) for each in lines]}


def _machines_body(used: Any) -> dict[str, Any]:
    """What sizing asks of a day: values of five minutes in their order, None where one is missing."""
    group, series = used.group, {name: each for name, each in asdict(used.measured).items() if isinstance(each, dict)}
    listed = {name: _listed(each, used.start, used.end) for name, each in (series | {"peak": used.peak}).items() if each}
    planned = [
        {"name": each["ScheduledActionName"], "wanted": max(each.get("DesiredCapacity") or 0, each.get("MinSize") or 0),
         "at": str(each.get("Recurrence") or each.get("StartTime", ""))} for each in used.planned
    ]
    return {
        "desired": int(group["DesiredCapacity"]), "minimum": int(group["MinSize"]), "maximum": int(group["MaxSize"]),
        "zones": len(group["AvailabilityZones"]), "kinds": used.kinds, "mixed": bool(group.get("MixedInstancesPolicy")),
        "policies": list(used.policies), "planned": planned, "sticky": used.sticky,
        "targets": len(group.get("TargetGroupARNs", [])), "start": int(used.start.timestamp()), "series": listed,
    }


def _listed(series: Mapping[int, float], start: datetime, end: datetime) -> list[float | None]:
    bins = range(int(start.timestamp()), int(end.timestamp()), BIN_S)
    return [round(series[at], 4) if at in series else None for at in bins]
