"""Whoever changes the journal behind our back is found, and the entry is named; an honest journal is never accused."""

import io
import json
import random
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot.errors import Refused
from bot.services.ledger import audit
from bot.services.ledger.faults import GAP, REWRITTEN, TRUNCATED
from bot.services.ledger.inspection import KEPT
from bot.services.ledger.sealing import GENESIS, KeySigner, Sealer, digest, hash_of, line, listed, root_of
from bot.store.journal import Entry, Line, Seal
from bot.store.journal import journal as entry_table
from bot.store.journal import seal as seal_table
from tests.fakes import START, ManualClock

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
SIGNER = KeySigner(KEY)

Rows = tuple[list[Entry], list[Seal]]


def entry(id: int, at: datetime, words: str = "") -> Entry:
    return Entry(id, at, "lea", "padok", "noted", f"alert:{id}", "done", "slack C0ALERTS01", f'{{"n":"{id}{words}"}}')


def sealed(last: Seal | None, entries: list[Entry], at: datetime, key: Ed25519PrivateKey = KEY, to_id: int = 0) -> Seal:
    """What the sealer makes of these entries, made by hand: a forger would do the same."""
    begin = last.to_id + 1 if last else 1
    leaves = listed((each.id, digest(line(each))) for each in entries)
    made = Seal(
        last.id + 1 if last else 1, begin, max([to_id, begin - 1, *(each.id for each in entries)]), len(entries),
        leaves, root_of(leaves), last.hash if last else GENESIS, "", at, KeySigner(key).key_id, None,
    )
    made = replace(made, hash=hash_of(made))
    return replace(made, signature=KeySigner(key).sign(made.hash.encode()).hex())


def honest(rng: random.Random) -> Rows:
    """Some seals over a few entries each, with gaps in the ids (writers who gave up), an idle hour, a young tail."""
    entries: list[Entry] = []
    seals: list[Seal] = []
    id, at = 0, START
    for _ in range(rng.randint(5, 8)):
        at += timedelta(minutes=rng.randint(6, 60))
        batch = []
        for _ in range(rng.choice([0, 2, 3, 4])):
            id += rng.choice([1, 1, 2])
            batch.append(entry(id, at - timedelta(seconds=rng.randint(0, 20))))
        entries += batch
        seals.append(sealed(seals[-1] if seals else None, batch, at, to_id=id))
    tail = [entry(id + 1 + n, at + timedelta(seconds=n)) for n in range(rng.randint(0, 2))]
    if not any(seal.count for seal in seals[1:-1]) or len(entries) < 6:
        return honest(rng)
    return entries + tail, seals


def inspect(rows: Rows, head: str | None, key: bool = True) -> audit.Verdict:
    """The verdict on rows as an export holds them."""
    entries, seals = sorted(rows[0], key=lambda each: each.id), sorted(rows[1], key=lambda each: each.id)
    lines, left = [], list(entries)
    for seal in seals:
        while left and left[0].id <= seal.to_id:
            lines.append(audit.as_line(line(left.pop(0))))
        lines.append(audit.as_line(seal))
    lines += [audit.as_line(line(each)) for each in left]
    return audit.verify_export(lines, head, KEY.public_key() if key else None)


# --- tamperings: each changes the rows and says which faults may be told first ---

Told = set[tuple[str, int]]
Tampering = Callable[[random.Random, Rows], Told]


def kept(rows: Rows) -> list[Entry]:
    last = rows[1][-1].to_id
    return [each for each in rows[0] if each.id <= last]


def change_an_entry(rng: random.Random, rows: Rows) -> Told:
    victim = rng.choice(kept(rows))
    column = rng.choice(["at", "actor", "organisation", "kind", "object", "outcome", "origin", "details"])
    moment = victim.at + timedelta(microseconds=rng.choice([-1, 1]))
    value: Any = moment if column == "at" else getattr(victim, column) + "x"
    rows[0][rows[0].index(victim)] = victim._replace(**{column: value})
    return {("ENTRY", victim.id)}


def remove_an_entry(rng: random.Random, rows: Rows) -> Told:
    victim = rng.choice(kept(rows))
    rows[0].remove(victim)
    return {("MISSING", victim.id)}


def insert_below_a_seal(rng: random.Random, rows: Rows) -> Told:
    taken = {each.id for each in rows[0]}
    free = [id for id in range(-2, rows[1][-1].to_id) if id not in taken]
    id = rng.choice(free)
    rows[0].append(entry(id, rng.choice(rows[0]).at, "forged"))
    return {("ENTRY", id)}


