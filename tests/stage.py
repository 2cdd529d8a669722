"""A whole Vigie and a whole Slack behind one port of loopback, in a thread of their own; tests speak with it as people do."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import uvicorn
from starlette.routing import Mount

from bot.app import SERVE, App
from bot.config import Catalogue, Config, load_catalogue
from bot.demo import demo_secrets
from bot.demo.doubles import Doubles, addresses, at_home
from bot.discover import discover
from bot.doubles.platform import Platform
from bot.doubles.sns import DEMO_CERTIFICATE, DEMO_CERTIFICATE_URL, envelope
from bot.entrypoints.chat import WORKING
from bot.ports import SystemIds
from bot.sending import post, prepare
from bot.services.alert import due, overview
from bot.services.check.manifest import manifest
from bot.services.leave import duty
from bot.services.ledger import audit
from bot.settings import EnvironmentSecrets, load_settings
from bot.store import alerts, approvals, journal, runs
from bot.store.approvals import Approval
from bot.store.db import reader
from bot.store.runs import Run
from bot.workspace import Workspace
from bot.workspace.seed import example_seed
from runbooks import actions
from runbooks.actions import Service
from tests.config_stage import example
from tests.patience import PATIENCE_S

T = TypeVar("T")

ALICE, BRUNO, PAUL, LEA = "U0ALICE001", "U0BRUNO001", "U0PAUL0001", "U0LEA00001"
OMAR, INES, EVE, VIGIE = "U0OMAR0001", "U0INES0001", "U0EVE00001", "U0VIGIE001"
ALERTS, PAYMENTS, REVIEW = "C0ALERTS01", "C0PAYMNT01", "C0REVIEW01"
EXAMPLE = Path(str(resources.files("bot") / "vigie.example.yaml"))
PARIS = ZoneInfo("Europe/Paris")
SUNDAY, MORNING, EVENING = 6, 9, 18
THREADS = 32            # for a Vigie that waits for doubles in its own process
BREATH_S = 0.03
SHIPPED: dict[str, Catalogue] = {}       # read once for each configuration: nothing changes it


class WallClock:
    """The time on the wall of a Sunday, set forward by hand: Padok has the duty, and by day Bridge's people may act too."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        here = self.now().astimezone(PARIS)
        if here.weekday() != SUNDAY or not MORNING <= here.hour < EVENING:
            noon = here.replace(hour=12, minute=0, second=0, microsecond=0)
            self.ahead = noon + timedelta(days=(SUNDAY - here.weekday()) % 7 or 7) - here

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, **length: float) -> None:
        self.ahead += timedelta(**length)

    def go_to(self, hour: int, minute: int) -> None:
        """The next time it is so late in Paris."""
        here = self.now().astimezone(PARIS)
        then = here.replace(hour=hour, minute=minute, second=0, microsecond=0)
        self.ahead += (then if then > here else then + timedelta(days=1)) - here


