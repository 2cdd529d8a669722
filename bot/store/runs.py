"""Runs of runbooks: the run, its steps, the lock on its target, files it made."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.db import BigId, Utc, metadata

WAITING, RUNNING, ASKING, IN_DOUBT, UNDOING = "waiting", "running", "asking", "in doubt", "undoing"
SUCCEEDED, FAILED, CANCELLED = "succeeded", "failed", "cancelled"
UNDER_WAY = (WAITING, RUNNING, ASKING, IN_DOUBT, UNDOING)
ENDED = (SUCCEEDED, FAILED, CANCELLED)

run = sa.Table(
    "run",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("runbook", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("definition", sa.Text, nullable=False),          # the runbook as it was: editing its file changes no run
    sa.Column("parameters", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),             # fix: run the steps; proof: only look whether all is well
    sa.Column("mode", sa.Text, nullable=False),                # the rung on which it was started: manual, click, automatic
    sa.Column("alert_id", BigId),
    sa.Column("group_id", BigId),
    sa.Column("service", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("mandate", sa.Text),                             # the clause that allows it: nights §1
    sa.Column("mandate_version", sa.Text),
    sa.Column("config_version", sa.Text, nullable=False),
    sa.Column("glass", sa.Text),                               # why the mandate was broken
    sa.Column("reviewed_by", sa.Text),                         # who looked at the broken glass
    sa.Column("position", sa.Integer, nullable=False),         # the step that is next or under way
    sa.Column("begun_at", Utc, nullable=False),
    sa.Column("ended_at", Utc),
    sa.Column("said", sa.Text),                                # how it ended, in a sentence
    sa.Column("cancelled_by", sa.Text),
    sa.Column("relapsed_at", Utc),                             # the fault came back in probation: the run had not fixed it
    sa.Column("due_at", Utc),                                  # when it goes on; null: a person or another run decides
    sa.Column("busy", sa.Boolean, nullable=False),
    sa.Column("leg", sa.Integer, nullable=False),              # the stretch of work that holds it
    sa.Index("ix_run_due_at", "due_at"),
    sa.Index("ix_run_state", "state"),
    sa.Index("ix_run_alert_id", "alert_id"),
    sa.Index("ix_run_group_id", "group_id"),
    sa.Index("ix_run_runbook_begun_at", "runbook", "begun_at"),
)

step = sa.Table(
    "step",
    metadata,
    sa.Column("run_id", BigId, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("uses", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("given", sa.Text),                               # its parameters, filled in; secrets only by reference
    sa.Column("before", sa.Text),                              # the world before the call
    sa.Column("plan", sa.Text),
    sa.Column("outputs", sa.Text),                             # null: it certainly changed nothing
    sa.Column("way_back", sa.Text),                            # of another action that undoes it: the world before, its outputs
    sa.Column("said", sa.Text),
    sa.Column("log", sa.Text),
    sa.Column("begun_at", Utc),                                # the call of the newest attempt
    sa.Column("ended_at", Utc),
    sa.Column("deadline", Utc),
)

run_lock = sa.Table(
    "run_lock",
    metadata,
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("run_id", BigId, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

run_file = sa.Table(
    "run_file",
    metadata,
    sa.Column("run_id", BigId, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("alt", sa.Text, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run as its row says; times are UTC."""

    id: int
    runbook: str
    title: str
    version: str
    definition: dict[str, Any]
    parameters: dict[str, Any]
    purpose: str
    mode: str
    alert_id: int | None
    group_id: int | None
    service: str
    target: str
    channel: str
    state: str
    actor: str
    organisation: str
    origin: str
    mandate: str | None
    mandate_version: str | None
    config_version: str
    glass: str | None
    reviewed_by: str | None
    position: int
    begun_at: datetime
    ended_at: datetime | None
    said: str | None
    cancelled_by: str | None
    relapsed_at: datetime | None
    due_at: datetime | None
    busy: bool
    leg: int

    @property
    def name(self) -> str:
        """How people call it: run 57."""
        return f"run {self.id}"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run as its row says."""

    run_id: int
    number: int
    name: str
    title: str
    uses: str
    state: str
    tries: int
    given: dict[str, Any] | None
    before: dict[str, Any] | None
    plan: str | None
    outputs: dict[str, Any] | None
    said: str | None
    log: str | None
    begun_at: datetime | None
    ended_at: datetime | None
    deadline: datetime | None
    way_back: dict[str, Any] | None = None


JSON_OF_RUN = frozenset({"definition", "parameters"})
JSON_OF_STEP = frozenset({"given", "before", "outputs", "way_back"})


def _read(row: sa.Row[Any], documents: frozenset[str]) -> dict[str, Any]:
    return {
        name: json.loads(value) if name in documents and value is not None else value for name, value in row._mapping.items()
    }


def _written(values: Mapping[str, Any], documents: frozenset[str]) -> dict[str, Any]:
    return {
        name: json.dumps(value, ensure_ascii=False, sort_keys=True) if name in documents and value is not None else value
        for name, value in values.items()
    }


def add(connection: sa.Connection, values: Mapping[str, Any], steps: Iterable[Mapping[str, Any]]) -> Run:
    """A new run with its steps, in their order; returns it."""
    record = {"position": 0, "busy": False, "leg": 0, **_written(values, JSON_OF_RUN)}
    run_id = connection.execute(run.insert().values(**record).returning(run.c.id)).scalar_one()
    rows = [{"state": "pending", "tries": 0, **each, "run_id": run_id, "number": n} for n, each in enumerate(steps)]
    connection.execute(step.insert(), rows)
    return get(connection, run_id)


def get(connection: sa.Connection, run_id: int) -> Run:
    """The run of that number; raises NoResultFound."""
    return Run(**_read(connection.execute(sa.select(run).where(run.c.id == run_id)).one(), JSON_OF_RUN))


def hold(connection: sa.Connection, run_id: int) -> Run:
    """The same, and nobody else changes the run before this transaction has ended."""
    connection.execute(sa.select(run.c.id).where(run.c.id == run_id).with_for_update())
    return get(connection, run_id)


def by_id(connection: sa.Connection, run_id: int) -> Run | None:
    row = connection.execute(sa.select(run).where(run.c.id == run_id)).one_or_none()
    return Run(**_read(row, JSON_OF_RUN)) if row else None


def find(connection: sa.Connection, *where: sa.ColumnElement[bool], most: int = 50) -> list[Run]:
    """Runs that fit, newest first."""
    query = sa.select(run).where(*where).order_by(run.c.id.desc()).limit(most)
    return [Run(**_read(row, JSON_OF_RUN)) for row in connection.execute(query)]


def steps(connection: sa.Connection, run_id: int) -> list[Step]:
    """Its steps, in order."""
    query = sa.select(step).where(step.c.run_id == run_id).order_by(step.c.number)
    return [Step(**_read(row, JSON_OF_STEP)) for row in connection.execute(query)]


def step_of(connection: sa.Connection, run_id: int, number: int) -> Step:
    """One of its steps; raises NoResultFound."""
    query = sa.select(step).where(step.c.run_id == run_id, step.c.number == number)
    return Step(**_read(connection.execute(query).one(), JSON_OF_STEP))


def change(connection: sa.Connection, run_id: int, states: Iterable[str], **values: Any) -> bool:
    """The one way in which a run's state moves: false if it is not in one of `states` any more."""
    query = sa.update(run).where(run.c.id == run_id, run.c.state.in_(tuple(states))).values(**_written(values, JSON_OF_RUN))
    return connection.execute(query).rowcount == 1


