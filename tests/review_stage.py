"""A stage for the tests of the monthly review: a month, groups, runs, decisions, facts; times are those of clocks in Paris."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from bot.review import Facts
from bot.review.facts import Decision, Group, Month, Page, Past, Run
from tests.config_stage import example

ZONE = "Europe/Paris"
NAME = "2026-10"
HOURS_OF_PADOK = 8          # until 08:00 the partner is on duty
OF = {"bridge": "alice", "padok": "lea"}

_runs = count(1)


def at(local: str) -> datetime:
    """2026-10-05 02:14 by the clocks of Paris, as an instant in UTC."""
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def month(name: str = NAME, as_of: str | None = None) -> Month:
    """Without `as_of`, the month at its cut-off."""
    return Month.of(name, ZONE, "FR", at(as_of) if as_of else None)


def group(
    id: int, opened: str = "2026-10-05 14:00", acked_min: float | None = None, resolved_min: float | None = None,
    engaged_min: float | None = None, called_min: float | None = None, **more: Any,
) -> Group:
    """One that nobody took and that is still open; minutes are counted from its opening.

    Taken by the side on duty. Resolved without more words: by a person if one took it, else it healed alone. With `called_min`
    one level was called.
    """
    since = at(opened)
    resolved = _after(since, resolved_min)
    hour = since.astimezone(ZoneInfo(ZONE)).hour
    side = more.get("side") or ("padok" if hour < HOURS_OF_PADOK else "bridge")
    taken = {"acked_by": OF[side], "acked_side": side, "touched": True} if acked_min is not None else {}
    ending = "open" if resolved is None else "fixed" if "fixed_by" in more else "person" if taken else "healed"
    plain: dict[str, Any] = {
        "id": id, "alert": id, "service": "pay-api", "title": "pay-api: 5xx", "pattern": "cloudwatch|pay-api-*xx|pay-api",
        "fingerprint": f"f{id}", "sources": ("cloudwatch",), "severity": "high", "important": False, "recognised": True,
        "runbook": "queue-backlog", "opened_at": since, "side": side,
        "called_at": _after(since, called_min), "level": 0 if called_min is None else 1,
        "acked_at": _after(since, acked_min), "engaged_at": _after(since, engaged_min),
        "resolved_at": resolved, "closed_at": resolved, "ending": ending,
    }
    return Group(**(plain | taken | more))


def run(group: int | None = 1, begun: str = "2026-10-05 14:01", lasted_min: float = 2, **more: Any) -> Run:
    """One that a person started with a click and that went well."""
    since = at(begun)
    plain: dict[str, Any] = {
        "id": next(_runs), "runbook": "queue-backlog", "title": "Queue backlog", "service": "batch-worker", "purpose": "fix",
        "mode": "click", "state": "succeeded", "actor": "lea", "organisation": "padok", "group": group,
        "begun_at": since, "ended_at": since + timedelta(minutes=lasted_min),
    }
    return Run(**(plain | more))


def decision(id: int = 1, text: str = "raise queue-age threshold", due: str | None = "2026-10-20", **more: Any) -> Decision:
    """One of September's review, still open."""
    plain: dict[str, Any] = {
        "month": "2026-09", "kind": "tune", "owner": "lea", "side": "padok", "made_by": "marie",
        "made_at": at("2026-10-05 10:00"),
    }
    return Decision(id, text=text, due=date.fromisoformat(due) if due else None, **(plain | more))


def page(group: int | None, when: str, person: str = "lea", **more: Any) -> Page:
    """A mention that was sent."""
    plain: dict[str, Any] = {"organisation": "padok", "level": 1, "role": "primary", "medium": "mention", "state": "sent"}
    return Page(person, group=group, at=at(when), **(plain | more))


def past(**values: float | None) -> dict[str, Past]:
    """What September's review said, by definitions of version 1."""
    return {name: Past(value, 1) for name, value in values.items()}


def facts(groups: Sequence[Group] = (), when: Month | None = None, **more: Any) -> Facts:
    """A month with these groups and nothing else; `when` is October 2026 unless told."""
    return Facts(when or month(), example(), groups, **more)


def _after(since: datetime, minutes: float | None) -> datetime | None:
    return None if minutes is None else since + timedelta(minutes=minutes)
