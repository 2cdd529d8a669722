"""Duty in a month, as it was known at one instant: slots, calls, interventions, handoffs."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.config import Config
from bot.review.facts import Handoff, Intervention, Month, Page, Slot
from bot.services.rota import roster
from bot.store import duties
from bot.store.escalations import DUE, SENT
from bot.store.shifts import Absence


def slots(connection: sa.Connection, config: Config, month: Month) -> tuple[Slot, ...]:
    """Who was on duty: every role of every coverage, each minute of the month in one."""
    published = duties.published_by(connection, month.start, month.end, month.as_of)
    absences = duties.absences_by(connection, month.start, month.end, month.as_of)
    absences += _gone(config, duties.left_by(connection, month.as_of), month)
    found = (
        slot for coverage in config.coverages
        for slot in roster.fill(config, coverage, month.start, month.end,
                                [each for each in published if each.coverage == coverage], absences, frozenset())
    )
    return tuple(_slot(config, each) for each in found)


def _gone(config: Config, left: dict[str, datetime], month: Month) -> list[Absence]:
    """Whoever has left is away from then on; what they had before, they had."""
    return [
        Absence(0, person, config.people[person].organisation, at, month.end, "vigie", at, None)
        for person, at in sorted(left.items()) if person in config.people and at < month.end
    ]


def _slot(config: Config, slot: roster.Slot) -> Slot:
    person = config.people.get(slot.person) if slot.person else None
    mute = slot.mode == "on_call" and person is not None and not person.contacts
    return Slot(slot.coverage, slot.organisation, slot.team, slot.role, slot.mode, slot.person, slot.start, slot.end, not mute)


def pages(config: Config, attempts: Iterable[sa.Row[tuple[object, ...]]], as_of: datetime) -> Iterator[Page]:
    """Attempts to reach somebody; what became of them after `as_of` is not known."""
    for each in attempts:
        person = config.people.get(each.person)
        yield Page(
            each.person, person.organisation if person else "", each.group_id, each.level + 1, each.role, each.medium, each.at,
            _state(each, as_of),
        )


def _state(attempt: sa.Row[tuple[object, ...]], as_of: datetime) -> str:
    """Seen later is sent now; sent later, or answered before it was sent, is due."""
    if attempt.seen_at is not None and attempt.sent_at is None:
        return DUE
    if attempt.seen_at is not None and attempt.seen_at > as_of:
        return SENT
    if attempt.sent_at is not None and attempt.sent_at > as_of:
        return DUE
    return str(attempt.state)


def levels(attempts: Iterable[sa.Row[tuple[object, ...]]]) -> dict[int, int]:
    """How many levels were called about each group."""
    found: dict[int, int] = {}
    for each in attempts:
        if each.group_id is not None:
            found[each.group_id] = max(found.get(each.group_id, 0), each.level + 1)
    return found


def second_levels(attempts: Iterable[sa.Row[tuple[object, ...]]]) -> dict[int, datetime]:
    """When somebody beyond the first level was first called about each group; attempts in the order in which they were made."""
    found: dict[int, datetime] = {}
    for each in attempts:
        if each.group_id is not None and each.level > 0:
            found.setdefault(each.group_id, each.at)
    return found


def interventions(connection: sa.Connection, month: Month) -> tuple[Intervention, ...]:
    """Work of people on call that touches the month; what was corrected later is as it is said now."""
    return tuple(
        Intervention(
            each.person, each.organisation, each.alert_id, each.start,
            each.end if each.end is not None and each.end <= month.as_of else None,
            each.confirmed_at is not None and each.confirmed_at <= month.as_of,
        )
        for each in duties.interventions(connection, month.start, month.end, month.as_of)
    )


def handoffs(connection: sa.Connection, month: Month) -> tuple[Handoff, ...]:
    """Those whose boundary lies in what has gone by of the month."""
    actions = duties.actions(connection, month.as_of)
    return tuple(_handoff(each, actions, month) for each in duties.handoffs(connection, month.start, month.until))


def _handoff(
    row: sa.Row[tuple[object, ...]], actions: Sequence[sa.Row[tuple[object, ...]]], month: Month
) -> Handoff:
    accepted = row.accepted_at is not None and row.accepted_at <= month.as_of
    carried = [
        (row.boundary - each.made_at).days for each in actions
        if each.coverage == row.coverage and each.made_at < row.boundary
        and (each.closed_at is None or each.closed_at > row.boundary)
    ]
    state = row.state if accepted or row.state != "accepted" else "submitted"
    return Handoff(
        row.coverage, row.boundary, row.direction, row.from_team, row.to_team, state, row.outgoing, row.incoming,
        row.accepted_by if accepted else None, row.accepted_at if accepted else None, accepted and row.synthesis is not None,
        len(carried), max(carried, default=None),
    )
