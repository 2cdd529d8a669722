"""Slack: a typed line, a button, a form, a mention and a shortcut become the same Saying, and each gets its answer."""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import structlog
from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.entrypoints import heard, modals
from bot.entrypoints.perform import Ask, Family, Reply, Saying, perform
from bot.entrypoints.wording import bare, marked, words
from bot.services.desk import Desk
from bot.services.leave import authority
from bot.services.shift import leaving
from bot.services.slack import home
from bot.store import alerts, cards

log = structlog.get_logger()

Later = Callable[[str], Awaitable[None]]

HOOKS = ("https", "hooks.slack.com")           # where Slack takes answers
HOME = "slack home"
WORK_WITHIN_S, ANSWER_WITHIN_S = 1.5, 1.3      # together less than the 3 s that Slack gives to a request
SLACK_TROUBLE = (SlackApiError, aiohttp.ClientError, OSError, ValueError)    # OSError: also time-outs

SHORTCUTS = (      # for the manifest; each names a command with a form
    {"name": "Note on this alert", "type": "message", "callback_id": "vigie:note", "description": "Write on an alert"},
)
NO_FORM = "Slack did not open the form. Say it in one line instead: `{command} {name} {usage}`."
NOT_A_CARD = "This message is no alert's card: which alert do you mean? Use a card, or `{command} {verb} 142`."
WORKING = "This takes longer than usual; the answer comes here when it is there."
TOO_LATE_FOR_A_FORM = "It took too long to open the form. Try again."
SLOW = "This takes longer than usual. Look at the card in a moment; say it again only if nothing has changed there."
APOLOGY = "Something broke on our side; nothing was changed. Try again in a moment."


