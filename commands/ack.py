"""Take an alert."""

from bot.services.alert import response
from commands import Call, command

TAKEN = "{name} is yours · {what}"
SEEN = "{name} is marked as seen by you; it is {state} already."


@command("ack", usage="<alert> [note]", help="take an alert: you are on it", example="ack 142", button="Acknowledge")
def ack(call: Call) -> str:
    alert = response.ack(call.desk, call.alert(), call.actor, note=call.rest)
    words = TAKEN if alert.state == "acked" else SEEN
    return words.format(name=alert.name, what=response.headline(alert), state=alert.state)
