"""The last guard before Slack: nothing that is sent calls anybody in blackout, whoever wrote it and however it is nested."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.services.desk import VIGIE
from bot.services.leave import duty
from bot.services.ledger import journal
from bot.services.slack.drawing import Drawing, escape
from bot.store import alerts, cards, deferrals
from bot.store.cards import Post

GROUP = "@group"
SOMEBODY = "@somebody"

ON_ITS_WAY = timedelta(seconds=10)      # what is sent a moment before midnight may arrive after it
GLASS_CALL = "glass:call:"              # the one post that may reach its one person even then
CALLS = ("page:", "doubt:")
LONGEST_SAID = 200              # half a line might be half a mark
UNREAD = frozenset({"value", "initial_value", "private_metadata", "action_id", "block_id"})     # Slack shows none of these

_CALL = re.compile(
    r"<(?:@(?P<user>[A-Z0-9]+)|!subteam\^[A-Z0-9]+|!(?P<all>here|channel|everyone))(?:\|(?P<label>[^<>]*))?>"
)


@dataclass(frozen=True, slots=True)
class Hushed:
    """What may be sent, and from whom something was kept."""

    drawing: Drawing
    held: frozenset[str] = frozenset()      # keys of vigie.yaml


class Asleep(Exception):
    """A direct message is for somebody in blackout."""

    def __init__(self, post: Post, person: str, until: datetime) -> None:
        super().__init__(f"{person} is in blackout until {until}")
        self.post, self.person, self.until = post, person, until


def hush(config: Config, drawing: Drawing, now: datetime) -> Hushed:
    """The drawing without a call that must not be: people in blackout become their names, whole channels are never called."""
    guard = _Guard(config, now)
    quiet = replace(drawing, text=guard.text(drawing.text), blocks=[guard.walk(each) for each in drawing.blocks])
    return Hushed(quiet, frozenset(guard.held))


def awake_for(config: Config, post: Post, now: datetime) -> None:
    """Raises Asleep for a direct message to somebody in blackout; only broken glass reaches its one named approver."""
    found = config.person_named(post.channel)
    until = asleep(config, found[0], now) if found and found[1].slack == post.channel else None
    if found and until is not None and not _through_glass(config, post, found[0]):
        raise Asleep(post, found[0], until)


def asleep(config: Config, person: str, now: datetime) -> datetime | None:
    """When what is sent now may reach that person, who is in blackout or about to be; None: at once."""
    return duty.asleep(config, person, now) or duty.asleep(config, person, now + ON_ITS_WAY)


def _through_glass(config: Config, post: Post, person: str) -> bool:
    named = config.organisations[config.people[person].organisation].break_glass
    return post.key.startswith(GLASS_CALL) and named == person


class _Guard:
    """Looks through one message, and remembers from whom something was kept."""

    def __init__(self, config: Config, now: datetime) -> None:
        self._config, self._now, self.held = config, now, set[str]()
        self._dark = any(duty.in_blackout(config, each, at) for each in config.organisations for at in (now, now + ON_ITS_WAY))

    def walk(self, part: Any, name: str = "") -> Any:
        if isinstance(part, str):
            return part if name in UNREAD else self.text(part)
        if isinstance(part, list):
            return [self.walk(each, name) for each in part]
        return self._block(part) if isinstance(part, dict) else part

    def _block(self, part: Mapping[str, Any]) -> dict[str, Any]:
        """A rich text's element calls by its type, all else by its text; Slack finds no names in it that we did not mark."""
        match part.get("type"):
            case "user" if "user_id" in part:
                said = self._user(str(part["user_id"]))
            case "usergroup":
                said = GROUP if self._dark else None
            case "broadcast":
                said = f"@{part.get('range', 'channel')}"
            case "mrkdwn":
                return {each: self.walk(value, each) for each, value in part.items()} | {"verbatim": True}
            case _:
                return {each: self.walk(value, each) for each, value in part.items()}
        return dict(part) if said is None else {"type": "text", "text": said}

    def text(self, text: str) -> str:
        return _CALL.sub(self._called, text) if "<" in text else text

    def _called(self, found: re.Match[str]) -> str:
        if found["all"]:
            return f"@{found['all']}"
        if found["user"]:
            return found[0] if (name := self._user(found["user"])) is None else escape(name)
        # Who is in a group, Slack knows; in a blackout nobody is called by one.
        return (found["label"] or GROUP) if self._dark else found[0]

    def _user(self, slack: str) -> str | None:
        """The name to write instead of a mention; None: this person may be mentioned."""
        found = self._config.person_named(slack)
        if found is None or found[1].slack != slack:
            return SOMEBODY             # whose blackout nobody knows
        key, person = found
        if asleep(self._config, key, self._now) is None:
            return None
        self.held.add(key)
        return person.name


# --- what was kept ----------------------------------------------------------------------------------------------------------


def keep(connection: sa.Connection, config: Config, post: Post, drawing: Drawing, held: frozenset[str], now: datetime) -> None:
    """Writes down, once for each post and person, that somebody was named and not called."""
    members = alerts.of_group(connection, post.group_id) if post.group_id is not None else []
    alert_id = next((each.id for each in members if each.state != "closed"), members[0].id if members else None)
    for person in sorted(held):
        until = asleep(config, person, now)
        if until is not None:
            _keep(connection, config, post, deferrals.MENTION, person, alert_id, drawing.text, until, now)


def put_off(connection: sa.Connection, config: Config, sleeping: Asleep, now: datetime) -> None:
    """The direct message is due when the blackout is over; but a call has lost its sense by then, and is told of instead."""
    post, alert_id, said = sleeping.post, None, ""
    if post.key.startswith(CALLS):
        cards.withdraw(connection, post)
        body = json.loads(post.body or "{}")
        alert_id = next((int(value) for _, verb, value in body.get("offers", ()) if verb == "ack"), None)
        said = str(body.get("said", ""))
    else:
        cards.hold(connection, post, sleeping.until)
    _keep(connection, config, post, deferrals.DIRECT, sleeping.person, alert_id, said, sleeping.until, now)


def _keep(
    connection: sa.Connection, config: Config, post: Post, kind: str, person: str, alert_id: int | None, said: str,
    until: datetime, now: datetime,
) -> None:
    line = said.strip().partition("\n")[0]
    new = deferrals.add(
        connection, f"{kind}:{post.key}:{person}", kind, person, config.people[person].organisation, alert_id, VIGIE.key,
        line if len(line) <= LONGEST_SAID else "", now, until,
    )
    if new:
        journal.record(
            connection, actor=VIGIE, kind="held back", object=f"alert:{alert_id}" if alert_id else f"person:{person}",
            outcome="done", at=now, who=person, what=kind, post=post.key, until=until.isoformat(),
        )
