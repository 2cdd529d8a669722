"""The month is closed: composed as of its cut-off, kept with its digest, posted; later versions say what they differ in."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from bot.errors import Refused
from bot.masking import mask_text
from bot.review import Review
from bot.review.arithmetic import differing, written
from bot.review.arithmetic.differing import Change
from bot.review.facts import Month, Trail
from bot.services import singly
from bot.services.desk import VIGIE, Actor, Desk
from bot.services.leave import blackout
from bot.services.ledger import audit
from bot.services.ledger import journal as ledger
from bot.services.review import choosing, composing, posting, reading, setbacks, signers, signing, verdicts
from bot.services.review.facts import gathering
from bot.store import cards, journal, reviews
from bot.store.reviews import Sealed

NOT_SEALED = "The review of {month} is not sealed yet: Vigie seals it by itself at {at}. Until then it is provisional."
NO_WHY = "Say why: `{command} review {month} again <why>`."
TOO_LONG = "A reason holds at most {most} characters, this one has {length}."
EARLIER = "By the clock of this machine it is {now}, before v{version} was made: no later version can be of that time."
SAME = "Nothing in it differs from v{version}: there is nothing to seal anew."
BROKEN = "The journal is not whole: {where}. The review of {month} stays provisional: it is neither sealed nor signed."
SOMEBODY_ELSE = "Somebody else has sealed a version of {month} in this moment: look at it first."

FIRST = 1                               # the number of the first version
LONGEST_WHY = 300


def act(desk: Desk) -> int:
    """Seals each month whose cut-off is past, once whoever runs and however late. Safe to repeat."""
    return singly.each("review", list(due(desk)), partial(seal, desk), partial(setbacks.remember, desk))


def due(desk: Desk) -> Iterator[Month]:
    """Months that should be sealed by now and are not, oldest first; none that was over before Vigie kept a journal."""
    now = desk.clock.now()
    over = [each for each in choosing.last_months(desk.config, now) if each.cut_off <= now]
    with desk.read() as connection:
        begun = journal.first_at(connection)
        for each in over:
            if begun is not None and begun < each.end and _is_due(connection, each, now):
                yield each


def _is_due(connection: sa.Connection, month: Month, now: datetime) -> bool:
    """One whose journal is broken is tried once a day: its rows may be mended. One that broke by a fault waits for its turn."""
    refused = cards.by_key(connection, posting.broken_key(month, now))
    if refused is not None or reviews.sealed(connection, month.name) is not None:
        return False
    return not setbacks.is_waiting(connection, month.name, now)


def seal(desk: Desk, month: Month) -> bool:
    """Whether it was sealed here and now: another process may be quicker, or the journal broken."""
    review, trail = _compose(desk, month, FIRST)
    if trail.ok is False:
        return _refuse(desk, month, trail)
    return _keep(desk, review, month, VIGIE) is not None


def _compose(desk: Desk, month: Month, version: int) -> tuple[Review, Trail]:
    with desk.read() as connection:
        facts = gathering.facts(connection, desk.config, month)
    return composing.compose(facts, version), _audited(desk, facts.trail) if facts.trail.ok else facts.trail


def _audited(desk: Desk, trail: Trail) -> Trail:
    """What a month stands on was written before it: once a month the whole journal is looked at, and what reviews name of it."""
    with desk.read() as connection:
        found = audit.verify(connection, reviews.newest_head(connection, desk.clock.now()))
    return trail if found.ok else replace(trail, ok=False, first_bad=found.faults[0].id, why=str(found.faults[0]))


def _refuse(desk: Desk, month: Month, trail: Trail) -> bool:
    now, where = desk.clock.now(), signing.where(trail)
    said = BROKEN.format(where=where, month=month.name)
    try:
        with desk.begin("refuse review") as connection:
            if posting.tell_broken(connection, desk.config, month, said, now):
                ledger.record(connection, actor=VIGIE, kind=setbacks.NOT_SEALED, object=f"review:{month.name}", outcome="refused",
                              at=now, why=where)
    except sa.exc.IntegrityError:       # another process said it
        return False
    return False


def _keep(
    desk: Desk, review: Review, month: Month, actor: Actor, why: str | None = None, changed: Sequence[Change] = ()
) -> Sealed | None:
    """Whoever inserts the version first has made it; None for all others. Row, journal and message are one transaction."""
    now, head = desk.clock.now(), review.journal.get("head")
    new = Sealed(
        month.name, review.version, month.as_of, now, actor.key, why, written.digest(review),
        json.dumps([asdict(each) for each in changed], ensure_ascii=False) if changed else None, str(head) if head else None, now,
    )
    try:
        with desk.begin("seal review") as connection:
            reviews.add(connection, new, written.to_json(review))
            ledger.record(
                connection, actor=actor, kind=reading.SEALED, object=f"review:{month.name}", outcome="done", at=now,
                version=new.version, digest=new.digest, reason=why, as_of=month.as_of.isoformat(),
            )
            posting.post(connection, desk.config, new, review, now)
    except sa.exc.IntegrityError:
        return None
    return new


def again(desk: Desk, actor: Actor, name: str | None, why: str) -> Sealed:
    """A later version with what was learnt since, and what it differs in; raises Refused."""
    signers.require(desk.config, actor, "review again")
    blackout.require_awake(desk, actor, "review", "write")
    now, why = desk.clock.now(), mask_text(" ".join(why.split()))
    month = choosing.month_of(desk.config, name, now)
    with desk.read() as connection:
        kept = reviews.sealed(connection, month.name)
    if kept is None:
        raise Refused(NOT_SEALED.format(month=month.name, at=posting.local(month, month.cut_off)))
    _require_reason(desk, month, why)
    if now < kept.as_of:
        raise Refused(EARLIER.format(now=posting.local(month, now), version=kept.version))
    later = replace(month, as_of=now)
    review, trail = _compose(desk, later, kept.version + 1)
    if trail.ok is False:
        raise Refused(BROKEN.format(where=signing.where(trail), month=month.name))
    changed = _changed(desk, later, kept, review)
    if not changed:
        raise Refused(SAME.format(version=kept.version))
    made = _keep(desk, review, later, actor, why, changed)
    if made is None:
        raise Refused(SOMEBODY_ELSE.format(month=month.name))
    return made


def _changed(desk: Desk, month: Month, kept: Sealed, review: Review) -> list[Change]:
    with desk.read() as connection:
        before = reading.read(connection, kept, month).review
        said = verdicts.changed(connection, month, kept.as_of, month.as_of)
        return [*differing.changes(before, review), *said]


def _require_reason(desk: Desk, month: Month, why: str) -> None:
    if not why:
        raise Refused(NO_WHY.format(command=desk.config.command, month=month.name))
    if len(why) > LONGEST_WHY:
        raise Refused(TOO_LONG.format(most=LONGEST_WHY, length=len(why)))
