"""A report was sent, or cannot be sent in time: what people say of it, and what is owed next."""

from datetime import datetime

from bot.errors import Refused
from bot.services.desk import Actor, Desk
from bot.services.incident import clocks, ground
from bot.store import incidents, notices
from bot.store.incidents import Incident
from bot.store.notices import KINDS, Notice

NO_KIND = "\"{given}\" is no kind of report: say {known}."
NOT_OWED = "No {kind} report of {name} is owed. Owed now: {owed}."
NOTHING_OWED = "nothing"
NOT_YET = "{name} is not classified as major: `{command} classify {id}` says what is owed."
SENT_FIRST = "Somebody has said so meanwhile: see `{command} incident show {id}`."
BEFORE = "It cannot have been sent at {at}, before {name} was declared."
SAY_SOMETHING = "Say why it will be late: `{command} incident notice {id} {kind} delay=the provider has not answered`."


def kind_of(given: str) -> str:
    kind = given.lower().replace("-", "_")
    if kind not in KINDS:
        raise Refused(NO_KIND.format(given=given[:20], known=", ".join(KINDS)))
    return kind


def sent(
    desk: Desk, incident: Incident, actor: Actor, kind: str, reference: str, at: datetime | None = None, why_late: str = ""
) -> Notice:
    """It is sent: at `at`, or now. The limits that count from it are opened. Raises Refused when it is not owed."""
    open_one, now = _open(desk, incident, actor, kind), desk.clock.now()
    sent_at = at or now
    if sent_at < incident.declared_at:
        raise Refused(BEFORE.format(at=ground.when(desk.config, sent_at), name=incident.name))
    given, late = ground.text(reference) or None, ground.text(why_late) or open_one.delay_reason
    values = {"sent_at": sent_at, "sent_by": actor.key, "reference": given, "delay_reason": late, "remind_at": None}
    with desk.begin("notice sent") as connection:
        incident = incidents.hold(connection, incident.id)
        if not notices.move(connection, open_one, **values):
            raise Refused(SENT_FIRST.format(command=desk.config.command, id=incident.id))
        notices.recall(connection, open_one.id)
        in_time = None if open_one.due_at is None else sent_at <= open_one.due_at
        ground.note(connection, actor, incident, "notice sent", now, notice=kind, reference=given, sent=sent_at.isoformat(),
                    due=open_one.due_at.isoformat() if open_one.due_at else None, in_time=in_time, reason=late)
        clocks.renew(connection, desk.config, incident, now)
        ground.show(connection, incident, now)
    return next(each for each in _all(desk, incident) if each.id == open_one.id)


def delay(desk: Desk, incident: Incident, actor: Actor, kind: str, why: str) -> Notice:
    """Why the limit cannot be kept: told to the authority before it is over (2025/301 art. 5(3)), and kept here."""
    open_one, now, reason = _open(desk, incident, actor, kind), desk.clock.now(), ground.text(why)
    if not reason:
        raise Refused(SAY_SOMETHING.format(command=desk.config.command, id=incident.id, kind=kind))
    with desk.begin("notice delayed") as connection:
        if not notices.move(connection, open_one, delay_reason=reason):
            raise Refused(SENT_FIRST.format(command=desk.config.command, id=incident.id))
        before_limit = open_one.due_at is None or now <= open_one.due_at
        ground.note(connection, actor, incident, "notice delayed", now, notice=kind, reason=reason, before_limit=before_limit)
        ground.show(connection, incident, now)
    return next(each for each in _all(desk, incident) if each.id == open_one.id)


def _open(desk: Desk, incident: Incident, actor: Actor, kind: str) -> Notice:
    ground.may_write(desk, actor)
    ground.is_own(desk, actor, "incident notice")
    with desk.read() as connection:
        every = notices.still_open(connection, incident.id)
    found = next((each for each in every if each.kind == kind), None)
    if found is None and not every and kind in clocks.REPORTS:
        raise Refused(NOT_YET.format(name=incident.name.capitalize(), command=desk.config.command, id=incident.id))
    if found is None:
        owed = ", ".join(dict.fromkeys(each.kind for each in every)) or NOTHING_OWED
        raise Refused(NOT_OWED.format(kind=kind, name=incident.name, owed=owed))
    return found


def _all(desk: Desk, incident: Incident) -> list[Notice]:
    with desk.read() as connection:
        return notices.of_incident(connection, incident.id)
