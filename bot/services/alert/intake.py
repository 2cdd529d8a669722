"""Signals become alerts: all that has arrived together is written in one transaction, and answered only after its commit."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from bot.errors import Unavailable
from bot.services.alert import folding, grouping
from bot.services.alert.folding import Arrival, Episode
from bot.services.desk import OBSERVER, Actor, Desk
from bot.services.ledger import journal
from bot.store import batch
from bot.store.db import instant

log = structlog.get_logger()

MOST_AT_ONCE = 200
MOST_WAITING = 20_000
OLD_NEWS_HORIZON = timedelta(days=2)
COUNT_ONLY_DELAY = timedelta(seconds=30)

FULL = "intake is full: send it again in a few seconds"


class Raced(Exception):
    """Another process wrote one of our rows in this instant; the batch is simply done again."""


class Intake:
    """Commits all that has arrived since its last commit (group commit); one bad delivery cannot sink the others."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._waiting: list[tuple[list[Arrival], asyncio.Future[None]]] = []
        self._go = asyncio.Event()
        self._writer = ThreadPoolExecutor(1, "intake")
        self._closing = False

    @property
    def depth(self) -> int:
        """Deliveries that wait for their commit."""
        return len(self._waiting)

    async def take(self, given: list[Arrival]) -> None:
        """Returns after the commit; raises Unavailable when it cannot be taken now."""
        if self._closing or len(self._waiting) >= MOST_WAITING:
            raise Unavailable(FULL, retry_after=5)
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((given, done))
        self._go.set()
        await done

    async def run(self) -> None:
        """Writes until it is told to stop and nothing waits any more."""
        while not (self._closing and not self._waiting):
            await self._go.wait()
            self._go.clear()
            held, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            if self._waiting or self._closing:
                self._go.set()
            if held:
                await self._write(held)

    async def stop(self) -> None:
        """No more is taken; what waits is still written."""
        self._closing = True
        self._go.set()

    async def _write(self, held: list[tuple[list[Arrival], asyncio.Future[None]]]) -> None:
        loop = asyncio.get_running_loop()
        outcomes = await loop.run_in_executor(self._writer, self._attempt, [given for given, _ in held])
        for (_, done), outcome in zip(held, outcomes, strict=True):
            if done.done():
                continue
            if outcome is None:
                done.set_result(None)
            else:
                done.set_exception(outcome)

    def _attempt(self, held: list[list[Arrival]]) -> list[Exception | None]:
        try:
            take(self._desk, [each for given in held for each in given])
        except Exception as error:  # one of them is poison or the database is away: one by one, so that the rest is saved
            log.warning("intake batch failed, taking one by one", error=str(error), size=len(held))
            return [self._alone(given) for given in held]
        return [None] * len(held)

    def _alone(self, given: list[Arrival]) -> Exception | None:
        try:
            take(self._desk, given)
        except Exception as error:  # told to its own sender as 503: the delivery is unique, so sending again is safe
            log.error("delivery not taken", error=str(error), endpoint=given[0].endpoint if given else None)
            return Unavailable("the database did not take it", retry_after=10)
        return None


def take(desk: Desk, given: Sequence[Arrival]) -> None:
    """Writes a batch in one transaction; does it again when another process wrote the same rows in that instant."""
    for attempt in range(5):
        try:
            _take(desk, given)
            return
        except (Raced, sa.exc.OperationalError):
            if attempt == 4:
                raise


def _take(desk: Desk, given: Sequence[Arrival]) -> None:
    with desk.begin("intake") as connection:
        fresh = _fresh(connection, given)
        if not fresh:
            return
        episodes = _load(connection, sorted({each.fingerprint for each in fresh}))
        _fold_all(desk, connection, fresh, episodes)
        _store(connection, fresh, episodes)


def _fresh(connection: sa.Connection, given: Sequence[Arrival]) -> list[Arrival]:
    """Without those taken before, and without twins within the batch."""
    by_delivery = {each.delivery: each for each in reversed(given)}
    known = batch.known_deliveries(connection, sorted(by_delivery))
    return [each for each in given if each.delivery not in known and by_delivery[each.delivery] is each]


def _load(connection: sa.Connection, fingerprints: Sequence[str]) -> dict[str, Episode]:
    episodes = {}
    for row in batch.lock_open(connection, fingerprints):
        episodes[row.fingerprint] = Episode(
            row.fingerprint, row.channel, row.severity, bool(row.important), row.runbook, None, row.decision, row.fixed_by,
            row.id, row.group_id, row.state, row.signals, row.relapses, row.acked_by, _maybe(row.acked_at),
            _maybe(row.snoozed_until), _maybe(row.recovered_at), _maybe(row.due_at),
        )
    by_id = {each.id: each for each in episodes.values()}
    for row in batch.observations(connection, sorted(each.id for each in episodes.values() if each.id)):
        by_id[row.alert_id].observers[row.observer] = (row.state, instant(row.at))
    return episodes


def _maybe(value: Any) -> datetime | None:
    return None if value is None else instant(value)


def _fold_all(
    desk: Desk, connection: sa.Connection, fresh: Sequence[Arrival], episodes: dict[str, Episode]
) -> None:
    words = _last_words(connection, fresh, episodes)
    for arrival in fresh:
        episode, told = episodes.get(arrival.fingerprint), words[arrival.fingerprint]
        each = folding.as_known(episode, arrival)
        if episode is None:
            if folding.opens(each) and not folding.is_old_news(each, told):
                episode = episodes[each.fingerprint] = folding.begin(each)
                probation = desk.probation(episode.runbook)
                folding.fold(episode, each, probation)
                folding.late_recovery(episode, each, told, probation)
        elif folding.is_overtaken(episode, each, told):
            folding.count(episode, each)
        else:
            folding.fold(episode, each, desk.probation(episode.runbook))
        folding.remember(told, each)


