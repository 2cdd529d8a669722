"""The first draft of a post-mortem as Markdown: impact, timeline, what went well and wrong, luck, actions. People finish it."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.config import Config
from bot.services.alert.response import lasting
from bot.services.incident import ground, impact, recurrence, showing, timeline
from bot.store import alerts
from bot.store.alerts import Alert
from bot.store.incidents import Incident
from bot.store.journal import Entry

TITLE = "# Post-mortem of {name}: {title}"
DRAFT = (
    "First draft, written {now} by Vigie from the journal. What follows \"people:\" is for people to write. "
    "It asks what happened and why, not who is to blame."
)
PEOPLE = "people: …"
HEADINGS = (
    "Impact", "Timeline", "What went well", "What went wrong", "Where we were lucky", "Actions",
)
NO_IMPACT = "Nobody has said which service was hurt and how long: `{command} incident impact {id} <service> <from> <to>`."
TOGETHER = "All together: {length} in which at least one service did not do its work."
FOUND = "Found by {found_by} {after} after it began."
TAKEN = "#{alert} was acknowledged by {who} after {length}."
NEVER_TAKEN = "#{alert} was acknowledged by nobody."
FIXED = "Run {run} went well: {said}"
FAILED = "Run {run}: {said}"
RELAPSED = "#{alert} relapsed {count}×."
MANY_CALLED = "{count} people were called before it was over: {who}."
RECURS = "It recurs: {what}, {count} times in six months ({all})."
NO_RUNBOOK = "No runbook recognises #{alert}."
LATE = "The {kind} was sent after its limit."
ACTION = "| what | owner | until | `{command} decide` |"
SLOW = timedelta(minutes=10)


def markdown(connection: sa.Connection, config: Config, incident: Incident, now: datetime) -> str:
    """The whole file."""
    zone = config.organisations[ground.own(config)].timezone
    view = showing.look(connection, config, incident, now)
    members = [found for each in view.alerts if (found := alerts.by_id(connection, each))]
    told = timeline.entries(connection, incident)
    parts = {
        "Impact": list(_impact(view)), "Timeline": list(timeline.table(config, told, zone)),
        "What went well": timeline.bullets([*_well(config, incident, members, told), PEOPLE]),
        "What went wrong": timeline.bullets([*_wrong(connection, config, view, members, told), PEOPLE]),
        "Where we were lucky": timeline.bullets([PEOPLE]),
        "Actions": [ACTION.format(command=config.command), "|---|---|---|---|", f"| {PEOPLE} | | | |"],
    }
    head = [TITLE.format(name=incident.name, title=timeline.plain(incident.title)), "",
            DRAFT.format(now=timeline.local(now, zone)), ""]
    head += [f"{timeline.plain(each)}  " for each in showing.lines(view)]
    return "\n".join([*head, *(line for name in HEADINGS for line in ("", f"## {name}", "", *parts[name])), ""])


def _impact(view: showing.View) -> Iterator[str]:
    it = view.incident
    if not view.impacts:
        yield NO_IMPACT.format(command=view.config.command, id=it.id)
        return
    yield from timeline.bullets(timeline.plain(showing.stretch(view.config, each, view.now)) for each in view.impacts)
    length = impact.down_s(view.impacts, it.ended_at or view.now)
    yield ""
    yield TOGETHER.format(length=lasting(timedelta(seconds=length)))


def _well(config: Config, incident: Incident, members: Sequence[Alert], told: Sequence[Entry]) -> Iterator[str]:
    found_after = incident.detected_at - incident.began_at
    if found_after < SLOW:
        yield FOUND.format(found_by=incident.found_by, after=lasting(found_after))
    for each in members:
        if each.acked_at and each.acked_at - each.opened_at < SLOW:
            yield _taken(config, each, each.acked_at)
    for entry in told:
        if entry.kind == "run succeeded":
            yield FIXED.format(run=_run(entry), said=_said(entry))


def _wrong(
    connection: sa.Connection, config: Config, view: showing.View, members: Sequence[Alert], told: Sequence[Entry]
) -> Iterator[str]:
    it = view.incident
    if it.detected_at - it.began_at >= SLOW:
        yield FOUND.format(found_by=it.found_by, after=lasting(it.detected_at - it.began_at))
    for each in members:
        yield from _weak(config, each)
    for entry in told:
        if entry.kind in ("run failed", "step failed", "step in doubt"):
            yield FAILED.format(run=_run(entry), said=_said(entry))
    calls = (json.loads(each.details).get("who") for each in told if each.kind == "person called")
    called = dict.fromkeys(filter(None, calls))
    if len(called) > 1:
        names = ", ".join(config.people[each].name if each in config.people else each for each in called)
        yield MANY_CALLED.format(count=len(called), who=timeline.plain(names))
    for one in recurrence.of(connection, config, it, view.now):
        named = ", ".join(f"incident {each}" for each in one.incidents)
        yield RECURS.format(what=timeline.plain(one.what), count=one.count, all=named)
    for sent in view.owed:
        if sent.sent_at and sent.due_at and sent.sent_at > sent.due_at:
            yield LATE.format(kind=showing.NAMES[sent.kind])


def _weak(config: Config, each: Alert) -> Iterator[str]:
    if each.acked_at is None:
        yield NEVER_TAKEN.format(alert=each.id)
    elif each.acked_at - each.opened_at >= SLOW:
        yield _taken(config, each, each.acked_at)
    if each.relapses:
        yield RELAPSED.format(alert=each.id, count=each.relapses)
    if each.runbook is None:
        yield NO_RUNBOOK.format(alert=each.id)


def _taken(config: Config, each: Alert, at: datetime) -> str:
    who = config.people[each.acked_by].name if each.acked_by in config.people else each.acked_by or ""
    return TAKEN.format(alert=each.id, who=timeline.plain(who), length=lasting(at - each.opened_at))


def _run(entry: Entry) -> str:
    return str(json.loads(entry.details).get("run", entry.object.rpartition(":")[2]))


def _said(entry: Entry) -> str:
    return timeline.plain(str(json.loads(entry.details).get("said") or entry.kind))
