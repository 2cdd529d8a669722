"""What docs/mandates.md quotes is what people read, about the example: each sentence is said here, and compared."""

import html
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.config import Config, load_catalogue
from bot.entrypoints import perform
from bot.errors import Refused
from bot.services.desk import Actor, Desk
from bot.services.leave import answering, approvals, contracts, glass
from bot.services.leave.mandates import Wish
from bot.services.leave.signing import plain_times
from bot.services.run import runs
from bot.store import alerts
from bot.store import runs as rows
from bot.store.alerts import Alert
from bot.store.cards import post
from bot.store.db import create_engine
from bot.store.journal import journal
from runbooks.model import Approve
from tests.config_stage import actions, example
from tests.fakes import ManualClock
from tests.pages import read, table
from tests.powers import CLAUSE, DAY, EVE, NIGHT, agreed, asking, shop_at, until_asked, written
from tests.story import ALICE, CONFIG, INES, LEA, PAUL, T0, arrive, desk_on, signal
from tests.workshop import Workshop, runbook

PAGE = "docs/mandates.md"
KINDS = (
    "mandate confirmed", "mandate withdrawn", "run started", "approval asked", "approval signed", "approval rejected",
    "approval revoked", "approval expired", "glass broken", "glass reviewed",
)
WHY = "pay-api leaks, nobody of Bridge is awake"


def actor(key: str) -> Actor:
    person = example().people[key]
    return Actor(key, person.name, person.organisation, frozenset(person.roles), person.slack, "slack C0ALERTS01")


def plain(said: str) -> str:
    """As Slack shows it, in one line, whatever version the mandate has."""
    names = {each.slack: each.name for each in example().people.values()}
    text = html.unescape(re.sub(r"<@(\w+)>", lambda found: f"@{names[found[1]]}", plain_times(said)))
    return " ".join(re.sub(r"version [0-9a-f]{12}", "version …", text).split())


def quoted() -> list[str]:
    """Each quotation of the page, and each answer of its table of refusals."""
    found = re.findall(r"(?:^ *> .*\n)+", read(PAGE), re.MULTILINE)
    return [plain(re.sub(r"^ *> ", "", each, flags=re.MULTILINE)) for each in found] + [
        plain(row[1]) for row in table(PAGE, "asked for")]


# --- the night in which all of it is said -------------------------------------------------------------------------------------


class Night:
    """The example at 02:14 UTC, with the shipped runbooks; remembers each sentence that somebody reads."""

    def __init__(self, engine: sa.Engine) -> None:
        self.clock = ManualClock(NIGHT)
        bare = desk_on(engine, self.clock, config=example())
        self.desk = replace(bare, catalogue=load_catalogue(None, example(), actions()))
        self.said: list[str] = []
        alarms = (("pay-db-connections", "pay-db", "high"), ("batch-worker-queue-age", "batch-worker", "high"),
                  ("edge-requests", "edge", "warning"), ("pay-api-latency-p95", "pay-api", "high"))
        for name, service, severity in alarms:
            at = (self.clock.now() - T0).total_seconds()
            arrive(self.desk, signal("firing", at, key=name, name=name, title=name, service=service, severity=severity))

    def alert(self, number: int) -> Alert:
        with self.desk.read() as connection:
            found = alerts.by_id(connection, number)
        assert found is not None
        return found

    def hear(self, act: Callable[..., Any], *given: Any) -> Any:
        """What it answers, or why it is refused."""
        try:
            answer = act(*given)
        except Refused as refusal:
            answer = str(refusal)
        if isinstance(answer, str):
            self.said.append(plain(answer))
        return answer

    def run(self, runbook: str, who: str | Actor, number: int, desk: Desk | None = None, **given: str) -> Any:
        book = self.desk.catalogue.runbook(runbook)
        assert book is not None
        asker = who if isinstance(who, Actor) else actor(who)
        return self.hear(runs.start, desk or self.desk, Wish(book, asker, self.alert(number), given))

    def broken(self, runbook: str, who: str, why: str = WHY, **given: str) -> Any:
        book = self.desk.catalogue.runbook(runbook)
        assert book is not None
        return self.hear(glass.break_glass, self.desk, Wish(book, actor(who), self.alert(4), given), actor(who), why)

    def notices(self) -> None:
        with self.desk.read() as connection:
            self.said += [plain(each or "") for each in connection.execute(sa.select(post.c.body)).scalars()]


def without_standing() -> Config:
    """The example whose §2 has no approval that was given beforehand."""
    nights = example().mandates["nights"]
    clauses = tuple(
        each.model_copy(update={"second": each.second.model_copy(update={"standing": None})}) if each.second else each
        for each in nights.clauses
    )
    return example().model_copy(update={"mandates": {"nights": nights.model_copy(update={"clauses": clauses})}})


def agree(night: Night, desk: Desk) -> None:
    for lead in ("ines", "paul"):
        night.hear(contracts.confirm, desk, "nights", actor(lead))


def refusals(night: Night) -> None:
    night.run("bank-api-down", "lea", 4)
    night.run("right-size-cluster", "lea", 4, desired="2")
    night.run("ddos-edge", "lea", 3, distribution="E2QWRUHAPOMQZL")
    night.run("queue-backlog", "marie", 2)
    night.run("queue-backlog", EVE, 2)
    night.clock.advance(8 * 3_600)
    night.run("queue-backlog", "lea", 2)
    night.clock.advance(-8 * 3_600)


