"""Block Kit below the block: texts, options, confirm dialogs, buttons, menus and inputs, each with Slack's limits."""

from collections.abc import Iterator
from typing import Any

from bot.workspace.shapes import (
    Check,
    also,
    anything,
    at_least_one,
    boolean,
    exactly_one,
    fault,
    integer,
    many,
    one_of,
    record,
    string,
    tagged,
    url,
)


def text(most: int, *kinds: str) -> Check:
    """A text object of the given kinds; both kinds when none is given."""
    shapes = {
        "plain_text": record({"text": string(most)}, {"emoji": boolean}),
        "mrkdwn": record({"text": string(most)}, {"verbatim": boolean}),
    }
    return tagged({kind: shapes[kind] for kind in kinds or shapes})


def plain(most: int) -> Check:
    return text(most, "plain_text")


ACTION_ID = string(255)
CONFIRM = record(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": one_of("primary", "danger")},
)
OPTION = record({"text": plain(75), "value": string(150)}, {"description": plain(75)})
OVERFLOW_OPTION = record({"text": plain(75), "value": string(150)}, {"description": plain(75), "url": url})
RICH_OPTION = record({"text": text(75), "value": string(150)}, {"description": text(75)})
GROUP = record({"label": plain(75), "options": many(OPTION, 100)}, {})
SLACK_FILE = record({}, {"id": string(255), "url": url})


def offered(value: dict[str, Any]) -> list[Any]:
    """Every option of a menu, in groups or not."""
    groups = value.get("option_groups", [])
    return [*value.get("options", []), *(option for group in groups for option in group["options"])]


def initial_is_offered(value: Any, place: str) -> Iterator[str]:
    """What a menu starts with must be one of its options."""
    chosen = [value["initial_option"]] if "initial_option" in value else value.get("initial_options", [])
    options = [option["value"] for option in offered(value)]
    for option in chosen:
        if option.get("value") not in options:
            yield fault("initial option is not one of the options", place)


def distinct_options(value: Any, place: str) -> Iterator[str]:
    values = [option["value"] for option in offered(value)]
    if len(values) != len(set(values)):
        yield fault("options must have different values", place)


def element(required: dict[str, Check], optional: dict[str, Check], confirm: bool = True) -> Check:
    common: dict[str, Check] = {"action_id": ACTION_ID, "focus_on_load": boolean}
    if confirm:
        common["confirm"] = CONFIRM
    return record(required, {**common, **optional})


def menu(optional: dict[str, Check], several: bool = False) -> Check:
    """A select menu; `several` for the multi-select form of it."""
    more: dict[str, Check] = {"max_selected_items": integer} if several else {}
    return element({}, {"placeholder": plain(150), **more, **optional})


def static_menu(initial: dict[str, Check], several: bool = False) -> Check:
    options: dict[str, Check] = {"options": many(OPTION, 100), "option_groups": many(GROUP, 100)}
    shape = menu({**options, **initial}, several)
    return also(shape, exactly_one("options", "option_groups"), initial_is_offered, distinct_options)


def boxes(initial: dict[str, Check]) -> Check:
    """Radio buttons and checkboxes."""
    shape = element({"options": many(RICH_OPTION, 10)}, initial)
    return also(shape, initial_is_offered, distinct_options)


def typed(optional: dict[str, Check]) -> Check:
    """Something a person types into."""
    common: dict[str, Check] = {"placeholder": plain(150), "dispatch_action_config": anything}
    return element({}, {**common, **optional}, confirm=False)


