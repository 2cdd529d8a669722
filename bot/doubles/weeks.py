"""A week of the two companies' nights, as a list: who does what on which day, and when the bot itself is down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

ALERTS, PAYMENTS = "C0ALERTS01", "C0PAYMNT01"
ALICE, BRUNO, PAUL = "U0ALICE001", "U0BRUNO001", "U0PAUL0001"
LEA, OMAR, INES = "U0LEA00001", "U0OMAR0001", "U0INES0001"

MON, TUE, WED, THU, FRI, SAT, SUN = range(7)      # days after the Monday on which the week begins
WEEKS = {"autumn": date(2026, 10, 19), "spring": date(2027, 3, 22)}     # each ends with a night in which clocks change
SETTLES = {"autumn": date(2026, 11, 2), "spring": date(2027, 4, 1)}     # the first working day of the month after
RETURNS = {"autumn": 7, "spring": 8}        # on which day Bridge has the duty again: the Monday of the spring is Easter Monday
ENDS = "12:00"

SIGNATURES = "Merchants reject our webhooks"
TIMEOUTS, REFUNDS = "Payments time out", "Refunds are refused"
CERTIFICATE, LEDGER = "The certificate of hooks.example.com expires in 6 days", "The ledger does not balance"
BACKLOG = "Settlement files pile up"
DUTY, LINE, SWAP, WORKED = "You have the duty of platform since", "Write your one line", "asks you to take", "✍ You worked"

ALERT = r"#(\d+)"


@dataclass(frozen=True, slots=True)
class Act:
    """Something happens on a day of the week, at a time that clocks in Paris show; "01:44 +25" is so many minutes later."""

    day: int
    at: str


@dataclass(frozen=True, slots=True)
class Sends(Act):
    """A script of Bridge says that something is broken, or well again."""

    service: str
    title: str
    severity: str = "critical"
    state: str = "firing"


@dataclass(frozen=True, slots=True)
class Types(Act):
    """Somebody types a line in a channel; a name in {braces} is what `reads` finds in what that person sees."""

    person: str
    line: str
    channel: str = ALERTS
    reads: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Presses(Act):
    """Somebody presses a button under the newest direct message that speaks of `about`, and fills in the form it opens."""

    person: str
    about: str
    button: str
    fills: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Restarts(Act):
    """The bot is stopped, and started again at `back`."""

    back: tuple[int, str]


def accepts(day: int, at: str, person: str, risk: str = "none", said: str = "") -> Presses:
    """The incoming person takes the handoff over: names the top risk, ticks whatever is red."""
    return Presses(day, at, person, DUTY, "Accept…", {"risk": risk, "items": "*", "text": said})


def writes(day: int, at: str, person: str, line: str) -> Presses:
    """The outgoing person's one line."""
    return Presses(day, at, person, LINE, "Write your line…", {"line": line})


def confirms(day: int, at: str, person: str) -> Presses:
    """What somebody worked while on call was as Vigie saw it."""
    return Presses(day, at, person, WORKED, "It is right")


def about(title: str) -> dict[str, str]:
    """How a line names an alert: by the number of the card that says so."""
    return {"alert": rf"{ALERT}[^#]*{title}"}


def acts(story: str) -> list[Act]:
    """All that happens, in order."""
    return [*_calm(), *_midnight(), *_unaccepted(), *_sick(), *_silence(), *_change_night(), *_return(RETURNS[story])]


def _calm() -> list[Act]:
    """Passings as they should be, each accepted by whoever takes over."""
    return [
        accepts(MON, "08:03", ALICE), writes(MON, "19:40", ALICE, "a quiet Monday"), accepts(TUE, "00:03", LEA),
        accepts(TUE, "08:03", ALICE), writes(TUE, "19:45", ALICE, "the new webhook keys went out at 18:00"),
        accepts(THU, "00:04", LEA), accepts(THU, "08:02", ALICE), writes(THU, "19:50", ALICE, "nothing to tell"),
        accepts(FRI, "08:04", ALICE), writes(FRI, "19:35", ALICE, "migration of pay-db is on Monday, not before"),
        accepts(SAT, "08:05", ALICE), writes(SAT, "19:37", ALICE, "the certificate waits for Paul, on Monday"),
        *(writes(day, "07:15", LEA, "all of it is on the cards") for day in (TUE, WED, THU)), writes(FRI, "07:20", OMAR, "quiet"),
        confirms(WED, "09:40", ALICE), confirms(SAT, "10:00", OMAR), confirms(SUN, "10:00", LEA),
    ]


