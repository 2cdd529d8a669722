"""Say how far a runbook is trusted."""

from bot.errors import Refused
from bot.services.run import ladder, library
from commands import Call, command
from runbooks.model import RUNGS, Rung

WHICH = "Which runbook? `{command} promote <runbook> [click|automatic]`; `{command} runbooks` lists them."
PROPOSED = "You propose that \"{title}\" climbs to {rung}. A lead or approver of another company signs until it is a week old."
PROMOTED = "\"{title}\" is on {rung} now: you and {who} signed."
LOWERED = "\"{title}\" is on {rung} now."
TOP = "\"{title}\" stands as high as its file allows: {rung}."


@command(
    "promote",
    usage="<runbook> [click|automatic|manual] [without evidence: reason]",
    help="propose to trust a runbook further, or sign what another company proposes; or trust it less",
    example="promote queue-backlog automatic",
    level="read",
    group="runbooks",
    roles=("lead", "approver"),
)
def promote(call: Call) -> str:
    if not call.words:
        raise Refused(WHICH.format(command=call.desk.config.command))
    runbook, words = library.named(call.desk, call.words[0]), call.words[1:]
    wanted = next((each for each in RUNGS if words[:1] == (each,)), None)
    reason = " ".join(words[1:] if wanted else words)
    with call.desk.read() as connection:
        waiting, ready = ladder.waiting(call.desk, connection, runbook), ladder.readiness(connection, runbook)
    if waiting and wanted in (None, waiting.rung) and waiting.organisation != call.actor.organisation:
        signed = ladder.second(call.desk, runbook, call.actor)
        who = call.desk.config.people[signed.by].name if signed.by in call.desk.config.people else signed.by
        return PROMOTED.format(title=runbook.title, rung=signed.rung, who=who)
    to: Rung | None = wanted or ready.next
    if to is None:
        raise Refused(TOP.format(title=runbook.title, rung=ready.rung))
    made = ladder.propose(call.desk, runbook, to, call.actor, reason)
    return (PROPOSED if made else LOWERED).format(title=runbook.title, rung=to)
