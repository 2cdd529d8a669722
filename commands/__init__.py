"""FAMILY: what can be said in Slack. One file, one subcommand; a line, a button and a form become the same Call."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.errors import Refused
from bot.services.alert import response
from bot.services.call import receipts
from bot.services.desk import Actor, Desk
from bot.services.leave.authority import Level
from bot.services.run import pointing
from bot.services.slack.forms import Field as Field
from bot.services.slack.forms import Fields as Fields
from bot.services.slack.runcards import thing
from bot.store.alerts import Alert
from bot.store.runs import Run

Way = Literal["line", "button", "form", "mention"]
Group = Literal["this alert", "runbooks", "who is on", "looking back"]

WHICH_ALERT = "Which alert? Say its number, for instance `{command} {verb} 142`; `{command} status` lists what is open."
UNKNOWN_COMMAND = "There is no command \"{word}\". {hint}`{command} help` lists what you may do."
DID_YOU_MEAN = "Did you mean {names}? "


@dataclass(frozen=True, slots=True)
class Call:
    """Who said what, where. `ref` is what a button or a thread names: an alert (142) or a run (run57); else words do."""

    desk: Desk
    actor: Actor
    words: tuple[str, ...] = ()
    ref: str | None = None
    family: "Mapping[str, Command]" = field(default_factory=dict)
    verb: str = "ack"
    way: Way = "line"

    def alert(self) -> Alert:
        """The alert that is meant; raises Refused with the nearest one that exists."""
        ref = self.ref or (self.words[0] if self.words else None)
        if ref is None:
            raise Refused(WHICH_ALERT.format(command=self.desk.config.command, verb=self.verb))
        found = response.find(self.desk, ref)
        receipts.read(self.desk, found, self.actor)
        return found

    def run(self) -> tuple[Run, tuple[str, ...]]:
        """The run that is meant, and the words that follow; raises Refused."""
        return pointing.pick(self.desk, self.verb, self.ref, self.words)

    @property
    def args(self) -> tuple[str, ...]:
        """The words after the alert's number."""
        return self.words if self.ref else self.words[1:]

    @property
    def rest(self) -> str:
        return " ".join(self.args)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a form is about: how that is called (#142, run 57), a text about it, how a click names it, what else was said."""

    name: str = ""
    about: str = ""
    ref: str | None = None
    said: tuple[str, ...] = ()
    yes: str = ""               # what its button says; without it, what the command does


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
    form: Fields | Callable[[Call], Fields | None] = ()     # None: of this there is nothing to ask
    danger: bool = False
    group: Group = "this alert"
    subject: Callable[[Call], Subject] = lambda call: about_alert(call)     # what its form is about
    roles: tuple[str, ...] = ()     # to whom help shows it; who may, each service says itself

    def fields(self, call: Call) -> Fields:
        """What its form asks, now and about this."""
        return (self.form(call) or ()) if callable(self.form) else self.form

    def wants_form(self, call: Call) -> bool:
        """A button of a command with inputs opens the form; a typed line does when it lacks an input."""
        if not self.form or call.way not in ("line", "button"):
            return False
        if callable(self.form):
            asked = self.form(call)
            missing = any(not each.optional and each.initial is None for each in asked or ())
            return asked is not None and (call.way == "button" or missing)
        return not call.args if call.way == "button" else len(call.args) < self.inputs

    @property
    def inputs(self) -> int:
        """How many words must follow what the line is about."""
        return 0 if callable(self.form) else sum(not each.optional for each in self.form)


def about_alert(call: Call) -> Subject:
    alert = call.alert()
    return Subject(alert.name, response.headline(alert), str(alert.id), call.args)


def about_run(call: Call) -> Subject:
    run, said = call.run()
    return Subject(run.name, f"\"{run.title}\" on {thing(run)}", f"run{run.id}", said)


def command(
    name: str,
    *,
    usage: str = "",
    help: str,
    example: str,
    level: Level = "act",
    button: str | None = None,
    form: Fields | Callable[[Call], Fields | None] = (),
    danger: bool = False,
    group: Group = "this alert",
    subject: Callable[[Call], Subject] = about_alert,
    roles: tuple[str, ...] = (),
) -> Callable[[Callable[[Call], str]], Command]:
    """Makes a subcommand out of a function."""

    def make(run: Callable[[Call], str]) -> Command:
        return Command(name, run, usage, help, example, level, button, form, danger, group, subject, roles)

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
