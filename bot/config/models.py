"""What vigie.yaml may say: organisations, people, channels, services, endpoints, rules; powers.py has the rest."""

import re
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field
from pydantic.json_schema import SkipJsonSchema

from bot.config.months import Month
from bot.config.nights import Coverage, Flag, Labour, Regime, Rotation, Team
from bot.config.powers import Aws, DatadogAccount, Mandate, Symptom
from runbooks.model import Part, Severity, When, digest

Role = Literal["engineer", "lead", "manager", "approver", "rota_admin"]
SignatureVersion = Annotated[Literal["1", "2"], BeforeValidator(lambda given: str(given) if given in (1, 2) else given)]

UNKNOWN_SERVICE = "unknown"


class Organisation(Part):
    """An employer."""

    name: Annotated[str, Field(min_length=1, description="As people call it: Bridge")]
    kind: Annotated[Literal["own", "partner"], Field(description="own: it owns the platform; partner: it helps")]
    timezone: Annotated[str, Field(description="IANA name: Europe/Paris")] = "Europe/Paris"
    blackout: Annotated[
        str | None,
        Field(description="Hours of its own zone in which nothing of ours may reach its people: 00:00-08:00"),
    ] = None
    break_glass: Annotated[
        str | None, Field(description="The one of its people who may be reached in its blackout, when the glass is broken")
    ] = None
    labour: Annotated[Labour | None, Field(description="Working-time rules of its people; without it, none are checked")] = None


class Person(Part):
    """Somebody who may be known to Vigie by (Slack team, Slack user)."""

    name: Annotated[str, Field(min_length=1, description="As people call them: Alice")]
    slack: Annotated[str, Field(description="Slack member id: U0ALICE001 (profile, three dots, Copy member ID)")]
    team: Annotated[str | None, Field(description="Slack workspace of the person, when it is not ours: T0PADOK001")] = (
        None
    )
    organisation: Annotated[str, Field(description="A name of `organisations`: people belong to exactly one")]
    roles: tuple[Role, ...] = ("engineer",)
    contacts: Annotated[
        tuple[str, ...],
        Field(description="Variables or ARNs, each holding a way to reach them beside Slack: an Apprise address, or sns:+336…"),
    ] = ()
    regime: Annotated[Regime, Field(description="Which working-time rules hold for them")] = "hours"
    flags: Annotated[tuple[Flag, ...], Field(description="What they may not be planned for; never why")] = ()
    starts: Annotated[date | None, Field(description="Their first day")] = None
    ends: Annotated[date | None, Field(description="Their last day: no rights and no shifts after it")] = None


class Service(Part):
    """Something of the platform that is watched."""

    channel: Annotated[str | None, Field(description="A name of `channels`; without it, `default_channel`")] = None
    description: str = ""


class Topic(Part):
    """An SNS topic whose messages are believed."""

    arn: Annotated[str, Field(description="arn:aws:sns:eu-west-3:111122223333:bridge-alarms")]
    signature_versions: Annotated[
        tuple[SignatureVersion, ...],
        Field(min_length=1, description="2 is SHA-256; 1 is SHA-1 and only for old topics"),
    ] = ("2",)


class Endpoint(Part):
    """A door for one source: decides organisation, observer and credential."""

    source: Annotated[str, Field(description="cloudwatch, eventbridge, datadog, alertmanager, generic")]
    organisation: Annotated[str, Field(description="A name of `organisations`: whose observer speaks here")]
    observer: Annotated[
        str | None, Field(description="Name on the card, when the source does not tell observers apart")
    ] = None
    secrets: Annotated[
        tuple[str, ...],
        Field(
            description="Variables or ARNs (Secrets Manager, Parameter Store) that hold the secret, never the secret "
            "itself; two while it is being changed"
        ),
    ] = ()
    topics: Annotated[tuple[Topic, ...], Field(description="SNS topics that are believed (cloudwatch)")] = ()
    queue_url: Annotated[str | None, Field(description="SQS queue to read instead of waiting for HTTPS")] = None


class Rule(Part):
    """The first rule that matches decides what an alert is worth."""

    name: Annotated[str, Field(min_length=1)]
    when: When = When()
    severity: Annotated[Severity | None, Field(description="Replaces the severity that the source gave")] = None
    important: Annotated[
        bool | None, Field(description="Whether a person is needed; without it, critical is important")
    ] = None
    channel: Annotated[str | None, Field(description="A name of `channels`; without it, the service's own")] = None
    line: SkipJsonSchema[int] = 0


class Probation(Part):
    """Minutes of quiet after a recovery before an alert is closed for good."""

    minutes: Annotated[int, Field(ge=0, le=1440, description="At most a day: 0 to 1440")] = 15


