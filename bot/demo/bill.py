"""What CloudWatch and the bill would have said of each day of the invented months: 18 machines that have little to do."""

import math
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.config import Config
from bot.services.leave.hours import instant
from bot.services.review.measuring import BIN_S, CAPACITY, COST
from bot.services.rota.office import OPENS
from bot.store.measures import Reading

MACHINES, LEAST, MOST, ZONES = 18, 18, 20, 2
DAY, BIN = timedelta(days=1), timedelta(seconds=BIN_S)
BILLED = {"pay-api": 61.0, "pay-db": 38.5, "ledger": 17.2, "bank-sync": 11.9, "edge": 9.4, "": 6.3}       # USD a day, by tag


def readings(config: Config, zone: ZoneInfo, first: date, last: date) -> Iterator[Reading]:
    """What was read of the days from `first` until before `last`, each on the morning after."""
    day = first
    while day < last:
        read_at = instant(day + DAY, OPENS, zone)
        for name in config.month.costs.pools:
            yield Reading(CAPACITY, name, day, read_at, _machines(day, zone))
        if config.aws:
            lines = [[tag, "Usage", round(money * _mood(day), 2), "USD"] for tag, money in BILLED.items()]
            yield Reading(COST, config.aws.account, day, read_at, {"estimated": False, "lines": lines})
        day += DAY


def _machines(day: date, zone: ZoneInfo) -> dict[str, object]:
    start, end = (instant(each, datetime.min.time(), zone) for each in (day, day + DAY))
    cpu = [round(_load(start + number * BIN, zone), 2) for number in range((end - start) // BIN)]
    return {
        "desired": MACHINES, "minimum": LEAST, "maximum": MOST, "zones": ZONES, "kinds": ["m5.large"], "mixed": False,
        "policies": ["cpu-40"], "planned": [], "sticky": False, "targets": 1, "start": int(start.timestamp()),
        "series": {
            "in_service": [MACHINES] * len(cpu), "cpu": cpu, "peak": [round(2 * each, 2) for each in cpu],
            "memory": [round(3 + each, 2) for each in cpu],
        },
    }


def _load(at: datetime, zone: ZoneInfo) -> float:
    """Percent of CPU: merchants sleep at night too."""
    here = at.astimezone(zone)
    return 2.6 + 1.3 * math.sin((here.hour + here.minute / 60 - 8) / 24 * 2 * math.pi)


def _mood(day: date) -> float:
    return 1 + 0.06 * math.sin(day.toordinal())
