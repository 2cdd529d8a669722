"""A runbook run, carried out leg by leg: takes its lock, makes its steps' moves, undoes them if it must, and ends."""

import asyncio
from datetime import timedelta

import structlog
from pydantic import ValidationError

from bot import durable
from bot.services.desk import Desk
from bot.services.leave.mandates import FIX
from bot.services.run import ending
from bot.services.run.jobs import AWAY, BROKE, NOW, Bench, Job, Overtaken, Stuck
from bot.services.run.setbacks import Setbacks
from bot.services.run.stepping import Stepper
from bot.services.run.undoing import Undoer
from bot.store import alerts
from bot.store import runs as rows
from runbooks.actions import Worlds
from runbooks.model import Runbook

log = structlog.get_logger()

WORK = "run"
MOST_MOVES = 200        # in one leg; the next goes on, so that no history grows without end
REST_S = 10.0           # after a fault of our own
SOON_S = 1.0

UNREADABLE = "What it was to do can no longer be read ({what}): nothing further is done, and nothing is taken back."


class Execution:
    """Starts a leg for each run that can go on; a leg ends where the run must wait."""

    def __init__(self, desk: Desk, worlds: Worlds, engine: durable.Engine) -> None:
        self._desk, self._engine = desk, engine
        self._bench = Bench(desk, worlds)
        self._stepper, self._undoer, self._setbacks = Stepper(self._bench), Undoer(self._bench), Setbacks(self._bench)

    # --- legs ---

    async def run(self, run: durable.Run, run_id: int, leg: int) -> None:
        """The work itself: move after move until somebody or some time must be waited for."""
        pause: float | None = REST_S
        try:
            for _ in range(MOST_MOVES):
                pause = await run.step(self._advance, run_id)
                if pause is None or pause > 0:
                    break
        except Overtaken as overtaken:
            log.warning("a leg was overtaken", run=run_id, why=str(overtaken))
            pause = SOON_S
        except Exception:  # a background loop: a fault of ours must not hold the run for ever
            log.exception("a leg broke", run=run_id)
            pause = REST_S
        await run.step(self._release, run_id, leg, pause)

    async def start_due(self) -> None:
        """A leg for each run that can go on."""
        for run_id, leg in await asyncio.to_thread(self._claim_due):
            await self._start(run_id, leg)

    async def mend(self) -> None:
        """After a crash: a leg that was claimed and never begun is begun; one that ended without a word gives way."""
        for run_id, leg in await asyncio.to_thread(self._busy):
            if await self._engine.ended(_identity(run_id, leg)):
                await self._release(run_id, leg, NOW)
            else:
                await self._start(run_id, leg)

    async def _start(self, run_id: int, leg: int) -> None:
        await self._engine.start(WORK, _identity(run_id, leg), run_id, leg)

    def _claim_due(self) -> list[tuple[int, int]]:
        now = self._desk.clock.now()
        with self._desk.read() as connection:
            waiting = rows.due(connection, now)
        claimed = []
        for run_id in waiting:
            with self._desk.engine.begin() as connection:
                claimed.append((run_id, rows.claim(connection, run_id, now)))
        return [(run_id, leg) for run_id, leg in claimed if leg is not None]

    def _busy(self) -> list[tuple[int, int]]:
        with self._desk.read() as connection:
            return rows.busy(connection)

    async def _release(self, run_id: int, leg: int, pause: float | None) -> None:
        await asyncio.to_thread(self._free, run_id, leg, pause)

    def _free(self, run_id: int, leg: int, pause: float | None) -> None:
        due = None if pause is None else self._desk.clock.now() + timedelta(seconds=pause)
        with self._desk.engine.begin() as connection:
            rows.release(connection, run_id, leg, due)
        self._desk.wake()

    # --- moves ---

    async def _advance(self, run_id: int) -> float | None:
        return await asyncio.to_thread(self.move, run_id)

    def move(self, run_id: int) -> float | None:
        """One move of the run; the seconds until the next, None when somebody else must do something first."""
        job = self._job(run_id)
        if job is None or job.run.state in rows.ENDED:
            return None
        if job.run.state == rows.WAITING:
            return self._take_lock(job)
        if job.run.state == rows.UNDOING:
            return self._way_back(job)
        if job.run.cancelled_by is not None and (job.run.position >= len(job.steps) or job.step.state != "started"):
            return self._cancel(job)
        if job.run.position >= len(job.steps):
            ending.end(self._desk, job.run, rows.SUCCEEDED, ending.well(job))
            return None
        return self._step(job)

    def _step(self, job: Job) -> float | None:
        try:
            return self._stepper.next(job)
        except Stuck as stuck:
            return self._setbacks.meet(stuck.job or job, stuck)
        except (Overtaken, *AWAY):
            raise
        except Exception as fault:  # around a runbook step: what breaks each time must end, and be told
            log.exception("a move broke", run=job.run.id, step=job.run.position)
            return self._setbacks.meet(job, Stuck(BROKE.format(error=type(fault).__name__), again=True))

    def _job(self, run_id: int) -> Job | None:
        """None when an older Vigie wrote it down in words that are no longer ours: then it is over."""
        with self._desk.read() as connection:
            run = rows.get(connection, run_id)
            alert = alerts.by_id(connection, run.alert_id) if run.alert_id is not None else None
            steps = tuple(rows.steps(connection, run_id))
        try:
            return Job(run, Runbook.model_validate(run.definition), steps, alert, self._desk.clock.now())
        except ValidationError as fault:
            what = ".".join(map(str, fault.errors()[0]["loc"]))
            ending.end(self._desk, run, rows.FAILED, UNREADABLE.format(what=what))
            return None

    def _take_lock(self, job: Job) -> float | None:
        run = job.run
        if run.cancelled_by is not None:
            return self._cancel(job)
        with self._desk.begin("run: lock") as connection:
            holder = rows.lock(connection, run.target, run.id, job.now) if run.purpose == FIX else run.id
            if holder == run.id:
                rows.change(connection, run.id, [rows.WAITING], state=rows.RUNNING)
        return NOW if holder in (run.id, None) else None     # whoever holds it wakes us when it ends

    def _cancel(self, job: Job) -> float | None:
        if job.runbook.on_cancel == "undo" and job.run.purpose == FIX:
            with self._desk.begin("run: undo") as connection:
                rows.change(connection, job.run.id, rows.UNDER_WAY, state=rows.UNDOING)
            return NOW
        ending.end(self._desk, job.run, rows.CANCELLED, ending.cancelled(self._desk, job))
        return None

    def _way_back(self, job: Job) -> float | None:
        """What was undone because it failed has failed, even if somebody cancels it then."""
        pause = self._undoer.next(job)
        if pause is not None:
            return pause
        if job.run.said is not None:
            ending.end(self._desk, job.run, rows.FAILED, job.run.said)
        else:
            ending.end(self._desk, job.run, rows.CANCELLED, ending.cancelled(self._desk, job))
        return None


def _identity(run_id: int, leg: int) -> str:
    return f"{WORK}:{run_id}:{leg}"
