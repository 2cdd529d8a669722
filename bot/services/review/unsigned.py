"""A review that one side has not signed: its leads and managers are reminded once, and the next month's post says it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from bot.config import Config
from bot.review.forms import wording
from bot.services import singly
from bot.services.desk import VIGIE, Desk
from bot.services.leave.clauses import listed
from bot.services.ledger import journal
from bot.services.review import choosing, posting, signers
from bot.services.rota import office, telling
from bot.store import cards, reviews
from bot.store.reviews import Sealed

REMIND = (
    "📒 The review of {month} (v{version}), sealed {days} working days ago, is not signed for {side}. One signature is enough, "
    "by a lead or a manager. What you find wrong goes into a later version: `{command} review {name} again <why>`."
)
STILL = "✍ The review of {month} is not signed for {sides}: `{command} review {name} sign`."

AFTER = 3                               # working days of the side


@dataclass(frozen=True, slots=True)
class Unsigned:
    """One side's signature that is missing under the newest version of a month."""

    kept: Sealed
    side: str


def act(desk: Desk) -> int:
    """Reminds each side once of each version, in its working hours, never in its blackout. Safe to repeat."""
    now = desk.clock.now()
    with desk.read() as connection:
        due = [each for each in _missing(connection, desk.config, now) if _is_due(connection, desk.config, each, now)]
    return singly.each("signature", due, partial(_remind, desk, now))


def _missing(connection: sa.Connection, config: Config, now: datetime) -> list[Unsigned]:
    newest = [reviews.sealed(connection, month.name) for month in choosing.last_months(config, now)]
    return [Unsigned(kept, side) for kept in newest if kept for side in _sides(connection, config, kept)]


def _sides(connection: sa.Connection, config: Config, kept: Sealed) -> list[str]:
    return signers.missing(config, reviews.signatures(connection, kept.month, kept.version))


def _is_due(connection: sa.Connection, config: Config, each: Unsigned, now: datetime) -> bool:
    if not office.is_open(config, each.side, now) or office.working_days(config, each.side, each.kept.made_at, now) < AFTER:
        return False
    able = signers.of(config, each.side)
    return bool(able) and all(cards.by_key(connection, _key(each, who)) is None for who in able)


def _remind(desk: Desk, now: datetime, each: Unsigned) -> bool:
    config, kept = desk.config, each.kept
    said = REMIND.format(
        month=wording.month(kept.month), version=kept.version, days=office.working_days(config, each.side, kept.made_at, now),
        side=config.organisations[each.side].name, command=config.command, name=kept.month,
    )
    offers = posting.offers(config, kept, each.side)
    try:
        with desk.begin("remind of signature") as connection:
            if each.side not in _sides(connection, config, kept) or not _is_due(connection, config, each, now):
                return False            # they have signed in this moment, or another process said it
            told = [who for who in signers.of(config, each.side)
                    if telling.tell(connection, config, who, _key(each, who), said, now, offers)]
            if told:
                journal.record(connection, actor=VIGIE, kind="signature reminded", object=f"review:{kept.month}", outcome="done",
                               at=now, version=kept.version, side=each.side, who=", ".join(told))
    except sa.exc.IntegrityError:           # another process said it
        return False
    return bool(told)


def _key(each: Unsigned, person: str) -> str:
    return f"review:unsigned:{posting.reference(each.kept.month, each.kept.version)}:{person}"


def before(connection: sa.Connection, config: Config, month: str, now: datetime) -> Sequence[str]:
    """What the post of a month says of the month before it."""
    kept = reviews.sealed(connection, choosing.named(config, month, now).previous())
    left = _sides(connection, config, kept) if kept else []
    if not kept or not left:
        return ()
    names = listed([config.organisations[side].name for side in left], "and")
    return (STILL.format(month=wording.month(kept.month), sides=names, command=config.command, name=kept.month),)
