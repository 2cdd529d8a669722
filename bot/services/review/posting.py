"""A sealed review is shown: its message and what is attached to it in the review channel, a word to whoever signs."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.config import Config
from bot.review import Review
from bot.review.facts import Month
from bot.review.forms import audience, wording
from bot.services.leave import duty
from bot.services.review import choosing, signers
from bot.services.rota import office, telling
from bot.services.slack.drawing import escape
from bot.store import cards, reviews
from bot.store.reviews import Sealed

ASK = (
    "📒 The review of {month} is sealed (v{version}). Read it, and sign it for {side}: one signature of each side, by a lead or "
    "a manager. What you find wrong goes into a later version: `{command} review {name} again <why>`."
)
OPEN, SIGN = "Open report", "Sign for {side}"

FRONT = ("alerts-per-day", "alerts-by-ending", "wake-ups-per-night")     # charts that stand beside the message, where there are
MOST_CHARTS = 2
DOCUMENTS = ("pdf", "csv")
FIRST, LONGEST_SAID = 1, 600
LATE_AFTER = timedelta(minutes=15)


def key(month: str, version: int) -> str:
    return f"review:{month}:{version}"


def reference(month: str, version: int) -> str:
    """How a button names a review: 2026-10v1."""
    return f"{month}v{version}"


def post(connection: sa.Connection, config: Config, new: Sealed, review: Review, now: datetime) -> None:
    """In the transaction that seals it: the message, its charts and documents, and who is asked to sign."""
    channel, own = config.channels.get(config.review_channel or ""), choosing.own(config)
    due_at = duty.in_blackout(config, own, now) or now
    if channel:
        cards.show(connection, key(new.month, new.version), "review", channel, due_at)
        for name in exhibits(review):
            cards.show(connection, f"exhibit:{new.month}:{new.version}:{name}", "exhibit", channel, due_at, urgency=2)
        if new.version > FIRST:
            redraw(connection, config, new.month, new.version - 1, now)
    for side in signers.missing(config, ()):
        _ask(connection, config, new, side, now)


def exhibits(review: Review) -> Iterator[str]:
    """What is attached to the message: charts by their names, then documents by their kinds."""
    shared = audience.shown_to(review, None)
    known = [each.name for section in shared.sections for each in section.charts if each.points]
    front = [name for name in FRONT if name in known]
    yield from (f"chart.{name}" for name in (*front, *(each for each in known if each not in front))[:MOST_CHARTS])
    yield from DOCUMENTS


def _ask(connection: sa.Connection, config: Config, new: Sealed, side: str, now: datetime) -> None:
    """Each who may sign for that side, in its working hours and never in its blackout."""
    name, about = config.organisations[side].name, reference(new.month, new.version)
    said = ASK.format(
        month=wording.month(new.month), version=new.version, side=name, command=config.command, name=new.month,
    )
    for person in signers.of(config, side):
        key_of, due_at = f"review:sign:{about}:{person}", office.opens(config, side, now)
        telling.tell(connection, config, person, key_of, said, now, offers(config, new, side), due_at)


def offers(config: Config, kept: Sealed, side: str) -> tuple[telling.Offer, ...]:
    """What whoever signs for a side can press."""
    about = reference(kept.month, kept.version)
    return (OPEN, "review:page", about), (SIGN.format(side=config.organisations[side].name), "review:sign", about)


def redraw(connection: sa.Connection, config: Config, month: str, version: int, now: datetime) -> None:
    """Its message has something new to show."""
    if config.review_channel and cards.by_key(connection, key(month, version)):
        cards.show(connection, key(month, version), "review", config.channels[config.review_channel], now)


def redraw_newest(connection: sa.Connection, config: Config, month: str, now: datetime) -> None:
    newest = reviews.sealed(connection, month)
    if newest is not None:
        redraw(connection, config, month, newest.version, now)


# --- a journal that is not whole ----------------------------------------------------------------------------------------------


def broken_key(month: Month, now: datetime) -> str:
    """Once a day and month."""
    return f"review:broken:{month.name}:{month.local(now).date()}"


def tell_broken(connection: sa.Connection, config: Config, month: Month, said: str, now: datetime) -> bool:
    """Whether it was said now; without a channel it stands in the post all the same, so that it is tried once a day."""
    if cards.by_key(connection, broken_key(month, now)) is not None:
        return False
    channel = config.channels[config.review_channel or config.default_channel]
    due_at = duty.in_blackout(config, choosing.own(config), now) or now
    cards.add_notice(connection, broken_key(month, now), channel, f"⚠ {escape(said, LONGEST_SAID)}", now, due_at)
    return True


# --- instants -----------------------------------------------------------------------------------------------------------------


def local(month: Month, at: datetime) -> str:
    """4 Nov 2026 09:00 (Europe/Paris)"""
    there = month.local(at)
    return f"{there.day} {there:%b %Y %H:%M} ({month.zone})"


def late(kept: Sealed) -> timedelta | None:
    """How long after its cut-off the first version was made; None: in time."""
    waited = kept.made_at - kept.as_of
    return waited if kept.version == FIRST and waited > LATE_AFTER else None
