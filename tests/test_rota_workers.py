"""Two workers on one PostgreSQL: each reminder, intervention, statement and swap exactly once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import sqlalchemy as sa

from bot.services.desk import Desk
from bot.services.rota import reminding
from bot.services.shift import leaving, swapping
from bot.services.worktime import interventions, statements
from bot.store import shifts
from tests.duty_stage import PEOPLE, Life, life, paris
from tests.test_interventions import acted, of

HANDS = 4


def together(here: Life, act: Callable[[Desk], Any]) -> list[Any]:
    """Several processes do it in the same instant."""
    start = Barrier(HANDS)

    def work(_number: int) -> Any:
        start.wait()
        return act(here.desk)

    with ThreadPoolExecutor(HANDS) as hands:
        return list(hands.map(work, range(HANDS)))


def test_each_reminder_is_said_once(postgres_engine: sa.Engine) -> None:
    here = life(postgres_engine, "2026-11-25 23:00")
    together(here, reminding.act)
    keys = [each.key for person in PEOPLE for each in here.directs(person, "remind:")]
    assert len(keys) == len(set(keys)) == 4 and reminding.act(here.desk) == 0


def test_each_intervention_and_its_question_are_there_once(postgres_engine: sa.Engine) -> None:
    here = life(postgres_engine, "2026-11-28 02:10")
    for at in ("2026-11-28 02:10", "2026-11-28 02:20"):
        acted(here, "omar", at)
    together(here, interventions.act)
    here.move("2026-11-28 03:00")
    together(here, interventions.act)
    assert [(each.start, each.end) for each in of(here, "omar")] == [(paris("2026-11-28 02:10"), paris("2026-11-28 02:20"))]
    assert len(here.directs("omar", "worked:")) == 1 and len(here.entries("intervention ended")) == 1


def test_each_statement_is_given_once(postgres_engine: sa.Engine) -> None:
    here = life(postgres_engine, "2026-11-20 12:00")
    here.move("2026-12-01 08:00")
    assert sum(together(here, statements.act)) == 4 == len(here.entries("statement given"))


def test_a_swap_is_taken_once_and_expires_once(postgres_engine: sa.Engine) -> None:
    here = life(postgres_engine, "2026-11-24 15:00")
    for day in ("02", "03"):
        here.say("lea", f"swap {here.shift(f'2026-12-{day} 01:00').id} @ines")
    answers = together(here, lambda desk: here.say("ines", "swap take 1"))
    assert sorted(each[:14] for each in answers)[0] == "Swap 1 is done" and sum("is done" in each for each in answers) == 1
    here.move("2026-12-02 00:00")
    assert sum(together(here, swapping.act)) == 1


def test_the_shifts_of_a_leaver_are_opened_once(postgres_engine: sa.Engine) -> None:
    here = life(postgres_engine, "2026-11-24 15:00")
    assert sorted(together(here, lambda desk: leaving.left(desk, "omar"))) == [False, False, False, True]
    with here.desk.read() as connection:
        ahead = shifts.ahead(connection, here.clock.now())
    held = [(each.start, each.role) for each in ahead]
    assert len(held) == len(set(held)) and not any(each.person == "omar" for each in ahead)
    assert len(here.told("ines", "left:")) == 1


def test_who_clicks_twice_in_one_instant_has_said_it_once(postgres_engine: sa.Engine) -> None:
    here = life(postgres_engine, "2026-11-24 15:00", published_days=0)
    override = "override platform primary 4/12 01:00 4/12 02:00 @ines dentist"
    given = together(here, lambda _: here.say("ines", override))
    assert sorted(each.startswith("Inès has primary") for each in given) == [False, False, False, True]
    assert sum("Inès has that already" in each for each in given) == 3
    number = here.shift("2026-12-04 01:00").id
    offered = together(here, lambda _: here.say("ines", f"swap {number} @lea"))
    assert sum("is offered to Léa" in each for each in offered) == 1 == len(here.told("lea", "swap:"))
    said = together(here, lambda _: here.say("omar", "away 30/11 2/12"))
    assert sum(each.startswith("You are away") for each in said) == 1 and len(here.told("ines", "away:")) <= 1
