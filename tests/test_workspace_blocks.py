"""The judge of messages: what Slack would take passes, what Slack would refuse is named with its place."""

from typing import Any

import pytest
from slack_sdk.models import blocks as sdk

from bot.workspace.blocks import faults, view_faults, with_ids
from tests.workspace_stage import actions, button, section


def words(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def option(value: str) -> dict[str, Any]:
    return {"text": words(value), "value": value}


def menu(**more: Any) -> dict[str, Any]:
    return {"type": "static_select", "action_id": "menu", "options": [option("a"), option("b")], **more}


CONFIRM = {"title": words("Close?"), "text": words("It fires."), "confirm": words("Close"), "deny": words("Leave")}
FIELDS = [words("a"), {"type": "mrkdwn", "text": "b"}]
IMAGE = {"type": "image", "image_url": "https://x.example/i.png", "alt_text": "chart"}
INPUT = {"type": "input", "label": words("Why"), "element": {"type": "plain_text_input"}}
CELL = {"type": "raw_text", "text": "12"}
TASK = {"type": "task_card", "task_id": "1", "title": "restart", "status": "complete"}
GOOD: list[list[dict[str, Any]]] = [
    [],
    [section("pay-api", fields=FIELDS, accessory=menu(initial_option=option("a")))],
    [{"type": "header", "text": words("x" * 150)}, {"type": "divider"}],
    [actions({**button("Close", "close"), "style": "danger", "confirm": CONFIRM}, button("Ack", "ack"))],
    [actions({"type": "overflow", "action_id": "more", "options": [option("a")]})],
    [{"type": "context", "elements": [words("a"), IMAGE]}],
    [{"type": "table", "rows": [[CELL, CELL], [CELL, CELL]]}],
    [{"type": "markdown", "text": "**bold**"}, {"type": "plan", "title": "Run 57", "tasks": [TASK]}],
    [{"type": "alert", "text": words("careful"), "level": "warning"}],
    [{"type": "container", "title": words("more"), "child_blocks": [section("inside")]}],
    [{**INPUT, "hint": words("in your own words"), "optional": True}],
    [section("x", block_id="a"), section("y", block_id="b")],
    [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}]}],
]
BAD: dict[str, tuple[list[dict[str, Any]], str]] = {
    "a section says nothing": ([{"type": "section"}], "/blocks/0"),
    "a text is empty": ([section("")], "/blocks/0/text/text"),
    "a section is too long": ([section("x" * 3001)], "/blocks/0/text/text"),
    "a header is too long": ([{"type": "header", "text": words("x" * 151)}], "/blocks/0/text/text"),
    "a header is markdown": ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "/blocks/0/text/type"),
    "there are too many fields": ([section("x", fields=[words("f")] * 11)], "/blocks/0/fields"),
    "there are no elements": ([actions()], "/blocks/0/elements"),
    "there are too many elements": ([actions(*(button("b", str(n)) for n in range(26)))], "/blocks/0/elements"),
    "a context has too much": ([{"type": "context", "elements": [words("x")] * 11}], "/blocks/0/elements"),
    "a button is too long": ([actions(button("x" * 76, "a"))], "/blocks/0/elements/0/text/text"),
    "a value is too long": ([actions(button("x", "a", "v" * 2001))], "/blocks/0/elements/0/value"),
    "a style is unknown": ([actions({**button("x", "a"), "style": "green"})], "/blocks/0/elements/0/style"),
    "a menu has no options": ([actions(menu(options=[]))], "/blocks/0/elements/0/options"),
    "a menu has too many options": ([actions(menu(options=[option(str(n)) for n in range(101)]))], "/options"),
    "an option says too much": ([actions(menu(options=[option("x" * 76)]))], "/options/0/text/text"),
    "two options are the same": ([actions(menu(options=[option("a"), option("a")]))], "/blocks/0/elements/0"),
    "a menu starts elsewhere": ([actions(menu(initial_option=option("z")))], "/blocks/0/elements/0"),
    "an overflow is too wide": (
        [actions({"type": "overflow", "action_id": "o", "options": [option(str(n)) for n in range(6)]})], "/options"
    ),
    "an action stands twice in a block": ([actions(button("a", "same"), button("b", "same"))], "/blocks/0"),
    "a block_id stands twice": ([section("x", block_id="a"), section("y", block_id="a")], "/blocks/1/block_id"),
    "there are too many blocks": ([section("x")] * 51, "/blocks"),
    "a table is too wide": ([{"type": "table", "rows": [[CELL] * 21]}], "/blocks/0/rows/0"),
    "a table is too long": ([{"type": "table", "rows": [[CELL]] * 101}], "/blocks/0/rows"),
    "there are two tables": ([{"type": "table", "rows": [[CELL]]}] * 2, "/blocks"),
    "a confirmation cannot be denied": (
        [actions({**button("x", "a"), "confirm": {name: CONFIRM[name] for name in ("title", "text", "confirm")}})],
        "/blocks/0/elements/0/confirm",
    ),
    "a block is unknown": ([{"type": "lamp"}], "/blocks/0/type"),
    "a property is unknown": ([section("x", colour="red")], "/blocks/0"),
    "an image has no words": ([{"type": "image", "image_url": "https://x.example/i.png"}], "/blocks/0"),
    "a link leads nowhere": ([actions({**button("x", "a"), "url": "runbook"})], "/blocks/0/elements/0/url"),
    "an input stands among actions": ([actions({"type": "plain_text_input", "action_id": "a"})], "/elements/0/type"),
    "the whole is too heavy": ([section("x" * 2900)] * 5, "/blocks"),
    "markdown is too long together": ([{"type": "markdown", "text": "x" * 6001}] * 2, "/blocks"),
    "a task has no such state": ([{**TASK, "status": "perhaps"}], "/blocks/0/status"),
}


