"""The judge of messages and views: Slack's limits, each fault named with the place where it stands."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bot.workspace.elements import (
    CONTEXT_ACTIONS,
    IMAGE,
    IN_ACTIONS,
    IN_CONTEXT,
    IN_INPUT,
    IN_SECTION,
    RICH_TEXT,
    SLACK_FILE,
    plain,
    text,
)
from bot.workspace.shapes import (
    Check,
    also,
    anything,
    at_least_one,
    boolean,
    exactly_one,
    fault,
    many,
    one_of,
    record,
    string,
    tagged,
    url,
)

MOST_BLOCKS = {"message": 50, "modal": 100, "home": 100}
MOST_CHARACTERS = 13_200        # of all blocks of a message together; undocumented, seen in the field
MOST_MARKDOWN = 12_000          # of all markdown blocks of a message together
MESSAGE_ONLY = ("markdown", "table", "data_table", "data_visualization", "context_actions", "plan", "task_card",
                "carousel", "file")
SHOWN_ONLY = ("image", "mrkdwn", "plain_text")      # elements that a person only looks at
MOST_OF_A_KIND = {"table": 1, "data_visualization": 2}
TOO_HEAVY = f"the blocks are longer than {MOST_CHARACTERS} characters together (msg_blocks_too_long)"


def block(required: dict[str, Check], optional: dict[str, Check] | None = None) -> Check:
    return record(required, {"block_id": string(255), **(optional or {})})


def distinct_actions(value: Any, place: str) -> Iterator[str]:
    """Within one block an action_id names one element."""
    ids = [one["action_id"] for one in elements_of(value) if "action_id" in one]
    for double in sorted({one for one in ids if ids.count(one) > 1}):
        yield fault(f"action_id already exists in this block: {double}", place)


def same_width(value: Any, place: str) -> Iterator[str]:
    if len({len(row) for row in value["rows"]}) > 1:
        yield fault("rows must have the same number of cells", f"{place}/rows")


def nested(value: Any, place: str) -> Iterator[str]:
    """A block inside a block; looked up late because a container may hold any of them."""
    yield from tagged(SHAPES)(value, place)


CELL = tagged({
    "raw_text": record({"text": string(3000)}, {}),
    "raw_number": record({"value": anything}, {"text": string(3000)}),
    "rich_text": RICH_TEXT,
})
TASK = block(
    {"task_id": string(255), "title": string(3000), "status": one_of("pending", "in_progress", "complete", "error")},
    {"details": RICH_TEXT, "output": RICH_TEXT, "sources": many(anything, 100)},
)
CARD = also(
    block({}, {
        "hero_image": IMAGE, "icon": IMAGE, "title": text(150), "subtitle": text(150), "body": text(200),
        "actions": many(IN_ACTIONS, 25),
    }),
    at_least_one("hero_image", "title", "body", "actions"),
)
SHAPES: dict[str, Check] = {
    "section": also(
        block({}, {"text": text(3000), "fields": many(text(2000), 10), "accessory": IN_SECTION, "expand": boolean}),
        at_least_one("text", "fields"),
    ),
    "divider": block({}),
    "header": block({"text": plain(150)}),
    "context": block({"elements": many(IN_CONTEXT, 10)}),
    "actions": also(block({"elements": many(IN_ACTIONS, 25)}), distinct_actions),
    "context_actions": also(block({"elements": many(tagged(CONTEXT_ACTIONS), 5)}), distinct_actions),
    "input": block(
        {"label": plain(2000), "element": IN_INPUT},
        {"hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "image": also(
        block({"alt_text": string(2000)}, {"title": plain(2000), "image_url": url, "slack_file": SLACK_FILE}),
        exactly_one("image_url", "slack_file"),
    ),
    "markdown": block({"text": string(MOST_MARKDOWN)}),
    "rich_text": RICH_TEXT,
    "table": also(
        block({"rows": many(many(CELL, 20), 100)}, {"column_settings": many(anything, 20)}), same_width
    ),
    "data_table": anything,             # too new to be judged: their fields are taken as they are
    "data_visualization": anything,
    "task_card": TASK,
    "plan": block({"title": string(3000)}, {"tasks": many(tagged({"task_card": TASK}), 50)}),
    "alert": block({"text": text(3000)}, {"level": one_of("default", "info", "warning", "error", "success")}),
    "card": CARD,
    "carousel": block({"elements": many(tagged({"card": CARD}), 10)}),
    "container": also(
        block(
            {"child_blocks": many(nested, 10)},
            {
                "title": plain(150), "rich_text_title": RICH_TEXT, "subtitle": text(150), "icon": IMAGE,
                "width": one_of("narrow", "standard", "wide", "full"), "is_collapsible": boolean,
                "default_collapsed": boolean, "has_header_divider": boolean,
            },
        ),
        at_least_one("title", "rich_text_title"),
    ),
    "video": block(
        {"alt_text": string(2000), "title": plain(199), "thumbnail_url": url, "video_url": url},
        {
            "title_url": url, "description": plain(200), "provider_icon_url": url, "provider_name": string(50),
            "author_name": string(49),
        },
    ),
    "file": block({"external_id": string(255), "source": one_of("remote")}),
}
BLOCK: Check = tagged(SHAPES)


def faults(blocks: Any, surface: str = "message", root: str = "/blocks") -> list[str]:
    """Everything Slack would refuse in these blocks; empty when it would take them."""
    found = list(many(BLOCK, MOST_BLOCKS[surface], least=0)(blocks, root))
    if isinstance(blocks, list) and not found:
        found += [*of_the_whole(blocks, root), *of_the_surface(blocks, surface, root)]
    return found


def of_the_whole(blocks: Sequence[Mapping[str, Any]], root: str) -> Iterator[str]:
    """What no single block can do wrong alone."""
    seen: set[str] = set()
    for at, one in enumerate(blocks):
        name = one.get("block_id")
        if name in seen:
            yield fault(f"block_id already exists: {name}", f"{root}/{at}/block_id")
        seen |= {name} if name else set()
    for kind, most in MOST_OF_A_KIND.items():
        if sum(one["type"] == kind for one in blocks) > most:
            yield fault(f"no more than {most} of type {kind} allowed", root)


def of_the_surface(blocks: Sequence[Mapping[str, Any]], surface: str, root: str) -> Iterator[str]:
    """What is right in one place and wrong in another."""
    if surface == "message":
        if weight(blocks) > MOST_CHARACTERS:
            yield fault(TOO_HEAVY, root)
        if sum(len(one["text"]) for one in blocks if one["type"] == "markdown") > MOST_MARKDOWN:
            yield fault(f"markdown must be less than {MOST_MARKDOWN + 1} characters together", root)
        return
    for at, one in enumerate(blocks):
        if one["type"] in MESSAGE_ONLY:
            yield fault(f"unsupported type: {one['type']}", f"{root}/{at}/type")


def view_faults(view: Any) -> list[str]:
    """Everything Slack would refuse in this modal or Home tab."""
    common: dict[str, Check] = {
        "callback_id": string(255, 0), "private_metadata": string(3000, 0), "external_id": string(255, 0),
    }
    modal = record({"title": plain(24), "blocks": anything}, {
        **common, "submit": plain(24), "close": plain(24), "clear_on_close": boolean, "notify_on_close": boolean,
        "submit_disabled": boolean,
    })
    found = list(tagged({"modal": modal, "home": record({"blocks": anything}, common)})(view, "/view"))
    if found:
        return found
    found = faults(view["blocks"], view["type"], "/view/blocks")
    if found or view["type"] == "home" or "submit" in view:
        return found
    if any(one["type"] == "input" for one in view["blocks"]):
        found.append(fault("missing required field: submit, since there is an input block", "/view"))
    return found


def weight(value: Any) -> int:
    """How many characters a person would read."""
    if isinstance(value, list):
        return sum(map(weight, value))
    if isinstance(value, dict):
        own = value["text"] if isinstance(value.get("text"), str) else ""
        return len(own) + sum(map(weight, value.values()))
    return 0


def elements_of(one: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The elements of a block with which a person can do something."""
    inner = [*one.get("elements", []), *one.get("actions", []), one.get("accessory"), one.get("element")]
    children = [element for child in one.get("child_blocks", []) for element in elements_of(child)]
    return [each for each in inner if isinstance(each, dict) and each.get("type") not in SHOWN_ONLY] + children


def with_ids(blocks: Sequence[Mapping[str, Any]], new: Callable[[], str]) -> list[dict[str, Any]]:
    """A copy in which every block has its block_id and every element its action_id, as Slack gives them back."""
    filled: list[dict[str, Any]] = copy.deepcopy(list(map(dict, blocks)))
    for one in filled:
        if "block_id" not in one:
            one["block_id"] = new()
        for element in elements_of(one) if one["type"] != "rich_text" else ():
            if "action_id" not in element:
                element["action_id"] = new()
    return filled
