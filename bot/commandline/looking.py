"""Commands that look: at what stands, at the configuration, at the doors."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.commandline import ground

cli = ground.group()


@cli.command()
def status(as_json: ground.Json = False) -> None:
    """What is open, what was dropped, what waits for Slack."""
    from bot.entrypoints.wording import bare
    from bot.ports import SystemClock, SystemIds
    from bot.services.alert import overview
    from bot.services.desk import Desk
    from bot.store.db import create_engine

    settings = ground.settings_of_a_database()
    desk = Desk(create_engine(settings.database_url), ground.config_of(settings), SystemClock(), SystemIds())
    ground.say(json.dumps(overview.status(desk), ensure_ascii=False, indent=2) if as_json else bare(overview.text(desk)))


@cli.command()
def check(
    online: Annotated[bool, typer.Option(help="Also ask Slack, AWS and Datadog.")] = False,
    iam: Annotated[str, typer.Option(metavar="ARN", help="Instead: policies of the AWS roles, for Vigie running as ARN.")] = "",
    as_json: ground.Json = False,
) -> None:
    """Every fault of the configuration at once, each with its remedy."""
    from bot.checking import print_policies, run_check

    environ = ground.environment()
    if iam:
        print_policies(environ, iam, ground.say)
        return
    about_demo = environ.keys() > os.environ.keys()
    well = run_check(environ, ground.secrets_of(environ), online=online, as_json=as_json, say=ground.say, demo=about_demo)
    sys.exit(0 if well else 1)


@cli.command()
def manifest(
    url: Annotated[str, typer.Option(help="Where Slack reaches Vigie.")] = "",
    socket: Annotated[bool, typer.Option(help="For Socket Mode.")] = False,
) -> None:
    """The Slack app manifest. It is pasted into "Create an app"."""
    import commands
    from bot.discover import discover
    from bot.entrypoints.chat import SHORTCUTS
    from bot.services.check.manifest import manifest as make

    settings = ground.settings_of(ground.environment())
    config, by_socket = ground.config_of(settings), socket or (settings.socket_mode and not url)
    verbs = tuple(discover(commands, commands.Command))
    made = make(config, url or config.public_url, socket_mode=by_socket, verbs=verbs, shortcuts=SHORTCUTS)
    ground.say(json.dumps(made, indent=2, ensure_ascii=False))


@cli.command()
def send(
    file: Annotated[Path, typer.Argument(help="A payload as its source would send it.")],
    endpoint: Annotated[str, typer.Option(help="A name under `endpoints` in vigie.yaml.")],
    url: Annotated[str, typer.Option(help="Where Vigie listens.")] = "",
    raw: Annotated[bool, typer.Option(help="The bytes as they are: not wrapped, not signed.")] = False,
) -> None:
    """Posts a file as its source would. Wrapped and signed for SNS, with the secret for the others."""
    from bot.sending import send_file

    environ = ground.environment()
    settings = ground.settings_of(environ)
    base = url or f"http://{settings.host}:{settings.port}"
    status, answer = send_file(file, ground.config_of(settings), endpoint, ground.secrets_of(environ), base, raw)
    ground.say(f"{status} {answer}")
    sys.exit(0 if status < 400 else 1)
