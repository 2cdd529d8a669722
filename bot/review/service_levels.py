"""Service levels: what each side promised, what became of it, and every alert that broke it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Literal

from bot.config.months import ServiceLevel
from bot.review import N_, Column, Definition, Facts, Figure, Figures, Section, Table, chapter
from bot.review.arithmetic.deadlines import due
from bot.review.arithmetic.listing import Given, listing
from bot.review.arithmetic.numbers import share
from bot.review.arithmetic.plain import percent
from bot.review.facts import Group

TITLE = N_("Service levels")
LEVELS, BREACHES = "service-levels", "service-level-breaches"

KEPT, BROKEN, OPEN, MOOT = N_("kept"), N_("broken"), N_("not due yet"), N_("over before it was due, and nobody had taken it")
ACK, RESOLVE = N_("taken"), N_("resolved")
NO_PROMISE = N_(
    "no service level is configured: write what each side promised under `month: service_levels` in vigie.yaml, as in "
    '{organisation: padok, name: "Important alerts at night", important: true, ack_within: 15m, resolve_within: 4h}'
)
REACHED = N_("{side}, \"{name}\": {kept} of {counted} {deed} in time, {good}; {target} were promised.")
MISSED = N_("{side}, \"{name}\": only {kept} of {counted} {deed} in time, {good}; {target} were promised.")
NO_SUCH = N_("nothing of what was promised came up")
EVIDENCE = N_(
    "{side}'s figures are how its service is monitored: evidence for article 30(2)(e) and 30(3)(a), (e) of regulation (EU) "
    "2022/2554 (DORA), beside coverage and handoffs."
)
CLOCKS = {"always": N_("around the clock"), "working": N_("working hours: Monday to Friday 08:00-18:00, not on public holidays")}
RULES = N_(
    "A side answers for what opened in its duty. What is still open after its deadline is broken now; what is not due yet is "
    "left out. Silences and maintenance stop no clock."
)
SOURCE = "rota.md 6.3; DORA art. 30"


def _definition(name: str, title: str, deed: str, more: str) -> Definition:
    return Definition(name, title, deed + " " + more, "share", source=SOURCE, better="less")


ACKED = N_("Alerts not taken by their deadline / alerts that somebody promised to take, and that were taken or are overdue.")
RESOLVED = N_("Alerts not resolved by their deadline / alerts promised to be resolved, and that are resolved or overdue.")
BY = N_("An alert under two promises counts in each. Over before its deadline without being taken: left out.")
ACK_SHARE = _definition("sla_ack_breach_share", N_("Promises to take an alert: broken"), ACKED, BY)
RESOLVE_SHARE = _definition("sla_resolve_breach_share", N_("Promises to resolve an alert: broken"), RESOLVED, BY)


@dataclass(frozen=True, slots=True)
class Promise:
    """One alert under one promise: what became of it."""

    level: ServiceLevel
    group: Group
    deed: str                               # ACK, RESOLVE
    deadline: datetime
    done_at: datetime | None
    became: str


@chapter("service_levels", TITLE, 11)
def service_levels(facts: Facts, figures: Figures) -> Section:
    promises = [each for level in facts.config.month.service_levels for each in _promises(facts, level)]
    return Section("service_levels", TITLE, tuple(_said(facts, promises)), tuple(_figures(facts, promises)),
                   (_levels(facts, promises), _breaches(facts, promises)))


def _said(facts: Facts, promises: Sequence[Promise]) -> Iterator[str]:
    levels = facts.config.month.service_levels
    for level, deed, _, became in _tallied(facts, promises):
        kept, counted = became[KEPT], became[KEPT] + became[BROKEN]
        if counted:
            words = REACHED if kept / counted >= level.target else MISSED
            yield words.format(side=_side(facts, level), name=level.name, kept=kept, counted=counted, deed=deed,
                               good=percent(kept / counted), target=percent(level.target))
    yield RULES if levels else NO_PROMISE[0].upper() + NO_PROMISE[1:] + "."
    for key in dict.fromkeys(each.organisation for each in levels):
        side = facts.config.organisations.get(key)
        if side is not None and side.kind == "partner":
            yield EVIDENCE.format(side=side.name)


# --- what became of each ------------------------------------------------------------------------------------------------------


def _promises(facts: Facts, level: ServiceLevel) -> Iterator[Promise]:
    for group in facts.groups:
        if not _is_about(level, group):
            continue
        if level.ack_within is not None:
            yield _promise(facts, level, group, ACK, level.ack_within)
        if level.resolve_within is not None:
            yield _promise(facts, level, group, RESOLVE, level.resolve_within)


def _is_about(level: ServiceLevel, group: Group) -> bool:
    return (
        group.side == level.organisation
        and (not level.severities or group.severity in level.severities)
        and level.important in (None, group.important)
        and any(fnmatchcase(group.service, each) for each in level.services)
    )


def _promise(facts: Facts, level: ServiceLevel, group: Group, deed: str, within: timedelta) -> Promise:
    deadline = due(facts.config, level.organisation, group.opened_at, within, level.clock)
    done_at = group.acked_at if deed == ACK else group.resolved_at
    return Promise(level, group, deed, deadline, done_at, _became(facts, group, deed, deadline, done_at))


def _became(facts: Facts, group: Group, deed: str, deadline: datetime, done_at: datetime | None) -> str:
    if done_at is not None:
        return KEPT if done_at <= deadline else BROKEN
    over_at = group.resolved_at or group.closed_at
    if deed == ACK and over_at is not None and over_at <= deadline:
        return MOOT
    return BROKEN if deadline <= facts.month.as_of else OPEN


# --- how it is told -----------------------------------------------------------------------------------------------------------


def _figures(facts: Facts, promises: Sequence[Promise]) -> Iterator[Figure]:
    yield _share(facts, ACK_SHARE, [each for each in promises if each.deed == ACK])
    yield _share(facts, RESOLVE_SHARE, [each for each in promises if each.deed == RESOLVE])
    for key in dict.fromkeys(each.organisation for each in facts.config.month.service_levels):
        mine = [each for each in promises if each.level.organisation == key]
        yield _share(facts, _of_side(facts, key, "ack"), [each for each in mine if each.deed == ACK])
        yield _share(facts, _of_side(facts, key, "resolve"), [each for each in mine if each.deed == RESOLVE])


def _of_side(facts: Facts, key: str, deed: Literal["ack", "resolve"]) -> Definition:
    side = facts.config.organisations[key].name if key in facts.config.organisations else key
    name = f"sla_{deed}_breach_share_{key.replace('-', '_')}"
    title = N_("{side}: promises to take an alert, broken") if deed == "ack" else N_("{side}: promises to resolve one, broken")
    return _definition(name, title.format(side=side), ACKED if deed == "ack" else RESOLVED, BY)


def _share(facts: Facts, definition: Definition, mine: Sequence[Promise]) -> Figure:
    became = Counter(each.became for each in mine)
    n = became[KEPT] + became[BROKEN]
    left_out = {why: became[why] for why in (OPEN, MOOT) if became[why]}
    why = None if n else NO_SUCH if facts.config.month.service_levels else NO_PROMISE
    return definition.of(share(became[BROKEN], n), n, left_out, behind=BREACHES, why=why)


def _levels(facts: Facts, promises: Sequence[Promise]) -> Table:
    return listing(LEVELS, N_("What was promised"), (
        Column("side", N_("Side")), Column("promise", N_("Promise")), Column("deed", N_("To be")),
        Column("within", N_("Within"), "seconds"), Column("clock", N_("Clock")), Column("n", N_("Counted"), "count"),
        Column("kept", N_("Kept"), "count"), Column("broken", N_("Broken"), "count"), Column("share", N_("Kept, share"), "share"),
        Column("target", N_("Promised, share"), "share"), Column("reached", N_("Reached")),
        Column("open", N_("Not due yet"), "count"), Column("moot", N_("Over before"), "count"),
    ), _rows(facts, promises), NO_PROMISE)


def _tallied(facts: Facts, promises: Sequence[Promise]) -> Iterator[tuple[ServiceLevel, str, timedelta, Counter[str]]]:
    """What became of each promise, counted."""
    for level in facts.config.month.service_levels:
        for deed, within in ((ACK, level.ack_within), (RESOLVE, level.resolve_within)):
            if within is not None:
                yield level, deed, within, Counter(each.became for each in promises if each.level is level and each.deed == deed)


def _rows(facts: Facts, promises: Sequence[Promise]) -> Iterator[Sequence[Given]]:
    for level, deed, within, became in _tallied(facts, promises):
        kept, broken = became[KEPT], became[BROKEN]
        good = share(kept, kept + broken)
        yield (_side(facts, level), level.name, deed, within.total_seconds(), CLOCKS[level.clock], kept + broken, kept,
               broken, good, level.target, None if good is None else good >= level.target, became[OPEN], became[MOOT])


def _breaches(facts: Facts, promises: Sequence[Promise]) -> Table:
    broken = sorted((each for each in promises if each.became == BROKEN), key=lambda one: (one.deadline, one.group.id, one.deed))
    rows = (
        (each.group.alert, each.group.opened_at, each.group.service, _side(facts, each.level), each.level.name, each.deed,
         each.deadline, each.done_at, ((each.done_at or facts.month.as_of) - each.deadline).total_seconds(), each.group.silenced)
        for each in broken
    )
    return listing(BREACHES, N_("Promises broken"), (
        Column("alert", N_("Alert"), "alert"), Column("opened", N_("Opened"), "instant"), Column("service", N_("Service")),
        Column("side", N_("Side")), Column("promise", N_("Promise")), Column("deed", N_("Not")),
        Column("deadline", N_("By"), "instant"), Column("done", N_("But at"), "instant"),
        Column("late", N_("Late, so far"), "seconds"), Column("silenced", N_("Silenced")),
    ), rows, N_("None was broken."))


def _side(facts: Facts, level: ServiceLevel) -> str:
    found = facts.config.organisations.get(level.organisation)
    return found.name if found else level.organisation
