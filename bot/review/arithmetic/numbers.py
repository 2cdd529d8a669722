"""Shares, means, medians and percentiles, with what a small sample forbids."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

FEW = 5                     # below it no percentile is printed: the list is


@dataclass(frozen=True, slots=True)
class Spread:
    """How values lie: None of a small sample (n < 5), or of none."""

    n: int
    mean: float | None
    median: float | None
    p90: float | None


def share(part: int | float, whole: int | float) -> float | None:
    """0 to 1; None of nothing."""
    return part / whole if whole else None


def spread(values: Sequence[float]) -> Spread:
    """Mean of any sample; median and 90th percentile (nearest rank) of at least five values."""
    if not values:
        return Spread(0, None, None, None)
    ranked = sorted(values)
    mean = statistics.fmean(ranked)
    if len(ranked) < FEW:
        return Spread(len(ranked), mean, None, None)
    return Spread(len(ranked), mean, statistics.median(ranked), percentile(ranked, 90))


def percentile(ranked: Sequence[float], percent: int) -> float:
    """Nearest rank of sorted values: the smallest that at least so many percent do not exceed."""
    return ranked[max(0, -(-len(ranked) * percent // 100) - 1)]
