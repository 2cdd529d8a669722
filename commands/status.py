"""What is open now, and what Vigie could not do."""

from bot.services.alert import overview
from commands import Call, command


@command(
    "status",
    help="what is open, and what Vigie could not take or post",
    example="status",
    level="read",
    group="looking back",
)
def status(call: Call) -> str:
    return overview.text(call.desk, call.actor)
