"""What the cards say in each state, and that Slack takes every one of them."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bot.services.slack import logbook
from bot.services.slack.cards import View, draw_card
from bot.services.slack.drawing import Drawing
from bot.services.slack.remedies import Remedies
from bot.store.alerts import Alert
from bot.store.rungs import Switch
from tests.judge import message_faults
from tests.story import CONFIG, T0
from tests.workshop import runbook


def at(minutes: float) -> Any:
    return T0 + timedelta(minutes=minutes)


FIRING = Alert(
    id=142, fingerprint="f", group_id=142, state="firing", severity="critical", important=True, recognised=True,
    service="pay-api", organisation="bridge", title="5xx above 5 % (12.4 %)",
    summary="Threshold Crossed: 12.4 > 5\nCall the bank", labels={"name": "pay-api-5xx"},
    link="https://eu-west-3.console.aws.amazon.com/cloudwatch/home", since=T0, opened_at=T0, updated_at=T0,
    signals=1, relapses=0, acked_by=None, acked_at=None, assigned_to=None, snoozed_until=None,
    recovered_at=None, closed_at=None, closed_by=None, close_reason=None, seen_by=None, due_at=None,
)
ACKED = replace(FIRING, state="acked", acked_by="lea", acked_at=at(2), seen_by="lea")
RECOVERED = replace(ACKED, state="recovered", recovered_at=at(17), due_at=at(32), signals=2)
UNSEEN = replace(FIRING, state="recovered", recovered_at=at(17), due_at=at(32), signals=2)
BY_PERSON = replace(ACKED, state="closed", closed_by="lea", closed_at=at(20), close_reason="planned <!channel>")
BY_VIGIE = replace(RECOVERED, state="closed", closed_by="vigie", closed_at=at(32))
STATES: dict[str, Alert] = {
    "firing": FIRING, "acked": ACKED, "recovered": RECOVERED, "unseen": UNSEEN, "by person": BY_PERSON, "by vigie": BY_VIGIE,
    "snoozed": replace(ACKED, snoozed_until=at(60)), "assigned": replace(FIRING, assigned_to="ines"),
    "relapsed": replace(FIRING, signals=7, relapses=2), "unknown": replace(FIRING, service="unknown"),
    "long": replace(FIRING, title="x" * 500, summary="y" * 9_000, service="z" * 300, labels={"name": "n" * 900}),
    "markup": replace(FIRING, title="<!channel> *a* <@U1|x>", summary="<https://evil.example|click>", link="https://e/|<!here>"),
    "signs": replace(FIRING, title="a\u202eb\u0000c\u200b 漢字 🔥", service="sérvice"),
}


def seen(observer: str, state: str = "firing") -> Any:
    return SimpleNamespace(observer=observer, state=state, at=T0)


def drawn(*members: Alert, late_s: int | None = None, observers: tuple[Any, ...] = (seen("CloudWatch"),)) -> Drawing:
    return draw_card(View(CONFIG, members, {members[0].id: observers}, late_s))


def lines(drawing: Drawing) -> list[str]:
    """What a person reads, from top to bottom, with times as in a notification."""
    texts = [(block.get("text") or (block.get("elements") or [{}])[0]).get("text", "") for block in drawing.blocks]
    plain = "\n".join(each for each in texts if isinstance(each, str))
    return [_without_tokens(line) for line in plain.split("\n")]


def _without_tokens(line: str) -> str:
    for piece in line.split("<!date^")[1:]:
        line = line.replace("<!date^" + piece[: piece.index(">") + 1], piece[piece.index("|") + 1: piece.index(">")])
    return line


def buttons(drawing: Drawing) -> list[str]:
    row = drawing.blocks[-1]["elements"]
    return [each["text"]["text"] for each in row if each["type"] == "button"]


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("late_s", [None, 3_700])
def test_slack_takes_the_card_of_every_state(name: str, late_s: int | None) -> None:
    watching = (seen("CloudWatch"), seen("p" * 300, "no data"), seen("b", "recovered"))
    drawing = drawn(STATES[name], late_s=late_s, observers=watching)
    assert list(message_faults(drawing.text, drawing.blocks)) == []
    assert len(drawing.text) < 600


def test_a_firing_card_says_what_is_wrong_then_who_has_it_then_the_rest() -> None:
    assert lines(drawn(FIRING))[:6] == [
        "🔴 *Firing* · *important* · critical    *#142*",
        "*pay-api: 5xx above 5 % (12.4 %)* · since 22 Nov 02:14 UTC",
        "CloudWatch sees the fault.",
        "Nobody has it yet.",
        "Threshold Crossed: 12.4 &gt; 5",
        "Call the bank",
    ]
    assert buttons(drawn(FIRING)) == ["Acknowledge", "Why?", "Escalate…"]
    assert drawn(FIRING).text == "Firing, important: pay-api: 5xx above 5 % (12.4 %) (#142)"


def test_an_acknowledged_card_says_who_has_it() -> None:
    assert "Léa has it since 02:16 UTC." in lines(drawn(ACKED))
    assert buttons(drawn(ACKED)) == ["Note…", "Why?", "Escalate…"]


def test_a_recovered_card_says_how_long_it_lasted_and_when_it_closes() -> None:
    said = lines(drawn(RECOVERED, observers=(seen("CloudWatch", "recovered"),)))
    assert said[1].endswith("lasted 17 min")
    assert said[2] == "CloudWatch says OK."
    assert said[3] == "Recovered 02:31 UTC, closing at 02:46 UTC if it stays quiet. A relapse reopens this card. Léa had it."
    assert "Threshold" not in "".join(said)


def test_what_recovered_while_nobody_looked_asks_to_be_seen() -> None:
    assert "It recovered while nobody looked." in "".join(lines(drawn(UNSEEN)))
    assert buttons(drawn(UNSEEN)) == ["Mark as seen", "Why?"]


def test_what_a_run_fixed_says_so_and_not_that_nobody_looked() -> None:
    fixed, run = replace(UNSEEN, fixed_by=57), a_run("succeeded", actor="vigie")
    said = lines(helped(fixed, last=run))
    assert "\"Smaller\" fixed it (run 57). All done." in said and "nobody looked" not in "".join(said)
    assert "nobody looked" not in "".join(lines(helped(UNSEEN, under_way=UNDER_WAY)))
    over = replace(fixed, state="closed", closed_by="vigie", closed_at=at(32), ending="fixed")
    said = lines(helped(replace(over, proof="Checked: age 12 s."), last=run))
    assert "\"Smaller\" fixed it (run 57), proven well, and it stayed quiet for 15 min." in said
    assert "Checked: age 12 s." in said and "obody looked" not in "".join(said)
    said = lines(helped(replace(over, seen_by="lea"), last=run))
    assert "\"Smaller\" fixed it (run 57), and it stayed quiet for 15 min. Seen by Léa." in said and "All done." in said


def test_a_closed_card_says_who_closed_it_and_why() -> None:
    assert "Closed by Léa 02:34 UTC: planned &lt;!channel&gt;" in lines(drawn(BY_PERSON))
    said = lines(drawn(BY_VIGIE))
    assert said[0].startswith("✅ *Closed by Vigie* 02:46 UTC · nobody was paged")
    assert "It stayed quiet for 15 min. Seen by Léa." in said
    unseen = replace(BY_VIGIE, seen_by=None)
    assert "It stayed quiet for 15 min. Nobody looked at it." in lines(drawn(unseen))
    assert buttons(drawn(unseen)) == ["Mark as seen", "What happened"]


def test_a_snoozed_or_assigned_card_says_so_without_contradiction() -> None:
    assert "Léa has it since 02:16 UTC. 💤 Snoozed until 03:14 UTC." in lines(drawn(STATES["snoozed"]))
    assert "Assigned to Inès, who has not acknowledged it yet." in lines(drawn(STATES["assigned"]))
    assert "Nobody has it" not in "".join(lines(drawn(STATES["assigned"])))


def test_observers_are_compared_in_one_line() -> None:
    watching = (seen("CloudWatch"), seen("Padok-1"), seen("Bridge-1", "recovered"), seen("Padok-2", "no data"))
    said = "2 of 4 see the fault: CloudWatch, Padok-1. Bridge-1 says OK. Padok-2: no data since 02:14 UTC."
    assert lines(drawn(FIRING, observers=watching))[2] == said


def test_a_card_says_that_its_alarm_was_deleted_and_who_ends_it() -> None:
    said = "CloudWatch: the alarm was deleted at 02:14 UTC; nothing more will come, so a person closes this."
    assert lines(drawn(FIRING, observers=(seen("CloudWatch", "gone"),)))[2] == said


def helped(member: Alert, **known: Any) -> Drawing:
    """A card that knows more of remedies."""
    book = runbook(steps=[{"name": "count", "uses": "test.read"}])
    return draw_card(View(CONFIG, (member,), {member.id: (seen("CloudWatch"),)}, remedies=Remedies(runbook=book, **known)))


def a_run(state: str, **changed: Any) -> Any:
    given = {"id": 57, "title": "Smaller", "state": state, "actor": "lea", "position": 0, "said": "All done.", **changed}
    return SimpleNamespace(**given)


UNDER_WAY = SimpleNamespace(run=a_run("running"), step=SimpleNamespace(title="count"), steps=(1, 2, 3))


@pytest.mark.parametrize(("member", "known", "said", "shown", "menu"), [
    (FIRING, {"may": ("Padok", "Bridge from 08:00")},
     "Runbook: \"Smaller\" · 1 step · run by a person · may run: Padok; Bridge from 08:00",
     ["Run runbook…", "Acknowledge", "Why?", "Escalate…"],
     ["Assign…", "Snooze…", "Silence pay-api…", "Declare an incident…", "Close…"]),
    (replace(ACKED, important=False), {"may": ("Padok",)}, "Léa has it since 02:16 UTC.", ["Run runbook…", "Note…", "Why?"],
     ["Escalate…", "Assign…", "Snooze…", "Silence pay-api…", "Close…"]),
    (ACKED, {"may": ("Padok",), "paging": "Paging Omar (Padok, secondary)."},
     "Léa has it since 02:16 UTC. Paging Omar (Padok, secondary).",
     ["Run runbook…", "Acknowledge", "Why?", "Escalate…"], None),
    (FIRING, {"may": ("Bridge from 08:00",), "may_now": False},
     "Runbook: \"Smaller\" · 1 step · run by a person · may run: Bridge from 08:00",
     ["Acknowledge", "Run runbook…", "Why?", "Escalate…"], None),
    (FIRING, {"rung": "automatic", "may": ()}, "Runbook: \"Smaller\" · 1 step · runs by itself · nobody may run it now",
     ["Acknowledge", "Run runbook…", "Why?", "Escalate…"],
     ["Assign…", "Silence pay-api…", "Declare an incident…", "Stop automation of pay-api…", "Close…"]),
    (ACKED, {"under_way": UNDER_WAY},
     "Runbook \"Smaller\" running (step 1 of 3: count) · started by Léa · run 57", ["Note…", "Why?", "Escalate…"], None),
    (replace(RECOVERED, fixed_by=57), {"last": a_run("succeeded")},
     "\"Smaller\" fixed it (run 57). All done.", ["Note…", "Why?"], None),
    (replace(BY_VIGIE, proof="Checked: queue age 12 s."), {"record": (T0, 11, 11)}, "Checked: queue age 12 s.",
     ["What happened"], ["Note…"]),
    (replace(RECOVERED, proof="age 90 s"), {}, "Not closed: age 90 s", ["Note…", "Why?"], None),
    (FIRING, {"last": a_run("failed", said="no")},
     "\"Smaller\" did not fix it (run 57): no", ["Run runbook…", "Acknowledge", "Why?", "Escalate…"], None),
    (FIRING, {"stopped": Switch("service:pay-api", "lea", T0, "deploying"), "rung": "automatic"},
     "⏸ Automation is stopped for service pay-api by Léa since 02:14 UTC: deploying.",
     ["Run runbook…", "Acknowledge", "Why?", "Escalate…"],
     ["Assign…", "Silence pay-api…", "Declare an incident…", "Resume automation of pay-api", "Close…"]),
    (FIRING, {"like": "Like #97 (12 Nov): fixed by Queue backlog, run 31"}, "Like #97 (12 Nov): fixed by Queue backlog, run 31",
     ["Run runbook…", "Acknowledge", "Why?", "Escalate…"], None),
])
def test_a_card_says_what_is_done_about_it_and_offers_the_likely_next_step(
    member: Alert, known: dict[str, Any], said: str, shown: list[str], menu: list[str] | None
) -> None:
    drawing = helped(member, **known)
    assert said in lines(drawing), lines(drawing)
    assert buttons(drawing) == shown and list(message_faults(drawing.text, drawing.blocks)) == []
    assert menu in (None, [each["text"]["text"] for each in drawing.blocks[-1]["elements"][-1]["options"]])
    assert [each.get("style") for each in drawing.blocks[-1]["elements"]].count("primary") <= 1


def test_nobody_was_paged_stands_only_where_nobody_was_called() -> None:
    assert "nobody was paged" in lines(helped(BY_VIGIE))[0]
    assert "Léa was called 02:19 UTC" in lines(helped(BY_VIGIE, called=(("lea", at(5)),)))[0]
    assert "nobody could be reached" in lines(helped(BY_VIGIE, called=((None, at(5)),)))[0]
    assert "Automatic since 22 Nov: 11 of 11 went well." in lines(helped(BY_VIGIE, record=(T0, 11, 11)))


def test_what_slack_took_late_says_how_late() -> None:
    assert "⏱ Posted 61 min late: Slack did not take it before." in lines(drawn(FIRING, late_s=3_700))


def test_the_source_is_one_click_away_but_only_over_a_plain_address() -> None:
    assert "pay-api-5xx · <https://eu-west-3.console.aws.amazon.com/cloudwatch/home|Open at the source>" in lines(drawn(FIRING))
    assert "Open at the source" not in "".join(lines(drawn(STATES["markup"])))


def test_a_service_is_named_once_and_an_unknown_one_not_at_all() -> None:
    assert lines(drawn(replace(FIRING, title="pay-api answers with errors")))[1].startswith("*pay-api answers with errors*")
    assert lines(drawn(STATES["unknown"]))[1].startswith("*5xx above 5 % (12.4 %)*")


def test_the_stars_of_a_masked_card_number_do_not_break_the_bold() -> None:
    said = lines(drawn(replace(FIRING, title="411111******1111 was refused")))[1]
    assert said.startswith("*pay-api: 411111") and said.count("*") == 2


def test_a_group_of_three_speaks_for_its_worst_member() -> None:
    others = (replace(BY_PERSON, id=140), replace(RECOVERED, id=141))
    said = lines(drawn(FIRING, *others))
    assert said[0].endswith("*#142*")
    assert "2 of 3 alerts open: #142, #141" in said


def entry(kind: str, actor: str, minutes: float, details: str = "{}") -> Any:
    return SimpleNamespace(kind=kind, actor=actor, at=at(minutes), details=details, object="alert:142")


def test_the_thread_tells_what_happened_in_order() -> None:
    told = [
        entry("alert opened", "CloudWatch", 0, '{"title": "5xx <!here>"}'), entry("alert acked", "lea", 2, '{"note": "on it"}'),
        entry("alert assigned", "lea", 3, '{"to": "ines"}'), entry("alert closed", "vigie", 32, '{"reason": "stayed quiet"}'),
        entry("something new", "lea", 33),
    ]
    drawing = logbook.draw(CONFIG, FIRING, told)
    assert lines(drawing) == [
        "02:14 UTC  opened · CloudWatch: 5xx &lt;!here&gt;", "02:16 UTC  acknowledged by Léa: on it",
        "02:17 UTC  assigned to Inès by Léa", "02:46 UTC  closed by Vigie: stayed quiet", "02:47 UTC  something new",
    ]
    assert list(message_faults(drawing.text, drawing.blocks)) == []


def test_a_long_story_keeps_its_end_and_says_what_was_left_out() -> None:
    told = [entry("alert noted", "lea", n, f'{{"note": "{n} {"x" * 280}"}}') for n in range(60)]
    drawing = logbook.draw(CONFIG, FIRING, told)
    said = lines(drawing)
    assert "earlier lines: `/vigie show 142` has them all." in said[0]
    assert said[-1].startswith("03:13 UTC  Léa wrote: 59 x")
    assert list(message_faults(drawing.text, drawing.blocks)) == []
