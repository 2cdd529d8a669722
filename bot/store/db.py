"""The database: one metadata, one engine, UTC in rows, the same SQL on SQLite and PostgreSQL."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
CONNECT_WITHIN_S = 5
NO_INSTANT = "(no instant)"         # sorts before every instant
metadata = sa.MetaData(naming_convention=NAMING)

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


# Small pages and a longer log: a storm touches many rows, a little of each, and writes half as much this way.
PRAGMAS = (
    "page_size=2048", "journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON",
    "wal_autocheckpoint=4000", "cache_size=-16000",
)


class Utc(TypeDecorator[datetime]):
    """An instant: timestamptz on PostgreSQL, sortable text on SQLite; aware and UTC on our side."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(sa.String(26) if dialect.name == "sqlite" else sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return stamp(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """A function alone, for a month is read by the hundred thousand."""
        return _maybe_instant


def instant(value: Any) -> datetime:
    """What a row holds, as an aware instant in UTC."""
    if isinstance(value, str):
        return datetime.fromisoformat(value + "+00:00")
    moment: datetime = value
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _maybe_instant(value: Any) -> datetime | None:
    return None if value is None else instant(value)


def stamp(at: datetime) -> str:
    """An instant as a row of SQLite (or a JSON parameter of either database) holds it; UTC."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def written(dialect: str, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """An instant as text, 2026-11-22T02:14:00.000000Z: the database writes it sooner than we could from what it holds.

    What no row of ours holds is none: a year before Christ, infinity, a blob, a spelling that sorts elsewhere.
    """
    if dialect == "sqlite":
        text = sa.type_coerce(column, sa.Text)
        ours = sa.and_(sa.func.typeof(text) == "text", text.like("____-__-__ __:__:__.______"))
        return sa.case((ours, sa.func.replace(text, " ", "T") + "Z"), else_=NO_INSTANT)
    ours = column.between(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    said = sa.func.to_char(sa.func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"', type_=sa.Text)
    return sa.case((ours, said), else_=NO_INSTANT)


def create_engine(url: str, **options: Any) -> sa.Engine:
    """An engine whose transactions are serial on SQLite (BEGIN IMMEDIATE, WAL, fsync at commit) and UTC on PostgreSQL."""
    options.setdefault("pool_pre_ping", not url.startswith("sqlite"))
    options.setdefault("hide_parameters", True)     # an error's text goes to the log, where no body belongs
    if not url.startswith("sqlite") and "connect_timeout" not in sa.make_url(url).query:
        options.setdefault("connect_args", {"connect_timeout": CONNECT_WITHIN_S})
    engine = sa.create_engine(url, **options)
    listen = sa.event.listen
    if engine.dialect.name == "sqlite":
        listen(engine, "connect", _prepare_sqlite)
        listen(engine, "begin", _begin_sqlite)
    else:
        listen(engine, "connect", _prepare_postgres)
    return engine


def reader(engine: sa.Engine) -> sa.Connection:
    """A connection for looking only: on SQLite it neither waits for a writer nor holds one up."""
    return engine.connect().execution_options(reading=True)


def _begin_sqlite(connection: sa.Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _prepare_postgres(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.execute("SET DateStyle TO ISO")      # the driver reads no other, and a server may be set otherwise
    connection.commit()


# --- rows handed over as one JSON parameter: one statement a table, however large the batch -----------------------------


def rows(dialect: str, columns: Mapping[str, str]) -> str:
    """`SELECT columns FROM <the JSON array in :rows>`; `columns` names each key and its PostgreSQL type."""
    if dialect == "sqlite":
        picked = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in columns)
        return f"SELECT {picked} FROM json_each(:rows) WHERE true"
    typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    return f"SELECT {', '.join(columns)} FROM json_to_recordset(CAST(:rows AS json)) AS given({typed}) WHERE true"


def as_rows(records: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The parameter for a statement made with `rows`."""
    return {"rows": json.dumps(list(records), default=_plain, ensure_ascii=False)}


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return stamp(value)
    raise TypeError(f"{type(value).__name__} cannot be stored")