def insert_with_an_old_date(rng: random.Random, rows: Rows) -> Told:
    id = max(each.id for each in rows[0]) + 1 + rng.randint(0, 3)
    id = max(id, rows[1][-1].to_id + 1)
    rows[0].append(entry(id, rows[1][-1].sealed_at - timedelta(minutes=6 + rng.randint(0, 500)), "forged"))
    return {("ENTRY", id)}


def let_an_old_dated_entry_be_sealed(rng: random.Random, rows: Rows) -> Told:
    tail = [each for each in rows[0] if each.id > rows[1][-1].to_id]
    id = max(each.id for each in rows[0]) + rows[1][-1].to_id + 1
    forged = entry(id, rows[1][-1].sealed_at - timedelta(minutes=6), "forged")
    rows[0].append(forged)
    rows[1].append(sealed(rows[1][-1], [*tail, forged], rows[1][-1].sealed_at + timedelta(minutes=1)))
    return {("ENTRY", id)}


def swap_two_entries(rng: random.Random, rows: Rows) -> Told:
    one, other = sorted(rng.sample(kept(rows), 2), key=lambda each: each.id)
    rows[0][rows[0].index(one)], rows[0][rows[0].index(other)] = other._replace(id=one.id), one._replace(id=other.id)
    return {("MOVED", one.id)}


def renumber_an_entry(rng: random.Random, rows: Rows) -> Told:
    victim = rng.choice(kept(rows))
    taken = {each.id for each in rows[0]}
    to = rng.choice([id for id in range(rows[1][-1].to_id + 9) if id not in taken])
    rows[0][rows[0].index(victim)] = victim._replace(id=to)
    found = {("MOVED", min(victim.id, to)), ("MOVED", victim.id)}
    return found if to <= rows[1][-1].to_id else found | {("MISSING", victim.id)}


def copy_one_entry_over_another(rng: random.Random, rows: Rows) -> Told:
    one, other = rng.sample(kept(rows), 2)
    rows[0][rows[0].index(one)] = other._replace(id=one.id)
    return {("ENTRY", one.id)}


def change_a_seal(rng: random.Random, rows: Rows) -> Told:
    victim = rng.choice(rows[1])
    column = rng.choice([
        "from_id", "to_id", "count", "leaves", "root", "previous", "hash", "sealed_at", "key_id", "signature",
    ])
    value = getattr(victim, column)
    if isinstance(value, datetime):
        value += timedelta(microseconds=1)
    elif isinstance(value, int):
        value += rng.choice([-1, 1])
    else:
        place = rng.randrange(len(value))
        value = value[:place] + ("0" if value[place] != "0" else "1") + value[place + 1:]
    rows[1][rows[1].index(victim)] = replace(victim, **{column: value})
    return {("SIGNATURE", victim.id)}


def take_a_signature_off(rng: random.Random, rows: Rows) -> Told:
    victim = rng.choice(rows[1])
    rows[1][rows[1].index(victim)] = replace(victim, signature=None)
    return {("SIGNATURE", victim.id)}


def remove_a_seal(rng: random.Random, rows: Rows) -> Told:
    victim = rng.choice(rows[1][:-1])
    rows[1].remove(victim)
    return {("GAP", victim.id)}


def swap_two_seals(rng: random.Random, rows: Rows) -> Told:
    one, other = sorted(rng.sample(range(len(rows[1])), 2))
    a, b = rows[1][one], rows[1][other]
    rows[1][one], rows[1][other] = replace(b, id=a.id), replace(a, id=b.id)
    return {("MOVED", a.id)}


def renumber_a_seal(rng: random.Random, rows: Rows) -> Told:
    victim = rng.choice(rows[1])
    to = rows[1][-1].id + rng.randint(1, 9)
    rows[1][rows[1].index(victim)] = replace(victim, id=to)
    last = victim is rows[1][-1] or victim.id == max(each.id for each in rows[1] if each.id < to) + 1
    return {("MOVED" if last else "GAP", victim.id)}


def cut_off_the_end(rng: random.Random, rows: Rows) -> Told:
    head = rows[1][-1]
    keep = rng.randrange(len(rows[1]))
    last = rows[1][keep - 1].to_id if keep else 0
    del rows[1][keep:]
    if rng.random() < 0.7:
        rows[0][:] = [each for each in rows[0] if each.id <= last]
    return {(TRUNCATED, head.id)}


