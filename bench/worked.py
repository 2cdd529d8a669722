"""A process of its own that carries runs out: the whole App, whose runbooks act on the world that counts."""

import os
import signal
import sys
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

from bench.deeds import CATALOGUE
from bot.app import SERVE, WORKER, App
from bot.config import load_config
from bot.logs import configure
from bot.running import run, run_app
from bot.settings import EnvironmentSecrets, load_settings

FORKED = get_context("forkserver")      # a process as fresh as any other, but what it imports is imported once
FORKED.set_forkserver_preload(["bench.worked"])


class Freeze:
    """The process stops dead at the first passing of a point, as under SIGSTOP anywhere, and knows nothing of it."""

    def __init__(self, point: str) -> None:
        self._points = [point]

    def __call__(self, name: str) -> None:
        if name in self._points:
            self._points.clear()
            os.kill(os.getpid(), signal.SIGSTOP)


def work(environ: dict[str, str], log: Path, freeze_at: str) -> None:
    """Works until it is told to end, or killed."""
    sys.stdout = sys.stderr = log.open("a", buffering=1)
    settings = load_settings(environ)
    configure(settings.log_level)
    role = SERVE if settings.database_url.startswith("sqlite") else WORKER
    secrets, kill = EnvironmentSecrets(environ), Freeze(freeze_at)
    app = App(settings, load_config(settings.config), secrets, role, kill=kill, catalogue=CATALOGUE)
    run(run_app(app, settings.host, None))


def start(environ: dict[str, str], log: Path, freeze_at: str = "") -> BaseProcess:
    process = FORKED.Process(target=work, args=(environ, log, freeze_at), daemon=True)
    process.start()
    return process
