"""What the README and docs/ name is what the code has: states, commands, variables, metrics, reasons, scopes; and no other."""

import ast
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
import typer

import commands
from bot import __main__ as command_line
from bot import demo, settings, sources
from bot.config import Probation
from bot.discover import discover
from bot.entrypoints import gate
from bot.errors import Refused
from bot.services.alert import assigning, due, response
from bot.services.call import calling
from bot.services.check import manifest
from bot.services.desk import Desk
from bot.services.leave import authority
from bot.services.meters import Meters
from bot.store.alerts import Alert, by_id
from commands import Command
from tests.fakes import ManualClock
from tests.pages import NAMES, ROOT, blocks, calls, named, read, spoken, table
from tests.story import ALICE, LEA, T0, arrive, desk_on, signal

NOT_OURS = {"AWS_REGION", "AWS_ENDPOINT_URL", "DEMO_PORT", "DEMO_SPEED", "DEMO_STORY", "DD_API_KEY", "DD_SITE", "VIGIE_SIM_SEEDS"}
FAMILY = discover(commands, Command)
WHO = {"read": "everybody in `vigie.yaml`", "write": "`engineer`, `lead`, `manager`", "act": "`engineer`, `lead`"}

# --- the life of an alert --------------------------------------------------------------------------------------------


Move = Callable[["Case"], object]


class Case:
    """One alert that is brought into a state, then moved once."""

    def __init__(self, desk: Desk, clock: ManualClock, key: str) -> None:
        self.desk, self.clock, self.key = desk, clock, key
        self.tell("firing")
        with desk.read() as connection:
            self._id = connection.scalar(sa.text("SELECT max(id) FROM alert"))

    def tell(self, state: str) -> None:
        self.clock.advance(1)
        arrive(self.desk, signal(state, at=(self.clock.now() - T0).total_seconds(), key=self.key))

    def quiet(self) -> None:
        self.clock.advance(Probation().minutes * 60 + 1)
        due.act(self.desk)

    def lapse(self) -> None:
        had = [self.alert]
        with self.desk.begin("lapse") as connection:
            calling.lapse(connection, had, "has been silent", self.clock.now())

    @property
    def alert(self) -> Alert:
        with self.desk.read() as connection:
            found = by_id(connection, self._id)
        assert found
        return found


MOVES: dict[str, Move] = {
    "ack": lambda case: response.ack(case.desk, case.alert, ALICE),
    "close": lambda case: response.close(case.desk, case.alert, LEA, reason="planned"),
    "lapse": lambda case: case.lapse(),
    "recovery": lambda case: case.tell("recovered"),
    "relapse": lambda case: case.tell("firing"),
    "quiet": lambda case: case.quiet(),
    "no data": lambda case: case.tell("no data"),
    "gone": lambda case: case.tell("gone"),
    "snooze": lambda case: response.snooze(case.desk, case.alert, ALICE, timedelta(minutes=5)),
    "assign": lambda case: assigning.assign(case.desk, case.alert, ALICE, "lea"),
    "note": lambda case: response.note(case.desk, case.alert, ALICE, "seen it"),
}
WAYS = {"firing": (), "acked": ("ack",), "recovered": ("recovery",), "closed": ("close",)}


def moved(desk: Desk, clock: ManualClock, state: str, move: str) -> str:
    case = Case(desk, clock, f"{state} {move}")
    for step in WAYS[state]:
        MOVES[step](case)
    assert case.alert.state == state
    try:
        MOVES[move](case)
    except Refused:
        return state
    return case.alert.state


def drawn() -> set[tuple[str, str, str]]:
    edges = re.findall(r"^ +(\w+) --> (\w+) : (.+)$", blocks(read("README.md"), "mermaid")[0], re.MULTILINE)
    return {(begin, move, end) for begin, end, label in edges for move in label.split(" or ")}


def test_the_graph_shows_every_way_in_which_an_alert_moves_and_no_other(sqlite_engine: sa.Engine) -> None:
    clock = ManualClock(T0)
    desk = desk_on(sqlite_engine, clock)
    tried = {(state, move, moved(desk, clock, state, move)) for state in WAYS for move in MOVES}
    assert drawn() == {(begin, move, end) for begin, move, end in tried if begin != end}
    assert {row[0] for row in table("README.md", "what")} == {move for _, move, _ in drawn()} | {"opens"}


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "groups"), [
    ("command", {"this alert", "who is on"}), ("for runbooks", {"runbooks"}), ("to look back", {"looking back"}),
])
def test_the_tables_of_commands_are_the_family(first: str, groups: set[str]) -> None:
    meant = [each for each in FAMILY.values() if each.group in groups]
    said = [(row[0], row[1]) for row in table("README.md", first)]
    assert said == [(f"`/vigie {f'{each.name} {each.usage}'.strip()}`", each.help) for each in meant]


def test_the_changelog_names_every_command() -> None:
    lists = re.findall(r"(?:Eight|Nine|Fourteen|Seven more) commands[,:] ((?:`[a-z-]+`,?\s+)*`[a-z-]+`)", read("CHANGELOG.md"))
    assert sorted(re.findall("`([a-z-]+)`", " ".join(lists))) == sorted(FAMILY)


