"""Commands that bring Vigie to life: its processes, the demo, the tables."""

import os
from typing import Literal

from bot.commandline import ground

cli = ground.group()


@cli.command()
def serve() -> None:
    """Everything in one process (the embedded default)."""
    _run("serve")


@cli.command()
def web() -> None:
    """Answers webhooks and Slack. Several of it may run, on PostgreSQL."""
    _run("web")


@cli.command()
def worker() -> None:
    """Delivers, keeps time, seals the journal. Several of it may run, on PostgreSQL."""
    _run("worker")


def _run(role: Literal["serve", "web", "worker"]) -> None:
    from bot.app import SERVE, WEB, WORKER
    from bot.logs import configure
    from bot.running import run_role

    environ = dict(os.environ)
    settings = ground.settings_of(environ)
    configure(settings.log_level)
    chosen = {"serve": SERVE, "web": WEB, "worker": WORKER}[role]
    run_role(chosen, settings, ground.config_of(settings), ground.secrets_of(environ), named_port="PORT" in environ)


@cli.command()
def demo() -> None:
    """A Slack of its own and an example night. Needs no account, no service, no key."""
    from bot.demo import run_demo

    run_demo(dict(os.environ))


@cli.command()
def migrate() -> None:
    """Brings the database to the newest tables."""
    from bot import durable
    from bot.store.migrate import application_role, upgrade

    settings = ground.settings_of(ground.environment())
    upgrade(settings.migrate_url, settings.database_url)
    if role := application_role(settings.migrate_url, settings.database_url):
        durable.migrate(settings.migrate_url, role)
    ground.say("The database has the newest tables.")
