"""Real processes carry runs out and are killed, frozen, cut off: nothing is done twice, nothing stays stuck or unexplained."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import sqlalchemy as sa

from bench.deeds import BLIND, FORTH
from bench.effects import LOOK
from bench.killing import Yard, kill_runs, yard
from bot.durable import LOST_IDENTITY
from bot.store import runs as rows
from tests.patience import PATIENCE_S
from tests.processes import frozen

KILLS = 3           # `make bench` kills fifty times on each database
MUST_BE_NOTHING = ("twice", "missing", "stuck", "otherwise", "unexplained", "not_back", "locks_left", "doubts_untold")


def address(engine: sa.Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


@pytest.fixture
def pair(postgres_engine: sa.Engine, tmp_path: Path) -> Iterator[Yard]:
    """A yard on PostgreSQL in which nobody works yet."""
    with yard(tmp_path, address(postgres_engine), workers=0) as made:
        yield made


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_killed_anywhere_a_run_does_nothing_twice_and_ends(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    engine = request.getfixturevalue(f"{database}_engine")
    with yard(tmp_path, address(engine), workers=1 if database == "sqlite" else 2) as made:
        found = kill_runs(made, KILLS)
    assert {name: found[name] for name in MUST_BE_NOTHING if found[name]} == {}
    assert found["kills"] >= KILLS


# --- frozen, and cut off from the database ---


def lock_holders(engine: sa.Engine) -> set[int]:
    """The backends that carry somebody's identity."""
    query = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = " \
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
    with engine.connect() as connection:
        return set(connection.execute(sa.text(query)).scalars())


def cut_off(engine: sa.Engine, backends: set[int]) -> None:
    """As when the network between the two has failed: whoever slept through it does not know."""
    with engine.begin() as connection:
        for each in backends:
            connection.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": each})


def hired(made: Yard, engine: sa.Engine, freeze_at: str = "") -> tuple[BaseProcess, set[int]]:
    """Somebody who works, and what carries its identity."""
    before, process = lock_holders(engine), made.hire(freeze_at)
    assert made.until(lambda: bool(lock_holders(engine) - before))
    return process, lock_holders(engine) - before


def test_who_freezes_between_the_intent_and_the_call_and_wakes_after_another_took_over_does_not_call(
    pair: Yard, postgres_engine: sa.Engine,
) -> None:
    sleeper, identity = hired(pair, postgres_engine, freeze_at="act: before")
    pair.begin(BLIND)
    assert pair.until(lambda: frozen(sleeper.pid))
    hired(pair, postgres_engine)
    cut_off(postgres_engine, identity)
    assert pair.until(pair.over), [each.state for each in pair.runs()]
    done = dict(pair.effects.done)

    os.kill(sleeper.pid or 0, signal.SIGCONT)
    pair.workers.remove(sleeper)
    sleeper.join(PATIENCE_S)

    assert sleeper.exitcode == LOST_IDENTITY
    assert dict(pair.effects.done) == done, "the sleeper acted behind the back of the one who took over"
    assert pair.runs()[0].state == rows.SUCCEEDED and set(done.values()) == {1}


def test_a_database_that_goes_away_for_five_seconds_holds_a_run_up_and_breaks_nothing(
    pair: Yard, postgres_engine: sa.Engine, postgres_server: sa.Engine,
) -> None:
    hired(pair, postgres_engine), hired(pair, postgres_engine)
    cut = [pair.begin(FORTH).id]

    def away(side: str, _pid: int) -> None:
        if side == LOOK and cut:
            cut.clear()
            allow(postgres_server, postgres_engine, False)

    pair.effects.watch = away
    deadline = time.monotonic() + PATIENCE_S
    while cut and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(5)
    allow(postgres_server, postgres_engine, True)
    assert pair.until(pair.over), [each.state for each in pair.runs()]
    run = pair.runs()[0]
    assert run.state == rows.SUCCEEDED, run.said
    assert [pair.count(run, each) for each in ("one", "two", "three")] == [1, 1, 1]


def allow(server: sa.Engine, engine: sa.Engine, allowed: bool) -> None:
    """Lets connections to the database in, or throws all of them out."""
    name = engine.url.database
    with server.connect() as connection:
        connection.execute(sa.text(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {'true' if allowed else 'false'}"))
        if not allowed:
            query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
            connection.execute(sa.text(query), {"name": name})


# --- a world that hangs ---


def test_runs_whose_world_hangs_hold_up_nobody_else(sqlite_engine: sa.Engine, tmp_path: Path) -> None:
    with yard(tmp_path, address(sqlite_engine)) as made:
        hanging, stuck, over = [made.begin(FORTH) for _ in range(12)], [], threading.Event()

        def hang(side: str, _pid: int) -> None:
            if side == LOOK and len(stuck) < len(hanging):
                stuck.append(side)
                over.wait(PATIENCE_S)

        made.effects.watch = hang
        assert made.until(lambda: len(stuck) == len(hanging))
        quick = made.begin(FORTH)
        assert made.until(lambda: made.look(quick).state == rows.SUCCEEDED)
        assert {made.look(each).state for each in hanging} == {rows.RUNNING}
        over.set()
        assert made.until(made.over)
        assert {each.state for each in made.runs()} == {rows.SUCCEEDED}