class Chat:
    """The listeners; each only reads its payload, performs, and brings the answer back the way Slack wants it."""

    def __init__(self, desk: Desk, family: Family, client: AsyncWebClient) -> None:
        self._desk, self._family, self._client = desk, family, client
        self._underway: set[asyncio.Task[Any]] = set()      # a task that nobody holds may vanish

    async def typed(self, ack: AsyncAck, command: dict[str, Any]) -> None:
        """/vigie ack 142"""
        channel = command.get("channel_id")
        said = words(command.get("text") or "", self._desk.config)
        user = heard.id(command.get("user_id"))
        saying = Saying(heard.id(command.get("team_id")), user, f"slack {channel}", said)
        reply = await self._perform(saying, partial(self._late, command.get("response_url"), channel, user))
        text = await self._form_or_text(reply, command.get("trigger_id"), channel)
        await (ack(text=text, response_type="ephemeral") if text else ack())

    async def clicked(self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        """A button, or an entry of the overflow menu."""
        await ack()
        if not str(action.get("action_id", "")).startswith(heard.PREFIX):
            return                                          # a link's button: Slack opens it by itself
        words, ref = heard.aim(action)
        await self._press(body, words, ref)

    async def picked(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """A message's shortcut: the message is an alert's card, or stands in its thread."""
        await ack()
        verb = str(body.get("callback_id", "")).removeprefix(heard.PREFIX)
        message, channel = body.get("message") or {}, (body.get("channel") or {}).get("id")
        ref = await asyncio.to_thread(self._alert_of, channel, message.get("thread_ts") or message.get("ts"))
        if ref is None:
            await self._tell(body, marked(NOT_A_CARD.format(command=self._desk.config.command, verb=verb)))
            return
        await self._press(body, (verb,), ref)

    async def _press(self, body: dict[str, Any], words: tuple[str, ...], ref: str | None) -> None:
        (team, user), channel = heard.person(body), (body.get("channel") or {}).get("id")
        saying = Saying(team, user, f"slack {channel}" if channel else HOME, words, ref, "button")
        reply = await self._perform(saying, partial(self._late, body.get("response_url"), channel, user))
        text = await self._form_or_text(reply, body.get("trigger_id"), channel)
        if text:
            await self._tell(body, text)
        if (body.get("view") or {}).get("type") == "home":
            await self._show_home(team, user)

    async def submitted(self, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        """A form comes back: what is wrong stands beside the field and the text stays; or it goes on with what comes next."""
        form, (team, user) = modals.filled(view), heard.person(body)
        saying = Saying(team, user, f"slack {form.channel}", form.words, form.ref, "button" if form.goes_on else "form")
        reply = await self._perform(saying, partial(self._late, None, form.channel, user))
        block = None if reply.ok else form.block_of(bare(reply.text))
        if block:
            await ack(response_action="errors", errors={block: bare(reply.text)})
            return
        if reply.ask:
            await ack(response_action="update", view=modals.form(self._desk.config, reply.ask, form.channel))
            return
        await ack()
        await self._whisper(form.channel, user, reply.text)

    async def mentioned(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        """@Vigie ack in an alert's thread, or @Vigie ack 142 anywhere."""
        if event.get("bot_id"):
            return
        channel, thread, user = event.get("channel"), event.get("thread_ts"), heard.id(event.get("user"))
        said = words(heard.after_mention(event.get("text") or "", body), self._desk.config)
        own = await asyncio.to_thread(self._alert_of, channel, thread)
        said, ref = heard.meant(said, own)
        saying = Saying(heard.team(event, body), user, f"slack {channel}", said, ref, "mention", body.get("event_id"))
        reply = await self._perform(saying, lambda text: self._whisper(channel, user, text, thread))
        await self._whisper(channel, user, reply.text, thread)

    async def came_home(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        """The Home tab shows what is open, who is on, and what is one's own."""
        if event.get("tab", "home") != "home":
            return
        user = heard.id(event.get("user"))
        await self._show_home(heard.team(event, body), user)

    async def _show_home(self, team: str, user: str) -> None:
        reply = await self._perform(Saying(team, user, HOME, ("status",)))
        section = {"type": "section", "text": {"type": "mrkdwn", "text": reply.text[:3000], "verbatim": True}}
        blocks = await asyncio.to_thread(self._home, team, user, reply.text) if reply.ok else [section]
        shown = {"type": "home", "blocks": blocks}
        await self._try("views.publish", self._client.views_publish(user_id=user, view=shown))

    def _home(self, team: str, user: str, status: str) -> list[dict[str, Any]]:
        return home.draw(self._desk, authority.authorise(self._desk.config, team, user, HOME), status)

    async def person_changed(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        """Slack has deactivated somebody, or has them again."""
        who = event.get("user")
        if isinstance(who, dict) and "deleted" in who:
            moved = leaving.deactivated if who["deleted"] else leaving.reactivated
            team = heard.id(who.get("team_id")) or heard.id(body.get("team_id"))
            await asyncio.to_thread(moved, self._desk, team, heard.id(who.get("id")))

    async def _perform(self, saying: Saying, later: Later | None = None) -> Reply:
        """What takes too long goes on; its answer comes `later`, or the card shows its end."""
        work = asyncio.create_task(asyncio.to_thread(perform, self._desk, self._family, saying))
        self._keep(work)
        try:
            async with asyncio.timeout(WORK_WITHIN_S):
                return await asyncio.shield(work)
        except TimeoutError:
            if later is None:
                return Reply(SLOW, ok=True)
            self._keep(asyncio.create_task(self._told_later(work, later)))
            return Reply(WORKING, ok=True)

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._underway.add(task)
        task.add_done_callback(self._underway.discard)

    async def _told_later(self, work: asyncio.Task[Reply], later: Later) -> None:
        reply = await work
        await later(reply.text or marked(TOO_LATE_FOR_A_FORM))

    async def _late(self, url: str | None, channel: str | None, user: str, text: str) -> None:
        await self._tell({"response_url": url, "channel": {"id": channel}, "user": {"id": user}}, text)

    async def _form_or_text(self, reply: Reply, trigger_id: str | None, channel: str | None) -> str:
        """Opens the form that is asked for; what is left to say, if anything."""
        if reply.ask is None or await self._open(reply.ask, trigger_id, channel):
            return reply.text
        command = reply.ask.command
        return marked(NO_FORM.format(command=self._desk.config.command, name=command.name, usage=command.usage))

    async def _open(self, ask: Ask, trigger_id: str | None, channel: str | None) -> bool:
        view = modals.form(self._desk.config, ask, channel)
        return await self._try("views.open", self._client.views_open(trigger_id=trigger_id or "", view=view))

    async def _tell(self, body: Mapping[str, Any], text: str) -> None:
        """Only to the person who clicked; the card stays."""
        url, (_, user) = body.get("response_url"), heard.person(body)
        if url and self._is_slacks(url):
            await self._try("response_url", self._answer(url, text, heard.thread_of(body.get("message") or {})))
            return
        if url:
            log.warning("a response_url leads elsewhere than to slack: not followed")
        await self._whisper((body.get("channel") or {}).get("id"), user, text)

    def _is_slacks(self, url: str) -> bool:
        """Whether the address is one of Slack's, or of the workspace that SLACK_API_URL names."""
        try:
            place = urlsplit(str(url))[:2]
        except ValueError:
            return False
        return place in (HOOKS, urlsplit(self._client.base_url)[:2])

    async def _answer(self, url: str, text: str, thread: str | None) -> None:
        session = self._client.session
        assert session is not None, "the client is built on the shared session"
        answer = {"response_type": "ephemeral", "replace_original": False, "text": text}
        answer |= {"thread_ts": thread} if thread else {}
        async with session.post(url, json=answer, allow_redirects=False) as response:
            response.raise_for_status()

    async def _whisper(self, channel: str | None, user: str | None, text: str, thread: str | None = None) -> None:
        """Only to this person; who clicked in the Home tab is in no channel, and gets a direct message."""
        if channel and user:
            said = self._client.chat_postEphemeral(channel=channel, user=user, text=text, thread_ts=thread)
            await self._try("chat.postEphemeral", said)
        elif user:
            await self._try("chat.postMessage", self._client.chat_postMessage(channel=user, text=text))

    async def _try(self, what: str, call: Any) -> bool:
        """An answer that does not arrive changes nothing of what was done: it is only logged."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await call
        except SLACK_TROUBLE as error:
            log.warning("an answer did not reach slack", call=what, error=type(error).__name__)
            return False
        return True

    def _alert_of(self, channel: str | None, ts: str | None) -> str | None:
        """The number of the alert whose card this message is: the oldest open one of its group, or else the last."""
        if not channel or not ts:
            return None
        with self._desk.read() as connection:
            post = cards.by_ts(connection, channel, ts)
            members = alerts.of_group(connection, post.group_id) if post and post.group_id is not None else []
        still_open = [each for each in members if each.state != "closed"]
        return str((still_open or members[-1:])[0].id) if members else None


def build_bolt(desk: Desk, family: Family, client: AsyncWebClient, signing_secret: str) -> AsyncApp:
    """The Bolt app. Its own signature check is off: the gate stands in front of it, and Socket Mode has none."""

    async def ours(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        """One workspace, one token: no call to Slack is needed to know it."""
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=client.token)

    quiet = logging.getLogger("vigie.bolt")
    quiet.setLevel(logging.ERROR)           # below that Bolt logs whole bodies, and grumbles about what we do on purpose
    bolt = AsyncApp(
        logger=quiet, name="vigie", client=client, signing_secret=signing_secret, authorize=ours, process_before_response=True,
        request_verification_enabled=False,
    )
    chat, anything = Chat(desk, family, client), re.compile(r".*", re.DOTALL)
    bolt.command(anything)(chat.typed)
    bolt.action(anything)(chat.clicked)
    bolt.view(anything)(chat.submitted)
    bolt.shortcut(anything)(chat.picked)
    bolt.event("app_mention")(chat.mentioned)
    bolt.event("app_home_opened")(chat.came_home)
    bolt.event("user_change")(chat.person_changed)
    bolt.event(anything)(_ignore)
    bolt.error(_broken)
    return bolt


async def _ignore(event: dict[str, Any]) -> None:
    """Events that we did not ask for are taken, so that Slack does not send them again."""


async def _broken(error: Exception, body: dict[str, Any]) -> BoltResponse:
    log.error("a listener broke", exc_info=error, type=body.get("type"))
    return BoltResponse(status=200, body=apology(body), headers={"content-type": "application/json"})


def apology(body: Mapping[str, Any]) -> str:
    """What a person sees when all else failed; only a command's answer is shown."""
    return json.dumps({"response_type": "ephemeral", "text": APOLOGY}) if "command" in body else ""
