"""People who act in the soak's Slack: they read a channel, then click on a card or type a command."""

import json
import random
import threading
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

PEOPLE = {"U0ALICE001": "alice", "U0BRUNO001": "bruno", "U0PAUL0001": "paul"}
GAP_S = 3.0                 # between two acts of one person
RECENT = 40                 # how far back they read
ACTS = {"click": 4, "ack": 3, "note": 2, "close": 1}
REASON = "planned maintenance"
ANSWER_S = 15.0


@dataclass(frozen=True, slots=True)
class Card:
    """A message that can be acted on, the alert that it shows, and the button that takes it, if it has one."""

    ts: str
    alert: str
    take: dict[str, str] | None


class Page:
    """Slack's window, as one person's browser speaks with it."""

    def __init__(self, url: str, person: str) -> None:
        self.url, self.person = url, person

    def messages(self, channel: str) -> list[dict[str, Any]]:
        asked = urllib.parse.urlencode({"as": self.person, "channel": channel})
        with urllib.request.urlopen(f"{self.url}/page/messages?{asked}", timeout=ANSWER_S) as answer:
            found: list[dict[str, Any]] = json.load(answer)["messages"]
            return found

    def whispers(self, channel: str) -> list[str]:
        """What only this person sees."""
        return [each["text"] for each in self.messages(channel) if each["ephemeral"]]

    def do(self, act: str, **given: Any) -> bool:
        """False when Slack does not let them."""
        body = json.dumps({"as": self.person, **given}).encode()
        request = urllib.request.Request(f"{self.url}/page/{act}", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
            return bool(json.load(answer)["ok"])


class Person(threading.Thread):
    """Acts every few seconds until it is over."""

    def __init__(self, url: str, seed: int, person: str, channels: list[str], over: threading.Event) -> None:
        super().__init__(name=person, daemon=True)
        self.page, self.channels, self.over, self.acted = Page(url, person), channels, over, 0
        self.chance = random.Random(f"person {seed} {person}")

    def run(self) -> None:
        while not self.over.wait(self.chance.expovariate(1 / GAP_S)):
            try:
                self.acted += self._turn(self.chance.choice(self.channels))
            except (OSError, HTTPException):
                continue        # Slack's own window is slow: they try again later

    def _turn(self, channel: str) -> bool:
        """Whether there was something to do, and Slack let them."""
        cards = [card for each in self.page.messages(channel)[-RECENT:] if (card := _card(each))]
        return bool(cards) and self._act(channel, self.chance.choice(cards))

    def _act(self, channel: str, card: Card) -> bool:
        act, = self.chance.choices(list(ACTS), list(ACTS.values()))
        lines = {"note": f"{card.alert} {note(self.page.person, self.acted)}", "close": f"{card.alert} {REASON}"}
        if act == "click" and card.take:
            return self.page.do("click", channel=channel, ts=card.ts, **card.take)
        verb = "ack" if act == "click" else act
        return self.page.do("say", channel=channel, text=f"/vigie {verb} {lines.get(verb, card.alert)}")


def note(person: str, number: int) -> str:
    """Words that nobody else writes, and nobody twice."""
    return f"note {number} of {person}"


def _card(message: dict[str, Any]) -> Card | None:
    buttons = [
        (each, {"block_id": block["block_id"], "action_id": each["action_id"]})
        for block in message["blocks"] or [] if block["type"] == "actions"
        for each in block["elements"] if each["type"] == "button" and "value" in each
    ]
    if not buttons:
        return None
    take = next((where for each, where in buttons if each["action_id"] == "vigie:ack"), None)
    return Card(message["ts"], buttons[0][0]["value"], take)
