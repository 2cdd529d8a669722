"""Write on an alert."""

from bot.services.alert import response
from commands import Call, Field, command

NOTED = "Noted on {name}."


@command(
    "note",
    usage="<alert> <text>",
    help="write something on an alert, open or closed",
    example="note 142 the bank has been called",
    level="write",
    button="Note…",
    form=(Field("text", "What you know"),),
)
def note(call: Call) -> str:
    alert = response.note(call.desk, call.alert(), call.actor, call.rest)
    return NOTED.format(name=alert.name)