def _last_words(
    connection: sa.Connection, fresh: Sequence[Arrival], episodes: Mapping[str, Episode]
) -> dict[str, dict[tuple[str, str], datetime]]:
    """What observers that are new to their alert said lately, by fingerprint, then by observer and state."""
    words: dict[str, dict[tuple[str, str], datetime]] = defaultdict(dict)
    unknown = sorted({each.fingerprint for each in fresh if folding.is_new_to(episodes.get(each.fingerprint), each)})
    if unknown:
        since = min(each.signal.at for each in fresh) - OLD_NEWS_HORIZON
        for row in batch.last_words(connection, unknown, since):
            words[row.fingerprint][row.observer, row.state] = instant(row.at)
    return words


def _store(connection: sa.Connection, fresh: Sequence[Arrival], episodes: Mapping[str, Episode]) -> None:
    # In one order, so that two processes that open the same alerts wait for each other and not both for ever.
    opened = sorted((each for each in episodes.values() if each.id is None), key=lambda each: each.fingerprint)
    if opened:
        _open(connection, opened)
    changed = [each for each in episodes.values() if each.opener is None and each.updated_at is not None]
    if changed:
        batch.change_alerts(connection, [folding.as_change(each) for each in changed])
    if undone := [each.undone for each in changed if each.undone is not None]:
        batch.mark_relapsed(connection, undone, max(each.received_at for each in fresh))
    observed = [_observation(each, who, word) for each in episodes.values() for who, word in each.observed.items()]
    if observed:
        batch.observe(connection, observed)
    if batch.add_signals(connection, [_signal(each, episodes) for each in fresh]) != len(fresh):
        raise Raced
    entries = [_entry(each, kind, word) for each in episodes.values() for kind, word in each.events]
    if entries:
        batch.add_entries(connection, entries)
    batch.bump_posts(connection, grouping.once([post for each in [*opened, *changed] for post in _posts(each)]))


def _open(connection: sa.Connection, opened: Sequence[Episode]) -> None:
    ids = batch.open_alerts(connection, [_alert(each) for each in opened])
    if len(ids) != len(opened):
        raise Raced
    for each in opened:
        each.id = each.group_id = ids[each.fingerprint]
    founders = grouping.founders(connection, opened)
    if founders and batch.open_groups(connection, [_group(each) for each in founders]) != len(founders):
        raise Raced


def _group(episode: Episode) -> dict[str, Any]:
    first = _first(episode)
    return {
        "id": episode.group_id, "service": first.service, "channel": episode.channel, "opened_at": first.received_at,
        "symptom": episode.symptom,
    }


def _first(episode: Episode) -> Arrival:
    assert episode.opener is not None
    return episode.opener


def _alert(episode: Episode) -> dict[str, Any]:
    first = _first(episode)
    signal = first.signal
    return {
        **folding.as_change(episode), "fingerprint": episode.fingerprint, "service": first.service,
        "organisation": first.organisation, "title": signal.title, "summary": signal.summary,
        "labels": json.dumps({**signal.labels, "name": signal.name}, ensure_ascii=False), "link": signal.link,
        "since": signal.at, "opened_at": first.received_at,
    }


def _observation(episode: Episode, observer: str, word: Arrival) -> dict[str, Any]:
    state, at = episode.observers[observer]
    return {
        "alert_id": episode.id, "observer": observer, "source": word.source, "endpoint": word.endpoint,
        "organisation": word.organisation, "state": state, "at": at,
    }


def _signal(arrival: Arrival, episodes: Mapping[str, Episode]) -> dict[str, Any]:
    episode = episodes.get(arrival.fingerprint)
    counted = episode is not None and arrival.delivery in episode.counted
    signal = arrival.signal
    return {
        "delivery": arrival.delivery, "received_at": arrival.received_at, "at": signal.at, "source": arrival.source,
        "endpoint": arrival.endpoint, "organisation": arrival.organisation, "observer": signal.observer,
        "fingerprint": arrival.fingerprint, "state": signal.state, "severity": arrival.verdict.severity,
        "title": signal.title, "body": arrival.body, "alert_id": episode.id if episode and counted else None,
    }


def _entry(episode: Episode, kind: str, word: Arrival) -> dict[str, Any]:
    name, origin = word.signal.observer, f"webhook {word.endpoint}"
    actor = Actor(OBSERVER + name, name, word.organisation, frozenset(), None, origin)
    return journal.entry(
        actor=actor, kind=kind, object=f"alert:{episode.id}", outcome="done", at=word.received_at,
        title=word.signal.title, severity=word.verdict.severity, source_time=word.signal.at.isoformat(),
        why=list(word.verdict.reasons) if kind == folding.OPENED else None,
        decision=episode.decision if kind == folding.OPENED else None,
    )


def _posts(episode: Episode) -> list[dict[str, Any]]:
    """The card at once when something changed, later when only a counter did; the log once there is more than one opening."""
    moment = episode.updated_at or _first(episode).received_at
    kinds = [kind for kind, _ in episode.events]
    due = moment if kinds else moment + COUNT_ONLY_DELAY
    urgency = 1 if episode.opener else 2 if kinds else 3
    group = {"group_id": episode.group_id, "channel": episode.channel}
    card = {**group, "key": f"card:{episode.group_id}", "kind": "card", "due_at": due, "urgency": urgency}
    if set(kinds) <= {folding.OPENED} and not episode.joined:
        return [card]
    return [card, {**card, "key": f"log:{episode.group_id}", "kind": "log", "urgency": 2}]
