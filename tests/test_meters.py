"""What /metrics tells of runs, approvals, decisions and trust: read from the rows and from the sealed journal."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.services.alert import response
from bot.services.desk import Desk
from bot.services.leave import answering, glass
from bot.services.leave.mandates import Wish
from bot.services.ledger.sealing import Sealer
from bot.services.meters import Meters
from bot.services.run import brakes, ladder, runs
from tests.fakes import KillAt, Killed
from tests.night_shift import Shift, shift
from tests.powers import CLAUSE, DAY, NIGHT, agreed, asking, shop_at, until_asked
from tests.story import ALICE, CONFIG, LEA, PAUL
from tests.workshop import runbook

SHOWN = {"key": "edge 4xx", "name": "edge-4xx"}
UNKNOWN = {"key": "pay-api p99", "name": "pay-api-p99", "severity": "critical"}
LATE = agreed({**CLAUSE, "hours": ["20:00-00:00"]})


class Scrape:
    """What Prometheus reads, again and again, from one process."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.meters = desk, Meters()
        self()

    def __call__(self) -> dict[str, float]:
        """Each series that is not zero, once the journal is sealed."""
        Sealer(self.desk.engine).seal_due(self.desk.clock.now())
        lines = self.meters.expose(self.desk, 0).decode().splitlines()
        told = dict(each.rsplit(" ", 1) for each in lines if not each.startswith("#") and "_created" not in each)
        return {name: float(value) for name, value in told.items() if float(value)}


def about(told: dict[str, float], *metrics: str) -> dict[str, float]:
    return {name.removeprefix("vigie_"): value for name, value in told.items()
            if name.partition("{")[0].removeprefix("vigie_") in metrics}


def fixed(night: Shift) -> None:
    """An alarm that Vigie treats by itself, up to the end."""
    night.tell()
    night.decide()
    night.work()
    night.tell("recovered")
    night.live(20)


# --- counted from the journal -------------------------------------------------------------------------------------------------


def test_what_vigie_did_by_itself_is_counted_once_by_decision_and_by_ending(engine: sa.Engine) -> None:
    night = shift(engine)
    scrape = Scrape(night.desk)
    fixed(night)
    for fields in (SHOWN, UNKNOWN):
        night.tell(**fields)
    night.decide()
    told = scrape()
    assert about(told, "decisions_total") == {
        'decisions_total{decision="run"}': 1, 'decisions_total{decision="show"}': 1, 'decisions_total{decision="page"}': 1}
    assert about(told, "alerts_closed_total") == {'alerts_closed_total{ending="fixed"}': 1}
    assert about(told, "runs_ended_total") == {
        'runs_ended_total{mode="automatic",purpose="fix",state="succeeded"}': 1,
        'runs_ended_total{mode="automatic",purpose="proof",state="succeeded"}': 1}
    assert scrape() == told


def test_what_heals_by_itself_and_what_a_person_closes_are_told_apart(sqlite_engine: sa.Engine) -> None:
    night = shift(sqlite_engine)
    scrape = Scrape(night.desk)
    for number, state in enumerate(("firing", "recovered"), 1):
        night.tell(state, **SHOWN)
        night.live(number * 10)
    night.tell(**UNKNOWN)
    response.close(night.desk, night.alert(2), LEA, reason="planned work")
    assert about(scrape(), "alerts_closed_total") == {
        'alerts_closed_total{ending="healed"}': 1, 'alerts_closed_total{ending="person"}': 1}


def test_only_what_is_sealed_is_counted(sqlite_engine: sa.Engine) -> None:
    night = shift(sqlite_engine)
    scrape = Scrape(night.desk)
    night.tell(**UNKNOWN)
    night.decide()
    assert b'vigie_decisions_total{decision="page"} 0.0' in scrape.meters.expose(night.desk, 0)
    assert about(scrape(), "decisions_total") == {'decisions_total{decision="page"}': 1}


def test_what_was_rolled_back_is_not_counted(sqlite_engine: sa.Engine) -> None:
    night = shift(sqlite_engine)
    scrape = Scrape(night.desk)
    night.tell()
    object.__setattr__(night.desk, "kill", KillAt("decide: before commit"))
    with pytest.raises(Killed):
        night.decide()
    assert about(scrape(), "decisions_total") == {}


def test_a_run_that_is_cancelled_ends_once_in_the_mode_in_which_it_began(engine: sa.Engine) -> None:
    shop = shop_at(engine, DAY, CONFIG, confirm=False)
    scrape = Scrape(shop.desk)
    run = shop.start(ALICE, mode="click")
    shop.execution.move(run.id)
    assert about(scrape(), "runs_under_way", "runs_ended_total") == {'runs_under_way{state="running"}': 1}
    runs.cancel(shop.desk, shop.look(run.id), ALICE)
    assert about(scrape(), "runs_ended_total") == {}
    shop.carry_on(run)
    assert about(scrape(), "runs_under_way", "runs_ended_total") == {
        'runs_ended_total{mode="click",purpose="fix",state="cancelled"}': 1}


