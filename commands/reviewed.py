"""Close the matter of a broken glass."""

from bot.services.leave import glass
from commands import Call, Field, about_run, command

REVIEWED = "Run {id} is reviewed by you."


@command(
    "reviewed",
    usage="<run> <text>",
    help="say what you found when you looked at a run that broke the glass",
    example="reviewed 57 it was right, the mandate should allow it",
    level="read",
    button="Reviewed…",
    form=(Field("text", "What you found"),),
    subject=about_run,
    group="runbooks",
    roles=("lead",),
)
def reviewed(call: Call) -> str:
    run, words = call.run()
    return REVIEWED.format(id=glass.review(call.desk, run.id, call.actor, " ".join(words)).id)
