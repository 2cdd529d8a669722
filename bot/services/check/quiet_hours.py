"""`vigie check --online`: whether Slack itself is silent in people's blackout; a card in a channel can notify by itself."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.config import Config, Person
from bot.errors import Rejected
from bot.services.check.findings import Finding, asked
from bot.services.leave import hours

AHEAD = timedelta(days=2)

COVERED = "Slack is silent for all {count} people who have a blackout, from its begin to its end"
LOUD = "{name} ({slack}) does not let Slack pause notifications in {side}'s blackout {hours}: a card can notify by itself"
TOO_SHORT = (
    "{name} ({slack}) lets Slack pause notifications from {first} to {last} {zone}, and {side}'s blackout is {hours}: "
    "a card can notify by itself in the rest of it"
)
PAUSE = "In Slack: Preferences, Notifications, Notification schedule: pause them at least {hours}, on every day."
NOT_TOLD = "Slack answered {code} to dnd.info about {name} ({slack})"
INSTALL = "Install the app again with the manifest that `vigie manifest` prints (scope dnd:read)."


async def of_blackouts(
    config: Config, ask: Callable[[str], Awaitable[Mapping[str, Any]]], api: str, now: datetime
) -> list[Finding]:
    """One finding for each person in whose blackout Slack may ring."""
    findings: list[Finding] = []
    sleepers = [each for each in config.people.values() if config.organisations[each.organisation].blackout]
    for person in sleepers:
        try:
            told = await asked("slack-quiet", api + "dnd.info", ask(person.slack))
        except Rejected as error:
            code = NOT_TOLD.format(code=error.code, name=person.name, slack=person.slack)
            return [*findings, Finding("slack-quiet", "warning", code, INSTALL)]
        if isinstance(told, Finding):
            return [*findings, told]        # who is silent about one says nothing of the others
        findings += _about(config, person, told, now)
    fine = Finding("slack-quiet", "ok", COVERED.format(count=len(sleepers)))
    return findings or ([fine] if sleepers else [])


def _about(config: Config, person: Person, told: Mapping[str, Any], now: datetime) -> Iterator[Finding]:
    side = config.organisations[person.organisation]
    dark = side.blackout or ""
    start, end = next(each for each in hours.spans(dark, side.timezone, now, now + AHEAD) if each[1] > now)
    words = {"name": person.name, "slack": person.slack, "side": side.name, "hours": dark}
    remedy = PAUSE.format(hours=dark)
    if not told.get("dnd_enabled"):
        yield Finding("slack-quiet", "warning", LOUD.format(**words), remedy)
        return
    first, last = (datetime.fromtimestamp(int(told.get(f"next_dnd_{each}_ts") or 0), UTC) for each in ("start", "end"))
    if first > max(start, now) or last < end:
        shown = {"first": _clock(first, side.timezone), "last": _clock(last, side.timezone), "zone": side.timezone}
        yield Finding("slack-quiet", "warning", TOO_SHORT.format(**words, **shown), remedy)


def _clock(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"
