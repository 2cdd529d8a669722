"""The rules of vigie.yaml about the month: each is broken once, and told with its line and its remedy."""

import re
from datetime import UTC, datetime
from functools import partial

import pytest

from bot.config import Catalogue, Entry, load_catalogue, unmatched_pools
from tests.config_stage import actions, changed, example, reading

NIGHT = "{organisation: padok, name: Important alerts of the night, important: true, ack_within: 10m, resolve_within: 4h}"
DAY = NIGHT.replace("padok", "bridge").replace("night", "day").replace("10m", "15m").replace("4h", "4h, target: 0.9")
SERVICES = "services: [pay-api, pay-db, ledger, bank-sync, edge]"
AGREED = "agreed_by: [paul, ines]"
POOL = "        group: cluster             # 18 m5.large\n"
OWN_POOL = "      pay-api:\n        group: cluster"
TARGET = "    target: 0.9995"
MONTH = "month:\n"
ENTITY = "    entity: Bridge SAS\n"
REQUESTS = """    requests: {{{name}: [{{namespace: AWS/ApplicationELB, metric: RequestCount}},
                         {{namespace: AWS/ApplicationELB, metric: {failed}}}]}}
"""


@pytest.fixture
def read(tmp_path):
    """Reads a text as vigie.yaml."""
    return partial(reading, tmp_path)


def pool(more: str) -> tuple[str, str]:
    return POOL, f"{POOL}        {more}\n"


FAULTS = [
    # availability
    (SERVICES, "services: [pay-api, ledgr]", 'Did you mean "ledger"?'),
    (SERVICES, "services: []", "no service counts for the platform"),
    (TARGET, "    target: 99.95", "less than 1"),
    (TARGET, REQUESTS.format(name="pay-apy", failed="HTTPCode_Target_5XX_Count") + TARGET, 'Did you mean "pay-api"?'),
    (TARGET, REQUESTS.format(name="pay-api", failed="RequestCount") + TARGET, "are the same metric"),
    (TARGET, "    requests: {pay-api: [{namespace: AWS/ApplicationELB}]}\n" + TARGET, "metric"),
    # service levels
    (NIGHT, NIGHT.replace("padok", "padock"), 'Did you mean "padok"?'),
    (NIGHT, NIGHT.replace(", ack_within: 10m, resolve_within: 4h", ""), "it promises nothing"),
    (NIGHT, NIGHT.replace("10m", "0s"), "no time at all"),
    (NIGHT, NIGHT.replace("4h", "four hours"), "30s, 10m, 2h"),
    (NIGHT, NIGHT.replace("important: true", "services: [ledgr]"), 'Did you mean "ledger"?'),
    (NIGHT, NIGHT.replace("important: true", "severities: [hihg]"), 'Did you mean "high"?'),
    (NIGHT, NIGHT.replace("important: true", "clock: sometimes"), "Known: always, working"),
    (DAY, DAY.replace("0.9", "90"), "less than or equal to 1"),
    (DAY, DAY.replace("bridge", "padok").replace("day", "night"), '"padok" promises "Important alerts of the night" twice'),
    # maintenance
    ("end: 2026-10-18T02:00Z", "end: 2026-10-17T02:00Z", "it ends before it starts"),
    ("end: 2026-10-18T02:00Z", "end: 2026-10-18T02:00", "With its zone"),
    (AGREED, "agreed_by: [paul, inez]", 'Did you mean "ines"?'),
    (AGREED, "agreed_by: [paul, alice]", "only people of bridge have agreed to it"),
    (AGREED, "agreed_by: [ines, lea]", "only people of padok have agreed to it"),
    (AGREED, "agreed_by: [paul]", "at least one of each side"),
    ("    - services: [pay-db]\n", "    - services: [pay-bd]\n", 'Did you mean "pay-db"?'),
    # pools
    ("        service: pay-api\n", "        service: pay-apy\n", 'Did you mean "pay-api"?'),
    (*pool("target_group: targetgroup/pay-api/6d0ecf831eec9f09"), "only together with its load balancer"),
    (*pool("load_balancer: arn:aws:elasticloadbalancing:eu-west-3:111122223333:loadbalancer/app/x/1"), "The end of its ARN"),
    (*pool("threads: 0"), "greater than or equal to 1"),
    (OWN_POOL, f"      other: {{group: cluster, service: ledger}}\n{OWN_POOL}", "are the same Auto Scaling group"),
    ("currency: USD}", "currency: dollars}", "USD"),
    # the regulator
    ("compliance: marie", "compliance: mariee", 'Did you mean "marie"?'),
    ("second_contact: paul", "second_contact: pawl", 'Did you mean "paul"?'),
    ("969500BRIDGEDEMO0006", "969500BRIDGEDEMO0007", "its check digits are wrong"),
    ("969500BRIDGEDEMO0006", "BRIDGE", "20 signs"),
    (ENTITY, f"{ENTITY}    critical: [pay-apy]\n", 'Did you mean "pay-api"?'),
    (ENTITY, f"{ENTITY}    bank_api: {{service: [bank-sink]}}\n", 'Did you mean "bank-sync"?'),
    # the rest
    (MONTH, f"{MONTH}  drills: {{}}\n", "every alert would be a drill"),
    (MONTH, f"{MONTH}  drills: {{source: [datadogg]}}\n", 'Did you mean "datadog"?'),
    (MONTH, f"{MONTH}  link_lasts: 0s\n", "a link would never work"),
    (MONTH, f"{MONTH}  verdict_coverage: 80\n", "less than or equal to 1"),
    (MONTH, f"{MONTH}  avilability: {{}}\n", 'Did you mean "availability"?'),
]


