"""What you may say here."""

from collections.abc import Iterable

from bot.services import authority
from commands import Call, Command, Group, command, named

GROUPS: tuple[Group, ...] = ("this alert", "runbooks", "who is on", "looking back")
HEAD = "*{group}*"
LINE = "• `{slash} {name}{usage}` {help}. Example: `{slash} {example}`"
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
        return _line(asked, slash)
    allowed = [each for each in call.family.values() if authority.may(call.actor.roles, each.level)]
    return "\n".join([*_grouped(allowed, slash), FOOT])


def _grouped(allowed: list[Command], slash: str) -> Iterable[str]:
    for group in GROUPS:
        members = [each for each in allowed if each.group == group]
        if members:
            yield HEAD.format(group=group.capitalize())
            yield from (_line(each, slash) for each in members)


def _line(each: Command, slash: str) -> str:
    usage = f" {each.usage}" if each.usage else ""
    return LINE.format(slash=slash, name=each.name, usage=usage, help=each.help, example=each.example)
