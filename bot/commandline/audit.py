"""`vigie audit`: is the journal whole, and what does it say?"""

import sys
from typing import Annotated

import typer

from bot.commandline import ground

cli = ground.group("The journal: is it whole, and what does it say?")


@cli.command("verify")
def audit_verify(
    head: Annotated[str, typer.Option(help="A seal as posted in Slack: finds truncation and rewriting.")] = "",
    as_json: ground.Json = False,
) -> None:
    """Walks the whole chain and names the first entry that is not as it was written."""
    from bot.auditing import verify

    sys.exit(0 if verify(ground.settings_of_a_database(), head or None, as_json, ground.say) else 1)


@cli.command("export")
def audit_export() -> None:
    """The journal and its seals as JSON lines on standard output."""
    from bot.auditing import export

    export(ground.settings_of_a_database(), sys.stdout)
