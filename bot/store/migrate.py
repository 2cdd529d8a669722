"""Brings a database to the newest tables, and gives the application's role only what it needs."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from bot import store
from bot.errors import Misbuilt
from bot.store.db import create_engine, reader

PACKAGE = Path(__file__).resolve().parents[1]
APPEND_ONLY = ("journal", "seal")
VERSIONS = "alembic_version"
NEWER = (
    "This database is newer than this Vigie (it stands at revision '{revision}', which is unknown here): "
    "install the Vigie that migrated it, or restore the backup made before that."
)
NO_ROLE = (
    'DATABASE_URL names the role "{role}", which this PostgreSQL does not have: create it first, '
    'for instance with CREATE ROLE "{role}" LOGIN PASSWORD \'...\'.'
)
TOO_MIGHTY = (
    'The role "{role}" of DATABASE_URL could change the {table}: it owns it, is a superuser or inherits from one; '
    "give Vigie a role of its own there, and keep the owner for VIGIE_MIGRATE_URL."
)

NO_FILE = "There is no database {file} yet: `vigie serve` makes it when it starts, or name yours with DATABASE_URL."
NOT_MIGRATED = "The database is not at this Vigie's tables: run `vigie migrate` first."
NOT_REACHED = "The database {url} does not answer ({error}): look at DATABASE_URL, or run `vigie check`."


def require(url: str) -> None:
    """Raises Misbuilt unless the database is there and has exactly the tables this Vigie works with."""
    place = sa.make_url(url)
    if place.get_backend_name() == "sqlite" and not Path(place.database or "").exists():
        raise Misbuilt(NO_FILE.format(file=place.database))
    engine = create_engine(url)
    try:
        if not at_head(engine):
            raise Misbuilt(NOT_MIGRATED)
    except sa.exc.SQLAlchemyError as fault:
        raise Misbuilt(NOT_REACHED.format(url=place.render_as_string(), error=type(fault).__name__)) from fault
    finally:
        engine.dispose()


def upgrade(url: str, application_url: str | None = None) -> None:
    """Migrates to the newest revision; safe to repeat and to run from several processes at once.

    When `application_url` has another role, that one may use every table, but only add to the journal and its seals.
    """
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            _refuse_newer(connection)
            config = scripts()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if role := application_role(url, application_url):
                _grant(connection, role)
    finally:
        engine.dispose()


def at_head(engine: sa.Engine) -> bool:
    """Whether the database has exactly the tables this Vigie works with."""
    with reader(engine) as connection:
        return _revisions(connection) == set(ScriptDirectory.from_config(scripts()).get_heads())


def scripts() -> Config:
    """Alembic's configuration; the migrations lie in the package when installed, at the root in the source tree."""
    shipped = PACKAGE / "migrations"
    place = shipped if shipped.is_dir() else PACKAGE.parent / "alembic"
    config = Config()
    config.set_main_option("script_location", str(place).replace("%", "%%"))
    return config


def application_role(url: str, application_url: str | None) -> str | None:
    """The role that works with the tables, when it is not the one that owns them."""
    owner, application = sa.make_url(url), sa.make_url(application_url or url)
    return None if application.username == owner.username else application.username


def _refuse_newer(connection: sa.Connection) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(scripts()).walk_revisions()}
    for revision in sorted(_revisions(connection) - known):
        raise Misbuilt(NEWER.format(revision=revision))


def _revisions(connection: sa.Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())


def _grant(connection: sa.Connection, role: str) -> None:
    if not connection.execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).first():
        raise Misbuilt(NO_ROLE.format(role=role))
    quoted = connection.dialect.identifier_preparer.quote(role)
    schema = connection.execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    connection.execute(sa.text(f"GRANT USAGE ON SCHEMA {schema} TO {quoted}"))
    connection.execute(sa.text(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {quoted}"))
    connection.execute(sa.text(f"GRANT SELECT ON {VERSIONS} TO {quoted}"))
    for table in store.db.metadata.sorted_tables:
        kept = table.name in APPEND_ONLY
        if kept:
            connection.execute(sa.text(f"REVOKE ALL ON {table.name} FROM {quoted}, PUBLIC"))
        allowed = "SELECT, INSERT" if kept else "SELECT, INSERT, UPDATE, DELETE"
        connection.execute(sa.text(f"GRANT {allowed} ON {table.name} TO {quoted}"))
    _refuse_mighty(connection, role)


def _refuse_mighty(connection: sa.Connection, role: str) -> None:
    """A role that inherits the right to change the journal makes every grant a pretence."""
    query = sa.text("SELECT has_table_privilege(:role, :table, 'UPDATE, DELETE, TRUNCATE, TRIGGER')")
    for table in APPEND_ONLY:
        if connection.execute(query, {"role": role, "table": table}).scalar_one():
            raise Misbuilt(TOO_MIGHTY.format(role=role, table=table))
