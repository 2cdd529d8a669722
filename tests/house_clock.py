"""Processes of one Vigie whose clocks a test sets forward together: nobody waits for a minute to come."""

import ctypes
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from bot.app import WEB, App, Role
from bot.config import load_config
from bot.logs import configure
from bot.running import run, run_app
from bot.settings import EnvironmentSecrets, load_settings
from tests.processes import FORKS


class HouseClock:
    """So many seconds behind the wall's, for whoever has it; Slack's clock is the wall's, and must not be overtaken."""

    def __init__(self, now: datetime) -> None:
        self._ahead: Synchronized[float] = FORKS.Value(ctypes.c_double, 0.0)
        self.go_to(now)

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._ahead.value)

    @property
    def ahead_s(self) -> float:
        """Of the wall's."""
        return self._ahead.value

    def go_to(self, at: datetime) -> None:
        self._ahead.value = (at - datetime.now(UTC)).total_seconds()


def start(role: Role, environ: Mapping[str, str], log: Path, clock: HouseClock) -> BaseProcess:
    process = FORKS.Process(target=_live, args=(role, dict(environ), log, clock), daemon=True)
    process.start()
    return process


def _live(role: Role, environ: dict[str, str], log: Path, clock: HouseClock) -> None:
    """Until it is killed."""
    sys.stdout = sys.stderr = log.open("a", buffering=1)
    settings = load_settings(environ)
    configure(settings.log_level)
    app = App(settings, load_config(settings.config), EnvironmentSecrets(environ), role, clock=clock)
    run(run_app(app, settings.host, settings.port if role == WEB else None))
