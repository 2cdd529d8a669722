"""Decisions of the review: made with an owner and a day, reminded in working hours, carried until they are done or dropped."""

import json
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

import commands
from bot.discover import discover
from bot.entrypoints.perform import Reply, Saying, perform
from bot.errors import Refused
from bot.services.desk import Desk
from bot.services.review import deciding, decisions, sealing
from bot.services.review.deciding import Wanted
from bot.store import cards, journal
from bot.store import decisions as rows
from commands import Command
from tests.month_stage import MORNING, go_to, lived, pass_by
from tests.story import ALICE, INES, LEA, MARIE, arrive, signal

FAMILY = discover(commands, Command)


@pytest.fixture
def desk(sqlite_engine: sa.Engine) -> Desk:
    made = lived(sqlite_engine)
    go_to(made, MORNING)
    return made


def say(desk: Desk, user: str, *words: str, ref: str | None = None, way: str = "line") -> Reply:
    return perform(desk, FAMILY, Saying("T0BRIDGE01", user, "slack C0REVIEW01", words, ref, way))


def told(desk: Desk, number: int) -> list[tuple[str, dict]]:
    with desk.read() as connection:
        return [(each.kind, json.loads(each.details)) for each in journal.about(connection, [f"decision:{number}"], 50)]


def only(desk: Desk) -> rows.Decision:
    with desk.read() as connection:
        found = rows.by_id(connection, 1)
    assert found is not None
    return found


def test_what_was_agreed_is_written_down_with_owner_side_day_and_what_it_is_about(desk: Desk) -> None:
    words = "decide raise the threshold owner=@lea due=2026-12-10 about=1 kind=tune saving=2900 USD a month"
    answer = say(desk, "U0MARIE001", *words.split())
    assert answer.text == (
        "Action 1, of Léa, due 2026-12-10: raise the threshold. The next review shows whether it worked. It stays in the review "
        "until `/vigie action done 1`."
    )
    made = only(desk)
    assert (made.month, made.side, made.owner, made.kind) == ("2026-11", "padok", "lea", "tune")
    assert (made.service, made.pattern, made.saving) == ("pay-api", "generic|pay-api-*xx|", "2900 USD a month")
    assert [kind for kind, _ in told(desk, 1)] == ["decision made"]


def test_what_nobody_has_and_no_day_ends_is_asked_for(desk: Desk) -> None:
    answer = say(desk, "U0MARIE001", "decide", "meet", "more", "often").text
    assert "`/vigie action owner 1 &lt;person&gt;`" in answer and "`/vigie action later 1 &lt;day&gt;`" in answer


def test_about_a_service_it_has_no_pattern_and_about_nothing_no_effect_can_be_measured(desk: Desk) -> None:
    assert deciding.decide(desk, MARIE, Wanted("smaller pool", about="ledger", kind="cut")).service == "ledger"
    made = deciding.decide(desk, MARIE, Wanted("meet more often"))
    assert (made.service, made.pattern, made.side, made.kind, made.owner) == (None, None, "bridge", "other", None)


@pytest.mark.parametrize(("wanted", "why"), [
    (Wanted(""), "What was decided"), (Wanted("x" * 301), "at most 300"), (Wanted("x", due="soon"), "is none"),
    (Wanted("x", due="2026-12-01"), "is over"), (Wanted("x", owner="nemo"), "Nobody of vigie.yaml"),
    (Wanted("x", about="mars"), "neither an alert nor a service"), (Wanted("x", about="99"), "No alert 99"),
    (Wanted("x", kind="hope"), "fix, tune, automate, delete, cut, other"), (Wanted("x", saving="y" * 81), "at most 80"),
])
def test_what_cannot_be_decided_is_refused_in_a_sentence(desk: Desk, wanted: Wanted, why: str) -> None:
    with pytest.raises(Refused, match=why):
        deciding.decide(desk, MARIE, wanted)


def test_the_button_of_a_review_asks_for_all_of_it_and_keeps_its_month(desk: Desk) -> None:
    ask = say(desk, "U0INES0001", "decide", ref="2026-10v2", way="button").ask
    assert ask is not None and [each.name for each in ask.fields] == ["text", "kind", "owner", "due", "about", "saving"]
    assert say(desk, "U0INES0001", "decide", "text=fix NAT in 3a", "kind=fix", "owner=ines", ref=ask.subject.ref, way="form").ok
    assert (only(desk).month, only(desk).text, only(desk).owner) == ("2026-10", "fix NAT in 3a", "ines")


def test_it_is_carried_until_it_is_done_and_nobody_can_end_it_twice(desk: Desk) -> None:
    deciding.decide(desk, MARIE, Wanted("fix NAT in 3a", owner="lea", due="2026-12-05"))
    pass_by(desk, days=20)
    said = say(desk, "U0MARIE001", "action").text
    assert "• 1 fix NAT in 3a · Léa, was due 2026-12-05, 18 days late · review of 2026-11" in said
    assert say(desk, "U0LEA00001", *["action", "done", "1", "second", "gateway"]).text.startswith("Action 1 is done.")
    assert (only(desk).state, only(desk).said, only(desk).ended_by) == ("done", "second gateway", "lea")
    assert "Action 1 was done by Léa at" in say(desk, "U0INES0001", *["action", "drop", "1", "no", "use"]).text
    assert say(desk, "U0MARIE001", "action", "list").text == "Nothing that was agreed is still to be done."


