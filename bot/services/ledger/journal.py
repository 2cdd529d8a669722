"""One line of the journal: who did what, to what, with which outcome. Written in the transaction of the act itself."""

import json
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from bot.masking import mask
from bot.services.desk import Actor
from bot.store.journal import journal

Outcome = Literal["done", "refused", "failed"]


def record(
    connection: sa.Connection,
    *,
    actor: Actor,
    kind: str,
    object: str,
    outcome: Outcome,
    at: datetime,
    **details: Any,
) -> None:
    """Adds one entry; it stands or falls with the transaction. `object`: alert:142, person:U0EVE00001, journal."""
    row = entry(actor=actor, kind=kind, object=object, outcome=outcome, at=at, **details)
    connection.execute(sa.insert(journal).values(row))


def entry(*, actor: Actor, kind: str, object: str, outcome: Outcome, at: datetime, **details: Any) -> dict[str, Any]:
    """The row of `record`, for those who add many at once; details are masked here, those that are None left out."""
    given = {name: value for name, value in details.items() if value is not None}
    return {
        "at": at,
        "actor": actor.key,
        "organisation": actor.organisation,
        "kind": kind,
        "object": object,
        "outcome": outcome,
        "origin": actor.origin,
        "details": json.dumps(mask(given), ensure_ascii=False, sort_keys=True, separators=(",", ":")),
    }
