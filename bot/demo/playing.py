"""Plays the example night: what sources send, what breaks, and what people type once they see what it is about."""

import asyncio
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from bot.app import App
from bot.demo.hours import StoryClock
from bot.doubles.night import Act, Broke, Moment, Said, Sent, evening, night, passing
from bot.doubles.platform import Platform
from bot.errors import Refused
from bot.ports import system_sleep
from bot.sending import post, prepare
from bot.store.cards import due_channels
from bot.store.db import reader
from bot.workspace import Workspace

log = structlog.get_logger()

LOOK_S = 0.1
AT_MIDNIGHT = ("due", "handoffs")       # doors at which the story knocks itself, for it waits for what they do
ANSWER_S = 15.0         # how long a person waits for an answer
PATIENCE_S = 240.0      # how long one waits for what a line is about
NAMES = {"{alert}": r"#(\d+)", "{run}": r"\b[Rr]un (\d+)"}     # how a message names what a line is about


class Night:
    """The actors: sources, the platform, and people in the workspace."""

    def __init__(self, url: str, speed: float, workspace: Workspace, clock: StoryClock) -> None:
        self._url, self._speed, self._workspace, self._clock = url, speed, workspace, clock
        self._outbox: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def send(self, endpoint: str, content: Any) -> None:
        """What the platform's observers say; from any thread, sent in this order."""
        self._loop.call_soon_threadsafe(self._outbox.put_nowait, (endpoint, content))

    async def carry(self, app: App) -> None:
        """Carries what observers say to Vigie, until cancelled."""
        while True:
            await self._deliver(app, *await self._outbox.get())

    async def play(self, app: App, platform: Platform) -> None:
        """The evening, line after line; how the duty passes at midnight; then the night, each act at its time."""
        for line in evening():
            await self._say_and_wait(line)
        await self._all_is_told(app)
        midnight = self._clock.midnight()
        for moment in passing(midnight):
            self._clock.jump_to(midnight + moment.after_midnight)
            await self._pass(moment, app)
        self._clock.night_falls()
        acts = night(self._clock.now(), self._speed)
        await asyncio.gather(*(self._perform_in_time(each, app, platform) for each in acts))

    async def _pass(self, moment: Moment, app: App) -> None:
        """What is due then, and what people and sources do about it, one after the other."""
        for door in app.doors():
            if door.name in AT_MIDNIGHT:
                await door.knock()
        for act in moment.acts:
            if isinstance(act, Sent):
                await self._deliver(app, act.endpoint, act.content)
            elif await self._subject(act):
                await self._say_and_wait(act)
        await self._all_is_told(app)

    async def _all_is_told(self, app: App) -> None:
        """What is told after the story has jumped on would be told hours late."""
        while await asyncio.to_thread(_posts_wait, app):
            await system_sleep(LOOK_S)

    async def _perform_in_time(self, act: Act, app: App, platform: Platform) -> None:
        """Not before somebody can know of it: how long Vigie takes is its own affair."""
        await system_sleep(act.at_s / self._speed)
        if isinstance(act, Broke):
            await asyncio.to_thread(platform.break_, act.fault)
        elif (subject := await self._subject(act)) is None:
            log.error("the demo's night went another way", waited_for=act.about)
        elif isinstance(act, Sent):
            await self._deliver(app, act.endpoint, act.content)
        else:
            await self._say(act, act.line.format(alert=subject.number, run=subject.number), subject.thread)

    async def _deliver(self, app: App, endpoint_name: str, said: Any) -> None:
        endpoint = app.config.endpoints.get(endpoint_name)
        if endpoint is None:        # the configuration is one's own
            return
        content = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
        body, headers = prepare(content.encode(), endpoint, app.secrets, raw=False)
        status, answer = await post(f"{self._url}/webhooks/{endpoint.source}/{endpoint_name}", body, headers)
        if status >= 400:
            log.error("the night's delivery was refused", endpoint=endpoint_name, status=status, answer=answer)

    # --- people ---

    async def _say(self, act: Said, line: str, thread: str | None = None) -> None:
        with suppress(Refused):
            await self._workspace.acts.say(act.person, act.channel, line, thread if act.in_thread else None)

    async def _say_and_wait(self, act: Said) -> None:
        """Until this person has been answered: the next one builds on it."""
        before = self._whispers(act)
        await self._say(act, act.line)
        for _ in range(int(ANSWER_S / LOOK_S)):
            if self._whispers(act) > before:
                return
            await system_sleep(LOOK_S)
        log.error("nobody answered in the demo's evening", line=act.line)

    def _whispers(self, act: Said) -> int:
        return sum(each["ephemeral"] for each in self._workspace.messages(act.channel, act.person))

    async def _subject(self, act: Said | Sent) -> "Subject | None":
        """What it is about, as soon as a message tells; None when none ever does."""
        pattern = next((each for name, each in NAMES.items() if isinstance(act, Said) and name in act.line), "()")
        for _ in range(int(PATIENCE_S / LOOK_S)):
            if (found := subject(self._workspace.messages(act.channel), act.about, pattern)) is not None:
                return found
            await system_sleep(LOOK_S)
        return None


@dataclass(frozen=True, slots=True)
class Subject:
    """What is spoken of: its number, and its thread."""

    number: str = ""
    thread: str | None = None


def _posts_wait(app: App) -> bool:
    with reader(app.engine) as connection:
        return bool(due_channels(connection, app.desk.clock.now()))


def subject(messages: Sequence[Any], about: str, pattern: str) -> Subject | None:
    """The newest message that speaks of it; nothing to speak of, no subject."""
    if not about:
        return Subject()
    for message in reversed(messages):
        text = json.dumps(message, ensure_ascii=False)
        if about in text and (found := re.search(pattern, text)):
            return Subject(found[1], message.get("thread_ts") or message["ts"])
    return None
