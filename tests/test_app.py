"""The roof: which role does what, what stops a start, and what is written down of a life."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from bot.app import SERVE, WEB, WORKER, App, Role
from bot.demo import demo_secrets
from bot.errors import Misbuilt
from bot.services.alert import overview
from bot.settings import EnvironmentSecrets, load_settings
from bot.sources import Delivery
from bot.store import cards, journal
from bot.store.db import reader
from bot.trust import endpoint_secrets
from tests.stage import example_config, staged

FIRING = {"key": "k", "state": "firing", "title": "it fails", "service": "ledger"}
CONFIG = example_config()


def built(engine: sa.Engine, role: Role) -> App:
    given = {
        "DATABASE_URL": engine.url.render_as_string(hide_password=False), "SLACK_BOT_TOKEN": "xoxb-nobody",
        "SLACK_SIGNING_SECRET": "nobody", "SLACK_API_URL": "http://127.0.0.1:9/", **demo_secrets(CONFIG),
    }
    return App(load_settings(given), CONFIG, EnvironmentSecrets(given), role)


def lived(app: App) -> set[str]:
    """The paths that it answers while it lives."""
    async def life() -> set[str]:
        async with app.running():
            return {route.path for route in app.asgi().routes}  # type: ignore[attr-defined]

    return asyncio.run(life())


def kinds(engine: sa.Engine) -> list[tuple[str, str]]:
    with reader(engine) as connection:
        return [(each.kind, each.details) for each in journal.all_entries(connection)]


@pytest.mark.parametrize("role", [SERVE, WEB, WORKER])
def test_each_role_answers_what_it_is_there_for_and_writes_down_its_life(engine: sa.Engine, role: Role) -> None:
    paths = lived(built(engine, role))
    assert {"/health/live", "/health/ready", "/metrics"} <= paths
    assert any(path.startswith("/webhooks/") for path in paths) == ("/slack/events" in paths) == role.answers
    assert [kind for kind, _ in kinds(engine)] == ["vigie started", "vigie stopped"]
    assert all(role.name in details for _, details in kinds(engine))


def test_a_database_without_our_tables_stops_the_start_on_postgresql_and_is_migrated_on_sqlite(
    empty_postgres_url: str, empty_sqlite_url: str
) -> None:
    with pytest.raises(Misbuilt, match="vigie migrate"):
        lived(built(sa.create_engine(empty_postgres_url), WEB))
    assert "/metrics" in lived(built(sa.create_engine(empty_sqlite_url), SERVE))


def test_web_takes_and_leaves_the_delivering_to_a_worker(postgres_engine: sa.Engine) -> None:
    async def story(app: App) -> int:
        async with app.running():
            endpoint = app.config.endpoints["bridge-generic"]
            from_outside: Any = {"x-vigie-secret": "demo-bridge-generic"}
            body = b'{"key": "k", "state": "firing", "title": "it fails", "service": "ledger"}'
            delivery = Delivery("bridge-generic", endpoint, body, from_outside, app.desk.clock.now())
            receipt = await app.reception.receive(delivery)
            await asyncio.sleep(1.2)
            return receipt.taken

    assert asyncio.run(story(built(postgres_engine, WEB))) == 1
    with reader(postgres_engine) as connection:
        assert cards.backlog(connection)[0] == 1 and cards.busy_lanes(connection) == []
    with staged(postgres_engine) as stage:
        stage.card("C0ALERTS01", "it fails")
        assert stage.status()["counts"]["firing"] == 1


def test_a_stop_and_a_start_lose_nothing_and_count_what_was_refused(engine: sa.Engine) -> None:
    with staged(engine) as stage:
        stage.workspace.faults.down = True
        assert stage.send("bridge-generic", FIRING)[0] == 200
        assert stage.post("bridge-generic", b"{}", {})[0] == 401
    with staged(engine) as stage:
        stage.card("C0ALERTS01", "it fails")
        said: dict[str, Any] = overview.status(stage.app.desk)
        assert said["dropped"] == {"bad_secret": 1}
        assert stage.verdict().ok


def test_a_delivery_that_could_not_be_begun_is_begun_at_the_next_knock(
    sqlite_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with staged(sqlite_engine) as stage:
        begin, faults = stage.app.delivery.start_due, [RuntimeError("the engine stumbles")]

        async def stumble() -> None:
            if faults:
                raise faults.pop()
            await begin()

        monkeypatch.setattr(stage.app.delivery, "start_due", stumble)
        stage.send("bridge-generic", FIRING)
        stage.card("C0ALERTS01", "it fails")
        assert faults == []


def test_every_secret_that_is_missing_is_named() -> None:
    with pytest.raises(Misbuilt) as fault:
        endpoint_secrets(CONFIG, EnvironmentSecrets({"VIGIE_SECRET_BRIDGE_GENERIC": "s"}))
    assert len(str(fault.value).splitlines()) == 4 and "VIGIE_SECRET_PADOK_DATADOG is not set" in str(fault.value)
    named = {reference for endpoint in CONFIG.endpoints.values() for reference in endpoint.secrets}
    assert set(endpoint_secrets(CONFIG, EnvironmentSecrets(demo_secrets(CONFIG)))) == named
