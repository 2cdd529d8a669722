"""The command line: its commands in the order in which `vigie --help` names them."""

import sys

from bot.commandline import audit, ground, living, looking, month, rota
from bot.errors import Misbuilt, Refused, Unavailable

cli = ground.group("Vigie, the lookout of a payments platform.")
for each in (living, looking, month):
    cli.add_typer(each.cli)
cli.add_typer(audit.cli, name="audit")
cli.add_typer(rota.cli, name="rota")


def main() -> None:
    """Exit codes: 0 fine, 1 a fault told in a sentence, 2 wrong usage."""
    try:
        cli(prog_name="vigie")
    except (Misbuilt, Refused, Unavailable) as fault:
        sys.stderr.write(f"{fault}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
