"""What came back within half an hour of its end is still the same group; so is it on both sides of a month's edge."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

SAME = timedelta(minutes=30)            # of quiet; what comes back later is another group
LOOK = timedelta(days=1)                # how far before the month it is looked what goes on in it


class Opened(Protocol):
    """One alert of a group."""

    @property
    def id(self) -> int: ...
    @property
    def group_id(self) -> int: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def opened_at(self) -> datetime: ...


Alert = TypeVar("Alert", bound=Opened)
Unit = TypeVar("Unit")


def by_group(alerts: Iterable[Alert], as_of: datetime) -> Iterator[list[Alert]]:
    """Group by group, each with those of its alerts that were known by then, its founder first."""
    group: list[Alert] = []
    number: int | None = None
    for each in alerts:
        if each.group_id != number:
            if group:
                yield group
            group, number = [], each.group_id
        if each.opened_at <= as_of and (group or each.id == number):
            group.append(each)
    if group:
        yield group


def newest(known: Mapping[str, Unit], members: Sequence[Opened]) -> Unit | None:
    """The newest group of all these alerts' fingerprints; None: they have none, or not the same."""
    found = known.get(members[0].fingerprint)
    if len(members) > 1 and any(known.get(each.fingerprint) is not found for each in members):
        return None
    return found


def goes_on(ended: datetime | None, opened_at: datetime) -> bool:
    """Whether what opens then is still the group that ended so."""
    return ended is not None and opened_at - ended <= SAME
