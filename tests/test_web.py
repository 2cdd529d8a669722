"""HTTP: what each path answers, when all is well and when it is not."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from bot.services.alert.reception import Receipt, Reception
from tests.patience import PATIENCE_S
from tests.processes import post
from tests.stage import Stage, staged

FIRING = {"key": "k", "state": "firing", "title": "it fails", "service": "ledger"}


@pytest.fixture
def stage(sqlite_engine: sa.Engine) -> Iterator[Stage]:
    with staged(sqlite_engine) as made:
        yield made


def get(stage: Stage, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"{stage.url}{path}", timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read().decode()


def test_a_healthy_vigie_is_alive_and_ready(stage: Stage) -> None:
    assert get(stage, "/health/live") == (200, "alive\n")
    status, said = get(stage, "/health/ready")
    assert status == 200 and json.loads(said)["ready"] is True
    assert set(json.loads(said)["checks"]) >= {"database", "migrations"}


def test_one_that_lost_its_tables_says_which_check_fails_and_stays_alive(stage: Stage) -> None:
    with stage.app.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM alembic_version"))
    status, said = get(stage, "/health/ready")
    assert status == 503
    checks: dict[str, Any] = json.loads(said)["checks"]
    assert "vigie migrate" in checks["migrations"] and checks["database"] is None
    assert get(stage, "/health/live")[0] == 200


def test_metrics_count_what_came_and_what_was_refused(stage: Stage) -> None:
    stage.send("bridge-generic", FIRING)
    stage.post("bridge-generic", b"{}", {})
    said = get(stage, "/metrics")[1]
    assert 'vigie_signals_total{source="generic",state="firing"} 1.0' in said
    assert 'vigie_dropped_total{endpoint="bridge-generic",reason="bad_secret"} 1.0' in said
    assert 'vigie_alerts{source="generic",state="firing"} 1.0' in said
    assert "vigie_intake_depth 0.0" in said


def test_whoever_tries_an_endpoint_out_learns_what_could_not_be_read(stage: Stage) -> None:
    said = stage.send("bridge-generic", {"key": "k", "state": "on fire", "title": "t"})[1]
    assert json.loads(said) == {"taken": 1, "unreadable": [
        "The alert cannot be read. state: 'on fire' is not a state; firing, recovered or no data was expected."]}
    number = "4111 1111 1111 1111"
    twice = f'{{"{number}": 1, "{number}": 2}}'.encode()
    told = post(f"{stage.url}/webhooks/generic/bridge-generic", twice, {"X-Vigie-Secret": "demo-bridge-generic"})[1]
    assert "twice" in told and number not in told and "411111******1111" in told


def test_a_webhook_is_only_posted_to_and_only_by_its_own_source(stage: Stage) -> None:
    assert get(stage, "/webhooks/generic/bridge-generic")[0] == 405
    assert get(stage, "/nowhere")[0] == 404
    status, said = post(f"{stage.url}/webhooks/datadog/bridge-generic", b"{}", {"X-Vigie-Secret": "demo-bridge-generic"})
    assert (status, json.loads(said)["error"]) == (404, "There is no endpoint datadog/bridge-generic in vigie.yaml.")


def test_what_breaks_on_our_side_is_asked_for_again_with_a_reference_and_no_detail(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: Reception, delivery: Any) -> Receipt:
        raise RuntimeError("card 4111 1111 1111 1111 in row 7")

    with monkeypatch.context() as patch:
        patch.setattr(Reception, "receive", broken)
        status, said = stage.send("bridge-generic", FIRING)
    assert status == 503
    assert "reference" in said and "4111" not in said and "row 7" not in said
    assert stage.status()["dropped"] == {}
    assert stage.send("bridge-generic", FIRING) == (200, '{"taken":1}')


def test_while_it_ends_it_asks_to_be_sent_to_again(stage: Stage) -> None:
    stage.app.intake._closing = True
    request = urllib.request.Request(
        f"{stage.url}/webhooks/generic/bridge-generic", json.dumps(FIRING).encode(), {"X-Vigie-Secret": "demo-bridge-generic"})
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=PATIENCE_S)
    with refusal.value:
        assert refusal.value.code == 503 and int(refusal.value.headers["Retry-After"]) > 0
    stage.app.intake._closing = False
