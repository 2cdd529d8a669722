"""What a handoff's note says of what came back again and again, and of what was closed in the shift that ends."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from bot.services.alert.response import called
from bot.services.desk import VIGIE
from bot.services.handoff.note import Closed, Item, Section
from bot.services.handoff.standing import Place, item, section, short
from bot.store import overnight
from bot.store.alerts import SEVERITIES, Alert

FLAPPING_IN, FLAPPING = timedelta(minutes=60), 3
REPEATS_IN, REPEATS = timedelta(hours=24), 3
MOST_TOP = 3
FLAPS, REPEATED, NO_DATA = "recovered {count} times in 60 min", "fired {count} times in 24 h", "sends no data"
UNSEEN = ("error budget", "sources that fell silent", "outages of banks and partners")


def watch(where: Place) -> Section:
    """What is not trouble yet: flaky, repeated, silent."""
    flapping = dict(_flapping(where))
    repeats = (each for each in _repeats(where) if each.ref not in flapping)
    return section([*flapping.values(), *repeats, *_silent(where)], UNSEEN)


def _flapping(where: Place) -> Iterator[tuple[str, Item]]:
    """At least three cycles in an hour, of one fingerprint: told by its newest alert."""
    counts = overnight.recovered(where.connection, where.now - FLAPPING_IN)
    known = {each.id: each for each in where.mine(overnight.by_ids(where.connection, list(counts)))}
    cycles: Counter[str] = Counter()
    for number, alert in known.items():
        cycles[alert.fingerprint] += counts[number]
    newest = {alert.fingerprint: alert for alert in known.values()}
    for fingerprint, count in cycles.most_common():
        if count >= FLAPPING:
            told = item(newest[fingerprint], flags=(FLAPS.format(count=count),))
            yield told.ref, told


def _repeats(where: Place) -> Iterator[Item]:
    for alert, count in overnight.repeats(where.connection, where.now - REPEATS_IN, REPEATS):
        if where.covers(alert.service):
            yield item(alert, flags=(REPEATED.format(count=count),))


def _silent(where: Place) -> Iterator[Item]:
    for row in overnight.silent_observers(where.connection):
        if where.covers(row.service):
            yield Item(ref=f"observer-{row.observer}", name=row.observer, text=NO_DATA, since=row.at)


def _ended(where: Place, alert: Alert) -> Item:
    return item(alert, who=called(where.desk, alert.closed_by), last=short(alert.close_reason or ""), last_at=alert.closed_at)


def closed(where: Place) -> Closed:
    """How many, how bad, by whom, and the worst of them."""
    end = min(where.now, where.times.passes_at)
    every = where.mine(overnight.closed(where.connection, where.times.begun_at, end))
    counts = Counter(each.severity for each in every)
    return Closed(
        by_severity={name: counts[name] for name in SEVERITIES if counts[name]},
        by_vigie=sum(each.closed_by == VIGIE.key for each in every),
        unrecognised=sum(not each.recognised for each in every),
        top=tuple(_ended(where, each) for each in every[:MOST_TOP]),
    )
