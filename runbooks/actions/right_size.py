"""Auto Scaling: how many instances a group needs, with the evidence, and the next careful step down."""

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field

from runbooks.actions import Action, Look, Outcome, Params, Service, State, World
from runbooks.aids import usage
from runbooks.aids.machines import GroupName
from runbooks.aids.sizing import (
    BIN_S,
    LEAST_DAYS,
    Aims,
    Measured,
    Need,
    breaches,
    highest_rate,
    need,
    percentile,
    refusals,
    step_down,
)
from runbooks.aids.usage import Usage

READS = "would work out from {days} days of figures how many instances {group} needs"
REFUSED = "no recommendation for {group}: {why}"
KEEP = "{group} runs {current}, and its {decisive} says {recommended}: nothing can be taken away"
ADVICE = ("the load of {group} needs {load} (its {decisive} decides); {recommended} keep it through the loss of a zone; it runs "
          "{current}. Next step: {next}, then wait for a peak")
NOT_STATELESS = "nobody has said that its instances keep no state (`stateless: true`)"
STICKY = "its target group sends every client to the same instance: they keep state"
MIXED = "it runs several instance types or spot instances: count and type cannot be changed together"
EVENT = "an event is to come: {event}"
PLANNED = "the scheduled action {name} wants {wanted} instances at {at}"
SEVERAL = "it stands behind {count} target groups: no single one tells its load"

EVIDENCE = """{group}: {current} instances of {kind} in {zones} zones; minimum {least}, maximum {most}
scaling policies: {policies}; scheduled actions: {planned}
from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC, {bins} values of 5 minutes, {average:.1f} instances in service on average
CPU of the group, P99 {cpu_high:.1f} %, busiest instance P99 {peak:.1f} %; memory P99 {memory}
{traffic}
needed by measure: {by}
load needs {load}, with one zone to spare {recommended}; {saving}
{refused}"""
TRAFFIC = ("requests P99 {rate:.1f}/s, latency P95 of 5-minute averages {latency:.0f} ms, too slow or failing in {bad} values; "
           "one instance bore {highest:.2f} requests/s while all was well{tested}")
TESTED = ", and is known to bear {rate:g}"
UNTESTED = "; nobody has tested more, so a smaller group is an experiment in small steps"
NO_TRAFFIC = "no load balancer: requests were not looked at"
UNKNOWN = "not known"
NONE = "none"
AGAINST = "against it: {why}"
SAVES = "{count:.1f} instances less, {money:.2f} an hour at {price:g} each"
SAVES_NONE = "{count:.1f} instances less; the {committed} paid for in advance cost the same"
NO_PRICE = "{count:.1f} instances less"
NOT_REFUSED = "nothing speaks against it"


class Question(Params):
    """A group, and what is known of it that no metric tells."""

    group: GroupName
    least: Annotated[int, Field(ge=1, le=1000, description="Not fewer than this, whatever the figures say")] = 2
    days: Annotated[int, Field(ge=LEAST_DAYS, le=63, description="How far back; a month's end should be in it")] = 14
    growth: Annotated[float, Field(ge=1, le=3, description="Room for growth and bursts")] = 1.25
    utilisation: Annotated[float, Field(ge=0.2, le=0.9, description="How busy its CPU may be at the peak")] = 0.60
    threads: Annotated[int | None, Field(ge=1, le=10_000, description="Worker threads, or database connections, of one")] = None
    rate_tested: Annotated[float | None, Field(gt=0, description="Requests a second that one bears, from a load test")] = None
    slow_ms: Annotated[int, Field(ge=1, le=60_000, description="Slower than this on average is too slow")] = 1000
    errors_percent: Annotated[float, Field(gt=0, le=100, description="More 5xx than this is failing")] = 1.0
    explained: Annotated[str, Field(max_length=300, description="Why it was slow or failed in that time, if it was")] = ""
    stateless: Annotated[bool, Field(description="Any instance may serve any request, and none holds a queue or a lock")] = False
    event: Annotated[str, Field(max_length=300, description="A peak to come that the past does not show")] = ""
    price_per_hour: Annotated[float | None, Field(gt=0, description="Of one instance")] = None
    committed: Annotated[int, Field(ge=0, description="Instances paid for in advance (reserved, savings plan)")] = 0


