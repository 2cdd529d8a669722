"""Vigie as a process of its own, as an operator runs it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
UNCOMPILED = "PYTHONDONTWRITEBYTECODE"        # else each process compiles all of Vigie for itself


def environ(given: Mapping[str, str] = {}) -> dict[str, str]:
    """Nothing of ours, as on a fresh machine, and what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VIGIE_", "SLACK_", "DEMO_", "AWS_"))}
    for name in ("DATABASE_URL", "PORT", "HOST", "LOG_LEVEL", "DD_API_KEY", UNCOMPILED):
        kept.pop(name, None)
    return {**kept, "PYTHONPATH": str(ROOT), **given}


def vigie(*words: str, cwd: Path, given: Mapping[str, str] = {}) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    command = [sys.executable, "-m", "bot", *words]
    return subprocess.run(command, cwd=cwd, env=environ(given), capture_output=True, text=True, timeout=60)


@contextmanager
def running(*words: str, cwd: Path, given: Mapping[str, str] = {}, ready: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command that serves, from the moment in which it is ready; it is ended at the end unless it has ended by itself."""
    told = cwd / f"{words[0]}.log"
    with told.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", *words], cwd=cwd, env=environ(given), stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _until_ready(process, ready, told)
            yield process
        finally:
            process.kill()
            process.wait()


def _until_ready(process: subprocess.Popen[bytes], url: str, told: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, told.read_text()
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (OSError, urllib.error.URLError):
            time.sleep(0.05)
    raise AssertionError(f"not ready within 30 s: {told.read_text()}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as given:
        return int(given.getsockname()[1])


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    """Status and answer; raises OSError when nobody answers."""
    request = urllib.request.Request(url, body, dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read().decode()


def frozen(pid: int | None) -> bool:
    """Whether the process is stopped, as by SIGSTOP."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