class Config(Part):
    """The whole of vigie.yaml."""

    workspace: Annotated[str, Field(description="Our Slack workspace's id: T0BRIDGE01")]
    command: Annotated[str, Field(description="The slash command")] = "/vigie"
    public_url: Annotated[
        str | None, Field(description="Where Slack and the sources reach us: https://vigie.example.com")
    ] = None
    default_channel: Annotated[str, Field(description="A name of `channels`: alerts of services without a channel")]
    review_channel: Annotated[
        str | None, Field(description="A name of `channels`: reviews and the journal's seals")
    ] = None
    organisations: dict[str, Organisation]
    people: dict[str, Person]
    channels: Annotated[dict[str, str], Field(description="Our name for a channel: its Slack id (C0ALERTS01)")]
    services: dict[str, Service]
    endpoints: dict[str, Endpoint]
    rules: Annotated[
        tuple[Rule, ...], Field(description="Read from top to bottom; the first that matches decides")
    ] = ()
    symptoms: Annotated[
        tuple[Symptom, ...], Field(description="Alerts of several observers that are one fault; the first that matches counts")
    ] = ()
    teams: Annotated[dict[str, Team], Field(description="People of one organisation who take turns")] = {}
    coverages: Annotated[dict[str, Coverage], Field(description="What must always be covered, and by which team when")] = {}
    rotations: Annotated[dict[str, Rotation], Field(description="Who takes turns in a team")] = {}
    heartbeat: Annotated[
        str | None, Field(description="Variable or ARN holding an address that is asked each minute in which all is well")
    ] = None
    mandates: Annotated[dict[str, Mandate], Field(description="What the partner's people may do; nothing else")] = {}
    aws: Aws | None = None
    datadog: Annotated[dict[str, DatadogAccount], Field(description="Organisation: its Datadog account")] = {}
    probation: Probation = Probation()
    month: Annotated[Month, Field(description="The monthly review")] = Month()

    def person(self, team_id: str | None, user_id: str) -> tuple[str, Person] | None:
        """Who clicks: the person with exactly this Slack team and user, or None for a stranger."""
        return self._by_slack.get((team_id, user_id)) if team_id else None

    def person_named(self, name: str) -> tuple[str, Person] | None:
        """The person of that key (alice), Slack id, or full name, whatever the case and with or without @."""
        return self._by_name.get(name.strip().lstrip("@").casefold())

    def service_of(self, explicit: str | None, name: str) -> str:
        """What the source says; else the longest service that `name` begins with (pay-api-5xx); else unknown."""
        if explicit:
            return explicit
        found = self._service_prefix.match(name)
        return self._longest_first[(found.lastindex or 0) - 1] if found else UNKNOWN_SERVICE

    def channel_of(self, service: str, rule_channel: str | None = None) -> str:
        """The Slack id of the channel of an alert: the rule's, else the service's, else the default."""
        own = self.services[service].channel if service in self.services else None
        return self.channels[rule_channel or own or self.default_channel]

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The schema that editors complete and check vigie.yaml with."""
        head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        return head | cls.model_json_schema() | {"title": "vigie.yaml"}

    @property
    def version(self) -> str:
        """Twelve characters that change with anything in it: the journal names them."""
        return self._version

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy; what was looked up in this configuration is not remembered in a changed one."""
        copy = super().model_copy(update=update, deep=deep)
        for remembered in ("_by_slack", "_by_name", "_longest_first", "_service_prefix", "_version"):
            copy.__dict__.pop(remembered, None)
        return copy

    @cached_property
    def _by_slack(self) -> dict[tuple[str, str], tuple[str, Person]]:
        return {(person.team or self.workspace, person.slack): (key, person) for key, person in self.people.items()}

    @cached_property
    def _by_name(self) -> dict[str, tuple[str, Person]]:
        known: dict[str, tuple[str, Person]] = {}
        for key, person in self.people.items():
            for name in (person.name, person.slack):
                known.setdefault(name.casefold(), (key, person))
        keys = {key.casefold(): (key, person) for key, person in self.people.items()}
        return known | keys  # a key wins over somebody else's name

    @cached_property
    def _version(self) -> str:
        return digest(self.model_dump(mode="json"))[:12]

    @cached_property
    def _longest_first(self) -> list[str]:
        return sorted(self.services, key=len, reverse=True)

    @cached_property
    def _service_prefix(self) -> re.Pattern[str]:
        choices = "|".join(f"({re.escape(service)})" for service in self._longest_first) or r"(?!)"
        return re.compile(rf"(?:{choices})(?![^\W_])", re.IGNORECASE)