def test_dropping_needs_a_reason_putting_off_a_day_giving_a_person(desk: Desk) -> None:
    deciding.decide(desk, MARIE, Wanted("fix NAT in 3a", owner="lea", due="2026-12-05"))
    for verb in ("drop", "later", "owner"):
        assert (ask := say(desk, "U0INES0001", "action", verb, "1").ask) and ask.fields[0].name == "said"
    with pytest.raises(Refused, match="Say why it is dropped"):
        decisions.end(desk, INES, only(desk), "dropped", " ")
    assert say(desk, "U0INES0001", "action", "later", "said=2026-12-20", ref="action1", way="form").text == (
        "Action 1 is due 2026-12-20 now."
    )
    assert say(desk, "U0INES0001", "action", "owner", "1", "@alice").text == "Alice has action 1 now."
    assert (only(desk).due, only(desk).side) == ("2026-12-20", "bridge")
    assert [each.get("was") for kind, each in told(desk, 1)] == [None, {"due": "2026-12-05"}, {"owner": "lea", "side": "padok"}]


def test_only_whoever_has_it_or_speaks_for_their_side_says_what_became_of_it(desk: Desk) -> None:
    deciding.decide(desk, MARIE, Wanted("fix NAT in 3a", owner="alice", due="2026-12-05"))
    for line in (("done", "1"), ("drop", "1", "no", "use"), ("later", "1", "2026-12-20"), ("owner", "1", "@lea")):
        said = say(desk, "U0LEA00001", "action", *line).text
        assert said == "Action 1 is of Bridge: Alice, Paul or Marie may say what became of it."
    assert only(desk).state == "open"
    assert say(desk, "U0PAUL0001", "action", "done", "1").text.startswith("Action 1 is done.")


def test_what_it_was_at_an_instant_is_known_after_it_was_moved(desk: Desk) -> None:
    deciding.decide(desk, MARIE, Wanted("fix NAT in 3a", owner="lea", due="2026-12-05"))
    before = desk.clock.now()
    for day in ("2026-12-20", "2027-01-10"):
        pass_by(desk, days=1)
        decisions.put_off(desk, INES, only(desk), day)
    with desk.read() as connection:
        assert rows.moved_since(connection, [1], before) == {1: {"due": "2026-12-05"}}
        assert rows.moved_since(connection, [1], desk.clock.now()) == {}


def test_its_owner_is_reminded_once_on_the_day_in_working_hours(desk: Desk) -> None:
    deciding.decide(desk, MARIE, Wanted("fix NAT in 3a", owner="alice", due="2026-12-07"))
    for day, hour, expected in ((6, 12, 0), (7, 5, 0), (7, 8, 1), (7, 9, 0), (8, 9, 0)):
        go_to(desk, datetime(2026, 12, day, hour, tzinfo=UTC))
        assert decisions.act(desk) == expected, (day, hour)
    with desk.read() as connection:
        post = cards.by_key(connection, "decision:1:2026-12-07")
    assert post is not None and post.channel == "U0ALICE001" and "Due today" in (post.body or "")


def test_one_that_was_put_off_is_reminded_anew_and_what_nobody_has_goes_to_who_speaks_for_the_side(desk: Desk) -> None:
    deciding.decide(desk, INES, Wanted("ask the bank", due="2026-12-04"))
    go_to(desk, datetime(2026, 12, 4, 10, tzinfo=UTC))
    assert decisions.act(desk) == 1
    decisions.put_off(desk, INES, only(desk), "2026-12-08")
    assert decisions.act(desk) == 0
    go_to(desk, datetime(2026, 12, 9, 10, tzinfo=UTC))
    assert decisions.act(desk) == 1
    with desk.read() as connection:
        late = cards.by_key(connection, "decision:1:2026-12-08")
    assert late is not None and late.channel == "U0INES0001" and "It was due on Tue 8 Dec" in (late.body or "")


def test_a_number_that_is_none_is_answered_with_those_that_are_open(desk: Desk) -> None:
    deciding.decide(desk, LEA, Wanted("fix NAT in 3a"))
    assert say(desk, "U0LEA00001", "action", "done", "7").text == "There is no action 7 that is still open: 1."
    assert "is nothing" in say(desk, "U0LEA00001", "action", "paint", "7").text
    assert ALICE.organisation == "bridge"


def test_a_proposal_of_the_sealed_review_can_be_chosen_and_fills_in_what_is_left_empty(sqlite_engine: sa.Engine) -> None:
    desk = lived(sqlite_engine)
    for each in range(3):
        pass_by(desk, hours=2)
        arrive(desk, signal(key=f"edge/slow-{each}", name=f"edge-slow-{each}", title="edge is slow"))
        arrive(desk, signal("recovered", 7300 + 7200 * each, key=f"edge/slow-{each}", name=f"edge-slow-{each}"))
    go_to(desk, MORNING)
    sealing.act(desk)
    ask = say(desk, "U0INES0001", "decide", ref="2026-11v1", way="button").ask
    assert ask is not None and ask.fields[0].name == "proposal" and "edge is slow (3×, last #" in ask.fields[0].options[0][1]
    chosen, label = ask.fields[0].options[0]
    assert say(desk, "U0INES0001", "decide", f"proposal={chosen}", ref=ask.subject.ref, way="form").ok
    made = only(desk)
    assert (made.text, made.pattern) == (label.partition(" (")[0], "generic|edge-slow-*|") and made.kind in deciding.KINDS
    again = say(desk, "U0INES0001", "decide", ref="2026-11v1", way="button").ask
    assert again is not None and again.fields[0].name == "text", "what is decided is proposed no more"
