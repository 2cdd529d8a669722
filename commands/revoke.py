"""Take an approval back."""

from bot.services.leave import answering
from commands import Call, about_run, command

REVOKED = "Your approval of step {number} of run {id} is taken back: it does not begin."


@command(
    "revoke",
    usage="<run>",
    help="take your approval back, until the step begins",
    example="revoke 57",
    level="read",
    button="Revoke",
    subject=about_run,
    group="runbooks",
    roles=("engineer", "lead", "approver"),
)
def revoke(call: Call) -> str:
    run, _ = call.run()
    asked = answering.revoke(call.desk, run.id, call.actor)
    return REVOKED.format(number=asked.number + 1, id=run.id)
