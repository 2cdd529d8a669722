"""What lies between two steps: time, and a person's answer."""

from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field, field_validator

from runbooks.actions import Action, Look, Outcome, Params, Service, State, World
from runbooks.model import Length, written

TOO_LONG = "wait from one second to a day"
WAIT = "would wait {duration}"
WAITING = "waits until {until:%H:%M:%S} UTC"
WAITED = "has waited {duration}"
NOT_BEGUN = "the wait has not begun"

ANSWERED = "answered with yes"

SHORTEST, LONGEST = timedelta(seconds=1), timedelta(days=1)


class Waited(Params):
    """How long."""

    duration: Length = Field(description="30s, 10m, 2h")

    @field_validator("duration")
    @classmethod
    def _bounded(cls, given: timedelta) -> timedelta:
        if not SHORTEST <= given <= LONGEST:
            raise ValueError(TOO_LONG)
        return given


class Wait(Action[Waited]):
    """Wait a while"""

    name = "flow.wait"
    params = Waited
    example: ClassVar[State] = {"duration": "10m"}
    verified = "the time has passed"

    def target(self, params: Waited) -> str:
        return "flow:wait"

    def plan(self, params: Waited, before: State) -> str:
        return WAIT.format(duration=written(params.duration))

    def act(self, world: World, params: Waited, before: State) -> Outcome:
        until = world.now + params.duration
        return Outcome(WAITING.format(until=until), {"started": world.now.isoformat()})

    def look(self, world: World, params: Waited, before: State, outputs: State) -> Look:
        if "started" not in outputs:
            return Look("not seen", NOT_BEGUN)
        until = datetime.fromisoformat(outputs["started"]) + params.duration
        if world.now < until:
            return Look("under way", WAITING.format(until=until))
        return Look("done", WAITED.format(duration=written(params.duration)))


class Asked(Params):
    """What a person is asked."""

    question: str = Field(min_length=3, max_length=500, description="So that yes is an answer: Is the bank's status page red?")


class Ask(Action[Asked]):
    """Ask a person, and go on only after a yes"""

    name = "flow.ask"
    params = Asked
    example: ClassVar[State] = {"question": "Does the bank confirm the outage?"}
    verified = "a person has answered yes"
    asks = "a person answers the question"

    def target(self, params: Asked) -> str:
        return "flow:ask"

    def plan(self, params: Asked, before: State) -> str:
        return params.question

    def act(self, world: World, params: Asked, before: State) -> Outcome:
        """Nothing: that it is called at all is the answer."""
        return Outcome(ANSWERED)

    def look(self, world: World, params: Asked, before: State, outputs: State) -> Look:
        return Look("done", ANSWERED)


SERVICE = Service("flow", (Wait(), Ask()))
