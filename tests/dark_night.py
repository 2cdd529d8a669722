"""A night of accidents from one seed, over all that Vigie says and does by itself; a Slack that knows who must sleep."""

import asyncio
import json
import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

import commands
from bot.config import Config
from bot.discover import discover
from bot.entrypoints.perform import Saying, perform
from bot.entrypoints.wording import words
from bot.services.alert import automation, due, morning
from bot.services.call import escalation, silences
from bot.services.call.media import Ringing
from bot.services.desk import Desk
from bot.services.handoff import ticking
from bot.services.rota import usergroup
from bot.services.shift import daily
from bot.services.slack import cards as drawings
from bot.services.slack.courier import Courier
from bot.store import cards, deferrals, journal, rungs
from bot.store import runs as rows
from bot.store.deferrals import Deferred
from commands import Command
from tests.config_stage import example
from tests.fakes import CountingIds, FakeSlack, ManualClock
from tests.story import T0, arrive, signal
from tests.virtual import SameThread
from tests.workshop import Workshop, runbook, workshop

PARIS = ZoneInfo("Europe/Paris")
FAMILY = discover(commands, Command)
book = journal.journal.c
GROUP = "S0ASTREINT"
GLASS = "glass:call:"
EIGHT = 8
SERVICES = ("pay-api", "pay-db", "ledger", "edge")
SEVERITIES = ("critical", "high", "warning")

NAMES = (
    "@alice", "<@U0ALICE001>", "<@U0ALICE001|al>", "@bruno", "<@U0PAUL0001>", "@marie", "@omar", "<@U0LEA00001>", "ines",
    "<!here>", "<!channel|channel>", f"<!subteam^{GROUP}>", "@everyone", "me",
)
LINES = (
    "ack {n} {who}", "assign {n} {who}", "assign {n} @alice {who}", "assign {n} @bruno", "assign {n} @paul now",
    "escalate {n} {who} <!channel>",
    "note {n} {who} <!here>", "snooze {n} 20m {who}", "close {n} {who} said so", "show {n}", "status", "why {n}", "oncall",
    "oncall {who}", "silence pay-api 1h {who} asked", "away {who} tomorrow", "away sick", "shift", "swap 1 {who}", "swap take 1",
    "override platform primary today tomorrow {who} because", "handoff", "handoff note {who} watch it", "handoff accept",
    "handoff query {who} what of it", "break-glass {n} smaller {who} must look at it now size=4", "run {n} smaller size=5",
    "approve run1", "reject run1 {who}", "promote smaller", "mandate", "help", "{who}",
)
BUTTONS = ("ack", "escalate", "assign", "snooze", "close", "why", "run", "show")


def config() -> Config:
    """The example with a user group, and a telephone for everybody."""
    told = example().model_dump()
    told["people"] = {key: {**each, "contacts": [f"VIGIE_CONTACT_{key.upper()}"]} for key, each in told["people"].items()}
    told["coverages"]["platform"]["user_group"] = GROUP
    return Config.model_validate(told)


CONFIG = config()
SLACK_IDS = {person.slack: key for key, person in CONFIG.people.items()}
BRIDGE = {person.slack for person in CONFIG.people.values() if person.organisation == "bridge"}


def sleeps(slack: str, at: datetime) -> bool:
    """Worked out once more, and otherwise: Bridge's people sleep until eight by the clocks of Paris."""
    return slack in BRIDGE and at.astimezone(PARIS).hour < EIGHT


def calls_in(message: Any) -> Iterator[str]:
    """Whom a message would call, however it is nested."""
    text = json.dumps(message, ensure_ascii=False)
    yield from re.findall(r"<@([A-Z0-9]+)", text)
    yield from re.findall(r'"user_id": ?"([A-Z0-9]+)"', text)
    yield from re.findall(r"<!(here|channel|everyone|subteam\^[A-Z0-9]+)", text)
    yield from re.findall(r'"type": ?"(broadcast|usergroup)"', text)


