"""FAMILY: what a step of a runbook can do. One file, one service; its member is a `Service` value that lists its actions.

An action knows five things: how the world was before, what it would change, how to change it, how to see that it worked,
and how to undo it. The order in which Vigie asks is always

    before -> plan -> (a person approves exactly this plan) -> act -> look, look, look ... -> (undo)

`before`, `plan`, `look` only read. `act` and `undo` are called once for each attempt, on clients that never send twice by
themselves. An action keeps no state and never sleeps: what it must remember it returns, and waiting is done outside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

State = Mapping[str, Any]       # what JSON can hold: it is written down before the call, and read again after a crash
Seen = Literal["done", "under way", "not seen", "failed"]

MOST_SAID = 300                 # characters of a sentence about a step


class Params(BaseModel):
    """What a step gives to its action: unknown names are faults, every field has a description."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


P = TypeVar("P", bound=Params)


class Failed(Exception):
    """The world said no, or a guard did, and nothing was changed; the message is a sentence for people.

    `again` says whether the very same call may work a little later (throttled, another deployment is under way).
    """

    def __init__(self, said: str, again: bool = False) -> None:
        super().__init__(said)
        self.again = again


class Unsure(Exception):
    """It was sent and no answer came: nobody knows whether it happened. Only reading the world can tell."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file for the run's thread; `alt` says in words what it shows."""

    name: str
    content: bytes
    alt: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an act did: a sentence for people, values for later steps (`${{ steps.NAME.outputs.KEY }}`), all it printed."""

    said: str
    outputs: State = field(default_factory=dict)
    log: str = ""
    files: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """What the world shows of it: done; under way; not seen (yet, or never happened); failed (it will not become done)."""

    seen: Seen
    said: str
    outputs: State = field(default_factory=dict)
    again_s: float | None = None    # so long there is nothing new to see; without it, the action's `poll_s`


@dataclass(frozen=True, slots=True)
class Place:
    """Where AWS resources are, to name them by ARN."""

    account: str
    region: str
    partition: str = "aws"

    def arn(self, service: str, resource: str, region: str | None = None) -> str:
        """arn:aws:ecs:eu-west-3:111122223333:service/payments/pay-api; an empty `region` for global services."""
        where = self.region if region is None else region
        return f"arn:{self.partition}:{service}:{where}:{self.account}:{resource}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP address said; `body` is bounded."""

    status: int
    body: str
    took_s: float


@dataclass(frozen=True, slots=True)
class Errand:
    """On whose behalf, for which step, and what it may do there: a World is made for exactly this."""

    run: int
    step: int
    person: str                     # the key in vigie.yaml, or vigie
    organisation: str
    alert: int | None
    now: datetime
    acting: bool                    # false: it only looks
    actions: tuple[str, ...] = ()   # IAM actions that a session policy allows
    resources: tuple[str, ...] = () # ... those that change something, only on these ARNs
    reads: tuple[str, ...] = ()
    until: datetime | None = None   # a change is not sent later: somebody else may look by then what became of it

    @property
    def label(self) -> str:
        return f"vigie-run{self.run}-step{self.step + 1}"


class World(Protocol):
    """What an action is given. Its clients stand under the right role and endpoint, and never send twice by themselves.

    Errors of boto3 and of Datadog's client may simply be raised on: they are told apart outside (refused, try later, no
    answer), by `runbooks/faults.py`.
    """

    @property
    def now(self) -> datetime:
        """The present instant, UTC."""

    @property
    def token(self) -> str:
        """A UUID that is the same for every attempt at this step of this run: for APIs that take an idempotency token."""

    @property
    def label(self) -> str:
        """A short name for tags, comments and snapshots: vigie-run57-step2."""

    @property
    def place(self) -> Place:
        """Where the AWS resources are."""

    @property
    def allowed(self) -> Mapping[str, Sequence[str]]:
        """Lists of vigie.yaml that bound what may be called: `documents` of SSM, `addresses` never to block ..."""

    def aws(self, service: str, region: str | None = None) -> Any:
        """A boto3 client."""

    def datadog(self, organisation: str) -> Any:
        """A `datadog_api_client.ApiClient` of that organisation's account."""

    def get(self, url: str, timeout_s: float) -> Answer:
        """One HTTP GET that follows no redirects; raises Unsure when nobody answers in time."""


