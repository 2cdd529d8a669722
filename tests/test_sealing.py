"""The month is sealed once, at its cut-off or as soon as Vigie is up again; later versions say what differs; a journal that
is not whole is neither sealed nor signed."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.errors import Refused
from bot.review import Review
from bot.review.arithmetic import written
from bot.services.alert import overview
from bot.services.desk import Desk
from bot.services.meters import Meters
from bot.services.review import deciding, decisions, posting, reading, sealing, signing, unsigned, verdicts
from bot.services.review.deciding import Wanted
from bot.services.slack import reviewcards
from bot.store import cards, journal, reviews
from tests.fakes import KillAt, Killed
from tests.month_stage import CUT_OFF, MORNING, NOVEMBER, alert, clock, close, go_to, lived, pass_by, seal
from tests.story import ALICE, INES, LEA, MARIE, PAUL, T0, desk_on


@pytest.fixture
def desk(sqlite_engine: sa.Engine) -> Desk:
    return lived(sqlite_engine)


def versions(desk: Desk, month: str = NOVEMBER) -> list[reviews.Sealed]:
    with desk.read() as connection:
        return reviews.versions(connection, month)


def kept(desk: Desk, version: int) -> Review:
    with desk.read() as connection:
        return written.from_json(reviews.body(connection, NOVEMBER, version))


def told(desk: Desk, about: str = f"review:{NOVEMBER}") -> list[tuple[str, dict]]:
    with desk.read() as connection:
        return [(each.kind, json.loads(each.details)) for each in journal.about(connection, [about], 50)]


def posts(desk: Desk, like: str) -> list[str]:
    with desk.read() as connection:
        query = sa.select(cards.post.c.key).where(cards.post.c.key.like(like)).order_by(cards.post.c.key)
        return list(connection.execute(query).scalars())


def tamper(desk: Desk, entry: int) -> None:
    with desk.engine.begin() as connection:
        for trigger in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all():
            connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        connection.execute(sa.update(journal.journal).where(journal.journal.c.id == entry).values(actor="nobody"))


def test_nothing_is_sealed_before_nine_of_the_third_working_day(desk: Desk) -> None:
    for at in (T0 + timedelta(days=3), datetime(2026, 12, 1, 12, tzinfo=UTC), CUT_OFF - timedelta(seconds=1)):
        go_to(desk, at)
        assert sealing.act(desk) == 0
    go_to(desk, CUT_OFF)
    assert sealing.act(desk) == 1 and sealing.act(desk) == 0
    [one] = versions(desk)
    assert (one.version, one.as_of, one.made_by) == (1, CUT_OFF, "vigie")


def test_what_is_kept_is_the_whole_review_with_its_digest_and_the_journal_names_it(desk: Desk) -> None:
    go_to(desk, CUT_OFF)
    sealing.act(desk)
    review, [one] = kept(desk, 1), versions(desk)
    assert (review.state, review.version, review.as_of) == ("sealed", 1, CUT_OFF.isoformat())
    assert review.figures["volume"].value == 3 and written.digest(review) == one.digest
    assert [(kind, each["digest"]) for kind, each in told(desk)] == [("review sealed", one.digest)]


def test_the_same_rows_make_the_same_review_again_whatever_happened_since(desk: Desk) -> None:
    go_to(desk, CUT_OFF)
    sealing.act(desk)
    pass_by(desk, days=3)
    close(desk, 3, ALICE)
    verdicts.give(desk, LEA, alert(desk, 1), "noise")
    seal(desk)
    with desk.read() as connection:
        proof = reading.verify(connection, desk.config, NOVEMBER, 1)
    assert proof.whole and proof.same


def test_a_decision_that_was_moved_or_done_later_is_known_as_it_was_at_the_cut_off(desk: Desk) -> None:
    made = deciding.decide(desk, MARIE, Wanted("fix NAT in 3a", owner="lea", due="2026-12-01", month="2026-10"))
    go_to(desk, CUT_OFF)
    sealing.act(desk)
    pass_by(desk, hours=1)
    moved = decisions.give(desk, INES, decisions.put_off(desk, INES, made, "2026-12-20"), "@alice")
    decisions.end(desk, ALICE, moved, "done", "second gateway")
    with desk.read() as connection:
        assert reading.verify(connection, desk.config, NOVEMBER, 1).same


def test_what_happened_after_the_cut_off_is_not_in_a_review_that_is_sealed_late(desk: Desk) -> None:
    go_to(desk, CUT_OFF + timedelta(hours=3))
    close(desk, 3, ALICE)
    assert sealing.act(desk) == 1
    review, [one] = kept(desk, 1), versions(desk)
    assert review.figures["still_open_share"].value == pytest.approx(1 / 3)
    assert posting.late(one) == timedelta(hours=3)


def test_after_a_long_absence_each_of_the_last_three_months_is_sealed_once_oldest_first(desk: Desk) -> None:
    go_to(desk, datetime(2027, 3, 20, 12, tzinfo=UTC))
    assert sealing.act(desk) == 3 and sealing.act(desk) == 0
    assert [len(versions(desk, name)) for name in ("2026-11", "2026-12", "2027-01", "2027-02", "2027-03")] == [0, 1, 1, 1, 0]


def test_a_month_before_vigie_kept_a_journal_is_not_sealed(desk: Desk) -> None:
    go_to(desk, CUT_OFF)
    assert sealing.act(desk) == 1
    assert versions(desk, "2026-10") == []


def test_of_two_workers_one_seals_and_posts(desk: Desk) -> None:
    go_to(desk, CUT_OFF)
    [month] = sealing.due(desk)
    assert [sealing.seal(desk, month), sealing.seal(desk, month)] == [True, False]
    assert posts(desk, "review:2026-11:%") == ["review:2026-11:1"] and len(told(desk)) == 1


@pytest.mark.parametrize("point", ["seal review: before commit", "seal review: after commit"])
def test_a_death_around_the_commit_leaves_one_review_and_one_message(sqlite_engine: sa.Engine, point: str) -> None:
    desk = lived(sqlite_engine, KillAt(point))
    go_to(desk, CUT_OFF)
    with pytest.raises(Killed):
        sealing.act(desk)
    sealing.act(desk)
    assert len(versions(desk)) == 1 and posts(desk, "review:2026-11:%") == ["review:2026-11:1"] and len(told(desk)) == 1


def test_the_message_and_whoever_signs_wait_for_the_end_of_the_blackout(desk: Desk) -> None:
    night = datetime(2026, 12, 4, 2, tzinfo=UTC)        # 03:00 in Paris, Bridge's blackout
    go_to(desk, night)
    sealing.act(desk)
    with desk.read() as connection:
        due = {key: cards.by_key(connection, key).due_at for key in posts(desk, "review:%") + posts(desk, "exhibit:%")}
    assert len(due) >= 6 and set(due.values()) == {datetime(2026, 12, 4, 7, tzinfo=UTC)}


def test_each_lead_and_manager_is_asked_to_sign_and_nobody_else(desk: Desk) -> None:
    go_to(desk, CUT_OFF)
    sealing.act(desk)
    assert posts(desk, "review:sign:%") == [f"review:sign:2026-11v1:{who}" for who in ("ines", "marie", "paul")]


# --- later versions ---


def test_a_later_version_holds_what_was_learnt_since_and_says_what_differs(desk: Desk) -> None:
    go_to(desk, CUT_OFF)
    sealing.act(desk)
    pass_by(desk, hours=2)
    close(desk, 3, ALICE)
    verdicts.give(desk, LEA, alert(desk, 1), "noise")
    made = sealing.again(desk, MARIE, NOVEMBER, "the ledger alert was closed at last")
    assert (made.version, made.why, made.made_by) == (2, "the ledger alert was closed at last", "marie")
    changed = {each["name"]: (each["before"], each["after"]) for each in json.loads(made.changes or "[]")}
    assert changed["still_open_share"] == (pytest.approx(1 / 3), 0)
    assert kept(desk, 1).figures["still_open_share"].value == pytest.approx(1 / 3), "the first stays as it was"
    assert posts(desk, "review:2026-11:%") == ["review:2026-11:1", "review:2026-11:2"]
    with desk.read() as connection:
        assert reading.verify(connection, desk.config, NOVEMBER, 2).same


def test_who_is_neither_lead_nor_manager_makes_none_nor_does_anybody_without_a_reason(desk: Desk) -> None:
    go_to(desk, CUT_OFF)
    with pytest.raises(Refused, match="not sealed yet: Vigie seals it by itself at 3 Dec 2026 09:00"):
        sealing.again(desk, MARIE, NOVEMBER, "because")
    sealing.act(desk)
    with pytest.raises(Refused, match=r"is for leads and managers; vigie.yaml lists you as engineer. Of Padok: Inès"):
        sealing.again(desk, LEA, NOVEMBER, "because")
    with pytest.raises(Refused, match="Say why"):
        sealing.again(desk, MARIE, NOVEMBER, "  ")


def test_where_nothing_differs_there_is_nothing_to_seal_anew(desk: Desk) -> None:
    go_to(desk, CUT_OFF)
    sealing.act(desk)
    with pytest.raises(Refused, match="Nothing in it differs from v1"):
        sealing.again(desk, PAUL, NOVEMBER, "just so")


# --- signatures ---


def test_one_of_each_side_signs_and_then_it_is_agreed(desk: Desk) -> None:
    go_to(desk, MORNING)
    sealing.act(desk)
    assert signing.sign(desk, INES, NOVEMBER) == (versions(desk)[0], False)
    assert signing.sign(desk, MARIE, NOVEMBER, 1) == (versions(desk)[0], True)
    assert [kind for kind, _ in told(desk)] == ["review sealed", "review signed", "review signed", "review agreed"]
    with pytest.raises(Refused, match="Marie has signed v1 of 2026-11 for Bridge"):
        signing.sign(desk, PAUL, NOVEMBER)


def test_an_engineer_signs_nothing_nor_does_anybody_a_month_that_is_provisional(desk: Desk) -> None:
    go_to(desk, CUT_OFF - timedelta(hours=1))
    with pytest.raises(Refused, match="is provisional, so far"):
        signing.sign(desk, INES, NOVEMBER)
    go_to(desk, MORNING)
    sealing.act(desk)
    with pytest.raises(Refused, match="leads and managers"):
        signing.sign(desk, ALICE, NOVEMBER)


def test_a_later_version_is_signed_anew_and_the_older_one_no_more(desk: Desk) -> None:
    go_to(desk, MORNING)
    sealing.act(desk)
    signing.sign(desk, INES, NOVEMBER)
    close(desk, 3, ALICE)
    sealing.again(desk, MARIE, NOVEMBER, "closed at last")
    with pytest.raises(Refused, match="There is a newer version of 2026-11: v2"):
        signing.sign(desk, MARIE, NOVEMBER, 1)
    with desk.read() as connection:
        assert reviews.signatures(connection, NOVEMBER, 2) == []
    signing.sign(desk, INES, NOVEMBER)


# --- a journal that is not whole ---


def test_a_month_whose_journal_was_rewritten_is_not_sealed_and_its_channel_is_told_where(desk: Desk) -> None:
    tamper(desk, 3)
    go_to(desk, CUT_OFF)
    assert sealing.act(desk) == 0 and versions(desk) == []
    assert posts(desk, "review:%") == ["review:broken:2026-11:2026-12-03"]
    with desk.read() as connection:
        said = cards.by_key(connection, "review:broken:2026-11:2026-12-03")
    assert said is not None and "entry 3" in (said.body or "")
    assert sealing.act(desk) == 0 and [kind for kind, _ in told(desk)] == []        # a refusal, told once a day
    pass_by(desk, days=1)
    sealing.act(desk)
    assert len(posts(desk, "review:broken:%")) == 2


def test_a_journal_that_was_rewritten_after_the_sealing_is_not_signed(desk: Desk) -> None:
    go_to(desk, MORNING)
    sealing.act(desk)
    tamper(desk, 3)
    with pytest.raises(Refused, match=r"The journal is not whole: entry 3, .* v1 of 2026-11 cannot be signed"):
        signing.sign(desk, INES, NOVEMBER)
    with pytest.raises(Refused, match="neither sealed nor signed"):
        sealing.again(desk, MARIE, NOVEMBER, "because")


@pytest.mark.parametrize("columns", [("body",), ("body", "digest")])
def test_a_review_whose_text_was_changed_in_the_database_is_not_signed(desk: Desk, columns: tuple[str, ...]) -> None:
    go_to(desk, MORNING)
    sealing.act(desk)
    with desk.engine.begin() as connection:
        better = reviews.body(connection, NOVEMBER, 1).replace('"volume"', '"volumes"')
        values = {"body": better, "digest": written.hashlib.sha256(better.encode()).hexdigest()}
        connection.execute(sa.update(reviews.review).values({each: values[each] for each in columns}))
    with pytest.raises(Refused, match="is not the one that was sealed"):
        signing.sign(desk, INES, NOVEMBER)


def test_a_version_that_is_none_is_answered_with_the_newest_there_is(desk: Desk) -> None:
    go_to(desk, MORNING)
    with desk.read() as connection, pytest.raises(Refused, match="of 2026-11: none is sealed yet"):
        reading.get(connection, desk.config, NOVEMBER, desk.clock.now(), 4)
    sealing.act(desk)
    with desk.read() as connection, pytest.raises(Refused, match="the newest is v1"):
        reading.get(connection, desk.config, NOVEMBER, desk.clock.now(), 4)


# --- a fault of ours ---


def test_a_review_that_breaks_is_tried_after_five_minutes_then_hourly_and_told_once(
    sqlite_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = (first := lived(sqlite_engine)), desk_on(sqlite_engine, clock(first))
    tries: list[datetime] = []

    def breaks(*_: object) -> Review:
        tries.append(there.clock.now())
        raise KeyError("no such chapter")

    with monkeypatch.context() as broken:
        broken.setattr(sealing.composing, "compose", breaks)
        for minutes in (0, 0.5, 4.5, 5, 6, 60, 65, 66, 124, 125):
            for desk in (here, there):              # two workers keep the same pace
                go_to(desk, CUT_OFF + timedelta(minutes=minutes))
                assert sealing.act(desk) == 0
        assert [(each - CUT_OFF) // timedelta(minutes=1) for each in tries] == [0, 5, 65, 125]
        assert posts(here, "review:%") == ["review:fault:2026-11"]
        said = cards.by_key(here.engine.connect(), "review:fault:2026-11").body
        assert "The review of November 2026 could not be made: KeyError" in said and "no such chapter" not in said
        status = overview.text(here)
        assert "*Review of November 2026* is not sealed: KeyError, a fault of Vigie's own, since" in status
        assert "11:05 UTC" in status.rpartition("tried again at")[2]
        assert b"vigie_reviews_failing 1.0" in Meters().expose(here, 0)
    go_to(here, CUT_OFF + timedelta(minutes=186))
    assert sealing.act(here) == 1 and "is not sealed" not in overview.text(here)
    assert b"vigie_reviews_failing 0.0" in Meters().expose(here, 0)


def test_a_database_that_is_away_is_no_fault_of_the_review(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> Review:
        raise sa.exc.OperationalError("SELECT", {}, Exception("gone"))

    go_to(desk, CUT_OFF)
    with monkeypatch.context() as broken:
        broken.setattr(sealing.composing, "compose", away)
        assert sealing.act(desk) == 0 and posts(desk, "review:%") == []
    assert sealing.act(desk) == 1


# --- a side that does not sign ---


def test_a_side_that_has_not_signed_is_asked_again_after_three_working_days_once_and_awake(desk: Desk) -> None:
    go_to(desk, CUT_OFF)                                        # Thursday
    sealing.act(desk)
    signing.sign(desk, INES, NOVEMBER)
    for day, hour, expected in ((4, 12, 0), (7, 12, 0), (8, 2, 0), (8, 6.5, 0), (8, 7.5, 1), (8, 12, 0), (9, 12, 0)):
        go_to(desk, datetime(2026, 12, day, tzinfo=UTC) + timedelta(hours=hour))
        assert unsigned.act(desk) == expected, (day, hour)
    assert posts(desk, "review:unsigned:%") == [f"review:unsigned:2026-11v1:{who}" for who in ("marie", "paul")]
    with desk.read() as connection:
        said = cards.by_key(connection, "review:unsigned:2026-11v1:marie").body
    assert "(v1), sealed 3 working days ago, is not signed for Bridge" in said and "review:sign" in said
    assert ("signature reminded", "marie, paul") in [(kind, each.get("who", "").replace("paul, marie", "marie, paul"))
                                                     for kind, each in told(desk)]


def test_who_signs_or_is_reminded_between_the_look_and_the_deed_is_not_reminded_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process is quicker by a moment: for Padok it reminds, for Bridge somebody signs."""
    go_to(desk, CUT_OFF)
    sealing.act(desk)
    go_to(desk, datetime(2026, 12, 10, 12, tzinfo=UTC))
    in_turn = unsigned.singly.each

    def overtaken(*given: Any) -> int:
        monkeypatch.setattr(unsigned.singly, "each", in_turn)
        signing.sign(desk, MARIE, NOVEMBER)
        assert unsigned.act(desk) == 1
        return in_turn(*given)

    monkeypatch.setattr(unsigned.singly, "each", overtaken)
    assert unsigned.act(desk) == 0
    assert [each["side"] for kind, each in told(desk) if kind == "signature reminded"] == ["padok"]
    assert posts(desk, "review:unsigned:%:marie") == []