def test_how_long_a_yes_took_is_told_and_one_given_beforehand_made_nobody_wait(engine: sa.Engine) -> None:
    shop = shop_at(engine, DAY, CONFIG, asking(), confirm=False)
    scrape = Scrape(shop.desk)
    run = shop.start(ALICE)
    until_asked(shop, run)
    assert about(scrape(), "approvals_waiting", "runs_under_way") == {
        "approvals_waiting": 1, 'runs_under_way{state="asking"}': 1}
    shop.clock.advance(45)
    answering.approve(shop.desk, run.id, PAUL)
    told = scrape()
    assert told["vigie_approval_wait_seconds_sum"] == 45 and about(told, "approvals_waiting") == {}
    assert 'vigie_approval_wait_seconds_bucket{le="30.0"}' not in told
    assert told['vigie_approval_wait_seconds_bucket{le="60.0"}'] == 1


def test_a_standing_approval_made_nobody_wait(sqlite_engine: sa.Engine) -> None:
    beforehand = {"organisation": "bridge", "standing": {"by": "paul", "until": "2026-12-31"}}
    shop = shop_at(sqlite_engine, NIGHT, agreed({**CLAUSE, "second": beforehand}))
    scrape = Scrape(shop.desk)
    shop.carry_on(shop.start(LEA))
    assert about(scrape(), "approval_wait_seconds_count") == {}
    assert about(scrape(), "runs_ended_total") == {'runs_ended_total{mode="manual",purpose="fix",state="succeeded"}': 1}


def test_a_question_that_has_expired_waits_for_nobody(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, DAY, CONFIG, asking(), confirm=False)
    scrape = Scrape(shop.desk)
    until_asked(shop, shop.start(ALICE))
    shop.clock.advance(timedelta(minutes=15).total_seconds())
    assert about(scrape(), "approvals_waiting") == {}


# --- read from the rows --------------------------------------------------------------------------------------------------------


def test_a_step_whose_outcome_nobody_knows_waits_for_a_person(engine: sa.Engine) -> None:
    shop = shop_at(engine, DAY, CONFIG, confirm=False)
    scrape = Scrape(shop.desk)
    shop.machine.faults += ["", "silent"]       # the restart: not done, and no answer
    run = shop.carry_on(shop.start(ALICE))
    assert about(scrape(), "steps_in_doubt", "runs_under_way") == {
        "steps_in_doubt": 1, 'runs_under_way{state="in doubt"}': 1}
    runs.decide(shop.desk, run, ALICE, "happened")
    assert about(scrape(), "steps_in_doubt") == {}


def test_a_broken_glass_is_told_until_it_is_reviewed(engine: sa.Engine) -> None:
    shop = shop_at(engine, NIGHT, LATE)
    scrape = Scrape(shop.desk)
    book = shop.desk.catalogue.runbook("smaller")
    assert book is not None
    run = glass.break_glass(shop.desk, Wish(book, LEA), LEA, "nobody of Bridge is awake")
    runs.cancel(shop.desk, run, LEA)
    shop.carry_on(run)
    assert about(scrape(), "glass_unreviewed") == {"glass_unreviewed": 1}
    glass.review(shop.desk, run.id, PAUL, "rightly done, widen the mandate")
    assert about(scrape(), "glass_unreviewed") == {}


def test_switches_and_rungs_are_told_as_they_stand(engine: sa.Engine) -> None:
    night = shift(engine, runbook(), runbook(name="other", when=[{"service": ["ledger"]}]))
    scrape = Scrape(night.desk)
    assert about(scrape(), "runbooks", "automation_stopped") == {
        'runbooks{rung="automatic"}': 1, 'runbooks{rung="manual"}': 1}
    brakes.stop(night.desk, "pay-api", PAUL, "too many restarts")
    other = night.desk.catalogue.runbook("smaller")
    assert other is not None
    ladder.propose(night.desk, other, "click", PAUL)
    assert about(scrape(), "runbooks", "automation_stopped") == {
        'automation_stopped{scope="service:pay-api"}': 1, 'runbooks{rung="click"}': 1, 'runbooks{rung="manual"}': 1}
    brakes.resume(night.desk, "pay-api", PAUL)
    assert about(scrape(), "automation_stopped") == {}


def test_runbooks_that_nobody_has_reviewed_for_half_a_year_are_counted(sqlite_engine: sa.Engine) -> None:
    night = shift(sqlite_engine, runbook(reviewed="2026-05-01"), runbook(name="other", reviewed="2026-11-01", when=[]))
    assert about(Scrape(night.desk)(), "runbooks_stale") == {"runbooks_stale": 1}


def test_while_the_database_is_silent_nothing_is_told_that_only_it_knows(sqlite_engine: sa.Engine) -> None:
    night = shift(sqlite_engine)
    scrape = Scrape(night.desk)
    night.tell(**UNKNOWN)
    night.decide()
    Sealer(sqlite_engine).seal_due(night.clock.now())
    with sqlite_engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE run RENAME TO away"))
    said = scrape.meters.expose(night.desk, 3).decode()
    assert "vigie_intake_depth 3.0" in said and "vigie_steps_in_doubt NaN" in said and "vigie_runbooks{" not in said
    with sqlite_engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE away RENAME TO run"))
    assert about(scrape(), "decisions_total") == {'decisions_total{decision="page"}': 1}
