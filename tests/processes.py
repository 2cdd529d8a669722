"""Vigie as a process of its own, as an operator runs it."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.processes import answers, free_port
from bot.__main__ import main
from tests.patience import PATIENCE_S

__all__ = ["free_port"]

ROOT = Path(__file__).parent.parent
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["bot.app", "bot.checking", "bot.auditing", "bot.rota", "bot.demo.playing"])
UNCOMPILED = "PYTHONDONTWRITEBYTECODE"        # else each process compiles all of Vigie for itself


def environ(given: Mapping[str, str] = {}) -> dict[str, str]:
    """Nothing of ours, as on a fresh machine, and what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VIGIE_", "SLACK_", "DEMO_", "AWS_"))}
    for name in ("DATABASE_URL", "PORT", "HOST", "LOG_LEVEL", "DD_API_KEY", UNCOMPILED):
        kept.pop(name, None)
    return {**kept, "PYTHONPATH": str(ROOT), **given}


def vigie(*words: str, cwd: Path, given: Mapping[str, str] = {}) -> subprocess.CompletedProcess[str]:
    """One command, to its end, in a process of its own; it is the child of one that has read the code already."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        process = FORKS.Process(target=_command, args=(words, cwd, environ(given), out, err))
        process.start()
        process.join(PATIENCE_S)
        if (code := process.exitcode) is None:
            process.kill()
            process.join()
        process.close()
        assert code is not None, f"vigie {words} has not ended within {PATIENCE_S} s: {err.read_text()}"
        return subprocess.CompletedProcess(words, code, out.read_text(), err.read_text())


def _command(words: tuple[str, ...], cwd: Path, environ: Mapping[str, str], out: Path, err: Path) -> None:
    """What `python -m bot` would do there."""
    for number, file in ((1, out), (2, err)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["vigie", *words]
    main()


class Running:
    """A process that serves, with the ways of subprocess.Popen."""

    def __init__(self, words: tuple[str, ...], cwd: Path, environ: Mapping[str, str], told: Path) -> None:
        self._process = FORKS.Process(target=_command, args=(words, cwd, environ, told, told))
        self._process.start()

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, seconds: float = PATIENCE_S) -> int:
        self._process.join(seconds)
        code = self.poll()
        assert code is not None, f"has not ended within {seconds:g} s"
        return code

    def send_signal(self, told: int) -> None:
        os.kill(self._process.pid or 0, told)

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


@contextmanager
def running(*words: str, cwd: Path, given: Mapping[str, str] = {}, ready: str) -> Iterator[Running]:
    """A command that serves, from the moment in which it is ready; it is ended at the end unless it has ended by itself."""
    told = cwd / f"{words[0]}.log"
    process = Running(words, cwd, environ(given), told)
    try:
        _until_ready(process, ready, told)
        yield process
    finally:
        process.kill()


def _until_ready(process: Running, url: str, told: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        assert process.poll() is None, told.read_text()
        if answers(url):
            return
        time.sleep(0.05)
    raise AssertionError(f"not ready within {PATIENCE_S:g} s: {told.read_text()}")


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    """Status and answer; raises OSError when nobody answers, HTTPException when the answer breaks off."""
    request = urllib.request.Request(url, body, dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read().decode()


def frozen(pid: int | None) -> bool:
    """Whether the process is stopped, as by SIGSTOP."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
