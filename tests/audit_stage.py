"""A stage for the audit of the review: facts of months that nobody lived, the same of the same seed."""

import random
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from bot.config.months import Maintenance as Agreed
from bot.config.months import ServiceLevel
from bot.review import Facts
from bot.review.facts import (
    Decision,
    Group,
    Handoff,
    Incident,
    Intervention,
    Maintenance,
    Notice,
    Silence,
    Slot,
    Source,
    Told,
    Trail,
)
from bot.review.facts.platform import Impact
from tests.config_stage import example
from tests.review_stage import at, group, month, page, run

DAY = timedelta(days=1)
PEOPLE = {"lea": "padok", "omar": "padok", "alice": "bridge", "bruno": "bridge"}
PATTERNS = tuple(f"cloudwatch|check-{letter}|" for letter in "abcdefghijklmnop")
SERVICES = ("pay-api", "ledger", "bank-sync", "vigie")
LEVELS = (
    ServiceLevel(organisation="padok", name="Nights", important=True, ack_within=timedelta(minutes=15)),
    ServiceLevel(organisation="bridge", name="Days", ack_within=timedelta(hours=1), resolve_within=timedelta(hours=4)),
    ServiceLevel(organisation="bridge", name="Hours", resolve_within=timedelta(hours=8), clock="working"),
)


