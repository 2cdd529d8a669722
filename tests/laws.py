"""What must be true of an honest Vigie at every moment, and once it is left in peace; read from rows, blind to the code."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.services.desk import Desk
from bot.services.ledger import audit
from bot.services.slack import cards as drawing
from bot.store import alerts, cards, journal, traffic
from bot.store.groups import alert_group
from tests.fakes import CountingIds, ManualClock
from tests.virtual import LawBroken, Message

# (from, to): the only ways in which an alert's state may move; "" is before its opening.
TRANSITIONS = {
    ("", "firing"), ("firing", "acked"), ("firing", "recovered"), ("acked", "recovered"), ("recovered", "firing"),
    ("acked", "firing"), ("firing", "closed"), ("acked", "closed"), ("recovered", "closed"),
}
LEADS_TO = {
    "alert opened": "firing", "alert acked": "acked", "alert recovered": "recovered", "alert relapsed": "firing",
    "ack lapsed": "firing", "alert closed": "closed",
}

Rows = Sequence[sa.Row[Any]]


def check(connection: sa.Connection, config: Config) -> None:
    """Raises LawBroken with every law that is broken now."""
    if found := broken(connection, config):
        raise LawBroken("\n".join(found))


def check_settled(connection: sa.Connection, config: Config, messages: Mapping[str, Message], now: datetime) -> None:
    """The same, and what must be true when nothing has happened for a while and Slack takes everything."""
    found = [*broken(connection, config), *_unsettled(connection, now), *_untrue_in_slack(connection, config, messages)]
    if found:
        raise LawBroken("\n".join(found))


def steps(connection: sa.Connection) -> dict[int, list[str]]:
    """The states that each alert went through, as the journal tells them."""
    went: dict[int, list[str]] = defaultdict(lambda: [""])
    for entry in _all(connection, journal.journal):
        if entry.kind in LEADS_TO and entry.outcome == "done":
            went[_alert_of(entry)].append(LEADS_TO[entry.kind])
    return went


def words_done(connection: sa.Connection) -> Counter[str]:
    """How many entries of things done hold each person's words."""
    done = [
        json.loads(each.details) for each in _all(connection, journal.journal)
        if each.outcome == "done" and each.actor != "vigie"
    ]
    return Counter(word for each in done for name, word in each.items() if name in ("note", "reason") and word)


def _all(connection: sa.Connection, table: sa.Table) -> Rows:
    return connection.execute(sa.select(table).order_by(table.c.id)).all()


def broken(connection: sa.Connection, config: Config) -> list[str]:
    """A sentence for each law that is broken now."""
    told, raised = _all(connection, alerts.signal), _all(connection, alerts.alert)
    return [
        *_one_open(raised),
        *_groups_hold_together(connection, raised),
        *_journal_tells_all(connection, raised),
        *_signals_counted(told, raised),
        *_recoveries_were_told(connection, told, raised),
        *_probation_was_kept(raised, timedelta(minutes=config.probation.minutes)),
        *_state_is_the_newest_word(told, raised),
        *_each_has_its_card(connection, raised),
    ]


def _one_open(raised: Rows) -> Iterator[str]:
    still = Counter(each.fingerprint for each in raised if each.state != "closed")
    yield from (f"{fingerprint} has {count} open alerts" for fingerprint, count in still.items() if count > 1)


def _groups_hold_together(connection: sa.Connection, raised: Rows) -> Iterator[str]:
    """One open group for each symptom; open as long as one of its alerts is; Vigie closes all of it or nothing."""
    groups = _all(connection, alert_group)
    shown = Counter((each.service, each.symptom) for each in groups if each.symptom and each.closed_at is None)
    yield from (f"{symptom} of {service} has {count} open groups" for (service, symptom), count in shown.items() if count > 1)
    members: dict[int, list[sa.Row[Any]]] = defaultdict(list)
    for each in raised:
        members[each.group_id].append(each)
    for each in groups:
        states = {one.state for one in members[each.id]}
        over = states == {"closed"}
        if (each.closed_at is not None) != over or ("closed" in states and not over):
            yield f"group {each.id} is closed at {each.closed_at}, its alerts are {sorted(states)}"