def forge_everything_after(rng: random.Random, rows: Rows, key: Ed25519PrivateKey, told: str) -> Told:
    """An entry is changed and every seal from there on made anew: the journal is sound in itself."""
    victim = rng.choice(kept(rows))
    rows[0][rows[0].index(victim)] = changed = victim._replace(actor="somebody else")
    first = next(each for each in rows[1] if each.from_id <= changed.id <= each.to_id)
    for place in range(rows[1].index(first), len(rows[1])):
        old = rows[1][place]
        under = sorted((each for each in rows[0] if old.from_id <= each.id <= old.to_id), key=lambda each: each.id)
        rows[1][place] = sealed(rows[1][place - 1] if place else None, under, old.sealed_at, key, old.to_id)
    return {(told, first.id if told == "SIGNATURE" else rows[1][-1].id)}


def forge_with_another_key(rng: random.Random, rows: Rows) -> Told:
    return forge_everything_after(rng, rows, OTHER_KEY, "SIGNATURE")


def forge_with_our_own_key(rng: random.Random, rows: Rows) -> Told:
    return forge_everything_after(rng, rows, KEY, REWRITTEN)


def forge_one_seal(rng: random.Random, rows: Rows) -> Told:
    """An entry and its own seal are made to agree; the next seal still names the old one."""
    first = rng.choice([each for each in rows[1][:-1] if each.count])
    victim = next(each for each in rows[0] if first.from_id <= each.id <= first.to_id)
    rows[0][rows[0].index(victim)] = victim._replace(actor="somebody else")
    under = [each for each in rows[0] if first.from_id <= each.id <= first.to_id]
    place = rows[1].index(first)
    rows[1][place] = sealed(rows[1][place - 1] if place else None, under, first.sealed_at, KEY, first.to_id)
    return {(REWRITTEN, first.id)}


TAMPERINGS: list[Tampering] = [
    change_an_entry, remove_an_entry, insert_below_a_seal, insert_with_an_old_date, let_an_old_dated_entry_be_sealed,
    swap_two_entries, renumber_an_entry, copy_one_entry_over_another, change_a_seal, take_a_signature_off,
    remove_a_seal, swap_two_seals, renumber_a_seal, cut_off_the_end, forge_with_another_key, forge_with_our_own_key,
    forge_one_seal,
]


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda each: each.__name__)
def test_every_tampering_is_found_and_the_right_row_is_named(tamper: Tampering) -> None:
    for seed in range(200):
        rng = random.Random(seed)
        rows = honest(rng)
        head = f"{rows[1][-1].id}:{rows[1][-1].hash}"
        told = tamper(rng, rows)
        verdict = inspect(rows, head)
        assert not verdict.ok, (seed, told)
        first = verdict.faults[0]
        assert (first.kind, first.id) in told, (seed, told, [str(each) for each in verdict.faults])


def test_an_honest_journal_is_never_accused() -> None:
    for seed in range(500):
        rows = honest(random.Random(seed))
        some = random.Random(seed).choice(rows[1])
        verdict = inspect(rows, f"{some.id}:{some.hash[:12]}", key=seed % 2 == 0)
        assert verdict.ok, (seed, verdict.first_bad)
        assert verdict.answer() == {"entries": len(rows[0]), "ok": True, "first_bad": None}


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda each: each.__name__)
def test_the_tampering_is_found_in_the_database_too(engine: sa.Engine, tamper: Tampering) -> None:
    for seed in range(5):
        rng = random.Random(seed)
        rows = honest(rng)
        head = f"{rows[1][-1].id}:{rows[1][-1].hash}"
        store(engine, rows)
        with engine.connect() as connection:
            assert audit.verify(connection, head, KEY.public_key()).ok
        told = tamper(rng, rows)
        if not storable(rows):
            continue
        store(engine, rows)
        with engine.connect() as connection:
            verdict = audit.verify(connection, head, KEY.public_key())
            out = io.StringIO()
            audit.export(connection, out)
        first = verdict.faults[0]
        assert (first.kind, first.id) in told
        assert audit.verify_export(out.getvalue().splitlines(), head, KEY.public_key()) == verdict


