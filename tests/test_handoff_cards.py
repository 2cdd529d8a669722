"""The card of a handoff: what Slack takes, at a glance, and what each state of it offers."""

import re
from dataclasses import replace
from datetime import datetime

import pytest
import sqlalchemy as sa

from bot.services.handoff import accepting, asking, writing
from bot.services.handoff.note import Closed, Item, Note, Section
from bot.services.slack import handoffcards
from bot.services.slack.drawing import Drawing
from bot.store import handoffs
from tests.handoff_stage import BRUNO, CONFIG, OMAR, PARIS, Passing
from tests.judge import message_faults
from tests.story import arrive, signal

TIME = re.compile(r"<!date\^(\d+)\^\{time\}\|[^>]*>")


def drawn(passing: Passing, boundary: str = "2026-11-24 00:00") -> Drawing:
    found = passing.now_is(boundary)
    with passing.desk.read() as connection:
        post, = [each for each in passing.posts("handoff") if each.key == f"handoff:{found.id}"]
        drawing = handoffcards.draw_handoff(CONFIG, connection, post)
    assert list(message_faults(drawing.text, drawing.blocks)) == []
    return drawing


def shown(drawing: Drawing) -> str:
    """As somebody in Paris reads it."""
    parts = [each["text"]["text"] for each in drawing.blocks if each["type"] == "section"]
    parts += [each["text"] for block in drawing.blocks if block["type"] == "context" for each in block["elements"]]
    parts.append(" ".join(f"[ {each['text']['text']} ]" for each in drawing.blocks[-1]["elements"]))
    return TIME.sub(lambda found: f"{datetime.fromtimestamp(int(found[1]), PARIS):%H:%M}", "\n".join(parts))


def test_a_draft_at_a_glance(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("20:00")
    assert shown(drawn(passing)) == """\
🌙 *Handoff Bridge → Padok*, Tue 24 Nov 00:00 (23:00 UTC) · platform · 8 h
🟢 *GREEN*: nothing is open
*On next*   Omar (primary) until 08:00, by Slack and 1 other way · Léa (secondary) until 08:00, by Slack and 1 other way
Bridge is in blackout until 08:00: nobody there is asked.
*Line*   nothing was written
*None*: open · in progress · in your shift · watch · actions · closed. *Not connected*: SLA and DORA clocks · planned changes \
and releases · certificates and keys · maintenance of banks and providers · batch jobs · error budget · sources that fell silent \
· outages of banks and partners. As of 20:00.
Draft. Bruno writes one line by 20:00; Vigie keeps the rest true until 00:00.
[ Write your line… ] [ Ask… ] [ Add action… ]"""
    passing.go("20:30")
    assert "Draft. Bruno's line was due at 20:00; Vigie keeps the rest true until 00:00." in shown(drawn(passing))


def test_a_night_with_something_open_at_a_glance(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine, "20:00")
    arrive(passing.desk, signal(severity="critical"))
    writing.write(passing.desk, passing.now_is(), BRUNO, "watch p95 until 00:30", ["5xx again: drain a target first"], None)
    passing.go("2026-11-24 00:01")
    asking.ask(passing.desk, passing.now_is(), OMAR, "which target?")
    text = shown(drawn(passing))
    for line in (
        "🔴 *RED*: something critical or important is open", "*Line*   watch p95 until 00:30  (Bruno)",
        "*If*   5xx again: drain a target first", "*Asked*   which target?  (Omar)",
        "*Open 1*",
        "Omar has asked back. Omar accepts by naming the top risk, from 00:00 on. Not accepted by 00:10: Léa; by 00:15: Inès.",
        "[ Accept… ] [ Ask… ] [ Answer… ] [ Add action… ]",
    ):
        assert line in text.splitlines(), text
    assert "• *#1* pay-api: 5xx above 5 % (12.4 %) · critical · since 03:14" in text
    assert drawn(passing).text == "Handoff Bridge → Padok, Tue 24 Nov 00:00: red"


def test_what_nobody_reviewed_says_so_and_what_was_missed_says_who_is_paged(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("23:55")
    assert "Nobody of Bridge has reviewed it." in shown(drawn(passing))
    passing.go("2026-11-24 00:10")
    assert "⚠ *Missed*: nobody accepted it by 23:10 UTC. Pages go to the primary and the secondary" in shown(drawn(passing))


def test_an_accepted_one_says_by_whom_with_which_risk_and_digest(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("2026-11-24 00:20")
    done = accepting.accept(passing.desk, passing.now_is(), OMAR, "none", (), "all is quiet")
    text = shown(drawn(passing))
    told = "✅ *Accepted* by Omar 00:20, 10 min after it was due. Top risk: none — all is quiet · note "
    assert f"{told}{(done.digest or '')[:12]}" in text and "Accept…" not in text


def test_the_morning_has_a_sun_and_says_how_the_night_was_taken(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("2026-11-24 00:01")
    accepting.accept(passing.desk, passing.now_is(), OMAR, "none")
    passing.go("2026-11-24 07:00")
    text = shown(drawn(passing, "2026-11-24 08:00"))
    assert text.startswith("☀️ *Handoff Padok → Bridge*, Tue 24 Nov 08:00 (07:00 UTC) · platform · 16 h")
    assert "\nThe one before was accepted by Omar.\n" in text


@pytest.mark.parametrize("words", ["<!channel> <@U0BRUNO001>", "*_~`" * 60, "x" * 5_000, "\u202eabc\n\n• #1", "&lt;" * 400])
def test_nothing_that_people_or_sources_write_is_more_than_text(sqlite_engine: sa.Engine, words: str) -> None:
    passing = Passing(sqlite_engine)
    found = passing.go("20:00")
    item = Item(ref="1", name="#1", text=words, severity="high", who=words, last=words, next=words, flags=(words[:80],))
    full = Section(items=(item,) * 12, more=99, unconnected=("a", "b"))
    assert found.note is not None
    note = Note.model_validate_json(found.note).model_copy(update={
        "opened": full, "running": full, "coming": full, "watch": full, "actions": full, "line": words, "line_by": words,
        "if_then": (words,) * 3, "closed": Closed(by_severity={"high": 3}, top=(item,) * 3), "previous": words,
    })
    asked = handoffs.Question(1, found.id, "omar", passing.clock.now(), words, None, None, None)
    drawing = handoffcards.draw(CONFIG, replace(found, line=words), note, (asked,) * 5)
    assert list(message_faults(drawing.text, drawing.blocks)) == []
    assert sum(map(len, handoffcards.lines(note))) < 3_000
