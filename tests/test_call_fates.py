"""Whatever people do and whenever Vigie dies: nobody's important alert has a next call, nobody asleep is called, nobody twice."""

import json
import random
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.errors import Refused
from bot.services.alert import response
from bot.services.call import auditor, need, silences
from bot.services.desk import Actor
from bot.services.leave import duty
from bot.store import alerts, escalations, shifts
from bot.store.pages import RUNNING
from tests.call_stage import UNKNOWN, Calls, calls
from tests.fakes import KillAt, Killed
from tests.story import T0

DEEDS = 22
SERVICES = ("pay-api", "ledger")


def people(night: Calls) -> list[Actor]:
    known = night.night.desk.config.people
    return [Actor(key, each.name, each.organisation, frozenset(each.roles), each.slack) for key, each in known.items()]


def awake(night: Calls, rng: random.Random) -> Actor:
    now, config = night.night.clock.now(), night.night.desk.config
    return rng.choice([each for each in people(night) if duty.asleep(config, each.key, now) is None])


def deed(night: Calls, rng: random.Random) -> None:
    """Somebody does something, or an observer speaks."""
    desk, who = night.night.desk, awake(night, rng)
    number = rng.randint(1, 2)
    match rng.choice(("fire", "recover", "ack", "ack", "note", "close", "snooze", "silence", "agree", "end", "away")):
        case "fire" | "recover" as state:
            words = "firing" if state == "fire" else "recovered"
            service = rng.choice(SERVICES)
            night.night.tell(words, **{**UNKNOWN, "key": service, "service": service})
        case "ack":
            response.ack(desk, night.night.alert(number), who)
        case "note":
            response.note(desk, night.night.alert(number), who, "looking")
        case "close":
            response.close(desk, night.night.alert(number), who, "enough")
        case "snooze":
            response.snooze(desk, night.night.alert(number), who, timedelta(minutes=rng.randint(5, 60)))
        case "silence":
            silences.start(desk, rng.choice(SERVICES), timedelta(minutes=rng.randint(10, 90)), "because", who)
        case "agree":
            silences.agree(desk, 1, who)
        case "end":
            silences.end(desk, 1, who)
        case "away":
            with desk.begin("test") as connection:
                connection.execute(shifts.absence.insert().values(
                    person=who.key, organisation=who.organisation, start=desk.clock.now(), said_by=who.key,
                    said_at=desk.clock.now(), end=desk.clock.now() + timedelta(hours=rng.randint(1, 9)),
                ))


def tick(night: Calls, rng: random.Random) -> None:
    """Time passes; sometimes the process dies at any point of what it does, and another goes on."""
    night.night.clock.advance(rng.choice((30, 60, 300, 900, 3_000)))
    if rng.random() < 0.4:
        mortal = Calls(replace(night.night, shop=replace(
            night.night.shop, desk=replace(night.night.desk, kill=KillAt(None, rng.randint(1, 12))))))
        with suppress(Killed):
            mortal.tick()
    night.tick()


def check(night: Calls) -> None:
    config, now = night.night.desk.config, night.night.clock.now()
    with night.night.desk.read() as connection:
        for group in {each.group_id for each in alerts.open_ones(connection) if each.important}:
            members = alerts.of_group(connection, group)
            if need.of_group(config, connection, members, "trouble", now, now).what == "wanted":
                going = [each for each in escalations.of_group(connection, group) if each.state == RUNNING]
                assert any(each.due_at and each.due_at > now for each in going), f"group {group} was forgotten"
        tries = escalations.attempts(connection, most=5_000)
    for each in tries:
        assert duty.asleep(config, each.person, each.at) is None, f"{each.person} was called in their sleep"
    assert set(Counter((each.escalation_id, each.level, each.person, each.medium) for each in tries
                       if each.medium != "contact" and "reminder" not in each.key).values()) <= {1}
    for post in night.night.posts("page"):
        for name in json.loads(post.body or "{}")["people"]:
            assert duty.asleep(config, name, post.first_due_at) is None


@pytest.mark.parametrize("seed", range(4))
def test_no_fate_leaves_an_important_alert_without_a_next_call(sqlite_engine: sa.Engine, seed: int) -> None:
    rng = random.Random(seed)
    night = calls(sqlite_engine, at=T0 + timedelta(days=1, hours=rng.choice((-4, 0, 4, 12, 19))))
    night.alarm(key="pay-api")
    night.alarm(key="ledger", service="ledger")
    for _ in range(DEEDS):
        with suppress(Refused):
            deed(night, rng)
        tick(night, rng)
        check(night)
    assert auditor.audit(night.night.desk) == []
