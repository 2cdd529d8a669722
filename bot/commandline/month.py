"""Commands about what is past: the review of a month, files for authorities, a night played again."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from bot.commandline import ground

cli = ground.group()


@cli.command()
def review(
    month: Annotated[str, typer.Argument(metavar="[MONTH]", help="2026-10; without it, the last month that is over.")] = "",
    form: Annotated[Literal["html", "pdf", "csv", "json"], typer.Option("--format")] = "html",
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to write it; CSV then has every list.")] = None,
    side: Annotated[str, typer.Option("--for", metavar="ORGANISATION", help="Also what only its people may see.")] = "",
    version: Annotated[int | None, typer.Option(metavar="N", help="A sealed one; 0: what is known now.")] = None,
) -> None:
    """A month's review: a page or a PDF into a file, figures as CSV or JSON to standard output."""
    from bot import reviewing

    settings = ground.settings_of_a_database()
    wanted = reviewing.Wanted(month or None, form, out, side or None, version)
    reviewing.review(settings, ground.config_of(settings), wanted, sys.stdout, ground.say)


@cli.command()
def export(
    what: Annotated[Literal["incident", "dora", "pci"], typer.Argument(help="One incident, all of a month, or PCI DSS.")],
    which: Annotated[str, typer.Argument(help="An incident's number (3), or a month (2026-10).")],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to write the files.")] = None,
) -> None:
    """Files for authorities and assessors. Reports are filled in as far as Vigie knows."""
    from bot import exporting

    settings = ground.settings_of_a_database()
    exporting.EXPORTS[what](settings, ground.config_of(settings), which, out, ground.say)


@cli.command()
def rehearse(
    night: Annotated[str, typer.Argument(help="The day on which it begins (2026-10-24), or a file that invents one.")],
    as_json: ground.Json = False,
) -> None:
    """A past or invented night, played through today's rules. Nothing real is touched. Exit code 1 when a law is broken."""
    from bot.logs import configure
    from bot.rehearsal import show

    settings = ground.settings_of(ground.environment())
    configure("error")
    sys.exit(0 if show(settings, ground.config_of(settings), night, as_json, ground.say) else 1)