# Behind the back of every program of ours: what no row should hold, and what an instant must not hide behind.
STRANGE = {
    "sqlite": (
        "at = at || char(0) || 'x'", "at = CAST(at AS BLOB)", "at = replace(at, ' ', 'T')", "at = at || 'Z'", "at = 5",
        "at = '1' || at", "details = CAST(details AS BLOB)", "details = details || char(0)",
    ),
    "postgresql": (
        "at = (to_char(at, 'YYYY-MM-DD HH24:MI:SS.US') || '+00 BC')::timestamptz", "at = 'infinity'", "at = '-infinity'",
        "at = NULL", "at = at + interval '10000 years'", "at = at + interval '1 microsecond'", "details = NULL",
    ),
}


def test_what_no_entry_of_ours_holds_is_named_and_hides_behind_no_spelling(engine: sa.Engine) -> None:
    rows = honest(random.Random(1))
    victim = kept(rows)[-1].id
    store(engine, rows)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("ALTER TABLE journal ALTER at DROP NOT NULL, ALTER details DROP NOT NULL"))
    for change in STRANGE[engine.dialect.name]:
        store(engine, rows)
        with engine.begin() as connection:
            connection.execute(sa.text(f"UPDATE journal SET {change} WHERE id = :id"), {"id": victim})
        with engine.connect() as connection:
            verdict, out = audit.verify(connection), io.StringIO()
            audit.export(connection, out)
        assert str(verdict.faults[0]) == f"ENTRY: entry {victim} was changed after it was sealed", change
        assert audit.verify_export(io.StringIO(out.getvalue())) == verdict, change


