"""What the partner's people may do."""

from bot.errors import Refused
from bot.services.leave import contracts
from commands import Call, command

WHAT = "Say confirm or withdraw: `{command} mandate {name} confirm`. `{command} mandate` shows each mandate."


@command(
    "mandate",
    usage="[name] [confirm|withdraw]",
    help="what the partner's people may do; a lead of each side confirms it, or withdraws it at once",
    example="mandate nights confirm",
    level="read",
    group="runbooks",
)
def mandate(call: Call) -> str:
    if not call.words:
        return contracts.overview(call.desk, call.actor)
    name, *verb = call.words
    if verb == ["confirm"]:
        return contracts.confirm(call.desk, name, call.actor)
    if verb == ["withdraw"]:
        return contracts.withdraw(call.desk, name, call.actor)
    raise Refused(WHAT.format(command=call.desk.config.command, name=name[:40]))
