"""FAMILY: what can be said in Slack. One file, one subcommand; a typed line, a button and a modal become the same Call."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from bot.errors import Refused
from bot.services import response
from bot.services.alerts import Alert
from bot.services.desk import Actor, Desk

Level = Literal["read", "act"]


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
    family: "dict[str, Command]" = field(default_factory=dict)

    def alert(self) -> Alert:
        """The alert that is meant; raises Refused with the nearest one that exists."""
        ref = self.alert_ref or (self.words[0] if self.words else None)
        if ref is None:
            raise Refused("Which alert? Say its number, for instance 142; `status` lists what is open.")
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
) -> Callable[[Callable[[Call], str]], Command]:
    """Makes a subcommand out of a function."""

    def make(run: Callable[[Call], str]) -> Command:
        return Command(name, run, usage, help, example, level, button, form, danger)

    return make
