"""Invented months: signals that arrive one by one, and thousands of alerts as rows, odd ones among them."""

import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.config.catalogue import Catalogue
from bot.review.facts import Month
from bot.services.alert.arrivals import arrivals
from bot.services.alert.folding import Arrival
from bot.sources import Delivery, Signal
from bot.store.alerts import alert, signal
from bot.store.groups import alert_group
from bot.store.journal import journal
from bot.store.observations import observation
from bot.store.runs import run

MINUTE, PROBATION, HALF_HOUR = timedelta(minutes=1), timedelta(minutes=15), timedelta(minutes=30)
PEOPLE = {"alice": "bridge", "bruno": "bridge", "lea": "padok", "omar": "padok"}
FATES, ODDS = ("heals", "relapses", "fixed", "closed", "forced", "stays", "late"), (400, 100, 120, 120, 120, 2, 5)
CHECKS = [f"check-{first}{second}{third}" for first in "abcd" for second in "efghijklmn" for third in "opqrstuvwx"]


def arrival(config: Config, key: str, state: str, at: datetime, endpoint: str = "bridge-generic", **more: Any) -> Arrival:
    """One signal as it comes in through one of the example's doors."""
    delivery = Delivery(endpoint, config.endpoints[endpoint], b"{}", {}, at)
    plain: dict[str, Any] = {
        "key": key, "state": state, "severity": "high", "name": key, "title": key, "summary": "", "observer": "Scripts", "at": at,
    }
    made = Signal(**(plain | more))
    return arrivals(config, Catalogue(), delivery, f"{key}:{state}:{at.timestamp()}", "{}", [made])[0]


@dataclass
class Told:
    """One alert as it came about: what the journal has of it, and the row that it left."""

    id: int
    group: int
    row: dict[str, Any]
    entries: list[tuple[datetime, str, str, dict[str, Any]]] = field(default_factory=list)      # instant, actor, kind, details

    def says(self, at: datetime, actor: str, kind: str, **details: Any) -> None:
        self.entries.append((at, actor, kind, details))
        self.row["updated_at"] = at


