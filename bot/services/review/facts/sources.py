"""What came through each endpoint in a month, and how long it was silent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.config import Config
from bot.review.facts import Month, Source
from bot.services.alert.arrivals import fingerprint
from bot.sources import unreadable_key
from bot.store import months


@dataclass(slots=True)
class _Heard:
    """What was heard of one endpoint so far."""

    source: str
    organisation: str
    observer: str
    last: datetime
    garbled: str                        # the fingerprint of what could not be read
    signals: int = 0
    longest: timedelta = timedelta(0)   # of silence
    unreadable: int = 0

    def hear(self, print_: str, at: datetime) -> None:
        self.signals += 1
        self.unreadable += print_ == self.garbled
        silence, self.last = at - self.last, at
        if silence > self.longest:
            self.longest = silence


def sources(connection: sa.Connection, config: Config, month: Month, groups: Mapping[str, int]) -> tuple[Source, ...]:
    """Every endpoint of vigie.yaml, and those from which something came all the same."""
    heard = {
        name: _Heard(each.source, each.organisation, each.observer or each.source, month.start, _garbled(each.organisation, name))
        for name, each in config.endpoints.items()
    }
    for endpoint, observer, organisation, source, print_, at in months.received(connection, month.start, month.until):
        if endpoint not in heard:
            heard[endpoint] = _Heard(source, organisation, observer, month.start, _garbled(organisation, endpoint))
        heard[endpoint].hear(print_, at)
    dropped = months.dropped(connection, month.as_of)
    return tuple(_source(name, each, month, groups.get(name, 0), dropped.get(name, 0)) for name, each in sorted(heard.items()))


def _source(name: str, heard: _Heard, month: Month, groups: int, dropped: int) -> Source:
    silence = max(heard.longest, month.until - heard.last).total_seconds()
    return Source(
        name, heard.source, heard.organisation, heard.observer, heard.signals, groups, heard.last if heard.signals else None,
        silence, dropped, heard.unreadable,
    )


def _garbled(organisation: str, endpoint: str) -> str:
    return fingerprint(organisation, unreadable_key(endpoint))
