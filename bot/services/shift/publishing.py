"""A programme that vigie.yaml no longer plans so is published anew by a rota admin; nothing that was is ever edited."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.labour import Finding
from bot.labour.checking import ChangeNight, change_nights
from bot.masking import mask_text
from bot.services.desk import Actor, Desk
from bot.services.leave.hours import DAY, instant, local_date
from bot.services.rota import moments, office, telling
from bot.services.shift import changing
from bot.services.shift.changing import Change
from bot.services.shift.differing import ROTATION, Difference, differences
from bot.services.shift.filling import NOTICE, fill
from bot.services.slack.drawing import escape
from bot.services.worktime import lawful
from bot.store import cards, programmes, shifts
from bot.store.shifts import Shift

ADMIN = "rota_admin"
MOST_TOLD, LONGEST_REASON = 8, 500
ONE_TURN = timedelta(hours=36)       # between two shifts of a turn lie the other team's, of a Sunday too

MORE = "… and {count} more."
DIFFERS = (
    "📅 vigie.yaml no longer plans what is published for {side}: {count} shifts from {first} on differ. Nothing changes by "
    "itself: `{command} shift publish` shows them and publishes them anew."
)
MOVED = "📅 {who} published the programme anew{reason}. What changes for you:"
GAINED, LOST = "• yours now: {slot}", "• no longer yours: {slot}"
REASON = ": {reason}"

NOT_YOURS = "Only a rota admin of {side} may publish its programme: {who}."
NOBODY = "vigie.yaml names none"
NOTHING = "The published programme of {side} is what vigie.yaml plans: there is nothing to publish."
MEANWHILE = "Somebody published this programme just now: look at it, and publish again if it is still wanted."
SAY_WHY = (
    "From {first} on it changes shifts within 15 days: say why, it is told to whoever has them and kept "
    "(`{command} shift publish <reason>`)."
)

__all__ = ["Difference", "Published", "differences", "fill", "keep", "publish", "tell_differences"]


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing anew did: which differences, what the rules remark, and the nights in which clocks change."""

    differences: Sequence[Difference]
    findings: Sequence[Finding]
    nights: Sequence[ChangeNight]

    @property
    def since(self) -> datetime:
        return self.differences[0].start


def keep(desk: Desk) -> int:
    """What time asks of programmes: they fill up, and leads learn where vigie.yaml plans otherwise. Safe to repeat."""
    return fill(desk) + tell_differences(desk)


def tell_differences(desk: Desk) -> int:
    """Tells leads once for each version of vigie.yaml that it differs from what is published; how many. Safe to repeat."""
    now, config, told = desk.clock.now(), desk.config, 0
    with desk.read() as connection:
        by_team: dict[str, list[Difference]] = defaultdict(list)
        for each in differences(connection, config, now):
            by_team[each.team].append(each)
        known = {team for team in by_team if cards.by_key(connection, _key(config, team))}
    for team, found in by_team.items():
        if team in known:
            continue
        side = config.organisations[config.teams[team].organisation]
        said = DIFFERS.format(
            side=side.name, count=len(found), first=moments.shown(found[0].start, side.timezone), command=config.command
        )
        with desk.begin("tell differences") as connection:
            office.tell_lead(connection, config, team, _key(config, team), said, now)
        told += 1
    return told


def _key(config: Config, team: str) -> str:
    return f"differs:{team}:{config.version}"


def publish(
    desk: Desk, organisation: str, actor: Actor, reason: str | None = None, waived: str | None = None,
    since: datetime | None = None,
) -> Published:
    """Publishes what vigie.yaml plans instead of what differs from it, from `since` on. Raises Refused.

    Without `since` it is from now on, or from the first instant for which everybody has a clear day of notice. `reason` is
    wanted for less than 15 days of notice; `waived` is why findings are waived that the law lets be waived.
    """
    now, config = desk.clock.now(), desk.config
    why = mask_text((reason or "").strip())[:LONGEST_REASON] or None
    _may(config, organisation, actor)
    with desk.begin("publish") as connection:
        shifts.one_by_one(connection)
        found, findings = _from(connection, config, organisation, max(since or now, now), why, now)
        _wants_reason(config, organisation, found, why, now)
        if since is None and _lacks_only_notice(findings):
            later = _from(connection, config, organisation, _noticed(config, organisation, now), why, now)
            found, findings = later if later[0] else (found, findings)
        told = lawful.require(connection, config, findings, actor, waived, now)
        _take(connection, found)
        _withdraw(connection, [each for each in found if each.slot is None], now)
        changing.put(desk, connection, _changes(found, why), actor, now, told, tell=False)
        _tell_people(connection, config, found, actor, why, now)
    nights = change_nights(ZoneInfo(config.organisations[organisation].timezone), found[0].start, found[-1].end)
    return Published(found, told, nights)


