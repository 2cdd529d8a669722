"""What stands in for the world in a rehearsal: clock, Slack, telephones, steps; it remembers whom it would have reached."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any, NoReturn, cast
from zoneinfo import ZoneInfo

from bot.config import Config
from bot.config.catalogue import Catalogue
from bot.services.slack.drawing import Drawing, File
from runbooks.actions import Action, Errand, Failed, Look, Outcome, Place, State, World
from runbooks.model import Runbook
from runbooks.references import REFERENCE, references

ASSUMED, WOULD = "assumed to have worked", "would change {changes} ({name})"
LOOKED = "assumed to be well"
FAILS = "assumed to fail"
UNKNOWN = "assumed"
NO_WORLD = "in a rehearsal there is no cloud"
GLASS = "glass:call:"

MENTION = re.compile(r"<@([A-Z0-9]+)")
OUTPUT = re.compile(r"steps\.([^.]+)\.outputs\.(.+)")


class Hands:
    """A clock that stands where its hands are set."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


# --- whom it would have reached -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reached:
    """Somebody who would have been reached, and how."""

    at: datetime
    person: str
    how: str                    # mention, direct, telephone
    key: str                    # of the post, or the address


def sleeps(config: Config, person: str, at: datetime) -> bool:
    """Whether clocks show an hour of that person's blackout: worked out from the wall, apart from what is rehearsed."""
    side = config.organisations[config.people[person].organisation]
    if not side.blackout:
        return False
    first, last = (time.fromisoformat(each.replace("24:00", "00:00")) for each in side.blackout.split("-"))
    wall = at.astimezone(ZoneInfo(side.timezone)).time()
    return first <= wall < last if first < last else wall >= first or wall < last


class Slack:
    """Takes everything and shows it to nobody."""

    def __init__(self, config: Config, clock: Hands) -> None:
        self._clock, self._messages = clock, 0
        self._people = {each.slack: key for key, each in config.people.items()}
        self.reached: list[Reached] = []

    async def post(self, channel: str, drawing: Drawing, key: str, thread: str | None) -> str:
        if channel in self._people:
            self._reach(self._people[channel], "direct", key)
        for each in MENTION.findall(drawing.text + json.dumps(drawing.blocks, ensure_ascii=False)):
            if each in self._people:
                self._reach(self._people[each], "mention", key)
        self._messages += 1
        return f"{self._messages}.000000"

    async def update(self, channel: str, ts: str, drawing: Drawing) -> None:
        """An edited message calls nobody."""

    async def find(self, channel: str, key: str, thread: str | None, oldest: float) -> str | None:
        return None

    async def upload(self, channel: str, thread: str | None, file: File, comment: str) -> str:
        self._messages += 1
        return f"F{self._messages}"

    async def find_file(self, channel: str, thread: str | None, title: str, oldest: float) -> str | None:
        return None

    def _reach(self, person: str, how: str, key: str) -> None:
        found = Reached(self._clock.now(), person, how, key)
        if found not in self.reached:
            self.reached.append(found)


class Phones:
    """Every contact rings here; whose it is stands in its address."""

    def __init__(self, config: Config, clock: Hands) -> None:
        self._clock, self.reached = clock, list[Reached]()
        self._whose = {address: key for key, each in config.people.items() for address in each.contacts}

    def address(self, contact: str) -> str:
        return f"telephone:{contact}"

    def ring(self, address: str, title: str, text: str) -> None:
        person = self._whose.get(address.removeprefix("telephone:"))
        if person is not None:
            self.reached.append(Reached(self._clock.now(), person, "telephone", address))


# --- steps ----------------------------------------------------------------------------------------------------------------------


class NoWorlds:
    """No cloud behind it: whoever asks for a client is refused."""

    def __init__(self, config: Config) -> None:
        self._aws = config.aws

    @property
    def place(self) -> Place:
        return Place(self._aws.account, self._aws.region) if self._aws else Place("000000000000", "eu-west-3")

    def world(self, errand: Errand) -> World:
        return cast(World, Nowhere())

    def secret(self, reference: str) -> str:
        return UNKNOWN


class Nowhere:
    """What assumed steps are given, and never look at."""

    def __getattr__(self, name: str) -> NoReturn:
        raise Failed(NO_WORLD)


class Assumed(Action[Any]):
    """Put before an action's own class: the same name, parameters and rights, and answers that are taken for granted."""

    works = True
    given: State = {}

    def resources(self, params: Any, before: State, place: Place) -> tuple[str, ...]:
        return ()

    def before(self, world: World, params: Any) -> State:
        return {}

    def plan(self, params: Any, before: State) -> str:
        return WOULD.format(changes=self.changes or "nothing", name=self.name)

    def act(self, world: World, params: Any, before: State) -> Outcome:
        if self.mutates and not self.works:
            raise Failed(FAILS)
        return Outcome(ASSUMED, self.given)

    def look(self, world: World, params: Any, before: State, outputs: State) -> Look:
        return Look("done", ASSUMED if self.mutates else LOOKED, self.given)

    def undo(self, world: World, params: Any, before: State, outputs: State) -> Outcome:
        return Outcome(ASSUMED)

    def undone(self, world: World, params: Any, before: State, outputs: State) -> Look:
        return Look("done", ASSUMED)


def assumed(book: Catalogue, works: bool) -> Catalogue:
    """Today's runbooks, with steps that touch nothing."""
    found: dict[str, dict[str, Any]] = {}
    for entry in book.entries.values():
        for action, name, value in _wanted(entry.runbook, book.actions):
            found.setdefault(action, {})[name] = value
    return replace(book, actions={
        name: _double(action, works, found.get(name, {})) for name, action in book.actions.items()})


def _double(action: Action[Any], works: bool, given: Mapping[str, Any]) -> Action[Any]:
    own = type(action)
    made = type(own.__name__, (Assumed, own), {"__doc__": own.__doc__, "works": works, "given": dict(given)})
    double: Action[Any] = object.__new__(made)
    vars(double).update(vars(action))
    return double


def _wanted(runbook: Runbook, actions: Mapping[str, Action[Any]]) -> Iterator[tuple[str, str, Any]]:
    """What later steps want to know of earlier ones: of which action, which output, and a value that fits there."""
    uses = {each.name: each.uses for each in runbook.steps}
    for step in (*runbook.steps, *runbook.verify):
        example = actions[step.uses].example if step.uses in actions else {}
        for name, content in step.with_.items():
            whole = isinstance(content, str) and REFERENCE.fullmatch(content.strip()) is not None
            for reference in references(content):
                if (found := OUTPUT.fullmatch(reference)) and found[1] in uses:
                    yield uses[found[1]], found[2], example.get(name, UNKNOWN) if whole else UNKNOWN
