"""A month that was lived through: alerts that opened, were taken, healed and closed in November; then time goes on."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from bot.config import Config
from bot.ports import KillPoint, survive
from bot.services.alert import due, response
from bot.services.desk import Actor, Desk
from bot.services.ledger.sealing import Sealer
from bot.services.review import sealing
from bot.store import alerts
from bot.store.alerts import Alert
from tests.fakes import ManualClock
from tests.story import CONFIG, LEA, T0, arrive, desk_on, signal

NOVEMBER = "2026-11"
CUT_OFF = datetime(2026, 12, 3, 8, tzinfo=UTC)          # the third working day of December, 09:00 in Paris
MORNING = datetime(2026, 12, 3, 10, tzinfo=UTC)


def lived(engine: sa.Engine, kill: KillPoint = survive, config: Config = CONFIG) -> Desk:
    """Three alerts: one that Léa took and closed, one that healed alone, one that is still open when the month is over."""
    desk = desk_on(engine, ManualClock(T0), kill, config)
    for key in ("pay-api/5xx", "ledger/lag", "edge/errors"):
        arrive(desk, signal(key=key, name=key.replace("/", "-")))
    clock(desk).advance(180)
    response.ack(desk, alert(desk, 1), LEA)
    arrive(desk, signal("recovered", 200, key="ledger/lag", name="ledger-lag"))
    clock(desk).advance(1200)
    close(desk, 1, LEA)
    due.act(desk)
    seal(desk)
    return desk


def reviewed(engine: sa.Engine) -> Desk:
    """November is over and sealed."""
    made = lived(engine)
    go_to(made, CUT_OFF)
    sealing.act(made)
    go_to(made, MORNING)
    return made


def alert(desk: Desk, number: int) -> Alert:
    with desk.read() as connection:
        found = alerts.by_id(connection, number)
    assert found is not None
    return found


def close(desk: Desk, number: int, actor: Actor) -> None:
    response.close(desk, alert(desk, number), actor, reason="restarted by hand")


def seal(desk: Desk) -> None:
    """The journal up to now."""
    Sealer(desk.engine).seal_due(desk.clock.now())


def clock(desk: Desk) -> ManualClock:
    assert isinstance(desk.clock, ManualClock)
    return desk.clock


def go_to(desk: Desk, at: datetime) -> None:
    clock(desk).instant = at


def pass_by(desk: Desk, **length: float) -> None:
    clock(desk).instant += timedelta(**length)