def _journal_tells_all(connection: sa.Connection, raised: Rows) -> Iterator[str]:
    """Exactly one entry for each change: a chain of lawful steps that ends in the state of the row."""
    went = steps(connection)
    for each in raised:
        path = went.pop(each.id, [""])
        for step in pairwise(path):
            if step not in TRANSITIONS:
                yield f"alert {each.id}: the journal moves it from {step[0] or 'nothing'} to {step[1]}: {path}"
        if path[-1] != each.state:
            yield f"alert {each.id} is {each.state}, its journal ends with {path[-1] or 'nothing'}"
        if each.relapses != sum(step == ("recovered", "firing") for step in pairwise(path)):
            yield f"alert {each.id} relapsed {each.relapses} times, its journal says {path}"
    yield from (f"the journal tells of alert {unknown}, which does not exist" for unknown in went)


def _signals_counted(told: Rows, raised: Rows) -> Iterator[str]:
    counted = Counter(each.alert_id for each in told)
    for each in raised:
        if each.signals != counted[each.id]:
            yield f"alert {each.id} says {each.signals} signals, it has {counted[each.id]}"


def _recoveries_were_told(connection: sa.Connection, told: Rows, raised: Rows) -> Iterator[str]:
    """Silence is no recovery; an alarm that comes in after its own recovery may open its alert as recovered."""
    heard: dict[str, list[datetime]] = defaultdict(list)
    for each in told:
        if each.state == "recovered":
            heard[each.fingerprint].append(each.received_at)
    by_id = {each.id: each for each in raised}
    for entry in _all(connection, journal.journal):
        if entry.kind == "alert recovered" and (found := by_id.get(_alert_of(entry))):
            moments = heard[found.fingerprint]
            if entry.at not in moments and not (found.opened_at == entry.at and any(each < entry.at for each in moments)):
                yield f"entry {entry.id}: {entry.object} recovered, and nobody had said so"


def _alert_of(entry: sa.Row[Any]) -> int:
    return int(entry.object.removeprefix("alert:"))


def _probation_was_kept(raised: Rows, probation: timedelta) -> Iterator[str]:
    for each in raised:
        last = max((one.recovered_at for one in raised if one.group_id == each.group_id and one.recovered_at), default=None)
        if each.closed_by == "vigie" and (last is None or each.closed_at - last < probation):
            yield f"alert {each.id} was closed at {each.closed_at}, the last of its group recovered at {last}"


def _state_is_the_newest_word(told: Rows, raised: Rows) -> Iterator[str]:
    """What the observers said last (by their own clocks) is what the alert says, unless a person closed it after that."""
    words: dict[str, list[sa.Row[Any]]] = defaultdict(list)
    for each in told:
        words[each.fingerprint].append(each)
    forced: dict[str, datetime] = {}
    for each in raised:
        if each.state == "closed" and each.closed_by != "vigie":
            forced[each.fingerprint] = max(each.closed_at, forced.get(each.fingerprint, each.closed_at))
    states = {each.fingerprint: each.state for each in raised if each.state != "closed"}
    for fingerprint, said in words.items():
        state = states.get(fingerprint, "closed")
        allowed = _allowed(_last_words(said), forced.get(fingerprint))
        if state not in allowed:
            yield f"{said[0].title} ({fingerprint}) is {state}, it should be {' or '.join(sorted(allowed))}: {_told(said)}"


def _last_words(said: Rows) -> list[sa.Row[Any]]:
    """Each observer's newest word; of the same word told again the one that came last."""
    newest: dict[str, sa.Row[Any]] = {}
    for each in said:
        last = newest.get(each.observer)
        if last is None or (each.at, each.received_at) >= (last.at, last.received_at):
            newest[each.observer] = each
    return list(newest.values())


