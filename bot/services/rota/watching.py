"""Gaps are told to the team's lead in working hours, once; a gap within a day is an alert of its own, like any other."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from bot.config import Config
from bot.services.alert import own
from bot.services.alert.own import Own
from bot.services.desk import VIGIE, Desk
from bot.services.leave import duty
from bot.services.ledger import journal
from bot.services.rota import moments, office, planning, roster, telling
from bot.services.rota.gaps import IN_BLACKOUT, LOOK_AHEAD, NO_SECONDARY, NOBODY, TOO_FEW, TWICE, UNREACHABLE, Gap, gaps
from bot.services.rota.roster import Slot
from bot.signals import CRITICAL, HIGH
from bot.store import gaps as rows
from bot.store.gaps import Known

ALERT_WITHIN = timedelta(hours=24)
FAR = datetime(2999, 1, 1, tzinfo=UTC)      # the end of a gap that goes on beyond where we look
FINGERPRINT = "coverage-gap:{coverage}:{start:%Y-%m-%dT%H:%MZ}"
WORST = frozenset({NOBODY, IN_BLACKOUT})
MOST_TOLD = 10

# What both companies may read: covered, or not, and how; never why somebody is missing.
SHORT = {
    NOBODY: "nobody covers {coverage}", IN_BLACKOUT: "{coverage} is planned for people in their blackout",
    TOO_FEW: "no primary for {coverage}", NO_SECONDARY: "no secondary for {coverage}",
    TWICE: "one person is primary and secondary of {coverage}",
    UNREACHABLE: "somebody on call for {coverage} has no contact beside Slack",
}
TITLE = "{what}: {when} ({place})"
SUMMARY = "{side} has these hours. Its rota admin gives them to somebody: {command} override, or {command} swap."
ENDED = "the gap is filled, or over"
WHY = "important: a gap in the rota within 24 h"

HEAD = "⚠ Gaps in the rota of {team}, next 60 days:"
LINE, LINE_WHY = "• {title}", "• {title}: {why}"
MORE = "… and {count} more."
TAIL = "`{command} override` gives a shift to somebody; `{command} oncall week` shows who is on."
REASONS = {
    roster.NOBODY: "nobody has it", roster.AWAY: "{who} is away", roster.LEFT: "{who} has left",
    roster.IN_BLACKOUT: "{who} is in the own blackout then",
}
ROLE = "{role}: {why}"
NO_CONTACT = "{who}, from {first} on"


def look(desk: Desk) -> int:
    """Finds gaps, tells leads of new ones, raises alerts and ends them; how many gaps are known. Safe to repeat."""
    now, config = desk.clock.now(), desk.config
    with desk.read() as connection:
        known = rows.every(connection)
        found = gaps(connection, config, now) if config.coverages else []
    if not known and not found:
        return 0
    standing = _remember(desk, known, found, now)
    _tell(desk, standing, now)
    _alert(desk, standing, now)
    return len(standing)


# --- what is known ----------------------------------------------------------------------------------------------------------


def _remember(desk: Desk, known: Sequence[Known], found: Sequence[Gap], now: datetime) -> list[tuple[Known, Gap]]:
    """New gaps are written down; those that are filled or over end with their alerts. Each gap with what is known of it."""
    paired = [(_row_of(known, each, now), each) for each in found]
    new = [each for row, each in paired if row is None]
    kept = {row.id for row, _ in paired if row}
    gone = [each for each in known if each.id not in kept]
    if new or gone:
        still = {_fingerprint(each.coverage, _end_start(each, now)[1]) for each in found}
        _end(desk, [each for each in gone if each.alerted_at and _fingerprint(each.coverage, each.start) not in still])
        with desk.begin("gaps") as connection:
            _write(connection, new, gone, now)
            known = rows.every(connection)
    return [(row, each) for each in found if (row := _row_of(known, each, now))]


def _write(connection: sa.Connection, new: Iterable[Gap], gone: Sequence[Known], now: datetime) -> None:
    for number in rows.forget(connection, [each.id for each in gone]):
        row = next(each for each in gone if each.id == number)
        _note(connection, "coverage gap ended", row.coverage, row.team, row.kind, row.start, now)
    for each in new:
        end, start = _end_start(each, now)
        if rows.find(connection, each.coverage, each.team, _kind(each), start, end, now):
            _note(connection, "coverage gap found", each.coverage, each.team, _kind(each), start, now, each.end)


def _note(
    connection: sa.Connection, kind: str, coverage: str, team: str, what: str, start: datetime, now: datetime,
    end: datetime | None = None,
) -> None:
    journal.record(
        connection, actor=VIGIE, kind=kind, object=f"coverage:{coverage}", outcome="done", at=now, team=team, gap=what,
        start=start.isoformat(), end=end.isoformat() if end else None,
    )


def _row_of(known: Iterable[Known], gap: Gap, now: datetime) -> Known | None:
    """What time or a person made smaller is no new gap."""
    end, start = _end_start(gap, now)
    same = (each for each in known if (each.coverage, each.team, each.kind) == (gap.coverage, gap.team, _kind(gap)))
    return next((each for each in same if each.start <= start and end <= each.end), None)


def _end_start(gap: Gap, now: datetime) -> tuple[datetime, datetime]:
    """A gap that reaches as far as we look goes on: that we look a day further tomorrow makes it no new one."""
    goes_on = gap.kind == UNREACHABLE or gap.end >= now + LOOK_AHEAD
    return FAR if goes_on else gap.end, gap.start


def _kind(gap: Gap) -> str:
    return f"{gap.kind}:{gap.slots[0].person}" if gap.kind == UNREACHABLE else gap.kind


# --- telling the lead -------------------------------------------------------------------------------------------------------


def _tell(desk: Desk, standing: Sequence[tuple[Known, Gap]], now: datetime) -> None:
    by_team: dict[str, list[tuple[Known, Gap]]] = defaultdict(list)
    for row, gap in standing:
        if row.told_at is None and office.is_open(desk.config, gap.organisation, now):
            by_team[gap.team].append((row, gap))
    for team, untold in by_team.items():
        with desk.begin("tell gaps") as connection:
            ours = set(rows.tell(connection, [row.id for row, _ in untold], now))
            told = [(row, gap) for row, gap in untold if row.id in ours]
            if told:
                said = _letter(desk.config, team, [gap for _, gap in told])
                first = told[0][0]
                key = f"gaps:{team}:{first.start.isoformat()}:{first.end.isoformat()}:{now.isoformat()}"
                office.tell_lead(connection, desk.config, team, key, said, now)


def _letter(config: Config, team: str, found: Sequence[Gap]) -> str:
    lines = []
    for each in found[:MOST_TOLD]:
        why = _why(config, each)
        lines.append((LINE_WHY if why else LINE).format(title=title(config, each), why=why))
    more = [MORE.format(count=len(found) - MOST_TOLD)] if len(found) > MOST_TOLD else []
    return "\n".join([HEAD.format(team=team), *lines, *more, TAIL.format(command=config.command)])


def _why(config: Config, gap: Gap) -> str:
    """For the own company only: who is missing, and how; never a reason of theirs."""
    zone = config.organisations[gap.organisation].timezone
    if gap.kind == UNREACHABLE:
        who = telling.names(config, [gap.slots[0].person or ""])
        return NO_CONTACT.format(who=who, first=moments.shown(gap.start, zone))
    return "; ".join(dict.fromkeys(_missing(config, each) for each in gap.slots if each.missing))


def _missing(config: Config, slot: Slot) -> str:
    who = telling.names(config, [slot.was]) if slot.was else ""
    kept = slot.shift.reason if slot.shift and slot.missing == roster.NOBODY else None
    return ROLE.format(role=slot.role, why=kept or REASONS[slot.missing or roster.NOBODY].format(who=who))


def title(config: Config, gap: Gap) -> str:
    """What everybody may read of a gap."""
    zone = planning.zone_of(config, config.coverages[gap.coverage]).key
    what = SHORT[gap.kind].format(coverage=gap.coverage)
    return TITLE.format(what=what, when=moments.between(gap.start, gap.end, zone), place=moments.place_of(zone))


# --- alerts -----------------------------------------------------------------------------------------------------------------


def _alert(desk: Desk, standing: Sequence[tuple[Known, Gap]], now: datetime) -> None:
    """Once for each gap: who closes its alert has decided to live with it."""
    pressing = [
        (row, gap) for row, gap in standing
        if gap.kind != UNREACHABLE and row.alerted_at is None and gap.start < now + ALERT_WITHIN
    ]
    if not pressing:
        return
    own.say(desk, [_alarm(desk.config, row, gap) for row, gap in pressing], firing=True)
    with desk.begin("gaps alerted") as connection:
        rows.alerted(connection, [row.id for row, _ in pressing], now)


def _alarm(config: Config, row: Known, gap: Gap) -> Own:
    summary = SUMMARY.format(side=config.organisations[gap.organisation].name, command=config.command)
    return _said(config, row, title(config, gap), summary, CRITICAL if gap.kind in WORST else HIGH)


def _end(desk: Desk, ended: Sequence[Known]) -> None:
    """Their alerts recover by themselves."""
    own.say(desk, [_said(desk.config, each, ENDED, ENDED, HIGH) for each in ended], firing=False)


def _said(config: Config, row: Known, said: str, summary: str, severity: str) -> Own:
    team = config.teams.get(row.team)
    labels = {"coverage": row.coverage, "team": row.team, "gap": row.kind.partition(":")[0]}
    return Own(
        "coverage gap", said, summary, severity, _fingerprint(row.coverage, row.start), row.found_at.isoformat(),
        team.organisation if team else "", _service(config, row.coverage),
        config.channels[(team.channel if team else None) or config.default_channel],
        {**labels, **({own.WHOSE: team.lead} if team else {})}, WHY,
    )


def _fingerprint(coverage: str, start: datetime) -> str:
    return FINGERPRINT.format(coverage=coverage, start=start)


def _service(config: Config, coverage: str) -> str:
    """One that is escalated by this very coverage: our own name, or the first of its services."""
    names = (own.SERVICE, *config.services)
    return next((each for each in names if duty.coverage_of(config, each) == coverage), own.SERVICE)
