"""What is installed from a wheel: every package, migrations, the page, the example, the demo's certificates."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.processes import ROOT, vigie

SETUP = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
NOT_SHIPPED = {".pyc", ".pyo"}
MIGRATIONS = {"bot.migrations", "bot.migrations.versions"}


def test_the_list_of_packages_is_what_lies_on_the_disk() -> None:
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for room in ("bot", "commands", "runbooks") for path in (ROOT / room).rglob("*.py")
    }
    assert set(SETUP["packages"]) - MIGRATIONS == found
    assert all((ROOT / folder).is_dir() for folder in SETUP["package-dir"].values())


def test_every_file_beside_the_code_is_shipped() -> None:
    shipped = {
        path
        for package, patterns in SETUP["package-data"].items() if package not in MIGRATIONS
        for pattern in patterns for path in (ROOT / Path(*package.split("."))).glob(pattern)
    }
    beside = {
        path for room in ("bot", "commands", "runbooks") for path in (ROOT / room).rglob("*")
        if path.is_file() and path.suffix not in {".py", *NOT_SHIPPED}
    }
    assert beside - shipped == set()


def test_a_wheel_migrates_and_starts_without_the_source_tree(tmp_path: Path) -> None:
    if int(version("setuptools").split(".")[0]) < 77:
        pytest.skip("setuptools >= 77 is not installed here: no wheel is built")
    source = tmp_path / "source"
    for room in ("bot", "commands", "runbooks", "alembic"):
        shutil.copytree(ROOT / room, source / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    quietly = ["-q", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(tmp_path)]
    build = [sys.executable, "-m", "pip", "wheel", *quietly, str(source)]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    installed = tmp_path / "installed"
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(installed)
    for name in ("migrations/env.py", "migrations/script.py.mako", "workspace/page/index.html", "vigie.example.yaml",
                 "doubles/sns_demo_certificate.pem", "doubles/sns_demo_key.pem"):
        assert (installed / "bot" / name).is_file(), name
    shipped = {each.name for each in (ROOT / "runbooks").glob("*.yaml")}
    assert len(shipped) == 12 and {each.name for each in (installed / "runbooks").glob("*.yaml")} == shipped
    migrated = vigie("migrate", cwd=tmp_path, given={"PYTHONPATH": str(installed)})
    assert (migrated.returncode, migrated.stdout) == (0, "The database has the newest tables.\n"), migrated.stderr
