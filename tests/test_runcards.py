"""What Slack shows of runs and questions: short, harmless, within Slack's limits, whatever a parameter holds."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.services.slack.askcards import AskView, ask_drawing
from bot.services.slack.drawing import Drawing
from bot.services.slack.runcards import RunView, draw_run, took
from bot.store import approvals, runs
from bot.store.approvals import Approval
from bot.store.runs import Run, Step
from tests.judge import message_faults
from tests.story import CONFIG, T0
from tests.test_cards import at, lines
from tests.workshop import catalogue, runbook

HOSTILE = {
    "mention": "<!channel> <@U0PAUL0001>", "link": "<https://evil.example|click>", "bold": "*a* _b_ `c`",
    "control": "a\u202eb\u0000c\u200b\x1b[31m", "long": "x" * 3_000, "lines": "a\n" * 500, "ampersands": "&" * 900, "empty": "",
}
STEPS = [
    {"name": "count", "title": "count the machines", "uses": "test.read"},
    {"name": "resize", "uses": "test.resize", "with": {"size": 14}},
    {"name": "restart", "uses": "test.restart", "undo": "none"},
]
BOOK = runbook(steps=STEPS, verify=[])


def run(state: str = runs.RUNNING, **changed: Any) -> Run:
    given: dict[str, Any] = {
        "id": 57, "runbook": "smaller", "title": "Smaller", "version": "1", "definition": BOOK.snapshot(),
        "parameters": {"size": 14}, "purpose": "fix", "mode": "click", "alert_id": 1, "group_id": 1, "service": "pay-api",
        "target": "service:pay-api", "channel": "C", "state": state, "actor": "alice", "organisation": "bridge",
        "origin": "slack C", "mandate": None, "mandate_version": None, "config_version": "1", "glass": None,
        "reviewed_by": None, "position": 1, "begun_at": T0, "ended_at": None, "said": None, "cancelled_by": None,
        "relapsed_at": None, "due_at": None, "busy": False, "leg": 1,
    }
    return Run(**{**given, **changed})


def steps(*states: str, **changed: Any) -> tuple[Step, ...]:
    made = []
    for number, (each, state) in enumerate(zip(BOOK.steps, states, strict=True)):
        begun = T0 if state not in ("pending", "asking") else None
        step = Step(57, number, each.name, each.caption, each.uses, state, 1, {"size": 14}, {"size": 18}, "set it to 14", {},
                    "there are 14", None, begun, at(0.8) if state == "done" else None, at(10))
        made.append(replace(step, **changed))
    return tuple(made)


def view(one: Run, *states: str, **changed: Any) -> RunView:
    return RunView(CONFIG, catalogue(BOOK), one, steps(*states, **changed))


def question(state: str = approvals.OPEN, calls: tuple[str, ...] = (), **changed: Any) -> Drawing:
    """Alice wants a step of Inès's yes."""
    asked = Approval(
        12, 57, 1, "d", [{"roles": ["lead"], "side": "any", "count": 1, "why": "the runbook asks for it"}], ["ines"], state,
        T0, T0 + timedelta(minutes=15), at(3) if state != approvals.OPEN else None, "ines", changed.pop("reason", None),
    )
    signed = [type("Row", (), {"person": "ines", "at": at(3), "standing": None})] if state in ("approved", "used") else []
    shown = view(run(runs.ASKING), "done", "asking", "pending", **changed)
    return ask_drawing(AskView(shown, asked, tuple(signed), False, calls))


def labels(drawing: Drawing) -> list[str]:
    return [each["text"]["text"] for block in drawing.blocks if block["type"] == "actions" for each in block["elements"]]


def faults(drawing: Drawing, may_call: bool = False) -> list[str]:
    return list(message_faults(drawing.text, drawing.blocks, may_call))


def test_a_run_is_one_line_a_step_and_says_who_wanted_it() -> None:
    assert lines(draw_run(view(run(mandate="nights §1"), "done", "started", "pending"))) == [
        "*Run 57* · *Smaller* on pay-api · asked by Alice (one click), mandate nights §1", "with size = 14",
        "1 ✔ count the machines · there are 14 · 48 s",
        "2 ⏳ resize · there are 14 · since 02:14 UTC, at most 10 min", "3 · restart", "⏳ *Under way*, step 2 of 3.",
    ]


