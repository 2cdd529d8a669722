"""Slack's Web API as the courier and the checks need it: thin, no retries, errors named by who must react."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Protocol

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import Rejected, Unavailable

EVENT_TYPE = "vigie_post"
TIMEOUT_S, UPLOAD_WITHIN_S = 10.0, 30.0
LONGEST_ALT = 1_000
PAGE, MOST_PAGES = 200, 10
PEOPLE = ("U", "W")        # how the ids of people begin
TAKE_JSON = frozenset({"chat.postMessage", "chat.update"})     # the others take forms

LATER = frozenset(
    {
        "internal_error", "fatal_error", "service_unavailable", "request_timeout", "ratelimited", "rate_limited",
        "team_added_to_org", "accesslimited",
    }
)
RATE_LIMITED = frozenset({"ratelimited", "rate_limited"})
DEFAULT_PAUSE_S = 30.0


class Message(Protocol):
    """What is posted; the courier's Drawing is one."""

    @property
    def text(self) -> str: ...

    @property
    def blocks(self) -> list[dict[str, Any]]: ...


def web_client(token: str, base_url: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    """The SDK's client without its retries (they post twice when a reply is lost) and on one shared session."""
    return AsyncWebClient(token=token, base_url=base_url, session=session, timeout=int(TIMEOUT_S), retry_handlers=[])


class Upload(Protocol):
    """A file to show; the courier's File is one."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def alt(self) -> str: ...

    @property
    def content(self) -> bytes: ...


class SlackClient:
    """What the courier asks of Slack; `count` is told each refusal for speed, by method."""

    def __init__(self, web: AsyncWebClient, count: Callable[[str], None] = lambda method: None) -> None:
        self.web = web
        self._count = count
        self._bot_id: str | None = None
        self._directs: dict[str, str] = {}      # person: the conversation with them, once it is known

    async def post(self, channel: str, drawing: Message, key: str, thread: str | None) -> str:
        """Posts with `key` as metadata; returns the message's ts. Not safe to repeat: never sent twice by itself.

        To a person (U...) it is a direct message.
        """
        answer = await self.call(
            "chat.postMessage", channel=channel, text=drawing.text, blocks=drawing.blocks or None, thread_ts=thread,
            metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}}, unfurl_links=False, unfurl_media=False,
        )
        if channel.startswith(PEOPLE):
            self._directs[channel] = str(answer["channel"])
        return str(answer["ts"])

    async def _place(self, channel: str) -> str:
        """A person can be written to; what was written is found and changed only in the conversation with them."""
        if not channel.startswith(PEOPLE):
            return channel
        if channel not in self._directs:
            self._directs[channel] = str((await self.call("conversations.open", users=channel))["channel"]["id"])
        return self._directs[channel]

    async def update(self, channel: str, ts: str, drawing: Message) -> None:
        """Replaces a message; safe to repeat."""
        await self.call("chat.update", channel=await self._place(channel), ts=ts, text=drawing.text, blocks=drawing.blocks)

    async def find(self, channel: str, key: str, thread: str | None, oldest: float) -> str | None:
        """The ts of our own message with that metadata key since `oldest` (epoch seconds), or None."""
        ours = await self._our_bot_id()
        async for message in self._history(channel, thread, oldest):
            metadata = message.get("metadata") or {}
            if (
                message.get("bot_id") == ours
                and metadata.get("event_type") == EVENT_TYPE
                and (metadata.get("event_payload") or {}).get("key") == key
            ):
                return str(message["ts"])
        return None

    async def upload(self, channel: str, thread: str | None, file: Upload, comment: str) -> str:
        """Shows a file in the thread; returns its id. Only the last of its three calls shows anything."""
        length, alt = len(file.content), file.alt[:LONGEST_ALT]
        place = await self.call("files.getUploadURLExternal", filename=file.name, length=length, alt_txt=alt)
        await self._send_bytes(str(place["upload_url"]), file.content)
        await self.call(
            "files.completeUploadExternal", files=json.dumps([{"id": place["file_id"], "title": file.title}]),
            channel_id=await self._place(channel), thread_ts=thread, initial_comment=comment,
        )
        return str(place["file_id"])

    async def _send_bytes(self, url: str, content: bytes) -> None:
        """To the address that Slack gave for it, without our token."""
        assert self.web.session is not None, "the client is built on the shared session"
        try:
            async with asyncio.timeout(UPLOAD_WITHIN_S), self.web.session.post(url, data=content) as answer:
                if answer.status != 200:
                    raise Unavailable(f"upload: answered {answer.status}")
        except (aiohttp.ClientError, OSError, ValueError) as error:      # OSError: also time-outs; ValueError: no address
            raise Unavailable(f"upload: {type(error).__name__}") from error

    async def find_file(self, channel: str, thread: str | None, title: str, oldest: float) -> str | None:
        """The id of our own file with that title since `oldest`, or None."""
        ours = await self._our_bot_id()
        async for message in self._history(channel, thread, oldest):
            for file in message.get("files") or [] if message.get("bot_id") == ours else []:
                if file.get("title") == title:
                    return str(file["id"])
        return None

    async def _history(self, channel: str, thread: str | None, oldest: float) -> AsyncIterator[Mapping[str, Any]]:
        """Messages of the channel (or replies in the thread), bounded: what is looked for is minutes old."""
        method = "conversations.replies" if thread else "conversations.history"
        given = {"channel": await self._place(channel), "ts": thread, "oldest": f"{oldest:.6f}", "limit": PAGE}
        cursor = None
        for _ in range(MOST_PAGES):
            page = await self.call(method, **given, include_all_metadata="true", cursor=cursor)
            for message in page.get("messages", []):
                yield message
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return
        raise Unavailable(f"{method}: more than {PAGE * MOST_PAGES} messages to look through")

    async def _our_bot_id(self) -> str:
        if self._bot_id is None:
            self._bot_id = str((await self.auth_test())["bot_id"])
        return self._bot_id

    async def auth_test(self) -> dict[str, Any]:
        """Who we are: team_id, user_id, bot_id; `scopes` as Slack tells them in a header."""
        answer = await self._ask("auth.test", {})
        scopes = answer.headers.get("x-oauth-scopes") or ""
        return {**_content("auth.test", answer), "scopes": [each.strip() for each in scopes.split(",") if each.strip()]}

    async def channel_info(self, channel: str) -> dict[str, Any]:
        """One channel: name, is_member, is_ext_shared ..."""
        found: dict[str, Any] = (await self.call("conversations.info", channel=channel))["channel"]
        return found

    async def user_info(self, user: str) -> dict[str, Any]:
        """What Slack knows about a person."""
        info: dict[str, Any] = (await self.call("users.info", user=user))["user"]
        return info

    async def do_not_disturb(self, user: str) -> dict[str, Any]:
        """When Slack keeps silent for a person: dnd_enabled, next_dnd_start_ts, next_dnd_end_ts."""
        return await self.call("dnd.info", user=user)

    async def group_members(self, group: str) -> list[str]:
        """The ids of who is in a user group."""
        return [str(each) for each in (await self.call("usergroups.users.list", usergroup=group)).get("users", [])]

    async def set_group_members(self, group: str, users: list[str]) -> None:
        """Exactly these are in the user group from now on; safe to repeat."""
        await self.call("usergroups.users.update", usergroup=group, users=",".join(users))

    async def call(self, method: str, **given: Any) -> dict[str, Any]:
        """One call, once; raises Unavailable (come again later) or Rejected (Slack's own word)."""
        told = {name: value for name, value in given.items() if value is not None}
        return _content(method, await self._ask(method, told))

    async def _ask(self, method: str, given: dict[str, Any]) -> AsyncSlackResponse:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                if method in TAKE_JSON:
                    return await self.web.api_call(method, json=given)
                return await self.web.api_call(method, data={name: str(value) for name, value in given.items()})
        except SlackApiError as error:
            raise self._named(method, error.response) from error
        except (aiohttp.ClientError, OSError, ValueError, AttributeError) as error:
            # OSError: also time-outs; ValueError: no JSON; AttributeError: the SDK trips over JSON that is no object.
            raise Unavailable(f"{method}: {type(error).__name__}") from error

    def _named(self, method: str, response: Any) -> Exception:
        """What Slack's refusal means for us."""
        status = getattr(response, "status_code", None) or getattr(response, "status", 0)
        data = getattr(response, "data", None)
        code = str(data.get("error", "")) if isinstance(data, dict) else ""
        if status == 429 or code in RATE_LIMITED:
            self._count(method)
            return Unavailable(f"{method}: ratelimited", retry_after=_pause(response.headers.get("Retry-After")))
        if status != 200 or not code or code in LATER:
            return Unavailable(f"{method}: {code or f'answered {status}'}")
        return Rejected(code)


def _content(method: str, answer: AsyncSlackResponse) -> dict[str, Any]:
    if not isinstance(answer.data, dict):
        raise Unavailable(f"{method}: answered something that is not JSON")
    return answer.data


def _pause(header: str | None) -> float:
    return float(header) if header and header.isascii() and header.isdigit() else DEFAULT_PAUSE_S
