"""All about one run."""

from bot.services.run import retelling
from commands import Call, about_run, command


@command(
    "steps",
    usage="<run|alert>",
    help="all about one run: what each step was given, did and saw",
    example="steps 57",
    level="read",
    button="Details",
    subject=about_run,
    group="runbooks",
)
def steps(call: Call) -> str:
    run, _ = call.run()
    return retelling.text(call.desk, run)