IDS = many(string(255), 100)
SELECTS: dict[str, Check] = {
    "static_select": static_menu({"initial_option": OPTION}),
    "users_select": menu({"initial_user": string(255)}),
    "conversations_select": menu({
        "initial_conversation": string(255), "default_to_current_conversation": boolean,
        "response_url_enabled": boolean, "filter": anything,
    }),
    "channels_select": menu({"initial_channel": string(255), "response_url_enabled": boolean}),
    "external_select": menu({"initial_option": OPTION, "min_query_length": integer}),
}
MULTI_SELECTS: dict[str, Check] = {
    "multi_static_select": static_menu({"initial_options": many(OPTION, 100)}, several=True),
    "multi_users_select": menu({"initial_users": IDS}, several=True),
    "multi_conversations_select": menu(
        {"initial_conversations": IDS, "default_to_current_conversation": boolean, "filter": anything}, several=True
    ),
    "multi_channels_select": menu({"initial_channels": IDS}, several=True),
    "multi_external_select": menu(
        {"initial_options": many(OPTION, 100), "min_query_length": integer}, several=True
    ),
}
PICKERS: dict[str, Check] = {
    "datepicker": menu({"initial_date": string(10)}),
    "timepicker": menu({"initial_time": string(5), "timezone": string(100)}),
    "datetimepicker": element({}, {"initial_date_time": integer}),
}
BOXES: dict[str, Check] = {
    "radio_buttons": boxes({"initial_option": RICH_OPTION}),
    "checkboxes": boxes({"initial_options": many(RICH_OPTION, 10)}),
}
BUTTON = element(
    {"text": plain(75)},
    {
        "value": string(2000), "url": url, "style": one_of("primary", "danger"), "accessibility_label": string(75),
        "agent_prompt": string(4000), "agent_prompt_display": anything, "visible_to_user_ids": IDS,
    },
)
BUTTONS: dict[str, Check] = {
    "button": BUTTON,
    "workflow_button": element(
        {"text": plain(75), "workflow": anything},
        {"style": one_of("primary", "danger"), "accessibility_label": string(75)}, confirm=False,
    ),
    "overflow": also(element({"options": many(OVERFLOW_OPTION, 5)}, {}), distinct_options),
}
ICON_BUTTON = element(
    {"icon": string(255), "text": plain(75)},
    {"value": string(2000), "accessibility_label": string(75), "visible_to_user_ids": IDS},
)
FEEDBACK = record({"text": plain(75), "value": string(2000)}, {"accessibility_label": string(75)})
CONTEXT_ACTIONS: dict[str, Check] = {
    "feedback_buttons": element({"positive_button": FEEDBACK, "negative_button": FEEDBACK}, {}, confirm=False),
    "icon_button": ICON_BUTTON,
}
INPUTS: dict[str, Check] = {
    "plain_text_input": typed({
        "initial_value": string(3000, 0), "multiline": boolean, "min_length": integer, "max_length": integer,
    }),
    "email_text_input": typed({"initial_value": string(3000, 0)}),
    "url_text_input": typed({"initial_value": string(3000, 0)}),
    "number_input": typed({
        "is_decimal_allowed": boolean, "initial_value": string(50, 0), "min_value": string(50), "max_value": string(50),
    }),
    "rich_text_input": typed({"initial_value": anything, "min_lines": integer, "max_lines": integer}),
    "file_input": element({}, {"filetypes": anything, "max_files": integer}, confirm=False),
}
IMAGE = also(
    record({"alt_text": string(2000)}, {"image_url": url, "slack_file": SLACK_FILE}),
    exactly_one("image_url", "slack_file"),
)

CLICKABLE: dict[str, Check] = {**BUTTONS, **SELECTS, **MULTI_SELECTS, **PICKERS, **BOXES}
IN_ACTIONS = tagged({**CLICKABLE, "rich_text_input": INPUTS["rich_text_input"]})
IN_SECTION = tagged({**CLICKABLE, "image": IMAGE})
IN_INPUT = tagged({**SELECTS, **MULTI_SELECTS, **PICKERS, **BOXES, **INPUTS})
IN_CONTEXT = tagged({
    "image": IMAGE,
    "plain_text": record({"text": string(3000)}, {"emoji": boolean}),
    "mrkdwn": record({"text": string(3000)}, {"verbatim": boolean}),
})
RICH_TEXT = record(
    {"elements": many(tagged(dict.fromkeys(
        ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"),
        also(anything, at_least_one("elements")),
    )), 1000)},
    {"block_id": string(255)},
)
