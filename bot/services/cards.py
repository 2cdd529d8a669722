"""Rows become Slack blocks: the card of a group, its log, a notice. Drawing is pure; only `draw` reads."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.services import logbook
from bot.services.desk import VIGIE
from bot.services.drawing import Drawing, context, escape, person, section
from bot.services.response import clock_time, headline, lasted
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

SINCE = "since {at}"
LASTED = "lasted {length}"
NOBODY_HAS_IT = "Nobody has it yet."
HAS_IT = "{who} has it since {at}."
HAD_IT = "{who} had it."
GIVEN_TO = "Assigned to {who}."
NOT_TAKEN = "Assigned to {who}, who has not acknowledged it yet."
SNOOZED = "💤 Snoozed until {at}."
CLOSING = "Recovered {since}, closing at {at} if it stays quiet. A relapse reopens this card."
NOBODY_LOOKED = "It recovered while nobody looked."
CLOSED_BY = "Closed by {who} {at}{reason}"
CLOSED_QUIET = "Closed by Vigie {at} after {probation} min of quiet. {looked}"
NOBODY_HAD_LOOKED = "Nobody looked at it."
SEEN_BY = "Seen by {who}."
SEES = "{who} see{s} the fault."
SENT = "{who} sent it; the body is kept, masked."
SAYS_OK = "{who} say{s} OK."
SAYS_NOTHING = "{who}: no data since {at}."
TIMES_TOLD = "told {count} times"
RELAPSED = "relapsed {count}×"
LATE = "⏱ Posted {length} late: Slack did not take it before."
LINK = "<{link}|Open at the source>"
MEMBERS = "{open} of {all} alerts open: {names}"

BUTTONS = {"ack": "Acknowledge", "seen": "Mark as seen", "note": "Note…", "why": "Why?", "show": "What happened"}
MORE = {"assign": "Assign…", "snooze": "Snooze…", "note": "Note…", "close": "Close…", "show": "Show all"}

UNREADABLE = "unreadable "
LONGEST_LINE, MOST_LINES = 250, 3      # of what the source says


@dataclass(frozen=True, slots=True)
class View:
    """All that a drawing needs of the rows."""

    config: Config
    members: tuple[Alert, ...]
    observations: Mapping[int, Sequence[Any]]
    late_s: int | None = None


def draw(config: Config, connection: sa.Connection, post: Post, late_s: int | None = None) -> Drawing:
    """What Slack should show for this post now; `late_s` is how late its first showing is, in seconds."""
    if post.kind == "notice" or post.group_id is None:
        return _notice(post)
    members = tuple(alerts.of_group(connection, post.group_id))
    if post.kind == "log":
        entries = journal.about(connection, [f"alert:{each.id}" for each in members], most=logbook.MOST_LINES + 1)
        return logbook.draw(config, _head(members), tuple(entries))
    seen = alerts.observed(connection, [each.id for each in members])
    return draw_card(View(config, members, seen, late_s=late_s))


def _notice(post: Post) -> Drawing:
    body = post.body or ""
    return Drawing(body, [section(body)])


def draw_card(view: View) -> Drawing:
    """The card: what is wrong, where, how bad, since when; then who has it and what happens next; then what one can do."""
    head = _head(view.members)
    blocks = [section(_first_line(head)), section("\n".join([*_observers(view), *_next(view, head)]))]
    blocks += [context(line) for line in _small_print(view, head)]
    blocks.append(_buttons(head))
    return Drawing(_fallback(view, head), blocks)


def _head(members: Sequence[Alert]) -> Alert:
    """The member that speaks for the group: the worst state, then the worst severity, then the oldest."""
    return min(members, key=lambda each: (ORDER.index(each.state), alerts.SEVERITIES.index(each.severity), each.id))


def _first_line(alert: Alert) -> str:
    important = " · *important*" if alert.important else ""
    time = LASTED.format(length=lasted(alert)) if _is_over(alert) else SINCE.format(at=_ago(alert.since))
    return f"{FACES[alert.state]}{important} · {alert.severity}    *{alert.name}*\n{_bold(headline(alert))} · {time}"


def _bold(text: str) -> str:
    """A star inside, as in a masked card number, would end the bold; one that looks the same does not."""
    return f"*{escape(text).replace('*', '∗')}*"


def _is_over(alert: Alert) -> bool:
    return alert.state in ("recovered", "closed")


def _ago(at: datetime) -> str:
    return f"<!date^{int(at.timestamp())}^{{time}} ({{ago}})|{at:%d %b %H:%M} UTC>"


def _observers(view: View) -> list[str]:
    seen = [each for rows in view.observations.values() for each in rows]
    if all(each.labels.get("name", "").startswith(UNREADABLE) for each in view.members):
        return [SENT.format(who=", ".join(sorted({escape(each.observer) for each in seen})))]
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
    lines = _healing(view.config, head) if head.state == "recovered" else [_owner(view.config, head)]
    if head.assigned_to and (head.state == "recovered" or head.acked_by):
        lines.append(GIVEN_TO.format(who=person(view.config, head.assigned_to)))
    if head.snoozed_until:
        lines.append(SNOOZED.format(at=clock_time(head.snoozed_until)))
    return [" ".join(lines)]


def _healing(config: Config, head: Alert) -> list[str]:
    closing = CLOSING.format(since=clock_time(head.recovered_at), at=clock_time(head.due_at))
    if head.acked_by:
        return [closing, HAD_IT.format(who=person(config, head.acked_by))]
    return [closing] if head.seen_by else [closing, NOBODY_LOOKED]


def _owner(config: Config, head: Alert) -> str:
    if head.acked_by:
        return HAS_IT.format(who=person(config, head.acked_by), at=clock_time(head.acked_at))
    return NOT_TAKEN.format(who=person(config, head.assigned_to)) if head.assigned_to else NOBODY_HAS_IT


def _closed(view: View, head: Alert) -> str:
    at = clock_time(head.closed_at)
    if head.closed_by != VIGIE.key:
        reason = f": {escape(head.close_reason, 300)}" if head.close_reason else "."
        return CLOSED_BY.format(who=person(view.config, head.closed_by), at=at, reason=reason)
    looked = SEEN_BY.format(who=person(view.config, head.seen_by)) if head.seen_by else NOBODY_HAD_LOOKED
    return CLOSED_QUIET.format(at=at, probation=view.config.probation.minutes, looked=looked)


def _small_print(view: View, head: Alert) -> Iterable[str]:
    if len(view.members) > 1:
        still = [each for each in view.members if each.state != "closed"]
        names = ", ".join(each.name for each in still[:10])
        yield MEMBERS.format(open=len(still), all=len(view.members), names=names)
    said = [] if _is_over(head) else [escape(line, LONGEST_LINE) for line in head.summary.splitlines() if line.strip()]
    if said:
        yield "\n".join(said[:MOST_LINES])
    if known := list(_known(view, head)):
        yield " · ".join(known)
    if view.late_s:
        yield LATE.format(length=_length(view.late_s))


def _known(view: View, head: Alert) -> Iterable[str]:
    """The source's own name for it, how often it was told, and where to look."""
    name = head.labels.get("name", "")
    if name and name not in head.title:
        yield escape(name)
    told = sum(each.signals for each in view.members)
    if told > 1:
        yield TIMES_TOLD.format(count=told)
    if head.relapses:
        yield RELAPSED.format(count=head.relapses)
    if head.link and _is_plain_link(head.link):
        yield LINK.format(link=head.link)


def _length(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"


def _is_plain_link(link: str) -> bool:
    return re.fullmatch(r"https://[\w.-]+(:\d+)?/[^\s<>|]{0,1500}", link) is not None


def _fallback(view: View, head: Alert) -> str:
    """What a notification and a screen reader say."""
    important = ", important" if head.important else ""
    return f"{PLAIN_FACES[head.state]}{important}: {escape(headline(head))} ({head.name})"


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
