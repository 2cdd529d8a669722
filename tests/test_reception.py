"""What is taken in is masked before it is kept, and the same delivery is taken once."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from bot.doubles import cloudwatch
from bot.store.alerts import signal
from bot.store.db import reader
from tests.stage import Stage, staged

CARD, IBAN = "4111 1111 1111 1111", "FR7630006000011234567890189"
FIRING = {"key": "k", "state": "firing", "title": "it fails", "service": "ledger"}


@pytest.fixture
def stage(engine: sa.Engine) -> Iterator[Stage]:
    with staged(engine) as made:
        yield made


def everything(stage: Stage) -> str:
    """Every row of every table of ours, as text."""
    with reader(stage.app.engine) as connection:
        names = [name for name in sa.inspect(connection).get_table_names() if "workflow" not in name]
        return "\n".join(str(row) for name in names for row in connection.execute(sa.text(f'SELECT * FROM "{name}"')))


def test_no_card_number_iban_or_password_is_kept_anywhere_or_shown(stage: Stage) -> None:
    said = {**FIRING, "title": f"declined {CARD}", "summary": f"pay to {IBAN}", "labels": {"password": "hunter2hunter2"}}
    assert stage.send("bridge-generic", said)[0] == 200
    shown = str(stage.card("C0ALERTS01", "declined"))
    kept = everything(stage)
    for secret in (CARD, CARD.replace(" ", ""), IBAN, "hunter2hunter2"):
        assert secret not in kept and secret not in shown, secret
    assert "declined 411111******1111" in kept


def test_the_same_delivery_is_taken_once_and_one_without_a_name_each_time(stage: Stage) -> None:
    for _ in range(3):
        assert stage.send("bridge-generic", {**FIRING, "id": "one"})[0] == 200
        assert stage.send("bridge-generic", {**FIRING, "key": "other"})[0] == 200
    with reader(stage.app.engine) as connection:
        kept = connection.execute(sa.select(signal.c.delivery)).scalars().all()
    assert sum(each == "bridge-generic:one:" for each in kept) == 1
    assert len(kept) == 4


def test_an_alarm_that_comes_twice_over_sns_is_taken_once(stage: Stage) -> None:
    said = cloudwatch.alarm("ledger-lag", "ALARM", "ledger", stage.clock.now())
    for _ in range(2):
        assert stage.send("bridge-cloudwatch", said, message_id="5f0c1d2e-0000-4000-8000-000000000001")[0] == 200
    with reader(stage.app.engine) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(signal)) == 1
