"""Which card an alert stands on: its own, or that of a symptom which several observers show."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from bot.services.alert.folding import Episode
from bot.store import batch


def founders(connection: sa.Connection, opened: Sequence[Episode]) -> list[Episode]:
    """Those of the new alerts that found a group of their own; the others stand in the open group of their symptom."""
    sharing = sorted((each for each in opened if each.symptom is not None), key=lambda each: each.id or 0)
    if not sharing:
        return list(opened)
    homes = {(row.service, row.symptom): (row.id, row.channel) for row in _held(connection, sharing)}
    for each in sharing:
        each.group_id, each.channel = homes.setdefault(_shown(each), (each.id, each.channel))
    joined = [{"id": each.id, "group_id": each.group_id} for each in sharing if each.joined]
    if joined:
        batch.join_groups(connection, joined)
    return [each for each in opened if not each.joined]


def _held(connection: sa.Connection, sharing: Sequence[Episode]) -> Iterable[Any]:
    return batch.lock_symptoms(connection, sorted({_shown(each) for each in sharing}))


def _shown(episode: Episode) -> tuple[str, str]:
    assert episode.opener is not None and episode.symptom is not None
    return episode.opener.service, episode.symptom


def once(posts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each post one time: alerts of one group share theirs; the earliest moment and the highest urgency win."""
    found: dict[str, dict[str, Any]] = {}
    for each in posts:
        other = found.get(each["key"], each)
        found[each["key"]] = each | {name: min(each[name], other[name]) for name in ("due_at", "urgency")}
    return list(found.values())
