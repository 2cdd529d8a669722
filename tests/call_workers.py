"""A worker of its own that only escalates, and may be killed in the middle: python -m tests.call_workers URL POINT N."""

import os
import signal
import sys
import time
from datetime import timedelta

from bot.config import Config
from bot.ports import SystemClock, SystemIds
from bot.services.call import escalation
from bot.services.desk import Desk
from bot.store.db import create_engine
from tests.config_stage import example
from tests.fakes import KillAt, Killed

GAP_S = 0.3


def hasty() -> Config:
    """The example, in which nobody sleeps and nobody is waited for long."""
    given = example().model_dump()
    for each in given["organisations"].values():
        each["blackout"] = None
    for n, name in enumerate(("secondary_after", "lead_after", "other_side_after", "fallback_after"), 1):
        given["coverages"]["platform"]["paging"][name] = timedelta(seconds=GAP_S * n)
    given["coverages"]["platform"]["paging"]["again_every"] = timedelta(minutes=5)
    return Config.model_validate(given)


def work(url: str, point: str, passing: int) -> None:
    """Until it is killed; by itself, when a point is named."""
    kill = KillAt(point, passing) if point != "-" else lambda name: None
    desk = Desk(create_engine(url), hasty(), SystemClock(), SystemIds(), kill)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        try:
            escalation.act(desk)
        except Killed:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.02)


if __name__ == "__main__":
    work(sys.argv[1], sys.argv[2], int(sys.argv[3]))