@dataclass
class Invention:
    """Writes months of alerts: every fate that an alert can have, in the proportions of a bad year."""

    seed: int
    month: Month
    told: list[Told] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    busy: dict[str, datetime] = field(default_factory=dict)         # until when a check's alert is not closed

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def invent(self, many: int) -> None:
        """From two days before the month until two days after it; the edges of it and nights of clock changes twice as busy."""
        first, last = self.month.start - timedelta(days=2), self.month.end + timedelta(days=2)
        moments = sorted(self._moment(first, last) for _ in range(many))
        for at in moments:
            if len(self.told) < many:
                self._episode(at)
        self.told.sort(key=lambda each: (each.row["opened_at"], each.id))
        self._number()

    def _moment(self, first: datetime, last: datetime) -> datetime:
        edge = self.chance.choice((None, None, None, self.month.start, self.month.end))
        if edge is not None:
            return edge + timedelta(seconds=self.chance.randint(-7200, 7200))
        return first + timedelta(microseconds=self.chance.randrange(int((last - first) / timedelta(microseconds=1))))

    def _episode(self, at: datetime) -> None:
        tried = (CHECKS[min(self.chance.randrange(len(CHECKS)), self.chance.randrange(len(CHECKS)))] for _ in range(20))
        check = next((each for each in tried if self.busy.get(each, at) <= at), None)
        if check is None:
            return
        members = self.chance.choice((1, 1, 1, 1, 1, 1, 1, 1, 2, 3))
        end = self._fate(check, at, members)
        while end is not None and self.chance.random() < 0.2:      # it comes back: within half an hour, or just after
            again = end + self.chance.choice((16, 20, 29, 30, 31, 45, 70)) * MINUTE
            end = self._fate(check, max(again, self.busy[check] + MINUTE), 1)

    def _fate(self, check: str, at: datetime, members: int) -> datetime | None:
        """One group of alerts; its end, if it has one before it is closed by a person."""
        founder = len(self.told) + 1
        fate = self.chance.choices(FATES, ODDS)[0]
        group = [self._opened(check, at, founder, number) for number in range(members)]
        taken = self._take(group, at) if self.chance.random() < 0.6 else None
        end = self._end(group, fate, at + self.chance.randint(1, 40) * MINUTE, taken)
        last = max(each.row.get("closed_at") or datetime.max.replace(tzinfo=at.tzinfo) for each in group)
        for number in range(members):
            self.busy[_check(check, number)] = last
        return end

    def _opened(self, check: str, at: datetime, founder: int, number: int) -> Told:
        kind = CHECKS.index(check)
        labels = {"name": _check(check, number), "cluster": "prod", "instance": f"i-{self.chance.randrange(90)}"}
        labels |= {"drill": "yes"} if kind % 40 == 7 else {}
        opened = at + timedelta(seconds=20 * number)
        made = Told(len(self.told) + 1, founder, {
            "fingerprint": f"print-{_check(check, number)}", "state": "firing", "important": kind % 3 == 0,
            "severity": ("critical", "high", "warning")[kind % 3], "recognised": kind % 5 == 0,
            "service": ("pay-api", "ledger", "unknown")[kind % 3], "organisation": "bridge", "summary": "", "relapses": 0,
            "title": f"{_check(check, number)} is slow", "labels": json.dumps(labels), "since": opened, "opened_at": opened,
            "signals": self.chance.randint(1, 6), "runbook": "queue-backlog" if kind % 5 == 0 else None,
        })
        rule = 'rule "slow things" (vigie.yaml, line 3)' if kind % 6 == 2 else "no rule of vigie.yaml matches it"
        made.says(opened, "observer:Scripts", "alert opened", severity=made.row["severity"], why=[rule])
        self.told.append(made)
        return made

    def _take(self, group: list[Told], at: datetime) -> datetime:
        """A person takes it, perhaps gives up, and another one does."""
        moment = at + timedelta(seconds=self.chance.randint(61, 4000))
        for each in group:
            each.says(moment, self.chance.choice(tuple(PEOPLE)), "alert acked")
        if self.chance.random() < 0.1:
            for each in group:
                each.says(moment + MINUTE, "vigie", "ack lapsed", who="alice")
                each.says(moment + 2 * MINUTE, self.chance.choice(tuple(PEOPLE)), "alert acked")
        return moment

    def _end(self, group: list[Told], fate: str, at: datetime, taken: datetime | None) -> datetime | None:
        if fate == "stays":
            return None
        if fate == "late":
            at = self.month.cut_off + timedelta(hours=self.chance.randint(-3, 30))
        if fate == "forced":
            self._close(group, max(at, taken or at), self.chance.choice(tuple(PEOPLE)), "person", forced=True)
            return None
        self._recover(group, at)
        if fate == "relapses":
            for each in group:
                each.says(at + 2 * MINUTE, "observer:Scripts", "alert relapsed")
                each.row |= {"relapses": each.row["relapses"] + 1, "recovered_at": None}
            at += 9 * MINUTE
            self._recover(group, at)
        if fate == "fixed":
            self.runs.append(_run(len(self.runs) + 1, group[0], at))
            for each in group:
                each.row["fixed_by"] = len(self.runs)
        person = self.chance.choice(tuple(PEOPLE)) if fate == "closed" else "vigie"
        ending = {"closed": "person", "fixed": "fixed"}.get(fate, "healed")
        self._close(group, at + (5 * MINUTE if fate == "closed" else PROBATION), person, ending)
        return at

    def _recover(self, group: list[Told], at: datetime) -> None:
        for each in group:
            each.says(at, "observer:Scripts", "alert recovered")
            each.row["recovered_at"] = at

    def _close(self, group: list[Told], at: datetime, actor: str, ending: str, forced: bool = False) -> None:
        for each in group:
            each.says(at, actor, "alert closed", **({"reason": "enough"} if forced or ending == "person" else {"ending": ending}))
            each.row |= {"state": "closed", "closed_at": at, "closed_by": actor, "ending": ending}

    def _number(self) -> None:
        """Numbers in the order of opening, as a database gives them."""
        new = {each.id: number for number, each in enumerate(self.told, 1)}
        for each in self.told:
            each.id, each.group = new[each.id], new[each.group]
        for one in self.runs:
            one["alert_id"], one["group_id"] = new[one["alert_id"]], new[one["group_id"]]

    def write(self, engine: sa.Engine) -> None:
        """All of it into an empty database."""
        with engine.begin() as connection:
            columns = dict.fromkeys(("recovered_at", "closed_at", "closed_by", "ending", "fixed_by", "runbook"))
            connection.execute(alert.insert(), [
                columns | each.row | {"id": each.id, "group_id": each.group, **_acked(each)} for each in self.told
            ])
            connection.execute(alert_group.insert(), list(self._groups()))
            connection.execute(observation.insert(), [_observed(each) for each in self.told])
            connection.execute(signal.insert(), [row for each in self.told for row in _signals(each)])
            if self.runs:
                connection.execute(run.insert(), self.runs)
            entries = sorted(
                ((at, each.id, actor, kind, details) for each in self.told for at, actor, kind, details in each.entries),
                key=lambda one: one[:2],
            )
            connection.execute(journal.insert(), [
                {"at": at, "actor": actor, "organisation": PEOPLE.get(actor, "bridge"), "kind": kind, "object": f"alert:{number}",
                 "outcome": "done", "origin": "invented", "details": json.dumps(details)}
                for at, number, actor, kind, details in entries
            ])

    def _groups(self) -> Any:
        members: dict[int, list[Told]] = {}
        for each in self.told:
            members.setdefault(each.group, []).append(each)
        for number, some in members.items():
            closed = [each.row.get("closed_at") for each in some]
            yield {
                "id": number, "service": some[0].row["service"], "channel": "C0ALERTS01", "opened_at": some[0].row["opened_at"],
                "closed_at": None if None in closed else max(closed), "symptom": None,
            }


