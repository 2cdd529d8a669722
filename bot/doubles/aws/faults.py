"""What goes wrong with AWS on order: throttled, broken, slow, refused, or done without an answer."""

from dataclasses import dataclass
from typing import Literal

from bot.doubles.aws.wire import Call, Refusal

Kind = Literal["refuse", "refuse late", "slow", "hang up", "hang"]

THROTTLED = Refusal("ThrottlingException", "Rate exceeded", 400)
EC2_THROTTLED = Refusal("RequestLimitExceeded", "Request limit exceeded.", 503)
QUERY_THROTTLED = Refusal("Throttling", "Rate exceeded", 400)
BROKEN = Refusal("InternalFailure", "The request processing has failed because of an unknown error.", 500)


@dataclass(slots=True)
class Fault:
    """One kind of trouble, for so many calls of an operation (of all of them where it is empty)."""

    kind: Kind
    service: str
    operation: str
    times: int
    refusal: Refusal | None = None
    seconds: float = 0.0

    def meets(self, call: Call) -> bool:
        return self.times > 0 and self.service == call.service and self.operation in ("", call.operation)


class Faults:
    """The troubles on order; services are named as boto3 names them."""

    def __init__(self) -> None:
        self.planned: list[Fault] = []

    def throttle(self, service: str, operation: str = "", times: int = 1) -> None:
        """Too many calls, come later: nothing happens."""
        queries = {"ec2": EC2_THROTTLED, "autoscaling": QUERY_THROTTLED, "elbv2": QUERY_THROTTLED, "rds": QUERY_THROTTLED}
        self.planned.append(Fault("refuse", service, operation, times, queries.get(service, THROTTLED)))

    def refuse(self, service: str, operation: str = "", code: str = "AccessDenied", message: str = "", *,
               status: int = 400, times: int = 1) -> None:
        """Says no with this code: nothing happens."""
        self.planned.append(Fault("refuse", service, operation, times, Refusal(code, message, status)))

    def broken(self, service: str, operation: str = "", times: int = 1, *, done: bool = False) -> None:
        """Answers 500; `done` says that the effect happens all the same."""
        self.planned.append(Fault("refuse late" if done else "refuse", service, operation, times, BROKEN))

    def slow(self, service: str, operation: str = "", seconds: float = 1.0, times: int = 1) -> None:
        """Answers rightly, after so many real seconds."""
        self.planned.append(Fault("slow", service, operation, times, seconds=seconds))

    def lose(self, service: str, operation: str = "", times: int = 1, *, hang: bool = False) -> None:
        """The effect happens and no answer comes: the line is cut, or hangs until the caller gives up."""
        self.planned.append(Fault("hang" if hang else "hang up", service, operation, times))

    def clear(self) -> None:
        self.planned.clear()

    def meet(self, call: Call) -> Fault | None:
        """The trouble this call runs into, counted."""
        found = next((fault for fault in self.planned if fault.meets(call)), None)
        if found is not None:
            found.times -= 1
        return found
