"""A Slack on loopback: Web API, signed delivery, Socket Mode, and a page to live in. It knows Slack, not the bot."""

from bot.workspace.blocks import faults, view_faults
from bot.workspace.seed import Seed, example_seed
from bot.workspace.server import Workspace

__all__ = ["Seed", "Workspace", "example_seed", "faults", "view_faults"]