def test_what_both_sides_have_signed_reminds_nobody_and_a_new_version_asks_anew(desk: Desk) -> None:
    go_to(desk, CUT_OFF)
    sealing.act(desk)
    for each in (INES, MARIE):
        signing.sign(desk, each, NOVEMBER)
    go_to(desk, datetime(2026, 12, 10, 12, tzinfo=UTC))
    assert unsigned.act(desk) == 0
    close(desk, 3, ALICE)
    sealing.again(desk, MARIE, NOVEMBER, "closed at last")
    assert unsigned.act(desk) == 0
    go_to(desk, datetime(2026, 12, 15, 12, tzinfo=UTC))
    assert unsigned.act(desk) == 2


def test_the_message_of_the_next_month_says_what_is_unsigned_until_it_is_signed(desk: Desk) -> None:
    go_to(desk, datetime(2027, 1, 6, 12, tzinfo=UTC))
    sealing.act(desk)

    def shown() -> tuple[str, int]:
        with desk.read() as connection:
            post = cards.by_key(connection, "review:2026-12:1")
            return str(reviewcards.draw_review(desk, connection, post).blocks), post.revision

    words, revision = shown()
    assert "✍ The review of November 2026 is not signed for Padok and Bridge: `/vigie review 2026-11 sign`." in words
    signing.sign(desk, INES, NOVEMBER)
    assert "November 2026 is not signed for Bridge:" in shown()[0] and shown()[1] > revision
    signing.sign(desk, PAUL, NOVEMBER)
    assert "November 2026 is not signed" not in shown()[0]