class Worlds(Protocol):
    """Makes what a step sees of the world."""

    @property
    def place(self) -> Place:
        """Where the AWS resources are."""

    def world(self, errand: Errand) -> World:
        """Clients with exactly the rights that the errand names; raises bot.errors.Unavailable, and nothing was done."""

    def secret(self, reference: str) -> str:
        """The secret of that name; raises bot.errors.Misbuilt or Unavailable."""


class Action(Generic[P]):
    """One thing a step can do. Subclasses say everything about it; the docstring's first line is its help."""

    name: ClassVar[str]                         # aws.ecs.restart_service
    params: type[P]
    example: ClassVar[Mapping[str, Any]]        # a `with:` that is valid
    changes: ClassVar[str] = ""                 # what it changes in the world, in words; empty: it only reads
    idempotent: ClassVar[bool] = True           # whether doing it twice is the same as doing it once
    verified: ClassVar[str] = ""                # how success is seen, in words
    no_undo: ClassVar[str] = ""                 # why there is no way back; empty: `undo` is it
    reads: ClassVar[tuple[str, ...]] = ()       # least IAM actions (ecs:DescribeServices) for before, look
    writes: ClassVar[tuple[str, ...]] = ()      # least IAM actions for act and undo, on `resources` only
    poll_s: ClassVar[float] = 5.0               # between two looks
    settle_s: ClassVar[float] = 60.0            # after an unknown outcome: so long nothing seen, and a person decides
    asks: ClassVar[str] = ""                    # not empty: a person must say yes before it acts, whatever the runbook says

    @property
    def help(self) -> str:
        return (type(self).__doc__ or "").strip().splitlines()[0]

    @property
    def mutates(self) -> bool:
        return bool(self.changes)

    def target(self, params: P) -> str:
        """The one thing it is about, as locks and mandates name it: ecs:payments/pay-api, rds:pay-db, host:hooks.example."""
        raise NotImplementedError

    def resources(self, params: P, before: State, place: Place) -> Sequence[str]:
        """The ARNs on which `writes` are needed; nothing else is allowed while it runs."""
        return ()

    def lasts(self, params: P) -> timedelta:
        """How long it takes on purpose, a wait or a watch: the step's timeout counts from then on."""
        return timedelta()

    def before(self, world: World, params: P) -> State:
        """The state that `undo` needs and `look` compares with; raises Failed when a guard forbids to go on."""
        return {}

    def plan(self, params: P, before: State) -> str:
        """What would happen, and from what to what: set desired capacity of pay-api from 18 to 14. A person approves this."""
        raise NotImplementedError

    def act(self, world: World, params: P, before: State) -> Outcome:
        """Does it, once. Raises Failed, Unsure, or what the client raises."""
        raise NotImplementedError

    def look(self, world: World, params: P, before: State, outputs: State) -> Look:
        """Whether it worked, from the world alone; `outputs` are those of `act`, empty when its answer was lost.

        After a lost answer "not seen" must mean: nothing shows that it happened.
        """
        raise NotImplementedError

    def undo(self, world: World, params: P, before: State, outputs: State) -> Outcome:
        """Brings `before` back. Must be safe to repeat, unless `idempotent` is false."""
        raise NotImplementedError

    def undone(self, world: World, params: P, before: State, outputs: State) -> Look:
        """Whether `before` is back; by default: what is read now equals what was read then."""
        same = dict(self.before(world, params)) == dict(before)
        return Look("done", "as it was before") if same else Look("under way", "not yet as it was before")


@dataclass(frozen=True, slots=True)
class Service:
    """A family member: the actions of one service, by what they are called in a runbook."""

    name: str                                   # aws.ecs
    actions: tuple[Action[Any], ...]
