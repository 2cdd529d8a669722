"""The week as lines to read: what the journal wrote down, and what reached whom in Slack; nothing is invented."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.app import App
from bot.config import Config
from bot.demo.hours import ZONE
from bot.store import alerts, journal
from bot.store.db import reader
from bot.store.journal import Entry
from bot.workspace import Workspace
from bot.workspace.messages import Message

LINE = "{at:%a %d %b %H:%M:%S} {zone:<4}  {said}"
DIRECT, MENTION, ONLY = "   ✉ to {who}: {text}", "   📣 {who} in #{channel}: {text}", "   ↩ {who} reads: {text}"
LONGEST, CUT = 150, "…"

# How an entry is told; {who} did it, the other names are its details.
SAID: Mapping[str, str] = {
    "vigie started": "— Vigie is started —", "vigie stopped": "— Vigie is stopped —",
    "programme published": "programme of {team} published until {end} ({shifts} shifts)",
    "alert opened": "{object} fires: {title}", "alert recovered": "{object} has recovered",
    "alert acked": "{who} takes {object}", "alert closed": "{object} closed by {who}: {reason}",
    "alert noted": "{who} notes on {object}: {note}", "alert assigned": "{object} is {to}'s now",
    "assignment put off": "{object} will be {to}'s when their blackout is over, at {until}",
    "person called": "{who} is called as {role} about {object}", "person rung": "{who}'s telephone rings",
    "call held back": "nobody is called about {object} until {until}: {why}",
    "held back": "{who} sleeps and is not called ({what}), told at {until}",
    "held back told": "told what was held back: {object}",
    "call answered": "{who} has answered the call about {object}", "ack lapsed": "{object} is nobody's: {who} {cause}",
    "alert escalated": "the next level ({level}) is called by hand about {object}: {reason}",
    "owner reminded": "{who} is reminded of {object}",
    "duty passed": "DUTY PASSES: {outgoing} → {incoming} ({state})",
    "handoff line written": "{who} writes the line: {line}", "handoff submitted": "the note is submitted ({by})",
    "handoff accepted": "{who} ACCEPTS the handoff, top risk: {risk}", "handoff missed": "HANDOFF MISSED by {incoming}",
    "handoff step skipped": "{object}: \"{about}\" is left out: {why}",
    "swap offered": "{who} offers a shift: {object}", "swap taken": "{who} takes it: {object}",
    "shift changed": "{object} changed",
    "away": "{who} is away until {end}: {shifts} shift(s) open", "coverage gap found": "GAP ({gap}) of {team} from {start}",
    "coverage gap ended": "the gap of {team} is filled, or over",
    "silence started": "{who} silences {service} until {until}: {reason}",
    "silence agreed": "{who} agrees: important alerts of {service} are silent too",
    "silence ended": "the silence of {service} ends",
    "intervention ended": "{who} worked {start} to {end}", "intervention confirmed": "{who} confirms {object}",
    "rest moved": "{object}: the daily rest begins anew, work may start at {earliest}",
    "review sealed": "THE REVIEW IS SEALED: {object}, v{version}", "review signed": "{who} signs {object}",
    "decision made": "{who} writes down what was decided: {object}", "decision done": "{object} is done: {said}",
    "statement given": "statement of {month} given to {object}", "command refused": "{who} is refused {verb}: {why}",
}
PERSON, DATE = re.compile(r"<@([A-Z0-9]+)>"), re.compile(r"<!date\^(\d+)\^[^>]*>")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:\+00:00|Z)")


class Timeline:
    """Says what is new since it looked last."""

    def __init__(self, config: Config, workspace: Workspace, say: Callable[[str], object], back: timedelta | None = None) -> None:
        """Nothing that was more than `back` before the instant at which it is looked."""
        self._config, self._workspace, self._say, self._back = config, workspace, say, back
        self._last_entry, self._seen = 0, set[tuple[str, str]]()
        self._names = {each.slack: each.name for each in config.people.values()}

    def look(self, app: App | None, now: datetime) -> None:
        news = [each for each in (self._journal(app) if app else []) if self._back is None or each[0] > now - self._back]
        lines = [*news, *self._slack(now)]
        for at, said in lines:
            here = at.astimezone(ZONE)
            self._say(LINE.format(at=here, zone=here.tzname(), said=said))

    def _journal(self, app: App) -> Iterator[tuple[datetime, str]]:
        with reader(app.engine) as connection:
            for each in journal.entries(connection, self._last_entry + 1, 2**62, journal.PAGE):
                self._last_entry = each.id
                if each.kind in SAID and not _is_daily(each):
                    yield each.at, self._told(connection, each)

    def _told(self, connection: Any, entry: Entry) -> str:
        details = _Known(json.loads(entry.details))
        details.setdefault("who", entry.actor)
        for name, value in details.items():
            found = self._config.people.get(str(value))
            details[name] = found.name if found else MOMENT.sub(_local, str(value))
        kind, _, number = entry.object.partition(":")
        alert = alerts.by_id(connection, int(number)) if kind == "alert" and number.isdigit() else None
        person = self._config.people.get(number) if kind == "person" else None
        details["object"] = f"{alert.name} {alert.service}" if alert else person.name if person else f"{kind} {number}"
        return _short(SAID[entry.kind].format_map(details))

    def _slack(self, now: datetime) -> Iterator[tuple[datetime, str]]:
        for place in self._workspace.state.conversations.values():
            for message in list(place.by_ts.values()):
                if not message.by_app or (place.id, message.ts) in self._seen:
                    continue
                self._seen.add((place.id, message.ts))
                if said := self._reached(place.name, place.with_person, message):
                    yield now, said

    def _reached(self, channel: str, person: str | None, message: Message) -> str:
        text = _short(" ".join(self._plain(message.text).split()))
        if message.ephemeral_for:
            return ONLY.format(who=self._names.get(message.ephemeral_for, message.ephemeral_for), text=text)
        if person:
            return DIRECT.format(who=self._names.get(person, person), text=text)
        called = ", ".join(sorted(self._names.get(each, each) for each in message.mentions))
        return MENTION.format(who=called, channel=channel, text=text) if called else ""

    def _plain(self, text: str) -> str:
        """As one reads it: names for mentions, clocks of Paris for dates."""
        named = PERSON.sub(lambda found: f"@{self._names.get(found[1], found[1])}", text)
        return DATE.sub(lambda found: f"{datetime.fromtimestamp(int(found[1]), ZONE):%H:%M}", named)


def _short(said: str) -> str:
    return said if len(said) <= LONGEST else f"{said[:LONGEST].rstrip()}{CUT}"


class _Known(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "–"


def _is_daily(entry: Entry) -> bool:
    """A programme that grows by another day is no event."""
    return entry.kind == "programme published" and json.loads(entry.details).get("version") != 1


def _local(found: re.Match[str]) -> str:
    here = datetime.fromisoformat(found[0]).astimezone(ZONE)
    return f"{here:%a %d %b %H:%M}"