def change_step(connection: sa.Connection, run_id: int, number: int, states: Iterable[str], **values: Any) -> bool:
    """The one way in which a step's state moves: false if it is not in one of `states` any more."""
    query = sa.update(step).where(step.c.run_id == run_id, step.c.number == number, step.c.state.in_(tuple(states)))
    return connection.execute(query.values(**_written(values, JSON_OF_STEP))).rowcount == 1


# --- legs: a stretch of work that holds the run until it must wait ------------------------------------------------------


def due(connection: sa.Connection, now: datetime, most: int = 50) -> list[int]:
    """Runs that can go on and that nobody holds."""
    query = sa.select(run.c.id).where(run.c.due_at <= now, run.c.busy.is_(False)).order_by(run.c.due_at, run.c.id).limit(most)
    return list(connection.execute(query).scalars())


def claim(connection: sa.Connection, run_id: int, now: datetime) -> int | None:
    """Takes the run for one leg and returns its number; None if somebody else did."""
    query = (
        sa.update(run)
        .where(run.c.id == run_id, run.c.busy.is_(False), run.c.due_at <= now)
        .values(busy=True, leg=run.c.leg + 1, due_at=None)
        .returning(run.c.leg)
    )
    return connection.execute(query).scalar_one_or_none()


def release(connection: sa.Connection, run_id: int, leg: int, due_at: datetime | None) -> bool:
    """Gives the run free; what became due meanwhile stays due, whichever is earlier."""
    query = sa.update(run).where(run.c.id == run_id, run.c.leg == leg, run.c.busy.is_(True)).values(busy=False)
    if due_at is not None:
        given = sa.literal(due_at, Utc)
        query = query.values(due_at=sa.case((run.c.due_at < given, run.c.due_at), else_=given))
    return connection.execute(query).rowcount == 1


