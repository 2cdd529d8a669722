"""Everything that the sections of a review may know, read from our own rows as of one instant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.config.models import UNKNOWN_SERVICE
from bot.review.facts import Facts, Month, Page, Past, Trail
from bot.services.review import choosing, composing
from bot.services.review.facts import agreed, decided, duty, echoes, histories, noting, past, sources
from bot.services.review.facts.cohort import Cohort
from bot.services.review.facts.histories import History
from bot.services.review.facts.kinds import Kinds
from bot.services.review.facts.known import Known
from bot.services.review.facts.members import members
from bot.services.review.facts.sameness import LOOK, by_group
from bot.services.review.facts.sides import Sides
from bot.services.review.facts.told import told
from bot.services.review.facts.trail import trail as _trail
from bot.services.review.undisturbed import undisturbed
from bot.store import echoes as store
from bot.store import months, testimony
from bot.store.alerts import alert
from bot.store.months import Range


@undisturbed()
def facts(connection: sa.Connection, config: Config, month: Month) -> Facts:
    """The month as it was known at `month.as_of`; the connection must be one for looking only."""
    before = past.sealed(connection, month)
    return _gather(connection, config, month, _reckoned(connection, config, month) if before is None else before)


def trail(connection: sa.Connection, config: Config, month: Month) -> Trail:
    """The journal of the month alone: whether it is whole."""
    return _trail(connection, month)


def _reckoned(connection: sa.Connection, config: Config, month: Month) -> Mapping[str, Past] | None:
    """The figures of the month before, which nobody has sealed; None: no group is older than the month."""
    last = choosing.named(config, month.previous(), month.as_of)
    oldest = store.oldest(connection)
    if oldest is None or oldest >= month.start:
        return None
    return past.figures(composing.compose(_gather(connection, config, last, None)).figures)


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of alerts: their groups, and what is counted on the way."""

    cohort: Cohort
    known: Known
    endpoints: Mapping[str, int]            # alerts by endpoint
    kept: Mapping[int, set[int]]            # alerts whose call was held back, by silence
    runs: list[sa.Row[tuple[object, ...]]]
    attempts: list[sa.Row[tuple[object, ...]]]


def _gather(connection: sa.Connection, config: Config, month: Month, before: Mapping[str, Past] | None) -> Facts:
    read = _alerts(connection, config, month)
    echoed = echoes.echoes(connection, config, month, read.known.kinds)
    groups, worked = read.cohort.groups, duty.interventions(connection, month)
    runs = agreed.runs(read.runs, month, read.cohort.same, {each.id for each in groups})
    return Facts(
        month, config, groups=groups, carried=read.cohort.carried(), drills=read.cohort.drills,
        maintained=read.cohort.maintained, earlier=echoed.groups, runs=tuple(runs),
        pages=_pages(config, read, month), told=tuple(told(connection, month)),
        silences=agreed.silences(connection, month, read.kept), slots=duty.slots(connection, config, month),
        handoffs=duty.handoffs(connection, month), interventions=worked,
        sources=sources.sources(connection, config, month, read.endpoints),
        decisions=decided.decisions(connection, config, month, groups, echoed),
        incidents=agreed.incidents(connection, month, echoed.starts[0]),
        maintenance=agreed.maintenance(config, month), measures=agreed.measures(connection, month),
        trail=trail(connection, config, month), before=before, volumes=echoed.volumes(),
    )


def _pages(config: Config, read: _Read, month: Month) -> tuple[Page, ...]:
    same, found = read.cohort.same, duty.pages(config, read.attempts, month.as_of)
    mine = (each for each in found if month.has(each.at))
    return tuple(replace(each, group=same[each.group]) if each.group in same else each for each in mine)


# --- alerts ---------------------------------------------------------------------------------------------------------------


def _alerts(connection: sa.Connection, config: Config, month: Month) -> _Read:
    """Groups of the month, those open when it began, and the first that followed: what came back belongs to its first."""
    alerts = months.numbers(connection, alert.c.opened_at, month.start, month.as_of)
    groups = months.numbers(connection, alert.c.opened_at, month.start, month.until)
    since, as_of = month.start - LOOK, month.as_of
    older = months.members_of(connection, months.spanning(connection, month.start, since))
    older = [row for row in older if not groups[0] <= row.group_id < groups[1]]
    changed = histories.of(connection, [*months.moved_since(connection, alerts, as_of), *_moved(older, as_of)], as_of)
    known = Known(Sides(connection, config, since, max(as_of, month.end) + LOOK, as_of), Kinds(config.month.drills))
    read = _Read(
        Cohort(month, known, agreed.maintenance(config, month)), known,
        noting.in_range(connection, known, alerts, changed, since, as_of),
        noting.note_silenced(known, testimony.told(connection, (noting.HELD_BACK,), since, as_of)),
        months.runs(connection, since, as_of), months.attempts(connection, since, as_of),
    )
    known.levels |= duty.levels(read.attempts)
    known.second_levels |= duty.second_levels(read.attempts)
    noting.note_runs(known, read.runs)
    known.approved |= {row.group_id: row.at for row in months.approved(connection, since, as_of)}
    noting.note_ruled(known, connection, months.unknown(connection, alerts, UNKNOWN_SERVICE), as_of)
    noting.of_some(connection, known, [row.id for row in older], sorted({row.group_id for row in older}), as_of)
    _fill(connection, read.cohort, older, groups, changed)
    return read


def _moved(rows: Iterable[sa.Row[Any]], as_of: datetime) -> list[tuple[int, str]]:
    """Those that went on after it."""
    unsettled = (each for each in rows if each.closed_at is None or each.closed_at > as_of)
    return [(each.id, each.fingerprint) for each in unsettled if each.updated_at > as_of]


def _fill(
    connection: sa.Connection, cohort: Cohort, older: Iterable[sa.Row[Any]], groups: Range, changed: Mapping[int, History]
) -> None:
    """In the order of their opening: before the month, in it, and what goes on after it."""
    month = cohort.month
    for each in by_group(members(chain(older, months.members(connection, groups)), month.as_of, changed), month.as_of):
        if each[0].opened_at < month.end:
            cohort.add(each)
    after = months.members_of(connection, months.followers(connection, cohort.unfinished(), month.end, month.as_of))
    for each in by_group(members(after, month.as_of, changed), month.as_of):
        cohort.add(each)
    cohort.known.forget()
