"""Several calls that belong to one act: an error after the first is no longer "nothing was changed"."""

from collections.abc import Callable, Sequence
from typing import Any

from runbooks.actions import Unsure
from runbooks.faults import KNOWN, told

PARTLY = "{made} of {all} calls were made, and then: {why}"


def one_by_one(calls: Sequence[Callable[[], Any]]) -> None:
    """Makes them in order. The first one's error is raised as it is, a later one's as Unsure: part of it has happened."""
    for made, call in enumerate(calls):
        try:
            call()
        except KNOWN as error:
            if made == 0:
                raise
            raise Unsure(PARTLY.format(made=made, all=len(calls), why=told(error))) from error
