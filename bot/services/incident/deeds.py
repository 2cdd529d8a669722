"""What one says about incidents, done and answered: each verb in one transaction, its answer in a sentence or two."""

from collections.abc import Callable, Mapping
from functools import partial

from bot.errors import Refused
from bot.services.desk import Actor, Desk
from bot.services.incident import (
    awareness,
    clocks,
    declaring,
    ground,
    impact,
    noticing,
    papers,
    postmortem,
    recovery,
    reminding,
    showing,
    timeline,
)
from bot.services.incident.declaring import FOUND_BY, Wish
from bot.services.incident.questions import WHOLE_IMPACT, YES, Said
from bot.store import incidents, notices
from bot.store.alerts import Alert
from bot.store.incidents import KINDS, Incident

DECLARED = "{name} is declared: {kind}, since {began}. {impact}{over}Next: `{command} classify {id}`."
WITH_IMPACT = (
    "{service} counts as down since then; `{command} incident impact {id} {service} <from> <to|-> [share]` corrects it. "
)
NO_IMPACT_YET = "Say whom it hurts: `{command} incident impact {id} <service> <from> <to|-> [share]`. "
OVER = "What fired recovered at {at}; if that was the end of it: {line}. "
ADDED = "{alerts} joined {name}."
IMPACT_SAID = "{name}: {stretch}."
CAUSE_SAID = "{name}: the root cause is \"{cause}\". By it recurring incidents are found; say it again in the same words."
ENDED = "{name} is over since {at}. `{command} incident post-mortem {id}` writes the first draft."
AWARE = "{name} is known since {at}; the limits of its reports are counted anew. {before}"
BEFORE = "Before, it was {at}; the journal has both."
PARTY, NO_PARTY = "{name} came from {party}.", "{name} came from no third party."
SENT, NEXT, NOTHING_MORE = "The {kind} of {name} was sent {at}. {next}", "Owed now: {all}.", "Nothing more is owed."
DELAYED = "Kept: the {kind} of {name} will be late, for {why}. Tell {authority} {when}."
BEFORE_IT, AT_ONCE = "before its limit", "at once: its limit is over"
FILED = "The {what} of {name} is in the thread of its card, as a file."
HOW_IMPACT = "Say service, from, to (or - while it lasts): `{command} incident impact {id} pay-api 02:14 02:31 30%`."
HOW_NOTICE = "Say which: `{command} incident notice {id} {known} <reference>`."
TIMELINE, POST_MORTEM = "timeline", "post-mortem"
LASTS = ("-", "–", "now")


def declare(desk: Desk, actor: Actor, alert: Alert, said: Said) -> str:
    words = list(said.words)
    kind = words.pop(0) if words and words[0].lower().replace("-", "_") in KINDS else said.get("kind")
    began = ground.past(desk, said.get("began").split(), actor)[0] if said.get("began") else None
    wish = Wish(declaring.kind_of(kind) if kind else None, " ".join(words) or said.get("title"), began,
                declaring.found_by(said.get("found") or FOUND_BY[0]), said.get("drill") == YES)
    made = declaring.declare(desk, alert, actor, wish)
    told = WITH_IMPACT if made.kind == declaring.OUTAGE else NO_IMPACT_YET
    return DECLARED.format(
        name=made.name.capitalize(), kind=showing.KINDS[made.kind], began=ground.when(desk.config, made.began_at), id=made.id,
        command=desk.config.command, impact=told.format(service=made.service, command=desk.config.command, id=made.id),
        over=_over(desk, actor, made),
    )


def _over(desk: Desk, actor: Actor, made: Incident) -> str:
    """Of what fires no more: how to say that it is over, for until then it counts as lasting."""
    with desk.read() as connection:
        at = recovery.recovered_at(connection, made)
    if at is None:
        return ""
    return OVER.format(at=ground.when(desk.config, at), line=recovery.line(desk.config, made, actor.organisation, at))


def add(desk: Desk, actor: Actor, it: Incident, alert: Alert) -> str:
    new = declaring.add(desk, it, actor, alert)
    return ADDED.format(alerts=" ".join(f"#{each}" for each in new), name=it.name)


def every(desk: Desk) -> str:
    with desk.read() as connection:
        return "\n".join(showing.every(connection, desk.config))


def _show(desk: Desk, _actor: Actor, it: Incident, _said: Said) -> str:
    with desk.read() as connection:
        return "\n".join(showing.lines(showing.look(connection, desk.config, it, desk.clock.now())))


