"""The month in Slack: its message, what is attached to it, what each may read by line, button, mention and form."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

import commands
from bot.discover import discover
from bot.entrypoints import modals
from bot.entrypoints.perform import Reply, Saying, perform
from bot.services.desk import Desk
from bot.services.review import sealing, signing, verdicts
from bot.services.review.deciding import Wanted, decide
from bot.services.slack import cards as drawn
from bot.services.slack.drawing import Drawing
from bot.store import cards
from bot.workspace.blocks import view_faults
from commands import Command
from tests.judge import message_faults
from tests.month_stage import CUT_OFF, NOVEMBER, alert, close, go_to, lived, pass_by, reviewed
from tests.story import ALICE, INES, LEA, MARIE, PAUL

FAMILY = discover(commands, Command)


@pytest.fixture
def desk(sqlite_engine: sa.Engine) -> Desk:
    return reviewed(sqlite_engine)


def say(desk: Desk, user: str, *words: str, ref: str | None = None, way: Any = "line") -> Reply:
    return perform(desk, FAMILY, Saying("T0BRIDGE01", user, "slack C0REVIEW01", words, ref, way))


def shown(desk: Desk, version: int = 1) -> Drawing:
    with desk.read() as connection:
        post = cards.by_key(connection, f"review:{NOVEMBER}:{version}")
        assert post is not None
        drawing = drawn.draw(desk, connection, post)
    assert list(message_faults(drawing.text, drawing.blocks)) == []
    return drawing


def words_of(drawing: Drawing) -> str:
    return json.dumps(drawing.blocks, ensure_ascii=False)


def buttons(drawing: Drawing) -> list[str]:
    return [each["text"]["text"] for each in drawing.blocks[-1]["elements"]]


def exhibit(desk: Desk, what: str) -> Drawing:
    with desk.read() as connection:
        post = cards.by_key(connection, f"exhibit:{NOVEMBER}:1:{what}")
        assert post is not None and cards.root_of(connection, post) == cards.by_key(connection, f"review:{NOVEMBER}:1")
        return drawn.draw(desk, connection, post)


# --- the message ----------------------------------------------------------------------------------------------------------


def test_the_message_says_first_what_came_how_it_ended_and_what_to_look_at(desk: Desk) -> None:
    drawing = shown(desk)
    head, *lines = drawing.blocks[0]["text"]["text"].splitlines()
    assert head == "*November 2026, Bridge × Padok*    v1, sealed 3 Dec"
    assert lines[0].startswith("3 alerts · fixed by Vigie 0 %, healed alone 34 %, people 33 %, still open 33 %"), lines
    assert any(each.startswith("Look at first: ") for each in lines)
    assert drawing.text.startswith("The review of November 2026, v1: 3 alerts")


def test_its_buttons_open_it_ask_for_verdicts_and_decisions_and_for_both_signatures(desk: Desk) -> None:
    assert buttons(shown(desk)) == [
        "Open report", "PDF", "CSV", "Give verdicts (1 missing)", "Decide…", "Sign for Padok", "Sign for Bridge",
    ]
    verdicts.give(desk, LEA, alert(desk, 1), "useful")
    signing.sign(desk, INES, NOVEMBER)
    assert buttons(shown(desk)) == ["Open report", "PDF", "CSV", "Decide…", "Sign for Bridge"]
    assert "✍ Inès for Padok, 3 Dec · Bridge has not signed: Paul, Marie" in words_of(shown(desk))


def test_when_both_sides_have_signed_it_says_so(desk: Desk) -> None:
    for each in (INES, PAUL):
        signing.sign(desk, each, NOVEMBER)
    assert "✅ Both sides have signed it." in words_of(shown(desk)) and "SHA-256" in words_of(shown(desk))


def test_every_verdict_and_signature_and_decision_has_it_drawn_anew(desk: Desk) -> None:
    def revision() -> int:
        with desk.read() as connection:
            post = cards.by_key(connection, f"review:{NOVEMBER}:1")
            assert post is not None
            return post.revision

    seen = [revision()]
    for act in (
        lambda: verdicts.give(desk, LEA, alert(desk, 1), "useful"), lambda: signing.sign(desk, INES, NOVEMBER),
        lambda: decide(desk, MARIE, Wanted("fix NAT in 3a")),
    ):
        act()
        seen.append(revision())
    assert seen == sorted(set(seen))


def test_the_names_of_nights_never_stand_in_the_shared_message(desk: Desk) -> None:
    with desk.read() as connection:
        for key in ("csv", "pdf"):
            post = cards.by_key(connection, f"exhibit:{NOVEMBER}:1:{key}")
            assert post is not None and post.channel == "C0REVIEW01"
    assert not any(name in words_of(shown(desk)).partition("has not signed")[0] for name in ("Alice", "Léa"))


def test_one_that_was_sealed_late_says_how_late_and_as_of_when(sqlite_engine: sa.Engine) -> None:
    desk = lived(sqlite_engine)
    go_to(desk, CUT_OFF + timedelta(days=1, hours=2))
    sealing.act(desk)
    assert "Sealed 1 d 2 h late, for Vigie was down; what is in it is as of 3 Dec 2026 09:00 (Europe/Paris)." in words_of(
        shown(desk))


def test_a_newer_version_says_what_differs_and_the_older_one_sends_there(desk: Desk) -> None:
    close(desk, 3, ALICE)
    answer = say(desk, "U0MARIE001", "review", NOVEMBER, "again", "closed", "at", "last").text
    assert answer.startswith("v2 of November 2026 is sealed and posted. It differs from v1 in: "), answer
    new, old = words_of(shown(desk, 2)), words_of(shown(desk, 1))
    assert "v2 was made by Marie: closed at last" in new and "Differs from v1: " in new
    assert "There is a newer one, v2: read that." in old and "Sign for" not in old


# --- what is attached -----------------------------------------------------------------------------------------------------


def test_the_lists_are_attached_as_csv_in_the_thread_of_the_message(desk: Desk) -> None:
    file = exhibit(desk, "csv").file
    assert file is not None and file.name == "vigie-2026-11-v1.zip" and file.content[:2] == b"PK"


def test_the_report_is_attached_as_pdf(desk: Desk) -> None:
    pytest.importorskip("typst")
    file = exhibit(desk, "pdf").file
    assert file is not None and file.content[:5] == b"%PDF-" and file.title == "Review of November 2026, v1, to print"


def test_charts_are_attached_as_pictures_with_words_for_those_who_do_not_see_them(desk: Desk) -> None:
    pytest.importorskip("vl_convert")
    drawing = exhibit(desk, "chart.alerts-per-day")
    assert drawing.file is not None and drawing.file.content[:4] == b"\x89PNG"
    assert drawing.file.alt and drawing.text and "November 2026, v1" in drawing.file.title


# --- what one may ask -----------------------------------------------------------------------------------------------------


def test_a_manager_reads_the_last_month_without_saying_which(desk: Desk) -> None:
    for words in (("review",), ("review", NOVEMBER), ("review", NOVEMBER, "show")):
        answer = say(desk, "U0MARIE001", *words).text
        assert answer.startswith("*November 2026, Bridge × Padok*: v1, sealed 3 Dec 2026 09:00 (Europe/Paris).")
        assert "3 alerts" in answer and "Nobody has signed it yet." in answer
    assert "vigie review 2026-11 --format html" in answer, "where no address reaches us, the command line does"


def test_with_an_address_each_gets_links_for_the_own_side(sqlite_engine: sa.Engine, desk: Desk) -> None:
    config = desk.config.model_copy(update={"public_url": "https://vigie.example.com"})
    reached = Desk(desk.engine, config, desk.clock, desk.ids, link_key="a key")
    answer = say(reached, "U0MARIE001", "review").text
    assert "Report for Bridge, works for 7 d: https://vigie.example.com/reports/2026-11?key=" in answer
    assert "As PDF or as lists: `/vigie review 2026-11 pdf`, or csv." in answer
    only = say(reached, "U0INES0001", "review", "pdf", ref="2026-11v1", way="button").text.splitlines()
    assert len(only) == 2 and only[1].startswith("PDF for Padok, works for 7 d: https://") and only[1].endswith("format=pdf")


def test_a_month_that_is_not_over_is_shown_so_far_and_says_when_it_will_be_sealed(desk: Desk) -> None:
    answer = say(desk, "U0ALICE001", "review", "2026-12").text
    assert answer.startswith("*December 2026, Bridge × Padok*: so far, provisional, facts up to 3 Dec 2026 11:00 (Europe/Paris).")
    assert "It is sealed on 5 Jan 2027 09:00" in answer
    assert "is provisional, so far" in say(desk, "U0MARIE001", "review", "2026-12", "sign").text


@pytest.mark.parametrize(("words", "why"), [
    (("review", "2027-02"), "2027-02 has not begun: the newest month that can be looked at is 2026-12."),
    (("review", "november"), "\"november\" is no month: write year and month, as 2026-11."),
    (("review", NOVEMBER, "paint"), "is nothing. Say `/vigie review 2026-10`, then again <why>, sign or versions."),
    (("review", "2026-11v7"), "There is no version 7 of the review of 2026-11: the newest is v1."),
])
def test_what_cannot_be_shown_is_answered_with_what_can(desk: Desk, words: tuple[str, ...], why: str) -> None:
    reply = say(desk, "U0MARIE001", *words)
    assert not reply.ok and why.replace("<", "&lt;").replace(">", "&gt;") in reply.text


def test_a_month_in_which_nothing_was_prints_and_says_so(desk: Desk) -> None:
    answer = say(desk, "U0MARIE001", "review", "2026-08").text
    assert "reckoned now, provisional: no version of it was sealed." in answer and "No alert came" in answer


def test_signing_by_line_by_button_and_by_mention_is_one_act(desk: Desk) -> None:
    answer = say(desk, "U0INES0001", "review", "sign", ref="2026-11v1", way="button").text
    pass_by(desk, minutes=5)
    assert answer.startswith("You have signed v1 of November 2026 for Padok: digest ") and "Both sides" not in answer
    assert "Both sides have signed it now." in say(desk, "U0MARIE001", "review", NOVEMBER, "sign", way="mention").text
    assert "Signed by Inès for Padok, Marie for Bridge." in say(desk, "U0LEA00001", "review").text


def test_nobody_signs_for_the_other_side(desk: Desk) -> None:
    refused = say(desk, "U0INES0001", "review", "sign", "bridge", ref="2026-11v1", way="button")
    assert not refused.ok and refused.text.startswith("You sign for Padok, not for Bridge")


def test_an_engineer_may_read_and_is_told_who_signs(desk: Desk) -> None:
    assert say(desk, "U0LEA00001", "review", NOVEMBER).ok
    refused = say(desk, "U0LEA00001", "review", NOVEMBER, "sign")
    assert not refused.ok and "for leads and managers" in refused.text and "Of Padok: Inès." in refused.text


def test_versions_are_listed_with_who_made_them_why_and_their_digests(desk: Desk) -> None:
    close(desk, 3, ALICE)
    sealing.again(desk, MARIE, NOVEMBER, "closed at last")
    first, second = say(desk, "U0INES0001", "review", NOVEMBER, "versions").text.splitlines()
    assert first.startswith("v1, 3 Dec 2026 09:00 (Europe/Paris), by Vigie, digest ")
    assert second.startswith("v2, ") and second.endswith(": closed at last") and "by Marie" in second
    assert "provisional until 5 Jan 2027" in say(desk, "U0INES0001", "review", "2026-12", "versions").text


def test_again_without_a_reason_asks_for_one_in_a_form(desk: Desk) -> None:
    close(desk, 3, ALICE)
    ask = say(desk, "U0MARIE001", "review", NOVEMBER, "again").ask
    assert ask is not None and [each.name for each in ask.fields] == ["why"]
    assert list(view_faults(modals.form(desk.config, ask, "C0REVIEW01"))) == []
    back = say(desk, "U0MARIE001", "review", *ask.subject.said, "why=closed at last", way="form")
    assert back.text.startswith("v2 of November 2026 is sealed and posted.")


def test_a_button_without_a_month_lets_one_choose(desk: Desk) -> None:
    ask = say(desk, "U0MARIE001", "review", ref="form", way="button").ask
    assert ask is not None and ask.fields[0].initial == NOVEMBER and ask.fields[0].options[0] == ("2026-12", "December 2026")
    assert say(desk, "U0MARIE001", "review", "2026-11", way="form").text.startswith("*November 2026")


def test_forms_of_the_month_are_what_slack_takes(desk: Desk) -> None:
    for words, ref in ((("verdict",), "2026-11v1"), (("decide",), "2026-11v1"), (("verdict",), "1")):
        ask = say(desk, "U0INES0001", *words, ref=ref, way="button").ask
        assert ask is not None and list(view_faults(modals.form(desk.config, ask, "C0REVIEW01"))) == []


def test_help_has_the_month_where_one_looks_back(desk: Desk) -> None:
    told = say(desk, "U0MARIE001", "help").text.partition("*Looking back*")[2]
    assert all(f"`/vigie {each}" in told for each in ("review", "verdict", "decide", "action")), told


def test_a_night_of_the_blackout_shows_the_review_and_signs_nothing(desk: Desk) -> None:
    go_to(desk, datetime(2026, 12, 4, 2, tzinfo=UTC))
    assert say(desk, "U0MARIE001", "review", NOVEMBER).ok
