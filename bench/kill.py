"""kill -9 in the middle of the storm, while the cards go out, and in the middle of runs: what is lost, what is doubled?"""

import time
from collections import Counter
from typing import Any

from bench import events
from bench.databases import Database, count, deliveries
from bench.killing import kill_runs, yard
from bench.scale import Scale
from bench.stage import House, Stage, house

FAST = 0.01              # seconds between posts, and no limit in Slack: so that all cards go out while we look
TURNS = 5                # events an alert
WAIT_S = 60.0
DELIVERY_KILLS = 3       # further deaths, while only the courier works


def run(stage: Stage, database: Database, scale: Scale) -> dict[str, Any]:
    storm = events.storm("kill", scale.killed_alerts * TURNS * 10, scale.killed_alerts)
    with house(stage, database, served=FAST, slack_pace=0.0) as home:
        answering = stage.sending(home.orders(storm, insist=True))
        _wait_for(lambda: count(home.url, "signal") >= len(storm) // 2)
        home.app.kill()
        home.restart()
        answers = answering.result()
        _kill_while_delivering(home)
        _wait_for(lambda: count(home.url, "post", "due_at IS NOT NULL AND kind = 'card'") == 0)
        held, shown = deliveries(home.url), Counter(home.slack.cards())
        alerts = count(home.url, "alert")
    promised = {f"bridge-generic:kill/{each.number}:" for each in answers if each.ok}
    kept = {key for key in promised if key in held}
    cards = {key: times for key, times in shown.items() if key.startswith("card:")}
    return {
        "answered_2xx": len(promised), "lost": len(promised - kept), "broken": sum(not each.ok for each in answers),
        "alerts": alerts, "cards_missing": alerts - len(cards), "cards_doubled": sum(n > 1 for n in cards.values()),
        "kills": 1 + DELIVERY_KILLS, "runs": _kill_runs(stage, database, scale),
    }


def _kill_runs(stage: Stage, database: Database, scale: Scale) -> dict[str, Any]:
    """On PostgreSQL two work: when one dies the other goes on."""
    url, folder = database.fresh(), stage.folder / f"runs-{time.time_ns()}"
    folder.mkdir()
    with yard(folder, url, workers=1 if url.startswith("sqlite") else 2) as made:
        return kill_runs(made, scale.killed_runs)


def _kill_while_delivering(home: House) -> None:
    """Alerts that recover or appear keep the courier busy; each death comes somewhere between two posts."""
    for number in range(DELIVERY_KILLS):
        fresh = events.storm(f"more-{number}", 20, 20)
        home.stage.send(home.orders(fresh))
        time.sleep(0.1 + 0.13 * number)
        home.app.kill()
        home.restart()


def _wait_for(ready: Any) -> None:
    deadline = time.monotonic() + WAIT_S
    while not ready() and time.monotonic() < deadline:
        time.sleep(0.05)
