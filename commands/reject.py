"""Say no to a step that waits for a yes."""

from bot.services.leave import answering
from commands import Call, Field, about_run, command

REJECTED = "You rejected step {number} of run {id}: it does not begin."


@command(
    "reject",
    usage="<run> [reason]",
    help="say no to the step of a run that waits for a yes",
    example="reject 57 wait for the morning",
    level="read",
    button="Reject…",
    form=(Field("reason", "Why not", optional=True),),
    subject=about_run,
    group="runbooks",
    roles=("engineer", "lead", "approver"),
)
def reject(call: Call) -> str:
    run, words = call.run()
    asked = answering.reject(call.desk, run.id, call.actor, " ".join(words))
    return REJECTED.format(number=asked.number + 1, id=run.id)
