"""A stage for months: things fire and recover on the example's platform, people act, a clock goes on."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.services.alert import response
from bot.services.alert.intake import take
from bot.services.alert.proving import end_probation
from bot.services.desk import Desk
from bot.sources import FIRING, RECOVERED
from bot.store import alerts
from bot.store.alerts import Alert
from tests.duty_stage import PEOPLE, paris
from tests.fakes import ManualClock
from tests.months import arrival
from tests.story import desk_on


class Platform:
    """What happens is told as it happens."""

    def __init__(self, engine: sa.Engine, config: Config) -> None:
        self.clock = ManualClock(paris("2026-01-01 00:00"))
        self.desk: Desk = desk_on(engine, self.clock, config=config)

    def at(self, text: str, fold: int = 0) -> None:
        self.clock.instant = paris(text, fold)

    def fires(self, key: str, **more: Any) -> None:
        take(self.desk, [arrival(self.desk.config, key, FIRING, self.clock.now(), **more)])

    def recovers(self, key: str, quiet_min: int = 15) -> None:
        """And is closed by Vigie when its quiet time is over."""
        take(self.desk, [arrival(self.desk.config, key, RECOVERED, self.clock.now())])
        self.clock.instant += timedelta(minutes=quiet_min)
        with self.desk.begin("close") as connection:
            found = [each for each in alerts.open_ones(connection) if each.title == key]
            assert found and all(end_probation(self.desk, connection, each, self.clock.now()) for each in found)

    def acks(self, number: int, who: str = "alice") -> None:
        response.ack(self.desk, self.alert(number), PEOPLE[who])

    def closes(self, number: int, who: str = "alice") -> None:
        response.close(self.desk, self.alert(number), PEOPLE[who], "restarted it")

    def alert(self, number: int) -> Alert:
        return response.find(self.desk, str(number))
