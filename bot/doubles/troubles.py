"""What befalls the demo's platform: what breaks, who sees it, and which call of AWS cures it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.doubles.aws import Aws, Platform

Params = Mapping[str, Any]

CLUSTER = "payments"
FIRE_WATCH = "severity={severity}"
ATTACKERS = tuple(f"198.51.100.{number}" for number in range(7, 12))
ATTACK_FROM = "RU"
NEIGHBOURS = tuple(f"203.0.113.{number}" for number in range(20, 32))


@dataclass(frozen=True, slots=True)
class Sight:
    """A monitor through whose probe the fault is seen, so many seconds after it began."""

    organisation: str
    monitor: str
    probe: str
    after_s: float


@dataclass(frozen=True, slots=True)
class Harm:
    """What was broken in AWS: which of the curing calls are about it, and how it is mended."""

    cures: Callable[[Params], bool]
    mend: Callable[[], None]


def _nothing() -> None:
    return


NOTHING = Harm(lambda _: False, _nothing)


@dataclass(frozen=True, slots=True)
class Fault:
    """One trouble: `shows` has for each alarm what its metric shows meanwhile; `passes_after_s` is for what nobody can cure."""

    name: str
    service: str
    severity: str                               # critical, high, warning, info
    says: str                                   # the alarms' description
    shows: Mapping[str, float]
    monitors: tuple[Sight, ...] = ()
    harm: Callable[[Aws, Platform], Harm] = lambda _aws, _laid: NOTHING
    cured_by: tuple[tuple[str, str], ...] = ()  # service and operation
    cured_after_s: float = 60.0
    passes_after_s: float | None = None
    silences: tuple[str, ...] = ()              # hosts outside that answer nothing meanwhile

    @property
    def description(self) -> str:
        return f"{self.says} {FIRE_WATCH.format(severity=self.severity)}"

    @property
    def priority(self) -> str:
        """As Datadog says how bad it is."""
        return {"critical": "P1", "high": "P2", "warning": "P3"}.get(self.severity, "P4")


# --- what is broken, and what cures it ---------------------------------------------------------------------------------------


def _sick_target(aws: Aws, laid: Platform) -> Harm:
    """One machine behind the load balancer; it must be rebooted or replaced."""
    said = aws.client("elbv2").describe_target_health(TargetGroupArn=laid.target_group)["TargetHealthDescriptions"]
    victim = str(next(each["Target"]["Id"] for each in said if each["TargetHealth"]["State"] == "healthy"))
    aws.elbv2.sicken(victim)

    def cures(params: Params) -> bool:
        return victim in (params.get("InstanceId"), *params.get("InstanceIds", ()))

    return Harm(cures, lambda: aws.elbv2.heal(victim))


def _stuck_worker(aws: Aws, _laid: Platform) -> Harm:
    """The oldest task holds a message and waits for ever; it must go."""
    name = "batch-worker"
    stuck = aws.ecs.rollouts[f"{CLUSTER}/{name}"].running()[0].arn

    def cures(params: Params) -> bool:
        return _last(params.get("task", "")) == _last(stuck) or _is_new_start(params, name)

    return Harm(cures, _nothing)


def _bad_release(aws: Aws, _laid: Platform) -> Harm:
    """The revision that stands dies again and again; only another one lives."""
    name = "ledger"
    sick = aws.ecs.rollouts[f"{CLUSTER}/{name}"].definition
    aws.ecs.crash(f"{CLUSTER}/{name}", definition=sick)

    def cures(params: Params) -> bool:
        return _last(params.get("service", "")) == name and _last(params.get("taskDefinition", _last(sick))) != _last(sick)

    return Harm(cures, lambda: aws.ecs.heal(f"{CLUSTER}/{name}"))


def _hanging_database(_aws: Aws, _laid: Platform) -> Harm:
    return Harm(lambda params: params.get("DBInstanceIdentifier") == "pay-db" and bool(params.get("ForceFailover")), _nothing)


def _attack(aws: Aws, _laid: Platform) -> Harm:
    """Most requests come from a few addresses of one country."""
    now = aws.ground.now()
    few = [_request(address, ATTACK_FROM, "POST", now) for address in ATTACKERS for _ in range(16)]
    aws.wafv2.sampled = few + [_request(address, "FR", "GET", now) for address in NEIGHBOURS]

    def cures(params: Params) -> bool:
        return bool(params.get("Addresses")) or "DistributionConfig" in params

    def mend() -> None:
        aws.wafv2.sampled = [_request(address, "FR", "GET", aws.ground.now()) for address in NEIGHBOURS]

    return Harm(cures, mend)


def _request(address: str, country: str, method: str, at: Any) -> dict[str, Any]:
    asked = {"ClientIP": address, "Country": country, "URI": "/v1/payments", "Method": method, "HTTPVersion": "HTTP/2.0",
             "Headers": []}
    return {"Request": asked, "Weight": 1, "Timestamp": at, "Action": "ALLOW"}


def _is_new_start(params: Params, name: str) -> bool:
    return _last(params.get("service", "")) == name and bool(params.get("forceNewDeployment"))


def _last(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


# --- the troubles ------------------------------------------------------------------------------------------------------------

PAY_API_DOWN, PAY_API_TARGET = "pay-api answers with errors", "pay-api target unhealthy"
QUEUE, LEDGER, DATABASE = "batch-worker queue is old", "ledger answers with errors", "pay-db takes no writes"
EDGE, BANK = "edge answers slowly", "bank-sync gets no answer from the bank"
MONITORS = {            # name: service; both companies have all of them
    PAY_API_DOWN: "pay-api", "pay-api answers slowly": "pay-api", PAY_API_TARGET: "pay-api", QUEUE: "batch-worker",
    LEDGER: "ledger", DATABASE: "pay-db", EDGE: "edge", BANK: "bank-sync",
}

FAULTS = {each.name: each for each in (
    Fault(
        "unhealthy target", "pay-api", "warning", "A target fails its health checks, the others serve.",
        shows={"pay-api-unhealthy-hosts": 1}, monitors=(Sight("bridge", PAY_API_TARGET, "bridge-1", 12),),
        harm=_sick_target, cured_after_s=150,
        cured_by=(("autoscaling", "TerminateInstanceInAutoScalingGroup"), ("ec2", "RebootInstances")),
    ),
    Fault(
        "queue backlog", "batch-worker", "high", "Settlement waits: its oldest job is older than ten minutes.",
        shows={"batch-worker-queue-age": 742}, monitors=(Sight("bridge", QUEUE, "bridge-2", 20),),
        harm=_stuck_worker, cured_by=(("ecs", "StopTask"), ("ecs", "UpdateService")), cured_after_s=60,
    ),
    Fault(
        "crash loop", "ledger", "high", "Tasks of the ledger die as soon as they run.",
        shows={"ledger-running-tasks": 0}, monitors=(Sight("padok", LEDGER, "padok-2", 15),),
        harm=_bad_release, cured_by=(("ecs", "UpdateService"),), cured_after_s=60,
    ),
    Fault(
        "hanging database", "pay-db", "critical", "Every connection is taken and none comes back.",
        shows={"pay-db-connections": 1000}, monitors=(Sight("padok", DATABASE, "padok-1", 15),),
        harm=_hanging_database, cured_by=(("rds", "RebootDBInstance"),), cured_after_s=90,
    ),
    Fault(
        "attack at the edge", "edge", "high", "Five times the requests of a busy day.",
        shows={"edge-requests": 160_000, "edge-4xx-rate": 31}, monitors=(Sight("bridge", EDGE, "bridge-1", 20),),
        harm=_attack, cured_by=(("wafv2", "UpdateIPSet"), ("cloudfront", "UpdateDistribution")), cured_after_s=90,
    ),
    Fault(
        "bank down", "bank-sync", "high", "A bank answers nothing.", shows={"bank-sync-errors": 260},
        monitors=(Sight("bridge", BANK, "bridge-2", 20), Sight("padok", BANK, "padok-1", 25)), passes_after_s=1500,
        silences=("api.bank.example",),
    ),
)}
