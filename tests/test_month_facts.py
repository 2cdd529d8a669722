"""What a review knows of a month: groups, who did what about them, and nothing that happened after its instant."""


import sqlalchemy as sa

from bot.review.facts import Facts
from bot.services.alert import response
from bot.services.alert.intake import take
from bot.services.desk import Desk
from bot.services.review import choosing, gathering
from bot.sources import FIRING, RECOVERED
from bot.store import alerts
from tests.config_stage import example
from tests.duty_stage import PEOPLE, paris
from tests.fakes import ManualClock
from tests.months import arrival
from tests.story import desk_on


class Platform:
    """The example's platform in a month: things fire and recover, people act, a clock goes on."""

    def __init__(self, engine: sa.Engine) -> None:
        self.clock = ManualClock(paris("2026-10-05 14:00"))
        self.desk: Desk = desk_on(engine, self.clock, config=example())

    def at(self, text: str) -> None:
        self.clock.instant = paris(text)

    def fires(self, key: str = "pay-api-5xx", **more: object) -> int:
        return self._says(key, FIRING, more)

    def recovers(self, key: str = "pay-api-5xx") -> int:
        return self._says(key, RECOVERED, {})

    def _says(self, key: str, state: str, more: dict[str, object]) -> int:
        take(self.desk, [arrival(self.desk.config, key, state, self.clock.now(), **more)])
        with self.desk.read() as connection:
            return int(connection.scalar(sa.select(sa.func.max(alerts.alert.c.id)).where(alerts.alert.c.title == key)))

    def acks(self, number: int, who: str = "alice") -> None:
        response.ack(self.desk, response.find(self.desk, str(number)), PEOPLE[who])

    def facts(self, name: str = "2026-10", now: str | None = None) -> Facts:
        month = choosing.named(self.desk.config, name, paris(now) if now else paris("2027-01-01 00:00"))
        with self.desk.read() as connection:
            return gathering.facts(connection, self.desk.config, month)


def test_a_group_is_told_from_its_opening_to_its_end(engine: sa.Engine) -> None:
    platform = Platform(engine)
    number = platform.fires()
    platform.at("2026-10-05 14:04")
    platform.acks(number)
    platform.at("2026-10-05 14:30")
    response.close(platform.desk, response.find(platform.desk, str(number)), PEOPLE["alice"], "restarted it")

    (group,) = platform.facts().groups

    assert (group.id, group.alert, group.title, group.service) == (number, number, "pay-api-5xx", "pay-api")
    assert (group.acked_by, group.acked_side, group.acked_at) == ("alice", "bridge", paris("2026-10-05 14:04"))
    assert (group.ending, group.closed_by, group.resolved_at) == ("person", "alice", paris("2026-10-05 14:30"))
    assert (group.side, group.touched, group.sources) == ("bridge", True, ("generic",))
