"""Makes Slack match the posts, one message a second and channel; owns what it needs of Slack as a Protocol."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import sqlalchemy as sa
import structlog

from bot.durable import OutcomeUnknown, once
from bot.errors import Rejected, Unavailable
from bot.services.desk import Desk
from bot.services.slack import hush
from bot.services.slack.drawing import Drawing, File
from bot.store import cards
from bot.store.cards import Post
from bot.store.traffic import forget_attempt

log = structlog.get_logger()

PACE_S = 1.0
LATE_AFTER_S = 60
FIRST_BACKOFF_S = 1.0
LONGEST_BACKOFF_S = 30.0
AGAIN_AFTER = timedelta(minutes=5)        # refused, or not drawn
READ_BACK_S = 5.0
NOT_DRAWN = "Vigie cannot draw it: {error}"
FELL_ASLEEP = "a blackout has begun since it was drawn"
SOME_REVISION = 0       # what a message shows that was read back: perhaps an older one, so it is updated

TOO_RICH = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "metadata_too_large"})
GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})


class InDoubt(Unavailable):
    """Slack could not be asked whether it shows a post; whether it does stays unknown."""


class NoThread(Exception):
    """What a post should stand in is not shown yet."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"no thread until {until}")
        self.until = until


class Slack(Protocol):
    """Raises Unavailable (429 with `retry_after`; 5xx, time-out, no connection: outcome unknown for `post`) or Rejected."""

    async def post(self, channel: str, drawing: Drawing, key: str, thread: str | None) -> str:
        """Posts with `key` as metadata; returns the message's ts. Never sent twice by itself."""

    async def update(self, channel: str, ts: str, drawing: Drawing) -> None:
        """Replaces a message; safe to repeat."""

    async def find(self, channel: str, key: str, thread: str | None, oldest: float) -> str | None:
        """The ts of our own message with that metadata key since `oldest` (epoch seconds), or None."""

    async def upload(self, channel: str, thread: str | None, file: File, comment: str) -> str:
        """Shows a file in the thread; returns its id. Never sent twice by itself."""

    async def find_file(self, channel: str, thread: str | None, title: str, oldest: float) -> str | None:
        """The id of our own file with that title since `oldest`, or None."""


class Draw(Protocol):
    """How a post is drawn (bot/services/slack/cards.py); plugged in by app.py."""

    def __call__(self, connection: sa.Connection, post: Post, late_s: int | None) -> Drawing: ...


@dataclass(frozen=True, slots=True)
class Sending:
    """One post, drawn, on its way."""

    post: Post
    drawing: Drawing
    thread: str | None
    late_s: int | None
    begun: datetime
    held: frozenset[str] = frozenset()      # people in blackout whom it would have called


@dataclass(frozen=True, slots=True)
class Shown:
    """A message of ours, and the revision it shows."""

    ts: str
    revision: int