def _impact(desk: Desk, actor: Actor, it: Incident, said: Said) -> str:
    named = (said.get(each) for each in ("service", "from", "to", "share"))
    words = [part for each in named for part in each.split()] or list(said.words)
    start, left = ground.past(desk, words[1:], actor) if len(words) >= WHOLE_IMPACT else (None, ())
    if start is None or not left:
        raise Refused(HOW_IMPACT.format(command=desk.config.command, id=it.id))
    end, rest = (None, left[1:]) if left[0] in LASTS else ground.past(desk, left, actor)
    made = impact.say(desk, it, actor, words[0], start, end, impact.share_of(rest[0]) if rest else 1.0)
    return IMPACT_SAID.format(name=it.name.capitalize(), stretch=showing.stretch(desk.config, made, desk.clock.now()))


def _cause(desk: Desk, actor: Actor, it: Incident, said: Said) -> str:
    made = declaring.cause(desk, it, actor, said.get("cause") or said.rest)
    return CAUSE_SAID.format(name=made.name.capitalize(), cause=made.cause)


def _end(desk: Desk, actor: Actor, it: Incident, said: Said) -> str:
    words, config = said.get("at").split() or list(said.words), desk.config
    at = ground.past(desk, words, actor)[0] if words else desk.clock.now()
    made = declaring.end(desk, it, actor, at)
    return ENDED.format(name=made.name.capitalize(), at=ground.when(config, at), command=config.command, id=made.id)


def _party(desk: Desk, actor: Actor, it: Incident, said: Said) -> str:
    made = declaring.third_party(desk, it, actor, said.get("who") or said.rest)
    words = PARTY if made.third_party else NO_PARTY
    return words.format(name=made.name.capitalize(), party=made.third_party)


def _aware(desk: Desk, actor: Actor, it: Incident, said: Said) -> str:
    at, why = ground.past(desk, said.words, actor)
    made = awareness.change(desk, it, actor, at, " ".join(why) or said.get("reason"))
    before = BEFORE.format(at=ground.when(desk.config, it.aware_at)) if it.aware_at else ""
    return AWARE.format(name=made.name.capitalize(), at=ground.when(desk.config, at), before=before)


def _notice(desk: Desk, actor: Actor, it: Incident, said: Said) -> str:
    config = desk.config
    kind, reference = said.get("kind") or " ".join(said.words[:1]), said.get("reference") or " ".join(said.words[1:])
    if not kind:
        raise Refused(HOW_NOTICE.format(command=config.command, id=it.id, known="|".join(clocks.REPORTS)))
    kind, why = noticing.kind_of(kind), said.get("delay")
    if why and not reference:
        left = noticing.delay(desk, it, actor, kind, why)
        known = ground.regulator(config)
        authority = known.authority if known else reminding.AUTHORITY
        over = left.due_at is not None and left.due_at < desk.clock.now()
        return DELAYED.format(kind=showing.NAMES[kind], name=it.name, why=left.delay_reason, authority=authority,
                              when=AT_ONCE if over else BEFORE_IT)
    at = ground.past(desk, said.get("at").split(), actor)[0] if said.get("at") else None
    made = noticing.sent(desk, it, actor, kind, reference, at, why)
    sent_at = ground.when(config, made.sent_at or desk.clock.now())
    return SENT.format(kind=showing.NAMES[kind], name=it.name, at=sent_at, next=_next(desk, it))


def _next(desk: Desk, it: Incident) -> str:
    with desk.read() as connection:
        left = notices.still_open(connection, it.id)
    now = desk.clock.now()
    said = [f"{showing.NAMES[each.kind]} {reminding.limit(desk.config, each, now)}" for each in left]
    return NEXT.format(all="; ".join(said)) if said else NOTHING_MORE


def _paper(what: str, desk: Desk, actor: Actor, it: Incident, _said: Said) -> str:
    write = timeline.markdown if what == TIMELINE else postmortem.markdown
    with desk.begin("incident paper") as connection:
        now, now_is = desk.clock.now(), incidents.by_id(connection, it.id) or it
        about = f"{what.capitalize()} of {it.name}: {now_is.title}"
        text = write(connection, desk.config, now_is, now)
        papers.post(connection, now_is, actor, what.capitalize(), f"{it.ref}-{what}.md", text, about, now)
    return FILED.format(what=what, name=it.name)


DEEDS: Mapping[str, Callable[[Desk, Actor, Incident, Said], str]] = {
    "show": _show, "impact": _impact, "cause": _cause, "end": _end, TIMELINE: partial(_paper, TIMELINE),
    POST_MORTEM: partial(_paper, POST_MORTEM), "third-party": _party, "notice": _notice, "aware": _aware,
}
