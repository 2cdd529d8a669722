"""Collects the members of a family: one file, one member; a double name stops the start."""

import importlib
import pkgutil
from types import ModuleType
from typing import Protocol, TypeVar

from bot.errors import Misbuilt

NOT_ONE = "{file} must hold exactly one {kind}, it holds {count}"
TAKEN = "{file} takes the name '{name}', which another file of {family} has"


class Named(Protocol):
    @property
    def name(self) -> str: ...


Member = TypeVar("Member", bound=Named)


def discover(family: ModuleType, kind: type[Member]) -> dict[str, Member]:
    """The members of `family` by name, in the order of their files; a folder beside them holds what they share.

    Raises Misbuilt on a file with no member or with two, and on a taken name.
    """
    found: dict[str, Member] = {}
    files = (each for each in pkgutil.iter_modules(family.__path__) if not each.ispkg)
    for info in sorted(files, key=lambda each: each.name):
        module = importlib.import_module(f"{family.__name__}.{info.name}")
        members = [value for value in vars(module).values() if isinstance(value, kind)]
        if len(members) != 1:
            raise Misbuilt(NOT_ONE.format(file=module.__name__, kind=kind.__name__, count=len(members)))
        member = members[0]
        if member.name in found:
            raise Misbuilt(TAKEN.format(file=module.__name__, name=member.name, family=family.__name__))
        found[member.name] = member
    return found
