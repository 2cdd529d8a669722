"""Both sides say yes to a sealed review: one lead or manager of each, to exactly its digest."""

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from bot.errors import Refused
from bot.review.facts import Trail
from bot.services.alert.response import clock_time
from bot.services.desk import Actor, Desk
from bot.services.leave import blackout
from bot.services.ledger import journal
from bot.services.review import choosing, posting, reading, signers
from bot.services.review.facts.trail import trail
from bot.services.review.reading import Read
from bot.store import reviews
from bot.store.reviews import Sealed, Signature

PROVISIONAL = "The review of {month} is provisional, so far: it can be signed when it is sealed, from {at} on."
OLDER = "There is a newer version of {month}: v{newest}. Sign that one: `{command} review {month} sign`."
SIGNED = "{who} has signed v{version} of {month} for {side} at {at}."
ALTERED = "The text of v{version} of {month} is not the one that was sealed: it cannot be signed. Keep the database as it is."
BROKEN = "The journal is not whole: {where}. v{version} of {month} cannot be signed until that is explained."
AT_ENTRY, UNSAID = "entry {entry}, {why}", "its chain breaks"


def sign(desk: Desk, actor: Actor, month: str | None, version: int | None = None) -> tuple[Sealed, bool]:
    """One side's signature, and whether both are there now; raises Refused."""
    signers.require(desk.config, actor, "review sign")
    blackout.require_awake(desk, actor, "review", "write")
    with desk.read() as connection:
        found = reading.get(connection, desk.config, month, desk.clock.now())
        kept = _require_sealed(desk, found, version)
        _require_whole(connection, desk, found, kept)
    try:
        with desk.begin("sign review") as connection:
            return kept, _write(connection, desk, actor, kept)
    except sa.exc.IntegrityError:
        raise Refused(_signed(desk, actor, kept)) from None


def _require_sealed(desk: Desk, found: Read, version: int | None) -> Sealed:
    if found.sealed is None:
        raise Refused(PROVISIONAL.format(month=found.month.name, at=posting.local(found.month, found.month.cut_off)))
    _require_newest(desk, found.sealed, found.sealed.version if version is None else version)
    return found.sealed


def _require_newest(desk: Desk, newest: Sealed | None, version: int) -> None:
    if newest is not None and newest.version != version:
        raise Refused(OLDER.format(month=newest.month, newest=newest.version, command=desk.config.command))


def _require_whole(connection: sa.Connection, desk: Desk, found: Read, kept: Sealed) -> None:
    """What is signed is what was sealed; the journal that it was made of, and that names it, has not been touched since."""
    if not reading.is_whole(connection, kept):
        raise Refused(ALTERED.format(version=kept.version, month=kept.month))
    looked = trail(connection, replace(found.month, as_of=desk.clock.now()))
    if looked.ok is False:
        raise Refused(BROKEN.format(where=where(looked), version=kept.version, month=kept.month))


def _write(connection: sa.Connection, desk: Desk, actor: Actor, kept: Sealed) -> bool:
    now = desk.clock.now()
    reviews.hold(connection, kept.month, kept.version)      # of two sides in one instant the second sees the first
    _require_newest(desk, reviews.sealed(connection, kept.month), kept.version)        # one may have been made meanwhile
    reviews.sign(connection, Signature(kept.month, kept.version, actor.organisation, actor.key, now, kept.digest))
    _record(connection, actor, "review signed", kept, now)
    both = not signers.missing(desk.config, reviews.signatures(connection, kept.month, kept.version))
    if both:
        _record(connection, actor, "review agreed", kept, now)
    posting.redraw(connection, desk.config, kept.month, kept.version, now)
    # The message of the month after it says what is unsigned.
    posting.redraw_newest(connection, desk.config, choosing.named(desk.config, kept.month, now).next(), now)
    return both


def _record(connection: sa.Connection, actor: Actor, kind: str, kept: Sealed, now: datetime) -> None:
    about = f"review:{kept.month}"
    journal.record(
        connection, actor=actor, kind=kind, object=about, outcome="done", at=now, version=kept.version, digest=kept.digest
    )


def _signed(desk: Desk, actor: Actor, kept: Sealed) -> str:
    with desk.read() as connection:
        known = reviews.signatures(connection, kept.month, kept.version)
    by = next(each for each in known if each.organisation == actor.organisation)
    people, every = desk.config.people, desk.config.organisations
    return SIGNED.format(
        who=people[by.person].name if by.person in people else by.person, version=kept.version, month=kept.month,
        side=every[actor.organisation].name, at=clock_time(by.at),
    )


def where(looked: Trail) -> str:
    """Where the journal's chain breaks."""
    if looked.first_bad is None:
        return looked.why or UNSAID
    return AT_ENTRY.format(entry=looked.first_bad, why=looked.why or UNSAID)