class Stage:
    """What a test does and sees. Every method may be called from the test's own thread."""

    def __init__(self, config: Config, url: str, listening: socket.socket, with_platform: bool = False) -> None:
        self.config, self.url, self._listening = config, url, listening
        self.clock = WallClock()
        self.secrets = demo_secrets(config)
        self._doubles = Doubles(config, self.secrets, self.clock, self.send, 1) if with_platform else None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: uvicorn.Server | None = None
        self._ended = False
        self.platform: Platform

    # --- its life ---

    def open(self, environ: Mapping[str, str], by_socket: bool, slack_pace: float) -> None:
        self._thread.start()
        self.wait(self._open(environ, by_socket, slack_pace))

    async def _open(self, environ: Mapping[str, str], by_socket: bool, slack_pace: float) -> None:
        if self._doubles:
            self._loop.set_default_executor(ThreadPoolExecutor(THREADS))
        seed = example_seed(f"{self.url}/slack/events", manifest(self.config, self.url))
        clock, base = self.clock, f"{self.url}/workspace"
        self.workspace = Workspace(seed, clock=clock, wire_clock=clock, pace=slack_pace, base_url=base)
        given = {
            **environ, **self.secrets, "SLACK_BOT_TOKEN": seed.app.token, "SLACK_SIGNING_SECRET": seed.app.signing_secret,
            "SLACK_API_URL": f"{self.url}/workspace/api/", **({"SLACK_APP_TOKEN": seed.app.app_token} if by_socket else {}),
        }
        mounts = [Mount("/workspace", self.workspace.asgi), *(self._doubles.mounts if self._doubles else [])]
        self.app = App(
            load_settings(given), self.config, EnvironmentSecrets(given), SERVE, clock=self.clock, mounts=mounts, pace=0,
            known_certificates={DEMO_CERTIFICATE_URL: DEMO_CERTIFICATE}, addresses=addresses(self.url),
            catalogue=at_home(shipped(self.config), self.url) if self._doubles else Catalogue(),
        )
        if self._doubles:
            self.platform = await self._doubles.lay_out()
        await self.app.start()
        options = uvicorn.Config(self.app.asgi(), log_config=None, lifespan="off", timeout_graceful_shutdown=2)
        self._server = uvicorn.Server(options)
        self._serving = asyncio.create_task(self._server.serve([self._listening]))
        while not self._server.started:  # noqa: ASYNC110  uvicorn tells it in no other way
            await asyncio.sleep(0.01)

    def close(self) -> None:
        """As the process would end; a second time does nothing."""
        if not self._ended:
            self._ended = True
            self.wait(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _close(self) -> None:
        assert self._server is not None
        await self.workspace.close()
        self._server.should_exit = True
        await self._serving
        await self.app.stop()
        left = asyncio.all_tasks() - {asyncio.current_task()}     # as asyncio.run ends
        for each in left:
            each.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Does something in Vigie's thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    # --- what sources do ---

    def send(self, endpoint: str, content: Any, message_id: str | None = None) -> tuple[int, str]:
        """A delivery as the endpoint's source makes it; returns status and answer."""
        given = self.config.endpoints[endpoint]
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        if given.source == "cloudwatch" and '"TopicArn"' not in text:
            text = json.dumps(self.envelope(text, message_id))
        return self.post(endpoint, *prepare(text.encode(), given, EnvironmentSecrets(self.secrets), raw=False))

    def envelope(self, message: str, message_id: str | None = None, **changed: Any) -> dict[str, Any]:
        """What SNS would send now of the first topic of bridge-cloudwatch."""
        arn = changed.pop("topic", self.config.endpoints["bridge-cloudwatch"].topics[0].arn)
        at = changed.pop("at", self.clock.now())
        made = envelope(arn, message, now=at, message_id=message_id or uuid())
        return {**made, **changed}

    def post(self, endpoint: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        """These bytes, as they are."""
        source = self.config.endpoints[endpoint].source if endpoint in self.config.endpoints else "generic"
        return self.wait(post(f"{self.url}/webhooks/{source}/{endpoint}", body, headers))

    # --- what people do ---

    def say(self, person: str, channel: str, text: str, thread: str | None = None) -> None:
        self.wait(self.workspace.acts.say(person, channel, text, thread))

    def ask(self, person: str, channel: str, line: str) -> str:
        """Types a command and waits for its answer."""
        before = self.whispers(channel, person)
        self.say(person, channel, line)

        def answered() -> list[str]:
            return [each for each in self.whispers(channel, person)[len(before):] if WORKING not in each]

        return self.until(answered, f"an answer to {line!r}")[-1]

    def click(self, person: str, channel: str, ts: str, words: str) -> None:
        """Presses the button, or chooses the menu's entry, that bears these words."""
        self.wait(self.workspace.acts.click(person, {"channel": channel, "ts": ts, **self._target(channel, ts, words)}))

    def _target(self, channel: str, ts: str, words: str) -> dict[str, Any]:
        message = self.workspace.state.conversation(channel).by_ts[ts]
        for block in message.blocks:
            for element in block.get("elements", []):
                at = {"block_id": block["block_id"], "action_id": element.get("action_id")}
                if element["type"] == "button" and element["text"]["text"] == words:
                    return at
                for option in element.get("options", []):
                    if option["text"]["text"] == words:
                        return {**at, "selected_option": option}
        raise AssertionError(f"nothing here says {words!r}: {json.dumps(message.blocks, ensure_ascii=False)}")

    def modal(self, person: str) -> Any:
        """The form that the person has before them, waited for."""
        return self.until(lambda: self.workspace.state.modals.top(person))

    def fill(self, person: str, **values: str) -> dict[str, str]:
        """Fills in the open form and sends it; returns the faults beside its fields."""
        view = self.modal(person)
        return self.wait(self.workspace.acts.submit(person, view.id, dict(_filled(view, values))))

    # --- what is seen ---

    def messages(self, channel: str, person: str = ALICE) -> list[dict[str, Any]]:
        """All that this person sees in the channel, threads too."""
        async def look() -> list[dict[str, Any]]:
            return self.workspace.messages(channel, person)

        return self.wait(look())

    def card(self, channel: str, about: str, person: str = ALICE) -> dict[str, Any]:
        """The one message that speaks of this and can be acted on, waited for."""
        def found() -> dict[str, Any] | None:
            cards = [each for each in self.messages(channel, person) if about in shown(each) and _is_card(each)]
            assert len(cards) < 2, f"{len(cards)} cards speak of {about!r}"
            return cards[0] if cards else None

        return self.until(found)

    def reads(self, channel: str, about: str, words: str) -> dict[str, Any]:
        """The card, once it says these words."""
        return self.until(lambda: self._card_saying(channel, about, words), f"the card of {about!r} to say {words!r}")

    def _card_saying(self, channel: str, about: str, words: str) -> dict[str, Any] | None:
        card = self.card(channel, about)
        return card if words in shown(card) else None

    def whispers(self, channel: str, person: str) -> list[str]:
        """What only this person sees."""
        return [each["text"] for each in self.messages(channel, person) if each["ephemeral"]]

    def told(self, channel: str, person: str, words: str) -> str:
        """What was whispered to the person with these words in it, waited for."""
        def found() -> str | None:
            return next((each for each in self.whispers(channel, person) if words in each), None)

        return self.until(found, f"{person} to be told {words!r}")

    def thread(self, channel: str, ts: str) -> list[str]:
        return [shown(each) for each in self.messages(channel) if each.get("thread_ts") == ts and each["ts"] != ts]

    def calls(self, method: str) -> list[Any]:
        return [each for each in list(self.workspace.log) if each.method == method]

    def pinged(self) -> set[str]:
        """Everybody whom a message has called by name or all together."""
        found: set[str] = set()
        for conversation in self.workspace.state.conversations.values():
            found |= {person for each in list(conversation.by_ts.values()) for person in each.mentions if each.by_app}
        return found

    def on_call(self, service: str) -> str:
        """Whom Slack would have to call about it first: whose week it is depends on the day of the test."""
        with self.app.desk.read() as connection:
            return self.config.people[duty.on_call(connection, self.config, self.clock.now(), service)[0]].slack

    # --- what is written down ---

    def status(self) -> dict[str, Any]:
        """As `vigie status --json` says it."""
        self.app.meters.flush(self.app.desk)
        return overview.status(self.app.desk)

    def alerts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.status()["alerts"]
        return found

    def entries(self, kind: str | None = None) -> list[Any]:
        with reader(self.app.engine) as connection:
            return [each for each in journal.all_entries(connection) if kind in (None, each.kind)]

    def verdict(self) -> Any:
        """What `vigie audit verify` finds, once all is sealed."""
        def sealed() -> Any:
            with reader(self.app.engine) as connection:
                found = audit.verify(connection, now=self.clock.now())
            return found if found.unsealed == 0 else None       # after a leap of the clock the sealer first has to follow

        return self.until(sealed, "the journal to be sealed")

    def pass_time(self, **length: float) -> None:
        """The clock goes on, and what is due is done."""
        self.clock.advance(**length)
        due.act(self.app.desk)

    def runs(self) -> list[Run]:
        """All runs, oldest first."""
        with reader(self.app.engine) as connection:
            return runs.find(connection)[::-1]

    def questions(self) -> list[Approval]:
        """What waits for somebody's yes."""
        with reader(self.app.engine) as connection:
            return approvals.find(connection, approvals.approval.c.state == approvals.OPEN)

    def live(self, fact: Callable[[], T | None], what: str = "it", step_s: float = 5, most_s: float = 7200) -> T:
        """Lets time pass, so fast as Vigie and the platform can follow, until something is true; returns it."""
        end = self.clock.now() + timedelta(seconds=most_s)
        while not (found := fact()):
            assert self.clock.now() < end, f"waited {most_s:g} s of the story for {what}; {self._state_of_runs()}"
            self.until(self._rests, "Vigie to rest")
            self.pass_time(seconds=step_s)
            self.platform.tick()
            time.sleep(BREATH_S)
        return found

    def _rests(self) -> bool:
        """Nothing can go on now: every run waits for its time or for somebody."""
        with reader(self.app.engine) as connection:
            work = runs.busy(connection) or runs.due(connection, self.clock.now()) or alerts.undecided(connection, 1)
        if work:
            self.app.desk.wake()
        return not work

    def _state_of_runs(self) -> list[str]:
        return [f"run {each.id} {each.runbook}: {each.state}, step {each.position + 1}, {each.said}" for each in self.runs()]

    def until(self, fact: Callable[[], T | None], what: str = "it", seconds: float = PATIENCE_S) -> T:
        """Waits for something true and returns it."""
        end = time.monotonic() + seconds
        while True:
            if found := fact():
                return found
            if time.monotonic() > end:
                heard = [(each.method, each.error) for each in list(self.workspace.log)[-8:]]
                raise AssertionError(f"waited {seconds:g} s for {what}; last calls {heard}; {self.workspace.notices}")
            time.sleep(0.02)


def shown(message: Mapping[str, Any]) -> str:
    """All words of a message."""
    return "\n".join([message["text"], json.dumps(message.get("blocks") or [], ensure_ascii=False)])


def _is_card(message: Mapping[str, Any]) -> bool:
    """It can be acted on, and stands in no other message's thread."""
    acts = any(block["type"] == "actions" for block in message.get("blocks") or [])
    return acts and message.get("thread_ts") in (None, message["ts"])


def _filled(view: Any, values: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for block in view.inputs:
        element, given = block["element"], values.get(block["block_id"])
        if element["type"] == "static_select":
            chosen = next((each for each in element["options"] if each["value"] == given), None)
            yield block["block_id"], {element["action_id"]: {"type": "static_select", "selected_option": chosen}}
        else:
            text = given if given is not None else element.get("initial_value")
            yield block["block_id"], {element["action_id"]: {"type": element["type"], "value": text}}


def uuid() -> str:
    plain = SystemIds().new()
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))


def example_config(probation: int = 0, **endpoints: Mapping[str, Any]) -> Config:
    """The shipped configuration; `endpoints` change some of its doors."""
    config = example()
    doors = {**config.endpoints}
    for name, changed in endpoints.items():
        doors[name.replace("_", "-")] = doors[name.replace("_", "-")].model_copy(update=dict(changed))
    quiet = config.probation.model_copy(update={"minutes": probation})
    return config.model_copy(update={"probation": quiet, "endpoints": doors})


def shipped(config: Config) -> Catalogue:
    """The runbooks that come with Vigie."""
    key = config.model_dump_json()
    if key not in SHIPPED:
        SHIPPED[key] = load_catalogue(None, config, discover(actions, Service))
    return SHIPPED[key]


@contextmanager
def staged(
    engine: sa.Engine, config: Config | None = None, *, by_socket: bool = False, slack_pace: float = 0,
    with_platform: bool = False,
) -> Iterator[Stage]:
    """Vigie on this database, with a Slack of its own; and with AWS and Datadog, if the story needs them."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        stage = Stage(config or example_config(), url, listening, with_platform)
        database = engine.url.render_as_string(hide_password=False)
        stage.open({"DATABASE_URL": database}, by_socket, slack_pace)
        try:
            yield stage
        finally:
            stage.close()
