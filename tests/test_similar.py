"""What was like this before, and what ended it, is found among the alerts that are over."""

import pytest
import sqlalchemy as sa

from bot.services.alert import response, similar
from tests.night_shift import Shift, shift
from tests.story import LEA


@pytest.fixture
def night(engine: sa.Engine) -> Shift:
    return shift(engine)


def over(night: Shift, reason: str = "false alarm", **fields: str) -> None:
    """An alert that somebody closed."""
    night.tell(**fields)
    with night.desk.read() as connection:
        newest = max(each for each, in connection.execute(sa.text("SELECT id FROM alert")))
    response.close(night.desk, night.alert(newest), LEA, reason)
    night.clock.advance(60)


def like(night: Shift, **fields: str) -> list[similar.Similar]:
    """What is similar to an alert that opens now."""
    night.tell(**fields)
    with night.desk.read() as connection:
        newest = max(each for each, in connection.execute(sa.text("SELECT id FROM alert WHERE state <> 'closed'")))
    return similar.similar(night.desk, night.alert(newest))


def test_the_same_problem_comes_first_then_its_like(night: Shift) -> None:
    over(night, key="a", name="pay-api-5xx", title="5xx above 5 % (9.1 %)", reason="a bad deployment")
    over(night, key="b", name="pay-api-p99", title="latency p99 above 2 s")
    over(night, key="c", name="pay-api-5xx-eu", title="5xx above 7 %", reason="the same one")
    found = like(night, key="a", name="pay-api-5xx", title="5xx above 5 % (30 %)")
    assert [(each.name, each.how) for each in found] == [
        ("#1", "Léa closed it: a bad deployment"), ("#3", "Léa closed it: the same one"),
    ]


def test_other_services_count_only_when_the_title_is_nearly_the_same(night: Shift) -> None:
    over(night, key="a", name="ledger-disk", title="disk almost full (91 %)")
    over(night, key="b", name="ledger-lag", title="replication lag above 30 s")
    assert [each.id for each in like(night, key="c", name="batch-worker-disk", title="disk almost full (95 %)")] == [1]


def test_it_says_which_run_fixed_it_and_what_healed_alone(night: Shift) -> None:
    night.tell()
    night.live(2)
    night.tell("recovered")
    night.live(20)
    night.trust("manual")
    night.tell()
    night.live(2)
    night.tell("recovered")
    night.live(20)
    assert [each.how for each in like(night)] == ["healed by itself", "fixed by Smaller, run 1"]


def test_the_answer_does_not_change_with_what_ends_later(night: Shift) -> None:
    over(night, key="a", title="5xx above 5 %")
    before = like(night, key="b", title="5xx above 5 %")
    over(night, key="c", title="5xx above 5 %")
    assert similar.similar(night.desk, night.alert(2)) == before


def test_of_a_problem_that_came_often_the_newest_is_told(night: Shift) -> None:
    for n in range(4):
        over(night, key="a", reason=f"again {n}")
    assert [each.how for each in like(night, key="a")] == ["Léa closed it: again 3"]


def test_nothing_like_it_is_an_answer_too(night: Shift) -> None:
    over(night, key="a", name="edge-4xx", title="too many 404")
    assert like(night, key="b", name="pay-db-locks", title="deadlocks") == []
