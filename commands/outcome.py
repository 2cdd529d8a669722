"""Say what became of a step whose outcome nobody could read."""

from typing import get_args

from bot.errors import Refused
from bot.services.run import runs
from bot.services.run.runs import Decision
from commands import Call, Field, about_run, command

SAID = {
    "happened": "Noted: step {number} of run {id} happened. It goes on from there.",
    "again": "Step {number} of run {id} is done again.",
    "stop": "Run {id} stops at step {number}.",
}
WHICH = "Say happened, again or stop: `{command} outcome {id} happened`."
CHOICES = (("happened", "It happened, go on"), ("again", "It did not happen: run it again"), ("stop", "Stop here"))


@command(
    "outcome",
    usage="<run> happened|again|stop",
    help="say what became of a step that is in doubt",
    example="outcome 57 happened",
    button="Decide…",
    form=(Field("decision", "What happened", "choice", options=CHOICES),),
    subject=about_run,
    group="runbooks",
)
def outcome(call: Call) -> str:
    run, words = call.run()
    decision: Decision | None = next((each for each in get_args(Decision) if words[:1] == (each,)), None)
    if decision is None:
        raise Refused(WHICH.format(command=call.desk.config.command, id=run.id))
    decided = runs.decide(call.desk, run, call.actor, decision)
    return SAID[decision].format(number=decided.position + 1, id=run.id)
