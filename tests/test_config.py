"""vigie.yaml: a good file becomes a configuration, a bad one a list of faults with lines and remedies, never a traceback."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bot.sources
from bot.config import KNOWN_SOURCES, Config, Misconfigured, load_config, read_config
from bot.discover import discover
from bot.errors import Misbuilt

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "bot" / "vigie.example.yaml"
TEXT = EXAMPLE.read_text()


@pytest.fixture
def read(tmp_path):
    """Reads a text as vigie.yaml."""

    def reading(text: str | bytes):
        path = tmp_path / "vigie.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_config(path)

    return reading


def line_with(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


def changed(old: str, new: str) -> str:
    assert old in TEXT, f"the example no longer says {old!r}"
    return TEXT.replace(old, new, 1)


# --- the example ---


def test_the_example_has_neither_fault_nor_warning():
    reading = read_config(EXAMPLE)
    assert reading.faults == () and reading.warnings == ()


def test_the_example_tells_the_story_of_the_contract():
    config = load_config(EXAMPLE)
    assert {key: (person.slack, person.organisation) for key, person in config.people.items()} == {
        "alice": ("U0ALICE001", "bridge"),
        "bruno": ("U0BRUNO001", "bridge"),
        "paul": ("U0PAUL0001", "bridge"),
        "marie": ("U0MARIE001", "bridge"),
        "lea": ("U0LEA00001", "padok"),
        "omar": ("U0OMAR0001", "padok"),
        "ines": ("U0INES0001", "padok"),
    }
    assert config.workspace == "T0BRIDGE01" and config.organisations["bridge"].blackout == "00:00-08:00"
    assert config.channels == {"alerts": "C0ALERTS01", "payments": "C0PAYMNT01", "review": "C0REVIEW01"}
    assert set(config.services) == {"pay-api", "ledger", "bank-sync", "pay-db", "edge", "batch-worker"}
    assert {name: endpoint.source for name, endpoint in config.endpoints.items()} == {
        "bridge-cloudwatch": "cloudwatch",
        "bridge-eventbridge": "eventbridge",
        "bridge-datadog": "datadog",
        "padok-datadog": "datadog",
        "bridge-alertmanager": "alertmanager",
        "bridge-generic": "generic",
    }


def test_each_secret_of_the_example_is_named_after_its_endpoint():
    config = load_config(EXAMPLE)
    secrets = {name: endpoint.secrets for name, endpoint in config.endpoints.items() if endpoint.secrets}
    assert secrets == {name: (f"VIGIE_SECRET_{name.upper().replace('-', '_')}",) for name in secrets}


def test_each_rule_knows_the_line_where_it_stands():
    for rule in load_config(EXAMPLE).rules:
        assert rule.line == line_with(TEXT, f"name: {rule.name}")


def test_the_known_sources_are_those_of_the_family():
    assert list(KNOWN_SOURCES) == sorted(discover(bot.sources, bot.sources.Source))


def test_the_published_schema_is_the_one_of_the_code():
    published = json.loads((ROOT / "docs" / "vigie.schema.json").read_text())
    assert published == Config.json_schema()
    assert "line" not in published["$defs"]["Rule"]["properties"]


# --- what colleagues ask a configuration ---


def test_a_person_is_known_by_workspace_and_user_together():
    config = load_config(EXAMPLE)
    assert config.person("T0BRIDGE01", "U0LEA00001")[0] == "lea"
    assert config.person("T0EVIL0001", "U0LEA00001") is None
    assert config.person("T0EVIL0001", "U0EVE00001") is None


@pytest.mark.parametrize("name", ["lea", "@lea", "Léa", "LÉA", "U0LEA00001", " lea "])
def test_a_person_is_found_by_every_name_that_people_type(name):
    assert load_config(EXAMPLE).person_named(name)[0] == "lea"


@pytest.mark.parametrize(
    ("explicit", "name", "service"),
    [
        ("ledger", "pay-api-5xx", "ledger"),
        ("not-in-the-file", "pay-api-5xx", "not-in-the-file"),
        (None, "pay-api-5xx", "pay-api"),
        ("", "pay-api", "pay-api"),
        (None, "PAY-API: slow", "pay-api"),
        (None, "pay-apix", "unknown"),
        (None, "pay_api", "unknown"),
        (None, "edge", "edge"),
        (None, "edges", "unknown"),
        (None, "the edge", "unknown"),
        (None, "edge_5xx", "edge"),
        (None, "", "unknown"),
        (None, "edgeé", "unknown"),
    ],
)
def test_the_service_is_what_the_source_says_else_what_the_name_begins_with(explicit, name, service):
    assert load_config(EXAMPLE).service_of(explicit, name) == service


def test_the_longest_service_wins_and_none_is_needed(read):
    longer = changed("  edge: {", "  pay: {}\n  pay-api-v2: {}\n  edge: {")
    config = read(longer).config
    assert config.service_of(None, "pay-api-v2-latency") == "pay-api-v2"
    assert config.service_of(None, "pay-api-v20") == "pay-api"
    assert config.model_copy(update={"services": {}}).service_of(None, "edge") == "unknown"


def test_an_alert_goes_to_the_rules_channel_then_the_services_then_the_default():
    config = load_config(EXAMPLE)
    assert config.channel_of("pay-api", "review") == "C0REVIEW01"
    assert config.channel_of("pay-api") == "C0PAYMNT01"
    assert config.channel_of("edge") == config.channel_of("unknown") == "C0ALERTS01"


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
    ("roles: [engineer]}", "roles: [enginer]}", 'Did you mean "engineer"?'),
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
    ('["2"]', "[]", "at least 1 item"),
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
    ("  ines: {name: Inès, slack: U0INES0001, organisation: padok, roles: [lead]}", "", "role lead"),
    ("  review: C0REVIEW01", "  review: C0REVIEW01\n  night: C0NIGHT001", "nothing is ever posted"),
    ("  review: C0REVIEW01", "  review: C0REVIEW01\n  night: C0REVIEW01", "the same id"),
    ("review_channel: review", "# nothing", "seals are posted nowhere"),
    ("name: Bruno", "name: Alice", "both called Alice"),
    ("VIGIE_SECRET_PADOK_DATADOG", "VIGIE_SECRET_BRIDGE_DATADOG", "share the secret"),
    ('    when: {name: "*cert*"}\n    important: false\n    severity: warning', "    when: {name: x}", "decides nothing"),
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


# --- files that are no configuration ---


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"", 0, "empty"),
        (b"# only words\n", 0, "empty"),
        (b"- a\n- b\n", 1, "`key: value` lines"),
        (b"vigie", 1, "`key: value`"),
        (b"a: 1\nb:\n\t- x\n", 3, "a tab stands"),
        (b"a: 1\nb: [1, 2\nc: 3\n", 3, "not YAML"),
        (b"a: b: c\n", 1, "not YAML"),
        (b"a: 1\n\na: 2\n", 3, 'the key "a" stands twice'),
        (b"a: *nobody\n", 1, "not YAML"),
        (b"a: 1\n---\nb: 2\n", 2, "not YAML"),
        (b"a: 1\nb: \xff\n", 2, "not UTF-8"),
        (b"a: 1\nb: \x00\n", 2, "control character"),
        (b"a: 2026-13-45\n", 0, "in quotes"),
        (b"a: !!int x\n", 0, "in quotes"),
        (b"[" * 5000, 0, "nested too deep"),
        (
            b"a: &a [1,1,1,1,1,1,1,1,1,1]\n"
            + b"".join(f"{x}: &{x} [{','.join(['*' + y] * 10)}]\n".encode() for x, y in zip("bcdefg", "abcdef", strict=True)),
            0,
            "unfolds",
        ),
    ],
)
def test_a_file_that_is_no_configuration_is_told_in_one_sentence(read, content, line, words):
    [fault] = read(content).faults
    assert words in str(fault) and fault.line == line, str(fault)


def test_a_missing_or_closed_file_is_told_in_one_sentence(tmp_path):
    [missing] = read_config(tmp_path / "vigie.yaml").faults
    assert str(missing).startswith("vigie.yaml: there is no such file. Start from vigie.example.yaml")
    [folder] = read_config(tmp_path).faults
    assert "cannot be read" in str(folder)


def test_loading_raises_every_fault_and_is_what_the_start_reports(tmp_path):
    path = tmp_path / "vigie.yaml"
    path.write_text(changed("kind: own", "kind: owner").replace("roles: [manager]", "roles: [boss]"))
    with pytest.raises(Misconfigured) as told:
        load_config(path)
    assert isinstance(told.value, Misbuilt) and len(told.value.faults) == 2
    assert len(str(told.value).splitlines()) == 2


def test_anchors_and_merged_sections_are_read_like_what_they_stand_for(read):
    text = (
        TEXT.replace("  bridge-datadog:", "  bridge-datadog: &probe")
        .replace("  padok-datadog:", "  padok-datadog:\n    <<: *probe", 1)
        .replace("    source: datadog\n    organisation: padok", "    organisation: padok", 1)
    )
    config = read(text).config
    assert config.endpoints["padok-datadog"].source == "datadog"


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(read):
    assert read(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode()).faults == ()


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(["bridge", "own"])
SECTIONS = list(Config.model_fields)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*SECTIONS, "name", "when", "slack", "source", "secrets", "0"]) | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(tree=st.dictionaries(st.sampled_from(SECTIONS), TREES, max_size=12))
def test_whatever_stands_in_the_sections_there_is_never_a_traceback(tmp_path_factory, tree):
    path = tmp_path_factory.getbasetemp() / "fuzzed.yaml"
    path.write_text(json.dumps(tree), encoding="utf-8", errors="replace")
    reading = read_config(path)
    assert (reading.config is None) == bool(reading.faults)


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet="ab:-?!&*[]{}\"'|>%@`#,\n\t \x00é01.<=~", max_size=60) | st.text(max_size=60))
def test_whatever_text_is_written_there_is_never_a_traceback(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "scribbled.yaml"
    path.write_bytes(text.encode("utf-8", "replace"))
    assert read_config(path).config is None


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_good_file_with_any_line_torn_out_or_doubled_is_still_only_told_about(tmp_path_factory, data):
    lines = TEXT.splitlines(keepends=True)
    index = data.draw(st.integers(0, len(lines) - 1))
    lines[index : index + 1] = data.draw(st.sampled_from([[], [lines[index]] * 2, ["\t" + lines[index]], [lines[index][:-3]]]))
    path = tmp_path_factory.getbasetemp() / "torn.yaml"
    path.write_text("".join(lines))
    reading = read_config(path)
    assert (reading.config is None) == bool(reading.faults)