def _allowed(last: Rows, forced_at: datetime | None) -> set[str]:
    said = {each.state for each in last}
    trouble = [each for each in last if each.state == "firing"]
    if said == {"recovered"}:
        return {"recovered", "closed"}
    if any(forced_at is None or each.received_at > forced_at for each in trouble):
        return {"firing", "acked"}
    return {"firing", "acked", "recovered", "closed"}        # silence after a recovery, or a person's word against theirs


def _told(said: Rows) -> str:
    return ", ".join(f"{each.observer} {each.state} {each.at:%H:%M:%S} (came {each.received_at:%H:%M:%S})" for each in said)


def _each_has_its_card(connection: sa.Connection, raised: Rows) -> Iterator[str]:
    keys = {each.key for each in _all(connection, cards.post)}
    yield from (f"alert {each.id} has no card" for each in raised if f"card:{each.group_id}" not in keys)


# --- left in peace ---


def _unsettled(connection: sa.Connection, now: datetime) -> Iterator[str]:
    yield from (f"alert {each.id} is due since {each.due_at}" for each in alerts.due(connection, now))
    yield from (f"{each.key} is due since {each.due_at}" for each in _all(connection, cards.post) if each.due_at)
    yield from (f"the channel {channel} is held by run {generation}" for channel, generation in cards.busy_lanes(connection))
    attempts = connection.execute(sa.select(traffic.attempt.c.key)).scalars()
    yield from (f"the outcome of {key} is still open" for key in attempts)
    yield from _journal_is_whole(connection)


def _journal_is_whole(connection: sa.Connection) -> Iterator[str]:
    verdict = audit.verify(connection)
    yield from (str(fault) for fault in verdict.faults)
    if verdict.unsealed:
        yield f"{verdict.unsealed} entries are not sealed"


def _untrue_in_slack(connection: sa.Connection, config: Config, messages: Mapping[str, Message]) -> Iterator[str]:
    shown: dict[str, list[Message]] = defaultdict(list)
    for message in messages.values():
        shown[message.key].append(message)
    for group_id, (state, ids) in _worst(_all(connection, alerts.alert)).items():
        mine = shown.get(f"card:{group_id}", [])
        face, names = drawing.PLAIN_FACES[state], tuple(f"(#{each})" for each in ids)
        if len(mine) != 1 or not mine[0].drawing.text.startswith(face) or not mine[0].drawing.text.endswith(names):
            yield f"alerts {ids} are {state}, Slack shows {[one.drawing.text for one in mine]}"
    for row in _all(connection, cards.post):
        yield from _not_as_drawn(connection, config, cards.Post(**row._mapping), shown.pop(row.key, []), messages)
    yield from (f"Slack shows {key}, which is not ours" for key in shown)


def _worst(raised: Rows) -> dict[int, tuple[str, list[int]]]:
    """The worst state in each group, and whose it is."""
    order = ("firing", "acked", "recovered", "closed")
    found: dict[int, tuple[str, list[int]]] = {}
    for each in sorted(raised, key=lambda one: order.index(one.state)):
        state, ids = found.setdefault(each.group_id, (each.state, []))
        if each.state == state:
            ids.append(each.id)
    return found


def _not_as_drawn(
    connection: sa.Connection, config: Config, post: cards.Post, shown: list[Message], messages: Mapping[str, Message]
) -> Iterator[str]:
    if len(shown) != 1:
        yield f"{post.key} is shown {len(shown)} times"
        return
    desk = Desk(connection.engine, config, ManualClock(), CountingIds())
    # A page stands as it was when it called: who is mentioned then is not mentioned again.
    if post.kind != "page" and drawing.draw(desk, connection, post, post.late_s) != shown[0].drawing:
        yield f"{post.key} is not shown as it is now: {shown[0].drawing.text}"
    if post.kind in ("log", "page") and (shown[0].thread is None or messages[shown[0].thread].key != f"card:{post.group_id}"):
        yield f"{post.key} does not stand in the thread of its card"
