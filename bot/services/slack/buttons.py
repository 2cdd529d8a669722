"""What one can do with a card: the likely next step first, what is wanted more rarely in the menu."""

from collections.abc import Iterable
from typing import Any

from bot.services.review.verdicts import VERDICTS
from bot.services.slack.drawing import button, overflow, select
from bot.services.slack.remedies import Remedies
from bot.store.alerts import Alert

BUTTONS = {
    "ack": "Acknowledge", "seen": "Mark as seen", "run": "Run runbook…", "note": "Note…", "why": "Why?", "show": "What happened",
    "escalate": "Escalate…",
}
MORE = {
    "incident": "Declare an incident…", "escalate": "Escalate…",
    "assign": "Assign…", "snooze": "Snooze…", "silence": "Silence {service}…", "note": "Note…", "close": "Close…",
    "show": "What happened",
    "stop-automation": "Stop automation of {service}…", "resume-automation": "Resume automation of {service}",
}
VERDICT = "What was it worth?"
LIKELY = ("ack", "seen", "run")
MOST_IN_MENU, LONGEST_OPTION = 5, 75


def row(head: Alert, known: Remedies) -> dict[str, Any]:
    """The buttons, and the menu with what is wanted more rarely."""
    shown = _shown(head, known)
    every = [each for each in _more(head, known) if each not in shown]
    more = _fitting(every)
    value = str(head.id)
    elements = [
        button(BUTTONS[each], "ack" if each == "seen" else each, value, "primary" if n == 0 and each in LIKELY else None)
        for n, each in enumerate(shown)
    ]
    elements += [_verdict(head)] if head.state == "closed" else []
    options = [(MORE[each].format(service=head.service)[:LONGEST_OPTION], f"{each}:{value}") for each in more]
    return {"type": "actions", "block_id": f"act:{head.id}", "elements": [*elements, overflow(options)]}


def _verdict(head: Alert) -> dict[str, Any]:
    """What it was worth, once it is over: one click."""
    return select(VERDICT, [(label[:LONGEST_OPTION], f"verdict:{word}:{head.id}") for word, label in VERDICTS.items()])


def _fitting(every: list[str]) -> list[str]:
    """Slack's menu holds five: what the thread tells anyway goes first."""
    for least in ("show", "note", "snooze"):
        if len(every) > MOST_IN_MENU:
            every = [each for each in every if each != least]
    return every


def _shown(head: Alert, known: Remedies) -> list[str]:
    """The buttons that stand there at once; the likely next step is the first."""
    if head.state == "closed":
        return ["show"] if head.seen_by else ["seen", "show"]
    helped = ["escalate"] if head.important and head.state in ("firing", "acked") else []
    unseen = head.state == "recovered" and not head.seen_by
    first = "ack" if head.state == "firing" or known.paging else "seen" if unseen else "note"
    can_run = head.state != "recovered" and known.runbook is not None and known.under_way is None
    if not can_run:
        return [first, "why", *helped]
    likely = known.may_now and (known.rung != "automatic" or known.stopped is not None)
    return [*(("run", first) if likely else (first, "run")), "why", *helped]


def _more(head: Alert, known: Remedies) -> Iterable[str]:
    """What stands in the menu, the most wanted first, what ends things last."""
    if head.state in ("firing", "acked"):
        yield from ("escalate",) if head.state == "acked" else ()
        yield from ("assign", "snooze", "silence", *(("incident",) if head.important else ()))
    if head.state == "recovered":
        yield "assign"
    if known.stopped:
        yield "resume-automation"
    elif known.rung == "automatic" and known.runbook:
        yield "stop-automation"
    yield from ("note",) if head.state == "closed" else ("show", "note", "close")
