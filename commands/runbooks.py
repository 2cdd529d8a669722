"""What can be run."""

from bot.services.run import library
from commands import Call, command


@command(
    "runbooks",
    usage="[runbook]",
    help="what runs, what can be run, how it did, and who may run it",
    example="runbooks queue-backlog",
    level="read",
    group="runbooks",
)
def runbooks(call: Call) -> str:
    if call.words:
        return library.about(call.desk, library.named(call.desk, " ".join(call.words)))
    return library.overview(call.desk, call.actor)
