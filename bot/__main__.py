"""The command line. Each command imports what it needs when it runs, so that `vigie --help` answers at once."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.errors import Misbuilt, Refused, Unavailable

if TYPE_CHECKING:
    from bot.config import Config
    from bot.settings import EnvironmentSecrets, Settings

cli = typer.Typer(help="Vigie, the lookout of a payments platform.", no_args_is_help=True, add_completion=False,
                  pretty_exceptions_enable=False, rich_markup_mode=None)       # plain help comes in half the time
audit_cli = typer.Typer(help="The journal: is it whole, and what does it say?", no_args_is_help=True, rich_markup_mode=None)
cli.add_typer(audit_cli, name="audit")
rota_cli = typer.Typer(help="Who is on when, and what the working-time rules say of it.", no_args_is_help=True,
                       rich_markup_mode=None)
cli.add_typer(rota_cli, name="rota")

Json = Annotated[bool, typer.Option("--json", help="For machines.")]
From = Annotated[str, typer.Option("--from", metavar="DATE", help="From 00:00 of that day (2026-10-25), in the coverage's zone.")]
To = Annotated[str, typer.Option("--to", metavar="DATE", help="To 00:00 of that day; without it, 60 days.")]

USING_DEMO = "(no vigie.yaml and no DATABASE_URL here: this is about the demo in .demo/)"
DEMO_NOTES = Path(".demo/environment.json")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def main() -> None:
    """Exit codes: 0 fine, 1 a fault told in a sentence, 2 wrong usage."""
    try:
        cli(prog_name="vigie")
    except (Misbuilt, Refused, Unavailable) as fault:
        sys.stderr.write(f"{fault}\n")
        sys.exit(1)


def _environ() -> dict[str, str]:
    """The environment; beside a demo that ran here, and without a configuration of one's own, the demo's."""
    environ = dict(os.environ)
    own = {"DATABASE_URL", "VIGIE_CONFIG"} & environ.keys() or Path("vigie.yaml").exists()
    if own or not DEMO_NOTES.exists():
        return environ
    sys.stderr.write(USING_DEMO + "\n")
    return {**json.loads(DEMO_NOTES.read_text()), **environ}


def _settings(environ: dict[str, str]) -> "Settings":
    from bot.settings import load_settings

    return load_settings(environ)


def _secrets(environ: dict[str, str]) -> "EnvironmentSecrets":
    from bot.clients.secrets import AwsSecrets
    from bot.ports import SystemClock
    from bot.settings import EnvironmentSecrets

    return EnvironmentSecrets(environ, AwsSecrets(SystemClock()))


def _config(settings: "Settings") -> "Config":
    from bot.config import load_config

    return load_config(settings.config)


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
    settings = _settings(environ)
    configure(settings.log_level)
    chosen = {"serve": SERVE, "web": WEB, "worker": WORKER}[role]
    run_role(chosen, settings, _config(settings), _secrets(environ), named_port="PORT" in environ)


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

    settings = _settings(_environ())
    upgrade(settings.migrate_url, settings.database_url)
    if role := application_role(settings.migrate_url, settings.database_url):
        durable.migrate(settings.migrate_url, role)
    say("The database has the newest tables.")


def _looking() -> "Settings":
    """The settings, once it is sure that there is something to look at."""
    from bot.store.migrate import require

    settings = _settings(_environ())
    require(settings.database_url)
    return settings


@cli.command()
def status(as_json: Json = False) -> None:
    """What is open, what was dropped, what waits for Slack."""
    from bot.entrypoints.wording import bare
    from bot.ports import SystemClock, SystemIds
    from bot.services.alert import overview
    from bot.services.desk import Desk
    from bot.store.db import create_engine

    settings = _looking()
    desk = Desk(create_engine(settings.database_url), _config(settings), SystemClock(), SystemIds())
    say(json.dumps(overview.status(desk), ensure_ascii=False, indent=2) if as_json else bare(overview.text(desk)))


@cli.command()
def check(
    online: Annotated[bool, typer.Option(help="Also ask Slack, AWS and Datadog.")] = False,
    iam: Annotated[str, typer.Option(metavar="ARN", help="Instead: policies of the AWS roles, for Vigie running as ARN.")] = "",
    as_json: Json = False,
) -> None:
    """Every fault of the configuration at once, each with its remedy."""
    from bot.checking import print_policies, run_check

    environ = _environ()
    if iam:
        print_policies(environ, iam, say)
        return
    about_demo = environ.keys() > os.environ.keys()
    well = run_check(environ, _secrets(environ), online=online, as_json=as_json, say=say, demo=about_demo)
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

    settings = _settings(_environ())
    config, by_socket = _config(settings), socket or (settings.socket_mode and not url)
    verbs = tuple(discover(commands, commands.Command))
    made = make(config, url or config.public_url, socket_mode=by_socket, verbs=verbs, shortcuts=SHORTCUTS)
    say(json.dumps(made, indent=2, ensure_ascii=False))


@cli.command()
def send(
    file: Annotated[Path, typer.Argument(help="A payload as its source would send it.")],
    endpoint: Annotated[str, typer.Option(help="A name under `endpoints` in vigie.yaml.")],
    url: Annotated[str, typer.Option(help="Where Vigie listens.")] = "",
    raw: Annotated[bool, typer.Option(help="The bytes as they are: not wrapped, not signed.")] = False,
) -> None:
    """Posts a file as its source would. Wrapped and signed for SNS, with the secret for the others."""
    from bot.sending import send_file

    environ = _environ()
    settings = _settings(environ)
    base = url or f"http://{settings.host}:{settings.port}"
    status, answer = send_file(file, _config(settings), endpoint, _secrets(environ), base, raw)
    say(f"{status} {answer}")
    sys.exit(0 if status < 400 else 1)


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

    settings = _looking()
    wanted = reviewing.Wanted(month or None, form, out, side or None, version)
    reviewing.review(settings, _config(settings), wanted, sys.stdout, say)


@cli.command()
def export(
    what: Annotated[Literal["incident", "dora", "pci"], typer.Argument(help="One incident, all of a month, or PCI DSS.")],
    which: Annotated[str, typer.Argument(help="An incident's number (3), or a month (2026-10).")],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to write the files.")] = None,
) -> None:
    """Files for authorities and assessors. Reports are filled in as far as Vigie knows."""
    from bot import exporting

    settings = _looking()
    exporting.EXPORTS[what](settings, _config(settings), which, out, say)


@cli.command()
def rehearse(
    night: Annotated[str, typer.Argument(help="The day on which it begins (2026-10-24), or a file that invents one.")],
    as_json: Json = False,
) -> None:
    """A past or invented night, played through today's rules. Nothing real is touched. Exit code 1 when a law is broken."""
    from bot.logs import configure
    from bot.rehearsal import show

    settings = _settings(_environ())
    configure("error")
    sys.exit(0 if show(settings, _config(settings), night, as_json, say) else 1)


