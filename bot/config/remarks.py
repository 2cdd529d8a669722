"""How a rule about vigie.yaml or a runbook speaks: what is wrong, where, and what would be right."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.config.models import Config
from runbooks.actions import Action
from runbooks.model import Runbook

Place = tuple[str | int, ...]

DID_YOU_MEAN = 'Did you mean "{near}"?'
ONE_OF = "Known: {known}."
AND_MORE = " and {count} more"
NONE_YET = "There is none yet: add it first."

MOST_LISTED = 12


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that a rule found at one place of the file."""

    place: Place
    what: str
    right: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Saying:
    """The words of one rule."""

    what: str
    right: str
    warning: bool = False

    def at(self, *place: str | int, **values: object) -> Remark:
        return Remark(place, self.what.format(**values), self.right.format(**values), self.warning)


UNKNOWN_NAME = Saying('"{name}" is not in `{section}`', "{hint}")


@dataclass(frozen=True, slots=True)
class Book:
    """The configuration under examination, with every name that the file gives (None: that section cannot be read)."""

    config: Config
    names: Mapping[str, frozenset[str] | None]

    def known(self, section: str, name: str | None, *place: str | int, also: Iterable[str] = ()) -> Iterator[Remark]:
        """A remark unless `section` of the file has `name`."""
        names = self.names[section]
        if name is not None and names is not None and name not in names.union(also):
            yield UNKNOWN_NAME.at(*place, name=name, section=section, hint=hint(name, names))


@dataclass(frozen=True, slots=True)
class Draft:
    """A runbook under examination, with all that it speaks of (None: that cannot be known)."""

    runbook: Runbook
    file: str                               # its name without .yaml
    actions: Mapping[str, Action[Any]]
    config: Config | None
    today: date | None


def hint(name: str, known: Iterable[str]) -> str:
    """The nearest known name, or the known ones."""
    choices = {choice.lower(): choice for choice in sorted(known)}
    near = difflib.get_close_matches(name.lstrip("#@/").lower(), choices, n=1, cutoff=0.6)
    if near:
        return DID_YOU_MEAN.format(near=choices[near[0]])
    listed = list(choices.values())[:MOST_LISTED]
    rest = AND_MORE.format(count=len(choices) - MOST_LISTED) if len(choices) > MOST_LISTED else ""
    return ONE_OF.format(known=", ".join(listed) + rest) if listed else NONE_YET
