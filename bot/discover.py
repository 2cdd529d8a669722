"""Collects the members of a family: one file, one member; a double name stops the start."""

import importlib
import pkgutil
from types import ModuleType
from typing import Protocol, TypeVar

from bot.errors import Misbuilt


class Named(Protocol):
    @property
    def name(self) -> str: ...


Member = TypeVar("Member", bound=Named)


def discover(family: ModuleType, kind: type[Member]) -> dict[str, Member]:
    """The members of `family` by name, in the order of their files; raises Misbuilt on none, two in a file, or a taken name."""
    found: dict[str, Member] = {}
    for info in sorted(pkgutil.iter_modules(family.__path__), key=lambda each: each.name):
        module = importlib.import_module(f"{family.__name__}.{info.name}")
        members = [value for value in vars(module).values() if isinstance(value, kind)]
        if len(members) != 1:
            raise Misbuilt(f"{module.__name__} must hold exactly one {kind.__name__}, it holds {len(members)}")
        member = members[0]
        if member.name in found:
            raise Misbuilt(f"{module.__name__} takes the name '{member.name}', which another file of {family.__name__} has")
        found[member.name] = member
    return found
