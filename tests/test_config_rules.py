"""The rules of vigie.yaml: each is broken once, and told with its line and its remedy."""

import re
from functools import partial

import pytest

from tests.config_stage import TEXT, changed, reading


@pytest.fixture
def read(tmp_path):
    """Reads a text as vigie.yaml."""
    return partial(reading, tmp_path)


# --- rules about the file, each broken once ---

FAULTS = [
    ("workspace: T0BRIDGE01", "workspace: bridge", "not the id of a Slack workspace"),
    ("command: /vigie", "command: vigie", "cannot be a slash command"),
    ("command: /vigie", "command: /vigie-the-lookout-of-all-our-payments", "cannot be a slash command"),
    ("default_channel: alerts", "default_channel: alert", 'Did you mean "alerts"?'),
    ("default_channel: alerts", "default_channel: #alerts", "What starts with # is a comment"),
    ("review_channel: review", "review_channel: reviews", 'Did you mean "review"?'),
    ("# public_url: https://vigie.example.com", "public_url: http://vigie.example.com", "https://"),
    ("# public_url: https://vigie.example.com", "public_url: https://vigie.example.com/?a=b", "no query"),
    ("    kind: own", "    kind: owner", 'Did you mean "own"?'),
    ("    timezone: Europe/Paris", "    timezone: Europe/Pariss", 'Did you mean "Europe/Paris"?'),
    ("blackout: 00:00-08:00", "blackout: 0-8", "HH:MM-HH:MM"),
    ("blackout: 00:00-08:00", "blackout: 00:00-24:30", "HH:MM-HH:MM"),
    ("blackout: 00:00-08:00", "blackout: 08:00-08:00", "two different times"),
    ("slack: U0ALICE001, organisation: bridge", "slack: U0ALICE001, organisation: bridg", 'Did you mean "bridge"?'),
    ("slack: U0ALICE001", "slack: alice", "not a Slack member id"),
    ("slack: U0ALICE001", "team: bridge, slack: U0ALICE001", "not the id of a Slack workspace"),
    ("slack: U0BRUNO001", "slack: U0ALICE001", "the same Slack user"),
    ("slack: U0LEA00001", "slack: U0ALICE001", "two organisations"),
    ("slack: U0LEA00001", "slack: U0ALICE001, team: T0BRIDGE01", "two organisations"),
    ("roles: [engineer], regime", "roles: [enginer], regime", 'Did you mean "engineer"?'),
    ("  alerts: C0ALERTS01", "  alerts: alerts", "not the id of a Slack channel"),
    ("  review: C0REVIEW01", '  review: C0REVIEW01\n  "#night": C0NIGHT001', "without #"),
    ("pay-api: {channel: payments", "pay-api: {channel: paiements", 'Did you mean "payments"?'),
    ("  ledger: {", "  Ledger App: {", "cannot be the name of a service"),
    ("  ledger: {", "  unknown: {", "is taken"),
    ("  bridge-generic: ", "  bridge generic: ", "cannot stand in a URL"),
    ("source: datadog", "source: datadogs", 'Did you mean "datadog"?'),
    ("    source: generic\n    organisation: bridge", "    source: generic\n    organisation: bridges", '"bridge"?'),
    ("    secrets: [VIGIE_SECRET_BRIDGE_GENERIC]", "", "it has no credential"),
    ("    secrets: [VIGIE_SECRET_BRIDGE_GENERIC]", "    secrets: [A_1, A_2, A_3]", "At most two"),
    ("    secrets: [VIGIE_SECRET_BRIDGE_GENERIC]", "    secrets: VIGIE_SECRET_BRIDGE_GENERIC", "a list is wanted"),
    ("    secrets: [VIGIE_SECRET_BRIDGE_GENERIC]", "    secret: VIGIE_SECRET_BRIDGE_GENERIC", 'mean "secrets"?'),
    ("    source: cloudwatch", "    source: datadog", "`topics` mean nothing"),
    ("    # queue_url: https", "    secrets: [A_B]\n    # queue_url: https", "SNS signs its messages"),
    ("arn:aws:sns:eu-west-3:111122223333:bridge-alarms", "arn:aws:sns:eu-west-3:1111:bridge-alarms", "twelve digits"),
    ("arn:aws:sns:eu-west-3:111122223333:bridge-alarms", "arn:aws:sns:eu-west:111122223333:a", "not the ARN"),
    ("arn:aws:sns:eu-west-3:111122223333:bridge-alarms", "arn:aws:sns:eu-west-3:111122223333:a.fifo", "FIFO"),
    ("arn:aws:sns:eu-west-3:111122223333:bridge-alarms", "arn:aws:sns:cn-north-1:111122223333:a", "aws-cn"),
    ('["2"]', '["3"]', "Known: 1, 2"),
    ('["2"]', "[]", "Give it at least one entry"),
    ("    # queue_url: https", "    queue_url: http://sqs.example/1\n    # https", "not the URL of an SQS queue"),
    ("    observer: Scripts", "    queue_url: https://sqs.eu-west-3.amazonaws.com/111122223333/q", "come by HTTPS"),
    ("when: {service: [pay-db]}", "when: {service: [pay-bd]}", 'Did you mean "pay-db"?'),
    ("when: {service: [pay-db]}", "when: {source: [cloudwatsh]}", 'Did you mean "cloudwatch"?'),
    ("severity: [critical, high]", "severity: [critcal, high]", 'Did you mean "critical"?'),
    ("    important: true\n    channel: payments", "    channel: payment", 'Did you mean "payments"?'),
    ("name: errors at the edge", "name: money stands still", "two rules are called"),
    ("when: {labels: {env: staging}}", "when: {}", "can never match"),
    ("when: {labels: {env: staging}}", "line: 7", "Vigie counts the lines itself"),
    ("probation: {minutes: 15}", "probation: {minutes: 2000}", "less than or equal to 1440"),
    ("probation: {minutes: 15}", "probation: {minutes: -1}", "greater than or equal to 0"),
    ("probation: {minutes: 15}", "probation: 15", "a section is wanted"),
    ("probation: {minutes: 15}", "probations: {minutes: 15}", 'Did you mean "probation"?'),
    ("  alice: {name: Alice, ", "  alice: {", '"name" is missing'),
    ("  alice: {name: Alice, ", "  alice: {name: [Alice], ", "a text is wanted"),
    ("  alice: {", "  7: {", "names are texts"),
    ("important: false", "important: perhaps", "true or false is wanted"),
    ("probation: {minutes: 15}", "probation: {minutes: soon}", "a whole number is wanted"),
]


