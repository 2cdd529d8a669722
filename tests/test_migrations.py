"""The database has the tables of the code; the application works with them and cannot touch the journal."""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from bot import durable, store
from bot.errors import Misbuilt
from bot.services.ledger import audit
from bot.services.ledger.sealing import Sealer
from bot.store.db import create_engine
from bot.store.migrate import application_role, at_head, scripts, upgrade
from tests.fakes import START

ROOT = Path(__file__).resolve().parents[1]
FORBIDDEN = r"permission denied|must be owner"
ENTRY = {
    "at": START, "actor": "lea", "organisation": "padok", "kind": "alert acked", "object": "alert:142",
    "outcome": "done", "origin": "slack C0ALERTS01", "details": "{}",
}


def tables(engine: sa.Engine) -> set[str]:
    return set(sa.inspect(engine).get_table_names()) - {"alembic_version"}


def test_the_migrations_make_exactly_the_tables_of_the_code(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, store.db.metadata) == []
    assert at_head(engine)


def test_there_is_one_head_only() -> None:
    assert len(ScriptDirectory.from_config(scripts()).get_heads()) == 1


def test_every_migration_goes_up_and_down_and_up_again(empty_url: str) -> None:
    upgrade(empty_url)
    engine = create_engine(empty_url)
    made = tables(engine)
    with engine.begin() as connection:
        config = scripts()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert tables(engine) == set()
    assert not at_head(engine)
    upgrade(empty_url)
    assert tables(engine) == made
    assert at_head(engine)
    engine.dispose()


def test_going_back_never_destroys_a_journal(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.insert(store.journal.journal), ENTRY)
    with pytest.raises(RuntimeError, match="journal holds entries"), engine.begin() as connection:
        config = scripts()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert at_head(engine)


def test_several_processes_may_migrate_at_once(empty_url: str) -> None:
    program = f"from bot.store.migrate import upgrade; upgrade({empty_url!r})"
    started = [subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) for _ in range(2)]
    assert [each.wait() for each in started] == [0, 0]


def test_a_database_from_the_future_is_refused_with_advice(empty_url: str) -> None:
    upgrade(empty_url)
    engine = create_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'from_the_future'"))
    assert not at_head(engine)
    engine.dispose()
    with pytest.raises(Misbuilt, match=r"newer than this Vigie .*'from_the_future'"):
        upgrade(empty_url)


@pytest.mark.parametrize("table", ["dbos_migrations", "workflow_status"])
def test_the_engine_s_tables_beside_ours_are_let_alone(sqlite_engine: sa.Engine, table: str) -> None:
    with sqlite_engine.begin() as connection:
        connection.execute(sa.text(f"CREATE TABLE {table} (id INTEGER)"))
        config = scripts()
        config.attributes["connection"] = connection
        command.check(config)


def test_the_migrations_ship_with_the_package_and_never_shadow_alembic() -> None:
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert {"bot.migrations", "bot.migrations.versions"} <= set(built["packages"])
    assert built["package-dir"] == {"bot.migrations": "alembic", "bot.migrations.versions": "alembic/versions"}
    assert built["package-data"]["bot.migrations"] == ["*.mako"]
    assert list((ROOT / "alembic").rglob("__init__.py")) == []


# --- two roles on PostgreSQL ---


@pytest.fixture
def two_roles(postgres_server: sa.Engine, empty_postgres_url: str) -> Iterator[tuple[str, str]]:
    """Addresses of an empty database for its owner and for the application."""
    address = sa.make_url(empty_postgres_url)
    with postgres_server.connect() as connection:
        connection.execute(sa.text("CREATE ROLE keeper LOGIN"))
        connection.execute(sa.text('CREATE ROLE "the-bot" LOGIN'))
        connection.execute(sa.text(f"ALTER DATABASE {address.database} OWNER TO keeper"))
    yield (
        address.set(username="keeper").render_as_string(hide_password=False),
        address.set(username="the-bot").render_as_string(hide_password=False),
    )
    owner = sa.create_engine(empty_postgres_url, isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        for role in ("keeper", '"the-bot"'):
            connection.execute(sa.text(f"REASSIGN OWNED BY {role} TO postgres"))
            connection.execute(sa.text(f"DROP OWNED BY {role}"))
            connection.execute(sa.text(f"DROP ROLE {role}"))
    owner.dispose()


def test_the_application_works_with_every_table_and_cannot_change_the_journal(two_roles: tuple[str, str]) -> None:
    owner, application = two_roles
    upgrade(owner, application)
    upgrade(owner, application)
    engine, now = create_engine(application), START
    with engine.begin() as connection:
        connection.execute(sa.insert(store.journal.journal), ENTRY)
        connection.execute(sa.insert(store.traffic.attempt), {"key": "k", "at": now})
        connection.execute(sa.update(store.traffic.attempt).values(at=now))
        connection.execute(sa.delete(store.traffic.attempt))
    Sealer(engine).seal_due(now)
    with engine.connect() as connection:
        assert audit.verify(connection).answer() == {"entries": 1, "ok": True, "first_bad": None}
    assert at_head(engine)
    for table in ("journal", "seal"):
        for act in (
            f"UPDATE {table} SET id = id", f"DELETE FROM {table}", f"TRUNCATE {table}", f"DROP TABLE {table}",
            f"ALTER TABLE {table} DISABLE TRIGGER ALL", f"DROP TRIGGER {table}_no_change ON {table}",
        ):
            with pytest.raises(sa.exc.ProgrammingError, match=FORBIDDEN), engine.begin() as connection:
                connection.execute(sa.text(act))
    engine.dispose()


def test_the_engine_s_tables_are_made_by_the_owner_and_used_by_the_application(two_roles: tuple[str, str]) -> None:
    owner, application = two_roles
    upgrade(owner, application)
    durable.migrate(owner, "the-bot")
    durable.migrate(owner, "the-bot")
    engine = create_engine(application)
    with engine.connect() as connection:
        for may in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            query = sa.text("SELECT has_table_privilege('dbos.workflow_status', :may)")
            assert connection.execute(query, {"may": may}).scalar_one()
        assert not connection.execute(sa.text("SELECT has_schema_privilege('dbos', 'CREATE')")).scalar_one()
    assert at_head(engine)
    engine.dispose()


def test_an_application_that_could_change_the_journal_after_all_is_refused(
    postgres_server: sa.Engine, two_roles: tuple[str, str]
) -> None:
    with postgres_server.connect() as connection:
        connection.execute(sa.text('GRANT keeper TO "the-bot"'))
    with pytest.raises(Misbuilt, match="could change the journal"):
        upgrade(*two_roles)


def test_an_application_role_that_is_not_there_is_told_by_name(two_roles: tuple[str, str]) -> None:
    nobody = sa.make_url(two_roles[1]).set(username="nobody").render_as_string()
    with pytest.raises(Misbuilt, match='"nobody", which this PostgreSQL does not have'):
        upgrade(two_roles[0], nobody)


def test_one_address_for_both_needs_no_grants(empty_url: str) -> None:
    upgrade(empty_url, empty_url)
    assert application_role(empty_url, empty_url) is None