class Inventor:
    """Facts of a month, as they could be; the same of the same seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.month = month(("2026-10", "2026-03", "2026-02")[seed % 3])
        self.runs: list[Any] = []

    def instant(self, days_after: float = 0) -> str:
        length = self.month.end - self.month.start + days_after * DAY
        made = self.month.start + length * self.chance.random()
        return f"{self.month.local(made):%Y-%m-%d %H:%M:%S}"

    def group(self, number: int) -> Group:
        pick, taken = self.chance.choice, self.chance.random() < 0.5
        acked, lasted = (self.chance.uniform(0.1, 90) if taken else None), self.chance.uniform(0.2, 300)
        ended = self.chance.random() < 0.9
        ending = ("person" if taken else pick(("healed", "healed", "fixed", "person"))) if ended else "open"
        side = pick(("padok", "bridge"))
        by = {"acked_by": "lea", "acked_side": pick(("padok", "bridge")), "touched": True} if taken else {}
        called = pick((None, 0.5, 1.0))
        closer = {"closed_by": "alice", "touched": True} if ending == "person" else {"closed_by": "vigie"} if ended else {}
        if ending == "fixed" or pick((True, False, False)):
            self.runs.append(self.run(number, ending == "fixed"))
        return group(
            number, self.instant(), acked_min=acked, resolved_min=max(lasted, acked or 0) if ended else None,
            engaged_min=pick((None, 2)), called_min=called, side=side, service=pick(SERVICES),
            severity=pick(("high", "critical")),
            important=pick((True, False, False)), recognised=pick((True, True, False)), runbook=pick((None, "queue-backlog")),
            pattern=pick(PATTERNS), signals=self.chance.randint(1, 9), cycles=self.chance.randint(1, 5),
            reopened=pick((True, False)), level=0 if called is None else pick((1, 1, 2, 3)), silenced=pick((True, False, False)),
            verdict=pick((None, None, "noise", "useful", "duplicate")) if ended else None,
            **(by | closer | {"ending": ending, "fixed_by": self.runs[-1].id if ending == "fixed" else None}),
        )

    def run(self, number: int, fixes: bool) -> Any:
        return run(
            number, self.instant(), mode="automatic" if fixes else self.chance.choice(("manual", "click", "automatic")),
            state="succeeded" if fixes else self.chance.choice(("succeeded", "failed", "cancelled", "running")),
            purpose="fix" if fixes else self.chance.choice(("fix", "fix", "proof")), undone=self.chance.random() < 0.2,
            relapsed_at=self.chance.choice((None, None, self.month.end)), runbook=self.chance.choice(("one", "two")),
        )

    def page(self) -> Any:
        person = self.chance.choice([*PEOPLE])
        return page(
            self.chance.choice((None, 1, 2, 3, 4, 5)), self.instant(), person, organisation=PEOPLE[person],
            medium=self.chance.choice(("mention", "sms", "mailto")),
            state=self.chance.choice(("sent", "seen", "failed", "held_back")),
        )

    def slots(self) -> list[Slot]:
        days = int((self.month.end - self.month.start) / DAY)
        edges = [self.month.start + place * DAY for place in range(days)] + [self.month.end]
        found = []
        for start, end in pairwise(edges):
            for role in ("primary", "secondary"):
                person = self.chance.choice((*PEOPLE, None))
                side = PEOPLE.get(person or "", "padok")
                found.append(Slot("platform", side, "team", role, self.chance.choice(("active", "on_call")), person, start, end,
                                  self.chance.random() < 0.9))
        return found

    def handoff(self) -> Handoff:
        boundary = at(self.instant(2))
        taken = boundary + timedelta(minutes=self.chance.uniform(-20, 60)) if self.chance.random() < 0.7 else None
        state = "accepted" if taken else self.chance.choice(("missed", "submitted"))
        return Handoff("platform", boundary, self.chance.choice(("to_partner", "to_own")), "a", "b", state, None, None,
                       "lea" if taken else None, taken, bool(taken) and self.chance.random() < 0.5, self.chance.randint(0, 3), 4)

    def work(self) -> Intervention:
        start = at(self.instant())
        person = self.chance.choice([*PEOPLE])
        return Intervention(person, PEOPLE[person], 1, start, start + timedelta(minutes=self.chance.uniform(1, 90)), True)

    def told(self, number: int) -> Told:
        kind = self.chance.choice((
            "rule breached", "rule waived", "rest moved", "held back", "glass broken", "call missing", "runbook promoted",
            "runbook demoted", "automation stopped"))
        about = "runbook:one" if kind.startswith(("runbook", "automation")) else f"alert:{number}"
        return Told(number, at(self.instant()), "alice", "bridge", kind, about, "done", {"rung": "click"})

    def silence(self, number: int) -> Silence:
        start = at(self.instant()) - self.chance.uniform(0, 60) * DAY
        end = self.chance.choice((None, start + 3 * DAY))
        return Silence(number, "pay-api", "alice", "works", start, end, self.chance.randint(0, 4))

    def decision(self, number: int) -> Decision:
        state = self.chance.choice(("open", "open", "done", "dropped"))
        made = self.month.start - self.chance.uniform(-20, 60) * DAY
        due = self.chance.choice((None, self.month.start.date(), date(2027, 1, 1)))
        ended = self.month.start + self.chance.uniform(-20, 20) * DAY if state != "open" else None
        return Decision(
            number, self.chance.choice((self.month.previous(), self.month.name)), f"number {number}", "tune", "lea", "padok", due,
            "marie", made, pattern=self.chance.choice((None, *PATTERNS)), state=state, ended_at=ended, days_before=30,
            groups_before=9, days_after=self.chance.choice((3, 20)), groups_after=2,
        )

    def incident(self, number: int) -> Incident:
        began = at(self.instant()) - self.chance.choice((0, 0, 0, 40)) * DAY
        ended = began + timedelta(hours=self.chance.uniform(0.1, 5))
        notices = [Notice(kind, began + timedelta(hours=4), self.chance.choice((None, began + timedelta(hours=3))))
                   for kind in self.chance.choice(((), ("initial",), ("initial", "bank_api")))]
        return Incident(
            number, f"incident {number}", "pay-api", self.chance.choice(("outage", "degraded", "bank_api_down", "security")),
            began, began, "alice", began, ended, self.chance.choice((None, "disk", "dns")), None, self.chance.random() < 0.2,
            (Impact("pay-api", began, ended),), (number,), self.chance.choice((None, True, False)), (), None, notices,
        )

    def facts(self) -> Facts:
        some = self.chance.randint
        groups = [self.group(number) for number in range(1, self.chance.choice((4, 60, 200)))]
        config = example()
        start = self.month.start + 3 * DAY
        agreed = Agreed(services=("ledger",), start=start, end=start + DAY / 12, reason="disks", agreed_by=("marie", "ines"))
        told = config.month.model_copy(update={"service_levels": LEVELS, "maintenance": (agreed,)})
        return Facts(
            self.month, config.model_copy(update={"month": told}), groups,
            carried=[group(900, f"{self.month.local(self.month.start - DAY):%Y-%m-%d %H:%M}", resolved_min=4000)],
            drills=[group(901, self.instant())], maintained=[group(902, self.instant(), service="ledger")],
            runs=self.runs, pages=[self.page() for _ in range(some(0, 80))], told=[self.told(n) for n in range(some(0, 40))],
            silences=[self.silence(n) for n in range(some(0, 6))], slots=self.slots(),
            handoffs=[self.handoff() for _ in range(some(0, 30))], interventions=[self.work() for _ in range(some(0, 9))],
            sources=[Source("bridge-generic", "generic", "bridge", "Scripts", 40, 10, at(self.instant()), 9000.0, 3, 2)],
            decisions=[self.decision(n) for n in range(some(0, 9))], incidents=[self.incident(n) for n in range(some(0, 7))],
            maintenance=[Maintenance(agreed.services, agreed.start, agreed.end, "disks", agreed.agreed_by)],
            trail=Trail(9, True, "h", 9, masked={"bridge-generic": 3}, seals=4, days_sealed=7),
            volumes={self.month.previous(1): 30, self.month.previous(2): 0},
        )