def _check(check: str, number: int) -> str:
    return check if number == 0 else f"{check}-{'abc'[number]}"


def _acked(told: Told) -> dict[str, Any]:
    """Who has it, as the row says: the last word only."""
    by, at = None, None
    for moment, actor, kind, _ in told.entries:
        if kind == "alert acked":
            by, at = actor, moment
        elif kind in ("alert relapsed", "ack lapsed"):
            by, at = None, None
    return {"acked_by": by, "acked_at": at}


def _observed(told: Told) -> dict[str, Any]:
    return {"alert_id": told.id, "observer": "Scripts", "source": "generic", "endpoint": "bridge-generic", "state": "firing",
            "organisation": "bridge", "at": told.row["opened_at"]}


def _signals(told: Told) -> list[dict[str, Any]]:
    """One a second, the last long before anything else happens."""
    return [
        {"delivery": f"{told.id}:{number}", "received_at": told.row["opened_at"] + timedelta(seconds=number),
         "at": told.row["opened_at"], "source": "generic", "endpoint": "bridge-generic", "organisation": "bridge",
         "observer": "Scripts", "fingerprint": told.row["fingerprint"], "state": "firing", "severity": "high",
         "title": told.row["title"], "body": "{}", "alert_id": told.id}
        for number in range(told.row["signals"])
    ]


def _run(number: int, told: Told, at: datetime) -> dict[str, Any]:
    return {
        "id": number, "runbook": "queue-backlog", "title": "Queue backlog", "version": "1", "definition": "{}",
        "parameters": "{}", "purpose": "fix", "mode": "automatic", "alert_id": told.id, "group_id": told.group,
        "service": told.row["service"], "target": told.row["service"], "channel": "C0ALERTS01", "state": "succeeded",
        "actor": "vigie", "organisation": "vigie", "origin": "tick", "config_version": "1", "position": 1,
        "begun_at": at - MINUTE, "ended_at": at, "busy": False, "leg": 1,
    }
