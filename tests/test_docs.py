"""What the README and docs/ show works: numbers, examples, configurations, code blocks, links, files, pictures."""

import importlib.util
import json
import re
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from ruamel.yaml import YAML

import bot
from bot import durable, sources
from bot.config import Config, Probation, read_config
from bot.discover import discover
from bot.entrypoints import gate
from bot.services.alert import response
from bot.services.check import advice
from bot.services.slack import courier
from bot.sources import cloudwatch, datadog, generic
from tests.pages import NAMES, ROOT, blocks, named, read, spoken, table
from tests.story import arrive, desk_on

MADE = {"bench/results.json"}       # by a command, and not kept
TEXTS = {".py", ".md", ".txt", ".yaml", ".json", ".js", ".css", ".html", ".svg", ".sh", ".mako"}
SOURCES = discover(sources, sources.Source)
SHIPPED = [*(ROOT / "runbooks").glob("*.yaml")]
FLOORS = re.findall(r"^(\d+) (.+)$", bot.__doc__ or "", re.MULTILINE)
PROJECT = tomllib.loads(read("pyproject.toml"))["project"]


@pytest.mark.parametrize(("name", "claim"), [
    ("README.md", f"Python {PROJECT['requires-python'].removeprefix('>=')} or newer"),
    ("CHANGELOG.md", f"## {PROJECT['version']}"),
    ("README.md", f"{Probation().minutes} minutes after the recovery"),
    ("README.md", f"{ {11: 'eleven'}[len(FLOORS)]} floors"),
    ("README.md", f"{ {12: 'Twelve'}[len(SHIPPED)]} are shipped"),
    ("CHANGELOG.md", f"{ {12: 'Twelve'}[len(SHIPPED)]} are shipped"),
    ("README.md", f"at most {response.LONGEST_SNOOZE // timedelta(hours=1)} hours"),
    ("docs/sources.md", f"{cloudwatch.MAX_ENVELOPE:,} bytes"),
    ("docs/sources.md", f"{sources.MAX_BODY:,} bytes"),
    ("docs/security.md", f"at most {gate.LARGEST:,} bytes"),
    ("docs/security.md", {300: "at most five minutes old"}[gate.OLDEST_S]),
    ("docs/security.md", {timedelta(hours=1): "at most an hour old"}[cloudwatch.REPLAY_WINDOW]),
    ("docs/operation.md", {timedelta(minutes=5): "tried again every five minutes"}[courier.AGAIN_AFTER]),
    ("docs/operation.md", {60: "a minute or more late says how late"}[courier.LATE_AFTER_S]),
    ("docs/operation.md", f"| {durable.LOST_IDENTITY} |"),
])
def test_numbers_are_those_of_the_code(name: str, claim: str) -> None:
    assert claim in " ".join(read(name).split())


def test_the_examples_are_what_each_source_reads() -> None:
    page = read("docs/sources.md")
    shown = [json.loads(each) for each in blocks(page, "json")]
    assert all(source.example in shown for source in SOURCES.values())
    assert advice.DELIVERY_POLICY in shown and datadog.WEBHOOK_TEMPLATE in page
    assert named(table("docs/sources.md", "source")) >= set(SOURCES)
    fields = generic.GenericAlert.model_fields.items()
    assert [[f"`{name}`", "needed" if each.is_required() else "", each.description] for name, each in fields] == table(
        "docs/sources.md", "field")


def test_the_floors_are_those_of_the_plan() -> None:
    planned = {floor: {each for each in names.split() if importlib.util.find_spec(each)} for floor, names in FLOORS}
    assert {row[0]: set(re.findall("`([^`]+)`", row[1])) for row in table("docs/architecture.md", "floor")} == planned


@pytest.mark.parametrize("name", NAMES)
def test_code_blocks_can_be_read(name: str) -> None:
    for block in blocks(read(name), "json"):
        json.loads(block)
    for block in blocks(read(name), "yaml"):
        loader = YAML(typ="safe")
        loader.allow_duplicate_keys = True      # one block may show several ways to say the same
        loader.load(block)


@pytest.mark.parametrize("endpoints", blocks(read("docs/sources.md"), "yaml"))
def test_each_endpoint_that_is_shown_is_one(endpoints: str, tmp_path: Path) -> None:
    given = YAML(typ="safe").load(endpoints).get("endpoints")
    if given is None:
        return      # the other end's configuration
    first = YAML(typ="safe").load(blocks(read("README.md"), "yaml")[0])
    bridge = {"bridge": {"name": "Bridge", "kind": "own"}}
    whole = {**first, "organisations": {**first["organisations"], **bridge}, "endpoints": given}
    (tmp_path / "vigie.yaml").write_text(json.dumps(whole))
    assert read_config(tmp_path / "vigie.yaml").faults == ()


def test_the_first_configuration_has_no_fault_and_takes_the_first_alert(sqlite_engine: sa.Engine, tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text(blocks(read("README.md"), "yaml")[0])
    reading = read_config(tmp_path / "vigie.yaml")
    assert reading.faults == () == reading.warnings and isinstance(reading.config, Config)
    desk = desk_on(sqlite_engine, config=reading.config)
    given = sources.Delivery("scripts", reading.config.endpoints["scripts"], b"", {}, desk.clock.now())
    arrive(desk, *generic.read(json.loads(blocks(read("README.md"), "json")[0]), given), endpoint="scripts")
    with desk.read() as connection:
        assert connection.execute(sa.text("SELECT service, severity, state FROM alert")).all() == [("pay-api", "high", "firing")]


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", read(name)):
        found = ((ROOT / name).parent / target).resolve() if target else ROOT / name
        assert found.exists(), f"{name}: {target}"
        heads = re.findall(r"^#+ (.+)$", found.read_text(), re.MULTILINE) if anchor else []
        assert not anchor or anchor in {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("name", NAMES)
def test_files_that_are_named_exist(name: str) -> None:
    for said in spoken(name)[1:]:
        if re.fullmatch(r"(bot|commands|docs|tests|alembic|bench|runbooks)(/[\w./]+)?", said):
            assert said in MADE or (ROOT / said).exists(), f"{name}: {said}"


def test_the_pictures_are_small_enough_for_a_repository() -> None:
    shown = set(re.findall(r"docs/pictures/[\w.]+", read("README.md")))
    assert shown and all((ROOT / each).stat().st_size < 250_000 for each in shown)


def test_nothing_names_a_machine_or_a_registry() -> None:
    hosts = [".".join(host) for host in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"))]
    places = re.compile("|".join([*map(re.escape, hosts), r"(?<![\w.<])/(?:work|tmp|root|home)/\w"]))
    folders = (ROOT / each for each in ("bot", "commands", "runbooks", "alembic", "docs", "tests", "requirements"))
    written = [file for folder in folders for file in folder.rglob("*") if file.suffix in TEXTS]
    for file in [*written, *(each for each in ROOT.iterdir() if each.is_file() and not each.name.startswith("."))]:
        assert not places.search(file.read_text(errors="replace")), file
