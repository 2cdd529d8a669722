"""The command line: what each command answers, with which exit code, and every fault in one sentence."""

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from bench.company import environment, write_config
from bot.store import journal
from bot.store.db import create_engine
from tests.patience import PATIENCE_S
from tests.processes import ROOT, environ, free_port, running, vigie

EXAMPLE = ROOT / "bot" / "vigie.example.yaml"
STATUS = {"alerts", "counts", "dropped", "unreadable"}
HEAVY = {"aiohttp", "apprise", "boto3", "dbos", "pydantic", "slack_bolt", "sqlalchemy"}
ALERT = {
    "id", "name", "state", "sources", "endpoints", "observers", "service", "severity", "fingerprint", "opened_at", "updated_at",
    "acked_by", "closed_at", "closed_by",
}


@pytest.fixture
def own(tmp_path: Path) -> dict[str, str]:
    """The environment of an honest Vigie: own secrets, SQLite in the folder, a Slack that is not there."""
    config = tmp_path / "vigie.yaml"
    write_config(config)
    return environment(f"sqlite:///{tmp_path / 'vigie.db'}", config, free_port(), "http://127.0.0.1:9")


def sentence(words: list[str], cwd: Path, given: dict[str, str], code: int = 1) -> str:
    """What is said on stderr when it cannot be done: no traceback."""
    done = vigie(*words, cwd=cwd, given=given)
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert "Traceback" not in said, said
    return done.stderr.strip()


def test_help_answers_at_once_for_it_reads_nothing_heavy_and_names_every_command(tmp_path: Path) -> None:
    helping = [sys.executable, "-X", "importtime", "-m", "bot", "--help"]
    done = subprocess.run(helping, cwd=tmp_path, env=environ(), capture_output=True, text=True)
    assert done.returncode == 0
    read = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "typer" in read and not read & HEAVY
    for command in ("serve", "web", "worker", "migrate", "demo", "check", "manifest", "send", "status", "audit"):
        assert command in done.stdout


def test_wrong_usage_is_2(tmp_path: Path) -> None:
    for words in (["nonsense"], ["send"], ["status", "--jason"], []):
        assert vigie(*words, cwd=tmp_path).returncode == 2, words


@pytest.mark.parametrize("words", [["serve"], ["manifest"], ["send", "x.json", "--endpoint", "bridge-generic"]])
def test_without_a_configuration_one_sentence_says_where_to_begin(words: list[str], tmp_path: Path) -> None:
    assert sentence(words, tmp_path, {}) == (
        f"vigie.yaml: there is no such file. Start from a copy of {EXAMPLE}, or name yours with VIGIE_CONFIG."
    )


@pytest.mark.parametrize("words", [["status"], ["status", "--json"], ["audit", "verify"], ["audit", "export"]])
def test_without_a_database_looking_makes_none(words: list[str], tmp_path: Path) -> None:
    said = sentence(words, tmp_path, {"VIGIE_CONFIG": str(EXAMPLE)})
    assert said.startswith("There is no database vigie.db yet: `vigie serve` makes it") and "\n" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_our_tables_is_told_with_its_remedy(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "vigie.db").execute("CREATE TABLE other (id)")
    assert "run `vigie migrate` first" in sentence(["status"], tmp_path, {"VIGIE_CONFIG": str(EXAMPLE)})


@pytest.mark.parametrize("command", ["status", "serve", "worker"])
def test_a_database_that_does_not_answer_is_told_without_its_password(
    command: str, tmp_path: Path, own: dict[str, str]
) -> None:
    said = sentence([command], tmp_path, {**own, "DATABASE_URL": "postgresql://vigie:hunter2@127.0.0.1:9/vigie"})
    assert "does not answer" in said and "hunter2" not in said


def test_a_wrong_configuration_is_told_line_by_line(tmp_path: Path) -> None:
    config = tmp_path / "vigie.yaml"
    config.write_text(EXAMPLE.read_text().replace("default_channel: alerts", "default_chanel: alerts"))
    said = sentence(["serve"], tmp_path, {})
    assert 'vigie.yaml:9: default_chanel: "default_chanel" is not a key here. Did you mean "default_channel"?' in said
    assert len(said.splitlines()) == 2


def test_sending_what_is_not_there_to_nobody_is_told(tmp_path: Path, own: dict[str, str]) -> None:
    (tmp_path / "a.json").write_text("{}")
    assert sentence(["send", "b.json", "--endpoint", "bridge-generic"], tmp_path, own) == "There is no file b.json."
    assert "There is no endpoint nobody in vigie.yaml; there are: bridge-alertmanager" in sentence(
        ["send", "a.json", "--endpoint", "nobody"], tmp_path, own)
    assert "Is Vigie running there?" in sentence(["send", "a.json", "--endpoint", "bridge-generic"], tmp_path, own)


def test_serve_refuses_the_secrets_of_the_demo(tmp_path: Path, own: dict[str, str]) -> None:
    said = sentence(["serve"], tmp_path, {**own, "VIGIE_SECRET_BRIDGE_GENERIC": "demo-bridge-generic"})
    assert said == "VIGIE_SECRET_BRIDGE_GENERIC holds a secret of the demo, which everybody knows. Put a real one there."


