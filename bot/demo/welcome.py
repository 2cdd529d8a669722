"""What the demo says when it stands: where to look, and what is played."""

import shutil
import sys
from pathlib import Path

from bot.config import Config

WELCOME = """
Vigie's demo is running. Open  {url}

  You act as Léa, on call for Padok; at the top left become Omar, Inès, their lead, or Alice of Bridge, who sleeps.
  Type /vigie help in the composer, click the buttons, open a thread.
  {night}
  {hours}
  In another terminal: {vigie} status (or audit verify, or send FILE --endpoint bridge-generic).
  Ctrl-C ends it; the next start finds a clean stage.
"""
PLAYING = "An example night is played now, at {speed} times its speed."
HOURS = "It is night in it whatever your clock says: {name} is in blackout {hours} ({zone})."
SILENT = "DEMO_SPEED=0: nothing is played; send what you like."


def welcome(url: str, speed: float, config: Config) -> str:
    """All of it, with the address first."""
    words = PLAYING.format(speed=f"{speed:g}") if speed else SILENT
    return WELCOME.format(url=f"{url}/", night=words, hours=_hours(config), vigie=_vigie())


def _hours(config: Config) -> str:
    """Who sleeps while the demo is played."""
    asleep = next((each for each in config.organisations.values() if each.blackout), None)
    return HOURS.format(name=asleep.name, hours=asleep.blackout, zone=asleep.timezone) if asleep else ""


def _vigie() -> str:
    """The command as it can be typed here: `make demo` leaves it in a folder that no path knows."""
    beside = Path(sys.executable).with_name("vigie")
    if shutil.which("vigie") or not beside.exists():
        return "vigie"
    return str(beside.relative_to(Path.cwd()) if beside.is_relative_to(Path.cwd()) else beside)
