"""The company that the bench plays: the example's, with fifty services, a few quiet channels and secrets of its own."""

import dataclasses
from importlib import resources
from pathlib import Path

from ruamel.yaml import YAML

from bot.config import load_config
from bot.services.check.manifest import manifest
from bot.workspace import Seed, example_seed
from bot.workspace.seed import Channel

TOKEN = "xoxb-bench-vigie"
SIGNING_SECRET = "bench-signing-secret"
WEBHOOK_SECRET = "bench-webhook-secret"
TOPIC = "arn:aws:sns:eu-west-3:111122223333:bridge-alarms"

SERVICES = tuple(f"service-{number:02}" for number in range(50))
QUIET = tuple(f"quiet-{number}" for number in range(8))        # a channel each, in which nothing else is posted


def write_config(path: Path) -> None:
    """The example's vigie.yaml with the bench's services and channels; its people act at any hour at which somebody measures."""
    yaml = YAML()
    document = yaml.load((resources.files("bot") / "vigie.example.yaml").read_text())
    for organisation in document["organisations"].values():
        organisation.pop("blackout", None)
        organisation.pop("break_glass", None)
    document["channels"].update({name: _channel_id(name) for name in QUIET})
    document["services"].update({name: {"description": "watched by the bench"} for name in SERVICES})
    document["services"].update({name: {"channel": name} for name in QUIET})
    yaml.dump(document, path)


def _channel_id(name: str) -> str:
    return f"C0QUIET{name[-1]:0>3}"


def seed(events_url: str, config: Path) -> Seed:
    """The example's workspace with the bench's channels, and an app whose secrets nobody else knows."""
    plain = example_seed(events_url, manifest(load_config(config), events_url))
    quiet = tuple(Channel(_channel_id(name), name) for name in QUIET)
    app = dataclasses.replace(plain.app, token=TOKEN, signing_secret=SIGNING_SECRET)
    return dataclasses.replace(plain, app=app, channels=(*plain.channels, *quiet))


def environment(database_url: str, config: Path, port: int, slack_url: str) -> dict[str, str]:
    """What `vigie serve` is told, and nothing of the caller's own environment."""
    references = {each for endpoint in load_config(config).endpoints.values() for each in endpoint.secrets}
    return {
        "DATABASE_URL": database_url, "VIGIE_CONFIG": str(config), "PORT": str(port), "LOG_LEVEL": "info",
        "SLACK_BOT_TOKEN": TOKEN, "SLACK_SIGNING_SECRET": SIGNING_SECRET, "SLACK_API_URL": f"{slack_url}/api/",
        **dict.fromkeys(references, WEBHOOK_SECRET),
    }
