"""What `vigie serve` weighs: at its start, and after one storm after the other."""

import time
from dataclasses import asdict
from typing import Any

from bench import events
from bench.databases import Database
from bench.scale import Scale
from bench.stage import Stage, house

SETTLE_S = 2.0


def run(stage: Stage, database: Database, scale: Scale) -> dict[str, Any]:
    """Every storm brings alerts of its own, so that whatever is kept for each would be seen."""
    with house(stage, database) as home:
        time.sleep(SETTLE_S)
        steps = [asdict(home.app.usage())]
        for number in range(scale.storms_in_a_row):
            stage.send(home.orders(events.storm(f"weigh-{number}", scale.events, scale.alerts)))
            time.sleep(SETTLE_S)
            steps.append(asdict(home.app.usage()))
    resident = [each["resident"] for each in steps]
    return {
        "start_mb": resident[0], "after_first_storm_mb": resident[1], "after_last_storm_mb": resident[-1],
        "proportional_mb": steps[-1]["proportional"], "storms": scale.storms_in_a_row, "resident_mb": resident,
    }
