"""Runs whose process is killed at random moments: how they end, what was done twice, what stays stuck, what nobody explains."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench import worked
from bench.company import environment, write_config
from bench.deeds import BACK, BLIND, CATALOGUE, ENDS, FORTH
from bench.effects import AFTER, BEFORE, LOOK, Effects, effects
from bench.processes import Broken
from bot.config import load_config
from bot.ports import SystemClock, SystemIds
from bot.services.desk import Actor, Desk
from bot.services.leave.mandates import Wish
from bot.services.run.runs import decide, start
from bot.store import journal
from bot.store import runs as rows
from bot.store.db import create_engine
from bot.store.runs import Run, Step

NOBODY = "http://127.0.0.1:9"       # no Slack is there: the cards wait, the runs do not
ALICE = Actor("alice", "Alice", "bridge", frozenset({"engineer"}))
LOOK_S, ENDED_WITHIN_S = 0.03, 90.0
MOMENT_S = 0.04                     # about two commits
MOST_DEEDS, MOST_ASKED = 5, 16
MOST_TRIES = 4                      # for each death that meets a run
SHARE_BY_DEED = 0.5                 # of all deaths: in the middle of a call; the others at any moment
SHARE_OF_HEIRS = 0.2
STRIKES = ("one", "two", "three")
WEIGHED = (FORTH, FORTH, BACK, BLIND)


@dataclass
class Yard:
    """A database, the world that counts, and processes that carry runs out."""

    url: str
    effects: Effects
    environ: dict[str, str]
    log: Path
    desk: Desk
    seed: int = 1
    workers: list[BaseProcess] = field(default_factory=list)
    doubts: int = 0
    kills: int = 0
    hits: int = 0           # of them, those that met a run under way

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def hire(self, freeze_at: str = "") -> BaseProcess:
        self.workers.append(worked.start(self.environ, self.log, freeze_at))
        return self.workers[-1]

    def kill(self, worker: BaseProcess) -> None:
        """kill -9: no last word."""
        worker.kill()
        self.kills += 1

    def begin(self, book: str) -> Run:
        runbook = CATALOGUE.runbook(book)
        assert runbook is not None
        at = f"{self.effects.url}/{self.desk.ids.new()[:8]}"
        return start(self.desk, Wish(runbook, ALICE, given={"at": at}))

    def runs(self) -> list[Run]:
        with self.desk.read() as connection:
            return rows.find(connection, most=10_000)

    def look(self, run: Run) -> Run:
        with self.desk.read() as connection:
            return rows.get(connection, run.id)

    def steps(self, run: Run) -> list[Step]:
        with self.desk.read() as connection:
            return rows.steps(connection, run.id)

    def count(self, run: Run, step: str) -> int:
        return self.effects.done[f"{_key(run)}-{step}"]

    def attend(self) -> None:
        """Brings back who died, and answers what is in doubt by what really happened."""
        for number, worker in enumerate(self.workers):
            if not worker.is_alive():
                worker.join()
                self.workers[number] = worked.start(self.environ, self.log)
        with self.desk.read() as connection:
            doubtful = rows.find(connection, rows.run.c.state == rows.IN_DOUBT)
        for run in doubtful:
            self._decide(run, self.steps(run)[run.position])

    def _decide(self, run: Run, step: Step) -> None:
        self.doubts += 1
        happened = self.count(run, step.name) > (step.before or {})["count"]
        decide(self.desk, run, ALICE, "happened" if happened else "again")

    def until(self, fact: Callable[[], bool], seconds: float = ENDED_WITHIN_S) -> bool:
        """Attends until it is so; false when it takes too long."""
        deadline = time.monotonic() + seconds
        while not fact():
            if time.monotonic() > deadline:
                return False
            self.attend()
            time.sleep(LOOK_S)
        return True

    def over(self) -> bool:
        return all(each.state in rows.ENDED for each in self.runs())

    def settled(self) -> bool:
        """All over, and nobody holds anything any more."""
        return not any(map(_stuck, self.runs()))


def _stuck(run: Run) -> bool:
    return run.state not in rows.ENDED or run.busy or run.due_at is not None


def _key(run: Run) -> str:
    return "/" + str(run.parameters["at"]).rpartition("/")[2]


@contextmanager
def yard(folder: Path, url: str, workers: int = 1, seed: int = 1) -> Iterator[Yard]:
    """On a migrated database; every process is ended at the end."""
    config = folder / "vigie.yaml"
    write_config(config)
    environ = environment(url, config, 0, NOBODY)
    engine = create_engine(url)
    with effects() as world:
        desk = Desk(engine, load_config(config), SystemClock(), SystemIds(), catalogue=CATALOGUE)
        made = Yard(url, world, environ, folder / f"worked-{time.time_ns()}.log", desk, seed)
        try:
            for _ in range(workers):
                made.hire()
            yield made
        finally:
            for worker in made.workers:
                worker.kill()
                worker.join()
            engine.dispose()


def kill_runs(made: Yard, kills: int) -> dict[str, Any]:
    """So many runs, one after the other; in each the process dies at a random moment. The figures."""
    began = time.monotonic()
    made.begin(FORTH)                   # a life without death: whoever works is there
    if not made.until(made.over):
        raise Broken(f"no run ends, even in peace: {made.log.read_text()[-2000:]}")
    for _ in range(MOST_TRIES * kills):
        if made.hits < kills:
            _kill_one(made)
    made.until(made.settled)
    return {"kills": made.hits, "missed": made.kills - made.hits, "runs": len(made.runs()), "in_doubt_and_decided": made.doubts,
            **reckon(made), "seconds": time.monotonic() - began}


def _kill_one(made: Yard) -> None:
    """A run, and the death of whoever carries it out, somewhere in it."""
    by_deed = made.rng.random() < SHARE_BY_DEED
    sides, most = ((made.rng.choice((BEFORE, AFTER)),), MOST_DEEDS) if by_deed else ((LOOK, AFTER), MOST_ASKED)
    patience = 0.0 if by_deed else made.rng.uniform(0, MOMENT_S)
    made.effects.watch = _Assassin(made, made.rng.randint(1, most), sides, patience)
    made.begin(made.rng.choice(WEIGHED))
    made.until(made.over)
    made.effects.watch = lambda _side, _pid: None


@dataclass
class _Assassin:
    """Kills whoever asks the world for the n-th time, then or a moment later."""

    yard: Yard
    number: int
    sides: tuple[str, ...]
    patience_s: float

    def __call__(self, side: str, pid: int) -> None:
        self.number -= side in self.sides
        if self.number == 0 and side in self.sides:
            if self.patience_s:
                threading.Timer(self.patience_s, self._strike, [pid]).start()
            else:
                self._strike(pid)

    def _strike(self, pid: int) -> None:
        """Now and then whoever takes over dies of it too."""
        victim = next((each for each in self.yard.workers if each.pid == pid), None)
        if victim is None or not victim.is_alive():
            return
        self.yard.hits += not self.yard.over()
        self.yard.kill(victim)
        if self.yard.rng.random() < SHARE_OF_HEIRS:
            self.number = self.yard.rng.randint(1, MOST_DEEDS)


def reckon(made: Yard) -> dict[str, int]:
    """What must be nothing: done twice, stuck, held, unexplained; and what ended otherwise than it must."""
    found = Counter(twice=0, missing=0, stuck=0, otherwise=0, unexplained=0, not_back=0)
    for run in made.runs():
        steps = made.steps(run)
        found["stuck"] += _stuck(run)
        found["otherwise"] += run.state != ENDS[run.runbook]        # whoever says that it happened is believed
        found["unexplained"] += not run.said
        found["not_back"] += run.runbook == BACK and any(each.state not in ("undone", "kept", "failed") for each in steps)
        for step in steps:
            if step.name in STRIKES:
                times = made.count(run, step.name)
                found["twice"] += times > 1
                found["missing"] += step.state == "done" and times == 0
    return {**found, **_left(made)}


def _left(made: Yard) -> dict[str, int]:
    """Locks that nobody gives free, works that nobody ends, doubts that the journal does not tell."""
    with made.desk.read() as connection:
        locks = connection.scalar(sa.select(sa.func.count()).select_from(rows.run_lock))
        told = connection.scalar(sa.select(sa.func.count()).where(journal.journal.c.kind == "step in doubt"))
    return {"locks_left": int(locks or 0), "doubts_untold": made.doubts - int(told or 0)}
