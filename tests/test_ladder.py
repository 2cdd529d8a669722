"""Trust in a runbook is earned by runs that held, given by two companies, and lost by one failure."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.errors import Refused
from bot.services.desk import Actor
from bot.services.run import ladder
from bot.store import evidence
from tests.fakes import ManualClock
from tests.night_shift import Shift, shift
from tests.story import ALICE, LEA, PAUL, T0
from tests.workshop import runbook

NOON = T0 + timedelta(hours=10)         # nobody is in blackout
INES = Actor("ines", "Inès", "padok", frozenset({"lead"}), "U0INES0001", "slack C0ALERTS01")


@pytest.fixture
def day(engine: sa.Engine) -> Shift:
    """A day on which nobody trusts the runbook yet."""
    made = shift(engine)
    assert isinstance(made.clock, ManualClock)
    made.clock.instant = NOON
    made.trust("manual")
    made.clock.advance(1)
    return made


def runs_well(day: Shift, *actors: Actor) -> None:
    for actor in actors:
        day.shop.carry_on(day.shop.start(actor))
        day.clock.advance(1)


def ready(day: Shift) -> ladder.Readiness:
    with day.desk.read() as connection:
        return ladder.readiness(connection, runbook())


def rung(day: Shift, **changed: Any) -> str:
    with day.desk.read() as connection:
        return ladder.rung(connection, runbook(**changed))


def test_without_runs_there_is_no_evidence(day: Shift) -> None:
    found = ready(day)
    assert (found.rung, found.next, found.enough, found.successes) == ("manual", "click", False, 0)
    assert "0 of 2 verified successes in a row" in found.why


def test_verified_successes_make_ready_and_people_count(day: Shift) -> None:
    runs_well(day, ALICE, ALICE)
    found = ready(day)
    assert (found.enough, found.verified, found.people, found.since) == (True, 2, 1, NOON + timedelta(seconds=1))
    day.trust("click")
    runs_well(day, ALICE, ALICE, ALICE)
    assert (ready(day).enough, ready(day).why) == (False, ("by 1 of 2 different people",))
    runs_well(day, PAUL)
    assert (ready(day).enough, ready(day).next, ready(day).why) == (True, "automatic", ())


def test_a_failure_begins_the_row_anew(day: Shift) -> None:
    runs_well(day, ALICE, ALICE)
    day.machine.faults = ["", "refuse"]
    runs_well(day, ALICE)
    found = ready(day)
    assert (found.successes, found.failures, found.rollbacks, found.runs, found.enough) == (0, 1, 1, 3, False)
    assert any("run 3 failed" in each for each in found.why)


def test_a_fix_that_did_not_hold_is_a_failure(day: Shift) -> None:
    runs_well(day, ALICE, ALICE)
    with day.desk.begin("test") as connection:
        evidence.mark_relapsed(connection, 2, day.clock.now())
    found = ready(day)
    assert (found.successes, found.failures) == (0, 1) and any("run 2 did not hold" in each for each in found.why)


def test_a_runbook_that_proves_nothing_is_never_ready(engine: sa.Engine) -> None:
    day = shift(engine, runbook(verify=[]))
    day.trust("manual")
    runs_well(day, PAUL, PAUL)
    with day.desk.read() as connection:
        found = ladder.readiness(connection, runbook(verify=[]))
    assert not found.enough and any("proves nothing" in each for each in found.why)


def test_a_changed_runbook_keeps_its_rung_and_says_so(day: Shift) -> None:
    runs_well(day, ALICE, ALICE)
    day.trust("click")
    changed = runbook(description="Other words.")
    with day.desk.read() as connection:
        found = ladder.readiness(connection, changed)
    assert found.rung == "click" and any("changed since 2 of these runs" in each for each in found.why)


def test_no_rung_is_above_what_its_file_allows(day: Shift) -> None:
    day.trust("automatic")
    assert (rung(day), rung(day, automation="click"), rung(day, automation="manual")) == ("automatic", "click", "manual")


# --- promotion ---


def test_two_people_of_two_companies_promote(day: Shift) -> None:
    runs_well(day, ALICE, ALICE)
    ladder.propose(day.desk, runbook(), "click", PAUL)
    assert rung(day) == "manual"
    notice, = day.posts("notice")
    assert "Paul proposes" in (notice.body or "")
    ladder.second(day.desk, runbook(), INES)
    assert rung(day) == "click"
    with day.desk.read() as connection:
        assert ladder.since(day.desk, connection, runbook()) == "on click since 22 Nov 2026, by Paul and Inès"
    assert [each["rung"] for each in day.told("runbook promoted")] == ["click"]


@pytest.mark.parametrize(("actor", "why"), [(PAUL, "You proposed it yourself"), (ALICE, "Only a lead or an approver")])
def test_the_second_signature_is_another_companys_leads(day: Shift, actor: Actor, why: str) -> None:
    runs_well(day, ALICE, ALICE)
    ladder.propose(day.desk, runbook(), "click", PAUL)
    with pytest.raises(Refused, match=why):
        ladder.second(day.desk, runbook(), actor)
    assert rung(day) == "manual"


def test_without_evidence_it_needs_a_written_reason_that_is_kept(day: Shift) -> None:
    with pytest.raises(Refused, match="not ready for click: 0 of 2"):
        ladder.propose(day.desk, runbook(), "click", PAUL)
    made = ladder.propose(day.desk, runbook(), "click", PAUL, "without evidence: tried on staging all week")
    assert made and made.reason == "without evidence: tried on staging all week"
    ladder.second(day.desk, runbook(), INES)
    with day.desk.read() as connection:
        assert "without evidence: tried on staging" in ladder.since(day.desk, connection, runbook())


def test_nobody_in_blackout_promotes(day: Shift) -> None:
    day.clock.instant = T0
    with pytest.raises(Refused, match="You are in blackout until"):
        ladder.propose(day.desk, runbook(), "click", PAUL, "because I say so")


def test_rungs_are_climbed_one_by_one_and_never_beyond_the_file(day: Shift) -> None:
    with pytest.raises(Refused, match="the next rung is click"):
        ladder.propose(day.desk, runbook(), "automatic", PAUL, "because I say so")
    with pytest.raises(Refused, match="climbs to manual at most"):
        ladder.propose(day.desk, runbook(automation="manual"), "click", PAUL, "because I say so")
    with pytest.raises(Refused, match="is on manual already"):
        ladder.propose(day.desk, runbook(), "manual", PAUL)


def test_a_proposal_is_about_the_runbook_as_it_was(day: Shift) -> None:
    ladder.propose(day.desk, runbook(), "click", PAUL, "tried on staging")
    with pytest.raises(Refused, match="has changed since Paul proposed it"):
        ladder.second(day.desk, runbook(description="Other words."), INES)


def test_a_proposal_does_not_wait_for_ever(day: Shift) -> None:
    ladder.propose(day.desk, runbook(), "click", PAUL, "tried on staging")
    day.clock.advance(8 * 86_400)
    with pytest.raises(Refused, match="Nobody has proposed"):
        ladder.second(day.desk, runbook(), INES)


def test_one_engineer_takes_trust_back_at_once(day: Shift) -> None:
    day.trust("automatic")
    assert ladder.propose(day.desk, runbook(), "manual", LEA, "it restarts too much") is None
    assert rung(day) == "manual"


def test_a_failure_makes_an_open_proposal_void(day: Shift) -> None:
    day.trust("click")
    ladder.propose(day.desk, runbook(), "automatic", PAUL, "tried on staging")
    day.machine.faults = ["refuse"]
    runs_well(day, ALICE)
    assert rung(day) == "manual"
    with pytest.raises(Refused, match="Nobody has proposed"):
        ladder.second(day.desk, runbook(), INES)
