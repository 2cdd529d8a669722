"""A runbook run, carried out leg by leg: takes its lock, makes its steps' moves, undoes them if it must, and ends."""

import asyncio
from datetime import timedelta

import structlog

from bot import durable
from bot.masking import mask_text
from bot.services import aftermath, journal, runs
from bot.services.desk import Desk
from bot.services.jobs import Bench, Job, Stuck
from bot.services.mandates import FIX, PROOF
from bot.services.stepping import AGAIN_AFTER_S, LONGEST_SAID, NOW, TRIES_AT_LEAST, Stepper
from bot.services.undoing import Undoer
from bot.store import alerts
from bot.store import approvals as questions
from bot.store import runs as rows
from bot.store.runs import Run
from runbooks.actions import Worlds
from runbooks.model import Runbook
from runbooks.model import Step as Told

log = structlog.get_logger()

WORK = "run"
MOST_MOVES = 200        # in one leg; the next goes on, so that no history grows without end
REST_S = 10.0           # after a fault of our own

WENT_WELL = "All {count} steps done and seen to have worked."
PROVEN = "Checked: {said}."
CANCELLED_SAID = "Cancelled by {who}."
STEP_FAILED = "Step {number} \"{title}\": {said}"
CHECK_FAILED = "Not proven: {title}: {said}"


