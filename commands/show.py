"""All about one alert."""

from bot.services.alert import inquiry
from commands import Call, command


@command(
    "show",
    usage="<alert>",
    help="all about one alert: who sees it, what was written and done",
    example="show 142",
    level="read",
    button="What happened",
)
def show(call: Call) -> str:
    return inquiry.about(call.desk, call.alert())
