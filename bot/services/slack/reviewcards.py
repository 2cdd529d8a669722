"""The month in Slack: what managers read first, who has signed, what can be done about it. Only looks at rows."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.review import Review
from bot.review.forms import audience, wording
from bot.services.alert.response import lasting
from bot.services.desk import Desk
from bot.services.review import choosing, posting, reading, signers, unsigned, verdicts
from bot.services.review.reading import Read
from bot.services.slack.drawing import Drawing, button, context, escape, person, sections
from bot.store import reviews
from bot.store.cards import Post
from bot.store.reviews import Sealed

HEAD = "*{month}, {sides}*    v{version}, sealed {day}"
LATE = "Sealed {length} late, for Vigie was down; what is in it is as of {cut_off}."
WHY, SUPERSEDED = "v{version} was made by {who}: {why}", "_There is a newer one, v{newest}: read that._"
DIFFERS, CHANGE, MORE = "Differs from v{before}: {changes}", "{title} {before} → {after}", "{count} more"
LIST_CHANGE = "{title}: {came} in, {went} out"
NOTE = "⚠ {note}"
SIGNED, UNSIGNED, NOBODY = "✍ {who} for {side}, {day}", "{side} has not signed: {who}", "nobody there may"
AGREED, DIGEST = "✅ Both sides have signed it.", "SHA-256 {digest}"
PLAIN = "The review of {month}, v{version}: {first}"

OPEN, PDF, CSV, GIVE, DECIDE, SIGN = "Open report", "PDF", "CSV", "Give verdicts ({count} missing)", "Decide…", "Sign for {side}"
SUMMARY = "summary"
MOST_CHANGES, LONGEST_LINE, SHORT = 6, 700, 12


def draw_review(desk: Desk, connection: sa.Connection, post: Post) -> Drawing:
    """The message of one sealed version."""
    _, month, version = post.key.split(":")
    kept, newest = reviews.sealed(connection, month, int(version)), reviews.sealed(connection, month)
    if kept is None or newest is None:
        raise LookupError(post.key)
    meant = choosing.named(desk.config, month, kept.made_at)
    left = len(verdicts.missing(connection, meant))
    before = unsigned.before(connection, desk.config, month, kept.made_at) if kept.version == newest.version else ()
    return draw(desk.config, reading.read(connection, kept, meant), kept, newest.version, left, before)


def draw(config: Config, found: Read, kept: Sealed, newest: int, left: int, before: Sequence[str] = ()) -> Drawing:
    """`newest` is the newest version there is, `left` how many verdicts are missing, `before` what is unsigned yet; pure."""
    shared = audience.shown_to(found.review, None)
    lines = [escape(each, LONGEST_LINE) for each in summary(shared)]
    whole = [_head(shared, kept), *lines, *_remarks(config, found, kept, newest), *before]
    block = {
        "type": "actions", "block_id": posting.reference(kept.month, kept.version),
        "elements": list(_buttons(config, found, kept, newest, left)),
    }
    plain = PLAIN.format(month=wording.month(kept.month), version=kept.version, first=next(iter(lines), ""))
    return Drawing(plain, [*sections(whole), context(" · ".join(_standing(config, found, kept))), block])


def summary(review: Review) -> tuple[str, ...]:
    """What the review's first page says in sentences; plain text."""
    return next((each.said for each in review.sections if each.name == SUMMARY), ())


def _head(review: Review, kept: Sealed) -> str:
    names = " × ".join(escape(each) for each in review.organisations.values())
    return HEAD.format(
        month=wording.month(kept.month), sides=names, version=kept.version, day=day(kept.made_at, review.zone),
    )


def _remarks(config: Config, found: Read, kept: Sealed, newest: int) -> Iterator[str]:
    """What the reader must know before they believe it."""
    if kept.version < newest:
        yield SUPERSEDED.format(newest=newest)
    if waited := posting.late(kept):
        yield LATE.format(length=lasting(waited), cut_off=posting.local(found.month, kept.as_of))
    if kept.why:
        yield WHY.format(version=kept.version, who=person(config, kept.made_by), why=escape(kept.why, 300))
    if kept.changes:
        said = ", ".join(escape(each) for each in differences(found.review, kept, MOST_CHANGES))
        yield DIFFERS.format(before=kept.version - 1, changes=said)
    yield from (NOTE.format(note=escape(each, 300)) for each in found.review.notes)


def differences(review: Review, kept: Sealed, most: int) -> list[str]:
    """What differs from the version before, figures first; plain text."""
    told = sorted(json.loads(kept.changes or "[]"), key=lambda each: each["what"] == "list")
    words = [_difference(review, each) for each in told[:most]]
    return words + ([MORE.format(count=len(told) - most)] if len(told) > most else [])


def _difference(review: Review, each: dict[str, Any]) -> str:
    if each["what"] == "list":
        return LIST_CHANGE.format(**each)
    figure = review.figures.get(each["name"]) if each["what"] == "figure" else None
    if figure is None:
        return CHANGE.format(title=each["title"], before=each["before"] or "none", after=each["after"] or "none")
    values = [wording.amount(each[when], figure.definition.unit, figure.currency) for when in ("before", "after")]
    return CHANGE.format(title=each["title"], before=values[0], after=values[1])


def _standing(config: Config, found: Read, kept: Sealed) -> Iterator[str]:
    for each in found.signatures:
        side = config.organisations[each.organisation].name if each.organisation in config.organisations else each.organisation
        yield SIGNED.format(who=person(config, each.person), side=escape(side), day=day(each.at, found.review.zone))
    left = signers.missing(config, found.signatures)
    for key in left:
        able = ", ".join(person(config, each) for each in signers.of(config, key)) or NOBODY
        yield UNSIGNED.format(side=escape(config.organisations[key].name), who=able)
    if not left:
        yield AGREED
    yield DIGEST.format(digest=kept.digest[:SHORT])


def _buttons(config: Config, found: Read, kept: Sealed, newest: int, left: int) -> Iterator[dict[str, Any]]:
    about = posting.reference(kept.month, kept.version)
    yield button(OPEN, "review:page", about, "primary")
    yield button(PDF, "review:pdf", about)
    yield button(CSV, "review:csv", about)
    if kept.version < newest:
        return
    if left:
        yield button(GIVE.format(count=left), "verdict", about)
    yield button(DECIDE, "decide", about)
    for key in signers.missing(config, found.signatures):
        yield button(SIGN.format(side=config.organisations[key].name), f"review:sign:{key}", about)


def day(at: datetime, zone: str) -> str:
    """4 Nov"""
    return wording.instant(at.isoformat(), zone).rpartition(" ")[0]