class RightSize(Action[Question]):
    """Work out how many instances an Auto Scaling group needs, with the evidence, and the next step down."""

    name = "aws.asg.right_size"
    params = Question
    example = {"group": "cluster", "stateless": True}
    verified = "the figures suffice and nothing speaks against a recommendation"
    reads = usage.READS
    poll_s = 60.0

    def target(self, params: Question) -> str:
        return f"asg:{params.group}"

    def plan(self, params: Question, before: State) -> str:
        return READS.format(group=params.group, days=params.days)

    def act(self, world: World, params: Question, before: State) -> Outcome:
        used, aims = usage.read(world, params.group, params.days), _aims(params)
        needed, current = need(used.measured, aims), used.current
        why = refusals(used.measured, aims) + list(_objections(params, used))
        enough = max(needed.recommended, params.least)
        values = {
            "current": current, "min": used.group["MinSize"], "load": needed.load, "recommended": enough,
            "decisive": needed.decisive, "refused": why,
            "next": current if why else step_down(current, enough),
        }
        return Outcome(_said(params, values), values, _evidence(params, used, needed, why))

    def look(self, world: World, params: Question, before: State, outputs: State) -> Look:
        """A refusal is no success: a later step must not take its figure for advice."""
        values = outputs or self.act(world, params, before).outputs
        return Look("failed" if values["refused"] else "done", _said(params, values), values)


def _said(params: Question, values: State) -> str:
    if values["refused"]:
        return REFUSED.format(group=params.group, why="; ".join(values["refused"]))
    said = KEEP if values["recommended"] >= values["current"] else ADVICE
    return said.format(group=params.group, **values)


def _aims(params: Question) -> Aims:
    return Aims(
        params.growth, params.utilisation, params.threads, params.rate_tested, params.slow_ms / 1000, params.errors_percent,
        bool(params.explained),
    )


def _objections(params: Question, used: Usage) -> Iterator[str]:
    """What speaks against fewer instances that no metric shows."""
    if not params.stateless:
        yield NOT_STATELESS
    if len(used.group.get("TargetGroupARNs", [])) > 1:
        yield SEVERAL.format(count=len(used.group["TargetGroupARNs"]))
    if used.sticky:
        yield STICKY
    if used.group.get("MixedInstancesPolicy") or len(used.kinds) > 1:
        yield MIXED
    if params.event:
        yield EVENT.format(event=params.event)
    for each in used.planned:
        wanted = max(each.get("DesiredCapacity") or 0, each.get("MinSize") or 0)
        if wanted >= used.current:
            at = each.get("Recurrence") or each.get("StartTime", "")
            yield PLANNED.format(name=each["ScheduledActionName"], wanted=wanted, at=at)


def _evidence(params: Question, used: Usage, needed: Need, why: Sequence[str]) -> str:
    """All that led to it, as text for whoever decides."""
    measured, found = used.measured, used.group
    return EVIDENCE.format(
        group=params.group, current=used.current, kind=", ".join(used.kinds) or UNKNOWN, zones=measured.zones,
        least=found["MinSize"], most=found["MaxSize"], policies=", ".join(used.policies) or NONE,
        planned=", ".join(each["ScheduledActionName"] for each in used.planned) or NONE, start=used.start, end=used.end,
        bins=len(measured.cpu), average=used.average, cpu_high=percentile(list(measured.cpu.values()), 99),
        peak=percentile(list(used.peak.values()), 99),
        memory=f"{percentile(list(measured.memory.values()), 99):.1f} %" if measured.memory else UNKNOWN,
        traffic=_traffic(measured, _aims(params)), load=needed.load, recommended=needed.recommended,
        by=", ".join(f"{name} {count}" for name, count in needed.by.items()),
        saving=_saving(params, used.average - needed.recommended),
        refused="\n".join(AGAINST.format(why=each) for each in why) or NOT_REFUSED,
    )


def _traffic(measured: Measured, aims: Aims) -> str:
    if not measured.requests:
        return NO_TRAFFIC
    return TRAFFIC.format(
        rate=percentile(list(measured.requests.values()), 99) / BIN_S,
        latency=percentile(list(measured.latency_s.values()), 95) * 1000, bad=len(breaches(measured, aims)),
        highest=highest_rate(measured, aims), tested=TESTED.format(rate=aims.rate_tested) if aims.rate_tested else UNTESTED,
    )


def _saving(params: Question, count: float) -> str:
    if params.committed:
        return SAVES_NONE.format(count=count, committed=params.committed)
    if params.price_per_hour is None:
        return NO_PRICE.format(count=count)
    return SAVES.format(count=count, money=count * params.price_per_hour, price=params.price_per_hour)


SERVICE = Service("aws.asg.right_size", (RightSize(),))
