"""Swaps: offered, taken, refused, taken back, expired, void; both shifts move at once and both people know."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.services.shift import swapping
from bot.store import absences, swaps
from tests.duty_stage import Life, life, paris

NOW = "2026-11-24 15:00"        # a Tuesday; Omar is primary of this week's nights, Léa of the next


def offered(here: Life, words: str = "swap {mine} @omar for {theirs}") -> tuple[int, int]:
    """Léa's first night of her week for Omar's secondary of the same."""
    mine, theirs = here.shift("2026-12-02 01:00"), here.shift("2026-12-02 01:00", "secondary")
    answer = here.say("lea", words.format(mine=mine.id, theirs=theirs.id))
    assert answer.startswith("Swap 1: primary of platform, Wed 02 Dec 00:00–08:00"), answer
    return mine.id, theirs.id


def state(here: Life, number: int = 1) -> str:
    with here.desk.read() as connection:
        found = swaps.by_id(connection, number)
    assert found is not None
    return found.state


def test_a_swap_moves_both_shifts_in_one_transaction_and_both_people_know(engine: sa.Engine) -> None:
    here = life(engine, NOW)
    offered(here)
    [asked] = here.told("omar")
    assert "Léa asks you to take primary of platform, Wed 02 Dec" in asked and "takes secondary of platform" in asked
    assert here.offers("omar") == [["Take it", "swap:take", "1"], ["No", "swap:refuse", "1"]]
    assert here.say("omar", "swap take", ref="1", way="button").startswith("Swap 1 is done: Omar has primary")
    assert (here.has("2026-12-02 01:00"), here.has("2026-12-02 01:00", "secondary")) == ("omar", "lea")
    assert (here.has("2026-12-01 01:00"), here.has("2026-12-03 01:00")) == ("lea", "lea")
    assert len(here.told("lea", "moved:")) == 2 and state(here) == "taken"
    assert {each.kind for each in here.entries()} == {"swap offered", "swap taken", "shift changed"}


def test_two_takers_click_and_one_wins(engine: sa.Engine) -> None:
    here = life(engine, NOW)
    mine = here.shift("2026-12-02 01:00")
    here.say("lea", f"swap {mine.id} @ines")
    assert here.say("ines", "swap take 1").startswith("Swap 1 is done")
    assert "Swap 1 is taken already by Inès" in here.say("ines", "swap take 1")
    assert len(here.entries("shift changed")) == 1


def test_a_gift_may_be_for_whoever_takes_it_first(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    mine = here.shift("2026-12-02 01:00")
    assert "is offered to Inès" in here.say("lea", f"shift drop {mine.id}")        # Omar is secondary at that time
    assert here.offers("ines") == [["Take it", "swap:take", "1"]]
    here.say("ines", "swap take 1")
    assert here.has("2026-12-02 01:00") == "ines"


def test_nobody_is_both_primary_and_secondary(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    mine = here.shift("2026-12-02 01:00")
    assert "Omar is secondary of platform then" in here.say("lea", f"swap {mine.id} @omar")


def test_a_swap_stays_within_one_company(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    mine = here.shift("2026-12-02 01:00")
    assert "Alice is of Bridge" in here.say("lea", f"swap {mine.id} @alice")
    here.say("lea", f"swap {mine.id} @ines")
    assert "another company" in here.say("alice", "swap take 1")
    assert "Swap 1 is for Inès" in here.say("omar", "swap take 1")


def test_nobody_is_given_a_shift_while_away(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    mine = here.shift("2026-12-02 01:00")
    here.say("lea", f"swap {mine.id} @ines")
    here.say("ines", "away 1/12 3/12")
    assert "Inès is away then" in here.say("ines", "swap take 1")
    assert "Inès is away then" in here.say("lea", f"swap {here.shift('2026-12-03 01:00').id} @ines")
    assert "Inès is away then" in here.say("ines", "override platform primary 3/12 00:00 3/12 02:00 @ines because")


def test_only_the_owner_gives_a_shift_away_and_only_in_time(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    mine, soon = here.shift("2026-12-02 01:00"), here.shift("2026-11-25 01:00")
    assert f"Shift {mine.id} is Léa's" in here.say("omar", f"swap {mine.id} @ines")
    assert "begins within a day" in here.say("omar", f"swap {soon.id} @ines")
    assert "There is no shift 99999" in here.say("omar", "swap 99999 @ines")
    here.say("lea", f"swap {mine.id} @ines")
    assert "offered already: swap 1" in here.say("lea", f"swap {mine.id} @ines")
    assert "needs somebody else" in here.say("lea", f"swap {here.shift('2026-12-03 01:00').id} @lea")


def test_hard_findings_refuse_before_anybody_is_asked(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    config = here.desk.config
    ines = config.people["ines"].model_copy(update={"flags": ("no_night",)})
    here = life(sqlite_engine, NOW, config.model_copy(update={"people": config.people | {"ines": ines}}), 0)
    mine = here.shift("2026-12-02 01:00")
    answer = here.say("lea", f"swap {mine.id} @ines")
    assert "R16 Inès" in answer and "Lawful" in answer and here.directs("ines") == []


def test_soft_findings_are_shown_before_it_is_taken(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    mine = here.shift("2026-12-06 01:00")                   # a Sunday on call, known less than 15 days before
    here.say("lea", f"swap {mine.id} @ines")
    assert "R13 Inès" in here.told("ines")[0]
    here.say("ines", "swap take 1")
    with here.desk.read() as connection:
        found = swaps.by_id(connection, 1)
    assert found is not None and any(each.startswith("R13 ines") for each in json.loads(found.findings or "[]"))


def test_who_is_asked_may_refuse_and_the_offer_ends(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    offered(here)
    assert "you said no; it stays with Léa" in here.say("omar", "swap refuse 1")
    assert "Omar cannot take primary" in here.told("lea")[0] and state(here) == "refused"
    assert "Swap 1 is refused already by Omar" in here.say("omar", "swap take 1")
    assert here.has("2026-12-02 01:00") == "lea"


def test_the_requester_may_take_it_back(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    offered(here)
    assert "only they may take it back" in here.say("omar", "swap cancel 1")
    assert "taken back" in here.say("lea", "swap cancel 1")
    assert "Léa took the offer back" in here.told("omar")[-1] and state(here) == "cancelled"


def test_an_offer_expires_a_day_before_the_shift_and_both_are_told_once(engine: sa.Engine) -> None:
    here = life(engine, NOW)
    offered(here)
    here.clock.instant = paris("2026-12-01 00:00") - timedelta(seconds=1)
    assert swapping.act(here.desk) == 0
    here.clock.advance(1)
    assert (swapping.act(here.desk), swapping.act(here.desk)) == (1, 0)
    assert state(here) == "expired" and "has expired" in here.told("lea")[0] and "has expired" in here.told("omar")[-1]


def test_a_swap_whose_shift_moved_is_void_and_both_are_told(engine: sa.Engine) -> None:
    here = life(engine, NOW)
    offered(here)
    here.say("ines", "override platform primary 2/12 00:00 2/12 04:00 @ines training")
    assert "was changed meanwhile" in here.say("omar", "swap take 1")
    assert (swapping.act(here.desk), swapping.act(here.desk)) == (1, 0)
    assert state(here) == "void" and "Swap 1 is void" in here.told("lea")[-1] and "Swap 1 is void" in here.told("omar")[-1]


def test_a_swap_with_somebody_who_has_left_is_void(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    offered(here)
    with here.desk.begin("test") as connection:
        absences.add_leaver(connection, "omar", here.clock.now())
    assert swapping.act(here.desk) == 1 and state(here) == "void"
    assert "Swap 1 is void" in here.told("lea")[-1] and len(here.told("omar")) == 1


@pytest.mark.parametrize(
    ("said", "answer"),
    [("swap take", "Which swap"), ("swap take 7", "no swap 7"), ("swap", "No swap waits"), ("swap take x", "no swap x")],
)
def test_a_swap_says_how(sqlite_engine: sa.Engine, said: str, answer: str) -> None:
    assert answer in life(sqlite_engine, NOW, published_days=0).say("lea", said)


def test_open_swaps_are_listed_to_those_whom_they_concern(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    offered(here)
    assert "swap 1: Léa gives primary" in here.say("lea", "swap") and "swap 1: Léa gives primary" in here.say("omar", "swap")
    assert "No swap waits" in here.say("alice", "swap")


def test_a_button_opens_the_form_and_the_form_offers_it(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    mine, theirs = here.shift("2026-12-02 01:00"), here.shift("2026-12-02 01:00", "secondary")
    assert here.say("lea", "swap", ref=str(mine.id), way="button") == ""            # the form
    answer = here.say("lea", f"swap omar for={theirs.id}", ref=str(mine.id), way="form")
    assert answer.startswith("Swap 1: primary of platform")
