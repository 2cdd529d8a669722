"""The demo's workspace: the example's people, and Vigie as the app's manifest makes it."""

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
    return example_seed(f"{url}/slack/events", said, {config.command: lines})