class WatchedSlack(FakeSlack):
    """Remembers each message that reached somebody who sleeps."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self.clock = clock
        self.woken: list[str] = []
        self.directs: list[tuple[str, datetime, str]] = []
        self.group: list[str] = [CONFIG.people["omar"].slack]
        self.through_glass = 0

    async def post(self, channel, drawing, key, thread):
        self.look(key, channel, {"text": drawing.text, "blocks": drawing.blocks})
        ts = await super().post(channel, drawing, key, thread)
        if channel.startswith("U"):
            self.directs.append((SLACK_IDS[channel], self.clock.now(), drawing.text))
        return ts

    async def update(self, channel, ts, drawing):
        self.look(f"update {ts}", channel, {"text": drawing.text, "blocks": drawing.blocks})
        await super().update(channel, ts, drawing)

    async def group_members(self, group: str) -> list[str]:
        return self.group

    async def set_group_members(self, group: str, users: list[str]) -> None:
        self.group = users

    def shown_cards(self) -> list[str]:
        return [each["key"] for each in self.messages.values() if each["key"].startswith("card:")]

    def look(self, key: str, channel: str, message: Any) -> None:
        now = self.clock.now()
        if sleeps(channel, now):
            if key.startswith(GLASS) and channel == CONFIG.people["paul"].slack:
                self.through_glass += 1
            else:
                self.woken.append(f"{now} {key}: a direct message to {channel}")
        for each in calls_in(message):
            if sleeps(each, now) or (each not in SLACK_IDS and not (each.startswith("subteam") and not self.is_dark())):
                self.woken.append(f"{now} {key}: calls {each} in {json.dumps(message, ensure_ascii=False)[:400]}")

    def is_dark(self) -> bool:
        return any(sleeps(each, self.clock.now()) for each in BRIDGE)

    def look_at_group(self) -> None:
        now = self.clock.now()
        self.woken += [f"{now}: {each} is in the group" for each in self.group if sleeps(each, now)]


class WatchedPhones:
    """Rings, and remembers whom it woke."""

    def __init__(self, slack: WatchedSlack) -> None:
        self.slack, self.rung = slack, 0

    def ring(self, address: str, title: str, text: str) -> None:
        person = CONFIG.people[address.removeprefix("sms://VIGIE_CONTACT_").lower()]
        self.rung += 1
        if sleeps(person.slack, self.slack.clock.now()):
            self.slack.woken.append(f"{self.slack.clock.now()}: the phone of {person.name} rings: {text}")


class DarkNight:
    """What happens from `evening` until people are up again."""

    def __init__(self, engine: sa.Engine, seed: int, evening: datetime) -> None:
        self.rng, self.clock = random.Random(seed), ManualClock(evening)
        self.slack = WatchedSlack(self.clock)
        desk = Desk(engine, CONFIG, self.clock, CountingIds(), self.dawdle)
        self.shop: Workshop = workshop(desk, runbook())
        self.desk = self.shop.desk
        self.courier = Courier(self.desk, self.slack, partial(drawings.draw, self.desk), pace=0)
        self.keeper = usergroup.Keeper(self.desk, self.slack)
        self.phones = WatchedPhones(self.slack)
        self.ringing = Ringing(self.desk, lambda name: f"sms://{name}", self.phones)
        self.loop = asyncio.new_event_loop()
        self.loop.set_default_executor(SameThread(1))
        self.said: list[str] = []
        self.number = 0

    def dawdle(self, point: str) -> None:
        """Slack's answer takes a while."""
        if point == "post: before send":
            self.clock.advance(self.rng.choice((0, 0, 0, 4, 9)))

    def live(self, until: datetime, happens: bool = True) -> None:
        """Slowly where a blackout begins and ends; no longer than until somebody is woken."""
        while self.clock.now() < until and not self.slack.woken:
            here = self.clock.now().astimezone(PARIS)
            boundary = here.hour in (EIGHT - 1, 23) and here.minute >= 57
            self.clock.advance(self.rng.choice((5, 20, 60, 120) if boundary else (300, 900, 1500, 2400)))
            for _ in range(self.rng.choice((1, 2, 3, 5)) if happens else 0):
                self.rng.choice((self.alarm, self.somebody, self.somebody, self.somebody, self.post))()
            self.tick()

    def close(self) -> None:
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    # --- what time does ---

    def tick(self) -> None:
        doors: list[Callable[[Desk], Any]] = [due.act, automation.act, silences.act, escalation.act, ticking.act, morning.tell]
        if self.rng.random() < 0.1:
            doors += daily.ACTS.values()
        for door in doors:
            door(self.desk)
        self.ringing.act()
        self.ringing.rest()
        self.work()
        self.loop.run_until_complete(self.keeper.keep())
        self.slack.look_at_group()
        self.deliver()

    def work(self) -> None:
        with self.desk.read() as connection:
            under_way = [each for each in rows.find(connection) if each.state in rows.UNDER_WAY]
        for each in under_way:
            self.shop.execution.move(each.id)

    def deliver(self) -> None:
        with self.desk.read() as connection:
            channels = cards.due_channels(connection, self.clock.now())
        for channel in channels:
            for _ in range(300):
                if self.loop.run_until_complete(self.courier.deliver_next(channel)) is None:
                    break

    # --- what happens ---

    def alarm(self) -> None:
        service = self.rng.choice(SERVICES)
        state = self.rng.choice(("firing", "firing", "recovered"))
        at = (self.clock.now() - T0).total_seconds()
        arrive(self.desk, signal(
            state, at, key=f"{service}/{self.rng.randint(1, 3)}", name=f"{service}-5xx", severity=self.rng.choice(SEVERITIES),
            title=f"{self.rng.choice(NAMES)} 5xx above 5 %", summary=f"{self.rng.choice(NAMES)} look",
        ))

    def somebody(self) -> None:
        """Says anything, in any way, about anything."""
        person = self.rng.choice(list(CONFIG.people.values()))
        who, n = self.rng.choice(NAMES), self.rng.randint(1, max(1, len(self.slack.shown_cards())))
        if self.rng.random() < 0.3:
            saying = Saying(CONFIG.workspace, person.slack, "slack C0ALERTS01", (self.rng.choice(BUTTONS),), str(n), "button")
        else:
            line = self.rng.choice(LINES).format(n=n, who=who)
            way = self.rng.choice(("line", "line", "form", "mention"))
            saying = Saying(CONFIG.workspace, person.slack, "slack C0ALERTS01", words(line, CONFIG), None, way)
        reply = perform(self.desk, FAMILY, saying)
        self.said.append(f"{self.clock.now():%H:%M:%S} {person.name}: {' '.join(saying.words)} → {reply.text[:100]}")
        if list(calls_in(reply.text)):
            self.slack.woken.append(f"an answer calls: {reply.text}")

    def post(self) -> None:
        """Something is to be said by whichever part of Vigie, to whomever; perhaps only later."""
        self.number += 1
        now, who = self.clock.now(), self.rng.choice(list(CONFIG.people.values()))
        body = f"{self.rng.choice(NAMES)} <@{who.slack}> and <!subteam^{GROUP}|astreinte>, <!here> look"
        later = now + timedelta(minutes=self.rng.choice((0, 0, 30, 240)))
        channel = self.rng.choice(list(CONFIG.channels.values()))
        with self.desk.begin("test") as connection:
            if self.rng.random() < 0.5:
                cards.add_notice(connection, f"notice:{self.number}", channel, body, now, later)
            else:
                cards.add_direct(connection, f"direct:{self.number}", who.slack, body, now, later)

    # --- what must be true ---

    def woken(self) -> list[str]:
        """Every way in which somebody was reached in their blackout."""
        with self.desk.read() as connection:
            told = connection.execute(sa.select(book.at, book.actor, book.details).where(book.kind == "alert assigned")).all()
        given = [(at, actor, json.loads(details)["to"]) for at, actor, details in told]
        return [*self.slack.woken, *(
            f"{at}: {actor} gave an alert to {to}" for at, actor, to in given
            if actor != to and sleeps(CONFIG.people[to].slack, at)
        )]

    def kept(self) -> list[Deferred]:
        with self.desk.read() as connection:
            found = connection.execute(sa.select(deferrals.deferred).order_by(deferrals.deferred.c.id))
            return [Deferred(**row._mapping) for row in found]

    def lost(self) -> Iterator[str]:
        """What was held back and never told."""
        waiting = self.unsent()
        yield from (f"still waits: {each}" for each in waiting)
        for each in self.kept():
            mine = [text for person, at, text in self.slack.directs if person == each.person and at >= each.deferred_until]
            if each.told_at is None:
                yield f"never told: {each}"
            elif each.kind != deferrals.ASSIGNMENT and each.alert_id and not any(f"#{each.alert_id} " in text for text in mine):
                yield f"not in what {each.person} was told: {each}"
            elif not mine and each.kind != deferrals.ASSIGNMENT:
                yield f"{each.person} was told nothing: {each}"

    def unsent(self) -> list[str]:
        with self.desk.read() as connection:
            query = sa.select(cards.post.c.key).where(cards.post.c.due_at <= self.clock.now())
            return list(connection.execute(query).scalars())


def dark_night(engine: sa.Engine, seed: int, day: datetime) -> DarkNight:
    """From half past ten of the evening to a quarter past eight of that day in Paris, and peace for a while."""
    eight = day.replace(hour=EIGHT, minute=15, tzinfo=PARIS).astimezone(UTC)
    night = DarkNight(engine, seed, (day - timedelta(hours=1, minutes=30)).replace(tzinfo=PARIS).astimezone(UTC))
    with night.desk.begin("test") as connection:
        rungs.put(connection, "smaller", "manual", night.clock.now(), "paul", "ines")
    try:
        night.live(eight)
        night.live(eight + timedelta(minutes=10), happens=False)
    finally:
        night.close()
    return night