@pytest.mark.parametrize(("given", "states", "said", "shown"), [
    (run(runs.ASKING), ("done", "asking", "pending"), "✋ *Waits for approval* of step 2.", ["Details", "Cancel…"]),
    (run(runs.IN_DOUBT), ("done", "in doubt", "pending"), "⚠ *In doubt*: nobody knows whether step 2",
     ["It happened, go on", "Run it again…", "Stop here", "Details"]),
    (run(runs.RUNNING, cancelled_by="lea"), ("done", "started", "pending"), "⏹ Léa cancels it", ["Details"]),
    (run(runs.UNDOING, said="it broke"), ("done", "undoing", "pending"), "↩ *Taking back* what was done. it broke",
     ["Details", "Cancel…"]),
    (run(runs.SUCCEEDED, ended_at=at(2), said="All done."), ("done",) * 3, "✅ *Went well* 02:16 UTC. All done.", ["Details"]),
    (run(runs.FAILED, ended_at=at(2), said="no"), ("done", "failed", "pending"), "❌ *Failed* 02:16 UTC. no", ["Details"]),
    (run(runs.CANCELLED, ended_at=at(2), said="By Léa."), ("done", "undone", "pending"), "⏹ *Cancelled* 02:16 UTC.", ["Details"]),
    (run(runs.SUCCEEDED, ended_at=at(2), glass="all asleep"), ("done",) * 3, "🔨 Glass broken: all asleep. Nobody has reviewed",
     ["Details", "Reviewed…"]),
])
def test_a_run_says_how_it_stands_and_offers_what_can_be_done(given: Run, states: Any, said: str, shown: list[str]) -> None:
    drawing = draw_run(view(given, *states))
    assert any(line.startswith(said) for line in lines(drawing)), lines(drawing)
    assert labels(drawing) == shown and faults(drawing) == []


def test_what_changed_something_says_whether_there_is_a_way_back() -> None:
    said = lines(draw_run(view(run(runs.SUCCEEDED, position=3, ended_at=at(2)), "done", "done", "done")))
    assert [line.rpartition(" · ")[2] for line in said[2:5]] == ["48 s", "can be undone", "no way back"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("state", [runs.RUNNING, runs.IN_DOUBT, runs.FAILED])
def test_slack_takes_a_run_whatever_it_is_called_and_given(text: str, state: str) -> None:
    given = run(state, title=text or "x", target=text, service=text, said=text, glass=text, mandate=text, actor=text,
                parameters={f"p{number}": text for number in range(30)}, ended_at=at(1), position=1)
    assert faults(draw_run(view(given, "done", "in doubt", "pending", title=text, said=text, plan=text))) == []


def test_a_run_of_a_hundred_steps_fits_a_message_and_shows_where_it_is() -> None:
    one = replace(steps("done", "done", "done")[0], title="t" * 80, said="s" * 900)
    many = tuple(replace(one, number=number) for number in range(100))
    shown = RunView(CONFIG, catalogue(BOOK), run(position=70), many)
    book = runbook(steps=[{"name": f"s{number}", "uses": "test.read"} for number in range(100)], verify=[])
    drawing = draw_run(replace(shown, run=replace(shown.run, definition=book.snapshot())))
    assert faults(drawing) == []
    assert any(line.startswith("71 ✔") for line in lines(drawing)) and "`/vigie steps 57` has them all" in str(drawing.blocks)


def test_a_question_says_exactly_what_would_be_done_and_who_may_say_yes() -> None:
    drawing = question(calls=("U0INES0001",))
    said = [line for line in lines(drawing) if line]
    assert said == [
        "<@U0INES0001> approval wanted by Alice (Bridge) for run 57 \"Smaller\", expires 02:29 UTC.",
        "Bridge is in blackout until 07:00 UTC: nobody there is asked.",
        "*Set it to 14*", "Step 2 of 3: resize · `test.resize` on pay-api · size = 14", "Now: size 18.",
        "Changes: the number of machines. Undo: back to how it is now.",
        "Wanted: the runbook asks for it. May approve: Inès (Padok lead).",
    ]
    approve = next(block for block in drawing.blocks if block["type"] == "actions")["elements"][0]
    assert approve["confirm"]["text"]["text"] == "Set it to 14" and approve["action_id"] == "vigie:approve:12"
    assert faults(drawing, may_call=True) == []


@pytest.mark.parametrize(("state", "said", "shown"), [
    ("open", "✋ *Approval wanted* by Alice (Bridge)", ["Approve", "Reject…"]),
    ("approved", "✅ *Approved* by Inès 02:17 UTC. Asked by Alice", ["Revoke"]),
    ("used", "✅ *Approved* by Inès 02:17 UTC. It has begun.", []), ("rejected", "✖ *Rejected* by Inès 02:17 UTC: too early", []),
    ("expired", "⌛ *Expired* 02:17 UTC", []), ("revoked", "↩ *Revoked* by Inès", []), ("void", "*No longer needed.*", []),
])
def test_a_question_that_is_edited_calls_nobody_and_says_how_it_was_answered(state: str, said: str, shown: list[str]) -> None:
    drawing = question(state, reason="too early")
    assert lines(drawing)[0].startswith(said), lines(drawing)
    assert labels(drawing) == shown and faults(drawing) == []


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_slack_takes_a_question_whatever_its_plan_holds(text: str) -> None:
    given = {f"p{number}": text for number in range(30)}
    for state in ("open", "rejected"):
        drawing = question(state, reason=text, plan=text or "x", title=text, given=given, before={**given, "deep": {"a": [text]}})
        assert faults(drawing) == [] and "<https://evil" not in json.dumps(drawing.blocks)


@pytest.mark.parametrize(("seconds", "said"), [(0, ""), (0.4, "0.4 s"), (48.2, "48 s"), (70, "1 min 10"), (120, "2 min")])
def test_lengths_of_steps_are_short(seconds: float, said: str) -> None:
    assert took(seconds) == said


