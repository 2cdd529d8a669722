"""The catalogue for people: what there is, how far it is trusted, how it did, who may run it now; and which one is meant."""

import difflib
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from bot.config.catalogue import STALE_AFTER, Entry
from bot.errors import Refused
from bot.services.alert.response import called
from bot.services.desk import Actor, Desk
from bot.services.leave import mandates
from bot.services.leave.mandates import Wish
from bot.services.run import brakes, ladder, underway
from bot.services.run.ladder import Readiness
from bot.services.slack import remedies
from bot.store import runs
from bot.store.alerts import Alert
from runbooks.model import Runbook, written

EMPTY = "There are no runbooks here. `vigie check` says which folder is read."
UNKNOWN = "There is no runbook \"{given}\". {hint}`{command} runbooks` lists them."
DID_YOU_MEAN = "Did you mean {names}? "

THERE_IS = "*Runbooks*"
LINE = "• `{name}` {title} · {rung}{record}{last} · {owner}, reviewed {reviewed}{stale}{may}"
STALE = " *(stale)*"
RECORD, NEVER = " · {good} of {all} good", " · never run"
LAST = " · last run {id} on {at}"
YOU_MAY, YOU_MAY_NOT = " · you may run it", ""
MORE = "… and {count} more: `{command} runbooks <name>` shows each."

HEAD = "*{title}* `{name}` · version {version}"
CLAIMS = "Recognises: {what}."
RECOGNISES_NOTHING = "Recognises nothing by itself."
STANDS, NEVER_MOVED = "{stands}; may climb to {ceiling}.", "On {rung}"
READY, NOT_READY = "Ready for {next}.", "Not ready for {next}: {why}."
RECORDED = "{runs} {word}, {failures} failed or did not hold, {rollbacks} taken back."
PROPOSED = "{who} proposes {rung}: a lead or approver of another company signs with `{command} promote {name}`."
STOPPED = "⏸ Automation {told}."
OWNED = "Kept by {owner}, reviewed {reviewed}{stale}."
MAY_RUN, NOBODY = "May run it: {who}.", "Nobody may run it now."
STEPS, STEP, PARAMETER = "*Steps*", "{number} · {title} · `{uses}`{flags}", "• `{name}` {what}"
PROVES, NEEDS_YES, NO_WAY_BACK = "Proofs: {names}.", " · needs a yes", " · no way back"
QUIET, LIMITS = " Quiet for {length} afterwards.", " At most {most} automatic runs an hour for one target."
PARAMETERS = "*Parameters*"

MOST_LISTED, MOST_STEPS = 25, 20


def named(desk: Desk, given: str) -> Runbook:
    """The runbook of that name or title; raises Refused with the nearest ones."""
    wanted = given.strip().casefold()
    for entry in desk.catalogue.entries.values():
        if wanted in (entry.runbook.name, entry.runbook.title.casefold()):
            return entry.runbook
    near = difflib.get_close_matches(wanted, desk.catalogue.entries, n=2, cutoff=0.5)
    hint = DID_YOU_MEAN.format(names=" or ".join(f"`{each}`" for each in near)) if near else ""
    raise Refused(UNKNOWN.format(given=given[:40], hint=hint, command=desk.config.command))


def runnable(desk: Desk, actor: Actor, alert: Alert | None) -> list[Runbook]:
    """What the actor may run now; for an alert first what its service knows."""
    with desk.read() as connection:
        now = desk.clock.now()
        may = [each.runbook for each in desk.catalogue.entries.values()
               if mandates.refusal(desk, connection, Wish(each.runbook, actor, alert), now) is None]
    return sorted(may, key=lambda each: not (alert and any(alert.service in when.service for when in each.when)))


def demand(desk: Desk, actor: Actor, runbook: Runbook, alert: Alert | None) -> None:
    """Before anybody fills a form in: raises Refused when the actor may not run it, whatever its parameters are."""
    with desk.read() as connection:
        why = mandates.refusal(desk, connection, Wish(runbook, actor, alert), desk.clock.now())
    if why is not None:
        raise Refused(why)


def overview(desk: Desk, actor: Actor) -> str:
    """What runs, and what could be run."""
    if not desk.catalogue.entries:
        return EMPTY
    allowed = {each.name for each in runnable(desk, actor, None)}
    with desk.read() as connection:
        lines = [*underway.lines(desk, connection, None), THERE_IS]
        entries = list(desk.catalogue.entries.values())
        lines += [_line(desk, connection, each, each.runbook.name in allowed) for each in entries[:MOST_LISTED]]
    if len(entries) > MOST_LISTED:
        lines.append(MORE.format(count=len(entries) - MOST_LISTED, command=desk.config.command))
    return "\n".join(lines)


def _line(desk: Desk, connection: sa.Connection, entry: Entry, allowed: bool) -> str:
    runbook, ready = entry.runbook, ladder.readiness(connection, entry.runbook)
    last = runs.find(connection, runs.run.c.runbook == runbook.name, most=1)
    return LINE.format(
        name=runbook.name, title=runbook.title, rung=remedies.RUNGS[ready.rung], record=_record(ready, bool(last)),
        last=LAST.format(id=last[0].id, at=f"{last[0].begun_at:%d %b}") if last else "", owner=_owner(desk, runbook),
        reviewed=f"{runbook.reviewed:%d %b %Y}", stale=_stale(desk, runbook), may=YOU_MAY if allowed else YOU_MAY_NOT,
    )


