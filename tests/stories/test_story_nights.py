"""A week of nights over each clock change: whose turn it is, what is handed over, who is called, and who is left to sleep."""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import uvicorn

from bot.config import load_config
from bot.demo import contacts, demo_secrets
from bot.demo.stories import Story
from bot.demo.timeline import Timeline
from bot.doubles.weeks import FRI, MON, RETURNS, SAT, SUN, THU, TUE, WED
from bot.services.ledger import audit
from bot.services.rota import planning, roster
from bot.store import handoffs, journal, shifts
from bot.store.db import create_engine, reader
from bot.store.handoffs import Handoff
from tests.dark_night import BRIDGE, SLACK_IDS, calls_in, sleeps
from tests.stage import EXAMPLE

PARIS = ZoneInfo("Europe/Paris")
SPOKEN = ("chat.postMessage", "chat.update")


class Played:
    """A week that was played to its end, and what it left in the rows, in Slack and on the telephones."""

    def __init__(self, name: str, folder: Path) -> None:
        self.folder, self.lines, self.returns = folder, list[str](), RETURNS[name]
        self.heard: list[tuple[datetime, str, Any]] = []
        asyncio.run(self._play(name))
        self.engine = create_engine(f"sqlite:///{folder / 'vigie.db'}")

    async def _play(self, name: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            config = load_config(EXAMPLE)
            environ = {
                "DATABASE_URL": f"sqlite:///{self.folder / 'vigie.db'}", "VIGIE_CONFIG": str(EXAMPLE), **demo_secrets(config),
                **contacts(config, port),
            }
            self.story = Story(name, f"http://127.0.0.1:{port}", environ)
            options = uvicorn.Config(self.story.asgi, log_config=None, lifespan="off", timeout_graceful_shutdown=2)
            serving = uvicorn.Server(options)
            served = asyncio.create_task(serving.serve([listening]))
            while not serving.started:  # noqa: ASYNC110  uvicorn tells it in no other way
                await asyncio.sleep(0.01)
            timeline = Timeline(config, self.story.workspace, self._say)
            try:
                await self.story.player.play(lambda: self._look(timeline))
            finally:
                await self.story.workspace.close()
                serving.should_exit = True
                await served
                await self.story.player.stop()

    def _say(self, line: str) -> None:
        self.lines.append(line)
        print(line)

    def _look(self, timeline: Timeline) -> None:
        timeline.look(self.story.player.app, self.story.clock.now())
        log = self.story.workspace.log
        self.heard += [(each.at, each.method, each.args) for each in log if each.status == 200 and each.error is None]
        log.clear()

    def at(self, day: int, clock: str) -> datetime:
        return self.story.player.when(day, clock)

    def local(self, at: datetime) -> str:
        """2 08:20: so many days after the first Monday, by the clocks of Paris."""
        here = at.astimezone(PARIS)
        return f"{(here.date() - self.story.player.monday).days} {here:%H:%M}"

    def entries(self, kind: str) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
        """When, who, about what, and the details."""
        with reader(self.engine) as connection:
            found = [each for each in journal.all_entries(connection) if each.kind == kind]
        return ((self.local(each.at), each.actor, each.object, json.loads(each.details)) for each in found)

    def handoffs(self) -> dict[tuple[int, str], Handoff]:
        """Those of the week, by the day and time at which the duty passed."""
        with reader(self.engine) as connection:
            every = handoffs.since(connection, "platform", self.story.player.start)
        found = {self.local(each.boundary): each for each in every if each.boundary <= self.story.player.end}
        return {(int(when.split()[0]), when.split()[1]): each for when, each in found.items()}

    def directs(self, person: str) -> list[tuple[str, str]]:
        """What a person was told directly."""
        place = next(each for each in self.story.workspace.state.conversations.values() if each.with_person == person)
        public = [each for each in place.by_ts.values() if each.by_app and each.ephemeral_for is None]
        return [(self.local(datetime.fromtimestamp(float(each.ts), PARIS)), each.text) for each in public]


@pytest.mark.parametrize("name", ["autumn", "spring"])
def test_a_week_of_nights_is_played_over_a_clock_change(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    played = Played(name, tmp_path)
    assert played.story.player.lost == []
    each_passing_has_one_handoff(played)
    every_minute_is_somebodys(played)
    nobody_was_woken(played)
    everything_was_said_once(played)
    the_right_people_were_called(played)
    what_was_held_back_is_told_at_eight(played)
    work_on_call_is_counted_in_real_minutes(played)
    the_journal_verifies(played)
    the_timeline_is_printed(played, capsys.readouterr().out)


ACCEPTED = {
    (MON, "08:00"): "alice", (TUE, "00:00"): "lea", (TUE, "08:00"): "alice", (WED, "00:00"): "lea", (WED, "08:00"): "alice",
    (THU, "00:00"): "lea", (THU, "08:00"): "alice", (FRI, "00:00"): "omar", (FRI, "08:00"): "alice", (SAT, "00:00"): "omar",
    (SAT, "08:00"): "alice", (SUN, "00:00"): "lea",
}


def each_passing_has_one_handoff(played: Played) -> None:
    found = played.handoffs()
    assert {when: each.accepted_by for when, each in found.items()} == ACCEPTED | {(played.returns, "08:00"): "bruno"}
    assert {each.state for each in found.values()} == {"accepted"} and all(each.digest for each in found.values())
    pairs = planning.passings(played.story.config, "platform", played.story.player.start, played.story.player.end)
    assert len(pairs) == len(found) == len(list(played.entries("duty passed")))
    assert [when for when, each in found.items() if each.missed_reason] == [(WED, "08:00")]
    assert [when for when, *_ in played.entries("handoff missed")] == ["2 08:15"]
    assert "Merchants reject our webhooks" in (found[(WED, "00:00")].synthesis or "")
    # down at the boundary: it passes as soon as the bot is there again, and is for the same instant
    passed = [when for when, *_ in played.entries("duty passed")]
    assert {"5 00:00", f"{played.returns} 08:00"} <= set(passed)


def every_minute_is_somebodys(played: Played) -> None:
    start, end = played.story.player.start, played.story.player.end
    with reader(played.engine) as connection:
        slots = roster.slots(connection, played.story.config, "platform", start, end)
    covered = start
    for each in (one for one in slots if one.role == "primary"):
        assert each.start == covered and each.person, each
        covered = each.end
    assert covered == end
    longer = 1 if played.story.player.monday == date(2026, 10, 19) else -1
    whole = timedelta(days=played.returns, hours=12 + longer)
    assert end - start == whole
    assert [(when, each["gap"], each["team"]) for when, _, _, each in played.entries("coverage gap found")] == [
        ("3 23:30", "too_few", "padok-nights")]
    assert [when for when, *_ in played.entries("coverage gap ended")] == ["3 23:36"]
    assert any(when == "3 23:30" and "Léa cannot take primary" in said for when, said in played.directs("U0INES0001"))


def nobody_was_woken(played: Played) -> None:
    """By the judge of the dark nights: no mention, direct message or ring for whoever sleeps."""
    for at, method, args in played.heard:
        if method in SPOKEN:
            woken = [each for each in calls_in({"text": args.get("text"), "blocks": args.get("blocks")}) if sleeps(each, at)]
            assert woken == [], (at, args)
        if method == "chat.postMessage":
            assert not sleeps(str(args.get("channel")), at), (at, args)
        assert method != "usergroups.users.update" or not BRIDGE & set(str(args.get("users")).split(",")), (at, args)
    slack = {key: each for each, key in SLACK_IDS.items()}
    assert [each for each in played.story.phones.rings if sleeps(slack[each.person], each.at)] == []
    assert played.story.phones.rings


def everything_was_said_once(played: Played) -> None:
    keys = Counter(_key(args) for _, method, args in played.heard if method == "chat.postMessage" and _key(args))
    assert [each for each, times in keys.items() if times > 1] == []
    assert {each.split(":")[0] for each in keys} >= {"tell", "remind", "page", "handoff", "card"}
    for person in SLACK_IDS:
        told = Counter(each for each in played.directs(person))
        assert [each for each, times in told.items() if times > 1] == []


def _key(args: Any) -> str:
    given = args.get("metadata") or {}
    told = json.loads(given) if isinstance(given, str) else given
    return str((told.get("event_payload") or {}).get("key") or "")


def the_right_people_were_called(played: Played) -> None:
    called = [(when, each["who"], each["role"]) for when, _, _, each in played.entries("person called")]
    assert [each for each in called if each[0] < "2 00:00"] == [("1 23:50", "alice", "primary")]
    night = [each for each in called if "2 00:00" <= each[0] < "2 08:00"]
    assert night == [("2 00:00", "lea", "primary"), ("2 00:00", "omar", "secondary")]
    morning = [each for each in called if "2 08:00" <= each[0] < "3 00:00"]
    assert morning == [("2 08:20", "alice", "primary"), ("2 08:20", "bruno", "secondary"), ("2 09:10", "alice", "primary")]
    assert [each for each in called if "5 00:00" <= each[0] < "6 00:00"] == [("5 04:00", "omar", "primary")]
    assert [each for each in called if each[0] >= "6 00:00"] == [("6 01:40", "lea", "primary")]
    assert [(when, each["why"]) for when, _, _, each in played.entries("call held back")] == [("5 02:00", "silence 1")]
    assert [when for when, *_ in played.entries("silence ended")] == ["5 04:00"]
    assert list(played.entries("owner reminded")) == []


def what_was_held_back_is_told_at_eight(played: Played) -> None:
    assert [(when, each["to"]) for when, _, _, each in played.entries("assignment put off")] == [("5 02:16", "alice")]
    told = [when for when, said in played.directs("U0ALICE001") if "expires in 6 days" in said and "blackout is over" in said]
    assert told == ["5 08:00"]


def work_on_call_is_counted_in_real_minutes(played: Played) -> None:
    with reader(played.engine) as connection:
        rows = connection.execute(sa.select(shifts.intervention).order_by(shifts.intervention.c.start)).all()
    nights = [each for each in rows if each.person == "lea" and each.start >= played.at(SUN, "01:00")]
    assert [(each.end - each.start) / timedelta(minutes=1) for each in nights] == [80]
    assert {actor for _, actor, _, _ in played.entries("intervention confirmed")} == {"alice", "omar", "lea"}
    given = {about for _, _, about, _ in played.entries("statement given")}
    assert {"person:lea", "person:omar", "person:alice"} <= given


def the_journal_verifies(played: Played) -> None:
    with reader(played.engine) as connection:
        verdict = audit.verify(connection, now=played.story.clock.now())
    assert verdict.ok and verdict.unsealed <= 1       # that it was stopped


def the_timeline_is_printed(played: Played, out: str) -> None:
    assert played.lines and all(each in out for each in played.lines)
    for words in (
        "— Vigie is stopped —", "DUTY PASSES: Alice → Léa (red)", "HANDOFF MISSED by Alice", "Léa is away until",
        "nobody is called about", "Omar takes it: swap 1", "statement of",
    ):
        assert words in out, words
    summer, winter = (any(f" {zone} " in each for each in played.lines) for zone in ("CEST", "CET"))
    assert summer and winter
