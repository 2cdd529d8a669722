"""What calls people in Slack: the question whether something may be done, and a page. They are mentioned once, when it is new."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.services.alert.response import clock_time
from bot.services.desk import Desk
from bot.services.leave import duty
from bot.services.slack.drawing import Drawing, button, confirm, context, deed, escape, person, section, sections
from bot.services.slack.runcards import RunView, on, outcomes, reference, values, view
from bot.store import alerts, approvals, escalations, runs
from bot.store.alerts import Alert
from bot.store.approvals import Approval
from bot.store.cards import Post
from bot.store.runs import Run, Step
from runbooks.actions import Action

WANTED = "{whom}approval wanted by {who}{company} for {run} \"{title}\", expires {at}."
ASKED_ONCE = "✋ *Approval wanted* by {who}{company} for {run} \"{title}\", expires {at}."
ANSWERED = "{ending} Asked by {who}{company} for {run} \"{title}\"."
PLAN = "*{plan}*"
STEP = "Step {number} of {all}: {title} · `{uses}` on {target}{given}"
GIVEN = " · {values}"
NOW = "Now: {values}."
CHANGES = "Changes: {changes}. "
UNDO, NO_UNDO = "Undo: back to how it is now.", "There is no way back: {why}."
ANEW = "Asked anew: what would be done is not what was asked before."
DARK = "{company} is in blackout until {until}: nobody there is asked."
MAY = "May approve: {people}.{count}"
COUNT = " {count} of them are needed."
BECAUSE = "Wanted: {why}."
SIGNED = "Signed by {who} {at}{standing}."
STANDING = " ({clause})"
ENDINGS = {
    approvals.APPROVED: "✅ *Approved* by {signers}.",
    approvals.REJECTED: "✖ *Rejected* by {who} {at}{reason}",
    approvals.EXPIRED: "⌛ *Expired* {at}: not everybody who was wanted said yes in time.",
    approvals.REVOKED: "↩ *Revoked* by {who} {at}{reason}",
    approvals.VOID: "*No longer needed.*",
}
USED = " It has begun."
PLAIN = "Approval wanted for {run}: {plan}"

APPROVE, REJECT, REVOKE = "Approve", "Reject…", "Revoke"
APPROVE_TITLE, REVOKE_TITLE = "Approve step {number} of {run}?", "Take the approval back?"
REVOKE_TEXT = "Works until the step begins. The run then fails at this step."

ACK, RUN, ESCALATE, WHY = "Acknowledge", "Run runbook…", "Escalate…", "Why?"

LONGEST_PLAN, LONGEST_CALL, MOST_NAMED = 600, 2_600, 8
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT")


@dataclass(frozen=True, slots=True)
class AskView:
    """All that a question's message needs of the rows."""

    shown: RunView
    asked: Approval
    signatures: tuple[Any, ...]
    anew: bool
    calls: tuple[str, ...]      # Slack ids of those to mention now

    @property
    def config(self) -> Config:
        return self.shown.config

    @property
    def run(self) -> Run:
        return self.shown.run

    @property
    def step(self) -> Step:
        return self.shown.steps[self.asked.number]

    @property
    def action(self) -> Action[Any] | None:
        return self.shown.catalogue.actions.get(self.step.uses)


def draw_ask(desk: Desk, connection: sa.Connection, post: Post) -> Drawing:
    """Who wants exactly what, from what to what, who may say yes; and once it is answered, how."""
    asked = approvals.get(connection, int(post.key.split(":")[1]))
    before = approvals.find(
        connection, approvals.approval.c.run_id == asked.run_id, approvals.approval.c.number == asked.number,
        approvals.approval.c.id < asked.id, most=1,
    )
    open_now = asked.state == approvals.OPEN and post.ts is None
    calls = mentioned(desk.config, asked.asked) if open_now else ()
    signed = tuple(approvals.signatures(connection, asked.id))
    return ask_drawing(AskView(view(desk, connection, asked.run_id), asked, signed, bool(before), tuple(calls)))


