"""The demo's workspace: the example's people, and Vigie as the app's manifest makes it."""

from dataclasses import replace

import commands
from bot.config import Config
from bot.discover import discover
from bot.entrypoints.chat import SHORTCUTS
from bot.services.check.manifest import manifest
from bot.workspace.seed import Seed, example_seed


def seed(url: str, config: Config) -> Seed:
    """What the workspace begins with; the app hears at that address."""
    family = discover(commands, commands.Command)
    said = manifest(config, url, verbs=tuple(family), shortcuts=SHORTCUTS)
    lines = tuple((f"{each.name} {each.usage}".strip(), each.help) for each in family.values())
    whole = example_seed(f"{url}/slack/events", said, {config.command: lines})
    return replace(whole, people=tuple(replace(each, quiet=_blackout(config, each.id)) for each in whole.people))


def _blackout(config: Config, slack: str) -> str | None:
    """Slack keeps silent for people in their blackout, as `vigie check --online` wants it: cards notify by themselves."""
    known = next((each for each in config.people.values() if each.slack == slack), None)
    return config.organisations[known.organisation].blackout if known else None
