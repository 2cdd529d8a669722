"""`vigie rehearse`: a past or invented night, played through today's vigie.yaml, runbooks and rota; it touches nothing real."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from rich.console import Console
from rich.progress import Progress

from bot.config import Config
from bot.config.runbooks import load_catalogue
from bot.discover import discover
from bot.errors import Refused
from bot.ports import Clock, SystemClock, SystemIds
from bot.rehearsal.doubles import Hands, NoWorlds, assumed
from bot.rehearsal.nights import Night, day_of, invented, past
from bot.rehearsal.playing import Player
from bot.rehearsal.telling import Told, tell
from bot.services.desk import Desk
from bot.settings import Settings
from bot.store import rungs
from bot.store.db import create_engine, metadata, reader
from bot.store.migrate import require
from runbooks import actions
from runbooks.actions import Service

# What stands in rows and is as much of today's rules as vigie.yaml is: the published rota, and what people agreed to.
AGREED = ("shift", "programme", "absence", "leaver", "rung", "switch", "confirmation")
BEFOREHAND, PLAYING = "rehearsal", "The night is played"
NO_RUNBOOK = "The file speaks of the runbook {name}; the catalogue has {known}."


def show(settings: Settings, config: Config, night: str, as_json: bool, say: Callable[[str], object]) -> bool:
    """Prints what the night came to; true when no law was broken in it."""
    errors = Console(stderr=True)
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(PLAYING, total=1.0)
        told = rehearse(settings, config, night, SystemClock(), lambda share: bar.update(task, completed=share))
    say(json.dumps(told.as_json(), ensure_ascii=False, indent=2) if as_json else "\n".join(told.lines()))
    return not told.laws_broken


def rehearse(settings: Settings, config: Config, night: str, clock: Clock, on: Callable[[float], object] = float) -> Told:
    """Plays the night that begins on that day (2026-10-24), or that a file invents; raises Refused when it is neither.

    `on` is told how much of it has been played: 0 to 1.
    """
    day = None if Path(night).is_file() else day_of(night)
    with TemporaryDirectory() as folder, scratch(Path(folder)) as engine:
        with looking(settings, needed=day is not None) as real:
            if real is not None:
                agree(real, engine)
            given = past(real, config, day, clock.now()) if real is not None and day else invented(Path(night), config)
        return play(engine, settings, config, given, on)


def play(
    engine: sa.Engine, settings: Settings, config: Config, night: Night, on: Callable[[float], object] = float
) -> Told:
    """On an empty database with today's agreements."""
    hands = Hands(night.start)
    book = load_catalogue(settings.runbooks, config, discover(actions, Service))
    if unknown := sorted(set(night.rungs) - set(book.entries)):
        raise Refused(NO_RUNBOOK.format(name=unknown[0], known=", ".join(book.entries)))
    book = assumed(book, night.assume.steps == "work")
    desk = Desk(engine, config, hands, SystemIds(), catalogue=book, worlds=NoWorlds(config))
    with desk.begin("rehearse") as connection:
        for runbook, rung in night.rungs.items():
            rungs.put(connection, runbook, rung, night.start, BEFOREHAND, None)
    player = Player(desk, hands, night, on)
    player.play()
    return tell(desk, night, player)


@contextmanager
def scratch(folder: Path) -> Iterator[sa.Engine]:
    """An empty database of its own."""
    engine = create_engine(f"sqlite:///{folder / 'rehearsal.db'}")
    sa.event.listen(engine, "connect", _keep_nothing)
    metadata.create_all(engine)
    try:
        yield engine
    finally:
        engine.dispose()


def _keep_nothing(connection: Any, _record: Any) -> None:
    """It is thrown away afterwards: no waiting for the disk."""
    connection.execute("PRAGMA synchronous=OFF")


@contextmanager
def looking(settings: Settings, needed: bool) -> Iterator[sa.Connection | None]:
    """The real database, to look at only; None where there is none yet and an invented night needs none."""
    place = sa.make_url(settings.database_url)
    if not needed and place.get_backend_name() == "sqlite" and not Path(place.database or "").exists():
        yield None
        return
    require(settings.database_url)
    engine = create_engine(settings.database_url)
    try:
        with reader(engine) as connection:
            yield connection
    finally:
        engine.dispose()


def agree(real: sa.Connection, engine: sa.Engine) -> None:
    """Takes over what holds today beside vigie.yaml."""
    with engine.begin() as connection:
        for name in AGREED:
            table = metadata.tables[name]
            if rows := [dict(each) for each in real.execute(sa.select(table)).mappings()]:
                connection.execute(sa.insert(table), rows)
