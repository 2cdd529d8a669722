"""Whether somebody is still needed: read anew from the rows each time before anybody is called."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from bot.config import Config
from bot.services.call import silences
from bot.services.call.levels import About
from bot.services.leave import duty
from bot.services.leave.mandates import FIX
from bot.store import journal, runs
from bot.store.alerts import Alert

LOOK_AGAIN = timedelta(minutes=1)           # while a run is at it
TROUBLE = ("firing", "acked")
MOST_ENTRIES = 300

What = Literal["wanted", "held", "answered", "over"]


@dataclass(frozen=True, slots=True)
class Need:
    """wanted: nobody has it; held: nobody is called until then; answered: by that person; over: nothing to be done."""

    what: What
    by: str | None = None
    until: datetime | None = None
    why: str = ""


def of_group(
    config: Config, connection: sa.Connection, members: Sequence[Alert], about: About, since: datetime, now: datetime,
    relieves: str | None = None,
) -> Need:
    """What a group needs; `since` is when the calling about it began. Whoever is to be relieved has it, and help is wanted."""
    if about == "recovered":
        return _of_recovered(config, connection, members, since, relieves)
    trouble = [each for each in members if each.state in TROUBLE]
    if not trouble:
        return Need("over")
    owner = owner_of(config, trouble, now)
    if owner and owner != relieves:
        return Need("answered", owner)
    return _held(connection, trouble, now) or Need("wanted")


def owner_of(config: Config, members: Sequence[Alert], now: datetime) -> str | None:
    """Who has it: not whoever sleeps meanwhile."""
    owners = [each.acked_by for each in members if each.state == "acked" and each.acked_by]
    return next((key for key in owners if duty.asleep(config, key, now) is None), None)


def _held(connection: sa.Connection, trouble: Sequence[Alert], now: datetime) -> Need | None:
    """Snoozed, silenced, or a run is at it: then nobody is called now."""
    snoozed = [each.snoozed_until for each in trouble if each.snoozed_until and each.snoozed_until > now]
    if len(snoozed) == len(trouble):
        return Need("held", until=min(snoozed), why="snoozed")
    important = any(each.important for each in trouble)
    if silence := silences.covering(connection, trouble[0].service, important, now):
        return Need("held", until=silence.until, why=f"silence {silence.id}")
    if run := _run_at_it(connection, trouble[0].group_id):
        return Need("held", until=now + LOOK_AGAIN, why=f"run {run}")
    return None


def _run_at_it(connection: sa.Connection, group_id: int) -> int | None:
    found = runs.find(
        connection, runs.run.c.group_id == group_id, runs.run.c.purpose == FIX, runs.run.c.state.in_(runs.UNDER_WAY), most=1
    )
    return found[0].id if found else None


def _of_recovered(
    config: Config, connection: sa.Connection, members: Sequence[Alert], since: datetime, relieves: str | None
) -> Need:
    """One that is not believed to be well waits until it is closed, comes back (a reason of its own), or somebody looks."""
    waiting = [each for each in members if each.state == "recovered" and each.proof]
    if not waiting:
        return Need("over")
    acted = last_act(config, connection, members, since)
    if acted and acted[0] != relieves:
        return Need("answered", acted[0])
    return Need("wanted")


def last_act(
    config: Config, connection: sa.Connection, members: Sequence[Alert], since: datetime, person: str | None = None
) -> tuple[str, datetime] | None:
    """The newest thing that a person (that one, if one is named) did about these alerts after `since`."""
    entries = journal.about(connection, [f"alert:{each.id}" for each in members], most=MOST_ENTRIES)
    acts = [(each.actor, each.at) for each in entries if each.actor in config.people and each.at > since]
    return next((each for each in reversed(acts) if person in (None, each[0])), None)


def of_run(connection: sa.Connection, run_id: int, number: int, tries: int) -> Need:
    """A step in doubt waits for somebody's word, and only for that."""
    run = runs.by_id(connection, run_id)
    if run is None or run.state != runs.IN_DOUBT or run.position + 1 != number:
        return Need("over")
    step = next((each for each in runs.steps(connection, run_id) if each.number == run.position), None)
    return Need("wanted") if step is not None and step.tries == tries else Need("over")
