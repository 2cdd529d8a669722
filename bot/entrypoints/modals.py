"""The forms: a command's fields as a Slack modal, and what was filled in as the words of its line."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.config import Config
from bot.decoding import clean
from bot.entrypoints.perform import Ask
from bot.masking import mask_text
from bot.services.leave import authority
from commands import Field

PREFIX = "vigie:"
VALUE = "value"
NAMED, LEADING = "named:", "leads:"     # before a block's id: the value is said as name=value; the form goes on after it
CANCEL, GO_ON = "Cancel", "Go on"
SUBMIT = {"close": "Close for good", "cancel": "Cancel the run"}
HINTS = {"duration": "At most 24 h: 30m, 2h, 1h30, 45 min"}
FIRST_DURATION = "1h"
LONGEST_TEXT, LONGEST_WORD = 2_000, 300
LONGEST_ABOUT, LONGEST_LABEL, LONGEST_HINT, LONGEST_TITLE = 2_500, 150, 150, 24
MOST_OPTIONS, MOST_CHECKS, LONGEST_OPTION, LONGEST_VALUE = 100, 10, 75, 150


@dataclass(frozen=True, slots=True)
class Filled:
    """A form that came back."""

    words: tuple[str, ...]
    ref: str | None
    channel: str | None
    fields: Mapping[str, str]       # the name of each input, and of the block in which it stands
    goes_on: bool = False           # what was chosen decides what is asked next

    def block_of(self, fault: str) -> str | None:
        """Beside which input a fault stands: the one that it names, or else the first."""
        named = next((block for name, block in self.fields.items() if fault.startswith(f"{name} ")), None)
        return named or next(iter(self.fields.values()), None)


def form(config: Config, ask: Ask, channel: str | None) -> dict[str, Any]:
    """The modal that asks for the command's inputs."""
    command, subject = ask.command, ask.subject
    verb = (command.button or command.name.capitalize()).rstrip("…")
    about = subject.about[:LONGEST_ABOUT] or f"{command.help.capitalize()}."
    what = f"{about}\n{command.help.capitalize()}." if subject.about and "\n" not in about else about
    submit = GO_ON if any(each.leads_on for each in ask.fields) else subject.yes or SUBMIT.get(command.name, verb)
    return {
        "type": "modal",
        "callback_id": f"{PREFIX}{command.name}",
        "private_metadata": json.dumps({"ref": subject.ref, "channel": channel, "said": subject.said}, ensure_ascii=False),
        "title": _plain(f"{verb} {subject.name}".strip()[:LONGEST_TITLE]),
        "submit": _plain(submit[:LONGEST_TITLE]),
        "close": _plain(CANCEL),
        "blocks": [
            {"type": "section", "text": _plain(what.replace("`", ""))},       # a form takes no markup
            *(_input(config, each, ask.actor.key) for each in ask.fields),
        ],
    }


def _input(config: Config, field: Field, own: str) -> dict[str, Any]:
    sign = LEADING if field.leads_on else NAMED if field.named else ""
    block = {
        "type": "input", "block_id": f"{sign}{field.name}", "label": _plain(field.label[:LONGEST_LABEL]),
        "optional": field.optional, "element": _element(config, field, own),
    }
    hint = field.hint or HINTS.get(field.kind, "")
    return {**block, "hint": _plain(hint[:LONGEST_HINT])} if hint else block


def _element(config: Config, field: Field, own: str) -> dict[str, Any]:
    if field.kind == "person":
        return {"type": "static_select", "action_id": VALUE, "options": _people(config, own)}
    if field.kind == "choice":
        return _choice(field)
    if field.kind == "checks":
        return _checks(field)
    if field.kind == "number":
        return {"type": "number_input", "action_id": VALUE, "is_decimal_allowed": True, **_initial(field, 50)}
    if field.kind == "duration":
        return {"type": "plain_text_input", "action_id": VALUE, "initial_value": FIRST_DURATION, "max_length": 40}
    most = LONGEST_WORD if field.kind == "word" else LONGEST_TEXT
    typed = {"type": "plain_text_input", "action_id": VALUE, "multiline": field.kind == "text", "max_length": most}
    return typed | _initial(field, most)


def _initial(field: Field, most: int) -> dict[str, Any]:
    return {"initial_value": field.initial[:most]} if field.initial is not None else {}


def _choice(field: Field) -> dict[str, Any]:
    options = _options(field)
    chosen = [each for each in options if each["value"] == field.initial]
    start = {"initial_option": chosen[0]} if chosen else {}
    return {"type": "static_select", "action_id": VALUE, "options": options[:MOST_OPTIONS], **start}


def _checks(field: Field) -> dict[str, Any]:
    options, before = _options(field)[:MOST_CHECKS], (field.initial or "").split(",")
    ticked = [each for each in options if each["value"] in before]
    return {"type": "checkboxes", "action_id": VALUE, "options": options, **({"initial_options": ticked} if ticked else {})}


def _options(field: Field) -> list[dict[str, Any]]:
    return [
        {"text": _plain(shown[:LONGEST_OPTION]), "value": said} for said, shown in field.options if len(said) <= LONGEST_VALUE
    ]


def _people(config: Config, own: str) -> list[dict[str, Any]]:
    """Those who may act, oneself first."""
    able = [(key, person) for key, person in config.people.items() if authority.may(person.roles, "act")]
    able.sort(key=lambda each: each[0] != own)
    return [
        {"text": _plain(f"{person.name} ({config.organisations[person.organisation].name})"[:LONGEST_OPTION]), "value": key}
        for key, person in able[:MOST_OPTIONS]
    ]


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": True}


def filled(view: Mapping[str, Any]) -> Filled:
    """What came back, as the words that would have been typed; a text stays one word, so that its lines survive."""
    name, kept = str(view.get("callback_id", "")).removeprefix(PREFIX), _kept(view.get("private_metadata"))
    values = (view.get("state") or {}).get("values") or {}
    blocks = [block for block in _inputs(view) if block in values]
    given = [_said(block, _value(values[block] or {})) for block in blocks]
    said = kept.get("said")
    return Filled(
        words=(name, *map(str, said if isinstance(said, list) else ()), *filter(None, given)),
        ref=_text(kept.get("ref")),
        channel=_text(kept.get("channel")),
        fields={block.rpartition(":")[2]: block for block in blocks},
        goes_on=any(block.startswith(LEADING) for block in blocks),
    )


def _inputs(view: Mapping[str, Any]) -> Iterator[str]:
    """The inputs in the order in which they stand."""
    for block in view.get("blocks") or []:
        if isinstance(block, Mapping) and block.get("type") == "input":
            yield str(block.get("block_id", ""))


def _said(block: str, value: str) -> str:
    return f"{block.removeprefix(NAMED)}={value}" if value and block.startswith(NAMED) else value


def _value(block: Mapping[str, Any]) -> str:
    element = block.get(VALUE) or {}
    chosen = (element.get("selected_option") or {}).get("value")
    ticked = ",".join(str(each.get("value", "")) for each in element.get("selected_options") or [])
    return mask_text(clean(str(chosen or ticked or element.get("value") or "")).strip())


def _kept(metadata: Any) -> dict[str, Any]:
    try:
        kept = json.loads(metadata or "{}")
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


def _text(given: Any) -> str | None:
    return given if isinstance(given, str) else None