def busy(connection: sa.Connection) -> list[tuple[int, int]]:
    """Runs that a leg holds, with the leg's number."""
    query = sa.select(run.c.id, run.c.leg).where(run.c.busy.is_(True)).order_by(run.c.id)
    return [(run_id, leg) for run_id, leg in connection.execute(query)]


def wake(connection: sa.Connection, run_id: int, now: datetime) -> None:
    """Something happened that the run waits for."""
    connection.execute(sa.update(run).where(run.c.id == run_id, run.c.state.in_(UNDER_WAY)).values(due_at=now))


# --- locks ----------------------------------------------------------------------------------------------------------------


def lock(connection: sa.Connection, target: str, run_id: int, now: datetime) -> int | None:
    """Takes the target for this run unless another holds it; returns who holds it now, None when it was given free just then."""
    insert = sa.text(
        "INSERT INTO run_lock (target, run_id, at) VALUES (:target, :run_id, :at) ON CONFLICT (target) DO NOTHING"
    ).bindparams(sa.bindparam("at", type_=Utc))
    connection.execute(insert, {"target": target, "run_id": run_id, "at": now})
    return holder(connection, target)


def unlock(connection: sa.Connection, ended: Run, now: datetime) -> None:
    """Gives its target free, and wakes those that wait for it."""
    connection.execute(sa.delete(run_lock).where(run_lock.c.run_id == ended.id))
    waiting = (run.c.target == ended.target, run.c.state == WAITING)
    connection.execute(sa.update(run).where(*waiting).values(due_at=now))


def holder(connection: sa.Connection, target: str) -> int | None:
    """Which run holds the target; None: it is free."""
    return connection.execute(sa.select(run_lock.c.run_id).where(run_lock.c.target == target)).scalar_one_or_none()


# --- files ----------------------------------------------------------------------------------------------------------------


def add_file(connection: sa.Connection, run_id: int, name: str, alt: str, content: bytes) -> int:
    """Keeps a file of the run; returns its number."""
    query = sa.select(sa.func.coalesce(sa.func.max(run_file.c.number), -1) + 1).where(run_file.c.run_id == run_id)
    number = int(connection.execute(query).scalar_one())
    connection.execute(run_file.insert().values(run_id=run_id, number=number, name=name, alt=alt, content=content))
    return number


def file(connection: sa.Connection, run_id: int, number: int) -> sa.Row[Any] | None:
    query = sa.select(run_file).where(run_file.c.run_id == run_id, run_file.c.number == number)
    return connection.execute(query).one_or_none()
