"""What lies between two steps: time, a person's answer, a page with what was found."""

from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field, field_validator

from runbooks.actions import Action, Attachment, Look, Outcome, Params, Service, State, World
from runbooks.model import Length, written

TOO_LONG = "wait from one second to a day"
WAIT = "would wait {duration}"
WAITING = "waits until {until:%H:%M:%S} UTC"
WAITED = "has waited {duration}"
NOT_BEGUN = "the wait has not begun"

ANSWERED = "answered with yes"

WRITE = "would write down what was found, as {name}"
WRITTEN = "{name} is in the thread"
HEAD = "{label}, {now:%Y-%m-%d %H:%M:%S} UTC"
ALT = "{name}: what was found until {now:%H:%M} UTC"

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

    def lasts(self, params: Waited) -> timedelta:
        return params.duration

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
            return Look("under way", WAITING.format(until=until), again_s=(until - world.now).total_seconds())
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


class Written(Params):
    """A page."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}\.(txt|md|csv)$", description="The file's name: bank-api-down.txt")
    text: str = Field(min_length=1, max_length=20_000, description="What it says; ${{ }} brings in what earlier steps have found")


class Report(Action[Written]):
    """Write down what was found, as a file in the run's thread."""

    name = "flow.report"
    params = Written
    example: ClassVar[State] = {"name": "bank-api-down.txt", "text": "Requests that failed: 412"}
    verified = "the file is written"

    def target(self, params: Written) -> str:
        return f"flow:{params.name}"

    def plan(self, params: Written, before: State) -> str:
        return WRITE.format(name=params.name)

    def act(self, world: World, params: Written, before: State) -> Outcome:
        """The first line says who wrote it and when: it leaves the thread for those who ask for evidence."""
        text = f"{HEAD.format(label=world.label, now=world.now)}\n\n{params.text.strip()}\n"
        page = Attachment(params.name, text.encode(), ALT.format(name=params.name, now=world.now))
        return Outcome(WRITTEN.format(name=params.name), {"file": params.name}, files=(page,))

    def look(self, world: World, params: Written, before: State, outputs: State) -> Look:
        return Look("done", WRITTEN.format(name=params.name))


SERVICE = Service("flow", (Wait(), Ask(), Report()))
