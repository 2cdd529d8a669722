"""A process of its own: `vigie serve` with what `serve` refuses: trust in the demo's SNS key, and another pace."""

import asyncio
import os
import sys

from bot.app import SERVE, App
from bot.config import load_config
from bot.doubles.sns import DEMO_CERTIFICATE, DEMO_CERTIFICATE_URL
from bot.logs import configure
from bot.running import run_app
from bot.settings import EnvironmentSecrets, load_settings
from bot.store.migrate import upgrade


def main(pace: float) -> None:
    environ = dict(os.environ)
    settings = load_settings(environ)
    configure(settings.log_level)
    upgrade(settings.migrate_url)
    known = {DEMO_CERTIFICATE_URL: DEMO_CERTIFICATE}
    secrets = EnvironmentSecrets(environ)
    app = App(settings, load_config(settings.config), secrets, SERVE, known_certificates=known, pace=pace)
    asyncio.run(run_app(app, settings.host, settings.port))


if __name__ == "__main__":
    main(float(sys.argv[1]))
