"""Say yes to a step that waits for it."""

from bot.services.leave import answering
from bot.store import approvals
from commands import Call, about_run, command

APPROVED = "You approved step {number} of run {id}: it goes on."
SIGNED = "You approved step {number} of run {id}; more people are needed."


@command(
    "approve",
    usage="<run>",
    help="say yes to the step of a run that waits for it",
    example="approve 57",
    level="read",
    button="Approve",
    subject=about_run,
    group="runbooks",
    roles=("engineer", "lead", "approver"),
)
def approve(call: Call) -> str:
    run, words = call.run()
    seen = int(words[0]) if call.way == "button" and words and words[0].isdecimal() else None
    asked = answering.approve(call.desk, run.id, call.actor, seen)
    told = SIGNED if asked.state == approvals.OPEN else APPROVED
    return told.format(number=asked.number + 1, id=run.id)