@audit_cli.command("verify")
def audit_verify(
    head: Annotated[str, typer.Option(help="A seal as posted in Slack: finds truncation and rewriting.")] = "",
    as_json: Json = False,
) -> None:
    """Walks the whole chain and names the first entry that is not as it was written."""
    from bot.auditing import verify

    sys.exit(0 if verify(_looking(), head or None, as_json, say) else 1)


@audit_cli.command("export")
def audit_export() -> None:
    """The journal and its seals as JSON lines on standard output."""
    from bot.auditing import export

    export(_looking(), sys.stdout)


@rota_cli.command("show")
def rota_show(
    start: From = "",
    end: To = "",
    coverage: Annotated[str, typer.Option(help="Only that one of vigie.yaml's coverages.")] = "",
    as_json: Json = False,
) -> None:
    """Every minute of the days, in each role. A role without a person is a gap."""
    from bot import rota

    settings = _settings(_environ())
    rota.show(settings, _config(settings), rota.Range(start, end), coverage or None, as_json, sys.stdout)


@rota_cli.command("check")
def rota_check(start: From = "", end: To = "", as_json: Json = False) -> None:
    """What the working-time rules find. Exit code 1 when something is forbidden. The employer stays responsible."""
    from bot import rota

    settings = _settings(_environ())
    sys.exit(0 if rota.check(settings, _config(settings), rota.Range(start, end), as_json, say) else 1)


@rota_cli.command("ics")
def rota_ics(
    person: Annotated[str, typer.Option(help="Only that person's shifts.")] = "",
    team: Annotated[str, typer.Option(help="Only that team's shifts.")] = "",
    coverage: Annotated[str, typer.Option(help="Only that coverage's shifts.")] = "",
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write it; without it, standard output.")] = None,
) -> None:
    """Shifts as a calendar (ICS)."""
    from bot import rota
    from bot.services.rota.exporting import wanted

    settings = _settings(_environ())
    config = _config(settings)
    rota.calendar(settings, config, wanted(config, person, team, coverage), out, sys.stdout, say)


@rota_cli.command("statement")
def rota_statement(
    month: Annotated[str, typer.Argument(help="2026-10")],
    person: Annotated[str, typer.Option(help="Only that person's.")] = "",
    shape: Annotated[Literal["text", "csv"], typer.Option("--format")] = "text",
) -> None:
    """The monthly statements of on-call time, as they were given."""
    from bot import rota

    settings = _settings(_environ())
    rota.statement(settings, _config(settings), month, person or None, shape == "csv", sys.stdout)


if __name__ == "__main__":
    main()
