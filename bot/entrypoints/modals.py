"""The forms: a command's fields as a Slack modal, and what was filled in as the words of its line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.config import Config
from bot.decoding import clean
from bot.entrypoints.perform import Ask, Family
from bot.masking import mask_text
from bot.services import authority, response
from commands import Field

PREFIX = "vigie:"
VALUE = "value"
CANCEL = "Cancel"
SUBMIT = {"close": "Close for good"}
HINTS = {"duration": "At most 24 h: 30m, 2h, 1h30, 45 min"}
FIRST_DURATION = "1h"
LONGEST_TEXT = 2_000
MOST_OPTIONS = 100


@dataclass(frozen=True, slots=True)
class Filled:
    """A form that came back."""

    words: tuple[str, ...]
    alert_ref: str | None
    channel: str | None
    first_field: str | None


def form(config: Config, ask: Ask, channel: str | None) -> dict[str, Any]:
    """The modal that asks for the command's inputs."""
    command, alert = ask.command, ask.alert
    verb = (command.button or command.name.capitalize()).rstrip("…")
    what = f"{response.headline(alert)[:300]}\n{command.help.capitalize()}.".replace("`", "")     # a form takes no markup
    return {
        "type": "modal",
        "callback_id": f"{PREFIX}{command.name}",
        "private_metadata": json.dumps({"alert": str(alert.id), "channel": channel}),
        "title": _plain(f"{verb} {alert.name}"[:24]),
        "submit": _plain(SUBMIT.get(command.name, verb)[:24]),
        "close": _plain(CANCEL),
        "blocks": [
            {"type": "section", "text": _plain(what)},
            *(_input(config, each, ask.actor.key) for each in command.form),
        ],
    }


def _input(config: Config, field: Field, own: str) -> dict[str, Any]:
    block = {
        "type": "input", "block_id": field.name, "label": _plain(field.label), "optional": field.optional,
        "element": _element(config, field, own),
    }
    return {**block, "hint": _plain(HINTS[field.kind])} if field.kind in HINTS else block


def _element(config: Config, field: Field, own: str) -> dict[str, Any]:
    if field.kind == "person":
        return {"type": "static_select", "action_id": VALUE, "options": _people(config, own)}
    if field.kind == "duration":
        return {"type": "plain_text_input", "action_id": VALUE, "initial_value": FIRST_DURATION, "max_length": 40}
    return {"type": "plain_text_input", "action_id": VALUE, "multiline": True, "max_length": LONGEST_TEXT}


def _people(config: Config, own: str) -> list[dict[str, Any]]:
    """Those who may act, oneself first."""
    able = [(key, person) for key, person in config.people.items() if authority.may(person.roles, "act")]
    able.sort(key=lambda each: each[0] != own)
    return [
        {"text": _plain(f"{person.name} ({config.organisations[person.organisation].name})"[:75]), "value": key}
        for key, person in able[:MOST_OPTIONS]
    ]


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": True}


def filled(family: Family, view: Mapping[str, Any]) -> Filled:
    """What came back, as the words that would have been typed; a text stays one word, so that its lines survive."""
    name = str(view.get("callback_id", "")).removeprefix(PREFIX)
    values = (view.get("state") or {}).get("values") or {}
    fields = [each.name for each in family[name].form] if name in family else []
    given = [_value(values.get(each) or {}) for each in fields]
    kept = _kept(view.get("private_metadata"))
    return Filled(
        words=(name, *(each for each in given if each)),
        alert_ref=kept.get("alert"),
        channel=kept.get("channel"),
        first_field=next((each for each in fields if each in values), None),
    )


def _value(block: Mapping[str, Any]) -> str:
    element = block.get(VALUE) or {}
    chosen = (element.get("selected_option") or {}).get("value")
    return mask_text(clean(str(chosen or element.get("value") or "")).strip())


def _kept(metadata: Any) -> dict[str, str]:
    try:
        kept = json.loads(metadata or "{}")
    except ValueError:
        return {}
    return {key: value for key, value in kept.items() if isinstance(value, str)} if isinstance(kept, dict) else {}
