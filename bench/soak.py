"""An hour of a busy platform in bad weather: Slack fails in every way, Vigie is killed and stopped; what is lost?"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bench.databases import Database
from bench.people import PEOPLE, Person
from bench.platform import REPORTERS, Reporter
from bench.processes import END_S, Process
from bench.reckoning import reckon, unsettled
from bench.stage import House, Stage, house
from bench.weather import CALM, KILL, Moment, forecast
from bot.config import Config, load_config

SPEED = 10.0            # courier and Slack's limits: an hour holds the messages of ten, and what is late is soon made good
PROBATION_MIN = 1       # so that alerts also close by themselves
SETTLE_S = 300.0
NOTHING = (             # what is lost; each must be 0
    "lost", "refused", "given_up", "states_wrong", "miscounted", "doubled", "missing", "stale", "posts_stuck", "lanes_stuck",
    "works_stuck", "attempts_left", "notes_doubled", "unwritten", "journal_faults", "unsealed", "died_unasked", "deaf_to_sigterm",
    "tracebacks",
)
TOLD = "  {minutes:02.0f}:{seconds:02.0f} {moment}\n"
UNASKED = "Vigie ended by itself:\n{log}\n"
TRACEBACK = "A traceback of Vigie:\n{lines}\n"


@dataclass
class Lives:
    """Vigie's lives in one soak: how they ended, and what the present one weighed."""

    home: House
    logs: list[Path] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    slowest_stop_s: float = 0.0
    died_unasked: int = 0

    def __post_init__(self) -> None:
        self.logs.append(self.home.app.log)

    def meet(self, moment: Moment) -> None:
        """What this moment brings."""
        if self.home.app.popen.poll() is not None:
            self.died_unasked += 1
            sys.stderr.write(UNASKED.format(log=self.home.app.log.read_text()[-2000:]))
            self._come_back()
        if moment.faults:
            self.home.slack.plant(**moment.faults)
        if moment.death:
            self._end(self.home.app, moment.death)
            time.sleep(moment.away_s)
            self._come_back()
        self.weights.append(self.home.app.usage().resident)

    def _end(self, app: Process, death: str) -> None:
        if death == KILL:
            app.kill()
        else:
            self.slowest_stop_s = max(self.slowest_stop_s, app.end())
        self.ends.append(death)

    def _come_back(self) -> None:
        self.home.restart()
        self.logs.append(self.home.app.log)
        self.weights.clear()

    def figures(self) -> dict[str, Any]:
        last = self.home.app.usage().resident
        return {
            "kills": self.ends.count(KILL), "stops": len(self.ends) - self.ends.count(KILL),
            "slowest_stop_s": self.slowest_stop_s, "deaf_to_sigterm": int(self.slowest_stop_s >= END_S),
            "died_unasked": self.died_unasked, "tracebacks": sum(map(_tracebacks, self.logs)),
            "memory_start_mb": self.weights[0] if self.weights else last, "memory_end_mb": last,
        }


def run(stage: Stage, database: Database, minutes: float, seed: int) -> dict[str, Any]:
    """The soak on one database; the figures, with those of NOTHING among them."""
    config = _calm_soon(stage.config)
    with house(stage, database, served=1 / SPEED, slack_pace=SPEED) as home:
        lives, began = Lives(home), time.monotonic()
        with _busy(home, config, seed) as (reporters, people):
            for moment in forecast(seed, minutes * 60):
                time.sleep(max(0.0, began + moment.at_s - time.monotonic()))
                _tell(moment.at_s, moment)
                lives.meet(moment)
            time.sleep(max(0.0, began + minutes * 60 - time.monotonic()))
        lives.meet(Moment(minutes * 60, CALM))
        figures = {"people_acted": sum(each.acted for each in people), **lives.figures()}
        return _settled(lambda: {**reckon(home, config, reporters), **figures}, home.url)


def lost(found: dict[str, Any]) -> dict[str, int]:
    """What should be nothing and is not."""
    return {name: found[name] for name in NOTHING if found[name]}


@contextmanager
def _busy(home: House, config: Config, seed: int) -> Iterator[tuple[list[Reporter], list[Person]]]:
    """A platform and its people; at the end each finishes what was begun."""
    over, port = threading.Event(), home.port
    reporters = [Reporter(f"http://127.0.0.1:{port}", seed, number, over) for number in range(REPORTERS)]
    channels = [name for key, name in config.channels.items() if key != config.review_channel]
    people = [Person(home.slack.url, seed, person, channels, over) for person in PEOPLE]
    crowd: list[threading.Thread] = [*reporters, *people]
    for each in crowd:
        each.start()
    try:
        yield reporters, people
    finally:
        over.set()
        for each in crowd:
            each.join()


def _calm_soon(path: Path) -> Config:
    """The bench's company with a short probation."""
    yaml = YAML()
    document = yaml.load(path.read_text())
    document["probation"]["minutes"] = PROBATION_MIN
    yaml.dump(document, path)
    return load_config(path)


def _settled(reckoned: Callable[[], dict[str, Any]], url: str) -> dict[str, Any]:
    """The figures once nothing waits any more. What began between the two looks is not lost: it is looked at again."""
    began = time.monotonic()
    while True:
        in_time = time.monotonic() < began + SETTLE_S
        if not in_time or not unsettled(url):
            found = {**reckoned(), "settled_after_s": time.monotonic() - began}
            if not in_time or not lost(found):
                return found
        time.sleep(0.5)


def _tracebacks(log: Path) -> int:
    lines = [line for line in log.read_text(errors="replace").splitlines() if "Traceback" in line]
    if lines:
        sys.stderr.write(TRACEBACK.format(lines=lines[0][-3000:]))
    return len(lines)


def _tell(at_s: float, moment: Moment) -> None:
    sys.stderr.write(TOLD.format(minutes=at_s // 60, seconds=at_s % 60, moment=moment))
    sys.stderr.flush()
