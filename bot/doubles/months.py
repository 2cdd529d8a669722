"""Two invented months of the example's platform, September and October 2026: what broke, how it ended, what was agreed."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

STORY = "month"
MONTHS = ("2026-09", "2026-10")
ZONE = ZoneInfo("Europe/Paris")
SEED = 20261001
TUNED = date(2026, 10, 9)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)

Ending = Literal["healed", "fixed", "person"]
When = Literal["any", "day", "night"]
HOURS: dict[When, tuple[int, int]] = {"any": (0, 24), "day": (8, 20), "night": (0, 6)}


@dataclass(frozen=True, slots=True)
class Eye:
    """Who sees it, and the door through which that is told."""

    source: str
    endpoint: str
    observer: str
    organisation: str = "bridge"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that comes back: its alarm, how often in each of the two months, how it ends as a rule."""

    name: str
    title: str
    service: str
    eye: Eye
    times: tuple[int, int]
    ends: tuple[int, int, int]                  # of a hundred: healed alone, fixed by a runbook, ended by a person
    minutes: int                                # how long it lasts, in the middle
    severity: str = "warning"
    important: bool = False
    runbook: str | None = None
    recognised: bool = True
    when: When = "any"
    told: int = 2                               # notifications of one episode
    verdict: str | None = None
    flaps: int = 0                              # of a hundred episodes, so many relapse
    tuned: date | None = None                   # from that day on it comes half as often


@dataclass(frozen=True, slots=True)
class Episode:
    """One time that it broke. `at` is UTC."""

    problem: Problem
    at: datetime
    ends: Ending
    lasts: timedelta
    acked_after: timedelta | None               # None: nobody took it
    unanswered: int                             # how many were called in vain before somebody answered
    relapses: int
    hurt: bool = False                          # merchants could not pay: somebody declared an incident


CLOUDWATCH = Eye("cloudwatch", "bridge-cloudwatch", "CloudWatch")
EVENTS = Eye("eventbridge", "bridge-eventbridge", "CloudWatch")
PROBE = Eye("datadog", "bridge-datadog", "Bridge-1")
PADOK = Eye("datadog", "padok-datadog", "Padok-1", "padok")
PROMETHEUS = Eye("alertmanager", "bridge-alertmanager", "Prometheus")
KINDS: tuple[Ending, ...] = ("healed", "fixed", "person")

PROBLEMS = (
    Problem("batch-worker-queue-age", "Queue older than 10 min", "batch-worker", CLOUDWATCH, (121, 118), (6, 88, 6), 9,
            severity="high", runbook="queue-backlog", flaps=4, tuned=TUNED),
    Problem("pay-api-unhealthy-hosts", "A target fails its health checks", "pay-api", CLOUDWATCH, (38, 41), (0, 90, 10), 7,
            runbook="unhealthy-target", flaps=2),
    Problem("ledger-disk", "The disk of ledger is above 85 %", "ledger", PROBE, (12, 38), (0, 0, 100), 55,
            severity="high", recognised=False, when="day", told=4, verdict="needs-fix"),
    Problem("bank-sync-errors", "The bank's API answers slowly", "bank-sync", PROBE, (71, 44), (80, 0, 20), 12,
            severity="high", flaps=10, told=3),
    Problem("pay-api-latency-p95", "pay-api answers slowly", "pay-api", PADOK, (41, 33), (100, 0, 0), 4,
            verdict="noise", flaps=25),
    Problem("ledger-running-tasks", "Tasks of ledger die", "ledger", CLOUDWATCH, (30, 34), (0, 80, 20), 6,
            severity="high", runbook="ecs-crash-loop"),
    Problem("reconciliation-late", "Reconciliation is late", "ledger", PROBE, (44, 31), (100, 0, 0), 40,
            recognised=False, when="night", verdict="noise"),
    Problem("edge-4xx-rate", "4xx above 8 % at the edge", "edge", EVENTS, (48, 29), (100, 0, 0), 3),
    Problem("probe-silent", "A probe is silent", "pay-api", PADOK, (40, 24), (70, 0, 30), 18,
            runbook="silent-probe", verdict="duplicate"),
    Problem("pay-api-5xx", "pay-api: 5xx above 5 %", "pay-api", CLOUDWATCH, (26, 17), (0, 30, 70), 21,
            severity="critical", important=True, runbook="api-latency", told=5, verdict="useful"),
    Problem("settlement-late", "A settlement file is late", "batch-worker", PROMETHEUS, (14, 12), (0, 0, 100), 35,
            severity="high", when="day"),
    Problem("pay-db-connections", "DatabaseConnections above 900", "pay-db", CLOUDWATCH, (9, 6), (0, 0, 100), 24,
            severity="critical", important=True, runbook="rds-failover", when="night", told=3, verdict="useful"),
    Problem("webhook-signature", "Merchants reject our webhooks: their signatures do not match", "pay-api", PROMETHEUS, (0, 3),
            (0, 0, 100), 41, severity="critical", important=True, recognised=False, when="night", verdict="missing-runbook"),
    Problem("cert-expires", "The certificate of hooks.example.com expires in 14 days", "edge", PROMETHEUS, (2, 2), (0, 0, 100),
            600, runbook="certificate-expiring", when="day"),
)


