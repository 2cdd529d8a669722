"""Let Vigie act by itself again."""

from bot.services.run import brakes
from commands import Call, command

RESUMED = "Automation goes on for {scope}."
EVERYTHING = "everything"


@command(
    "resume-automation",
    usage="[everything|service|runbook]",
    help="Vigie may do it by itself again",
    example="resume-automation pay-api",
    level="write",
    button="Resume automation",
    group="runbooks",
)
def resume_automation(call: Call) -> str:
    said = call.words[0] if call.words else EVERYTHING
    by_word = call.ref is None or (call.way == "mention" and bool(call.words))
    scope = brakes.scope_of(call.desk, said) if by_word else _of_the_alert(call)
    brakes.resume(call.desk, scope, call.actor)
    return RESUMED.format(scope=brakes.spoken(scope))


def _of_the_alert(call: Call) -> str:
    """What keeps Vigie from acting on it: its service, its runbook, or everything."""
    alert = call.alert()
    with call.desk.read() as connection:
        switch = brakes.stopped(connection, alert.runbook, alert.service)
    return switch.scope if switch else f"service:{alert.service}"
