"""The journal takes what was done, is sealed within a second, and loses nothing to writers who commit late."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.services.desk import Actor
from bot.services.ledger import audit, journal
from bot.services.ledger.sealing import MOST, Sealer, digest, line
from bot.store.journal import Seal, all_entries, all_lines, all_seals, entries
from bot.store.journal import journal as table
from tests.fakes import START, ManualClock

LEA = Actor("lea", "Léa", "padok", frozenset({"engineer"}), "U0LEA00001", "slack C0ALERTS01")


def write(engine: sa.Engine, clock: ManualClock, count: int = 1) -> None:
    rows = [
        journal.entry(actor=LEA, kind="alert acked", object=f"alert:{number}", outcome="done", at=clock.now(), n=number)
        for number in range(count)
    ]
    with engine.begin() as connection:
        connection.execute(sa.insert(table), rows)


def seals(engine: sa.Engine) -> list[Seal]:
    with engine.connect() as connection:
        return list(all_seals(connection, 10**9))


def verify(engine: sa.Engine, **given: object) -> audit.Verdict:
    with engine.connect() as connection:
        return audit.verify(connection, **given)  # type: ignore[arg-type]


# --- entries ---


def test_an_entry_says_who_did_what_where_and_how_it_ended(engine: sa.Engine) -> None:
    clock = ManualClock()
    with engine.begin() as connection:
        journal.record(
            connection, actor=LEA, kind="alert acked", object="alert:142", outcome="done", at=clock.now(), note="mine",
            reason=None,
        )
    with engine.connect() as connection:
        (entry,) = entries(connection, 1, 10, 10)
    assert (entry.actor, entry.organisation, entry.origin) == ("lea", "padok", "slack C0ALERTS01")
    assert (entry.kind, entry.object, entry.outcome, entry.at) == ("alert acked", "alert:142", "done", clock.now())
    assert entry.details == '{"note":"mine"}'


def test_a_card_number_in_a_note_never_reaches_the_journal(sqlite_engine: sa.Engine) -> None:
    row = journal.entry(
        actor=LEA, kind="alert noted", object="alert:142", outcome="done", at=ManualClock().now(),
        note="customer paid with 4111 1111 1111 1111",
    )
    assert "4111 1111 1111 1111" not in row["details"]


@pytest.mark.parametrize("statement", [
    "UPDATE journal SET outcome = 'failed'", "DELETE FROM journal", "UPDATE seal SET count = 0", "DELETE FROM seal",
])
def test_the_database_refuses_to_change_an_entry_or_a_seal(engine: sa.Engine, statement: str) -> None:
    clock = ManualClock()
    write(engine, clock)
    Sealer(engine).seal_due(clock.now())
    with pytest.raises(sa.exc.DBAPIError, match="only ever added"), engine.begin() as connection:
        connection.execute(sa.text(statement))
    assert verify(engine).ok


def test_sqlite_refuses_to_replace_an_entry(sqlite_engine: sa.Engine) -> None:
    write(sqlite_engine, ManualClock())
    with pytest.raises(sa.exc.DBAPIError, match="only ever added"), sqlite_engine.begin() as connection:
        connection.execute(sa.text("INSERT OR REPLACE INTO journal SELECT * FROM journal"))


def test_postgres_refuses_to_truncate_the_journal(postgres_engine: sa.Engine) -> None:
    for name in ("journal", "seal"):
        with pytest.raises(sa.exc.DBAPIError, match="only ever added"), postgres_engine.begin() as connection:
            connection.execute(sa.text(f"TRUNCATE {name}"))


def test_every_column_of_an_entry_is_under_its_seal(sqlite_engine: sa.Engine) -> None:
    write(sqlite_engine, ManualClock())
    with sqlite_engine.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER journal_no_update"))
        (first,) = entries(connection, 1, 1, 1)
        for column in table.c:
            if column.name != "id":          # the id stands beside the digest
                other = first.at + timedelta(microseconds=1) if column.name == "at" else "other"
                connection.execute(sa.update(table).values({column.name: other}))
                (changed,) = entries(connection, 1, 1, 1)
                assert digest(line(changed)) != digest(line(first)), column.name
                connection.execute(sa.update(table).values({column.name: getattr(first, column.name)}))


def test_the_database_writes_an_entry_s_instant_as_it_is_sealed(engine: sa.Engine) -> None:
    for part in (0, 7, 120_000, 999_999):
        write(engine, ManualClock(START.replace(microsecond=part)))
    with engine.connect() as connection:
        told = list(all_lines(connection))
        assert told == [line(each) for each in all_entries(connection)]
    assert [each.at[19:] for each in told] == [".000000Z", ".000007Z", ".120000Z", ".999999Z"]


# --- seals ---


def test_what_was_written_is_sealed_at_the_next_look(engine: sa.Engine) -> None:
    clock = ManualClock()
    write(engine, clock, 3)
    seal = Sealer(engine).seal_due(clock.now())
    assert seal is not None
    assert (seal.id, seal.from_id, seal.to_id, seal.count) == (1, 1, 3, 3)
    assert verify(engine).answer() == {"entries": 3, "ok": True, "first_bad": None}


def test_there_is_a_seal_an_hour_even_when_nothing_happens(engine: sa.Engine) -> None:
    clock, sealer = ManualClock(), Sealer(engine)
    made = [sealer.seal_due(clock.advance(60)) for _ in range(181)]
    assert [seal.id for seal in made if seal] == [1, 2, 3, 4]
    write(engine, clock)
    assert sealer.seal_due(clock.advance(0.5))
    assert verify(engine).ok


def test_a_sealer_that_was_away_catches_up_in_seals_of_a_thousand(sqlite_engine: sa.Engine) -> None:
    clock, sealer = ManualClock(), Sealer(sqlite_engine)
    sealer.seal_due(clock.now())
    for _ in range(3):
        write(sqlite_engine, clock, MOST)
        clock.advance(3_600)
    write(sqlite_engine, clock, 7)
    sealer.seal_due(clock.advance(1))
    assert [seal.count for seal in seals(sqlite_engine)] == [0, MOST, MOST, MOST, 7]
    assert verify(sqlite_engine).ok


def test_two_sealers_cannot_fork_the_chain(engine: sa.Engine) -> None:
    clock, one, other = ManualClock(), Sealer(engine), Sealer(engine)
    for _ in range(5):
        write(engine, clock, 2)
        clock.advance(1)
        both = [threading.Thread(target=each.seal_due, args=(clock.now(),)) for each in (one, other)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
    assert verify(engine).ok
    assert sum(seal.count for seal in seals(engine)) == 10


def test_a_writer_who_commits_late_is_sealed_later_and_never_lost(postgres_engine: sa.Engine) -> None:
    clock, sealer = ManualClock(), Sealer(postgres_engine)
    write(postgres_engine, clock)
    with postgres_engine.begin() as late:
        journal.record(late, actor=LEA, kind="alert noted", object="alert:1", outcome="done", at=clock.now())
        write(postgres_engine, clock)
        assert sealer.seal_due(clock.advance(1)) is None            # entry 2 is not there yet: 3 must wait for it
        assert sealer.seal_due(clock.advance(1)) is None
    seal = sealer.seal_due(clock.advance(1))
    assert seal is not None
    assert (seal.to_id, seal.count) == (3, 3)
    assert verify(postgres_engine).ok


def test_a_writer_who_gives_up_leaves_a_gap_in_the_ids_and_none_in_the_seals(postgres_engine: sa.Engine) -> None:
    clock, sealer = ManualClock(), Sealer(postgres_engine)
    write(postgres_engine, clock)
    with postgres_engine.connect() as connection:
        journal.record(connection, actor=LEA, kind="alert noted", object="alert:1", outcome="done", at=clock.now())
        connection.rollback()
    write(postgres_engine, clock)
    seal = sealer.seal_due(clock.now())
    assert seal is not None
    assert (seal.to_id, seal.count) == (3, 2)
    assert verify(postgres_engine).ok


def test_a_long_reader_does_not_hold_up_the_seals(postgres_engine: sa.Engine) -> None:
    clock, sealer = ManualClock(), Sealer(postgres_engine)
    with postgres_engine.begin() as reader:
        reader.execute(sa.text("SELECT pg_current_xact_id(), count(*) FROM journal"))
        write(postgres_engine, clock)
        assert sealer.seal_due(clock.now())


def test_many_writers_beside_two_sealers_end_in_a_journal_that_verifies(engine: sa.Engine) -> None:
    clock, stop = ManualClock(), threading.Event()

    def seal_on() -> None:
        sealer = Sealer(engine)
        while not stop.wait(0.002):
            sealer.seal_due(clock.now())

    def write_on() -> None:
        for number in range(25):
            with engine.connect() as connection:
                for _ in range(number % 3 + 1):
                    journal.record(connection, actor=LEA, kind="x", object="alert:1", outcome="done", at=clock.now())
                if number % 5 == 4:
                    connection.rollback()
                else:
                    connection.commit()

    sealers = [threading.Thread(target=seal_on) for _ in range(2)]
    writing = [threading.Thread(target=write_on) for _ in range(3)]
    for thread in sealers + writing:
        thread.start()
    for thread in writing:
        thread.join()
    stop.set()
    for thread in sealers:
        thread.join()
    Sealer(engine).seal_due(clock.now())
    with engine.connect() as connection:
        written = sum(1 for _ in all_entries(connection))
    assert sum(seal.count for seal in seals(engine)) == written
    verdict = verify(engine)
    assert verdict.ok, verdict.first_bad
    assert verdict.unsealed == 0
