"""Who is on."""

from bot.services.rota import board, naming
from commands import Call, command


@command(
    "oncall",
    usage="[now|week|@person]",
    help="who is on until when, who is next, and who may be reached",
    example="oncall week",
    level="read",
    button="Who is on",
    group="who is on",
)
def oncall(call: Call) -> str:
    said = call.words[0].lower() if call.words else "now"
    if said == "now":
        return board.now(call.desk, call.actor)
    if said == "week":
        return board.week(call.desk, call.actor)
    person, _ = naming.person(call.desk.config, call.words, call.actor.key)
    return board.of_person(call.desk, call.actor, person)