class Execution:
    """Starts a leg for each run that can go on; a leg ends where the run must wait."""

    def __init__(self, desk: Desk, worlds: Worlds, engine: durable.Engine) -> None:
        self._desk, self._engine = desk, engine
        self._bench = Bench(desk, worlds)
        self._stepper, self._undoer = Stepper(self._bench), Undoer(self._bench)

    # --- legs ---

    async def run(self, run: durable.Run, run_id: int, leg: int) -> None:
        """The work itself: move after move until somebody or some time must be waited for."""
        pause: float | None = REST_S
        try:
            for _ in range(MOST_MOVES):
                pause = await run.step(self._advance, run_id)
                if pause is None or pause > 0:
                    break
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
        run = job.run
        if run.state in rows.ENDED:
            return None
        if run.state == rows.WAITING:
            return self._take_lock(job)
        if run.state == rows.UNDOING:
            return self._way_back(job)
        if run.cancelled_by is not None and (run.position >= len(job.steps) or job.step.state != "started"):
            return self._cancel(job)
        if run.position >= len(job.steps):
            self._end(job, rows.SUCCEEDED, _well(job))
            return None
        try:
            return self._stepper.next(job)
        except Stuck as stuck:
            return self._stuck(self._job(run_id), stuck)

    def _job(self, run_id: int) -> Job:
        with self._desk.read() as connection:
            run = rows.get(connection, run_id)
            alert = alerts.by_id(connection, run.alert_id) if run.alert_id is not None else None
            steps = tuple(rows.steps(connection, run_id))
        return Job(run, Runbook.model_validate(run.definition), steps, alert, self._desk.clock.now())

    def _take_lock(self, job: Job) -> float | None:
        run = job.run
        if run.cancelled_by is not None:
            return self._cancel(job)
        with self._desk.begin("run: lock") as connection:
            if run.purpose == FIX and rows.lock(connection, run.target, run.id, job.now) != run.id:
                return None     # whoever holds it wakes us when it ends
            rows.change(connection, run.id, [rows.WAITING], state=rows.RUNNING)
        return NOW

    def _stuck(self, job: Job, stuck: Stuck) -> float | None:
        """Tried again while that is safe; else what the runbook says of a failure."""
        step, use, retry = job.step, job.use(job.step), job.retry(job.step)
        most = max(retry.attempts, TRIES_AT_LEAST) if stuck.again else retry.attempts
        said = mask_text(stuck.said)[:LONGEST_SAID]
        with self._desk.begin("run: stuck") as connection:
            rows.change(connection, job.run.id, [rows.ASKING, rows.IN_DOUBT], state=rows.RUNNING)
            if step.tries + (step.begun_at is None) < most and self._safe_again(job, stuck):
                tries = step.tries + (stuck.sent or step.begun_at is None or step.state == "pending")
                # What was sent keeps the world it began in: a new look would take a half-done change for the old state.
                rows.change_step(connection, job.run.id, step.number, [step.state], said=said, tries=tries,
                                 state="started" if stuck.sent else "pending")
                return max(retry.every.total_seconds(), AGAIN_AFTER_S) if most > 1 else NOW
            perhaps = {"outputs": step.outputs or {}} if stuck.sent else {}     # the way back must know
            rows.change_step(connection, job.run.id, step.number, [step.state], state="failed", said=said, ended_at=job.now,
                             **perhaps)
            runs.note(connection, job.run, runs.actor_of(self._desk, job.run), "step failed", job.now, "failed",
                      step=step.number + 1, uses=step.uses, said=said)
            jump = use.on_failure if isinstance(use, Told) else "abort"
            if jump != "abort":
                number = _named(job, jump) if jump.startswith("step:") else step.number + 1
                rows.change(connection, job.run.id, [rows.RUNNING], position=number)
                return NOW
            if isinstance(use, Told):
                rows.change(connection, job.run.id, [rows.RUNNING], state=rows.UNDOING, said=_failure(job, said))
                return NOW
        self._end(self._job(job.run.id), rows.FAILED, _failure(job, said))
        return None

    def _safe_again(self, job: Job, stuck: Stuck) -> bool:
        """Nothing was changed, or changing it twice is as good as once."""
        if stuck.again or job.step.state in ("pending", "ready"):
            return True
        try:
            return self._bench.task(job, job.step).repeatable
        except Stuck:
            return False

    def _cancel(self, job: Job) -> float | None:
        if job.runbook.on_cancel == "undo" and job.run.purpose == FIX:
            with self._desk.begin("run: undo") as connection:
                rows.change(connection, job.run.id, rows.UNDER_WAY, state=rows.UNDOING)
            return NOW
        self._end(job, rows.CANCELLED, CANCELLED_SAID.format(who=_who(self._desk, job.run)))
        return None

    def _way_back(self, job: Job) -> float | None:
        pause = self._undoer.next(job)
        if pause is not None:
            return pause
        if job.run.cancelled_by is not None:
            self._end(job, rows.CANCELLED, CANCELLED_SAID.format(who=_who(self._desk, job.run)))
        else:
            self._end(job, rows.FAILED, job.run.said or "")
        return None

    def _end(self, job: Job, state: str, said: str) -> None:
        with self._desk.begin("run: end") as connection:
            if not rows.change(connection, job.run.id, rows.UNDER_WAY, state=state, said=said[:LONGEST_SAID], ended_at=job.now,
                               due_at=None):
                return
            ended = rows.get(connection, job.run.id)
            rows.unlock(connection, ended, job.now)
            questions.close_open(connection, ended.id, questions.VOID, job.now)
            outcome: journal.Outcome = "done" if state == rows.SUCCEEDED else "failed"
            runs.note(connection, ended, runs.actor_of(self._desk, ended), f"run {state}", job.now, outcome, said=said)
            aftermath.ended(self._desk, connection, ended, job.now)
            runs.show(connection, ended, job.now, urgency=1)


def _identity(run_id: int, leg: int) -> str:
    return f"{WORK}:{run_id}:{leg}"


def _named(job: Job, jump: str) -> int:
    name = jump.removeprefix("step:")
    return next(each.number for each in job.steps if each.name == name)


def _who(desk: Desk, run: Run) -> str:
    person = desk.config.people.get(run.cancelled_by or "")
    return person.name if person else run.cancelled_by or ""


def _well(job: Job) -> str:
    checks = [each for each in job.steps if job.run.purpose == PROOF or each.number >= len(job.runbook.steps)]
    proofs = " · ".join(each.said or each.title for each in checks if each.state == "done")
    done = sum(each.state == "done" for each in job.steps) - len(checks)
    words = [WENT_WELL.format(count=done)] if job.run.purpose == FIX else []
    return " ".join([*words, PROVEN.format(said=proofs)] if proofs else words)


def _failure(job: Job, said: str) -> str:
    words = STEP_FAILED if isinstance(job.use(job.step), Told) else CHECK_FAILED
    return words.format(number=job.step.number + 1, title=job.step.title, said=said)

