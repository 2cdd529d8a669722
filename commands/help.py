"""What you may say here."""

from collections.abc import Iterable

from bot.services.leave import authority
from commands import Call, Command, Group, command, named

GROUPS: tuple[Group, ...] = ("this alert", "runbooks", "who is on", "looking back")
HEAD = "*{group}*"
LINE = "• `{slash} {example}` {help}"
WHOLE = "`{slash} {name}{usage}` {help}. Example: `{slash} {example}`"
MORE = "`{slash} help run` tells more about one of them. "
FOOT = "In an alert's thread, where Slack takes no slash commands, mention the bot: `@Vigie show`."


@command(
    "help",
    usage="[command]",
    help="what you may do here",
    example="help note",
    level="read",
    group="looking back",
)
def help(call: Call) -> str:
    slash = call.desk.config.command
    if call.words:
        asked = named(call.family, call.words[0].removeprefix(slash), slash)
        authority.require(call.desk.config, call.actor, asked.name, asked.level)
        usage = f" {asked.usage}" if asked.usage else ""
        return WHOLE.format(slash=slash, name=asked.name, usage=usage, help=asked.help, example=asked.example)
    allowed = [each for each in call.family.values() if _is_for(each, call.actor.roles)]
    return "\n".join([*_grouped(allowed, slash), MORE.format(slash=slash) + FOOT])


def _is_for(each: Command, roles: frozenset[str]) -> bool:
    return authority.may(roles, each.level) and (not each.roles or not roles.isdisjoint(each.roles))


def _grouped(allowed: list[Command], slash: str) -> Iterable[str]:
    for group in GROUPS:
        members = [each for each in allowed if each.group == group]
        if members:
            yield HEAD.format(group=group.capitalize())
            yield from (LINE.format(slash=slash, help=each.help, example=each.example) for each in members)
