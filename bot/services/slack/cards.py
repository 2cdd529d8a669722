"""Rows become Slack blocks: a post of any kind, and most of all the card of a group. Drawing is pure; only `draw` reads."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.services.alert.response import clock_time, headline, lasted, lasting
from bot.services.desk import VIGIE, Desk
from bot.services.slack import askcards, buttons, exhibits, handoffcards, incidentcards, logbook, remedies, reviewcards, runcards
from bot.services.slack.drawing import Drawing, button, context, escape, person, section
from bot.services.slack.remedies import Likes, Remedies
from bot.store import alerts, deferrals, journal, observations, verdicts
from bot.store.alerts import Alert
from bot.store.cards import Post
from bot.store.deferrals import Deferred
from bot.store.verdicts import Verdict

FACES = {
    "firing": "🔴 *Firing*",
    "acked": "👀 *Acknowledged*",
    "recovered": "🟢 *Recovered*",
    "closed": "✅ *Closed*",
}
PLAIN_FACES = {"firing": "Firing", "acked": "Acknowledged", "recovered": "Recovered", "closed": "Closed"}
ORDER = ("firing", "acked", "recovered", "closed")
WORST_FIRST = ("firing", "no data", "gone", "recovered")

SINCE = "since {at}"
LASTED = "lasted {length}"
NOBODY_HAS_IT = "Nobody has it yet."
HAS_IT = "{who} has it since {at}."
HAD_IT = "{who} had it."
GIVEN_TO = "Assigned to {who}."
NOT_TAKEN = "Assigned to {who}, who has not acknowledged it yet."
FROM_THEN_ON = "For {who} at {at}, when {side}'s blackout is over."
SNOOZED = "💤 Snoozed until {at}."
CLOSING = "Recovered {since}, closing at {at} if it stays quiet. A relapse reopens this card."
BEING_PROVEN = "Recovered {since}; whether all is well is being proven. A relapse reopens this card."
NOBODY_LOOKED = "It recovered while nobody looked."
CLOSED_BY = "Closed by {who} {at}{reason}"
BY_VIGIE = "✅ *Closed by Vigie* {at} · {calling}"
CLOSED_QUIET = "It stayed quiet for {probation}. {looked}"
CLOSED_FIXED = "{fixed}{proven}, and it stayed quiet for {probation}. {looked}"
PROVEN = ", proven well"
NOBODY_HAD_LOOKED = "Nobody looked at it."
SEEN_BY = "Seen by {who}."
SEES, SEES_OF_ALL = "{who} see{s} the fault.", "{count} of {all} see the fault: {who}."
SENT = "{who} sent it; the body is kept, masked."
SAYS_OK = "{who} say{s} OK."
SAYS_NOTHING = "{who}: no data since {at}."
WATCHES_NO_MORE = "{who}: the alarm was deleted at {at}; nothing more will come, so a person closes this."
TIMES_TOLD = "told {count} times"
RELAPSED = "relapsed {count}×"
LATE = "⏱ Posted {length} late: Slack did not take it before."
LINK = "<{link}|Open at the source>"
VERDICT = "Verdict: {verdict} ({who})"
MEMBERS, ALL_ALIKE = "{open} of {all} alerts open: {names}", "{all} alerts, all {state}: {names}"

UNREADABLE = "unreadable "
LONGEST_LINE, MOST_LINES = 250, 3      # of what the source says


NOTHING_KNOWN = Remedies()


@dataclass(frozen=True, slots=True)
class View:
    """All that a drawing needs of the rows."""

    config: Config
    members: tuple[Alert, ...]
    observations: Mapping[int, Sequence[Any]]
    late_s: int | None = None
    remedies: Remedies = NOTHING_KNOWN
    probation: timedelta | None = None      # of its runbook; None: that of vigie.yaml
    later: Deferred | None = None           # to whom it will be given when their blackout is over
    verdicts: tuple[Verdict, ...] = ()      # of a closed one, the newest of each side


def draw(
    desk: Desk, connection: sa.Connection, post: Post, late_s: int | None = None, *, likes: Likes | None = None
) -> Drawing:
    """What Slack should show for this post now; `late_s` is how late its first showing is, in seconds."""
    match post.kind:
        case "run":
            return runcards.draw_run(runcards.view(desk, connection, int(post.key.split(":")[1])))
        case "ask":
            return askcards.draw_ask(desk, connection, post)
        case "page":
            return askcards.draw_page(desk, connection, post)
        case "file":
            return runcards.draw_file(connection, post)
        case "direct":
            return _direct(post)
        case "handoff":
            return handoffcards.draw_handoff(desk.config, connection, post)
        case "incident":
            return incidentcards.draw_incident(desk, connection, post)
        case "paper":
            return incidentcards.draw_paper(post)
        case "review":
            return reviewcards.draw_review(desk, connection, post)
        case "exhibit":
            return exhibits.draw(desk.config, connection, post)
    if post.kind == "notice" or post.group_id is None:
        return _notice(post)
    members = tuple(alerts.of_group(connection, post.group_id))
    if post.kind == "log":
        entries = journal.about(connection, [f"alert:{each.id}" for each in members], most=logbook.MOST_LINES + 1)
        return logbook.draw(desk.config, _head(members), tuple(entries))
    return draw_card(_view(desk, connection, members, late_s, likes))


def _view(
    desk: Desk, connection: sa.Connection, members: tuple[Alert, ...], late_s: int | None, likes: Likes | None
) -> View:
    head, seen = _head(members), observations.by_alert(connection, [each.id for each in members])
    known = remedies.look(desk, connection, members, head, likes)
    later = next(reversed(deferrals.assignments(connection, [each.id for each in members])), None)
    given = tuple(verdicts.newest(connection, [head.group_id])) if head.state == "closed" else ()
    return View(desk.config, members, seen, late_s, known, desk.probation(head.runbook), later, given)


def _direct(post: Post) -> Drawing:
    body = json.loads(post.body or "{}")
    offers = [button(label, verb, value, "primary" if n == 0 else None) for n, (label, verb, value) in enumerate(body["offers"])]
    row = [{"type": "actions", "block_id": f"direct:{post.id}", "elements": offers}] if offers else []
    return Drawing(body["said"], [section(body["said"]), *row])


def _notice(post: Post) -> Drawing:
    body = post.body or ""
    return Drawing(body, [section(body)])


def draw_card(view: View) -> Drawing:
    """The card: what is wrong, where, how bad, since when; then who has it and what happens next; then what one can do."""
    head = _head(view.members)
    said = [*_observers(view), *_next(view, head), *remedies.lines(view.config, view.remedies, head)]
    blocks = [section(_first_line(view, head)), section("\n".join(said))]
    blocks += [context(line) for line in _small_print(view, head)]
    blocks.append(buttons.row(head, view.remedies))
    return Drawing(_fallback(head), blocks)


def _head(members: Sequence[Alert]) -> Alert:
    """The member that speaks for the group: the worst state, then the worst severity, then the oldest."""
    return min(members, key=lambda each: (ORDER.index(each.state), alerts.SEVERITIES.index(each.severity), each.id))


def _first_line(view: View, alert: Alert) -> str:
    important = " · *important*" if alert.important else ""
    time = LASTED.format(length=lasted(alert)) if _is_over(alert) else SINCE.format(at=_ago(alert.since))
    face = _face(view, alert)
    return f"{face}{important} · {alert.severity}    *{alert.name}*\n{_bold(headline(alert))} · {time}"


def _face(view: View, alert: Alert) -> str:
    if alert.state != "closed" or alert.closed_by != VIGIE.key:
        return FACES[alert.state]
    return BY_VIGIE.format(at=clock_time(alert.closed_at), calling=remedies.calling(view.config, view.remedies))


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
    by_state: dict[str, dict[str, Any]] = {}
    for each in sorted(seen, key=lambda each: WORST_FIRST.index(each.state)):
        if not any(each.observer in others for others in by_state.values()):
            by_state.setdefault(each.state, {})[escape(each.observer)] = each
    return [" ".join(_by_state(by_state))] if by_state else []


def _by_state(by_state: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    """4 of 5 see the fault: CloudWatch, ... Bridge-1 says OK. Padok-2: no data since 02:02."""
    total = sum(map(len, by_state.values()))
    for state, words in (("firing", SEES), ("recovered", SAYS_OK)):
        names = sorted(by_state.get(state, ()))
        told = SEES_OF_ALL if state == "firing" and total > 1 else words
        if names:
            yield told.format(who=", ".join(names), s="" if len(names) > 1 else "s", count=len(names), all=total)
    for state, silence in (("no data", SAYS_NOTHING), ("gone", WATCHES_NO_MORE)):
        yield from (silence.format(who=name, at=clock_time(each.at)) for name, each in by_state.get(state, {}).items())


def _next(view: View, head: Alert) -> list[str]:
    """Who has it, and what happens next unless somebody acts."""
    if head.state == "closed":
        return [_closed(view, head)]
    lines = _healing(view, head) if head.state == "recovered" else [_owner(view.config, head)]
    lines += [view.remedies.paging] if view.remedies.paging else []
    if head.assigned_to and (head.state == "recovered" or head.acked_by):
        lines.append(GIVEN_TO.format(who=person(view.config, head.assigned_to)))
    if view.later and view.later.organisation in view.config.organisations:
        side = escape(view.config.organisations[view.later.organisation].name)
        who, at = person(view.config, view.later.person), clock_time(view.later.deferred_until)
        lines.append(FROM_THEN_ON.format(who=who, at=at, side=side))
    if head.snoozed_until:
        lines.append(SNOOZED.format(at=clock_time(head.snoozed_until)))
    lines += [view.remedies.silence] if view.remedies.silence else []
    return [" ".join(lines)]


def _healing(view: View, head: Alert) -> list[str]:
    words = CLOSING if head.due_at else BEING_PROVEN
    closing = words.format(since=clock_time(head.recovered_at), at=clock_time(head.due_at))
    if head.acked_by:
        return [closing, HAD_IT.format(who=person(view.config, head.acked_by))]
    worked_on = head.fixed_by or view.remedies.under_way       # by whom, the line of the run says
    return [closing] if head.seen_by or worked_on else [closing, NOBODY_LOOKED]


def _owner(config: Config, head: Alert) -> str:
    if head.acked_by:
        return HAS_IT.format(who=person(config, head.acked_by), at=clock_time(head.acked_at))
    return NOT_TAKEN.format(who=person(config, head.assigned_to)) if head.assigned_to else NOBODY_HAS_IT


def _closed(view: View, head: Alert) -> str:
    at = clock_time(head.closed_at)
    if head.closed_by != VIGIE.key:
        reason = f": {escape(head.close_reason, 300)}" if head.close_reason else "."
        return CLOSED_BY.format(who=person(view.config, head.closed_by), at=at, reason=reason)
    fixed = remedies.fixed(view.remedies, head)
    nobody = "" if fixed else NOBODY_HAD_LOOKED
    looked = SEEN_BY.format(who=person(view.config, head.seen_by)) if head.seen_by else nobody
    probation = view.probation if view.probation is not None else timedelta(minutes=view.config.probation.minutes)
    words, proven = (CLOSED_FIXED if fixed else CLOSED_QUIET), (PROVEN if head.proof else "")
    return words.format(probation=lasting(probation), looked=looked, fixed=fixed, proven=proven).rstrip()


def _small_print(view: View, head: Alert) -> Iterable[str]:
    if len(view.members) > 1:
        still = [each for each in view.members if each.state != "closed"]
        names = ", ".join(each.name for each in (still or view.members)[:10])
        alike = _is_over(head) and all(each.state == head.state for each in view.members)
        words = ALL_ALIKE if alike else MEMBERS
        yield words.format(open=len(still), all=len(view.members), names=names, state=head.state)
    said = [] if _is_over(head) else [escape(line, LONGEST_LINE) for line in head.summary.splitlines() if line.strip()]
    if said:
        yield "\n".join(said[:MOST_LINES])
    if known := list(_known(view, head)):
        yield " · ".join(known)
    if view.verdicts:
        yield " · ".join(VERDICT.format(verdict=each.verdict, who=person(view.config, each.by)) for each in view.verdicts)
    if view.remedies.like:
        yield view.remedies.like
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


def _fallback(head: Alert) -> str:
    """What a notification and a screen reader say."""
    important = ", important" if head.important else ""
    return f"{PLAIN_FACES[head.state]}{important}: {escape(headline(head))} ({head.name})"
