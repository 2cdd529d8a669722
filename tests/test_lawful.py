"""A roster, and each change of it, is asked about by the working-time rules; what blocks says so, and who may waive it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.config import Config
from bot.config.nights import Agreement
from bot.errors import Refused
from bot.labour import Finding
from bot.services.desk import Actor
from bot.services.rota import roster
from bot.services.rota.roster import Slot
from bot.services.worktime import lawful, timesheets
from bot.store import programmes, shifts
from bot.store.cards import post
from bot.store.db import create_engine, metadata
from bot.store.journal import journal
from tests.config_stage import example
from tests.labour_stage import RULES
from tests.plan_stage import local
from tests.story import CONFIG

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)             # Monday, 10:00 in Paris
INES = Actor("ines", "Inès", "padok", frozenset({"lead", "rota_admin"}), "U0INES0001", "slack C0ALERTS01")
OMAR = Actor("omar", "Omar", "padok", frozenset({"engineer"}), "U0OMAR0001", "slack C0ALERTS01")
PAUL = Actor("paul", "Paul", "bridge", frozenset({"lead", "approver", "rota_admin"}), "U0PAUL0001", "slack C0ALERTS01")


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    engine = create_engine("sqlite://", poolclass=sa.StaticPool)
    metadata.create_all(engine)
    with engine.begin() as found:
        yield found


def with_person(config: Config, key: str, **said: object) -> Config:
    return config.model_copy(update={"people": {**config.people, key: config.people[key].model_copy(update=said)}})


def with_labour(config: Config, side: str, **said: object) -> Config:
    found = config.organisations[side]
    labour = found.labour.model_copy(update=said)
    ruled = {**config.organisations, side: found.model_copy(update={"labour": labour})}
    return config.model_copy(update={"organisations": ruled})


def planned(config: Config, person: str, start: datetime, end: datetime) -> list[Slot]:
    return [each for each in roster.plan(config, "platform", start, end) if each.person == person]


def rules(found: Sequence[Finding]) -> set[tuple[str, str]]:
    return {(each.rule, each.severity) for each in found}


def changed(
    connection: sa.Connection, gains: Mapping[str, Sequence[Slot]], losses: Mapping[str, Sequence[Slot]], *,
    config: Config | None = None, now: datetime = NOW, reason: str | None = None,
) -> list[Finding]:
    return lawful.of_change(connection, config or example(), gains, losses, now, reason)


# --- a roster ---------------------------------------------------------------------------------------------------------------


def test_a_day_far_ahead_is_judged_with_all_that_is_planned_until_then(connection: sa.Connection) -> None:
    far = NOW + 200 * DAY
    known = lawful.case(connection, example(), "lea", far, far + DAY, NOW).spans
    assert NOW - DAY < min(each.start for each in known) < NOW + 14 * DAY
    later = lawful.case(connection, example(), "lea", far, far + DAY, far).spans       # it was planned, and never published
    assert min(each.start for each in later) >= far - timesheets.PLAN_BACK


def test_the_shipped_rota_breaks_no_rule_until_clocks_have_changed(connection: sa.Connection) -> None:
    for side in ("bridge", "padok"):
        found = lawful.examine(connection, example(), side, NOW, NOW + 130 * DAY, NOW)
        assert lawful.hard(found) == [], [each.message for each in lawful.hard(found)]


def test_an_organisation_without_rules_has_no_findings(connection: sa.Connection) -> None:
    assert lawful.examine(connection, CONFIG, "bridge", NOW, NOW + DAY, NOW) == []
    assert lawful.profile_of(CONFIG, "bridge") is None and lawful.itself(CONFIG, "bridge") is None


def test_the_night_of_nine_hours_at_work_is_too_long_for_a_night_worker(connection: sa.Connection) -> None:
    config = example()
    coverage = config.coverages["platform"]
    night = coverage.days["weekday"][0]
    sunday = (night, night.model_copy(update={"at": "08:00", "mode": "on_call"}))
    config = config.model_copy(update={"coverages": {
        "platform": coverage.model_copy(update={"days": {**coverage.days, "sunday": sunday}})
    }})
    start, end = local("2026-10-19T00:00"), local("2026-11-02T00:00")
    found = [each for each in lawful.examine(connection, config, "padok", start, end, start) if each.rule == "R11"]
    nights = [(each.start, each.person) for each in found if each.end - each.start == 9 * HOUR]
    assert {at for at, _ in nights} == {local("2026-10-25T00:00")} and {who for _, who in nights} == {"lea", "omar"}


def test_shifts_planned_into_a_blackout_are_found_though_nobody_is_called_there(connection: sa.Connection) -> None:
    config = example()
    coverage = config.coverages["platform"]
    first, day, evening = coverage.days["weekday"]
    early = {**coverage.days, "weekday": (first, day.model_copy(update={"at": "07:00"}), evening)}
    config = config.model_copy(update={"coverages": {"platform": coverage.model_copy(update={"days": early})}})
    found = lawful.examine(connection, config, "bridge", NOW, NOW + 7 * DAY, NOW)
    assert ("R15", "hard") in rules(found)


def test_what_was_is_what_was_published_with_the_calls_that_were_answered(connection: sa.Connection) -> None:
    start = local("2026-11-21T00:00")           # Saturday: Léa is on call
    assert lawful.case(connection, example(), "lea", start, start + DAY, NOW, "actual").spans == []
    row = {
        "coverage": "platform", "organisation": "padok", "team": "padok-nights", "role": "primary", "mode": "on_call",
        "person": "lea", "start": start, "end": start + 8 * HOUR, "source": "rotation", "version": 1, "published_by": "vigie",
        "published_at": start - 40 * DAY, "reason": None,
    }
    shifts.add(connection, [row])
    connection.execute(shifts.intervention.insert().values(
        person="lea", organisation="padok", start=start + 2 * HOUR, last_act_at=start + 3 * HOUR, end=start + 3 * HOUR,
        source="acts",
    ))
    case = lawful.case(connection, example(), "lea", start, start + DAY, NOW, "actual")
    assert [(each.kind, each.length) for each in case.spans] == [("on_call", 8 * HOUR), ("intervention", HOUR)]
    assert case.spans[0].published_at == start - 40 * DAY and not case.spans[1].confirmed and case.now == NOW


def test_the_first_programme_was_known_from_elsewhere(connection: sa.Connection) -> None:
    slot = planned(example(), "alice", NOW + 10 * HOUR, NOW + 14 * HOUR)[0]
    shift = shifts.Shift(
        7, "platform", "bridge", "bridge-day", "primary", "on_call", "alice", slot.start, slot.end, "rotation", 1, NOW, "vigie",
        timesheets.FIRST_PROGRAMME, None,
    )
    assert timesheets.span(replace(slot, shift=shift)).published_at is None
    assert timesheets.span(replace(slot, shift=replace(shift, reason=None))).published_at == NOW


def test_two_people_at_work_cover_each_others_breaks(connection: sa.Connection) -> None:
    case = lawful.case(connection, example(), "alice", NOW + DAY, NOW + 2 * DAY, NOW)
    assert all(each.covered for each in case.spans if each.kind == "work" and each.start > NOW)


# --- a change ---------------------------------------------------------------------------------------------------------------


def test_a_change_is_answerable_for_what_it_newly_causes_only(connection: sa.Connection) -> None:
    """A night is nothing to Inès, who has no shifts; to Alice, who worked until 20:00, it is her rest and Bridge's blackout."""
    nights = planned(example(), "lea", local("2026-12-16T00:00"), local("2026-12-16T08:00"))
    assert lawful.hard(changed(connection, {"ines": nights}, {"lea": nights})) == []
    found = changed(connection, {"alice": [replace(each, organisation="bridge") for each in nights]}, {"lea": nights})
    assert {"R01", "R15"} <= {each.rule for each in lawful.hard(found)}
    assert {each.person for each in found} == {"alice"}


