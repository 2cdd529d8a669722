"""End a run."""

from bot.services.run import runs
from commands import Call, Field, about_run, command

CANCELLED = "Run {id} ends: no further step begins{undo}. What is under way is seen to its end."
TAKEN_BACK = ", and what was done is taken back"


@command(
    "cancel",
    usage="<run> [reason]",
    help="end a run: no further step begins",
    example="cancel 57 wrong service",
    button="Cancel…",
    form=(Field("reason", "Why", optional=True),),
    danger=True,
    subject=about_run,
    group="runbooks",
)
def cancel(call: Call) -> str:
    run, words = call.run()
    ended = runs.cancel(call.desk, run, call.actor, " ".join(words))
    return CANCELLED.format(id=ended.id, undo=TAKEN_BACK if ended.definition.get("on_cancel") == "undo" else "")
