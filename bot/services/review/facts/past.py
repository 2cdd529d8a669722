"""What the review of the month before said."""

from collections.abc import Mapping

import sqlalchemy as sa

from bot.review import Figure
from bot.review.arithmetic import written
from bot.review.facts import Month, Past
from bot.store import reviews


def sealed(connection: sa.Connection, month: Month) -> dict[str, Past] | None:
    """The figures of the newest sealed review of the month before that was made by then; None: there is none."""
    row = reviews.review.c
    query = sa.select(row.body).where(row.month == month.previous(), row.made_at <= month.as_of).order_by(row.version.desc())
    body = connection.execute(query.limit(1)).scalar_one_or_none()
    return figures(written.from_json(body).figures) if body else None


def figures(found: Mapping[str, Figure]) -> dict[str, Past]:
    """What a review said, as the next one remembers it."""
    return {name: Past(None if each.grey else each.value, each.definition.version) for name, each in found.items()}