def breaking(night: Night) -> None:
    night.broken("isolate-instance", "lea", "short", instance="i-0123456789abcdef0")
    night.broken("isolate-instance", "alice", instance="i-0123456789abcdef0")
    night.broken("unhealthy-target", "lea")
    night.run("queue-backlog", "lea", 2)
    run = night.broken("isolate-instance", "lea", instance="i-0123456789abcdef0")
    night.hear(glass.review, night.desk, run.id, actor("ines"), "it was right to do so")
    with night.desk.begin("test") as connection:
        rows.change(connection, run.id, rows.UNDER_WAY, state=rows.CANCELLED)
    night.hear(glass.review, night.desk, run.id, actor("paul"), "right")
    night.hear(glass.review, night.desk, run.id, actor("paul"), "it was right to do so")
    night.notices()


def changing(night: Night) -> None:
    changed = replace(night.desk, config=without_standing())
    night.run("rds-failover", "lea", 1, changed)
    agree(night, changed)
    night.run("rds-failover", "ines", 1, changed)
    night.hear(contracts.withdraw, changed, "nights", actor("ines"))


def answers(engine: sa.Engine) -> Iterator[str]:
    """What is said about questions that wait for a yes."""
    shop = shop_at(engine, DAY, CONFIG, asking(), asking(name="patient", approve={"expires": "1d"}), confirm=False)
    first = shop.start(ALICE)
    until_asked(shop, first)
    yield refused(answering.approve, shop, first.id, ALICE)
    shop.clock.advance(15 * 60)
    yield shop.carry_on(first).said or ""
    second = shop.start(ALICE, "patient")
    until_asked(shop, second)
    shop.clock.instant = NIGHT + timedelta(days=1)
    yield refused(answering.approve, shop, second.id, PAUL)


def refused(act: Callable[..., Any], shop: Workshop, run_id: int, who: Actor) -> str:
    with pytest.raises(Refused) as caught:
        act(shop.desk, run_id, who)
    return str(caught.value)


@pytest.fixture
def second_engine(sqlite_template: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    made = create_engine(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'second.db')}")
    yield made
    made.dispose()


def test_each_sentence_of_the_page_is_one_that_people_read(sqlite_engine: sa.Engine, second_engine: sa.Engine) -> None:
    night = Night(sqlite_engine)
    agree(night, night.desk)
    night.hear(contracts.overview, night.desk, actor("ines"))
    refusals(night)
    breaking(night)
    changing(night)
    said = [*night.said, *map(plain, answers(second_engine))]
    missing = [each for each in quoted() if not any(each in one for one in said)]
    assert len(quoted()) > 20 and missing == [], "\n".join(said)


# --- the journal ---------------------------------------------------------------------------------------------------------------


def lines_of_the_journal(engine: sa.Engine) -> dict[str, set[str]]:
    """The details of each kind of entry, once everything has happened to a run within a mandate."""
    beforehand = {"organisation": "bridge", "standing": {"by": "paul", "until": "2026-12-31"}}
    config = agreed({**CLAUSE, "second": beforehand}, {**CLAUSE, "name": "§2 by day", "runbooks": "asked"})
    shop = shop_at(engine, NIGHT, config, runbook(), asking(name="asked"), runbook(name="other"))
    shop.carry_on(shop.start(LEA))                                      # the standing approval
    for answer in (answering.approve, rejected, revoked, None):
        run = shop.start(LEA, "asked")
        until_asked(shop, run)
        if answer:
            answer(shop.desk, run.id, INES)
        shop.clock.advance(20 * 60)
        shop.carry_on(run)
    book = shop.desk.catalogue.runbook("other")
    assert book is not None
    run = glass.break_glass(shop.desk, Wish(book, LEA), LEA, WHY)
    runs.cancel(shop.desk, run, LEA)
    shop.carry_on(run)
    glass.review(shop.desk, run.id, PAUL, "it was right to do so")
    contracts.withdraw(shop.desk, "nights", PAUL)
    return {kind: {name for each in written(shop, kind) for name in each} for kind in KINDS}


def rejected(desk: Desk, run_id: int, who: Actor) -> None:
    answering.reject(desk, run_id, who, "wait for the morning")


def revoked(desk: Desk, run_id: int, who: Actor) -> None:
    answering.approve(desk, run_id, who)
    answering.revoke(desk, run_id, who)


def test_the_journal_has_the_lines_and_the_details_that_the_page_promises(sqlite_engine: sa.Engine) -> None:
    written_down = lines_of_the_journal(sqlite_engine)
    perform.perform(desk_on(sqlite_engine), {}, perform.Saying("T0", "U0", "slack C0ALERTS01", ("ack", "1"), "1", "mention"))
    with sqlite_engine.connect() as connection:
        written_down |= {kind: {*json.loads(details)} for kind, details in connection.execute(
            sa.select(journal.c.kind, journal.c.details).where(journal.c.kind == perform.REFUSED_KIND))}
    promised = {
        kind: set(re.findall(r"`(\w+)`", row[1]))
        for row in table(PAGE, "kind") for kind in re.findall(r"`([^`]+)`", row[0])
    }
    assert set(promised) == set(written_down)
    for kind, details in promised.items():
        assert details <= written_down[kind], f"{kind}: {details - written_down[kind]}"


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    text = " ".join(read(PAGE).split())
    assert approvals.PATIENCE == Approve().expires == timedelta(minutes=15) and "**For a while**: 15 minutes" in text
    blackout = example().organisations["bridge"].blackout
    assert f"sleeps from {blackout[:5]} to {blackout[6:]}" in text if blackout else False