# --- symptoms, accounts, the mandate ---

STANDING = "standing: {by: paul, until: 2030-12-31}"

FAULTS += [
    ("    service: batch-worker\n    when", "    service: batch-wroker\n    when", 'Did you mean "batch-worker"?'),
    ("  - name: unhealthy target", "  - name: errors", 'the service "pay-api" has the symptom "errors" twice'),
    ('when: {name: [pay-api-5xx, "pay-api answers with errors"]}', "when: {}", '"unhealthy target" can never be seen'),
    ("when: {name: [pay-api-unhealthy-hosts", "when: {source: [datadgo], name: [x", 'Did you mean "datadog"?'),
    ("when: {name: [pay-api-unhealthy-hosts", "when: {service: [edge], name: [x", 'no alert of "pay-api" can be of edge'),
    ('account: "111122223333"', "account: 111122223333", "a text is wanted"),
    ('account: "111122223333"', 'account: "1111"', "Twelve digits"),
    ('  account: "111122223333"', "  # account", '"account" is missing'),
    ("region: eu-west-3", "region: Paris", "As in eu-west-3"),
    ("arn:aws:iam::111122223333:role/vigie-read", "vigie-read", "As in arn:aws:iam::111122223333:role/vigie-act"),
    ("arn:aws:iam::111122223333:role/vigie-read", "arn:aws:iam::111122223333:user/vigie", "not the ARN of a role"),
    ("arn:aws:iam::111122223333:role/vigie-act", "arn:aws:iam::444455556666:role/vigie-act", "of the account 444455556666"),
    ("{bridge: vigie-bridge-41d7, padok", "{bridge: vigie-bridge-41d7, padock", 'Did you mean "padok"?'),
    ("padok: vigie-padok-8c1f", "padok: vigie-bridge-41d7", "have the same external id"),
    ("padok: vigie-padok-8c1f", 'padok: "hunter2 hunter2"', "this is not an external id"),
    ("documents: [AWS-RestartEC2Instance", "documents: [AWS-RunShellScript", "runs whatever text it is given"),
    ("documents: [AWS-RestartEC2Instance", "documents: [AWS-RunPowerShellScript", "runs whatever text it is given"),
    ("documents: [AWS-RestartEC2Instance", 'documents: ["pay-*"', "not the name of an SSM document"),
    ("- 192.0.2.0/24", "- 192.0.2.1/24", '"192.0.2.1/24" is not a network: has host bits set'),
    ("- 192.0.2.0/24", "- the office", "As in 203.0.113.0/24"),
    ("  bridge: {site: datadoghq.eu", "  brigde: {site: datadoghq.eu", 'Did you mean "bridge"?'),
    ("  bridge: {site: datadoghq.eu", "  bridge: {site: datadog.eu", 'Did you mean "datadoghq.eu"?'),
    ("api_key: VIGIE_SECRET_BRIDGE_DATADOG_API", "api_key: 0123456789abcdef0123456789abcdef", "not a reference to a secret"),
    ("app_key: VIGIE_SECRET_BRIDGE_DATADOG_APP", "app_key: VIGIE_SECRET_BRIDGE_DATADOG_API", "one and the same"),
    ("api_key: VIGIE_SECRET_PADOK_DATADOG_API", "api_key: VIGIE_SECRET_BRIDGE_DATADOG_API", "so they are one account"),
    ("    organisation: padok\n    starts", "    organisation: padock\n    starts", 'Did you mean "padok"?'),
    ("    organisation: padok\n    starts", "    organisation: bridge\n    starts", "and \"bridge\" owns the platform"),
    ("starts: 2026-01-01", "starts: 2031-01-01", "before it starts on 2031-01-01"),
    ("starts: 2026-01-01", "starts: the new year", "as in 2026-11-04"),
    ("    starts: 2026-01-01", "    # starts", '"starts" is missing'),
    ("    clauses:", "    clauses: []\n    claused:", "Give it at least one entry"),
    ("name: §2 fail the database over", "name: §1 restart what is stuck", "two clauses are called"),
    ("hours: [00:00-08:00, 20:00-00:00]", "hours: [24:00-08:00, 20:00-00:00]", '"24:00-08:00" is not a stretch of hours'),
    ("hours: [00:00-08:00, 20:00-00:00]", "hours: [00:00-24:00]", '"00:00-24:00" is not a stretch of hours'),
    ("hours: [00:00-08:00, 20:00-00:00]", "hours: 08:00-08:00", "two different times"),
    ("services: pay-db", "services: pay-bd", 'Did you mean "pay-db"?'),
    ("targets: rds:pay-db", "targets: pay-db", "ecs:payments/*, rds:pay-db or host:hooks.example"),
    ("        severities: [critical, high]", "        severities: [critcal]", 'Did you mean "critical"?'),
    ("{desired: {minimum: 4, maximum: 18}}", "{desired: {minimum: 18, maximum: 4}}", "`minimum` 18 is above `maximum` 4"),
    ("{desired: {minimum: 4, maximum: 18}}", "{desired: {min: 4}}", '"min" is not a key here. Did you mean "minimum"?'),
    ("          organisation: bridge\n", "          organisation: brigde\n", 'Did you mean "bridge"?'),
    ("          by: [lead, approver]", "          by: [leader]", 'Did you mean "lead"?'),
    ("organisation: bridge\n          by: [lead, approver]", "organisation: padok\n          by: manager", "nobody could sign"),
    ("second:                    #", "second:\n          organisation: padok\n        seconds: #", '"seconds" is not a key'),
    ("          organisation: bridge\n", "          organisation: padok\n", '"paul" is not of "padok", whose'),
    (STANDING, "standing: {by: pual, until: 2030-12-31}", 'Did you mean "paul"?'),
    (STANDING, "standing: {by: ines, until: 2030-12-31}", "of the company that owns the platform"),
    (STANDING, "standing: {by: alice, until: 2030-12-31}", '"alice" is neither lead nor approver'),
    (STANDING, "standing: {by: paul, until: 2031-01-01}", "Until the mandate's last day"),
    (STANDING, "standing: {by: paul, until: 2025-01-01}", "Give it a day within the mandate"),
]


