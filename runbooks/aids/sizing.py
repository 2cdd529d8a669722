"""How many instances a group needs, from what was measured: pure arithmetic over series of five minutes, with its refusals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

BIN_S = 300
STEP = 0.25                     # at most this part of the group goes in one step
MOST_MISSING = 0.05             # of the bins
LEAST_DAYS = 14
MEMORY_TARGET = 0.80
THREADS_TARGET = 0.70
CREDITS_FALL = 0.9              # of what they were at the beginning
CPU_LOW = 50.0

MISSING = "{percent:.0f} % of the 5-minute values of {what} are missing (at most 5 % may be)"
SHORT = "{days} days are too few: at least 14 are needed, with a month's end among them"
NO_MEMORY = "how much memory is used is not known (mem_used_percent of the CloudWatch agent)"
SURPLUS = "CPU credits beyond the earned ones were charged: it works above its baseline"
FALLING = "CPU credits fell from {first:.0f} to {last:.0f}: it lives on its savings"
BREACHED = "it was too slow or failed in {count} of the 5-minute spans, and nobody has explained why"
ELSEWHERE = "it was so at {cpu:.0f} % CPU or less: the bottleneck is elsewhere (threads, connections, a queue)"

Series = Mapping[int, float]    # epoch seconds of the bin -> value


@dataclass(frozen=True, slots=True)
class Measured:
    """What CloudWatch knows of a group; an empty series was not measured."""

    days: int
    zones: int
    in_service: Series
    cpu: Series                             # percent, average of the group
    memory: Series = field(default_factory=dict)        # percent
    requests: Series = field(default_factory=dict)      # in the bin
    latency_s: Series = field(default_factory=dict)     # average of the bin
    errors: Series = field(default_factory=dict)        # 5xx of the targets in the bin
    credits: Series = field(default_factory=dict)
    surplus: Series = field(default_factory=dict)
    busy_threads: Series = field(default_factory=dict)  # share of the worker threads, 0 to 1


@dataclass(frozen=True, slots=True)
class Aims:
    """What the group must be able to bear."""

    growth: float = 1.25
    utilisation: float = 0.60
    threads: int | None = None              # worker threads (or database connections) of one instance
    rate_tested: float | None = None        # requests a second that one instance is known to bear
    slow_s: float = 1.0
    errors_percent: float = 1.0
    explained: bool = False                 # somebody knows why it was slow or failed


@dataclass(frozen=True, slots=True)
class Need:
    """What the load needs by each measure, and what the group needs to outlive the loss of a zone."""

    by: Mapping[str, int]
    load: int
    recommended: int

    @property
    def decisive(self) -> str:
        """The measure that needs most."""
        return max(self.by, key=lambda name: self.by[name])


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent do not exceed: one of the values, never one in between."""
    ranked = sorted(values)
    return ranked[max(0, ceil(len(ranked) * percent / 100) - 1)] if ranked else 0.0


def need(measured: Measured, aims: Aims) -> Need:
    """The largest of what CPU, requests, threads and memory need, with one zone to spare."""
    busy = _product(measured.cpu, measured.in_service, 0.01)
    by = {"CPU": ceil(percentile(busy, 99) * aims.growth / aims.utilisation)}
    if measured.memory:
        by["memory"] = ceil(percentile(_product(measured.memory, measured.in_service, 0.01), 99) * aims.growth / MEMORY_TARGET)
    rate = percentile(list(measured.requests.values()), 99) / BIN_S
    if measured.requests and aims.rate_tested:
        by["request rate"] = ceil(rate * aims.growth / aims.rate_tested)
    if measured.requests and measured.latency_s and aims.threads:
        waiting = rate * percentile(list(measured.latency_s.values()), 95)      # Little's law
        by["thread pool"] = ceil(waiting * aims.growth / (THREADS_TARGET * aims.threads))
    if measured.busy_threads:
        full = percentile(_product(measured.busy_threads, measured.in_service, 1), 99)
        by["thread pool"] = max(by.get("thread pool", 0), ceil(full * aims.growth / THREADS_TARGET))
    load = max(by.values())
    return Need(by, load, with_a_zone_to_spare(load, measured.zones))


def with_a_zone_to_spare(load: int, zones: int) -> int:
    """So many outlive the loss of one of the zones; at least one in each, and never fewer than two."""
    return max(ceil(load * zones / (zones - 1)) if zones > 1 else load, zones, 2)


def highest_rate(measured: Measured, aims: Aims) -> float:
    """The most requests a second that one instance bore while all was well."""
    bad = set(breaches(measured, aims))
    return max((
        count / BIN_S / measured.in_service[at] for at, count in measured.requests.items()
        if at not in bad and measured.in_service.get(at)
    ), default=0.0)


def step_down(current: int, recommended: int) -> int:
    """The next number on the way down: at most a quarter of the group goes at once, at least one."""
    return max(recommended, current - max(1, int(current * STEP))) if recommended < current else current


def refusals(measured: Measured, aims: Aims) -> list[str]:
    """Why nothing can be recommended from these figures; empty when it can."""
    said = [SHORT.format(days=measured.days)] if measured.days < LEAST_DAYS else []
    wanted = measured.days * 24 * 3600 // BIN_S
    for what, series in (("CPU", measured.cpu), ("instances in service", measured.in_service)):
        missing = 1 - len(series) / wanted
        said += [MISSING.format(percent=missing * 100, what=what)] if missing > MOST_MISSING else []
    said += [] if measured.memory else [NO_MEMORY]
    return said + _credits(measured) + _unexplained(measured, aims)


def breaches(measured: Measured, aims: Aims) -> list[int]:
    """The bins in which it was too slow, or too much of it failed."""
    slow = {at for at, seconds in measured.latency_s.items() if seconds > aims.slow_s}
    failed = {
        at for at, count in measured.errors.items()
        if count > aims.errors_percent / 100 * measured.requests.get(at, 0.0)
    }
    return sorted(slow | failed)


def _credits(measured: Measured) -> list[str]:
    said = [SURPLUS] if any(measured.surplus.values()) else []
    days = [measured.credits[at] for at in sorted(measured.credits)]
    day = 24 * 3600 // BIN_S
    if len(days) >= 2 * day:
        first, last = sum(days[:day]) / day, sum(days[-day:]) / day
        said += [FALLING.format(first=first, last=last)] if last < first * CREDITS_FALL else []
    return said


def _unexplained(measured: Measured, aims: Aims) -> list[str]:
    bad = breaches(measured, aims)
    if not bad or aims.explained:
        return []
    busiest = max((measured.cpu.get(at, 0.0) for at in bad), default=0.0)
    return [BREACHED.format(count=len(bad))] + ([ELSEWHERE.format(cpu=busiest)] if busiest < CPU_LOW else [])


def _product(one: Series, other: Series, factor: float) -> list[float]:
    """The two multiplied, where both were measured."""
    return [value * other[at] * factor for at, value in one.items() if at in other]
