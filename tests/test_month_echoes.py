"""What a review knows of the months before: the same groups as these months' own reviews have, counted the same way."""

import json
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.config import Config
from bot.config.months import Maintenance
from bot.review.facts import Echo
from bot.services.review import choosing
from bot.services.review.facts import gathering
from bot.services.review.facts.echoes import Echoes, echoes
from bot.services.review.facts.kinds import Kinds
from bot.store.alerts import alert
from bot.store.db import reader
from bot.store.groups import alert_group
from bot.store.observations import observation
from tests.config_stage import example
from tests.duty_stage import paris
from tests.months import Invention

NOVEMBER = choosing.named(example(), "2026-11", paris("2100-01-01 00:00"))
WORKS = Maintenance(
    services=("pay-*",), start=paris("2026-10-18 02:00"), end=paris("2026-10-18 09:00"), reason="disks",
    agreed_by=("marie", "ines"),
)


def config() -> Config:
    return example().model_copy(update={"month": example().month.model_copy(update={"maintenance": (WORKS,)})})


class Past:
    """Alerts of months long gone, row by row."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine, self.number = engine, 0

    def alert(
        self, opened: str, minutes: float | None = 5, check: str = "slow", group: int | None = None, severity: str = "high",
        sources: tuple[str, ...] = ("datadog",), **labels: str,
    ) -> int:
        """One that was over after so many minutes (None: it is open still); without `group` it founds its own."""
        self.number += 1
        opened_at, number = paris(opened), self.number
        over_at = None if minutes is None else opened_at + timedelta(minutes=minutes)
        with self.engine.begin() as connection:
            connection.execute(alert.insert().values(
                id=number, fingerprint=f"print-{check}", group_id=group or number, state="closed" if over_at else "firing",
                severity=severity, important=False, recognised=False, service="pay-api", organisation="bridge", title=check,
                summary="", labels=json.dumps({"name": check, **labels}), since=opened_at, opened_at=opened_at,
                updated_at=over_at or opened_at, signals=1, relapses=0, closed_at=over_at,
            ))
            if group is None:
                connection.execute(alert_group.insert().values(
                    id=number, service="pay-api", channel="C0ALERTS01", opened_at=opened_at, closed_at=over_at))
            for source in sources:
                connection.execute(observation.insert().values(
                    alert_id=number, observer=source, source=source, endpoint="bridge-generic", organisation="bridge",
                    state="recovered", at=opened_at))
        return number

    def echoes(self) -> Echoes:
        with reader(self.engine) as connection:
            return echoes(connection, config(), NOVEMBER, Kinds(config().month.drills))

    def groups(self) -> list[tuple[int, datetime, str]]:
        return [(each.alert, each.opened_at, each.severity) for each in self.echoes().groups]


@pytest.fixture
def past(engine: sa.Engine) -> Past:
    return Past(engine)


def test_what_came_back_within_half_an_hour_a_month_ago_is_one_and_as_bad_as_its_worst(past: Past) -> None:
    first = past.alert("2026-10-05 10:00", 10, severity="warning", sources=("zabbix",))
    past.alert("2026-10-05 10:40", 10, severity="critical", sources=("datadog",))           # 30 min after its end
    second = past.alert("2026-10-05 11:21", 10)                                             # 31 min after it

    found = past.echoes().groups

    assert [(each.alert, each.severity, each.sources) for each in found] == [
        (first, "critical", ("zabbix", "datadog")), (second, "high", ("datadog",)),
    ]


def test_what_began_before_the_last_month_and_comes_back_in_it_is_not_counted_for_it(past: Past) -> None:
    past.alert("2026-09-30 23:50", 15)
    past.alert("2026-10-01 00:20", 15)
    past.alert("2026-10-31 23:50", 15, check="late")
    past.alert("2026-11-01 00:20", 15, check="late")

    counted = past.echoes()

    assert counted.volumes() == {"2026-09": 1, "2026-10": 1}
    assert [each.opened_at for each in counted.groups] == [paris("2026-09-30 23:50"), paris("2026-10-31 23:50")]


def test_what_shares_a_card_goes_on_only_when_all_of_it_was_in_the_same_group(past: Past) -> None:
    both = past.alert("2026-10-05 10:00", 10, check="a")
    past.alert("2026-10-05 10:01", 20, check="b", group=both, severity="critical")          # over at 10:21
    past.alert("2026-10-05 10:40", 5, check="a")                                            # goes on: over at 10:45
    past.alert("2026-10-05 11:10", 5, check="b")                                            # goes on with that: over at 11:15
    third = past.alert("2026-10-05 11:30", 5, check="c")
    mixed = past.alert("2026-10-05 11:40", 5, check="a")
    past.alert("2026-10-05 11:41", 5, check="c", group=mixed)                               # of two groups: another one

    assert past.groups() == [
        (both, paris("2026-10-05 10:00"), "critical"), (third, paris("2026-10-05 11:30"), "high"),
        (mixed, paris("2026-10-05 11:40"), "high"),
    ]


def test_what_is_open_still_does_not_end_the_group_that_it_is_in(past: Past) -> None:
    both = past.alert("2026-10-05 10:00", 10, check="a")
    past.alert("2026-10-05 10:01", None, check="b", group=both)
    again = past.alert("2026-10-05 10:20", 5, check="a")

    assert [number for number, _, _ in past.groups()] == [both, again]


def test_drills_and_agreed_maintenance_of_a_month_ago_are_not_counted(past: Past) -> None:
    past.alert("2026-10-05 10:00", drill="yes")
    past.alert("2026-09-05 10:00", drill="yes")
    past.alert("2026-10-18 08:59", check="works")
    after = past.alert("2026-10-18 10:00", check="works")

    assert [number for number, _, _ in past.groups()] == [after]


def test_an_alert_that_two_observers_saw_is_the_same_pattern_in_every_month(past: Past) -> None:
    for month in ("2026-08", "2026-09", "2026-10"):
        past.alert(f"{month}-05 10:00", sources=("zabbix", "datadog"), host="db-1")

    assert {each.pattern for each in past.echoes().groups} == {"datadog|slow|host=db-*"}


def test_an_alert_that_nobody_is_known_to_have_seen_still_counts(past: Past) -> None:
    for month in ("2026-09", "2026-10"):
        past.alert(f"{month}-05 10:00", sources=())

    assert [(each.pattern, each.sources, each.alerts) for each in past.echoes().groups] == [("|slow|", (), 1)] * 2


def test_of_an_older_month_the_first_of_each_fingerprint_stands_for_all(past: Past) -> None:
    numbers = [past.alert(f"2026-08-{day:02d} 10:00", severity=severity) for day, severity in ((3, "high"), (4, "critical"))]
    past.alert("2026-08-04 10:01", check="other", group=numbers[1])                         # founded no group

    assert past.echoes().groups == [
        Echo(numbers[0], "pay-api", "high", ("datadog",), "datadog|slow|", paris("2026-08-03 10:00"), 2)
    ]


def test_a_month_remembers_the_groups_that_its_own_review_had(engine: sa.Engine) -> None:
    october = choosing.named(config(), "2026-10", paris("2100-01-01 00:00"))
    made = Invention(11, october)
    made.invent(1_500)
    made.write(engine)

    with reader(engine) as connection:
        then, now = gathering.facts(connection, config(), october), gathering.facts(connection, config(), NOVEMBER)
    mine = [each for each in now.earlier if each.opened_at >= october.start]

    assert [(each.alert, each.service, each.severity, each.sources, each.pattern, each.opened_at) for each in mine] == [
        (each.alert, each.service, each.severity, each.sources, each.pattern, each.opened_at) for each in then.groups
    ]
    assert len(mine) > 500 and len(then.drills) > 5