@pytest.mark.parametrize(("old", "new", "words"), FAULTS, ids=[f"{new.strip()[:40]}-{words[:20]}" for _, new, words in FAULTS])
def test_a_fault_is_told_with_its_line_and_its_remedy(read, old, new, words):
    text = changed(old, new)
    reading = read(text)
    assert reading.config is None
    told = [str(fault) for fault in reading.faults]
    assert any(words in each for each in told), told
    assert all(re.match(r"vigie\.yaml:\d+: ", each) for each in told), told
    start = TEXT[: TEXT.index(old)].count("\n") + 1
    assert any(abs(fault.line - start) <= 4 for fault in reading.faults), (start, told)
    assert all(fault.right for fault in reading.faults), told


WARNINGS = [
    ('["2"]', '["1", "2"]', "SHA-1"),
    ("roles: [lead, rota_admin], contacts", "roles: [rota_admin], contacts", "role lead"),
    ("  review: C0REVIEW01", "  review: C0REVIEW01\n  night: C0NIGHT001", "nothing is ever posted"),
    ("  review: C0REVIEW01", "  review: C0REVIEW01\n  night: C0REVIEW01", "the same id"),
    ("review_channel: review", "# nothing", "seals are posted nowhere"),
    ("name: Bruno", "name: Alice", "both called Alice"),
    ("VIGIE_SECRET_PADOK_DATADOG", "VIGIE_SECRET_BRIDGE_DATADOG", "share the secret"),
    ('    when: {name: "*cert*"}\n    important: false\n    severity: warning', "    when: {name: x}", "decides nothing"),
    ("role/vigie-act", "role/vigie-read", "one role looks and acts"),
    (", padok: vigie-padok-8c1f}", "}", '"padok" has no external id'),
    ("{desired: {minimum: 4, maximum: 18}}", "{desired: {}}", "this bound allows everything"),
]