def _midnight() -> list[Act]:
    """An incident across midnight: Alice has it until then, Léa from then on."""
    it = about(SIGNATURES)
    return [
        Sends(TUE, "23:50", "pay-api", SIGNATURES),
        Types(TUE, "23:52", ALICE, "/vigie ack {alert} looking at the keys of this evening", PAYMENTS, it),
        accepts(WED, "00:03", LEA, SIGNATURES, "the old key goes back if it is not over by one"),
        Types(WED, "00:20", LEA, "/vigie note {alert} the old key is back", PAYMENTS, it),
        Sends(WED, "00:34", "pay-api", SIGNATURES, state="recovered"),
        Types(WED, "00:40", LEA, "/vigie close {alert} the old key is back, merchants confirm", PAYMENTS, it),
    ]


def _unaccepted() -> list[Act]:
    """A morning on which Alice does not see that the duty is hers."""
    return [
        Sends(WED, "08:20", "pay-api", TIMEOUTS),
        Types(WED, "08:22", BRUNO, "/vigie ack {alert} I am at it", PAYMENTS, about(TIMEOUTS)),
        Sends(WED, "08:40", "pay-api", TIMEOUTS, state="recovered"),
        accepts(WED, "08:45", ALICE, said="sorry, my telephone was off"),
        Sends(WED, "09:10", "ledger", LEDGER),
        Types(WED, "09:12", ALICE, "/vigie ack {alert}", ALERTS, about(LEDGER)),
        Sends(WED, "09:30", "ledger", LEDGER, state="recovered"),
        writes(WED, "19:42", ALICE, "two short ones this morning, both over"),
    ]


def _sick() -> list[Act]:
    """Léa and Omar swap a night; then Léa falls ill before another one, and Inès lets Omar and herself have it."""
    override, night = "/vigie override platform", "tomorrow 00:00 tomorrow 08:00"
    return [
        Types(THU, "18:00", LEA, "/vigie shift"), Types(THU, "18:01", LEA, "/vigie oncall @omar"),
        Types(THU, "18:05", LEA, "/vigie swap {mine} @omar for {his}", reads={
            "mine": r"Shifts of Léa[\s\S]*?primary of platform[^\n]*?`(\d+)` Sat",
            "his": r"Shifts of Omar[\s\S]*?secondary of platform[^\n]*?`(\d+)` Sat"}),
        Presses(THU, "18:20", OMAR, SWAP, "Take it"),
        Types(THU, "23:30", LEA, "/vigie away sick"),
        Types(THU, "23:35", INES, f"{override} secondary {night} @ines Léa is away"),
        Types(THU, "23:36", INES, f"{override} primary {night} @omar Léa is away"),
        accepts(FRI, "00:03", OMAR),
        Restarts(FRI, "23:59:50", (SAT, "00:00:40")),
        accepts(SAT, "00:06", OMAR),
    ]


def _silence() -> list[Act]:
    """Saturday night: what is silent until four, and what Bridge's people are only told at eight."""
    return [
        Types(SAT, "01:00", OMAR, "/vigie silence pay-api 3h the merchants' test campaign", PAYMENTS),
        Types(SAT, "01:05", INES, "/vigie silence agree {silence}", PAYMENTS, {"silence": r"Silence (\d+)"}),
        Sends(SAT, "02:00", "pay-api", REFUNDS),
        Sends(SAT, "02:14", "edge", CERTIFICATE, "warning"),
        Types(SAT, "02:16", OMAR, "/vigie assign {alert} @alice", ALERTS, about(CERTIFICATE)),
        Types(SAT, "02:17", OMAR, "/vigie note {alert} @paul you have the account of the authority", ALERTS, about(CERTIFICATE)),
        Types(SAT, "04:03", OMAR, "/vigie ack {alert}", PAYMENTS, about(REFUNDS)),
        Sends(SAT, "04:25", "pay-api", REFUNDS, state="recovered"),
    ]


def _change_night() -> list[Act]:
    """Clocks change while a queue grows."""
    it = about(BACKLOG)
    return [
        accepts(SUN, "00:04", LEA),
        Sends(SUN, "01:40", "batch-worker", BACKLOG),
        Types(SUN, "01:44", LEA, "/vigie ack {alert} a worker hangs", ALERTS, it),
        Types(SUN, "01:44 +25", LEA, "/vigie note {alert} restarted, it shrinks", ALERTS, it),
        Types(SUN, "01:44 +50", LEA, "/vigie note {alert} half of it is left", ALERTS, it),
        Sends(SUN, "01:44 +75", "batch-worker", BACKLOG, state="recovered"),
        Types(SUN, "01:44 +80", LEA, "/vigie close {alert} the queue is empty", ALERTS, it),
    ]


def _return(day: int) -> list[Act]:
    """The bot is down when Bridge takes over again."""
    return [Restarts(day, "07:59:50", (day, "08:00:30")), accepts(day, "08:04", BRUNO)]


def alarm(act: Sends) -> dict[str, Any]:
    """What a script posts to bridge-generic."""
    return {"key": act.title, "name": act.title, "title": act.title, "service": act.service, "severity": act.severity,
            "state": act.state}
