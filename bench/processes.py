"""Processes of the bench: started in a folder, watched through /proc, ended by their own id."""

import itertools
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError

ROOT = Path(__file__).parents[1]
TICK = os.sysconf("SC_CLK_TCK")
START_S, END_S = 120.0, 30.0
FIRST_PORT, EACH, BLOCKS = 20_000, 200, 60      # below those that a system gives to whoever asks for any
turns = itertools.cycle(range(EACH))


class Broken(Exception):
    """Something that the bench needs did not start or did not answer; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What processes use: resident and proportional memory in MiB, CPU seconds since they began."""

    resident: float
    proportional: float
    cpu: float


def free_port() -> int:
    """A port that stays free until it is listened on: nobody is given it by chance, and other processes look elsewhere."""
    first = FIRST_PORT + os.getpid() % BLOCKS * EACH
    return next(port for port in (first + turn for turn in turns) if _is_free(port))


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


class Process:
    """One Python process of ours; its output goes to a file in `folder`."""

    def __init__(self, arguments: list[str], folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self.name = "-".join(arguments[:2]).replace("/", "-")
        self.log = folder / f"{self.name}-{time.time_ns()}.log"
        given = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), **(environ or {})}
        with self.log.open("wb") as out:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", *arguments], cwd=folder, env=given, stdout=out, stderr=out
            )

    def wait_for(self, url: str) -> None:
        """Returns when the address answers 200; raises Broken when the process ends or stays silent."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.popen.poll() is None:
            if answers(url):
                return
            time.sleep(0.05)
        raise Broken(f"{self.name} did not start: {self.log.read_text()[-2000:]}")

    def usage(self) -> Usage:
        return usage([self.popen.pid])

    def kill(self) -> None:
        """kill -9: no last word."""
        self.popen.kill()
        self.popen.wait()

    def end(self) -> float:
        """SIGTERM, and kill -9 for one that does not listen; the seconds that it took."""
        began = time.monotonic()
        self.popen.terminate()
        try:
            self.popen.wait(END_S)
        except subprocess.TimeoutExpired:
            self.kill()
        return time.monotonic() - began


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except HTTPError as refusal:
        refusal.close()
        return False
    except (OSError, HTTPException):        # nobody listens yet, or whoever listens breaks off
        return False


def usage(pids: Iterable[int]) -> Usage:
    """Of several processes together; one that ends meanwhile counts nothing."""
    found = [_usage(pid) for pid in pids]
    return Usage(sum(each.resident for each in found), sum(each.proportional for each in found),
                 sum(each.cpu for each in found))


def _usage(pid: int) -> Usage:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return Usage(0, 0, 0)
    sizes = {line.split()[0]: int(line.split()[1]) / 1024 for line in rollup.splitlines()[1:]}
    return Usage(sizes["Rss:"], sizes["Pss:"], sum(map(int, fields[11:15])) / TICK)


def family(pid: int) -> list[int]:
    """The process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return [pid, *map(int, children.read_text().split())] if children.exists() else [pid]