class Courier:
    """Sends the newest revision of what is due. All it knows stands in rows, so that any process can go on after a crash."""

    def __init__(
        self,
        desk: Desk,
        slack: Slack,
        draw: Draw,
        pace: float = PACE_S,
        measure: Callable[[float], object] = lambda lag_s: None,
    ) -> None:
        self._desk, self._slack, self._draw, self._pace, self._measure = desk, slack, draw, pace, measure
        self._silent_for: dict[str, int] = {}

    async def deliver_next(self, channel: str) -> float | None:
        """Sends what this channel needs most; returns the seconds to wait before the next, or None when nothing is due."""
        sending = await asyncio.to_thread(self._prepare, channel)
        if sending is None:
            return None
        try:
            shown = await self._send(sending)
        except Unavailable as problem:
            return await asyncio.to_thread(self._later, sending, problem)
        except Rejected as refusal:
            return await asyncio.to_thread(self._refused, sending, refusal)
        self._silent_for.pop(channel, None)
        await asyncio.to_thread(self._shown, sending, shown)
        taken = (self._desk.clock.now() - sending.begun).total_seconds()
        return max(0.0, self._pace - taken)

    async def release(self, channel: str, generation: int) -> bool:
        """Gives the channel free; false when something has become due meanwhile and the run must go on."""
        return await asyncio.to_thread(self._release, channel, generation)

    def _release(self, channel: str, generation: int) -> bool:
        with self._desk.engine.connect() as connection, connection.begin() as transaction:
            # In this order: who makes a post due after our look waits for our row and then finds the channel free.
            if not cards.release(connection, channel, generation):
                return True     # given free before a crash: another run may hold it by now
            if cards.next_due(connection, channel, self._desk.clock.now()) is None:
                return True
            transaction.rollback()
            return False

    def _prepare(self, channel: str) -> Sending | None:
        """What to send next; a post that cannot be drawn does not hold up those behind it."""
        while True:
            now = self._desk.clock.now()
            with self._desk.read() as connection:
                post = cards.next_due(connection, channel, now)
                if post is None:
                    return None
                try:
                    return self._kept(self._ready(connection, post, now))
                except sa.exc.OperationalError:     # the database is silent: no fault of this post
                    raise
                except NoThread as waiting:
                    put_off = partial(cards.hold, reply=post, until=waiting.until)
                except hush.Asleep as sleeping:
                    put_off = partial(hush.put_off, config=self._desk.config, sleeping=sleeping, now=now)
                except Exception as error:  # a background loop: one post's fault is shown, and the channel goes on
                    log.exception("a post cannot be drawn", post=post.key, channel=channel)
                    put_off = partial(_put_off, post=post, why=NOT_DRAWN.format(error=type(error).__name__), now=now)
            with self._desk.begin("courier") as writing:
                put_off(writing)

    def _ready(self, connection: sa.Connection, post: Post, now: datetime) -> Sending:
        """The post, drawn; before it the message that its thread begins with. Raises NoThread while that cannot be shown."""
        root = cards.root_of(connection, post)
        if root is None or root.ts is not None:
            return self._drawn(connection, post, root, now)
        if root.due_at is not None and root.due_at <= now:
            return self._drawn(connection, root, None, now)
        raise NoThread(root.due_at or now + AGAIN_AFTER)

    def _drawn(self, connection: sa.Connection, post: Post, root: Post | None, now: datetime) -> Sending:
        waited = int((now - post.first_due_at).total_seconds())
        late_s = post.late_s if post.ts else waited if waited >= LATE_AFTER_S else None
        hush.awake_for(self._desk.config, post, now)
        quiet = hush.hush(self._desk.config, self._draw(connection, post, late_s), now)
        return Sending(post, quiet.drawing, root.ts if root else None, late_s, now, quiet.held)

    def _kept(self, sending: Sending) -> Sending:
        """What is not said to somebody now is written down before the rest of it is sent."""
        if sending.held:
            with self._desk.begin("hold back") as connection:
                hush.keep(connection, self._desk.config, sending.post, sending.drawing, sending.held, sending.begun)
        return sending

    def _look_again(self, sending: Sending, drawing: Drawing) -> None:
        """Raises Unavailable when somebody may no longer be called since it was drawn: it is drawn anew."""
        now = self._desk.clock.now()
        try:
            hush.awake_for(self._desk.config, sending.post, now)
        except hush.Asleep as sleeping:
            raise Unavailable(FELL_ASLEEP) from sleeping
        if hush.hush(self._desk.config, drawing, now).held:
            raise Unavailable(FELL_ASLEEP)

    async def _send(self, sending: Sending) -> Shown:
        try:
            return await self._put(sending, sending.drawing)
        except Rejected as refusal:
            if refusal.code not in TOO_RICH or not sending.drawing.blocks:
                raise
            log.error("slack refused our blocks, sending plain text", code=refusal.code, post=sending.post.key)
            return await self._put(sending, Drawing(sending.drawing.text))

    async def _put(self, sending: Sending, drawing: Drawing) -> Shown:
        post, kill = sending.post, self._desk.kill
        self._look_again(sending, drawing)
        if post.ts is not None:
            kill("update: before send")
            if drawing.file is None:
                await self._slack.update(post.channel, post.ts, drawing)
            kill("update: after send")
            return Shown(post.ts, post.revision)

        async def effect() -> Shown:
            kill("post: before send")
            ts = await self._post(sending, drawing)
            kill("post: after send")
            return Shown(ts, post.revision)

        async def reconcile() -> Shown | None:
            try:
                ts = await self._read_back(sending, drawing)
            except (Unavailable, Rejected) as problem:
                raise InDoubt(f"read back: {problem}", getattr(problem, "retry_after", None)) from problem
            return Shown(ts, SOME_REVISION) if ts else None

        try:
            return await once(self._desk.engine, f"post:{post.key}", sending.begun, effect, reconcile)
        except OutcomeUnknown:
            return await effect()  # Slack's own history says that it is not there

    async def _post(self, sending: Sending, drawing: Drawing) -> str:
        post = sending.post
        if drawing.file:
            return await self._slack.upload(post.channel, sending.thread, drawing.file, drawing.text)
        return await self._slack.post(post.channel, drawing, post.key, sending.thread)

    async def _read_back(self, sending: Sending, drawing: Drawing) -> str | None:
        """What an attempt whose answer was lost has left in Slack."""
        post, oldest = sending.post, sending.post.first_due_at.timestamp() - READ_BACK_S
        if drawing.file:
            return await self._slack.find_file(post.channel, sending.thread, drawing.file.title, oldest)
        return await self._slack.find(post.channel, post.key, sending.thread, oldest)

    def _shown(self, sending: Sending, shown: Shown) -> None:
        due = sending.post.due_at or sending.begun
        self._measure(max(0.0, (self._desk.clock.now() - due).total_seconds()))
        with self._desk.begin("courier") as connection:
            cards.shown(connection, sending.post, shown.ts, shown.revision, self._desk.clock.now(), sending.late_s)
            forget_attempt(connection, f"post:{sending.post.key}")

    def _later(self, sending: Sending, problem: Unavailable) -> float:
        """The post stays due; the channel waits as long as Slack asks, or a little longer after each silence."""
        post = sending.post
        wait = problem.retry_after or self._backoff(post.channel)
        log.warning("slack does not take a post", post=post.key, error=str(problem), wait_s=wait)
        with self._desk.begin("courier") as connection:
            cards.failed(connection, post, str(problem)[:200], post.due_at or sending.begun)
            if problem.retry_after is not None and not isinstance(problem, InDoubt):  # it was refused: no doubt
                forget_attempt(connection, f"post:{post.key}")
        return wait

    def _backoff(self, channel: str) -> float:
        """Twice as long after each silence in a row; a 429 is no silence."""
        silent = self._silent_for.get(channel, 0)
        self._silent_for[channel] = silent + 1
        return float(min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0**silent))

    def _refused(self, sending: Sending, refusal: Rejected) -> float:
        """Tried again later (a channel may be mended); a card that somebody deleted is posted anew."""
        post, now = sending.post, self._desk.clock.now()
        log.error("slack refuses a post", post=post.key, channel=post.channel, code=refusal.code)
        with self._desk.begin("courier") as connection:
            forget_attempt(connection, f"post:{post.key}")
            if refusal.code in GONE:
                cards.lost(connection, post)
            else:
                _put_off(connection, post, refusal.code, now)
        return self._pace


def _put_off(connection: sa.Connection, post: Post, why: str, now: datetime) -> None:
    """Tried again later, and with a card what stands in its thread."""
    cards.failed(connection, post, why, now + AGAIN_AFTER)
    if post.kind == "card":
        cards.hold_thread(connection, post, now + AGAIN_AFTER)