def _from(
    connection: sa.Connection, config: Config, organisation: str, since: datetime, reason: str | None, now: datetime
) -> tuple[list[Difference], list[Finding]]:
    """What would be published from then on, and what the rules say of it."""
    found = differences(connection, config, since, organisation)
    return found, changing.examine(connection, config, _changes(found, reason), now)


def _changes(found: Sequence[Difference], reason: str | None) -> list[Change]:
    return [Change(each.coverage, each.role, each.start, each.end, each.planned, ROTATION, reason) for each in found if each.slot]


def _lacks_only_notice(findings: Sequence[Finding]) -> bool:
    blocking = lawful.hard(findings)
    return bool(blocking) and all(each.rule == "R13" for each in blocking)


def _noticed(config: Config, organisation: str, now: datetime) -> datetime:
    """The first instant of which people have known for the clear days that the law asks for at least."""
    zone, profile = config.organisations[organisation].timezone, lawful.profile_of(config, organisation)
    clear = profile.figures["R13"]["exceptional_clear_days"] if profile else 0
    return instant(local_date(zone, now) + (1 + clear) * DAY, time(), ZoneInfo(zone))


def _may(config: Config, organisation: str, actor: Actor) -> None:
    if actor.organisation == organisation and ADMIN in actor.roles:
        return
    admins = [key for key, each in config.people.items() if each.organisation == organisation and ADMIN in each.roles]
    side = config.organisations[organisation].name
    raise Refused(NOT_YOURS.format(side=side, who=telling.names(config, admins) or NOBODY))


def _wants_reason(
    config: Config, organisation: str, found: Sequence[Difference], reason: str | None, now: datetime
) -> None:
    side = config.organisations[organisation]
    if not found:
        raise Refused(NOTHING.format(side=side.name))
    if reason is None and found[0].start < now + NOTICE:
        raise Refused(SAY_WHY.format(first=moments.shown(found[0].start, side.timezone), command=config.command))


def _take(connection: sa.Connection, found: Sequence[Difference]) -> None:
    """Raises Refused when another process publishes the same programme in this instant."""
    for coverage, team in sorted({(each.coverage, each.team) for each in found}):
        standing = programmes.get(connection, coverage, team)
        if standing.published_until is None or not programmes.publish(connection, standing, standing.published_until):
            raise Refused(MEANWHILE)


def _withdraw(connection: sa.Connection, found: Sequence[Difference], now: datetime) -> None:
    """Shifts of a team that no longer has that time; what they are before and after it stays as it was said."""
    for each in found:
        held = [
            one for one in shifts.published(connection, each.coverage, each.start, each.end)
            if (one.team, one.role, one.source) == (each.team, each.role, ROTATION)
        ]
        if shifts.supersede(connection, [one.id for one in held], now) != len(held):
            raise Refused(MEANWHILE)
        shifts.add(connection, [left for one in held for left in _remains(one, each)])


def _remains(shift: Shift, gone: Difference) -> Iterator[dict[str, Any]]:
    same = {name: value for name, value in asdict(shift).items() if name not in ("id", "superseded_at")}
    for start, end in ((shift.start, gone.start), (gone.end, shift.end)):
        if start < end:
            yield {**same, "start": start, "end": end, "version": shift.version + 1}


def _tell_people(
    connection: sa.Connection, config: Config, found: Sequence[Difference], actor: Actor, reason: str | None, now: datetime
) -> None:
    """Everybody whose shifts moved, in one message each."""
    head = MOVED.format(who=escape(actor.name), reason=REASON.format(reason=escape(reason)) if reason else "")
    for person, mine in _lines(config, found).items():
        if person != actor.key:
            more = [MORE.format(count=len(mine) - MOST_TOLD)] if len(mine) > MOST_TOLD else []
            key = f"published:{person}:{now.isoformat()}"
            telling.tell(connection, config, person, key, "\n".join([head, *mine[:MOST_TOLD], *more]), now)


def _lines(config: Config, found: Sequence[Difference]) -> dict[str, list[str]]:
    """By person, in order; the shifts of one turn are one line."""
    turns: dict[tuple[str, str, str, str], list[list[datetime]]] = defaultdict(list)
    for each in found:
        for person, said in ((each.planned, GAINED), (each.published, LOST)):
            if person in config.people and each.planned != each.published:
                mine = turns[str(person), said, each.coverage, each.role]
                if mine and each.start - mine[-1][1] <= ONE_TURN:
                    mine[-1][1] = each.end
                else:
                    mine.append([each.start, each.end])
    lines: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for (person, said, coverage, role), stretches in turns.items():
        for start, end in stretches:
            lines[person].append((start, said.format(slot=telling.span(config, person, role, coverage, start, end))))
    return {person: [line for _, line in sorted(each)] for person, each in lines.items()}
