"""What a rehearsed night came to: its timeline, who was woken, what was closed, what was lost, which laws were broken."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.config import Config
from bot.entrypoints.wording import bare
from bot.labour.arithmetic.days import Hours
from bot.rehearsal.doubles import GLASS, sleeps
from bot.rehearsal.nights import Night, zone_of
from bot.rehearsal.playing import Player
from bot.review.arithmetic.calls import interruptions
from bot.review.arithmetic.windows import NIGHT, Window
from bot.review.facts import Page
from bot.services.call.levels import OWNER
from bot.services.desk import Desk
from bot.services.rota import roster
from bot.services.slack.logbook import LINES, sentence
from bot.services.worktime import lawful
from bot.store import alerts, cards, deferrals, journal
from bot.store.groups import alert_group
from bot.store.journal import Entry
from bot.store.pages import page_attempt
from runbooks.model import written

# Kinds that a card's log has no line for; {actor} did it, the other names are its details.
MORE = {
    "duty passed": "duty passes: {outgoing} → {incoming}", "handoff submitted": "the note of the handoff is submitted",
    "handoff accepted": "{actor} accepts the handoff, top risk: {risk}", "handoff missed": "nobody accepts the handoff",
    "intervention began": "{object} begins to work on call", "intervention ended": "work on call since {start} has ended",
    "rest moved": "the daily rest of {object} begins anew: work may start at {earliest}",
    "held back told": "{object} is told what was held back", "person rung": "the telephone of {object} rings",
    "command refused": "{actor} is refused {verb}: {why}",
}
RUNG = "person rung"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*")
HEAD = "The night of {day}, {start} to {end} ({zone}): {sent} notifications, played through today's rules."
ASSUMED = "Assumed: steps that change something {steps}; calls {answer}; handoffs {handoff}."
ANSWERED, UNANSWERED = "are answered after {after}", "are answered by nobody"
ACCEPTED, UNACCEPTED = "are accepted after {after}", "are accepted by nobody"
LEFT_OUT = "Left out, for vigie.yaml no longer has their endpoints: {count}."
REFUSED = "Refused: {what}"
LINE = "{at:%H:%M:%S} {zone:<4}  {said}"
WOKEN = "Called at night: {who}"
NOBODY_WOKEN = "Nobody was called at night."
CALLED = "{name} {at:%H:%M} ({how}, about {about}{work})"
AT_WORK = ", at work"
SUMS = "Closed by Vigie alone: {closed}. Lost: {lost}. Laws broken: {broken}."
LAW = "BROKEN: {law}"

SLEPT = "{name} was reached ({how}) at {at:%d %b %H:%M %Z}, in the blackout"
NOT_KEPT = "{count} notifications were taken and are not there"
NOT_TOLD = "{count} things were held back and never told"
NOT_SHOWN = "{count} cards never came to Slack"
UNDECIDED = "nobody decided about #{id}, which still fires"
FORGOTTEN = "group {group} was important, and nobody was being called about it at {at:%d %b %H:%M %Z}: the auditor noticed"


@dataclass(frozen=True, slots=True)
class Told:
    """The rehearsal, for machines and for people."""

    night: Night
    zone: ZoneInfo
    timeline: tuple[dict[str, Any], ...]
    woken: tuple[dict[str, Any], ...]
    closed_by_machine: int
    lost: int
    laws_broken: tuple[str, ...]
    refused: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "night": self.night.day.isoformat(), "assumed": self.night.assume.model_dump(mode="json"),
            "timeline": list(self.timeline), "woken": list(self.woken), "closed_by_machine": self.closed_by_machine,
            "lost": self.lost, "laws_broken": list(self.laws_broken),
        }

    def lines(self) -> Iterator[str]:
        """As people read it, by the clocks of the platform's owner."""
        night, assume = self.night, self.night.assume
        start, end = (f"{self._here(each.isoformat()):%d %b %H:%M}" for each in (night.start, night.end))
        yield HEAD.format(day=night.day, start=start, end=end, zone=self.zone.key, sent=len(night.sent))
        yield ASSUMED.format(
            steps=assume.steps, answer=ANSWERED.format(after=written(assume.answer)) if assume.answer else UNANSWERED,
            handoff=ACCEPTED.format(after=written(assume.handoff)) if assume.handoff else UNACCEPTED)
        if night.left_out:
            yield LEFT_OUT.format(count=night.left_out)
        yield ""
        for each in self.timeline:
            here = self._here(each["at"])
            yield LINE.format(at=here, zone=here.tzname() or "", said=each["said"])
        yield ""
        yield from (REFUSED.format(what=each) for each in self.refused)
        called = [CALLED.format(
            name=each["name"], at=self._here(each["at"]), how=", ".join(each["by"]),
            about=", ".join(f"#{one}" for one in each["about"]) or "–", work=AT_WORK if each["at_work"] else "",
        ) for each in self.woken]
        yield WOKEN.format(who="; ".join(called)) if called else NOBODY_WOKEN
        yield SUMS.format(closed=self.closed_by_machine, lost=self.lost, broken=len(self.laws_broken))
        yield from (LAW.format(law=each) for each in self.laws_broken)

    def _here(self, at: str) -> datetime:
        return datetime.fromisoformat(at).astimezone(self.zone)


