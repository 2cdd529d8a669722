"""What a scripted service is: the calls it answers otherwise than moto, and what time does to its resources."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from bot.doubles.aws.resources import Resources
from bot.doubles.aws.wire import Call, Json
from bot.ports import Clock

Onward = Callable[[], Json]                     # lets moto do it, and gives what moto says
Handler = Callable[[Any, Call, Onward], Json]
H = TypeVar("H", bound=Handler)


@dataclass(slots=True)
class Ground:
    """On what the scripts stand: the clock, moto, where we are, and how many times faster than life all goes."""

    clock: Clock
    resources: Resources
    account: str
    region: str
    speed: float

    def now(self) -> datetime:
        return self.clock.now()

    def after(self, seconds: float) -> datetime:
        """When something that takes so long will be done."""
        return self.now() + timedelta(seconds=seconds / self.speed)

    def past(self, since: datetime, seconds: float) -> bool:
        """Whether that long has gone by since then."""
        return self.now() >= since + timedelta(seconds=seconds / self.speed)

    def arn(self, service: str, resource: str, region: str | None = None) -> str:
        return f"arn:aws:{service}:{self.region if region is None else region}:{self.account}:{resource}"


def answers(*operations: str) -> Callable[[H], H]:
    """Marks the method that answers these operations."""

    def mark(method: H) -> H:
        method.operations = operations      # type: ignore[attr-defined]
        return method

    return mark


class Script:
    """One service. A handler returns the answer, calls `onward()` for moto's, or raises Refusal."""

    service: ClassVar[str]

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    @classmethod
    def handlers(cls) -> dict[str, Handler]:
        return {name: method for method in _methods(cls) for name in method.operations}

    def settle(self) -> None:
        """Called before every call, and after those that change something: notices what is new, moves what time moves."""


def _methods(cls: type[Script]) -> Iterator[Any]:
    for kind in reversed(cls.__mro__):
        yield from (method for method in vars(kind).values() if hasattr(method, "operations"))
