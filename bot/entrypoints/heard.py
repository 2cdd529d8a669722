"""What Slack's payloads say: who, what, about which alert, in which thread."""

import re
from collections.abc import Mapping
from typing import Any

PREFIX = "vigie:"
CHOICES = ("more", "choose")         # a menu and a list: what was chosen says it all


def aim(action: Mapping[str, Any]) -> tuple[tuple[str, ...], str | None]:
    """What a click says, and about what: vigie:ack with 142, vigie:outcome:again with run57, vigie:more with ack:142,
    vigie:choose with verdict:noise:142."""
    said = str(action.get("action_id", "")).removeprefix(PREFIX)
    value = str((action.get("selected_option") or {}).get("value") or action.get("value") or "")
    if said in CHOICES:
        said, _, value = value.rpartition(":")
    return tuple(said.split(":")), value or None


def thread_of(message: Mapping[str, Any]) -> str | None:
    """The thread in which the message is a reply."""
    thread = message.get("thread_ts")
    return str(thread) if thread and thread != message.get("ts") else None


def after_mention(text: str, body: Mapping[str, Any]) -> str:
    """What is said to the bot: the words after its name, or before it when nothing follows."""
    bots = [each.get("user_id") for each in body.get("authorizations") or [] if each.get("user_id")]
    name = "|".join(map(re.escape, bots)) or r"[A-Z0-9]+"
    before, *rest = re.split(rf"<@(?:{name})(?:\|[^>]*)?>", text, maxsplit=1)
    after = "".join(rest).strip(" ,:")
    return after or before


def meant(said: tuple[str, ...], own: str | None) -> tuple[tuple[str, ...], str | None]:
    """In a thread the alert is known; another one is named by #142, or by a number and nothing else."""
    if own is None:
        return said, None
    number = said[1] if len(said) > 1 else ""
    marked_so = re.fullmatch(r"#[0-9]{1,12}", number) is not None
    bare_one = re.fullmatch(r"[0-9]{1,12}", number) is not None and (number == own or len(said) == 2)
    return (said, None if marked_so or bare_one else own)


def team(event: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    """The workspace of the person; the one that installed us says nothing about people in a shared channel."""
    own = event.get("user_team") or event.get("team")
    return id(own or (None if body.get("is_ext_shared_channel") else body.get("team_id")))


def person(body: Mapping[str, Any]) -> tuple[str, str]:
    """Who acts: the own workspace, not the one that installed us (strangers can click in shared channels), and the user."""
    user = body.get("user")
    return (id(user.get("team_id")), id(user.get("id"))) if isinstance(user, dict) else ("", "")


def id(given: object) -> str:
    """What stands where Slack puts an id; anything that is none is nobody's."""
    return given if isinstance(given, str) else ""