def tell(desk: Desk, night: Night, player: Player) -> Told:
    """Read from the rows of the night, and from whom its doubles saw reached."""
    zone = zone_of(desk.config)
    with desk.read() as connection:
        losses = dict(_losses(connection, night, player))
        return Told(
            night, zone, tuple(_timeline(connection, desk.config)), tuple(_woken(connection, desk.config)),
            _closed(connection), sum(losses.values()),
            (*_slept(desk.config, player, zone), *(each.format(count=count) for each, count in losses.items()),
             *(FORGOTTEN.format(group=group, at=at.astimezone(zone)) for at, group in player.forgotten),
             *_undecided(connection), *_unlawful(connection, desk.config, night)),
            tuple(player.refused),
        )


# --- the timeline ---------------------------------------------------------------------------------------------------------------


def _timeline(connection: sa.Connection, config: Config) -> Iterator[dict[str, Any]]:
    services = {f"alert:{each.id}": f"#{each.id} {each.service}" for each in alerts.recent(connection, most=2**31 - 1)}
    for entry in _in_order(connection):
        if (said := _said(config, entry, services)) is not None:
            yield {"at": entry.at.isoformat(timespec="seconds"), "kind": entry.kind, "about": entry.object, "said": said}


def _in_order(connection: sa.Connection) -> Iterator[Entry]:
    """Telephones ring side by side: which of them was written down first is chance, and is not told."""
    for (_, kind), entries in groupby(journal.all_entries(connection), key=lambda each: (each.at, each.kind)):
        together = list(entries)
        yield from sorted(together, key=lambda each: each.object) if kind == RUNG else together


def _said(config: Config, entry: Entry, services: dict[str, str]) -> str | None:
    """A sentence; None of what is of no interest in the morning."""
    if entry.kind in LINES:
        told = bare(sentence(config, entry))
        return f"{services[entry.object]}: {told}" if entry.object in services else told
    if entry.kind not in MORE:
        return None
    words = _Words({name: _word(config, str(value)) for name, value in json.loads(entry.details).items()})
    words |= {"actor": _name(config, entry.actor), "object": _name(config, entry.object.removeprefix("person:"))}
    return MORE[entry.kind].format_map(words)


def _name(config: Config, key: str) -> str:
    return config.people[key].name if key in config.people else key


def _word(config: Config, value: str) -> str:
    """Names for keys, and clocks of the platform's owner for instants."""
    if not MOMENT.fullmatch(value):
        return _name(config, value)
    return f"{datetime.fromisoformat(value).astimezone(zone_of(config)):%d %b %H:%M}"


