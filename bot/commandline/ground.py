"""What commands stand on: how each group is made, the environment, the settings, how something is said."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bot.config import Config
    from bot.settings import EnvironmentSecrets, Settings

Json = Annotated[bool, typer.Option("--json", help="For machines.")]

USING_DEMO = "(no vigie.yaml and no DATABASE_URL here: this is about the demo in .demo/)"
DEMO_NOTES = Path(".demo/environment.json")


def group(told: str | None = None) -> typer.Typer:
    """Some commands; without markup, for plain help comes in half the time."""
    return typer.Typer(help=told, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                       rich_markup_mode=None)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def environment() -> dict[str, str]:
    """The environment; beside a demo that ran here, and without a configuration of one's own, the demo's."""
    environ = dict(os.environ)
    own = {"DATABASE_URL", "VIGIE_CONFIG"} & environ.keys() or Path("vigie.yaml").exists()
    if own or not DEMO_NOTES.exists():
        return environ
    sys.stderr.write(USING_DEMO + "\n")
    return {**json.loads(DEMO_NOTES.read_text()), **environ}


def settings_of(environ: dict[str, str]) -> "Settings":
    from bot.settings import load_settings

    return load_settings(environ)


def secrets_of(environ: dict[str, str]) -> "EnvironmentSecrets":
    from bot.clients.secrets import AwsSecrets
    from bot.ports import SystemClock
    from bot.settings import EnvironmentSecrets

    return EnvironmentSecrets(environ, AwsSecrets(SystemClock()))


def config_of(settings: "Settings") -> "Config":
    from bot.config import load_config

    return load_config(settings.config)


def settings_of_a_database() -> "Settings":
    """The settings, once it is sure that their database has our tables: who only looks makes none."""
    from bot.store.migrate import require

    settings = settings_of(environment())
    require(settings.database_url)
    return settings
