"""vigie.yaml: the example is a configuration that answers, and no file whatsoever ends in a traceback."""

import json
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bot.config
import bot.sources
from bot.config import KNOWN_SOURCES, Config, Misconfigured, load_config, read_config
from bot.config.months import Availability, Costs, Maintenance, Metric, Month, Pool, Price, Regulator, ServiceLevel
from bot.config.nights import Agreement, Boundary, Coverage, Labour, Paging, Rotation, Team
from bot.config.powers import Bound, Second, Standing
from bot.discover import discover
from bot.errors import Misbuilt
from tests.config_stage import EXAMPLE, ROOT, TEXT, changed, line_with, reading


@pytest.fixture
def read(tmp_path):
    """Reads a text as vigie.yaml."""
    return partial(reading, tmp_path)


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
    assert config.person(None, "U0LEA00001") is None, "a click without a workspace is nobody's"


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
        (b"[" * 1200, 0, "nested too deep"),
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
    assert str(missing).startswith("vigie.yaml: there is no such file. Start from a copy of ")
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


def test_the_documentation_names_every_key():
    text = "".join((ROOT / "docs" / name).read_text() for name in ("configuration.md", "month-cost.md"))
    parts = ("Config", "Organisation", "Person", "Service", "Endpoint", "Topic", "When", "Rule", "Probation",
             "Symptom", "Mandate", "Clause", "Aws", "DatadogAccount")
    nights = (Agreement, Boundary, Coverage, Labour, Paging, Rotation, Team)
    month = (Availability, Costs, Maintenance, Metric, Month, Pool, Price, Regulator, ServiceLevel)
    models = [*(getattr(bot.config, name) for name in parts), Second, Standing, Bound, *nights, *month]
    keys = {key for model in models for key in model.model_fields} - {"line"}
    assert sorted(key for key in keys if f"`{key}`" not in text) == []
