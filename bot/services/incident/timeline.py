"""The timeline of an incident as Markdown, from the journal: when (in the zone and in UTC), who, what, with which outcome."""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.config import Config
from bot.masking import mask_text
from bot.services.alert.response import lasting
from bot.services.desk import OBSERVER, VIGIE
from bot.services.incident import ground, showing
from bot.services.slack import logbook
from bot.store import incidents, journal, runs
from bot.store.incidents import Incident
from bot.store.journal import Entry

TITLE = "# Timeline of {name}: {title}"
HEAD = "Times are {zone}; UTC beside them. Written {now} from the journal, {count} entries."
COLUMNS = "| {zone} | UTC | about | who | what | outcome |"
RULE = "|---|---|---|---|---|---|"
ROW = "| {local} | {utc} | {about} | {who} | {what} | {outcome} |"
LEFT_OUT = "The first {count} entries are left out; `vigie audit export` has them all."
NO_ENTRIES = "The journal has nothing about it."
INCIDENT_LINES = {
    "incident declared": "declared as {kind_}: {title}",
    "incident impact": "impact on {service} from {start} to {end}",
    "incident cause": "root cause: {cause}",
    "incident ended": "over since {ended}",
    "incident aware changed": "known since {after} (before: {before}){reason}",
    "incident third party": "from a third party: {third_party}",
    "incident alert added": "alerts {alerts} added",
    "incident classified": "classified: {reasons}",
    "notice owed": "{notice} owed {due}",
    "notice told": "reminded of {notice} ({step}): {who}",
    "notice sent": "{notice} sent {reference}",
    "notice delayed": "{notice} will be late{reason}",
    "notice ended": "{notice} no longer owed{why}",
    "incident paper": "file written: {what}",
}
MOST = 5_000
LASTS = "lasts"
_DATE = re.compile(r"<!date\^\d+\^\{time\}\|([^<>|]*)>")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00")
_SIGNS = re.compile(r"([\\`*_\[\]<>|#])")


def entries(connection: sa.Connection, incident: Incident) -> list[Entry]:
    """All about it, its alerts and their runs, in the order of the journal."""
    numbers = incidents.alerts_of(connection, incident.id)
    found = runs.find(connection, runs.run.c.alert_id.in_(numbers), most=MOST) if numbers else []
    objects = [f"incident:{incident.id}", *(f"alert:{each}" for each in numbers), *(f"run:{each.id}" for each in found)]
    return journal.about(connection, objects, MOST + 1)


def markdown(connection: sa.Connection, config: Config, incident: Incident, now: datetime) -> str:
    """The whole file."""
    zone = config.organisations[ground.own(config)].timezone
    told = entries(connection, incident)
    head = [TITLE.format(name=incident.name, title=plain(incident.title)), ""]
    with_view = [plain(each) for each in showing.lines(showing.look(connection, config, incident, now))]
    head += [*(f"{each}  " for each in with_view), ""]
    head += [HEAD.format(zone=zone, now=local(now, zone), count=len(told)), ""]
    return "\n".join([*head, *table(config, told, zone), ""])


def table(config: Config, told: Sequence[Entry], zone: str) -> Iterator[str]:
    """One row an entry."""
    if not told:
        yield NO_ENTRIES
        return
    if len(told) > MOST:
        yield LEFT_OUT.format(count=len(told) - MOST)
        yield ""
    yield COLUMNS.format(zone=zone)
    yield RULE
    for each in told[-MOST:]:
        yield ROW.format(
            local=local(each.at, zone), utc=f"{each.at.astimezone(UTC):%H:%M:%S}", about=_about(each),
            who=plain(who(config, each)), what=plain(what(config, each)), outcome=each.outcome,
        )


def what(config: Config, entry: Entry) -> str:
    """One entry in a few words, as the card's thread tells it, without Slack's markup."""
    said = logbook.sentence(config, entry, INCIDENT_LINES)
    told = _ISO.sub(lambda found: ground.shown(config, datetime.fromisoformat(found[0])), html.unescape(said))
    return mask_text(_DATE.sub(lambda found: found[1], told)).strip()


def who(config: Config, entry: Entry) -> str:
    if entry.actor == VIGIE.key:
        return VIGIE.name
    known = config.people.get(entry.actor)
    if known is None:
        return entry.actor.removeprefix(OBSERVER)
    return f"{known.name} ({config.organisations[known.organisation].name})"


def local(at: datetime, zone: str) -> str:
    """2026-11-22 02:14:00; in the hour that clocks show twice, with its offset."""
    shown = at.astimezone(ZoneInfo(zone))
    twice = shown.replace(fold=0).utcoffset() != shown.replace(fold=1).utcoffset()
    return f"{shown:%Y-%m-%d %H:%M:%S}" + (f" ({shown:%z})" if twice else "")


def plain(text: str) -> str:
    """One line that Markdown shows as it is written: nothing in it is markup."""
    return _SIGNS.sub(r"\\\1", " ".join(text.split()))


def bullets(said: Iterable[str]) -> list[str]:
    return [f"* {each}" for each in said]


def lasted(start: datetime, end: datetime | None) -> str:
    return lasting(end - start) if end else LASTS


def _about(entry: Entry) -> str:
    kind, _, number = entry.object.partition(":")
    return f"{kind} {number}" if number else kind
