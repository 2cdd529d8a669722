"""Rows that are due, each by itself: one that cannot go on is logged, stays due, and keeps no other from it."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import structlog

log = structlog.get_logger()

Row = TypeVar("Row")


def each(what: str, rows: Iterable[Row], act: Callable[[Row], object]) -> int:
    """How many of them moved: those for which `act` says something true."""
    return sum(_alone(what, row, act) for row in rows)


def _alone(what: str, row: Row, act: Callable[[Row], object]) -> bool:
    try:
        return bool(act(row))
    except Exception:  # a background loop: the others must not wait behind the one that is broken
        log.exception("one of what is due did not go on", what=what, row=getattr(row, "id", row))
        return False
