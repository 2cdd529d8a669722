"""FAMILY: what can be said in Slack. One file, one subcommand; a line, a button and a modal become the same Call."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.errors import Refused
from bot.services import response
from bot.services.authority import Level
from bot.services.desk import Actor, Desk
from bot.store.alerts import Alert

Group = Literal["this alert", "runbooks", "who is on", "looking back"]

WHICH_ALERT = "Which alert? Say its number, for instance `{command} {verb} 142`; `{command} status` lists what is open."
UNKNOWN_COMMAND = "There is no command \"{word}\". {hint}`{command} help` lists what you may do."
DID_YOU_MEAN = "Did you mean {names}? "


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a command's modal; its value stands in the line where the usage names it."""

    name: str
    label: str
    kind: Literal["text", "person", "duration"] = "text"
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """Who said what, where. `alert_ref` is given by a button or a thread; else the first word names the alert."""

    desk: Desk
    actor: Actor
    words: tuple[str, ...] = ()
    alert_ref: str | None = None
    family: "Mapping[str, Command]" = field(default_factory=dict)
    verb: str = "ack"

    def alert(self) -> Alert:
        """The alert that is meant; raises Refused with the nearest one that exists."""
        ref = self.alert_ref or (self.words[0] if self.words else None)
        if ref is None:
            raise Refused(WHICH_ALERT.format(command=self.desk.config.command, verb=self.verb))
        return response.find(self.desk, ref)

    @property
    def args(self) -> tuple[str, ...]:
        """The words after the alert's number."""
        return self.words if self.alert_ref else self.words[1:]

    @property
    def rest(self) -> str:
        return " ".join(self.args)


@dataclass(frozen=True, slots=True)
class Command:
    """A family member: the name as typed, how it is used, what it does, and its faces as button and modal."""

    name: str
    run: Callable[[Call], str]
    usage: str
    help: str
    example: str
    level: Level = "act"
    button: str | None = None
    form: tuple[Field, ...] = ()
    danger: bool = False
    group: Group = "this alert"

    @property
    def inputs(self) -> int:
        """How many words must follow the alert's number."""
        return sum(not each.optional for each in self.form)


def command(
    name: str,
    *,
    usage: str = "",
    help: str,
    example: str,
    level: Level = "act",
    button: str | None = None,
    form: tuple[Field, ...] = (),
    danger: bool = False,
    group: Group = "this alert",
) -> Callable[[Callable[[Call], str]], Command]:
    """Makes a subcommand out of a function."""

    def make(run: Callable[[Call], str]) -> Command:
        return Command(name, run, usage, help, example, level, button, form, danger, group)

    return make


def named(family: Mapping[str, Command], word: str, slash: str) -> Command:
    """The command that `word` names, whatever the case; raises Refused with the nearest ones."""
    name = word.lower()
    if name in family:
        return family[name]
    near = [each for each in family if name.startswith(each) or each.startswith(name)]
    near = near or difflib.get_close_matches(name, family, n=2, cutoff=0.5)
    hint = DID_YOU_MEAN.format(names=" or ".join(f"`{each}`" for each in near)) if near else ""
    raise Refused(UNKNOWN_COMMAND.format(word=word[:40], hint=hint, command=slash))