def mentioned(config: Config, people: Sequence[str]) -> list[str]:
    """Their Slack ids; hush.py leaves only those who may be reached, and keeps it for the others."""
    return [config.people[key].slack for key in people if key in config.people]


def ask_drawing(shown: AskView) -> Drawing:
    plan = escape(_sentence(shown.step.plan or shown.step.title), LONGEST_PLAN)
    lines = [_head(shown), *_darkness(shown), PLAN.format(plan=plan.replace("*", "∗")), _what(shown)]
    lines += _effects(shown) if shown.asked.state == approvals.OPEN else ()
    blocks = [*sections(lines), context(" ".join(_signing(shown)))]
    if buttons := list(_buttons(shown)):
        blocks.append({"type": "actions", "block_id": f"ask:{shown.asked.id}", "elements": buttons})
    calls = "".join(f"<@{each}> " for each in shown.calls)
    return Drawing(f"{calls}{PLAIN.format(run=shown.run.name, plan=plan)}", blocks)


def _head(shown: AskView) -> str:
    organisation = shown.config.organisations.get(shown.run.organisation)
    words = ANSWERED if shown.asked.state != approvals.OPEN else WANTED if shown.calls else ASKED_ONCE
    return words.format(
        ending=_ending(shown),
        whom="".join(f"<@{each}> " for each in shown.calls), who=person(shown.config, shown.run.actor),
        company=f" ({escape(organisation.name)})" if organisation else "", run=shown.run.name, title=escape(shown.run.title),
        at=clock_time(shown.asked.expires_at),
    )


def _darkness(shown: AskView) -> Iterable[str]:
    for key, company in shown.config.organisations.items():
        until = duty.in_blackout(shown.config, key, shown.asked.asked_at)
        if until is not None and shown.asked.state == approvals.OPEN:
            yield DARK.format(company=escape(company.name), until=clock_time(until))


def _what(shown: AskView) -> str:
    step = shown.step
    given = GIVEN.format(values=values(step.given)) if step.given else ""
    return STEP.format(
        number=step.number + 1, all=len(shown.shown.steps), title=escape(step.title), uses=escape(step.uses),
        target=on(shown.run), given=given,
    )


def _effects(shown: AskView) -> Iterable[str]:
    known = {name: value for name, value in (shown.step.before or {}).items() if _telling(value)}
    if known:
        yield NOW.format(values=values(known, " "))
    if shown.action and shown.action.mutates:
        undo = NO_UNDO.format(why=escape(shown.action.no_undo)) if shown.action.no_undo else UNDO
        yield CHANGES.format(changes=escape(shown.action.changes, 300)) + undo
    if shown.anew:
        yield ANEW


def _telling(value: Any) -> bool:
    """Of what was read before: not when, and not what it is made of."""
    return isinstance(value, str | int | float | bool) and not INSTANT.match(str(value))


def _signing(shown: AskView) -> Iterable[str]:
    wants = shown.asked.wants
    if why := "; ".join(dict.fromkeys(escape(str(each["why"])) for each in wants if each.get("why"))):
        yield BECAUSE.format(why=why)
    people = [_titled(shown.config, key) for key in shown.asked.asked[:MOST_NAMED]]
    most = max((int(each.get("count", 1)) for each in wants), default=1)
    if people:
        count = COUNT.format(count=most) if most > 1 else ""
        yield MAY.format(people=", ".join(people) + (", …" if len(shown.asked.asked) > MOST_NAMED else ""), count=count)
    for each in shown.signatures:
        standing = STANDING.format(clause=escape(each.standing)) if each.standing else ""
        yield SIGNED.format(who=person(shown.config, each.person), at=clock_time(each.at), standing=standing)


