"""A decision is written down: what both sides agreed to do, who has it, until when, and what it is about."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.masking import mask_text
from bot.review.arithmetic.patterns import pattern
from bot.services.alert import response
from bot.services.desk import Actor, Desk
from bot.services.leave import authority, hours
from bot.services.ledger import journal
from bot.services.review import choosing, posting
from bot.services.rota import naming, telling
from bot.store import alerts, observations
from bot.store import decisions as rows
from bot.store.decisions import Decision

KINDS: Mapping[str, str] = {
    "fix": "Fix: take away the cause", "tune": "Tune the alert: threshold, window, who is called",
    "automate": "Automate: let a runbook do it", "delete": "Delete the alert", "cut": "Cut what costs more than it gives",
    "other": "Something else",
}
LONGEST, LONGEST_SAVING = 300, 80
DAY = re.compile(r"\d{4}-\d\d-\d\d")
NUMBER = re.compile(r"#?\d{1,12}")

NO_TEXT = "What was decided? `{command} decide <text> owner=@lea due=2026-12-01 about=142 kind=tune`."
TOO_LONG = "A decision holds at most {most} characters, this one has {length}: the rest belongs into a ticket."
NO_DAY = "due is a day as in 2026-12-01; \"{given}\" is none."
PAST = "due {given} is over: say a day from today on."
NO_KIND = "kind \"{given}\" is nothing; say one of: {known}."
NO_ABOUT = "about \"{given}\" is neither an alert nor a service: say 142, or one of {known}."
SAVING_TOO_LONG = "saving holds at most {most} characters: \"2900 USD a month\"."


@dataclass(frozen=True, slots=True)
class Wanted:
    """A decision as it was said."""

    text: str
    owner: str | None = None
    due: str | None = None
    about: str | None = None
    kind: str | None = None
    saving: str | None = None
    month: str | None = None                # the review in which it was decided; without it, the last that is over


def decide(desk: Desk, actor: Actor, wanted: Wanted) -> Decision:
    """Writes it down, for the side of whoever has it; raises Refused."""
    authority.require(desk.config, actor, "decide", "write")
    config, now = desk.config, desk.clock.now()
    owner = naming.person(config, (wanted.owner,), actor.key)[0] if wanted.owner else None
    values = {
        "text": _text(desk, wanted.text), "owner": owner, "kind": _kind(wanted.kind),
        "due": day(config, actor, wanted.due, now) if wanted.due else None,
        "side": config.people[owner].organisation if owner else actor.organisation, "saving": _saving(wanted.saving),
    }
    month, about = choosing.month_of(config, wanted.month, now).name, _about(desk, wanted.about)
    with desk.begin("decide") as connection:
        number = rows.add(connection, **values, **about, month=month, made_by=actor.key, made_at=now)
        told = {name: each for name, each in {**values, **about}.items() if name != "kind"}
        record(connection, actor, "decision made", number, now, **told, month=month, action=values["kind"])
        posting.redraw_newest(connection, config, month, now)
        made = rows.by_id(connection, number)
    assert made is not None
    return made


def _text(desk: Desk, given: str) -> str:
    text = mask_text(" ".join(given.split()))
    if not text:
        raise Refused(NO_TEXT.format(command=desk.config.command))
    if len(text) > LONGEST:
        raise Refused(TOO_LONG.format(most=LONGEST, length=len(text)))
    return text


def _kind(given: str | None) -> str:
    word = (given or "other").lower()
    if word not in KINDS:
        raise Refused(NO_KIND.format(given=word[:20], known=", ".join(KINDS)))
    return word


def _saving(given: str | None) -> str | None:
    text = mask_text(" ".join((given or "").split()))
    if len(text) > LONGEST_SAVING:
        raise Refused(SAVING_TOO_LONG.format(most=LONGEST_SAVING))
    return text or None


def day(config: Config, actor: Actor, given: str, now: datetime) -> str:
    """When it is due, as it was said; raises Refused when that is no day, or one that is over."""
    try:
        due = date.fromisoformat(given if DAY.fullmatch(given) else "")
    except ValueError:
        raise Refused(NO_DAY.format(given=given[:20])) from None
    if due < hours.local_date(telling.zone_of(config, actor.key), now):
        raise Refused(PAST.format(given=given))
    return due.isoformat()


def _about(desk: Desk, given: str | None) -> dict[str, str | None]:
    """The service, and of an alert the pattern that its repeats have in common."""
    if not given:
        return {"service": None, "pattern": None}
    if given in desk.config.services:
        return {"service": given, "pattern": None}
    if not NUMBER.fullmatch(given):
        raise Refused(NO_ABOUT.format(given=given[:40], known=", ".join(desk.config.services)))
    alert = response.find(desk, given)
    with desk.read() as connection:
        founder = alerts.of_group(connection, alert.group_id)[0]
        seen = observations.by_alert(connection, [founder.id]).get(founder.id, [])
    source = min((each.source for each in seen), default="")
    return {"service": alert.service, "pattern": pattern(source, founder.labels)}


def record(connection: sa.Connection, actor: Actor, kind: str, number: int, now: datetime, **details: object) -> None:
    """In the journal, about the decision of that number."""
    journal.record(connection, actor=actor, kind=kind, object=f"decision:{number}", outcome="done", at=now, **details)
