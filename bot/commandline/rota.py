"""`vigie rota`: who is on when, as a list, as a calendar, as statements."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from bot.commandline import ground

cli = ground.group("Who is on when, and what the working-time rules say of it.")

From = Annotated[str, typer.Option("--from", metavar="DATE", help="From 00:00 of that day (2026-10-25), in the coverage's zone.")]
To = Annotated[str, typer.Option("--to", metavar="DATE", help="To 00:00 of that day; without it, 60 days.")]


@cli.command("show")
def rota_show(
    start: From = "",
    end: To = "",
    coverage: Annotated[str, typer.Option(help="Only that one of vigie.yaml's coverages.")] = "",
    as_json: ground.Json = False,
) -> None:
    """Every minute of the days, in each role. A role without a person is a gap."""
    from bot import rota

    settings = ground.settings_of(ground.environment())
    rota.show(settings, ground.config_of(settings), rota.Range(start, end), coverage or None, as_json, sys.stdout)


@cli.command("check")
def rota_check(start: From = "", end: To = "", as_json: ground.Json = False) -> None:
    """What the working-time rules find. Exit code 1 when something is forbidden. The employer stays responsible."""
    from bot import rota

    settings = ground.settings_of(ground.environment())
    sys.exit(0 if rota.check(settings, ground.config_of(settings), rota.Range(start, end), as_json, ground.say) else 1)


@cli.command("ics")
def rota_ics(
    person: Annotated[str, typer.Option(help="Only that person's shifts.")] = "",
    team: Annotated[str, typer.Option(help="Only that team's shifts.")] = "",
    coverage: Annotated[str, typer.Option(help="Only that coverage's shifts.")] = "",
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write it; without it, standard output.")] = None,
) -> None:
    """Shifts as a calendar (ICS)."""
    from bot import rota
    from bot.services.rota.exporting import wanted

    settings = ground.settings_of(ground.environment())
    config = ground.config_of(settings)
    rota.calendar(settings, config, wanted(config, person, team, coverage), out, sys.stdout, ground.say)


@cli.command("statement")
def rota_statement(
    month: Annotated[str, typer.Argument(help="2026-10")],
    person: Annotated[str, typer.Option(help="Only that person's.")] = "",
    shape: Annotated[Literal["text", "csv"], typer.Option("--format")] = "text",
) -> None:
    """The monthly statements of on-call time, as they were given."""
    from bot import rota

    settings = ground.settings_of(ground.environment())
    rota.statement(settings, ground.config_of(settings), month, person or None, shape == "csv", sys.stdout)
