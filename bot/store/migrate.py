"""Brings a database to the newest tables, and says whether it is there."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from bot.errors import Misbuilt
from bot.store.db import create_engine

PACKAGE = Path(__file__).resolve().parents[1]
NEWER = ("This database is newer than this Vigie (it stands at revision {revision}, which is unknown here): "
         "install the Vigie that migrated it, or restore the backup made before that.")


def scripts() -> Config:
    """Alembic's configuration; the migrations lie in the package when installed, at the root in the source tree."""
    shipped = PACKAGE / "migrations"
    place = shipped if shipped.is_dir() else PACKAGE.parent / "alembic"
    config = Config()
    config.set_main_option("script_location", str(place).replace("%", "%%"))
    return config


def upgrade(url: str) -> None:
    """Migrates the database to the newest revision; safe to repeat and to run from several processes at once."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            _refuse_newer(connection)
            config = scripts()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def at_head(engine: sa.Engine) -> bool:
    """Whether the database has exactly the tables this Vigie works with."""
    with engine.connect() as connection:
        return _revisions(connection) == set(ScriptDirectory.from_config(scripts()).get_heads())


def _refuse_newer(connection: sa.Connection) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(scripts()).walk_revisions()}
    for revision in sorted(_revisions(connection) - known):
        raise Misbuilt(NEWER.format(revision=revision))


def _revisions(connection: sa.Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())
