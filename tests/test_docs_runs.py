"""What docs/ say of automation and of runs is what the code does: decisions, the ladder, switches, calls, deaths, the journal."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from bot.clients import roles
from bot.config import Config, Probation, load_catalogue
from bot.entrypoints import perform
from bot.services.alert import automation, due, inquiry, proving, response, similar, triage
from bot.services.alert.triage import Facts, decide
from bot.services.leave import answering, approvals, contracts
from bot.services.leave.signing import plain_times
from bot.services.run import aftermath, brakes, ladder
from bot.services.slack import buttons, runcards
from bot.store import journal, runs
from commands import Way
from runbooks.model import RUNGS, Limits, Runbook
from tests.chat_stage import FAMILY
from tests.config_stage import TODAY, actions, example
from tests.fakes import KillAt, Killed, ManualClock
from tests.night_shift import Shift, shift
from tests.pages import ROOT, blocks, read, table
from tests.story import ALICE, CONFIG, INES, LEA, PAUL, T0, arrive, desk_on, signal
from tests.workshop import Machine, runbook, workshop

PAGE = "docs/automation.md"

# --- what is decided --------------------------------------------------------------------------------------------------------

HAPPENS = {
    "it is shown on its card": ("show", False),
    "a person is called": ("page", True),
    "its runbook is offered on the card": ("offer", False),
    "its runbook is offered, and a person is called": ("offer", True),
    "Vigie runs it": ("run", False),
    "Vigie runs it after somebody's yes": ("approve", False),
}


class Row(NamedTuple):
    """One line of the table of decisions; an empty cell stands for anything."""

    recognised: str
    important: str
    rung: str
    held_back: str
    happens: str

    def means(self, known: Facts) -> bool:
        said = (yes(known.recognised), yes(known.important), known.rung, yes(known.brakes))
        return all(not cell or word in cell.split(", ") for word, cell in zip(said, self, strict=False))


def yes(fact: object) -> str:
    return "yes" if fact else "no"


FACTS = [
    Facts(recognised, important, rung, brakes=held)
    for recognised, important, rung, held in product((None, "runbook smaller"), (False, True), RUNGS, ((), ("stopped",)))
]


def test_the_table_of_decisions_is_what_is_decided() -> None:
    rows = [Row(*each) for each in table(PAGE, "recognised")]
    for known in FACTS:
        row, = (each for each in rows if each.means(known))
        decision = decide(known)
        assert (decision.what, decision.pages) == HAPPENS[row.happens], known
    assert all(any(row.means(known) for known in FACTS) for row in rows)


def test_the_short_table_of_the_readme_says_the_same() -> None:
    known = {
        "a runbook knows it, and is trusted": Facts("runbook smaller", False, "automatic"),
        "a runbook knows it": Facts("runbook smaller", False, "click"), "nobody knows it": Facts(None, False),
    }
    for what, *cells in table("README.md", "when"):
        for important, cell in enumerate(cells):
            decision = decide(replace(known.pop(what) if important else known[what], important=bool(important)))
            assert (decision.what, decision.pages) == HAPPENS[cell]
    assert not known


@pytest.mark.parametrize("known", [each for each in FACTS if each.recognised])
def test_what_came_back_calls_a_person_unless_its_runbook_is_run_once_more(known: Facts) -> None:
    decision = decide(replace(known, came_back="run 57"))
    assert decision.pages != (decision.what in ("run", "approve"))


def test_why_prints_what_the_page_shows(sqlite_engine: sa.Engine) -> None:
    clock = ManualClock(T0 - timedelta(hours=12))
    book = load_catalogue(None, example(), actions(), TODAY)
    desk = replace(desk_on(sqlite_engine, clock, config=example()), catalogue=book)
    for name, rung in product(("queue-backlog", "unhealthy-target"), RUNGS[1:]):
        trusted = book.entries[name].runbook
        ladder.propose(desk, trusted, rung, INES, "without evidence: it did well by hand all autumn")
        ladder.second(desk, trusted, PAUL)
    clock.advance(12 * 3_600)
    old = signal(key="queue", name="batch-worker-queue-age", title="Oldest message is 742 s old", service="batch-worker")
    arrive(desk, old)
    brakes.stop(desk, "pay-api", LEA, "a release is under way")
    arrive(desk, signal(key="target", name="pay-api-unhealthy-hosts", title="1 of 6 targets is unhealthy", severity="critical"))
    automation.act(desk)
    said = [plain_times(inquiry.why(desk, response.find(desk, each))).replace("*", "") for each in ("1", "2")]
    assert [lined(each) for each in blocks(read(PAGE), "text")] == [lined(each) for each in said]


def lined(text: str) -> str:
    """Where a line stands in a file may change."""
    return re.sub(r"line \d+", "line …", text.strip())


# --- figures ----------------------------------------------------------------------------------------------------------------

MINUTES, PEOPLE = timedelta(minutes=1), {1: "1 person", 2: "2 different people"}


@pytest.mark.parametrize(("name", "claim"), [
    (PAGE, f"the proposal waits {ladder.WAITS.days} days"),
    (PAGE, f"a reason of at least {ladder.SHORTEST_REASON} characters, `{ladder.WITHOUT_EVIDENCE}...`"),
    (PAGE, f"without it, {Limits().stop_after_failures} is enough"),
    (PAGE, f"At most {Limits().per_hour} automatic runs within an {({3600: 'hour'})[brakes.HOUR.seconds]} for one target"),
    (PAGE, f"`busy: {Runbook.model_fields['busy'].default}`, which is the default, refuses"),
    (PAGE, f"**it stayed quiet**: {Probation().minutes} minutes"),
    (PAGE, f"again every {proving.AGAIN_AFTER // MINUTES} minutes, at most {proving.MOST_PROOFS} times"),
    (PAGE, f"up to {similar.similar.__defaults__[0]} past alerts"),      # type: ignore[index]
    (PAGE, f"the newest {similar.MOST_COMPARED:,} that are closed"),
    (PAGE, f"else severity `{next(iter(triage.IMPORTANT_BY_DEFAULT))}`"),
    ("docs/architecture.md", f"as Omar, for {roles.LIVES_S // 60} minutes"),
    ("CHANGELOG.md", f"for {roles.LIVES_S // 60} minutes, with a session policy"),
    ("CHANGELOG.md", f"within {approvals.PATIENCE // MINUTES} minutes"),
])
def test_figures_are_those_of_the_code(name: str, claim: str) -> None:
    assert claim in " ".join(read(name).split())


def test_the_ladder_is_climbed_as_the_page_says() -> None:
    said = {row[0]: row[2] for row in table(PAGE, "rung")}
    assert said == {RUNGS[0]: "", **{
        rung: f"{ladder.ENOUGH[rung]} verified successes in a row, by {PEOPLE[ladder.PEOPLE[rung]]}" for rung in RUNGS[1:]
    }}
    assert {"lead", "approver"} == ladder.ROLES and "Two leads or approvers sign, of two companies" in read(PAGE)


# --- switches ---------------------------------------------------------------------------------------------------------------


def test_each_switch_stops_what_the_page_says(sqlite_engine: sa.Engine) -> None:
    desk = replace(desk_on(sqlite_engine, config=example()), catalogue=load_catalogue(None, example(), actions(), TODAY))
    words = [row[0].strip("`").split()[-1] for row in table(PAGE, "said")]
    assert [brakes.scope_of(desk, each).partition(":")[0] for each in words] == ["everything", "service", "runbook"]


def test_while_all_automation_is_stopped_what_is_well_is_still_proven_and_closed(sqlite_engine: sa.Engine) -> None:
    night = shift(sqlite_engine)
    brakes.stop(night.desk, "everything", LEA)
    night.tell()
    night.live(1)
    night.tell("recovered")
    night.live(20)
    proof, = night.runs()
    assert (night.alert().state, night.alert().closed_by, proof.purpose, night.machine.calls) == ("closed", "vigie", "proof", [])


def test_a_run_that_is_stopped_halfway_takes_back_what_it_did_and_calls_somebody(sqlite_engine: sa.Engine) -> None:
    night = shift(sqlite_engine)
    night.tell()
    night.decide()
    run, = night.runs()
    while night.machine.calls == [] or night.shop.steps(run.id)[0].state != "done":
        night.clock.advance(night.shop.execution.move(run.id) or 0)
    brakes.stop(night.desk, "everything", LEA)
    ended, = night.work()
    assert (ended.state, night.machine.values["size"], night.machine.values["restarts"]) == (runs.FAILED, 18, 0)
    assert (night.called(), night.told("runbook demoted")) == (["lea"], [])


# --- who is called ----------------------------------------------------------------------------------------------------------

OFFERED = Facts("runbook smaller", True, "click")
RELAPSED = Facts(
    "runbook smaller", False, "automatic", brakes=(brakes.UNTRUSTED.format(count=1, s=""),),
    came_back=automation.CAME_BACK.format(run=57),
)
CALLS = (
    decide(Facts(None, True)).call, decide(OFFERED).call, aftermath.FAILED, aftermath.IN_DOUBT, due.STILL_THERE,
    decide(RELAPSED).call, proving.UNPROVEN_CALL, proving.SILENT,
)


def test_the_words_of_a_call_are_those_of_the_code() -> None:
    said = [row[1].strip("`") for row in table(PAGE, "a person is called")]
    for words, pattern in zip(said, CALLS, strict=True):
        assert re.match(like(pattern), words), words


def like(pattern: str) -> str:
    """What a pattern for people may become; its end may be left out."""
    words = re.sub(r"\\\{[^}]*\\\}", ".*", re.escape(pattern))
    return words.split(r".*\ It\ stays", 1)[0].rstrip(".*\\ ")


# --- deaths -----------------------------------------------------------------------------------------------------------------

ONCE = {"name": "restart", "uses": "test.restart", "undo": "none"}
AGAIN = {"name": "resize", "uses": "test.resize", "with": {"size": 14}}
ENDS = {
    "nothing has happened: it is done": (runs.SUCCEEDED, 0, 1),
    "nothing is seen: it is done": (runs.SUCCEEDED, 0, 1),
    "nothing is seen for a while: a person says what happened": (runs.IN_DOUBT, 0, 0),
    "it is seen: it is not done again": (runs.SUCCEEDED, 1, 1),
}


def deaths() -> Iterator[tuple[str, Mapping[str, Any], str]]:
    for point, again, once in table("docs/architecture.md", "killed"):
        yield point.strip("`"), AGAIN, again
        yield point.strip("`"), ONCE, once


@pytest.mark.parametrize(("point", "step", "said"), deaths())
def test_a_death_around_the_call_ends_as_the_page_says(
    sqlite_engine: sa.Engine, point: str, step: Mapping[str, Any], said: str
) -> None:
    state, before, after = ENDS[said]
    machine, book = Machine(), runbook(steps=[step])
    dying = workshop(desk_on(sqlite_engine, kill=KillAt(point)), book, machine=machine)
    with pytest.raises(Killed):
        dying.carry_on(dying.start(ALICE))
    assert len(machine.calls) == before
    run = workshop(desk_on(sqlite_engine, dying.clock), book, machine=machine).carry_on(1)
    assert (run.state, len(machine.calls)) == (state, after)


def test_a_doubt_is_answered_with_the_buttons_that_are_named() -> None:
    answers = f"*{runcards.HAPPENED}*, *{runcards.AGAIN}* or *{runcards.STOP}*"
    assert answers in " ".join(read("docs/architecture.md").split())


# --- Slack ------------------------------------------------------------------------------------------------------------------

def pressed(room: str) -> Iterator[str]:
    """The verbs of the buttons that a drawing file makes by name."""
    for node in ast.walk(ast.parse((ROOT / f"bot/services/slack/{room}.py").read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "button":
            said = node.args[1]
            first = said.values[0] if isinstance(said, ast.JoinedStr) else said
            if isinstance(first, ast.Constant):
                yield str(first.value).partition(":")[0]


def test_each_verb_has_its_buttons_where_the_page_says() -> None:
    rows = {row[0]: set(re.findall("`([a-z-]+)`", row[1])) for row in table("docs/slack.md", "where")}
    nowhere = rows.pop("nowhere: type it, or mention Vigie")
    assert rows["a card"] == {*buttons.BUTTONS, *buttons.MORE} - {"seen"} and rows["a run"] == set(pressed("runcards"))
    assert rows["a handoff"] == set(pressed("handoffcards")) and rows["the Home tab"] == set(pressed("home"))
    assert rows["a question"] | rows["a page"] == set(pressed("askcards")) | {"outcome"}
    assert set.union(*rows.values()) | nowhere == set(FAMILY) and nowhere.isdisjoint(set.union(*rows.values()))


def test_the_lines_that_run_something_name_runbooks_and_parameters_that_exist() -> None:
    book = load_catalogue(None, example(), actions(), TODAY).entries
    for line in (row[0].strip("`").split()[1:] for row in table("docs/slack.md", "said")):
        named = [book[word].runbook for word in line[1:] if word in book]
        assert line[0] in FAMILY and all(word.isdigit() or word in book or "=" in word or word == "plan" for word in line[1:])
        assert all(word.partition("=")[0] in named[0].parameters for word in line if "=" in word)


OMAR: Any = {"name": "Omar", "slack": "U0OMAR0001", "team": "T0PADOK001", "organisation": "bridge", "roles": ["engineer"]}


@pytest.mark.parametrize("way", ["mention", "button"])
def test_a_person_of_another_workspace_runs_what_the_person_may(sqlite_engine: sa.Engine, way: Way) -> None:
    given = CONFIG.model_dump()
    shop = workshop(desk_on(sqlite_engine, config=Config.model_validate({**given, "people": {**given["people"], "omar": OMAR}})))
    arrive(shop.desk, signal())
    saying = perform.Saying(OMAR["team"], OMAR["slack"], "slack C0PAYMNT01", ("run", "--start"), "1", way)
    reply = perform.perform(shop.desk, FAMILY, saying)
    assert reply.ok and ("Run 1 is started" in reply.text if way == "mention" else reply.ask)


# --- the journal ------------------------------------------------------------------------------------------------------------


MANDATE = {"title": "Padok helps", "organisation": "padok", "starts": "2026-01-01", "ends": "2030-12-31",
           "clauses": [{"name": "§1 restart", "runbooks": "smaller"}]}
ASKING = {"name": "resize", "uses": "test.resize", "with": {"size": "${{ params.size }}"}, "approve": True}


def story(engine: sa.Engine) -> list[Any]:
    """A day on which all sorts of things are written down: the entries."""
    book = runbook(steps=[ASKING])
    day = shift(engine, book, config=Config.model_validate({**CONFIG.model_dump(), "mandates": {"nights": MANDATE}}))
    desk = day.desk
    day.trust("click")
    day.clock.advance(12 * 3_600)
    for lead in (INES, PAUL):
        contracts.confirm(desk, "nights", lead)
    ladder.propose(desk, book, "automatic", INES, "without evidence: it always worked")
    ladder.second(desk, book, PAUL)
    day.tell(severity="critical")
    day.decide()
    approved(day)
    day.tell("recovered")
    day.live(20)
    day.shop.start(LEA)
    approved(day)
    day.tell(key="other", name="something-else", severity="critical")
    day.decide()
    perform.perform(desk, FAMILY, perform.Saying("T0BRIDGE01", "U0MARIE001", "slack C0ALERTS01", ("ack", "1", "mine")))
    with desk.read() as connection:
        return list(journal.all_entries(connection))


def approved(day: Shift) -> None:
    """The newest run, to its end."""
    run = day.runs()[-1]
    while day.shop.execution.move(run.id) == 0:
        pass
    answering.approve(day.desk, run.id, INES)
    day.work()


def test_entries_say_what_the_page_says(sqlite_engine: sa.Engine) -> None:
    written: dict[str, set[str]] = {}
    for each in story(sqlite_engine):
        written.setdefault(each.kind, set()).update(json.loads(each.details))
    for kind, details in table("docs/journal.md", "kind"):
        assert set(re.findall(r"`(\w+)`", details)) <= written[kind.strip("`")], kind
