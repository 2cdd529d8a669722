"""An end that is asked for is an end in order: what is held is finished, and the journal says that Vigie stopped."""

import signal
from pathlib import Path

import pytest

from bench.company import environment, write_config
from bench.processes import Process
from bot.store import journal
from bot.store.db import create_engine, reader
from tests.patience import PATIENCE_S
from tests.processes import free_port

SECONDS = 3


def kinds(database_url: str) -> list[str]:
    engine = create_engine(database_url)
    with reader(engine) as connection:
        return [each.kind for each in journal.all_entries(connection)]


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_finishes_says_so_in_the_journal_and_exits_well(told: signal.Signals, tmp_path: Path) -> None:
    write_config(tmp_path / "vigie.yaml")
    port, database = free_port(), f"sqlite:///{tmp_path}/vigie.db"
    environ = environment(database, tmp_path / "vigie.yaml", port, f"http://127.0.0.1:{free_port()}")
    process = Process(["bot", "serve"], tmp_path, environ)
    process.wait_for(f"http://127.0.0.1:{port}/health/ready")
    process.popen.send_signal(told)
    assert process.popen.wait(PATIENCE_S) == 0, process.log.read_text()
    assert kinds(database) == ["vigie started", "vigie stopped"]
    assert "Traceback" not in process.log.read_text()