@pytest.mark.parametrize(("old", "new", "words"), FAULTS, ids=[f"{number}-{each[2][:30]}" for number, each in enumerate(FAULTS)])
def test_a_fault_of_the_month_is_told_with_its_line_and_its_remedy(read, old, new, words):
    found = read(changed(old, new))
    told = [str(fault) for fault in found.faults]
    assert found.config is None and any(words in each for each in told), told
    assert all(re.match(r"vigie\.yaml:\d+: ", each) and fault.right for each, fault in zip(told, found.faults, strict=True)), told


WARNINGS = [
    (SERVICES, "services: [pay-api, 'x-*']", 'no service is called like "x-*"'),
    (NIGHT, NIGHT.replace("4h", "5m"), "`resolve_within` is shorter than `ack_within`"),
    (AGREED, "agreed_by: [paul, ines, paul]", '"paul" has agreed twice'),
    ("compliance: marie", "compliance: lea", '"lea" is of "padok", which does not own the platform'),
    ("second_contact: paul", "second_contact: marie", '"marie" is both contacts'),
]


@pytest.mark.parametrize(("old", "new", "words"), WARNINGS, ids=[each[2][:30] for each in WARNINGS])
def test_what_works_but_is_better_changed_in_the_month_is_a_warning(read, old, new, words):
    found = read(changed(old, new))
    assert found.faults == () and any(words in str(each) for each in found.warnings), (found.faults, found.warnings)


def test_a_query_of_datadog_needs_the_owners_account(read):
    text = changed(*pool('busy_threads: "max:tomcat.threads.busy_share{service:pay-api}"'))
    assert read(text).faults == ()
    alone = "\n".join(line for line in text.split("\n") if "VIGIE_SECRET_BRIDGE_DATADOG_API" not in line)
    assert any('no Datadog account of "bridge"' in str(each) for each in read(alone).faults)


def test_what_cannot_be_read_without_an_account_is_told(read):
    text = changed(TARGET, REQUESTS.format(name="pay-api", failed="HTTPCode_Target_5XX_Count") + TARGET)
    start, end = text.index("# What runbooks act on."), text.index("# The Datadog account of each company")
    told = [str(each) for each in read(text[:start] + text[end:]).warnings]
    assert sum("names no AWS account, so nothing of this is read" in each for each in told) == 2, told


@pytest.mark.parametrize("start", ["2026-10-18T02:00+02:00", "2026-10-18T02:00:00+02:00", "2026-10-18 00:00:00Z"])
def test_an_instant_may_be_written_with_any_zone(read, start):
    config = read(changed("start: 2026-10-18T00:00Z", f"start: {start}")).config
    assert config.month.maintenance[0].start == datetime(2026, 10, 18, tzinfo=UTC)


def test_the_runbook_of_a_pool_must_exist_and_take_its_group():
    config, shipped = example(), load_catalogue(None, example(), actions())
    assert list(unmatched_pools(config, shipped)) == []
    other = config.month.costs.pools["pay-api"].model_copy(update={"group": "pay-api"})
    gone = other.model_copy(update={"runbook": "right-size-clustre"})
    small = other.model_copy(update={"runbook": "queue-backlog"})

    def told(pool, catalogue=shipped):
        costs = config.month.costs.model_copy(update={"pools": {"pay-api": pool}})
        month = config.month.model_copy(update={"costs": costs})
        return [each.what for each in unmatched_pools(config.model_copy(update={"month": month}), catalogue)]

    assert told(other) == ['the runbook "right-size-cluster" does not take the group "pay-api": cluster']
    assert told(gone) == ['no runbook is called "right-size-clustre"'] and told(gone, Catalogue()) == []
    assert len(told(small)) == 2 and all(isinstance(each, Entry) for each in shipped.entries.values())