def test_on_call_given_to_somebody_tonight_has_no_clear_day_and_in_three_days_wants_a_reason(connection: sa.Connection) -> None:
    tonight = planned(example(), "bruno", local("2026-11-23T20:00"), local("2026-11-24T00:00"))
    assert ("R13", "hard") in rules(changed(connection, {"paul": tonight}, {"bruno": tonight}))
    soon = planned(example(), "bruno", local("2026-11-26T20:00"), local("2026-11-27T00:00"))
    said = [each for each in changed(connection, {"paul": soon}, {"bruno": soon}) if each.rule == "R13"]
    assert [each.severity for each in said] == ["warn"] and "no reason is given" in said[0].message
    said = changed(connection, {"paul": soon}, {"bruno": soon}, reason="Bruno is ill")
    assert any("because: Bruno is ill" in each.message for each in said)


def test_who_may_not_have_nights_gains_none(connection: sa.Connection) -> None:
    config = with_person(example(), "ines", flags=("no_night",))
    night = planned(config, "lea", local("2026-12-16T00:00"), local("2026-12-16T08:00"))
    found = lawful.hard(changed(connection, {"ines": night}, {"lea": night}, config=config))
    assert [(each.rule, each.person) for each in found] == [("R16", "ines")]


def test_whoever_only_loses_work_is_never_worse_off(connection: sa.Connection) -> None:
    config = with_person(example(), "lea", flags=("no_night",))
    night = planned(config, "lea", local("2026-12-16T02:00"), local("2026-12-16T08:00"))
    assert changed(connection, {}, {"lea": night}, config=config) == []


