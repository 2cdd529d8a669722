"""How migrations reach the database: one transaction, one at a time, never touching the workflow engine's tables."""

import os
from typing import Any

import sqlalchemy as sa
from alembic import context

from bot import store
from bot.store.db import create_engine

DEFAULT_URL = "sqlite:///vigie.db"
GUARDS = ("SET LOCAL statement_timeout = '60s'", "SET LOCAL lock_timeout = '4s'")


def ours(entity: Any, name: str | None, kind: str, reflected: bool, _counterpart: Any) -> bool:
    """The workflow engine keeps its own tables: beside ours on SQLite, in schema `dbos` on PostgreSQL."""
    table = entity if kind == "table" else getattr(entity, "table", None)
    return not reflected or table is None or (table.schema is None and table.name in store.db.metadata.tables)


def migrate(connection: sa.Connection) -> None:
    """Runs what is asked of alembic inside the transaction that `connection` has open."""
    if connection.dialect.name == "postgresql":
        # the lock comes before the time limits: a second process waits for the first, then finds nothing left to do
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('vigie migrations'))"))
        for guard in GUARDS:
            connection.execute(sa.text(guard))
    context.configure(
        connection=connection,
        target_metadata=store.db.metadata,
        include_object=ours,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def migrate_from_environment() -> None:
    """The `alembic` command itself: the owner's role when there is one."""
    url = os.environ.get("VIGIE_MIGRATE_URL") or os.environ.get("DATABASE_URL") or DEFAULT_URL
    engine = create_engine(url)
    with engine.begin() as connection:
        migrate(connection)
    engine.dispose()


given = context.config.attributes.get("connection")
if given is None:
    migrate_from_environment()
else:
    migrate(given)
