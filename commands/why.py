"""Why an alert was judged as it was."""

from bot.services.alert import inquiry
from commands import Call, command


@command(
    "why",
    usage="<alert>",
    help="why an alert is important or not, and why it was closed",
    example="why 142",
    level="read",
    button="Why?",
)
def why(call: Call) -> str:
    return inquiry.why(call.desk, call.alert())
