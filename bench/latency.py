"""How long one waits: a lone alert until Slack shows it, a slash command until it is answered, quiet and in a storm."""

import time
from collections.abc import Sequence
from typing import Any

from bench import events
from bench.databases import Database
from bench.scale import Scale
from bench.sending import Answer, percentile
from bench.stage import House, Stage, house

LONE_GAP_S = 0.37        # eight channels in turn: none sees two alerts within three seconds
COMMAND_GAP_S = 0.03
LAST_S = 3.0             # how long we wait for the last lone alert in Slack


def run(stage: Stage, database: Database, scale: Scale) -> dict[str, Any]:
    with house(stage, database) as home:
        stage.send(home.orders(events.warming()))
        time.sleep(LAST_S)
        lone = _lone(home, scale)
        quiet = _commands(home, scale)
        busy = _in_storm(home, scale)
    return {"lone_alert": lone, "command_quiet": quiet, "command_in_storm": busy}


def _lone(home: House, scale: Scale) -> dict[str, Any]:
    """From the 2xx to the workspace's log of chat.postMessage."""
    requests = [events.lone(number) for number in range(scale.lone)]
    answers = home.stage.send(home.orders(requests, connections=1, gap_s=LONE_GAP_S))
    time.sleep(LAST_S)
    shown: dict[str, float] = {}
    for call in home.slack.calls("chat.postMessage"):
        for number in range(scale.lone):
            if events.lone_key(number) in call.text and call.status == 200:
                shown.setdefault(events.lone_key(number), call.at)
    found = [(shown[key] - each.answered) * 1000 for each in answers if (key := events.lone_key(each.number)) in shown]
    return {**_spread(found), "never_shown": scale.lone - len(found)}


def _commands(home: House, scale: Scale) -> dict[str, Any]:
    return _answered(home.stage.send(_command_orders(home, scale.commands)))


def _in_storm(home: House, scale: Scale) -> dict[str, Any]:
    """Only commands that were sent while the storm went on count."""
    storm = home.stage.sending(home.orders(events.storm("commands", scale.events, scale.alerts)))
    commands = home.stage.sending(_command_orders(home, scale.commands))
    last = max(each.answered for each in storm.result())
    return _answered([each for each in commands.result() if each.sent <= last])


def _command_orders(home: House, number: int) -> Any:
    return home.orders([events.command("status")] * number, connections=1, gap_s=COMMAND_GAP_S)


def _answered(answers: Sequence[Answer]) -> dict[str, Any]:
    return {**_spread([each.ms for each in answers if each.ok]), "refused": sum(not each.ok for each in answers)}


def _spread(milliseconds: Sequence[float]) -> dict[str, Any]:
    return {
        "n": len(milliseconds), "p50_ms": percentile(milliseconds, 0.5), "p99_ms": percentile(milliseconds, 0.99),
        "worst_ms": max(milliseconds, default=0.0),
    }