class _Words(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "–"


# --- who was woken --------------------------------------------------------------------------------------------------------------


def _woken(connection: sa.Connection, config: Config) -> Iterator[dict[str, Any]]:
    """Whoever was called at night: whom it tore from sleep, and who was at work. Who is reminded is awake already."""
    first = {each.group_id: each.id for each in alerts.recent(connection, most=2**31 - 1)}
    for each in interruptions(_pages(connection, config)):
        if _night_of(config, each.organisation).day_of(each.at) is None:
            continue
        yield {
            "at": each.at.isoformat(timespec="seconds"), "person": each.person, "name": _name(config, each.person),
            "by": list(dict.fromkeys(page.medium for page in each.pages)),
            "about": [first[group] for group in each.groups if group in first],
            "at_work": _works(connection, config, each.person, each.at),
        }


def _pages(connection: sa.Connection, config: Config) -> Iterator[Page]:
    called = sa.select(page_attempt).where(page_attempt.c.role != OWNER).order_by(page_attempt.c.id)
    for row in connection.execute(called):
        organisation = config.people[row.person].organisation
        yield Page(row.person, organisation, row.group_id, row.level, row.role, row.medium, row.sent_at or row.at, row.state)


def _night_of(config: Config, organisation: str) -> Window:
    return Window(Hours.parse(NIGHT), ZoneInfo(config.organisations[organisation].timezone))


def _works(connection: sa.Connection, config: Config, person: str, at: datetime) -> bool:
    slots = (slot for name in config.coverages for slot in roster.at(connection, config, name, at))
    return any(each.person == person and each.mode == "active" for each in slots)


# --- what was closed, lost, broken ----------------------------------------------------------------------------------------------


def _closed(connection: sa.Connection) -> int:
    """Closed without a person, none of whom ever looked at it: healed alone, or fixed by Vigie and proven."""
    table = alerts.alert.c
    alone = (table.state == "closed", table.ending.in_(("healed", "fixed")), table.seen_by.is_(None))
    query = sa.select(sa.func.count()).where(*alone)
    return connection.scalar(query) or 0


def _losses(connection: sa.Connection, night: Night, player: Player) -> Iterator[tuple[str, int]]:
    kept = set(connection.execute(sa.select(alerts.signal.c.delivery)).scalars())
    groups = set(connection.execute(sa.select(alert_group.c.id)).scalars())
    shown = set(connection.execute(sa.select(cards.post.c.group_id).where(
        cards.post.c.kind == "card", cards.post.c.ts.is_not(None))).scalars())
    counted = (
        (NOT_KEPT, len(set(player.brought) - kept)), (NOT_TOLD, len(deferrals.waiting(connection, night.end))),
        (NOT_SHOWN, len(groups - shown)),
    )
    yield from ((law, count) for law, count in counted if count)


def _slept(config: Config, player: Player, zone: ZoneInfo) -> Iterator[str]:
    """Every way in which somebody was reached in their blackout; broken glass reaches its one person."""
    for each in (*player.slack.reached, *player.phones.reached):
        named = config.organisations[config.people[each.person].organisation].break_glass
        if sleeps(config, each.person, each.at) and not (each.key.startswith(GLASS) and named == each.person):
            yield SLEPT.format(name=_name(config, each.person), how=each.how, at=each.at.astimezone(zone))


def _undecided(connection: sa.Connection) -> Iterator[str]:
    yield from (UNDECIDED.format(id=each) for each in alerts.undecided(connection, 50))


def _unlawful(connection: sa.Connection, config: Config, night: Night) -> Iterator[str]:
    """What the working-time rules forbid of what was in this night."""
    for organisation in config.organisations:
        found = lawful.examine(connection, config, organisation, night.start, night.end, night.end, "actual")
        yield from (bare(lawful.line(config, each)).removeprefix("• ") for each in lawful.hard(found))
