"""What is read of clouds: each day once, what costs money once a day, and why a day could not be read; by boto3 over HTTP."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.clients.clouds import READS, Clouds
from bot.config import Config
from bot.doubles.aws.front import Seen
from bot.errors import Unavailable
from bot.review.arithmetic import sizing
from bot.review.facts import Facts, Month
from bot.services.review.facts.agreed import measures as gathered
from bot.services.review.measuring import MOST_AT_ONCE, Measurer
from bot.settings import EnvironmentSecrets
from bot.store import measures
from bot.store.measures import measure
from bot.worlds import Addresses, CloudWorlds
from tests.action_ground import targets_of
from tests.action_stage import ActionWorld, aws_server, world
from tests.config_stage import example
from tests.datadog_stage import DatadogWorld, datadog_server, datadog_world
from tests.pages import named, table
from tests.story import desk_on

__all__ = ["aws_server", "datadog_server", "datadog_world", "world"]

KEYS = {"aws_access_key_id": "vigie", "aws_secret_access_key": "demo"}
FEW = MOST_AT_ONCE + 1          # days: enough for a second knock
YESTERDAY = date(2026, 11, 21)
ACCOUNT = "111122223333"
ELB = "AWS/ApplicationELB"
POOL = {"group": "pay-api", "service": "pay-api", "memory_gib": 8}
REQUESTS = [{"namespace": ELB, "metric": name, "dimensions": {"LoadBalancer": "app/pay-api/50dc"}}
            for name in ("RequestCount", "HTTPCode_Target_5XX_Count")]


def watching(pools: Mapping[str, Any] | None = None, requests: Mapping[str, Any] | None = None) -> Config:
    config = example()
    month = type(config.month).model_validate(
        {"costs": {"pools": pools or {}}, "availability": {"requests": requests or {}}})
    return config.model_copy(update={"month": month})


class Ground:
    """A desk whose clouds are the double, over HTTP and under the role that looks."""

    def __init__(self, world: ActionWorld, engine: sa.Engine, config: Config, back: int = FEW) -> None:
        self.world, self.engine, self.config = world, engine, config
        self.desk = desk_on(engine, world.served.clock, config=config)
        worlds = CloudWorlds(config, EnvironmentSecrets({}), world.served.clock, Addresses(world.served.url, None, KEYS))
        self.measurer = Measurer(self.desk, Clouds(worlds.looking), back)

    def until_all_is_read(self) -> int:
        kept = 0
        while found := self.measurer.act():
            kept += found
        return kept

    def rows(self, kind: str) -> list[tuple[str, str, dict[str, Any]]]:
        with self.engine.connect() as connection:
            query = sa.select(measure).where(measure.c.kind == kind).order_by(measure.c.day, measure.c.read_at)
            return [(each.subject, each.day, json.loads(each.body)) for each in connection.execute(query)]

    def calls(self, operation: str) -> list[Seen]:
        return [each for each in self.world.double.calls if each.operation == operation]

    def at(self, hour: int, day: int = 22) -> None:
        self.world.served.clock.instant = datetime(2026, 11, day, hour, 20, tzinfo=UTC)

    def bill(self, *days: Mapping[str, Any], more: bool = False) -> None:
        """The next answer of Cost Explorer."""
        backend = self.world.double.ground.resources.backend("ce", "aws")
        backend.cost_usage_results_queue.append({"ResultsByTime": list(days)} | ({"NextPageToken": "2"} if more else {}))


def billed(day: date, *lines: tuple[str, str, str], estimated: bool = False) -> dict[str, Any]:
    """As Cost Explorer says it: amounts are text, tags begin with their key."""
    return {
        "TimePeriod": {"Start": f"{day}", "End": f"{day + timedelta(days=1)}"}, "Total": {}, "Estimated": estimated,
        "Groups": [
            {"Keys": [f"service${tag}", kind], "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": "USD"}}}
            for tag, kind, amount in lines
        ],
    }


def nothing(world: ActionWorld, engine: sa.Engine) -> Ground:
    return Ground(world, engine, watching())


# --- bills --------------------------------------------------------------------------------------------------------------------


def test_a_bill_is_asked_for_once_a_day_for_all_days_that_are_not_final(world: ActionWorld, sqlite_engine: sa.Engine) -> None:
    ground = nothing(world, sqlite_engine)
    ground.at(5)
    assert ground.measurer.act() == 0, "the day before is not on the bill yet"
    ground.at(7)
    final = [billed(YESTERDAY - timedelta(days=n), ("pay-api", "EC2", "12.5")) for n in range(1, FEW)]
    ground.bill(*final, billed(YESTERDAY, ("pay-api", "EC2", "7.25"), ("", "Tax", "1"), estimated=True))
    assert ground.measurer.act() == FEW and ground.measurer.act() == 0
    ground.at(19)
    assert ground.measurer.act() == 0 and len(ground.calls("GetCostAndUsage")) == 1
    assert ground.rows("cost")[-1] == (
        ACCOUNT, f"{YESTERDAY}", {"estimated": True, "lines": [["", "Tax", 1.0, "USD"], ["pay-api", "EC2", 7.25, "USD"]]})
    ground.at(7, 23)
    ground.bill(billed(YESTERDAY, ("pay-api", "EC2", "9")), billed(date(2026, 11, 22), ("pay-api", "EC2", "1"), estimated=True))
    assert ground.measurer.act() == 2
    asked = ground.calls("GetCostAndUsage")[-1].params["TimePeriod"]
    assert asked == {"Start": "2026-11-21", "End": "2026-11-23"}, "what is final is not asked for again"
    assert len([each for each in ground.rows("cost") if each[1] == f"{YESTERDAY}"]) == 2, "no reading is written over"


def test_a_bill_says_by_which_tag_and_only_looks(world: ActionWorld, sqlite_engine: sa.Engine) -> None:
    ground = nothing(world, sqlite_engine)
    ground.at(7)
    ground.bill(billed(YESTERDAY, ("pay-api", "EC2", "1")))
    ground.measurer.act()
    [asked] = ground.calls("GetCostAndUsage")
    assert asked.params["GroupBy"] == [{"Type": "TAG", "Key": "service"}, {"Type": "DIMENSION", "Key": "SERVICE"}]
    assert (asked.params["Granularity"], asked.params["Metrics"]) == ("DAILY", ["UnblendedCost"])
    [taken] = ground.calls("AssumeRole")
    assert taken.params["RoleArn"].endswith("role/vigie-read") and asked.session == "vigie-run0"


def test_a_bill_of_several_pages_is_one_bill(world: ActionWorld, sqlite_engine: sa.Engine) -> None:
    ground = nothing(world, sqlite_engine)
    ground.at(7)
    ground.bill(billed(YESTERDAY, ("pay-api", "EC2", "1")), more=True)
    ground.bill(billed(YESTERDAY, ("ledger", "RDS", "2")))
    ground.measurer.act()
    assert [line[0] for line in ground.rows("cost")[-1][2]["lines"]] == ["ledger", "pay-api"]


def test_a_bill_that_says_nothing_of_a_day_takes_nothing_back(world: ActionWorld, sqlite_engine: sa.Engine) -> None:
    ground = nothing(world, sqlite_engine)
    ground.at(7)
    ground.bill(billed(YESTERDAY, ("pay-api", "EC2", "3"), estimated=True))
    ground.measurer.act()
    ground.at(7, 23)
    ground.bill()
    ground.measurer.act()
    kept = {day: body["lines"] for _, day, body in ground.rows("cost")}
    assert kept[f"{YESTERDAY}"] == [["pay-api", "EC2", 3.0, "USD"]] and kept["2026-11-22"] == []


def test_what_refuses_is_asked_again_in_the_next_hour_and_its_reason_is_kept(
    world: ActionWorld, sqlite_engine: sa.Engine,
) -> None:
    ground = nothing(world, sqlite_engine)
    ground.at(7)
    world.double.sts.roles = {"arn:aws:iam::111122223333:role/vigie-read": ("another",)}
    assert [ground.measurer.act() for _ in range(3)] == [0, 0, 0] and len(ground.calls("AssumeRole")) == 1
    [(subject, day, body)] = ground.rows("unread")
    assert (subject, day) == (f"cost {ACCOUNT}", f"{YESTERDAY}") and "did not let us act as vigie-read" in body["why"]
    world.double.sts.roles = {}
    ground.at(8)
    ground.bill(billed(YESTERDAY, ("pay-api", "EC2", "1")))
    assert ground.measurer.act() == FEW


def test_a_bill_that_is_not_wanted_is_not_asked_for(world: ActionWorld, sqlite_engine: sa.Engine) -> None:
    config = watching()
    costs = config.month.costs.model_copy(update={"bill": False})
    config = config.model_copy(update={"month": config.month.model_copy(update={"costs": costs})})
    ground = Ground(world, sqlite_engine, config)
    ground.at(7)
    assert ground.measurer.act() == 0 and world.double.calls == []


def test_two_processes_pay_for_one_call(world: ActionWorld, engine: sa.Engine) -> None:
    one, other = nothing(world, engine), nothing(world, engine)
    one.at(7)
    due = one.measurer._due()
    assert [each.measurer._my_turn(due[0]) for each in (one, other, one)] == [True, False, False]
    one.at(8)
    assert other.measurer._my_turn(due[0])


# --- machines -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def pool(world: ActionWorld, sqlite_engine: sa.Engine) -> Ground:
    """Six machines behind a load balancer, as they were on the day before."""
    arn, _ = targets_of(world, count=6)
    elb = world.double.client("elbv2")
    balancer = elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]["LoadBalancerArns"][0]
    behind = {"TargetGroup": arn.split(":")[-1], "LoadBalancer": balancer.split("loadbalancer/")[-1]}
    feed(world, {"AutoScalingGroupName": "pay-api"}, (
        ("AWS/EC2", "CPUUtilization", 4.0), ("AWS/AutoScaling", "GroupInServiceInstances", 6.0),
        ("CWAgent", "mem_used_percent", 5.0)))
    feed(world, behind, ((ELB, "RequestCount", 300.0), (ELB, "TargetResponseTime", 0.1)))
    return Ground(world, sqlite_engine, watching({"pay-api": POOL}))


def feed(world: ActionWorld, dimensions: Mapping[str, str], metrics: Sequence[tuple[str, str, float]], days: int = 17) -> None:
    for namespace, metric, value in metrics:
        world.double.cloudwatch.feed(namespace, metric, dimensions, [value] * days * 288, 300)


def test_each_day_of_a_pool_is_read_once_in_bins_of_five_minutes(pool: Ground) -> None:
    assert pool.measurer.act() == MOST_AT_ONCE
    assert pool.until_all_is_read() == FEW - MOST_AT_ONCE
    days = pool.rows("capacity")
    assert [each[1] for each in days] == [f"{YESTERDAY - timedelta(days=n)}" for n in range(FEW - 1, -1, -1)]
    body = days[-1][2]
    assert (body["desired"], body["zones"], body["kinds"], body["targets"]) == (6, 3, ["m5.large"], 1)
    assert body["start"] == datetime(2026, 11, 20, 23, tzinfo=UTC).timestamp(), "the day of Paris"
    assert {name: len(each) for name, each in body["series"].items()} == dict.fromkeys(
        ("cpu", "in_service", "latency_s", "memory", "peak", "requests"), 288)
    assert set(body["series"]["requests"]) == {300.0}
    asked = len(pool.world.double.calls)
    assert pool.measurer.act() == 0 and len(pool.world.double.calls) == asked, "nothing is due: nobody is asked"
    pool.at(1, 23)
    assert pool.measurer.act() == 1 and pool.rows("capacity")[-1][1] == "2026-11-22"


def test_a_day_with_an_hour_that_clocks_show_twice_has_its_bins(pool: Ground) -> None:
    pool.world.served.clock.instant = datetime(2026, 10, 26, 2, 14, tzinfo=UTC)
    ground = Ground(pool.world, pool.engine, pool.config, back=2)
    feed(pool.world, {"AutoScalingGroupName": "pay-api"}, (("AWS/EC2", "CPUUtilization", 4.0),), 4)
    ground.until_all_is_read()
    assert [len(body["series"]["cpu"]) for *_, body in ground.rows("capacity")] == [288, 300]


def test_what_was_read_is_what_the_review_reckons_with(pool: Ground) -> None:
    Ground(pool.world, pool.engine, pool.config, back=15).until_all_is_read()
    month = Month.of("2026-11", "Europe/Paris", "FR", pool.desk.clock.now())
    with pool.engine.connect() as connection:
        given = Facts(month, pool.config, measures=gathered(connection, month))
    [found] = sizing.advice(given)
    assert (found.verdict, found.evidence.desired, found.need.load, found.need.recommended) == ("cut", 6, 1, 3)
    assert found.refusals == () and found.steps == (5, 4, 3)


def test_a_pool_that_aws_does_not_know_is_told_and_keeps_no_other_from_being_read(pool: Ground) -> None:
    config = watching({"gone": POOL | {"group": "gone"}, "pay-api": POOL})
    ground = Ground(pool.world, pool.engine, config)
    assert ground.measurer.act() == MOST_AT_ONCE - 1
    assert [each[2]["why"] for each in ground.rows("unread")] == ["AWS knows no Auto Scaling group gone"]
    assert ground.until_all_is_read() == FEW - MOST_AT_ONCE + 1 and len(ground.rows("unread")) == 1, "once an hour"


def test_without_an_account_nothing_is_asked(world: ActionWorld, sqlite_engine: sa.Engine) -> None:
    ground = Ground(world, sqlite_engine, watching({"pay-api": POOL}).model_copy(update={"aws": None}))
    ground.at(7)
    assert ground.measurer.act() == 0 and world.double.calls == []


# --- requests, threads --------------------------------------------------------------------------------------------------------


def test_requests_are_added_up_over_the_day_and_a_day_without_any_figure_is_not_zero(
    world: ActionWorld, sqlite_engine: sa.Engine,
) -> None:
    ground = Ground(world, sqlite_engine, watching(requests={"pay-api": REQUESTS}))
    for hour, requests, failed in ((3, 900.0, 4.0), (21, 100.0, 1.0)):
        dimensions = [{"Name": "LoadBalancer", "Value": "app/pay-api/50dc"}]
        world.aws("cloudwatch").put_metric_data(Namespace=ELB, MetricData=[
            {"MetricName": each["metric"], "Dimensions": dimensions, "Timestamp": datetime(2026, 11, 21, hour, tzinfo=UTC),
             "Value": value} for each, value in zip(REQUESTS, (requests, failed), strict=True)])
    ground.until_all_is_read()
    found = {day: body for _, day, body in ground.rows("availability")}
    assert found["2026-11-21"] == {"total": 1000.0, "failed": 5.0}
    assert found["2026-11-20"] == {"total": None, "failed": None}


def test_busy_threads_come_from_datadog_in_the_same_bins(datadog_world: DatadogWorld) -> None:
    query = "max:tomcat.threads.busy_share{service:pay-api}"
    datadog_world.bridge.metrics.set(query, 0.65)
    end = datadog_world.now.replace(minute=10)
    found = Clouds(lambda _reads: datadog_world).shares("bridge", query, end - timedelta(hours=1), end)
    assert set(found.values()) == {0.65} and all(at % 300 == 0 for at in found) and len(found) >= 12


def test_a_datadog_that_cannot_answer_is_unavailable_with_its_reason(datadog_world: DatadogWorld) -> None:
    dead = replace(datadog_world, url="http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="Datadog"):
        Clouds(lambda _reads: dead).shares("bridge", "max:x{*}", dead.now - timedelta(hours=1), dead.now)


# --- what is written about it ---


def test_the_page_names_the_rights_that_are_asked_for() -> None:
    assert named(table("docs/month-cost.md", "right")) == set(READS)


# --- rows ---------------------------------------------------------------------------------------------------------------------


def test_an_old_review_finds_what_was_known_then(engine: sa.Engine) -> None:
    day, first = date(2026, 11, 3), datetime(2026, 11, 4, 7, tzinfo=UTC)
    with engine.begin() as connection:
        measures.add(connection, [
            measures.Reading("cost", ACCOUNT, day, first + n * timedelta(days=1), {"estimated": n == 0, "lines": []})
            for n in (0, 1)])
        assert measures.newest(connection, "cost", ACCOUNT, day)[day].body == {"estimated": False, "lines": []}
        assert measures.days_read(connection, "cost", ACCOUNT, day) == {day}
        then = Month.of("2026-11", "Europe/Paris", "FR", first + timedelta(hours=1))
        assert [each.body["estimated"] for each in gathered(connection, then)] == [True]
