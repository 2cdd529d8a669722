"""The message of an incident, edited in place: what it is, whom it hurts, what is owed, and what one can do; and its papers."""

import json

import sqlalchemy as sa

from bot.services.desk import Desk
from bot.services.incident import showing
from bot.services.slack.drawing import Drawing, File, button, escape, overflow, section
from bot.store import incidents
from bot.store.cards import Post
from bot.store.incidents import Incident

CLASSIFY, IMPACT, END, SENT = "Classify…", "Impact…", "It is over…", "A report is sent…"
MORE = (
    ("Root cause…", "incident:cause"), ("From a third party…", "incident:third-party"), ("Timeline", "export:timeline"),
    ("Post-mortem", "export:post-mortem"), ("Pre-filled report", "export:incident"),
)
LONGEST_LINE = 700
TITLE = "{title} ({at})"


def draw_incident(desk: Desk, connection: sa.Connection, post: Post) -> Drawing:
    """As its rows say now."""
    found = incidents.by_id(connection, int(post.key.split(":")[1]))
    if found is None:
        raise LookupError(post.key)
    view = showing.look(connection, desk.config, found, desk.clock.now())
    first, *rest = [escape(each, LONGEST_LINE) for each in showing.lines(view)]
    owed = any(each.is_open for each in view.owed)
    return Drawing(first, [section(f"*{first}*"), section("\n".join(rest)), _row(found, owed, not view.history)])


def _row(found: Incident, owed: bool, unclassified: bool) -> dict[str, object]:
    """The likely next step first: classify, then report; ending stands there while it lasts."""
    verbs = [(CLASSIFY, "classify"), *([(SENT, "incident:notice")] if owed else []), (IMPACT, "incident:impact")]
    verbs += [(END, "incident:end")] if found.ended_at is None else []
    shown = [
        button(label, verb, found.ref, "primary" if n == 0 and unclassified else None) for n, (label, verb) in enumerate(verbs)
    ]
    menu = overflow([(label, f"{verb}:{found.ref}") for label, verb in MORE])
    return {"type": "actions", "block_id": f"incident:{found.id}", "elements": [*shown, menu]}


def draw_paper(post: Post) -> Drawing:
    """A text that Vigie wrote, as a file."""
    body = json.loads(post.body or "{}")
    content = body["content"].encode()
    return Drawing(escape(body["said"], LONGEST_LINE), file=File(body["name"], body["title"], body["said"], content))
