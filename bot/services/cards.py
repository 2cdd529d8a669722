"""Rows become Slack blocks: the card of a group, the log in its thread, a notice. Drawing is pure; only `load` reads."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.services.courier import Drawing
from bot.services.desk import VIGIE
from bot.services.response import clock_time, lasting
from bot.store import alerts, journal
from bot.store.alerts import Alert
from bot.store.cards import Post

FACES = {
    "firing": "🔴 *Firing*",
    "acked": "👀 *Acknowledged*",
    "recovered": "🟢 *Recovered*",
    "closed": "✅ *Closed*",
}
PLAIN_FACES = {"firing": "Firing", "acked": "Acknowledged", "recovered": "Recovered", "closed": "Closed"}
ORDER = ("firing", "acked", "recovered", "closed")

NOBODY_HAS_IT = "Nobody has it yet."
HAS_IT = "{who} has it since {at}."
GIVEN_TO = "Assigned to {who}."
SNOOZED = "💤 Snoozed until {at}."
CLOSING = "Closing at {at} if it stays quiet. A relapse reopens this card."
NOBODY_LOOKED = "It recovered while nobody looked."
CLOSED_BY = "Closed by {who} {at} · lasted {length}{reason}."
CLOSED_QUIET = "Closed by Vigie {at} after {probation} min of quiet · lasted {length}. {looked}"
NOBODY_HAD_LOOKED = "Nobody looked at it."
SEEN_BY = "Seen by {who}."
SEES = "{who} see{s} the fault."
SAYS_OK = "{who} say{s} OK."
SAYS_NOTHING = "{who}: no data since {at}."
TIMES_TOLD = "told {count} times"
RELAPSED = "relapsed {count}×"
LATE = "⏱ Posted {length} late: Slack did not take it before."
MEMBERS = "{open} of {all} alerts open: {names}"

LOG_HEAD = "What happened to {name}"
LOG_EARLIER = "… {count} earlier lines: `{command} show {id}` has them all."
LOG_LINES = {
    "alert opened": "opened · {actor}: {title}",
    "alert worsened": "worsened to {severity} · {actor}",
    "alert recovered": "recovered · {actor} says OK",
    "alert relapsed": "relapsed · {actor}: {title}",
    "observer silent": "no data · {actor}",
    "alert acked": "acknowledged by {actor}{note}",
    "alert seen": "seen by {actor}{note}",
    "alert closed": "closed by {actor}{reason}",
    "alert snoozed": "snoozed by {actor} until {until}{note}",
    "snooze ended": "snooze ended: it still fires",
    "alert assigned": "assigned to {to} by {actor}{note}",
    "alert noted": "{actor} wrote{note}",
}

BUTTONS = {"ack": "Acknowledge", "seen": "Mark as seen", "note": "Note…", "why": "Why?", "show": "What happened"}
MORE = {"assign": "Assign…", "snooze": "Snooze…", "note": "Note…", "close": "Close…", "show": "Show all"}

LONGEST_TITLE = 150
LONGEST_LINE, MOST_LINES = 250, 3      # of what the source says
LONGEST_LOG = 2_800
MOST_LOG_LINES = 40

_INVISIBLE = re.compile(r"[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


def escape(text: str, most: int = LONGEST_TITLE) -> str:
    """Text from outside as one harmless line: no mention, link, control or direction sign survives."""
    line = " ".join(_INVISIBLE.sub(" ", text).split())
    cut = line if len(line) <= most else line[: most - 1] + "…"
    return cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@dataclass(frozen=True, slots=True)
class View:
    """All that a drawing needs of the rows."""

    config: Config
    members: tuple[Alert, ...]
    observations: Mapping[int, Sequence[Any]]
    entries: tuple[Any, ...] = ()
    late_s: int | None = None


def draw(config: Config, connection: sa.Connection, post: Post, late_s: int | None = None) -> Drawing:
    """What Slack should show for this post now; `late_s` is how late its first showing is, in seconds."""
    if post.kind == "notice" or post.group_id is None:
        return _notice(post)
    members = tuple(alerts.of_group(connection, post.group_id))
    if post.kind == "log":
        entries = journal.about(connection, [f"alert:{each.id}" for each in members], most=MOST_LOG_LINES + 1)
        return draw_log(View(config, members, {}, tuple(entries)))
    seen = alerts.observed(connection, [each.id for each in members])
    return draw_card(View(config, members, seen, late_s=late_s))


def _notice(post: Post) -> Drawing:
    body = post.body or ""
    return Drawing(body, [_section(body)])


def draw_card(view: View) -> Drawing:
    """The card: what is wrong, where, how bad, since when; then who has it and what happens next; then what one can do."""
    head = _head(view.members)
    blocks = [_section(_first_line(head)), _section("\n".join([*_observers(view), *_next(view, head)]))]
    blocks += [_context(line) for line in _small_print(view, head)]
    blocks.append(_buttons(head))
    return Drawing(_fallback(view, head), blocks)


def _head(members: Sequence[Alert]) -> Alert:
    """The member that speaks for the group: the worst state, then the worst severity, then the oldest."""
    return min(members, key=lambda each: (ORDER.index(each.state), alerts.SEVERITIES.index(each.severity), each.id))


def _first_line(alert: Alert) -> str:
    important = " · *important*" if alert.important else ""
    return (
        f"{FACES[alert.state]}{important} · {alert.severity}    *{alert.name}*\n"
        f"*{escape(alert.service)}: {escape(alert.title)}* · since {_ago(alert.since)}"
    )


def _ago(at: datetime) -> str:
    return f"<!date^{int(at.timestamp())}^{{time}} ({{ago}})|{at:%d %b %H:%M} UTC>"


def _observers(view: View) -> list[str]:
    seen = [each for rows in view.observations.values() for each in rows]
    by_state: dict[str, list[Any]] = {}
    for each in seen:
        by_state.setdefault(each.state, []).append(each)
    lines = []
    for state, words in (("firing", SEES), ("recovered", SAYS_OK)):
        if names := sorted({escape(each.observer) for each in by_state.get(state, [])}):
            lines.append(words.format(who=", ".join(names), s="" if len(names) > 1 else "s"))
    lines += [
        SAYS_NOTHING.format(who=escape(each.observer), at=clock_time(each.at)) for each in by_state.get("no data", [])
    ]
    return [" ".join(lines)] if lines else []


def _next(view: View, head: Alert) -> list[str]:
    """Who has it, and what happens next unless somebody acts."""
    if head.state == "closed":
        return [_closed(view, head)]
    lines = []
    if head.state == "recovered":
        lines.append(CLOSING.format(at=clock_time(head.due_at)))
        lines += [NOBODY_LOOKED] if head.seen_by is None else []
    elif head.acked_by:
        lines.append(HAS_IT.format(who=_person(view.config, head.acked_by), at=clock_time(head.acked_at)))
    else:
        lines.append(NOBODY_HAS_IT)
    if head.assigned_to:
        lines.append(GIVEN_TO.format(who=_person(view.config, head.assigned_to)))
    if head.snoozed_until:
        lines.append(SNOOZED.format(at=clock_time(head.snoozed_until)))
    return [" ".join(lines)]


def _closed(view: View, head: Alert) -> str:
    ended = head.recovered_at or head.closed_at or head.updated_at
    length = lasting(ended - head.opened_at)
    if head.closed_by != "vigie":
        reason = f" · {escape(head.close_reason, 300)}" if head.close_reason else ""
        who = _person(view.config, head.closed_by)
        return CLOSED_BY.format(who=who, at=clock_time(head.closed_at), length=length, reason=reason)
    looked = SEEN_BY.format(who=_person(view.config, head.seen_by)) if head.seen_by else NOBODY_HAD_LOOKED
    probation = view.config.probation.minutes
    return CLOSED_QUIET.format(at=clock_time(head.closed_at), probation=probation, length=length, looked=looked)


def _person(config: Config, key: str | None) -> str:
    if key in (None, VIGIE.key):
        return VIGIE.name
    person = config.people.get(key)
    return escape(person.name if person else key)


def _small_print(view: View, head: Alert) -> Iterable[str]:
    if len(view.members) > 1:
        still = [each for each in view.members if each.state != "closed"]
        names = ", ".join(each.name for each in still[:10])
        yield MEMBERS.format(open=len(still), all=len(view.members), names=names)
    if lines := [escape(line, LONGEST_LINE) for line in head.summary.splitlines() if line.strip()]:
        yield "\n".join(lines[:MOST_LINES])
    told = sum(each.signals for each in view.members)
    counted = [TIMES_TOLD.format(count=told)] if told > 1 else []
    counted += [RELAPSED.format(count=head.relapses)] if head.relapses else []
    link = [f"<{head.link}|Open at the source>"] if head.link and _is_plain_link(head.link) else []
    if counted or link:
        yield " · ".join([*counted, *link])
    if view.late_s:
        yield LATE.format(length=_length(view.late_s))


def _length(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"


def _is_plain_link(link: str) -> bool:
    return re.fullmatch(r"https://[\w.-]+(:\d+)?/[^\s<>|]{0,1500}", link) is not None


def _fallback(view: View, head: Alert) -> str:
    """What a notification and a screen reader say."""
    important = ", important" if head.important else ""
    return f"{PLAIN_FACES[head.state]}{important}: {escape(head.service)}: {escape(head.title)} ({head.name})"


def _buttons(head: Alert) -> dict[str, Any]:
    if head.state == "closed":
        shown = ["show"] if head.seen_by else ["seen", "show"]
        more = ["note"]
    else:
        taken = head.state == "acked" or (head.state == "recovered" and head.seen_by)
        first = "note" if taken else "seen" if head.state == "recovered" else "ack"
        shown = [first, "why"]
        more = ["assign", "snooze", "note", "show", "close"] if head.state != "recovered" else ["assign", "note", "show", "close"]
    buttons = [_button(each, head, primary=each in ("ack", "seen")) for each in shown]
    return {"type": "actions", "block_id": f"act:{head.id}", "elements": [*buttons, _overflow(more, head)]}


def _button(verb: str, head: Alert, primary: bool) -> dict[str, Any]:
    command = "ack" if verb == "seen" else verb
    button = {
        "type": "button", "action_id": f"vigie:{command}", "value": str(head.id),
        "text": {"type": "plain_text", "text": BUTTONS[verb], "emoji": True},
    }
    return {**button, "style": "primary"} if primary else button


def _overflow(verbs: Sequence[str], head: Alert) -> dict[str, Any]:
    options = [
        {"text": {"type": "plain_text", "text": MORE[verb], "emoji": True}, "value": f"{verb}:{head.id}"} for verb in verbs
    ]
    return {"type": "overflow", "action_id": "vigie:more", "options": options}


def draw_log(view: View) -> Drawing:
    """The thread's one log message: what happened, oldest first, the newest always in it."""
    head = _head(view.members)
    lines = [_log_line(view.config, each) for each in view.entries][-MOST_LOG_LINES:]
    left_out = len(view.entries) - len(lines)
    while sum(len(line) + 1 for line in lines) > LONGEST_LOG:
        lines.pop(0)
        left_out += 1
    if left_out:
        lines.insert(0, LOG_EARLIER.format(count=left_out, command=view.config.command, id=head.id))
    title = LOG_HEAD.format(name=head.name)
    return Drawing(title, [_section("\n".join(lines) or title)])


def _log_line(config: Config, entry: Any) -> str:
    details = {name: escape(str(value), 300) for name, value in json.loads(entry.details).items() if value}
    words = {name: f": {details[name]}" if name in details else "" for name in ("note", "reason")}
    until = clock_time(datetime.fromisoformat(json.loads(entry.details)["until"])) if "until" in details else ""
    given = {"title": details.get("title", ""), "severity": details.get("severity", ""), "until": until}
    said = LOG_LINES.get(entry.kind, entry.kind).format(
        actor=_person(config, entry.actor), to=_person(config, details.get("to", "")), **given, **words
    )
    return f"{clock_time(entry.at)}  {said}"


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:3000], "verbatim": True}}


def _context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text[:3000], "verbatim": True}]}
