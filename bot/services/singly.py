"""Rows that are due, each by itself: one that cannot go on is logged, stays due, and keeps no other from it."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

import structlog

log = structlog.get_logger()

Row = TypeVar("Row")
Failed = Callable[[Exception, Row], object]


def each(what: str, rows: Iterable[Row], act: Callable[[Row], object], failed: Failed[Row] | None = None) -> int:
    """How many of them moved: those for which `act` says something true. `failed` may remember one that broke, and why."""
    return sum(_alone(what, row, act, failed) for row in rows)


def _alone(what: str, row: Row, act: Callable[[Row], object], failed: Failed[Row] | None = None) -> bool:
    try:
        return bool(act(row))
    except Exception as fault:  # a background loop: the others must not wait behind the one that is broken
        log.exception("one of what is due did not go on", what=what, row=getattr(row, "id", row))
        if failed is not None:
            _alone(what, row, partial(failed, fault))
        return False
