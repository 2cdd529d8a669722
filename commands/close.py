"""Close an alert for good."""

from bot.services.alert import response
from commands import Call, Field, command

CLOSED = "{name} is closed. If the fault is seen again, that opens a new alert."


@command(
    "close",
    usage="<alert> [reason]",
    help="close an alert for good; while it still fires only with a reason",
    example="close 142 planned maintenance",
    button="Close…",
    form=(Field("reason", "Why it is over; needed while it still fires", optional=True),),
    danger=True,
)
def close(call: Call) -> str:
    alert = response.close(call.desk, call.alert(), call.actor, reason=call.rest)
    return CLOSED.format(name=alert.name)
