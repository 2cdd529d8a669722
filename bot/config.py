"""vigie.yaml: organisations, people, channels, services, endpoints, rules."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Severity = Literal["critical", "high", "warning", "info"]
Role = Literal["engineer", "lead", "manager", "approver"]


class Part(BaseModel):
    """A section of vigie.yaml: unknown keys are faults, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Organisation(Part):
    """An employer."""

    name: str
    kind: Literal["own", "partner"]
    timezone: str = "Europe/Paris"
    blackout: str | None = None


class Person(Part):
    """Somebody who may be known to Vigie by (Slack team, Slack user)."""

    name: str
    slack: str
    team: str | None = None
    organisation: str
    roles: tuple[Role, ...] = ("engineer",)


class Service(Part):
    """Something of the platform that is watched."""

    channel: str | None = None
    description: str = ""


class Topic(Part):
    """An SNS topic whose messages are believed."""

    arn: str
    signature_versions: tuple[Literal["1", "2"], ...] = ("2",)


class Endpoint(Part):
    """A door for one source: decides organisation, observer and credential."""

    source: str
    organisation: str
    observer: str | None = None
    secrets: tuple[str, ...] = ()
    topics: tuple[Topic, ...] = ()
    queue_url: str | None = None


class When(Part):
    """Which alerts a rule is about; every given field must match."""

    service: tuple[str, ...] = ()
    severity: tuple[Severity, ...] = ()
    source: tuple[str, ...] = ()
    name: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)


class Rule(Part):
    """The first rule that matches decides what an alert is worth."""

    name: str
    when: When = When()
    severity: Severity | None = None
    important: bool | None = None
    channel: str | None = None
    line: int = 0


class Probation(Part):
    """Minutes of quiet after a recovery before an alert is closed for good."""

    minutes: Annotated[int, Field(ge=0, le=1440)] = 15


class Config(Part):
    """The whole of vigie.yaml."""

    workspace: str
    command: str = "/vigie"
    public_url: str | None = None
    default_channel: str
    review_channel: str | None = None
    organisations: dict[str, Organisation]
    people: dict[str, Person]
    channels: dict[str, str]
    services: dict[str, Service]
    endpoints: dict[str, Endpoint]
    rules: tuple[Rule, ...] = ()
    probation: Probation = Probation()