DATABASE = next(each for each in PROBLEMS if each.service == "pay-db")
OUTAGE = Episode(
    DATABASE, datetime(2026, 10, 14, 2, 10, tzinfo=ZONE).astimezone(UTC), "person", 17 * MINUTE, 2 * MINUTE, 0, 0, hurt=True
)

ALERTS, REVIEW = "C0ALERTS01", "C0REVIEW01"
ALICE, BRUNO, PAUL, MARIE = "U0ALICE001", "U0BRUNO001", "U0PAUL0001", "U0MARIE001"
LEA, INES = "U0LEA00001", "U0INES0001"
BEGINS, SEALED = datetime(2026, 9, 1, tzinfo=ZONE), (datetime(2026, 10, 5, 9, tzinfo=ZONE), datetime(2026, 11, 4, 9, tzinfo=ZONE))


@dataclass(frozen=True, slots=True)
class Line:
    """Somebody types it in a channel; {names} in it are read off what that person sees."""

    at: datetime
    person: str
    line: str
    reads: Mapping[str, str] = field(default_factory=dict)
    channel: str = REVIEW


def lines() -> list[Line]:
    """What people of both sides say once a month is sealed, in order."""
    first, second = SEALED
    return [
        Line(first + 20 * MINUTE, PAUL, "/vigie review 2026-09 sign"),
        Line(first + 22 * MINUTE, INES, "/vigie review 2026-09 sign"),
        Line(first + 25 * MINUTE, PAUL,
             "/vigie decide Raise the queue's threshold to 20 min owner=@bruno due=2026-10-12 about=batch-worker kind=tune"),
        Line(first + 26 * MINUTE, PAUL,
             "/vigie decide Fix the NAT of zone a owner=@alice due=2026-10-17 about=bank-sync kind=fix"),
        Line(datetime(2026, 10, 8, 17, 10, tzinfo=ZONE), BRUNO, "/vigie action done 1 it is 20 min since this afternoon"),
        Line(second + 15 * MINUTE, MARIE, "/vigie review"),
        Line(second + 40 * MINUTE, INES, "/vigie review 2026-10 sign"),
    ]


def episodes(month: str) -> list[Episode]:
    """All of a month in order; the same each time."""
    dice, number = random.Random(SEED + MONTHS.index(month)), MONTHS.index(month)
    found = [each for problem in PROBLEMS for each in _of(problem, problem.times[number], month, dice)]
    found += [each for each in (OUTAGE,) if f"{each.at:%Y-%m}" == month]
    return sorted(_apart(found), key=lambda each: each.at)


def _of(problem: Problem, times: int, month: str, dice: random.Random) -> Iterator[Episode]:
    days = _days(month)
    early, late = HOURS[problem.when]
    for _ in range(times):
        day = dice.choice(days)
        if problem.tuned and day >= problem.tuned and dice.random() < 0.5:
            continue
        clock = time(dice.randrange(early, late), dice.randrange(60), dice.randrange(60))
        at = datetime.combine(day, clock, ZONE).astimezone(UTC)
        (ends,) = dice.choices(KINDS, problem.ends)
        lasts = timedelta(minutes=problem.minutes * dice.lognormvariate(0, 0.5))
        taken, unanswered = timedelta(seconds=30 + dice.expovariate(1 / 220)), int(problem.important and dice.random() < 0.2)
        taken += unanswered * timedelta(minutes=5)
        flaps = int(dice.random() * 100 < problem.flaps)
        if ends == "person":
            yield Episode(problem, at, ends, lasts + taken, taken, unanswered, flaps)
        else:
            yield Episode(problem, at, ends, lasts, None, 0, flaps)


def _apart(found: list[Episode]) -> Iterator[Episode]:
    """What still lasts cannot break again."""
    over: dict[str, datetime] = {}
    for each in sorted(found, key=lambda one: one.at):
        if over.get(each.problem.name, each.at) <= each.at:
            over[each.problem.name] = each.at + each.lasts + timedelta(minutes=50)
            yield each


def _days(month: str) -> list[date]:
    first = date.fromisoformat(f"{month}-01")
    return [day for day in (first + n * DAY for n in range(31)) if day.month == first.month]