@pytest.mark.parametrize("blocks", GOOD)
def test_what_slack_takes_passes(blocks: list[dict[str, Any]]) -> None:
    assert faults(blocks) == []


@pytest.mark.parametrize("why", BAD)
def test_what_slack_refuses_is_named_with_its_place(why: str) -> None:
    blocks, place = BAD[why]
    found = faults(blocks)
    assert found and any(one.endswith(f"{place}]") for one in found), found


def test_what_slacks_own_models_build_passes() -> None:
    built = [
        sdk.SectionBlock(text="*pay-api*", accessory=sdk.ButtonElement(text="Why?", action_id="why", value="142")),
        sdk.ActionsBlock(elements=[
            sdk.StaticSelectElement(placeholder="When", action_id="s", options=[sdk.Option(value="1", label="1 h")]),
            sdk.UserSelectElement(placeholder="Who", action_id="u"),
            sdk.DatePickerElement(action_id="d", initial_date="2026-11-04"),
            sdk.CheckboxesElement(action_id="c", options=[sdk.Option(value="1", label="sure")]),
        ]),
        sdk.ContextBlock(elements=[sdk.MarkdownTextObject(text="since 02:14")]),
        sdk.ImageBlock(image_url="https://x.example/i.png", alt_text="chart", title="Alerts"),
        sdk.CardBlock(title="t", body="b"),
    ]
    assert faults([block.to_dict() for block in built]) == []


def test_what_is_no_list_of_blocks_is_a_fault_and_not_a_crash() -> None:
    unnamed = {"type": "divider", "block_id": 1}
    for nonsense in ("x", {"type": "section"}, [1], [None], [{}], [{"type": ["section"]}], [unnamed]):
        assert faults(nonsense)


def test_a_modal_needs_a_title_a_submit_for_its_inputs_and_no_tables() -> None:
    titled = {"type": "modal", "title": words("Close")}
    view: dict[str, Any] = {**titled, "submit": words("Close"), "blocks": [INPUT] * 100}
    assert view_faults(view) == []
    assert any("title" in fault for fault in view_faults({"type": "modal", "blocks": []}))
    assert view_faults({**view, "title": words("x" * 25)})
    assert view_faults({**view, "blocks": [INPUT] * 101})
    assert view_faults({**view, "blocks": 1})
    assert view_faults({**view, "blocks": [{"type": "markdown", "text": "x"}]})
    assert any("submit" in fault for fault in view_faults({**titled, "blocks": [INPUT]}))
    assert view_faults({"type": "home", "blocks": [section("x")]}) == []


def test_ids_are_filled_in_and_what_was_sent_stays_as_it_was() -> None:
    sent = [actions({"type": "button", "text": words("x")}), section("y")]
    ids = iter("abc")
    filled = with_ids(sent, lambda: next(ids))
    assert filled[0]["elements"][0]["action_id"] == "a" and filled[1]["block_id"] == "b"
    assert "block_id" not in sent[1]
