"""What vigie.yaml may say about the month: availability, service levels, agreed maintenance, machine pools, the regulator."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from runbooks.model import Length, Names, Part, Severity, When

Cycle = Literal["always", "working"]


class Metric(Part):
    """One metric of CloudWatch, summed over its dimensions."""

    namespace: Annotated[str, Field(description="AWS/ApplicationELB")]
    metric: Annotated[str, Field(description="HTTPCode_Target_5XX_Count")]
    dimensions: dict[str, str] = {}


class Availability(Part):
    """How the availability of services is measured, and what was promised."""

    target: Annotated[float, Field(gt=0, lt=1, description="Promised to clients: 0.9995")] = 0.9995
    services: Annotated[Names, Field(description="Which services count for the platform; * stands for anything")] = ("*",)
    partial: Annotated[
        bool, Field(description="Whether the agreement weighs a partial outage by its share of failed requests")
    ] = False
    requests: Annotated[dict[str, tuple[Metric, Metric]], Field(description="Service: its requests, and those that failed")] = {}


class ServiceLevel(Part):
    """What one side has promised about the alerts that come up in its duty."""

    organisation: Annotated[str, Field(description="A name of `organisations`: who promised it")]
    name: Annotated[str, Field(min_length=1, description="Important alerts at night")]
    severities: tuple[Severity, ...] = ()
    important: Annotated[bool | None, Field(description="Only important ones; without it, all")] = None
    services: Names = ("*",)
    ack_within: Length | None = None
    resolve_within: Length | None = None
    clock: Annotated[Cycle, Field(description="always; working: Monday to Friday 08:00-18:00 of that side")] = "always"
    target: Annotated[float, Field(gt=0, le=1, description="The share that keeps it: 0.95")] = 0.95


class Maintenance(Part):
    """A stretch that both sides have agreed not to count."""

    services: Annotated[Names, Field(description="Names of services; * stands for anything")]
    start: Annotated[AwareDatetime, Field(description="With its zone: 2026-10-18T02:00+02:00")]
    end: Annotated[AwareDatetime, Field(description="With its zone: 2026-10-18T04:00+02:00")]
    reason: Annotated[str, Field(min_length=1)]
    agreed_by: Annotated[tuple[str, ...], Field(min_length=2, description="People, at least one of each side")]


class Price(Part):
    """What one machine costs, in the currency in which it is billed."""

    amount: Annotated[float, Field(gt=0)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="USD")] = "USD"
    committed: Annotated[bool, Field(description="Reserved, or under a savings plan: fewer machines save nothing")] = False


class Pool(Part):
    """Machines that do the same work, as an Auto Scaling group; evidence for its size is read each day."""

    group: Annotated[str, Field(description="The Auto Scaling group")]
    service: Annotated[str, Field(description="A name of `services`")]
    vcpus: Annotated[int, Field(ge=1)] = 2
    memory_gib: Annotated[float | None, Field(gt=0, description="Of one machine; without it, nothing is recommended")] = None
    load_balancer: Annotated[str | None, Field(description="app/pay-api/50dc6c495c0c9188, as CloudWatch calls it")] = None
    target_group: Annotated[str | None, Field(description="targetgroup/pay-api/6d0ecf831eec9f09")] = None
    threads: Annotated[int | None, Field(ge=1, description="Requests that one machine works on at once")] = None
    busy_threads: Annotated[str | None, Field(description="A Datadog query of the share of busy threads, 0 to 1")] = None
    per_target: Annotated[float | None, Field(gt=0, description="Requests a second that one machine is known to stand")] = None
    slow_ms: Annotated[int, Field(ge=1, description="Slower than this on average is too slow")] = 1000
    price_per_hour: Price | None = None
    stateful: Annotated[bool, Field(description="Sticky sessions, leader election, a queue's workers: sized otherwise")] = False
    spot: bool = False
    runbook: Annotated[str, Field(description="Which runbook changes its size, step by step")] = "right-size-cluster"


class Costs(Part):
    """Whose bill is read, and how it is cut."""

    bill: Annotated[bool, Field(description="Whether it is read, once a day: Cost Explorer takes a cent each time")] = True
    tag: Annotated[str, Field(description="The cost allocation tag that names the service")] = "service"
    pools: dict[str, Pool] = {}


class Regulator(Part):
    """Who reports to the financial authority, for forms of regulation (EU) 2022/2554 (DORA)."""

    entity: Annotated[str, Field(min_length=1, description="The legal entity that reports")]
    lei: Annotated[str | None, Field(pattern=r"^[A-Z0-9]{20}$", description="Its legal entity identifier, 20 signs")] = None
    kind: Annotated[str, Field(description="payment institution")] = "payment institution"
    authority: Annotated[str, Field(description="The competent authority")] = "ACPR"
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "FR"
    compliance: Annotated[str, Field(description="The person who submits reports")]
    second_contact: str | None = None
    critical: Annotated[Names, Field(description="Services that support critical or important functions")] = ("*",)
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"
    clients: Annotated[int | None, Field(ge=1, description="Clients who use the service: for the share affected")] = None
    transactions_a_day: Annotated[int | None, Field(ge=1, description="The daily average")] = None
    weekend_relief: Annotated[bool, Field(description="Limits on a day off move to noon of the next working day")] = False
    microenterprise: bool = False
    bank_api: Annotated[When, Field(description="Alerts that tell of a bank's interface being down")] = When()


class Month(Part):
    """The monthly review."""

    drills: Annotated[When, Field(description="Alerts that are drills or tests: counted apart")] = When(labels={"drill": "?*"})
    verdict_coverage: Annotated[float, Field(ge=0, le=1, description="Below it a rate of verdicts is grey")] = 0.8
    link_lasts: Annotated[Length, Field(description="How long a link to a report works")] = timedelta(days=7)
    availability: Availability = Availability()
    service_levels: tuple[ServiceLevel, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    costs: Costs = Costs()
    regulator: Regulator | None = None