def test_every_missing_secret_is_named_at_once(tmp_path: Path, own: dict[str, str]) -> None:
    less = {name: value for name, value in own.items() if not name.startswith(("VIGIE_SECRET", "SLACK_BOT"))}
    assert "SLACK_BOT_TOKEN is not set." in sentence(["serve"], tmp_path, less)
    said = sentence(["serve"], tmp_path, {**less, "SLACK_BOT_TOKEN": own["SLACK_BOT_TOKEN"]})
    assert len(said.splitlines()) == 5 and all("is not set." in line for line in said.splitlines())


@pytest.mark.parametrize("role", ["web", "worker"])
def test_several_processes_need_postgresql(role: str, tmp_path: Path, own: dict[str, str]) -> None:
    assert sentence([role], tmp_path, own) == (
        f"`vigie {role}` needs PostgreSQL; on SQLite one process does everything: `vigie serve`."
    )


def test_a_second_serve_on_the_same_file_is_refused_and_the_first_goes_on(tmp_path: Path, own: dict[str, str]) -> None:
    ready = f"http://127.0.0.1:{own['PORT']}/health/ready"
    with running("serve", cwd=tmp_path, given=own, ready=ready) as first:
        said = sentence(["serve"], tmp_path, {**own, "PORT": str(free_port())})
        assert said.splitlines()[-1].startswith("another Vigie runs on") and "stop it first" in said

        (tmp_path / "a.json").write_text(json.dumps({"key": "k", "state": "firing", "title": "it fails", "service": "ledger"}))
        sent = vigie("send", "a.json", "--endpoint", "bridge-generic", cwd=tmp_path, given=own)
        assert (sent.returncode, sent.stdout) == (0, '200 {"taken":1}\n'), sent.stderr
        (tmp_path / "b.json").write_text("[" + " " * 2_100_000 + "]")
        refused = vigie("send", "b.json", "--endpoint", "bridge-generic", cwd=tmp_path, given=own)
        assert refused.returncode == 1 and refused.stdout.startswith("413 "), refused.stdout
        assert first.poll() is None

        status = json.loads(vigie("status", "--json", cwd=tmp_path, given=own).stdout)
        assert set(status) == STATUS
        assert set(status["alerts"][0]) == ALERT
        assert set(status["counts"]) == {"firing", "acked", "recovered", "closed"}
        assert "it fails" in vigie("status", cwd=tmp_path, given=own).stdout

        verified = vigie("audit", "verify", "--json", cwd=tmp_path, given=own)
        assert verified.returncode == 0 and set(json.loads(verified.stdout)) == {"entries", "ok", "first_bad"}
        exported = vigie("audit", "export", cwd=tmp_path, given=own).stdout.splitlines()
        assert any("alert opened" in line for line in exported) and all(json.loads(line) for line in exported)


def test_a_changed_journal_is_exit_1_and_names_the_row(tmp_path: Path, own: dict[str, str], sqlite_template: Path) -> None:
    shutil.copy(sqlite_template, tmp_path / "vigie.db")
    ready = f"http://127.0.0.1:{own['PORT']}/health/ready"
    with running("serve", cwd=tmp_path, given=own, ready=ready) as process:
        with create_engine(f"sqlite:///{tmp_path / 'vigie.db'}").connect() as connection:
            while not connection.scalar(sa.select(journal.seal.c.id)):
                connection.rollback()       # a transaction sees what there was when it began
                time.sleep(0.05)            # until the first entry is sealed
        process.terminate()
        process.wait(PATIENCE_S)
    with sqlite3.connect(tmp_path / "vigie.db") as connection:
        for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute("UPDATE journal SET actor = 'nobody' WHERE id = 1")
    connection.close()
    done = vigie("audit", "verify", "--json", cwd=tmp_path, given=own)
    assert done.returncode == 1
    assert json.loads(done.stdout)["first_bad"]["id"] == 1


def test_the_manifest_is_json_and_knows_the_address(tmp_path: Path, own: dict[str, str]) -> None:
    made = vigie("manifest", "--url", "https://vigie.example.com", cwd=tmp_path, given=own)
    assert made.returncode == 0, made.stderr
    urls = {each["url"] for each in json.loads(made.stdout)["features"]["slash_commands"]}
    assert urls == {"https://vigie.example.com/slack/events"}


def test_check_tells_everything_and_is_1_when_something_is_wrong(tmp_path: Path, own: dict[str, str]) -> None:
    done = vigie("check", "--json", cwd=tmp_path, given={**own, "SLACK_BOT_TOKEN": "xoxp-1"})
    assert done.returncode == 1
    assert any("SLACK_BOT_TOKEN" in json.dumps(each) for each in json.loads(done.stdout))
    assert vigie("check", cwd=tmp_path, given=own).returncode in (0, 1)


def test_a_port_that_is_taken_is_a_sentence(tmp_path: Path, own: dict[str, str]) -> None:
    ready = f"http://127.0.0.1:{own['PORT']}/health/ready"
    with running("serve", cwd=tmp_path, given=own, ready=ready):
        other = {**own, "DATABASE_URL": f"sqlite:///{tmp_path / 'other.db'}"}
        said = sentence(["serve"], tmp_path, other).splitlines()[-1]
        assert said == f"Port {own['PORT']} is taken: end what listens there, or name another one with PORT."