def test_a_seal_made_over_a_list_that_is_none_is_a_fault_and_no_accident() -> None:
    entries = [entry(1, START)]
    for leaves in ('[[1,"]]', '""', '[[{},"a"]]', '[["1","a"]]'):
        false = replace(sealed(None, entries, START), leaves=leaves, root=root_of(leaves), count=leaves.count('"') // 2)
        false = replace(false, hash=hash_of(false))
        verdict = audit.verify_export(audit.as_line(each) for each in (line(entries[0]), false))
        assert {(each.kind, each.id) for each in verdict.faults} == {("SIGNATURE", 1)}, leaves


@pytest.mark.parametrize("change", [{"id": "1"}, {"id": None}, {"at": 5}, {"more": 1}])
def test_a_line_that_no_export_holds_is_refused_by_its_number(change: dict[str, Any]) -> None:
    told = json.dumps({"entry": line(entry(1, START))._asdict() | change})
    with pytest.raises(Refused, match="Line 1 is not of a journal's export"):
        audit.verify_export([told])


def storable(rows: Rows) -> bool:
    """The database itself refuses two seals with one hash or one seal before them."""
    return all(len({getattr(each, name) for each in rows[1]}) == len(rows[1]) for name in ("hash", "previous"))


GUARDS = {
    "postgresql": ("{table}_no_change ON {table}",),
    "sqlite": ("{table}_no_update", "{table}_no_delete", "{table}_no_replace"),
}


def store(engine: sa.Engine, rows: Rows) -> None:
    """Behind the back of the triggers."""
    with engine.begin() as connection:
        for name in ("journal", "seal"):
            for guard in GUARDS[engine.dialect.name]:
                connection.execute(sa.text(f"DROP TRIGGER IF EXISTS {guard.format(table=name)}"))
            connection.execute(sa.text(f"DELETE FROM {name}"))
        given = (entry_table, [each._asdict() for each in rows[0]]), (seal_table, [asdict(each) for each in rows[1]])
        for table, columns in given:
            if columns:
                connection.execute(sa.insert(table), columns)


# --- heads, keys, exports, the young tail ---


def real(engine: sa.Engine, signer: KeySigner | None = None) -> ManualClock:
    """A journal that the sealer itself made: two seals over three entries each."""
    clock, sealer = ManualClock(), Sealer(engine, signer)
    for begin in (1, 4):
        with engine.begin() as connection:
            rows = [entry(begin + n, clock.now())._asdict() for n in range(3)]
            for row in rows:
                del row["id"]
            connection.execute(sa.insert(entry_table), rows)
        sealer.seal_due(clock.now())
        clock.advance(600)
    return clock


def test_a_head_is_taken_as_posted_or_as_its_hash_alone_or_as_its_beginning(sqlite_engine: sa.Engine) -> None:
    real(sqlite_engine)
    with sqlite_engine.connect() as connection:
        head = audit.head(connection)
        number, hash = head.split(":")
        for given in (head, f"seal {number} {hash}", hash, hash[:12], f"{number}:{hash[:12]}", f"0:{GENESIS}"):
            assert audit.verify(connection, given).ok, given


def test_a_head_that_is_none_is_refused_with_an_example(sqlite_engine: sa.Engine) -> None:
    for wrong in ("", "218", "3f9a", "head:zzz"):
        with sqlite_engine.connect() as connection, pytest.raises(Refused, match="218:3f9a0c5512de"):
            audit.verify(connection, wrong)


def test_a_hash_that_is_nowhere_means_the_end_was_cut_off(sqlite_engine: sa.Engine) -> None:
    real(sqlite_engine)
    with sqlite_engine.connect() as connection:
        verdict = audit.verify(connection, "f" * 64)
    assert [fault.kind for fault in verdict.faults] == [TRUNCATED]


def test_seals_from_before_there_was_a_key_are_vouched_for_by_the_first_signed_one(engine: sa.Engine) -> None:
    clock = real(engine)
    with engine.connect() as connection:
        assert audit.verify(connection).ok
        unsigned = audit.verify(connection, public_key=KEY.public_key())
    assert str(unsigned.faults[0]) == "SIGNATURE: seal 1 and those after it are not signed"
    Sealer(engine, SIGNER).seal_due(clock.advance(4_000))
    with engine.connect() as connection:
        assert audit.verify(connection, public_key=KEY.public_key()).ok


def test_entries_that_nobody_sealed_are_fine_when_young_and_a_fault_when_old(engine: sa.Engine) -> None:
    clock = real(engine)
    with engine.begin() as connection:
        row = entry(7, clock.now())._asdict()
        connection.execute(sa.insert(entry_table), [{name: row[name] for name in row if name != "id"}])
    with engine.connect() as connection:
        young = audit.verify(connection, now=clock.advance(60))
        assert (young.ok, young.entries, young.unsealed) == (True, 7, 1)
        assert audit.verify(connection, now=clock.advance(7_200)).first_bad == {
            "id": 7, "why": "TRUNCATED: entry 7 and those after it were never sealed, or their seals were cut off",
        }


def test_an_export_is_checked_without_the_database(engine: sa.Engine) -> None:
    real(engine, SIGNER)
    out = io.StringIO()
    with engine.connect() as connection:
        assert audit.export(connection, out) == 8
        head = audit.head(connection)
    lines = out.getvalue().splitlines()
    assert audit.verify_export(lines, head, KEY.public_key()).ok
    assert json.loads(lines[3])["seal"]["to_id"] == 3
    twice = audit.verify_export([lines[0], *lines], head)
    assert [(fault.kind, fault.id) for fault in twice.faults] == [("ENTRY", 1)]
    assert audit.verify_export([*lines[:3], lines[4], *lines[5:]], head).faults[0].kind == GAP
    with pytest.raises(Refused, match="Line 2"):
        audit.verify_export([lines[0], "no JSON"], head)


def test_a_journal_that_is_wholly_false_is_told_in_bounded_memory(sqlite_engine: sa.Engine) -> None:
    entries = [entry(id, START) for id in range(1, 3 * KEPT)]
    seal = sealed(None, entries[:-9], START)
    false = [each._replace(actor="eve", at=each.at - timedelta(days=1)) for each in entries]
    told: list[Line | Seal] = [line(each) for each in false]
    verdict = audit.verify_export(audit.as_line(each) for each in (*told[:-9], seal, *told[-9:]))
    assert len(verdict.faults) == KEPT
    assert verdict.entries == len(entries)
    assert verdict.first_bad == {"id": 1, "why": "ENTRY: entry 1 was changed after it was sealed"}


def test_an_audit_of_sqlite_lets_the_writers_have_their_turn(sqlite_engine: sa.Engine) -> None:
    real(sqlite_engine)
    with sqlite_engine.connect() as reader:
        told = audit._told(reader)
        next(told)
        with sqlite_engine.begin() as writer:
            writer.exec_driver_sql("PRAGMA busy_timeout=0")
            writer.execute(sa.insert(entry_table), [{**entry(7, START)._asdict(), "id": 7}])
        list(told)


def test_the_day_s_head_says_how_to_use_it(engine: sa.Engine) -> None:
    real(engine)
    day = START.astimezone(UTC).date()
    with engine.connect() as connection:
        text = audit.daily_head(connection, day)
        assert text is not None
        assert audit.head(connection) in text
        assert "6 entries in 2 seals" in text
        assert audit.verify(connection, text.rsplit("--head ", 1)[1].strip("`")).ok
        assert audit.daily_head(connection, date(2026, 1, 1)) is None
