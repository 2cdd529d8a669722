"""The month among people who mean no good: names that are no months, versions that change while somebody signs, forged rows."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier, BrokenBarrierError

import pytest
import sqlalchemy as sa

import commands
from bot.discover import discover
from bot.entrypoints.perform import Reply, Saying, perform
from bot.errors import Refused
from bot.services.desk import VIGIE, Actor, Desk
from bot.services.incident import clocks
from bot.services.ledger import journal as ledger
from bot.services.review import decisions, links, reading, sealing, signing
from bot.store import journal, reviews
from commands import Command
from tests.incident_stage import MAJOR, fires, incident, owed, reporting
from tests.month_stage import CUT_OFF, NOVEMBER, close, go_to, lived, pass_by, reviewed, seal
from tests.story import ALICE, INES, MARIE, PAUL, arrive, signal

FAMILY = discover(commands, Command)


@pytest.fixture
def desk(sqlite_engine: sa.Engine) -> Desk:
    return reviewed(sqlite_engine)


def unlock(connection: sa.Connection) -> None:
    """What nobody but the owner of the database can do: the journal may be changed from now on."""
    for trigger in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all():
        connection.exec_driver_sql(f"DROP TRIGGER {trigger}")


def say(desk: Desk, user: str, *words: str) -> Reply:
    return perform(desk, FAMILY, Saying("T0BRIDGE01", user, "slack C0REVIEW01", words))


@pytest.mark.parametrize("month", ["banana", "../../etc", "2026-13", "2031-01", "20２6-10", "%s{x}"])
def test_nothing_is_decided_for_a_month_that_is_none_so_that_no_reminder_trips_over_it(desk: Desk, month: str) -> None:
    assert not say(desk, "U0MARIE001", "decide", "text", "owner=lea", "due=2026-12-04", f"month={month}").ok
    assert say(desk, "U0MARIE001", "decide", "text", "owner=lea", "due=2026-12-04", "month=2026-10").ok
    go_to(desk, datetime(2026, 12, 4, 10, tzinfo=UTC))
    assert decisions.act(desk) == 1


def test_a_review_that_was_read_a_thousand_times_is_still_known_as_the_one_that_was_sealed(desk: Desk) -> None:
    with desk.begin("read") as connection:
        for _ in range(1000):
            ledger.record(connection, actor=VIGIE, kind="review read", object=f"review:{NOVEMBER}", outcome="done",
                          at=desk.clock.now())
    assert signing.sign(desk, MARIE, NOVEMBER)[0].version == 1


def test_a_version_that_is_replaced_while_somebody_looks_at_it_is_not_signed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    close(desk, 3, ALICE)
    looked = signing._require_whole

    def interrupted(*given: object) -> None:
        looked(*given)  # type: ignore[arg-type]
        sealing.again(desk, PAUL, NOVEMBER, "the last one is closed")

    monkeypatch.setattr(signing, "_require_whole", interrupted)
    with pytest.raises(Refused, match="There is a newer version of 2026-11: v2"):
        signing.sign(desk, MARIE, NOVEMBER)


def test_who_changes_a_sealed_review_and_the_entry_that_names_it_is_found(desk: Desk) -> None:
    seal(desk)
    pass_by(desk, hours=1)
    seal(desk)
    with desk.engine.begin() as connection:
        unlock(connection)
        text = reviews.body(connection, NOVEMBER, 1).replace("Bridge", "Padok")
        digest = hashlib.sha256(text.encode()).hexdigest()
        [entry] = journal.about(connection, [f"review:{NOVEMBER}"], 9)
        details = json.dumps({**json.loads(entry.details), "digest": digest})
        connection.execute(sa.update(journal.journal).where(journal.journal.c.id == entry.id).values(details=details))
        connection.execute(sa.update(reviews.review).values(body=text, digest=digest))
    with pytest.raises(Refused, match=f"entry {entry.id}, .*was changed after it was sealed"):
        signing.sign(desk, MARIE, NOVEMBER)


def test_a_journal_that_was_cut_off_below_the_seal_that_a_review_names_is_found(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        unlock(connection)
        connection.execute(sa.delete(journal.seal))
    for _ in ("as it was left", "sealed anew from its beginning"):
        with pytest.raises(Refused, match=r"TRUNCATED: the seal that was posted \(\w+\) is not there"):
            signing.sign(desk, MARIE, NOVEMBER)
        seal(desk)


def test_how_an_incident_was_found_is_one_of_the_words_of_the_report_and_no_text_of_its_own(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    number = fires(here)
    said = here.say("marie", "incident", f"{number}", "found=4111111111111111 <script>")
    assert "is none of those" in said and "monitoring systems, clients, third-party provider" in said
    here.say("marie", "incident", f"{number}", "found=Third party provider")
    assert incident(here).found_by == "third-party provider"


def test_both_sides_in_one_instant_have_agreed(postgres_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = lived(postgres_engine)
    go_to(desk, CUT_OFF)
    sealing.act(desk)
    together, record = Barrier(2), signing._record

    def slowly(connection: sa.Connection, actor: Actor, kind: str, *more: object) -> None:
        record(connection, actor, kind, *more)  # type: ignore[arg-type]
        if kind == "review signed":
            with suppress(BrokenBarrierError):
                together.wait(1)

    monkeypatch.setattr(signing, "_record", slowly)
    with ThreadPoolExecutor(2) as pool:
        both = pool.map(lambda who: signing.sign(desk, who, NOVEMBER)[1], (MARIE, INES))
        assert sorted(both) == [False, True]


def test_whoever_sleeps_neither_signs_nor_has_a_version_made(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine, "2026-12-04 10:00")
    fires(here, minutes_ago=60 * 24 * 10)
    sealing.act(here.desk)
    here.move("2026-12-05 03:00")
    for words in ("sign", "again because"):
        assert "You are in Bridge's blackout" in here.say("marie", f"review {NOVEMBER} {words}")


def test_a_clock_that_was_put_back_makes_no_version_that_knows_less(desk: Desk) -> None:
    go_to(desk, datetime(2026, 11, 25, 10, tzinfo=UTC))
    with pytest.raises(Refused, match=r"it is 25 Nov 2026 11:00 \(Europe/Paris\), before v1 was made"):
        sealing.again(desk, PAUL, NOVEMBER, "because")


@pytest.mark.parametrize("held", [
    [NOVEMBER], {"month": NOVEMBER}, NOVEMBER, 7, None, [NOVEMBER, 0, None, None, 1], [NOVEMBER, "x", None, None],
])
def test_a_link_that_holds_something_else_than_ours_do_opens_nothing(desk: Desk, held: object) -> None:
    desk = replace(desk, link_key=b"k" * 32)
    token = str(links._serializer(desk, desk.clock.now()).dumps(held))
    with pytest.raises(links.Forged):
        links.open_(desk, NOVEMBER, token, desk.clock.now())


def test_a_month_is_not_sealed_either_when_what_was_written_before_it_was_changed(desk: Desk) -> None:
    go_to(desk, datetime(2026, 12, 10, 10, tzinfo=UTC))
    arrive(desk, signal(key="later", name="later", at=18 * 86400))
    seal(desk)
    with desk.engine.begin() as connection:
        unlock(connection)
        connection.execute(sa.update(journal.journal).where(journal.journal.c.id == 2).values(actor="nobody"))
    go_to(desk, datetime(2027, 1, 6, 10, tzinfo=UTC))
    assert sealing.act(desk) == 0
    with desk.read() as connection:
        [entry] = [each for each in journal.all_entries(connection) if each.kind == "review not sealed"]
        assert reviews.sealed(connection, "2026-12") is None
    assert entry.object == "review:2026-12" and "entry 2 was changed after it was sealed" in entry.details


def test_two_who_classify_in_one_instant_are_both_heard_and_each_report_is_owed_once(
    postgres_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = reporting(postgres_engine)
    here.say("alice", f"incident {fires(here)} outage")
    together, renew = Barrier(2), clocks.renew

    def slowly(*given: object) -> None:
        with suppress(BrokenBarrierError):
            together.wait(1)
        renew(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(clocks, "renew", slowly)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda who: here.say(who, f"classify 1 {MAJOR}"), ("marie", "paul")))
    assert all("is MAJOR by" in each for each in both)
    assert [each.kind for each in owed(here)] == ["clients", "initial"]


def test_a_sealed_text_that_was_changed_says_so_wherever_it_is_read(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        text = reviews.body(connection, NOVEMBER, 1)
        connection.execute(sa.update(reviews.review).values(body=text.replace("Bridge", "Padok")))
    assert "This text is not the one that was sealed as v1" in say(desk, "U0MARIE001", "review", NOVEMBER).text
    with desk.read() as connection:
        found = reading.get(connection, desk.config, NOVEMBER, desk.clock.now())
        assert any("not the one that was sealed" in each for each in found.review.notes)


def test_the_same_month_has_the_same_digest_on_both_databases(sqlite_engine: sa.Engine, postgres_engine: sa.Engine) -> None:
    digests = []
    for engine in (sqlite_engine, postgres_engine):
        made = lived(engine)
        go_to(made, CUT_OFF)
        sealing.act(made)
        with made.read() as connection:
            digests.append(reviews.versions(connection, NOVEMBER)[0].digest)
    assert digests[0] == digests[1]