def _titled(config: Config, key: str) -> str:
    """Inès (Padok lead)"""
    known = config.people.get(key)
    if known is None:
        return escape(key)
    company = config.organisations[known.organisation].name
    return f"{escape(known.name)} ({escape(company)} {', '.join(known.roles)})"


def _ending(shown: AskView) -> str:
    asked = shown.asked
    state = approvals.APPROVED if asked.state == approvals.USED else asked.state
    signers = ", ".join(f"{person(shown.config, each.person)} {clock_time(each.at)}" for each in shown.signatures)
    reason = f": {escape(asked.reason, 300)}" if asked.reason else "."
    said = ENDINGS.get(state, escape(asked.state)).format(
        signers=signers, who=person(shown.config, asked.ended_by), at=clock_time(asked.ended_at), reason=reason,
    )
    return said + (USED if asked.state == approvals.USED else "")


def _buttons(shown: AskView) -> Iterable[dict[str, Any]]:
    run, plan = shown.run, shown.step.plan or shown.step.title
    if shown.asked.state == approvals.OPEN:
        title = APPROVE_TITLE.format(number=shown.step.number + 1, run=run.name)
        yield button(APPROVE, f"approve:{shown.asked.id}", reference(run), "primary", confirm(title, _sentence(plan), APPROVE))
        yield button(REJECT, "reject", reference(run))
    elif shown.asked.state == approvals.APPROVED and run.state in runs.UNDER_WAY:
        yield button(REVOKE, "revoke", reference(run), asking=confirm(REVOKE_TITLE, REVOKE_TEXT, REVOKE, danger=True))


def _sentence(plan: str) -> str:
    words = deed(plan)
    return f"{words[:1].upper()}{words[1:]}"


# --- pages ------------------------------------------------------------------------------------------------------------------


def draw_page(desk: Desk, connection: sa.Connection, post: Post) -> Drawing:
    """Somebody is needed: who, what for, and the buttons that fit."""
    body: Mapping[str, Any] = json.loads(post.body or "{}")
    people, said = list(body.get("people", ())), escape(str(body.get("said", "")), LONGEST_CALL)
    calls = mentioned(desk.config, people) if post.ts is None else []
    named = "".join(f"<@{each}> " for each in calls) or "".join(f"{person(desk.config, each)}: " for each in people[:1])
    what, number = post.key.split(":")[:2]
    todo = list(_about(connection, what, int(number)))
    under = [context(body["under"])] if todo and body.get("under") else []      # who was called before, who is next
    blocks = [section(f"{named}{said}"), *under, *todo]
    return Drawing(f"{named}{said}", blocks)


def _about(connection: sa.Connection, what: str, number: int) -> Iterable[dict[str, Any]]:
    if what == "doubt":
        run = runs.get(connection, number)
        step = next((each for each in runs.steps(connection, number) if each.number == run.position), None)
        if run.state == runs.IN_DOUBT:
            yield {"type": "actions", "block_id": f"doubt:{number}", "elements": list(outcomes(run, step))}
    elif (alert := alerts.by_id(connection, number)) and _wanted(connection, alert):
        yield {"type": "actions", "block_id": f"page:{number}", "elements": list(_first_aid(alert))}


def _wanted(connection: sa.Connection, alert: Alert) -> bool:
    """Whether somebody is still needed: once it is theirs, or over, the card has what one can do."""
    if alert.state == "acked":
        return escalations.relieved(connection, alert.group_id) is not None
    return alert.state != "closed" and not alert.acked_by and not (alert.state == "recovered" and alert.seen_by)


def _first_aid(alert: Alert) -> Iterable[dict[str, Any]]:
    yield button(ACK, "ack", str(alert.id), "primary")
    if alert.runbook:
        yield button(RUN, "run", str(alert.id))
    if alert.state != "recovered":
        yield button(ESCALATE, "escalate", str(alert.id))
    yield button(WHY, "why", str(alert.id))
