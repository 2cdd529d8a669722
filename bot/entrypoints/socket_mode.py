"""Slack over a socket, for those without a public address: a watchdog builds all anew when Slack falls silent."""

import asyncio
from typing import Any

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot.ports import Clock, Sleep

log = structlog.get_logger()

LOOK_EVERY_S = 5.0
SILENCE_S = 60.0            # Slack pings every few seconds and says hello at once
CONNECT_WITHIN_S = 30.0
CLOSE_WITHIN_S = 5.0
TROUBLE = (SlackApiError, aiohttp.ClientError, OSError)     # OSError: also time-outs


class Pulse:
    """When Slack was last heard on the socket of one handler, and whether its present session has been greeted."""

    def __init__(self, handler: AsyncSocketModeHandler, now: float) -> None:
        self._client = handler.client
        self._session: Any = None
        self._greeted: Any = None
        self._since = now
        self._client.on_message_listeners.append(self._heard)

    async def _heard(self, _message: Any) -> None:
        self._greeted = self._client.current_session

    def silent_for(self, now: float) -> float:
        """Seconds without a pong; or since the session began, when not even hello was said."""
        session = self._client.current_session
        if session is not self._session:
            self._session, self._since = session, now
        if self._greeted is not session:
            return now - self._since
        return now - max(self._client.last_ping_pong_time or 0.0, self._since)


async def run_socket(
    bolt: AsyncApp,
    app_token: str,
    clock: Clock,
    sleep: Sleep,
    silence_s: float = SILENCE_S,
    look_every_s: float = LOOK_EVERY_S,
) -> None:
    """Stays connected until it is cancelled. A handler that fell silent is thrown away, session and all."""
    while True:
        handler = AsyncSocketModeHandler(bolt, app_token, ping_interval=look_every_s)
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                await handler.client.connect()  # type: ignore[no-untyped-call]
            await _until_silent(handler, clock, sleep, silence_s, look_every_s)
            log.warning("slack fell silent on the socket; connecting anew", after_s=silence_s)
        except TROUBLE as error:
            log.warning("the socket does not connect", error=type(error).__name__)
            await sleep(look_every_s)
        finally:
            await _close(handler)


async def _until_silent(
    handler: AsyncSocketModeHandler, clock: Clock, sleep: Sleep, silence_s: float, look_every_s: float
) -> None:
    pulse = Pulse(handler, clock.now().timestamp())
    while pulse.silent_for(clock.now().timestamp()) < silence_s:
        await sleep(look_every_s)


async def _close(handler: AsyncSocketModeHandler) -> None:
    """Bounded: a dead socket must not keep the new one waiting."""
    try:
        async with asyncio.timeout(CLOSE_WITHIN_S):
            await handler.client.close()  # type: ignore[no-untyped-call]
    except TROUBLE as error:
        log.warning("the old socket did not close", error=type(error).__name__)