def test_the_levels_of_commands_and_their_roles_are_those_of_authority() -> None:
    rows = table("docs/slack.md", "level")
    assert {row[0]: row[1] for row in rows} == WHO
    for level, roles, verbs in rows:
        assert verbs == ", ".join(f"`{each.name}`" for each in FAMILY.values() if each.level == level)
        assert set(re.findall(r"`(\w+)`", roles)) - {"vigie"} == set(authority.ROLES[level] or ())  # type: ignore[index]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_line_that_is_named_exists(name: str) -> None:
    known = typer.main.get_command(command_line.cli).commands  # type: ignore[attr-defined]
    groups = {name: each.commands for name, each in known.items() if hasattr(each, "commands")}
    for said in spoken(name):
        for verb, more in re.findall(r"(?<![\w/.-])vigie ([a-z]+)([^\n;#]*)", said):
            assert verb in known, f"{name}: vigie {verb}"
            word = more.split()[0] if verb in groups and more.split() else ""
            assert not word or word in groups[verb], f"{name}: vigie {verb} {word}"
            options = {option for each in (groups[verb][word] if word else known[verb]).params for option in each.opts}
            assert set(re.findall(r"--[a-z-]+", more)) <= options, f"{name}: {said}"
        for verb in re.findall(r"/vigie ([a-z-]+)", said):
            assert verb in FAMILY, f"{name}: /vigie {verb}"
        for verb in re.findall(r"@Vigie ([a-z-]+)", said):
            assert verb in FAMILY, f"{name}: @Vigie {verb}"
        for target in re.findall(r"^make ([a-z]+)", said, re.MULTILINE):
            assert re.search(rf"^{target}:", read("Makefile"), re.MULTILINE), f"{name}: make {target}"


def test_every_variable_that_is_named_exists_and_every_one_that_exists_is_named() -> None:
    ours = r"\b(?:(?:VIGIE|SLACK|DEMO|DD|AWS)_[A-Z_]+[A-Z]|DATABASE_URL|LOG_LEVEL|PORT|HOST)\b"
    told = {word for name in NAMES for said in spoken(name) for word in re.findall(ours, said)}
    named = (settings.SECRET_VARIABLES, "VIGIE_CONTACT_")      # as vigie.yaml calls them
    assert {each for each in told if not each.startswith(named)} <= {*settings.VARIABLES, *NOT_OURS}
    assert set(settings.VARIABLES) <= told
    assert {row[0].strip("`"): row[1].strip("`") for row in table("docs/demo.md", "variable")} == {
        "DEMO_PORT": demo.DEFAULT_PORT, "DEMO_SPEED": demo.DEFAULT_SPEED, "DEMO_STORY": ""}


def test_the_metrics_are_those_that_are_counted_with_their_labels() -> None:
    meters = [each for each in vars(Meters()).values() if hasattr(each, "_labelnames")]
    counted = {each._name + ("_total" if each._type == "counter" else ""): set(each._labelnames) for each in meters}
    rows = table("docs/operation.md", "metric")
    assert {row[0].strip("`* "): set(re.findall(r"`(\w+)`", row[1])) for row in rows} == counted
    told = {word for name in NAMES for said in spoken(name) for word in re.findall(r"\bvigie_[a-z_]+", said)}
    assert told - {"vigie_owner"} == set(counted)


def test_the_fields_of_log_lines_exist() -> None:
    written = {each.arg for level in ("info", "warning", "error", "exception") for call in calls(level) for each in call.keywords}
    always = {"timestamp", "level", "event", "exception"}
    told = named(table("docs/operation.md", "field"))
    assert told <= written | always | {each.arg for call in calls("bind_contextvars") for each in call.keywords}


def test_the_reasons_of_refusals_are_those_of_the_code() -> None:
    kinds = [call for name in ("Untrusted", "Forged", "Unauthorised", "_drop") for call in calls(name)]
    words = {each.value for call in kinds for each in call.args if isinstance(each, ast.Constant)}
    reasons = {word for word in words if isinstance(word, str) and re.fullmatch("[a-z]+(_[a-z]+)*", word)}
    assert named(table("docs/sources.md", "reason")) == reasons | {"bad_secret", sources.TooLarge.reason}
    slack = next(line for line in read("docs/sources.md").splitlines() if line.startswith("Requests of Slack"))
    assert set(re.findall("`([a-z_]+)`", slack)) == {
        "slack", gate.TOO_LARGE, gate.TOO_SLOW, gate.STALE, gate.UNSIGNED, gate.GARBLED,
    }


def test_the_places_where_it_may_die_are_those_of_the_code() -> None:
    def words(node: ast.expr) -> str:
        if isinstance(node, ast.JoinedStr):
            return "".join(part.value if isinstance(part, ast.Constant) else "<verb>" for part in node.values)
        return node.value if isinstance(node, ast.Constant) else ""

    assert named(table("docs/architecture.md", "point")) == {words(call.args[0]) for call in calls("kill")}


def test_the_scopes_are_those_of_the_manifest_each_with_its_reason() -> None:
    assert {row[0].strip("`"): row[1] for row in table("docs/slack.md", "scope")} == manifest.SCOPES | manifest.GROUP_SCOPES


def test_the_words_of_the_glossary_are_used_in_the_house() -> None:
    words = [row[0] for row in table("README.md", "word")]
    code = "\n".join(file.read_text().lower() for file in (ROOT / "bot").rglob("*.py"))
    assert len(words) == len(set(words)) and all(word in code for word in words)
