"""What vigie.yaml may say about acting: symptoms, the mandate between two companies, AWS and Datadog accounts."""

from datetime import date
from typing import Annotated

from pydantic import Field

from runbooks.model import Names, Part, Severity, Value, When


class Symptom(Part):
    """Alerts of several observers that are one fault: one group, one card, one page."""

    name: Annotated[str, Field(min_length=1, description="What is wrong, in a word or two: errors")]
    service: Annotated[str, Field(description="A name of `services`")]
    when: Annotated[When, Field(description="Which alerts of that service show it")] = When()


class Bound(Part):
    """What a parameter may be."""

    minimum: float | None = None
    maximum: float | None = None
    among: tuple[Value, ...] = ()


class Standing(Part):
    """A second signature given beforehand, until a day."""

    by: Annotated[str, Field(description="The person of vigie.yaml who gave it")]
    until: Annotated[date, Field(description="Its last day: 2026-12-31")]


class Second(Part):
    """Whose second signature a clause wants."""

    by: Annotated[Names, Field(description="Roles, one of which is enough")] = ("lead", "approver")
    organisation: Annotated[str | None, Field(description="Whose people; without it, any company's")] = None
    standing: Annotated[
        Standing | None, Field(description="Counts as given while those who could sign are in their blackout")
    ] = None


class Clause(Part):
    """One thing that the partner's people may do. What no clause allows is refused."""

    name: Annotated[str, Field(min_length=1, description="As refusals and the journal cite it: §1 restart what is stuck")]
    runbooks: Annotated[Names, Field(min_length=1, description="Names of runbooks; * stands for anything")]
    services: Annotated[Names, Field(description="Names of services; none given: all")] = ()
    targets: Annotated[Names, Field(description="ecs:payments/*, rds:pay-db; none given: all of those services")] = ()
    parameters: Annotated[dict[str, Bound], Field(description="Bounds of the runbook's parameters")] = {}
    hours: Annotated[Names, Field(description="In the zone of the mandate's organisation: 00:00-08:00; none: always")] = ()
    severities: Annotated[tuple[Severity, ...], Field(description="Of the alert; none given: all")] = ()
    second: Annotated[Second | None, Field(description="Whose second signature is needed; none: nobody's")] = None


class Mandate(Part):
    """The dated contract as data: what people of one organisation may run on the platform of the other."""

    title: Annotated[str, Field(min_length=1)]
    organisation: Annotated[str, Field(description="Whose people it is about: the partner")]
    starts: Annotated[date, Field(description="First day")]
    ends: Annotated[date, Field(description="Last day")]
    clauses: Annotated[tuple[Clause, ...], Field(min_length=1)]


class Aws(Part):
    """The account that runbooks act on, and how far they may go."""

    account: Annotated[str, Field(pattern=r"^\d{12}$", description="Twelve digits")]
    region: str = "eu-west-3"
    read_role: Annotated[str | None, Field(description="ARN of the role for looking; without it, our own credentials")] = None
    act_role: Annotated[
        str | None, Field(description="ARN of the role assumed for each step that changes something, as the person who asked")
    ] = None
    external_ids: Annotated[
        dict[str, str], Field(description="Organisation: the external id that the roles demand for its people")
    ] = {}
    documents: Annotated[
        tuple[str, ...], Field(description="SSM documents that runbooks may start; no other, and never free commands")
    ] = ()
    never_block: Annotated[
        tuple[str, ...], Field(description="Networks that no runbook may block: your offices, your egress, your partners")
    ] = ()


class DatadogAccount(Part):
    """One organisation's Datadog: the API is asked with keys that are kept elsewhere."""

    site: str = "datadoghq.eu"
    api_key: Annotated[str, Field(description="Variable or ARN that holds the API key")]
    app_key: Annotated[str, Field(description="Variable or ARN that holds the application key")]