def test_an_agreement_replaces_a_figure_and_is_cited(connection: sa.Connection) -> None:
    agreed = Agreement(rule="R13", parameter="notice_days", value=3, title="Company agreement of 2 May 2025, article 4")
    config = with_labour(example(), "bridge", agreements=(agreed,))
    later = planned(config, "bruno", local("2026-11-27T20:00"), local("2026-11-28T00:00"))
    assert not any(each.rule == "R13" for each in changed(connection, {"paul": later}, {"bruno": later}, config=config))
    assert "Company agreement of 2 May 2025" in (lawful.itself(config, "bridge") or "")


# --- what blocks, and who may waive it ----------------------------------------------------------------------------------------


def finding(rule: str, severity: str = "hard", person: str = "omar", waiver: str | None = None) -> Finding:
    return Finding(rule, severity, person, NOW, NOW + HOUR, "8 h of rest, 11 h needed", "start at 14:00", "L3131-1", waiver)


def test_soft_findings_are_told_and_hard_ones_block_with_article_and_what_would_be_lawful(connection: sa.Connection) -> None:
    soft, stiff = finding("R18", "warn"), finding("R06")
    assert lawful.require(connection, example(), [soft], INES, None, NOW) == [soft]
    with pytest.raises(Refused) as refused:
        lawful.require(connection, example(), [soft, stiff], INES, "because I say so", NOW)
    assert str(refused.value) == (
        "The working-time rules of Padok do not allow it:\n"
        "• R06 Omar: 8 h of rest, 11 h needed. Lawful: start at 14:00. (L3131-1)"
    )


def test_what_the_law_lets_be_waived_is_waived_by_name_and_reason_and_kept(connection: sa.Connection) -> None:
    urgent = finding("R01", waiver="urgent_works")
    with pytest.raises(Refused, match=r"For R01 the law knows a waiver: a lead or rota admin of Padok"):
        lawful.require(connection, example(), [urgent], INES, None, NOW)
    with pytest.raises(Refused, match="Say why R01 must be waived"):
        lawful.require(connection, example(), [urgent], INES, "urgent", NOW)
    assert lawful.require(connection, example(), [urgent], INES, "the database of payments is down", NOW) == []
    kept = programmes.waived(connection, "padok", NOW - DAY, NOW + DAY)
    assert [(each.rule, each.profile, each.waived_by, each.reason, each.evidence) for each in kept] == [
        ("R01", "FR-2026.08", "ines", "the database of payments is down", "8 h of rest, 11 h needed"),
    ]
    assert list(connection.execute(sa.select(journal.c.kind, journal.c.actor))) == [("rule waived", "ines")]
    owed = connection.execute(sa.select(post.c.channel, post.c.body).where(post.c.kind == "direct")).one()
    assert owed.channel == example().people["ines"].slack and "a rest of the same length is owed" in owed.body


def test_nobody_waives_a_blackout(connection: sa.Connection) -> None:
    with pytest.raises(Refused, match="do not allow it"):
        blackout = replace(finding("R15"), waiver=RULES["R15"].waiver)
        lawful.require(connection, example(), [blackout], INES, "the database of payments is down", NOW)


def test_what_was_waived_is_told_with_the_name_and_is_not_forbidden_any_more(connection: sa.Connection) -> None:
    config = with_person(example(), "omar", regime="under-18")
    start, end = NOW, NOW + 3 * DAY
    rest = next(each for each in lawful.examine(connection, config, "padok", start, end, NOW) if each.rule == "R16")
    waivable = replace(rest, waiver="urgent_works")
    lawful.require(connection, config, [waivable], INES, "the database of payments is down", NOW)
    again = next(each for each in lawful.examine(connection, config, "padok", start, end, NOW)
                 if (each.rule, each.start) == (rest.rule, rest.start))
    assert again.severity == "warn" and again.message.endswith("(waived by Inès: the database of payments is down)")


def test_only_the_own_leads_waive_and_the_other_company_learns_no_reasons(connection: sa.Connection) -> None:
    urgent = finding("R01", waiver="urgent_works")
    for actor in (OMAR, PAUL):
        with pytest.raises(Refused, match="Only a lead or rota admin of Padok may waive R01"):
            lawful.require(connection, example(), [urgent], actor, "the database of payments is down", NOW)
    with pytest.raises(Refused) as refused:
        lawful.require(connection, example(), [urgent], PAUL, None, NOW)
    assert "Omar" not in str(refused.value) and "rest" not in str(refused.value)
