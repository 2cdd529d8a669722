"""What a runbook may say. The words follow AWS SSM Automation and GitHub Actions, so that people know them."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema, model_validator

Severity = Literal["critical", "high", "warning", "info"]
Rung = Literal["manual", "click", "automatic"]
RUNGS: tuple[Rung, ...] = ("manual", "click", "automatic")

_LENGTH = re.compile(r"(?:(\d+)d)?\s*(?:(\d+)h)?\s*(?:(\d+)m)?\s*(?:(\d+)s)?")
BAD_LENGTH = "write a length of time as 30s, 10m, 2h or 1h30m"
BAD_JUMP = "write abort, continue, or step: and the name of a step"


def length(given: Any) -> timedelta:
    """A length as people write it: 30s, 10m, 2h, 1h30m, 1d; raises ValueError."""
    if isinstance(given, timedelta):
        return given
    found = _LENGTH.fullmatch(given.strip()) if isinstance(given, str) else None
    if not found or not any(found.groups()):
        raise ValueError(BAD_LENGTH)
    days, hours, minutes, seconds = (int(each or 0) for each in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def written(span: timedelta) -> str:
    """The shortest way to write a length so that it reads back: 1h30m."""
    seconds = int(span.total_seconds())
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"


def _as_list(given: Any) -> Any:
    return [given] if isinstance(given, str | dict) else given


def _jump(given: Any) -> Any:
    if given in ("abort", "continue") or (isinstance(given, str) and re.fullmatch(r"step:[a-z0-9][a-z0-9_-]*", given)):
        return given
    raise ValueError(BAD_JUMP)


LENGTH_SCHEMA = {"type": "string", "pattern": r"^(\d+d)?\s*(\d+h)?\s*(\d+m)?\s*(\d+s)?$"}
Length = Annotated[timedelta, BeforeValidator(length), PlainSerializer(written), WithJsonSchema(LENGTH_SCHEMA)]
Jump = Annotated[str, BeforeValidator(_jump)]
NAMES_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
Names = Annotated[tuple[str, ...], BeforeValidator(_as_list), WithJsonSchema(NAMES_SCHEMA)]
Value = str | int | float | bool | None


class Part(BaseModel):
    """A section: unknown keys are faults, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _nothing_said(cls, given: Any) -> Any:
        """`edge:` with nothing after it is a section that says nothing, not a fault."""
        return {} if given is None else given


class When(Part):
    """Which alerts are meant; every given field must match."""

    service: tuple[str, ...] = ()
    severity: tuple[Severity, ...] = ()
    source: tuple[str, ...] = ()
    name: Annotated[Names, Field(description="The alert's name, or several; * and ? stand for anything")] = ()
    labels: Annotated[dict[str, str], Field(description="Label: value; * and ? stand for anything")] = {}


class Parameter(Part):
    """One value that a run needs."""

    type: Literal["string", "integer", "number", "boolean", "length"] = "string"
    description: str = ""
    default: Value = None
    enum: tuple[Value, ...] = ()
    pattern: Annotated[str | None, Field(description="A regular expression that the whole value must match")] = None
    minimum: float | None = None
    maximum: float | None = None
    secret: Annotated[bool, Field(description="Never shown: not in Slack, not in a row, not in a log")] = False
    source: Annotated[
        str | None,
        Field(alias="from", description="Where the value comes from when nobody gives it: alert.label.NAME, alert.service"),
    ] = None

    @property
    def required(self) -> bool:
        return self.default is None and self.source is None


class Retry(Part):
    """How often a step that failed is tried again, as long as that is safe."""

    attempts: Annotated[int, Field(ge=1, le=10, description="All together, 1 to 10")] = 1
    every: Length = timedelta(seconds=10)