def _record(ready: Readiness, ran: bool) -> str:
    """A run that is under way, or was refused, is one that ran and counts for nothing."""
    if not ready.runs:
        return "" if ran else NEVER
    return RECORD.format(good=ready.runs - ready.failures, all=ready.runs)


def _owner(desk: Desk, runbook: Runbook) -> str:
    known = desk.config.organisations.get(runbook.owner) or desk.config.people.get(runbook.owner)
    return known.name if known else runbook.owner


def _stale(desk: Desk, runbook: Runbook) -> str:
    return STALE if desk.clock.now().date() - runbook.reviewed > STALE_AFTER else ""


# --- one runbook ------------------------------------------------------------------------------------------------------------


def about(desk: Desk, runbook: Runbook) -> str:
    """All about one: what it is for, how far it is trusted and why, its steps, who may run it."""
    lines = [HEAD.format(title=runbook.title, name=runbook.name, version=runbook.version)]
    lines += [" ".join(runbook.description.split())[:600]] if runbook.description else []
    with desk.read() as connection:
        lines += [_recognises(runbook), *_trust(desk, connection, runbook)]
        may = remedies.who_may(desk, connection, runbook, None)
    owned = OWNED.format(owner=_owner(desk, runbook), reviewed=f"{runbook.reviewed:%d %b %Y}", stale=_stale(desk, runbook))
    lines += [f"{owned} {MAY_RUN.format(who='; '.join(each.who for each in may)) if may else NOBODY}"]
    lines += [PARAMETERS, *(_parameter(runbook, name) for name in runbook.parameters)] if runbook.parameters else []
    lines += [STEPS, *_steps(desk, runbook)]
    return "\n".join([*lines, *_proofs(runbook)])


def _recognises(runbook: Runbook) -> str:
    what = ["; ".join(part for part in (
        f"service {', '.join(when.service)}" if when.service else "", f"named {', '.join(when.name)}" if when.name else "",
        ", ".join(f"{key}={value}" for key, value in when.labels.items()),
        f"severity {', '.join(when.severity)}" if when.severity else "",
    ) if part) for when in runbook.when]
    return CLAIMS.format(what=" or ".join(what)) if what else RECOGNISES_NOTHING


def _trust(desk: Desk, connection: sa.Connection, runbook: Runbook) -> Iterable[str]:
    ready, since = ladder.readiness(connection, runbook), ladder.since(desk, connection, runbook)
    stands = f"{since[:1].upper()}{since[1:]}" or NEVER_MOVED.format(rung=ready.rung)
    yield STANDS.format(stands=stands, ceiling=runbook.automation)
    why = "; ".join(ready.why)
    told = (READY if ready.enough else NOT_READY).format(next=ready.next, why=why) if ready.next else ""
    word = "run" if ready.runs == 1 else "runs"
    yield f"{RECORDED.format(runs=ready.runs, word=word, failures=ready.failures, rollbacks=ready.rollbacks)} {told}".rstrip()
    if made := ladder.waiting(desk, connection, runbook):
        yield PROPOSED.format(who=called(desk, made.by), rung=made.rung, name=runbook.name, command=desk.config.command)
    if switch := brakes.stopped(connection, runbook.name, next((name for when in runbook.when for name in when.service), "")):
        yield STOPPED.format(told=brakes.told(desk, switch))


def _parameter(runbook: Runbook, name: str) -> str:
    each = runbook.parameters[name]
    bounds = f"{'' if each.minimum is None else f'≥ {each.minimum:g} '}{'' if each.maximum is None else f'≤ {each.maximum:g}'}"
    parts = [
        each.type, "secret: the name of a variable" if each.secret else "", ", ".join(map(str, each.enum)), bounds.strip(),
        f"from {each.source}" if each.source else "", "" if each.default is None else f"else {each.default}", each.description,
    ]
    return PARAMETER.format(name=name, what=" · ".join(part for part in parts if part)[:250])


def _steps(desk: Desk, runbook: Runbook) -> Iterable[str]:
    for number, step in enumerate(runbook.steps[:MOST_STEPS]):
        action = desk.catalogue.actions.get(step.uses)
        changes = action is not None and action.mutates
        asks = step.approve is not None or (action is not None and bool(action.asks))
        final = changes and action is not None and (bool(action.no_undo) or step.undo == "none")
        flags = (NEEDS_YES if asks else "") + (NO_WAY_BACK if final else "")
        yield STEP.format(number=number + 1, title=step.caption, uses=step.uses, flags=flags)


def _proofs(runbook: Runbook) -> Sequence[str]:
    names = ", ".join(each.title or each.name for each in runbook.verify)
    quiet = QUIET.format(length=written(runbook.probation)) if runbook.probation else ""
    limits = LIMITS.format(most=runbook.limits.per_hour) if runbook.automation == "automatic" else ""
    return [f"{PROVES.format(names=names)}{quiet}{limits}"] if names else []
