"""The storm: thousands of events on sixteen connections, beside the floor of the same minute."""

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

from bench import events
from bench.databases import Database, count
from bench.processes import Usage
from bench.scale import Scale
from bench.sending import Answer, Orders, percentile
from bench.stage import House, Stage, floor, house

AFTER_S = 8.0            # how long we look on after the storm
HANG_S, MANY = 60.0, 1_000_000



@dataclass(frozen=True, slots=True)
class Intake:
    """How a storm was answered."""

    events: int
    taken: int
    per_second: float
    p50_ms: float
    p99_ms: float


def summary(answers: Sequence[Answer]) -> Intake:
    taken = [each for each in answers if each.ok]
    seconds = max(each.answered for each in answers) - min(each.sent for each in answers)
    times = [each.ms for each in taken]
    return Intake(len(answers), len(taken), len(taken) / seconds, percentile(times, 0.5), percentile(times, 0.99))


def median(runs: Sequence[Intake]) -> dict[str, Any]:
    """The middle of several runs, field by field, and each run's rate."""
    middle = {name: statistics.median(asdict(each)[name] for each in runs) for name in Intake.__slots__}
    return {**middle, "runs_per_second": [round(each.per_second) for each in runs]}


def run(stage: Stage, database: Database, scale: Scale) -> dict[str, Any]:
    """Floors and storms in turn, so that all see the same machine; then the storm in which Slack does not help."""
    bare, floors, storms, rounds = [], [], [], []
    for number in range(scale.rounds):
        bare.append(_floor(stage, "none", scale))
        floors.append(_floor(stage, database.fresh(migrated=False), scale))
        with house(stage, database) as home:
            one, seen = _storm(home, f"storm-{number}", scale)
        storms.append(one)
        rounds.append(seen)
    found = median(storms)
    beside = {"floor": median(floors), "floor_without_store": median(bare)}
    share = found["per_second"] / beside["floor"]["per_second"]
    return {**found, **beside, "share_of_floor": share, **rounds[-1], "trouble": troubles(stage, database, scale)}


def _floor(stage: Stage, url: str, scale: Scale) -> Intake:
    with floor(stage, url) as port:
        stage.send(Orders(port, events.warming()))
        return summary(stage.send(Orders(port, events.storm("floor", scale.events, scale.alerts))))


def _storm(home: House, name: str, scale: Scale) -> tuple[Intake, dict[str, Any]]:
    home.stage.send(home.orders(events.warming()))
    before, server = home.app.usage(), home.database.usage()
    answers = home.stage.send(home.orders(events.storm(name, scale.events, scale.alerts)))
    after, server_after = home.app.usage(), home.database.usage()
    time.sleep(AFTER_S)
    seen = {
        "cpu_s": after.cpu - before.cpu, "database_cpu_s": server_after.cpu - server.cpu,
        "app_cpu_ms_per_event": (after.cpu - before.cpu) / len(answers) * 1000,
        **_memory(after, server_after), **_told(home, answers, name),
    }
    return summary(answers), seen


def _memory(app: Usage, server: Usage) -> dict[str, float]:
    return {"resident_mb": app.resident, "proportional_mb": app.proportional, "database_mb": server.proportional}


def _told(home: House, answers: Sequence[Answer], name: str) -> dict[str, Any]:
    """What Slack heard of the storm, and what is still to come."""
    began = min(each.answered for each in answers)
    posts = [call for call in home.slack.calls("chat.postMessage") if call.status == 200 and name in call.text]
    alerts = count(home.url, "alert", "title LIKE :title", title=f"{name}-%")
    planned = count(home.url, "post", "kind = 'card'") / max(1, count(home.url, "alert"))
    return {
        "alerts": alerts, "signals": count(home.url, "signal", "delivery LIKE :key", key=f"%:{name}/%"),
        "first_message_s": min((call.at for call in posts), default=0.0) - began if posts else None,
        "messages_so_far": len(posts), "cards_per_alert": planned,
        "refused_by_slack": sum(call.status == 429 for call in home.slack.calls()),
    }


def troubles(stage: Stage, database: Database, scale: Scale) -> dict[str, Any]:
    """Slack hangs, or refuses everything with 429: intake must not notice."""
    return {
        "slack_hangs": _troubled(lambda: house(stage, database), scale, hang=HANG_S),
        "slack_refuses": _troubled(lambda: house(stage, database), scale, storm_429=MANY),
        "sns": _troubled(lambda: house(stage, database, served=1.0), scale, requests=events.sns_storm),
    }


def _troubled(
    make: Callable[[], AbstractContextManager[House]],
    scale: Scale,
    requests: Callable[[str, int, int], list[bytes]] = events.storm,
    **faults: Any,
) -> dict[str, Any]:
    with make() as home:
        home.slack.plant(**faults)
        home.stage.send(home.orders(events.warming()))
        answers = home.stage.send(home.orders(requests("trouble", scale.events, scale.alerts)))
    return {**asdict(summary(answers)), "ended_s": home.ended_s}
