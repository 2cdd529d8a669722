"""Handoffs as they go: made ahead, drafted, written, asked back, accepted or missed; once, also after a restart."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.services.alert import assigning, response
from bot.services.call import calling
from bot.services.desk import Actor
from bot.services.handoff import accepting, actions, asking, ticking, upcoming, writing
from bot.services.handoff.note import Note, Synthesis
from bot.store import alerts, handoffs, shifts
from bot.store.handoffs import Handoff
from tests.fakes import KillAt, Killed
from tests.handoff_stage import BRUNO, CONFIG, INES, LEA, OMAR, PARIS, PAUL, Passing, local, look_after
from tests.story import ALICE, MARIE, arrive, signal

NIGHT, MORNING = "2026-11-24 00:00", "2026-11-24 08:00"       # bruno hands over to omar, omar to bruno
EVENING_TOLD = [
    ("19:30", "bruno", "ask line"), ("00:00", "omar", "call incoming"), ("00:05", "omar", "remind incoming"),
    ("00:10", "lea", "call secondary"), ("00:15", "ines", "call lead"),
]


def fire(passing: Passing, severity: str = "critical", key: str = "pay-api/5xx", **more: str) -> int:
    arrive(passing.desk, signal(severity=severity, key=key, **more))
    with passing.desk.read() as connection:
        return alerts.nearest_ids(connection)[0]


def accepted(passing: Passing, actor: Actor = OMAR, risk: str = "none", **more: object) -> Handoff:
    given = {"ticked": (), **more}
    return accepting.accept(passing.desk, passing.now_is(), actor, risk, **given)


def note_of(found: Handoff) -> Note:
    assert found.note is not None
    return Note.model_validate_json(found.note)


# --- made ahead -----------------------------------------------------------------------------------------------------------


def test_each_passing_of_the_next_two_days_has_a_row_and_only_one(engine: sa.Engine) -> None:
    passing = Passing(engine)
    passing.tick()
    assert [f"{each.boundary.astimezone(PARIS):%a %H:%M}" for each in passing.every()] == [
        "Tue 00:00", "Tue 08:00", "Wed 00:00", "Wed 08:00",
    ]
    assert {(each.state, each.direction) for each in passing.every()} == {("planned", "to_partner"), ("planned", "to_own")}
    assert len(passing.entries("handoff planned")) == 4


def test_the_first_start_makes_no_handoff_of_the_past(sqlite_engine: sa.Engine) -> None:
    assert all(each.boundary > local("12:00") for each in Passing(sqlite_engine).every())


def test_a_day_that_is_cut_otherwise_by_now_drops_what_was_only_planned(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    cut = CONFIG.model_dump()
    cut["coverages"]["platform"]["days"]["weekday"][1]["at"] = "07:00"
    passing.desk = replace(passing.desk, config=Config.model_validate(cut))
    passing.tick()
    assert [f"{each.boundary.astimezone(PARIS):%H:%M}" for each in passing.every()] == ["00:00", "07:00"] * 2
    assert len(passing.entries("handoff dropped")) == 2


def test_a_team_that_is_gone_from_the_configuration_holds_nothing_up(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("20:00")
    with_teams = passing.desk.config
    passing.desk = replace(passing.desk, config=with_teams.model_copy(update={"coverages": {}, "teams": {}}))
    passing.go("2026-11-24 00:10")
    assert passing.now_is().state == "draft" and passing.entries("handoff dropped") and len(passing.told()) == 1


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/Havana", "Australia/Lord_Howe"])
@pytest.mark.parametrize("week", ["2026-10-22", "2027-03-25"])
def test_over_a_clock_change_each_boundary_has_one_handoff_however_seldom_vigie_looks(
    sqlite_engine: sa.Engine, zone: str, week: str
) -> None:
    plan = CONFIG.model_dump()
    plan["coverages"]["platform"] |= {"timezone": zone, "days": {"weekday": plan["coverages"]["platform"]["days"]["weekday"]}}
    passing = Passing(sqlite_engine, f"{week} 12:00", Config.model_validate(plan))
    for hours in (7, 31, 50, 90, 120):
        passing.clock.instant = local(f"{week} 12:00") + timedelta(hours=hours)
        upcoming.plan(passing.desk)
    clocks = [each.boundary.astimezone(ZoneInfo(zone)) for each in passing.every()]
    days = {each.date() for each in clocks}
    assert sorted(clocks) == clocks and len(set(clocks)) == len(clocks)
    assert {f"{each:%H:%M}" for each in clocks} <= {"00:00", "08:00", "01:00"}
    assert all(1 <= sum(each.date() == day for each in clocks) <= 2 for day in days)
    assert all(one.direction != two.direction for one, two in pairwise(passing.every()))


# --- the evening and the morning ------------------------------------------------------------------------------------------


def test_an_evening_in_which_nobody_does_anything(engine: sa.Engine) -> None:
    passing = Passing(engine)
    assert passing.go("19:55").state == "planned"
    assert passing.go("20:00").state == "draft" and len(passing.posts("handoff")) == 1
    found = passing.go("23:55")
    assert (found.state, found.submitted_by) == ("submitted", None)
    assert passing.go(NIGHT).state == "submitted"
    with passing.desk.read() as connection:
        assert handoffs.pending(connection, "platform", passing.clock.now()) is not None
    missed = passing.go("2026-11-24 00:10")
    assert (missed.state, missed.missed_reason) == ("missed", "nobody accepted it by 23:10 UTC")
    passing.go("2026-11-24 06:00")
    assert passing.told() == EVENING_TOLD
    assert [each.outcome for each in passing.entries("handoff missed")] == ["failed"]


def test_a_morning_in_which_nobody_does_anything_lets_the_partners_lead_stand_by(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go(NIGHT)
    accepted(passing)
    found = passing.go("2026-11-24 08:30")
    assert (found.state, found.direction) == ("missed", "to_own")
    assert passing.told()[2:] == [
        ("07:00", "omar", "ask line"), ("07:50", "omar", "remind line"), ("08:00", "bruno", "call incoming"),
        ("08:05", "bruno", "remind incoming"), ("08:10", "alice", "call secondary"), ("08:15", "paul", "call lead"),
        ("08:15", "ines", "stand by"),
    ]


def test_what_an_accepted_handoff_still_had_to_say_is_not_said(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("2026-11-24 00:01")
    done = accepted(passing, said="quiet night")
    passing.go("2026-11-24 06:00")
    assert passing.told() == EVENING_TOLD[:2]
    kept = Synthesis.model_validate_json(done.synthesis or "")
    assert (done.accepted_by, kept.risk, kept.said, kept.instead_of, kept.late) == ("omar", "none", "quiet night", None, None)
    with passing.desk.read() as connection:
        assert handoffs.pending(connection, "platform", passing.clock.now()) is None


def test_the_line_is_written_by_the_day_and_submits_the_note(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("19:40")
    written = writing.write(passing.desk, passing.now_is(), BRUNO, "calm; watch p95", ["5xx again: drain a target", " "], "amber")
    assert (written.state, written.submitted_by) == ("submitted", "bruno")
    assert json.loads(written.if_then) == ["5xx again: drain a target"]
    found = passing.go("2026-11-24 00:00")
    note = note_of(found)
    assert (note.line, note.line_by, note.computed, note.state) == ("calm; watch p95", "Bruno", "green", "amber")
    assert ("23:55", "bruno", "remind line") not in passing.told()
    entry = passing.entries("handoff submitted")[0]
    assert json.loads(entry.details)["by"] == "bruno"


def test_the_state_may_be_raised_and_not_lowered(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    fire(passing)
    passing.go("20:00")
    with pytest.raises(Refused, match="raise goes up only: the state is computed as red"):
        writing.write(passing.desk, passing.now_is(), BRUNO, "all is well", (), "amber")
    assert passing.now_is().line is None


def test_after_an_evenings_intervention_the_line_is_asked_for_once_more_within_it(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("21:00")
    with passing.desk.begin("test") as connection:
        connection.execute(shifts.intervention.insert().values(
            person="bruno", organisation="bridge", start=passing.clock.now(), last_act_at=passing.clock.now(), source="acts",
        ))
    passing.go("22:00")
    assert passing.told() == [EVENING_TOLD[0], ("21:30", "bruno", "ask again")]
    assert "Nobody will ask you later" in passing.said("tell:1:ask-again")


def test_a_swap_counts_up_to_the_step_itself(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("23:50")
    with passing.desk.begin("test") as connection:
        shifts.add(connection, [{
            "coverage": "platform", "organisation": "padok", "team": "padok-nights", "role": "primary", "mode": "active",
            "person": "ines", "start": local(NIGHT), "end": local(MORNING), "source": "override", "version": 1,
            "published_at": passing.clock.now(), "published_by": "ines", "reason": "omar is ill",
        }])
    found = passing.go("2026-11-24 00:05")
    assert found.incoming == "ines"
    assert [who for _, who, step in passing.told() if "incoming" in step] == ["ines", "ines"]


def test_where_nobody_is_primary_the_secondary_takes_over(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    with passing.desk.begin("test") as connection:
        connection.execute(shifts.absence.insert().values(
            person="omar", organisation="padok", start=local("12:00"), end=local("2026-11-25 12:00"), said_by="ines",
            said_at=local("12:00"),
        ))
    assert passing.go(NIGHT).incoming == "lea"
    passing.go("2026-11-24 00:10")
    assert [each[1:] for each in passing.told()[1:]] == [("lea", "call incoming"), ("lea", "remind incoming")]
    skipped = [json.loads(each.details) for each in passing.entries("handoff step skipped")]
    assert {"about": "call secondary", "why": "there is nobody"} in skipped


# --- acceptance -----------------------------------------------------------------------------------------------------------


def test_nobody_accepts_before_the_duty_has_passed(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("23:58")
    with pytest.raises(Refused, match="your shift begins with it, not before"):
        accepted(passing)


def test_who_hands_over_cannot_accept_and_neither_can_their_company(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("2026-11-24 00:01")
    with pytest.raises(Refused, match="You hand this over yourself"):
        accepted(passing, BRUNO)
    for stranger in (ALICE, PAUL):
        with pytest.raises(Refused, match="Padok takes over: Omar accepts this"):
            accepted(passing, stranger)
    with pytest.raises(Refused, match="engineers and leads"):
        accepted(passing, MARIE)


def test_a_colleague_may_accept_and_it_says_so(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("2026-11-24 00:01")
    kept = Synthesis.model_validate_json(accepted(passing, LEA).synthesis or "")
    assert kept.instead_of == "omar"
    assert json.loads(passing.entries("handoff accepted")[0].details)["instead_of"] == "omar"


def test_each_red_item_must_be_ticked_and_the_top_risk_be_of_the_list(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    number = fire(passing)
    passing.go("2026-11-24 00:01")
    with pytest.raises(Refused, match=rf"items not ticked: #{number}\."):
        accepted(passing, risk=str(number))
    with pytest.raises(Refused, match=rf"risk is named as the note lists it: {number}, or none"):
        accepted(passing, risk="999", ticked=[str(number)])
    done = accepted(passing, risk=f"#{number}", ticked=[str(number)])
    assert Synthesis.model_validate_json(done.synthesis or "").risk.startswith(f"#{number} pay-api: 5xx")


def test_the_accepted_note_is_kept_with_the_digest_of_its_text(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("2026-11-24 00:01")
    done = accepted(passing)
    assert done.digest == hashlib.sha256((done.note or "").encode()).hexdigest()
    fire(passing)
    passing.go("2026-11-24 01:00")
    assert passing.now_is(NIGHT).note == done.note


def test_a_late_acceptance_is_possible_and_said_to_be_late(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    assert passing.go("2026-11-24 02:10").state == "missed"
    done = accepted(passing)
    assert (done.state, Synthesis.model_validate_json(done.synthesis or "").late) == ("accepted", "2 h")
    with pytest.raises(Refused, match="Omar accepted it at"):
        accepted(passing, LEA)


def test_what_has_passed_on_can_no_longer_be_accepted(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("2026-11-24 08:00")
    with pytest.raises(Refused, match="The duty has passed on since"):
        accepting.accept(passing.desk, passing.now_is(NIGHT), OMAR, "none")


def test_what_the_outgoing_side_has_in_hand_goes_to_whoever_accepts(engine: sa.Engine) -> None:
    passing = Passing(engine)
    number = fire(passing)
    with passing.desk.read() as connection:
        alert = alerts.by_id(connection, number)
    response.ack(passing.desk, alert, BRUNO)
    found = passing.go("2026-11-24 00:01")
    assert [each.ref for each in note_of(found).to_take_over] == [str(number)]
    accepted(passing, risk=str(number), ticked=[str(number)])
    with passing.desk.read() as connection:
        now = alerts.by_id(connection, number)
    assert now and (now.acked_by, now.state) == ("omar", "acked")
    assert json.loads(passing.entries("alert acked")[-1].details) == {"handoff": "1", "taken_from": "Bruno"}


def test_what_was_only_given_to_the_outgoing_side_is_given_to_whoever_accepts_and_the_log_names_them(
    sqlite_engine: sa.Engine,
) -> None:
    passing = Passing(sqlite_engine)
    number = fire(passing, "warning", "edge/certificate")
    with passing.desk.read() as connection:
        alert = alerts.by_id(connection, number)
    assigning.assign(passing.desk, alert, BRUNO, "bruno")
    passing.go("2026-11-24 00:01")
    accepted(passing)
    assert json.loads(passing.entries("alert assigned")[-1].details)["to"] == "omar"


def test_what_was_given_free_as_its_owner_went_off_is_taken_over_all_the_same(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    number = fire(passing)
    with passing.desk.read() as connection:
        alert = alerts.by_id(connection, number)
    response.ack(passing.desk, alert, BRUNO)
    passing.go("23:55")
    passing.sleep(NIGHT)
    with passing.desk.begin("test") as connection:
        calling.lapse(connection, alerts.of_group(connection, alert.group_id), "is in blackout now", passing.clock.now())
    passing.tick()
    assert ("00:00", "ines", "transfer") in passing.told()
    accepted(passing, risk="none", ticked=[str(number)])
    with passing.desk.read() as connection:
        now = alerts.by_id(connection, number)
    assert now and (now.acked_by, now.state) == ("omar", "acked")


def test_an_incident_that_nobody_has_taken_as_the_duty_passes_calls_the_lead(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    number = fire(passing)
    with passing.desk.read() as connection:
        alert = alerts.by_id(connection, number)
    response.ack(passing.desk, alert, BRUNO)
    passing.go(NIGHT)
    assert ("00:00", "ines", "transfer") in passing.told()
    page, = [each for each in passing.posts("page") if each.key.endswith(":handoff1")]
    assert json.loads(page.body or "{}")["people"] == ["ines"] and page.group_id == alert.group_id


# --- questions ------------------------------------------------------------------------------------------------------------


def test_a_question_at_night_waits_for_the_end_of_the_blackout(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("2026-11-24 00:02")
    told = asking.ask(passing.desk, passing.now_is(), OMAR, "which target did you drain?")
    assert told.startswith("Bruno is in Bridge's blackout until") and told.endswith("ask Inès.")
    found = passing.now_is()
    assert found.state == "queried" and note_of(found).questions[0].text == "which target did you drain?"
    message, = [each for each in passing.posts() if each.key.startswith("ask:")]
    assert (message.channel, message.due_at) == ("U0BRUNO001", local(MORNING))


def test_a_question_in_the_morning_goes_to_the_partners_lead_and_its_answer_stands_in_the_card(engine: sa.Engine) -> None:
    passing = Passing(engine)
    passing.go("2026-11-24 08:02")
    assert asking.ask(passing.desk, passing.now_is(), BRUNO, "why was it restarted?") == "Inès is asked now."
    asking.answer(passing.desk, passing.now_is(), INES, "the queue was stuck")
    question, = note_of(passing.now_is()).questions
    assert (question.by, question.answer, question.answered_by) == ("Bruno", "the queue was stuck", "Inès")
    assert [each.channel for each in passing.posts() if each.key.startswith("answer:")] == ["U0BRUNO001"]
    with pytest.raises(Refused, match="Inès has answered that"):
        asking.answer(passing.desk, passing.now_is(), INES, "again")


def test_only_the_outgoing_side_answers_and_only_the_incoming_asks(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("2026-11-24 00:02")
    with pytest.raises(Refused, match="its people ask back"):
        asking.ask(passing.desk, passing.now_is(), BRUNO, "anything?")
    asking.ask(passing.desk, passing.now_is(), OMAR, "anything?")
    with pytest.raises(Refused, match="Bridge was asked"):
        asking.answer(passing.desk, passing.now_is(), OMAR, "no")


# --- actions --------------------------------------------------------------------------------------------------------------


def test_actions_are_carried_until_somebody_closes_them(engine: sa.Engine) -> None:
    passing = Passing(engine)
    made = actions.add(passing.desk, "platform", BRUNO, "renew the key of hooks", "@paul", "2026-12-01")
    found = passing.go("2026-11-24 08:01")
    item, = note_of(found).actions.items
    assert (item.text, item.who, item.flags) == ("renew the key of hooks", "Paul", ("due 2026-12-01", "carried 2 times"))
    assert actions.close(passing.desk, "platform", PAUL, str(made.id)).closed_at is None
    passing.clock.advance(1)
    passing.tick()
    assert note_of(passing.now_is()).actions.items == ()
    with pytest.raises(Refused, match="Paul did it at"):
        actions.close(passing.desk, "platform", BRUNO, f"#{made.id}")


@pytest.mark.parametrize(("given", "why"), [
    ({"text": ""}, "What is to be done"), ({"text": "x", "owner": "@bob"}, 'owner "@bob" is nobody'),
    ({"text": "x", "due": "friday"}, "due is a day as in"), ({"text": "x" * 301}, "at most 300 characters"),
])
def test_an_action_that_says_nothing_is_refused(sqlite_engine: sa.Engine, given: dict[str, str], why: str) -> None:
    with pytest.raises(Refused, match=why):
        actions.add(Passing(sqlite_engine).desk, "platform", BRUNO, **given)


def test_what_slack_has_not_taken_by_then_is_taken_back_from_whoever_is_off(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("2026-11-24 00:05")
    waiting = {each.key for each in passing.posts() if each.due_at is not None}
    assert waiting == {"tell:1:call-incoming:omar", "tell:1:remind-incoming:omar"}
    accepted(passing)
    assert [each.key for each in passing.posts() if each.due_at is not None] == []
    passing.go(MORNING)
    assert [each.key for each in passing.posts() if each.due_at is not None] == ["tell:2:call-incoming:bruno"]


# --- within one company ---------------------------------------------------------------------------------------------------


def within() -> Config:
    """Two teams of Bridge, and no night that sleeps; paul is on in both."""
    told = CONFIG.model_dump()
    told["organisations"]["bridge"]["blackout"] = None
    told["teams"] = {name: {"organisation": "bridge", "lead": "paul"} for name in ("early", "late")}
    told["coverages"]["platform"] |= {
        "fallback": "paul", "days": {"weekday": [{"at": "06:00", "team": "early", "people": 1}, {"at": "14:00", "team": "late"}]},
    }
    turn = {"coverage": "platform", "starts": "2026-10-05"}
    told["rotations"] = {
        "early": turn | {"team": "early", "people": ["alice"]}, "late": turn | {"team": "late", "people": ["alice"]},
        "late-second": turn | {"team": "late", "role": "secondary", "people": ["bruno"]},
    }
    return Config.model_validate(told)


def test_between_two_teams_of_one_company_who_hands_over_to_themselves_is_seconded(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine, "13:00", within())
    found = passing.go("14:01")
    assert (found.direction, found.outgoing, found.incoming) == ("within", "alice", "alice")
    assert (note_of(found).giver, note_of(found).taker, note_of(found).dark) == ("early", "late", "")
    with pytest.raises(Refused, match=r"You hand this over yourself: somebody else must accept it\. Bruno can\."):
        accepted(passing, ALICE)
    assert accepted(passing, BRUNO).state == "accepted"


# --- restarts, and two at once --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("back", ["2026-11-24 00:00", "2026-11-24 00:04", "2026-11-24 00:07", "2026-11-24 00:12"])
def test_after_a_restart_around_midnight_nothing_is_doubled_or_missing(sqlite_engine: sa.Engine, back: str) -> None:
    passing = Passing(sqlite_engine)
    passing.go("23:54")
    passing.sleep("2026-11-23 23:59")
    passing.clock.advance(50)
    passing.sleep(back)
    passing.tick()
    found = passing.go("2026-11-24 00:20")
    told = [each[1:] for each in passing.told()]
    wanted = [each[1:] for each in EVENING_TOLD]
    late = local(back) >= local("2026-11-24 00:05")
    assert told == ([each for each in wanted if each[1] != "call incoming"] if late else wanted)
    assert found.state == "missed" and json.loads(found.done).keys() >= {"draft", "submit", "pass", "miss", "call incoming"}


def test_what_comes_late_says_how_late(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("23:54")
    passing.sleep("2026-11-24 00:04")
    passing.tick()
    assert "_4 min late: it could not be said before._" in passing.said("tell:1:call-incoming")


def test_what_has_lost_its_sense_is_skipped_and_written_down(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.sleep("22:00")
    passing.tick()
    assert passing.told() == [] and passing.now_is().state == "draft"
    assert json.loads(passing.entries("handoff step skipped")[0].details) == {"about": "ask line", "why": "its time was over"}


def test_a_week_without_vigie_is_missed_handoffs_and_no_word_to_anybody(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.sleep("2026-11-30 12:00")
    passing.tick()
    past = [each for each in passing.every() if each.boundary < passing.clock.now()]
    assert len(past) == 12 and {each.state for each in past} == {"missed"}
    assert {each.missed_reason for each in past[:-1]} == {"Vigie was not running"}
    assert {each[1] for each in passing.told()} <= {"alice", "bruno", "paul", "ines"}
    assert [each.key for each in passing.posts("handoff")] == [f"handoff:{past[-1].id}"]


def test_a_death_in_the_middle_of_a_step_neither_loses_nor_doubles_it(engine: sa.Engine) -> None:
    passing = Passing(engine)
    passing.go("23:59")
    passing.sleep(NIGHT)
    for where in ("handoff: before commit", "handoff: after commit"):
        dying = replace(passing.desk, kill=KillAt(where))
        with pytest.raises(Killed):
            ticking.act(dying)
            passing.clock.advance(60)
            ticking.act(dying)
    passing.go("2026-11-24 00:20")
    assert passing.told() == EVENING_TOLD


def test_two_processes_take_each_step_once(postgres_engine: sa.Engine) -> None:
    passing = Passing(postgres_engine)
    end = local("2026-11-24 00:20")
    with ThreadPoolExecutor(2) as both:
        while passing.clock.instant < end:
            passing.clock.instant = look_after(passing.clock.instant)
            list(both.map(lambda _: ticking.act(passing.desk), range(2)))
    assert passing.told() == EVENING_TOLD
    kinds = [each.kind for each in passing.entries()]
    assert all(kinds.count(kind) == 1 for kind in ("handoff drafted", "handoff submitted", "duty passed", "handoff missed"))
    boundaries = [each.boundary for each in passing.every()]
    assert len(boundaries) == len(set(boundaries))
