"""Runbooks that nobody reads any more are told of: once a week, with their owners, and nobody is called."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from bot.config import load_catalogue
from bot.services.desk import Desk
from bot.services.run import reminding
from bot.store.cards import Post, post
from runbooks.model import Runbook
from tests.config_stage import RUNBOOKS, actions, example
from tests.fakes import ManualClock
from tests.story import CONFIG, desk_on
from tests.workshop import runbook, workshop

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)       # 10:00 in Paris, in the 48th week


def old(name: str, reviewed: str, owner: str = "bridge") -> Runbook:
    return runbook(name=name, title=name.replace("-", " ").capitalize(), reviewed=reviewed, owner=owner, when=[])


def desk_with(engine: sa.Engine, *books: Runbook, at: datetime = MONDAY) -> Desk:
    return workshop(desk_on(engine, ManualClock(at)), *books).desk


def notices(desk: Desk) -> list[Post]:
    with desk.read() as connection:
        query = sa.select(post).where(post.c.kind == "notice").order_by(post.c.id)
        return [Post(**row._mapping) for row in connection.execute(query)]


def test_old_runbooks_are_told_of_where_reviews_are_read_the_oldest_first(engine: sa.Engine) -> None:
    desk = desk_with(engine, old("disk-filling", "2026-05-26", "lea"), old("queue", "2026-01-04"), old("fresh", "2026-11-01"))
    assert reminding.remind(desk)
    [told] = notices(desk)
    assert (told.channel, told.key, told.due_at) == (CONFIG.channels["review"], "stale:2026-W48", MONDAY)
    assert (told.body or "").splitlines() == [
        "📚 Nobody has read these 2 runbooks through for 180 days:",
        "• *Queue* (`queue`): Bridge, last on 04 Jan 2026",
        "• *Disk filling* (`disk-filling`): Léa of Padok, last on 26 May 2026",
        "Read them, mend what is no longer true, and write the day into `reviewed` of the file.",
    ]
    assert "<@" not in (told.body or "")


def test_they_are_told_of_once_a_week_however_often_it_is_asked(engine: sa.Engine) -> None:
    desk = desk_with(engine, old("queue", "2026-01-04"))
    clock = desk.clock
    assert isinstance(clock, ManualClock)
    told = []
    for _ in range(15):
        told.append(reminding.remind(desk))
        clock.advance(timedelta(days=1).total_seconds())
    assert [number for number, each in enumerate(told) if each] == [0, 7, 14]
    assert [each.key for each in notices(desk)] == ["stale:2026-W48", "stale:2026-W49", "stale:2026-W50"]


def test_the_week_is_that_of_the_platforms_owner_and_the_year_that_of_the_week(sqlite_engine: sa.Engine) -> None:
    sunday_night = datetime(2026, 12, 27, 23, 30, tzinfo=UTC)       # already Monday in Paris
    desk = desk_with(sqlite_engine, old("queue", "2026-01-04"), at=sunday_night)
    assert reminding.remind(desk)
    assert notices(desk)[0].key == "stale:2026-W53"


def test_it_waits_for_the_end_of_the_blackout(sqlite_engine: sa.Engine) -> None:
    night = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)               # 01:30 in Paris
    desk = desk_with(sqlite_engine, old("queue", "2026-01-04"), at=night)
    reminding.remind(desk)
    assert notices(desk)[0].due_at == datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def test_nothing_is_said_of_what_was_reviewed_in_time_or_where_nobody_reviews(sqlite_engine: sa.Engine) -> None:
    in_time = date(2026, 11, 23) - timedelta(days=180)
    assert not reminding.remind(desk_with(sqlite_engine, old("queue", in_time.isoformat())))
    nowhere = desk_on(sqlite_engine, ManualClock(MONDAY), config=CONFIG.model_copy(update={"review_channel": None}))
    assert not reminding.remind(workshop(nowhere, old("queue", "2026-01-04")).desk)
    assert notices(nowhere) == []


def test_the_runbooks_of_a_release_are_read_through_with_it(sqlite_engine: sa.Engine) -> None:
    desk = desk_with(sqlite_engine, old("queue", "2026-01-04"))
    assert not reminding.remind(replace(desk, catalogue=replace(desk.catalogue, shipped=True)))
    assert load_catalogue(None, example(), actions()).shipped and not load_catalogue(RUNBOOKS, example(), actions()).shipped


def test_a_long_list_is_cut_and_says_so(sqlite_engine: sa.Engine) -> None:
    books = [old(f"book-{number}", "2026-01-04") for number in range(reminding.MOST + 3)]
    reminding.remind(desk_with(sqlite_engine, *books))
    lines = (notices(desk_on(sqlite_engine))[0].body or "").splitlines()
    assert len(lines) == reminding.MOST + 3 and lines[-2] == "… and 3 more: `vigie check` names them all."
