"""docs/runbooks.md says what the code says: its tables are those of the code, its keys all there are, its example works."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

from bot.config import load_catalogue
from runbooks.model import Approve, Check, Limits, Parameter, Retry, Runbook, Step, When
from tests.catalogue_stage import BY_DAY, House, night_on, platform_server
from tests.config_stage import TODAY, actions, example, shelf
from tests.pages import ROOT, blocks, named, read, table

__all__ = ["platform_server"]

PAGE = "docs/runbooks.md"
HOST_DISK = next(each for each in blocks(read(PAGE), "yaml") if each.startswith("name: host-disk"))


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    """What writes them."""
    found = importlib.util.spec_from_file_location("tables", ROOT / "docs" / "tables.py")
    assert found is not None and found.loader is not None
    made = importlib.util.module_from_spec(found)
    found.loader.exec_module(made)
    return made


def test_the_tables_are_those_of_the_code(tables: ModuleType) -> None:
    assert tables.with_tables(read(PAGE)) == read(PAGE), "write them anew: .venv/bin/python docs/tables.py"


def keys(model: type[BaseModel]) -> set[str]:
    return {each.alias or name for name, each in model.model_fields.items()}


@pytest.mark.parametrize(("head", "model"), [
    ("key of a runbook", Runbook), ("key of a `when`", When), ("key of a parameter", Parameter), ("key of a step", Step)])
def test_every_key_is_told(head: str, model: type[BaseModel]) -> None:
    assert named(table(PAGE, head)) == keys(model)


@pytest.mark.parametrize("model", [Approve, Limits, Retry, Check])
def test_every_key_of_a_part_is_told(model: type[BaseModel]) -> None:
    assert all(f"`{key}`" in read(PAGE) for key in keys(model))


def test_what_actions_find_is_told_of_actions_that_there_are() -> None:
    known = {action.name for service in actions().values() for action in service.actions}
    told = named(table(PAGE, "of these"))
    assert told <= known


def test_the_example_is_checked_without_a_remark(tmp_path: Path) -> None:
    found = shelf(tmp_path, host_disk=HOST_DISK)
    assert (found.faults, found.warnings) == ((), ())


def test_the_example_clears_a_disk(tmp_path: Path, sqlite_engine: sa.Engine, platform_server: House) -> None:
    (tmp_path / "host-disk.yaml").write_text(HOST_DISK)
    day = night_on(sqlite_engine, platform_server, BY_DAY, load_catalogue(tmp_path, example(), actions(), TODAY))
    machine = day.platform.laid.instances[0]
    run = day.run("host-disk", machine=machine)
    assert run.state == "succeeded", run.said
    asked: dict[str, Any] = day.changed()[0].params
    assert (asked["DocumentName"], asked["InstanceIds"]) == ("pay-clear-disk", [machine])
    assert asked["Parameters"] == {"Path": ["/var/log"]} and len(day.changed()) == 1