class Approve(Part):
    """Whose yes a step needs. The one who asked for the run can never give it."""

    by: Annotated[Names, Field(description="Roles of vigie.yaml, one of which is enough")] = ("lead", "approver")
    side: Annotated[
        Literal["any", "own", "partner", "other"],
        Field(description="Whose people: the platform's owner, the partner, or the company other than that of the asker"),
    ] = "any"
    count: Annotated[int, Field(ge=1, le=5, description="How many different people")] = 1
    expires: Length = timedelta(minutes=15)

    @model_validator(mode="before")
    @classmethod
    def _yes(cls, given: Any) -> Any:
        return {} if given is True else given


class Use(Part):
    """An action with its parameters."""

    uses: Annotated[str, Field(description="An action: aws.ecs.restart_service")]
    with_: Annotated[dict[str, Any], Field(alias="with", description="What the action is given")] = {}
    timeout: Annotated[Length, Field(description="How long it may take until it is seen to have worked")] = timedelta(minutes=10)


class Step(Use):
    """One thing that is done."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", description="Unique in the runbook: drain-target")]
    title: Annotated[str, Field(description="As the thread calls it; without it, the name")] = ""
    retry: Retry = Retry()
    on_failure: Annotated[Jump, Field(description="abort (undo what was done), continue, or step:NAME")] = "abort"
    undo: Annotated[
        Literal["auto", "none"] | Use,
        Field(description="auto: the action's own way back; none: there is no way back, and you know it; or another action"),
    ] = "auto"
    approve: Annotated[Approve | None, Field(description="Whose yes it needs first; `true` for a lead or approver")] = None
    verify: Annotated[
        Literal["auto", "none"] | Use,
        Field(description="auto: as the action looks; none: its answer is enough; or another action that reads"),
    ] = "auto"
    idempotent: Annotated[
        bool | None, Field(description="false: never done twice by itself, even where the action could be")
    ] = None
    end: Annotated[bool, Field(description="The run ends well after this step; later ones are reached by on_failure")] = False

    @property
    def caption(self) -> str:
        return self.title or self.name


class Check(Use):
    """One proof that the world is well; it only reads."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
    title: str = ""


class Limits(Part):
    """Brakes of automation."""

    per_hour: Annotated[int, Field(ge=1, le=60, description="Automatic runs for one target within an hour")] = 2
    stop_after_failures: Annotated[int, Field(ge=1, le=10, description="In a row; then a person must look first")] = 1


class Runbook(Part):
    """What to do about an alert, step by step."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$", description="The file's name without .yaml")]
    title: Annotated[str, Field(min_length=1, max_length=80, description="As people call it: Queue backlog")]
    description: str = ""
    owner: Annotated[str, Field(description="Who keeps it right: an organisation or a person of vigie.yaml")]
    reviewed: Annotated[date, Field(description="When somebody last read it through: 2026-11-04")]
    when: Annotated[tuple[When, ...], BeforeValidator(_as_list)] = ()
    parameters: dict[str, Parameter] = {}
    automation: Annotated[Rung, Field(description="The highest rung it may climb to")] = "click"
    lock: Annotated[
        str | None, Field(description="One run at a time for this: ${{ params.cluster }}; without it, the alert's service")
    ] = None
    busy: Annotated[Literal["wait", "refuse"], Field(description="What a second run for the same target does")] = "refuse"
    limits: Limits = Limits()
    probation: Annotated[Length | None, Field(description="Quiet time after recovery; without it, that of vigie.yaml")] = None
    on_cancel: Annotated[Literal["undo", "keep"], Field(description="What becomes of steps done when it is cancelled")] = "keep"
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    verify: Annotated[tuple[Check, ...], Field(description="Read-only proofs, by other eyes than the alert's own")] = ()

    @property
    def version(self) -> str:
        """Twelve characters that change with anything in it."""
        return digest(self.snapshot())[:12]

    def snapshot(self) -> dict[str, Any]:
        """All of it as JSON holds it; `Runbook.model_validate` reads it back."""
        return self.model_dump(mode="json", by_alias=True)


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of a document, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()
