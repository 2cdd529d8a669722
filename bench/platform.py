"""A busy platform: checks that fire, repeat, recover and relapse; each word is sent until it is taken, as sources do."""

import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any

from bench import company

CHECKS, REPORTERS, WORDS_A_SECOND = 200, 4, 20.0
SERVICES = (*company.QUIET, *company.SERVICES[:12])
SEVERITIES = ("critical", "high", "warning", "info")
RECOVERS, COMES_BACK_SOON = 0.08, 0.5
SOON, LATER = 25, 450       # words of its reporter: some 5 s, and more than the probation
AGAIN_S, PATIENCE_S, ANSWER_S = 0.2, 120.0, 15.0
BROKEN, NOT_NOW = 0, 503


@dataclass
class Check:
    """One key: what it said last, and before which word of its reporter it says nothing."""

    key: str
    service: str
    severity: str
    firing: bool = False
    rests_until: int = 0

    @property
    def title(self) -> str:
        return f"{self.key}: too slow"


@dataclass
class Told:
    """What became of all words: `taken` were answered 2xx, `answers` counts all others by status."""

    taken: set[str] = field(default_factory=set)
    answers: Counter[int] = field(default_factory=Counter)
    given_up: int = 0


class Reporter(threading.Thread):
    """Tells of its checks in turn: of each one word after the other, so that the last one taken is the last one said."""

    def __init__(self, url: str, seed: int, number: int, over: threading.Event) -> None:
        super().__init__(name=f"reporter {number}", daemon=True)
        self.url, self.number, self.over, self.told = f"{url}/webhooks/generic/bridge-generic", number, over, Told()
        self.chance = random.Random(f"reporter {seed} {number}")
        self.checks = [_check(each) for each in range(number, CHECKS, REPORTERS)]

    def run(self) -> None:
        turn = 0
        while not self.over.is_set():
            self._insist(*self._word(turn))
            turn += 1
            self.over.wait(self.chance.expovariate(WORDS_A_SECOND / REPORTERS))

    def _word(self, turn: int) -> tuple[str, dict[str, Any]]:
        """The next delivery: its id, and what it says."""
        check = self.chance.choice([each for each in self.checks if each.rests_until <= turn])
        if check.firing and self.chance.random() < RECOVERS:
            check.firing = False
            check.rests_until = turn + (SOON if self.chance.random() < COMES_BACK_SOON else LATER)
        else:
            check.firing = True
        name = f"soak/{self.number}-{turn}"
        return name, {
            "id": name, "key": check.key, "state": "firing" if check.firing else "recovered", "severity": check.severity,
            "title": check.title, "service": check.service, "at": datetime.now(UTC).isoformat(),
            "summary": f"word {turn} of reporter {self.number}", "labels": {"env": "prod", "region": "eu-west-3"},
        }

    def _insist(self, name: str, said: dict[str, Any]) -> None:
        body, deadline = json.dumps(said).encode(), time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            status = post(self.url, body, {"Content-Type": "application/json", "X-Vigie-Secret": company.WEBHOOK_SECRET})
            if 200 <= status < 300:
                self.told.taken.add(name)
                return
            self.told.answers[status] += 1
            if status not in (BROKEN, NOT_NOW):     # refused for good: nobody would send it again
                return
            time.sleep(AGAIN_S)
        self.told.given_up += 1


def _check(number: int) -> Check:
    return Check(f"check-{number:03}", SERVICES[number % len(SERVICES)], SEVERITIES[number % len(SEVERITIES)])


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The status; 0 when nobody answers."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, dict(headers)), timeout=ANSWER_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code
    except (OSError, HTTPException):
        return BROKEN