@pytest.mark.parametrize(("old", "new", "words"), WARNINGS, ids=[words for _, _, words in WARNINGS])
def test_what_works_but_is_better_changed_is_a_warning(read, old, new, words):
    reading = read(changed(old, new))
    assert reading.faults == () and reading.config is not None
    assert any(words in str(each) for each in reading.warnings), reading.warnings


def test_every_fault_of_a_file_is_told_at_once(read):
    text = changed("command: /vigie", "comand: /vigie")
    for old, new in (
        ("kind: own", "kind: owner"),
        ("slack: U0BRUNO001", "slack: bruno, organisaton: x"),
        ("roles: [manager]", "roles: [boss]"),
        ("payments: C0PAYMNT01", "payments: 12"),
        ("source: eventbridge", "source: eventbrigde"),
        ("when: {service: [edge], ", "when: {service: [egde], "),
        ("{minutes: 15}", "{minutes: soon}"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    told = "\n".join(map(str, read(text).faults))
    for words in (
        '"comand" is not a key',
        '"owner" is not one of',
        '"bruno" is not a Slack member id',
        '"organisaton" is not a key',
        '"boss" is not one of',
        "channels.payments: a text is wanted",
        '"eventbrigde"',
        '"egde" is not in `services`',
        "probation.minutes",
    ):
        assert words in told, told
    assert 'bridge" is not in' not in told, "what hangs on a broken entry is not a fault of its own"


def test_faults_of_what_runbooks_may_do_are_told_together_and_none_is_only_an_echo(read):
    text = changed("account: \"111122223333\"", "account: bridge")
    for old, new in (
        ("when: {name: [pay-api-5xx, ", "when: {nmae: [pay-api-5xx, "),
        ("    service: batch-worker\n    when", "    when"),
        ("runbooks: rds-failover", "runbooks: []"),
        ("ends: 2030-12-31", "ends: never"),
        ("region: eu-west-3", "region: [eu-west-3]"),
        ("  padok: {site: datadoghq.eu, api_key: VIGIE_SECRET_PADOK_DATADOG_API, ", "  padok: {"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    told = [str(fault) for fault in read(text).faults]
    assert [re.sub(r"vigie.yaml:\d+: (\S+): .*", r"\1", each) for each in told] == [
        "symptoms[0].when.nmae",
        "symptoms[2].service",
        "aws.account",
        "aws.region",
        "datadog.padok.api_key",
        "mandates.nights.ends",
        "mandates.nights.clauses[1].runbooks",
    ], told


@pytest.mark.parametrize("missing", ["workspace", "default_channel", "organisations", "people", "channels", "services"])
def test_a_missing_section_is_told_once_and_the_rest_is_still_read(read, missing):
    lines = changed("kind: partner", "kind: friend").splitlines(keepends=True)
    start = next(index for index, line in enumerate(lines) if line.startswith(f"{missing}:"))
    end = next(index for index in range(start + 1, len(lines)) if lines[index][0] not in " \n#")
    told = [str(fault) for fault in read("".join(lines[:start] + lines[end:])).faults]
    assert sum(f'"{missing}" is missing' in each for each in told) == 1, told
    assert missing == "organisations" or any('"friend" is not one of these' in each for each in told)


# --- secrets ---


@pytest.mark.parametrize(
    "value",
    [
        "hunter2",
        "Hunter2Secret",
        "xoxb-1234-abcd",
        "AKIAIOSFODNN7EXAMPLE",
        "F86D081884C7D659A2FEAA0C55AD015A",
        "0123456789abcdef",
        "A" * 65,
        "vigie_secret_datadog",
        "SECRET WITH SPACES",
        "'$VIGIE_SECRET'",
        "p@ss",
        "arn:aws:iam::111122223333:role/vigie",
        "arn:aws:secretsmanager:eu-west-3:1:secret:x",
    ],
)
def test_a_secret_given_by_value_is_refused_and_never_printed(read, value):
    reading = read(changed("[VIGIE_SECRET_PADOK_DATADOG]", f"[{value}]"))
    told = "\n".join(map(str, reading.faults))
    assert "not a reference to a secret" in told
    assert value.strip("'") not in told


@pytest.mark.parametrize(
    "reference",
    [
        "VIGIE_SECRET_PADOK_DATADOG",
        "DDSECRET",
        "arn:aws:ssm:eu-west-3:111122223333:parameter/vigie/datadog",
        "arn:aws:secretsmanager:eu-west-3:111122223333:secret:vigie/datadog-AbCdEf",
        "arn:aws:secretsmanager:eu-west-3:111122223333:secret:vigie-AbCdEf:datadog::",
    ],
)
def test_a_secret_is_named_by_variable_or_arn(read, reference):
    reading = read(changed("[VIGIE_SECRET_PADOK_DATADOG]", f"[{reference!r}]".replace("'", '"')))
    assert reading.faults == ()


def test_a_token_anywhere_in_the_file_is_a_fault_and_is_not_shown(read):
    for place in ("  ledger: {description: xoxb-1-SECRET}", "  ledger: {channel: xoxb-1-SECRET}", "  xoxb-1-SECRET: {}"):
        told = "\n".join(map(str, read(changed("  ledger: {description: Double-entry book of every payment}", place)).faults))
        assert told and "SECRET" not in told.replace("VIGIE_SECRET", ""), told


def test_the_values_of_a_key_that_stands_twice_are_not_shown(read):
    told = "\n".join(map(str, read(TEXT + "\nprobation: {minutes: 7}\nworkspace: hunter2\n").faults))
    assert 'the key "probation" stands twice' in told and "hunter2" not in told and "minutes" not in told


# --- endpoints against one another ---

QUEUE = "    queue_url: https://sqs.eu-west-3.amazonaws.com/111122223333/bridge-alarms"


def test_two_endpoints_cannot_read_one_queue(read):
    second = f"\n  night-alarms:\n    source: cloudwatch\n    organisation: bridge\n{QUEUE}\n"
    text = changed("    # queue_url: https", f"{QUEUE}\n    # https").replace(
        "\n  bridge-datadog:", f"{second}\n  bridge-datadog:"
    )
    [fault] = read(text).faults
    assert '"bridge-cloudwatch" and "night-alarms" read the same queue' in fault.what


def test_a_queue_is_credential_enough_for_cloudwatch(read):
    reading = read(re.sub(r"    topics:\n.*\n.*\n", QUEUE + "\n", TEXT))
    assert reading.faults == () and reading.config.endpoints["bridge-cloudwatch"].topics == ()


# --- rules that cannot match ---


@pytest.mark.parametrize(
    ("first", "second", "hidden"),
    [
        ("{}", "{service: [edge]}", True),
        ("{service: [edge, ledger]}", "{service: [edge]}", True),
        ("{service: [edge]}", "{service: [edge, ledger]}", False),
        ("{service: [edge]}", "{}", False),
        ("{service: [edge]}", "{service: [edge], severity: [high]}", True),
        ("{severity: [high]}", "{service: [edge]}", False),
        ("{name: '*5xx*'}", "{name: pay-5XX-rate}", True),
        ("{name: '*5xx*'}", "{name: '*5xx*', source: [datadog]}", True),
        ("{name: '*5xx*'}", "{name: 'pay*'}", False),
        ("{labels: {env: staging}}", "{labels: {env: staging, zone: a}}", True),
        ("{labels: {env: 'stag*'}}", "{labels: {env: staging}}", True),
        ("{labels: {env: staging}}", "{labels: {zone: a}}", False),
    ],
)
def test_a_rule_below_one_that_takes_all_its_alerts_can_never_match(read, first, second, hidden):
    rules = f"rules:\n- {{name: first, when: {first}, important: true}}\n- {{name: second, when: {second}, important: true}}\n"
    text = re.sub(r"(?s)^rules:.*(?=^# After)", rules, TEXT, flags=re.MULTILINE)
    told = [fault.what for fault in read(text).faults]
    assert bool(told) is hidden and all('"second" can never match: "first"' in each for each in told)
