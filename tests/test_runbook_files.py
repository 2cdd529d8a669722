"""Runbooks as files: the samples are a catalogue that answers, and every rule is broken once and told with its line."""

import json
import re
from dataclasses import dataclass, field
from datetime import date
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from bot.config import Catalogue, Misconfigured, load_catalogue, read_catalogue, stale, unmatched
from bot.config.runbooks import runbook_schema
from bot.errors import Misbuilt
from runbooks.model import Runbook
from tests.config_stage import BACKLOG, ROOT, RUNBOOKS, TODAY, actions, backlog, changed, example, line_with, reading, shelf


@dataclass(frozen=True)
class Alert:
    source: str = "cloudwatch"
    service: str = "batch-worker"
    severity: str = "high"
    name: str = "batch-worker-queue-age"
    labels: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def read(tmp_path):
    """Reads a text as queue-backlog.yaml."""
    return partial(shelf, tmp_path)


@pytest.fixture
def samples() -> Catalogue:
    return load_catalogue(RUNBOOKS, example(), actions(), TODAY)


# --- the samples ---


def test_the_samples_have_neither_fault_nor_warning():
    found = read_catalogue(RUNBOOKS, example(), actions(), TODAY)
    assert found.faults == () and found.warnings == ()


def test_the_catalogue_holds_the_runbooks_by_name_and_every_action(samples):
    assert list(samples.entries) == ["queue-backlog", "unhealthy-target"]
    assert samples.runbook("queue-backlog").title == "Queue backlog" and samples.runbook("tea") is None
    assert {"aws.ecs.scale", "flow.wait", "http.probe"} <= set(samples.actions)


def test_the_shipped_catalogue_is_what_is_read_without_a_folder():
    found = read_catalogue(None, example(), actions(), TODAY)
    assert found.faults == () and found.warnings == () and found.catalogue is not None
    assert set(found.catalogue.entries) == {path.stem for path in (ROOT / "runbooks").glob("*.yaml")}


def test_a_runbook_survives_being_written_into_a_row(samples):
    for entry in samples.entries.values():
        written = json.loads(json.dumps(entry.runbook.snapshot()))
        assert Runbook.model_validate(written) == entry.runbook
        assert Runbook.model_validate(written).version == entry.runbook.version


def test_the_published_schema_is_the_one_of_the_code_and_takes_the_samples():
    published = json.loads((ROOT / "docs" / "runbook.schema.json").read_text())
    assert published == runbook_schema()
    check = Draft202012Validator(published)
    for path in RUNBOOKS.glob("*.yaml"):
        told = json.loads(json.dumps(YAML(typ="safe").load(path.read_text()), default=str))
        assert [str(each) for each in check.iter_errors(told)] == []
        assert not check.is_valid(told | {"stepps": []})


# --- who recognises an alert ---


@pytest.mark.parametrize(
    ("alert", "claim"),
    [
        (Alert(), "runbook queue-backlog (queue-backlog.yaml, line {})"),
        (Alert(name="BATCH-worker-queue-depth"), "runbook queue-backlog (queue-backlog.yaml, line {})"),
        (Alert(name="batch-worker-cpu"), None),
        (Alert(service="pay-api"), None),
        (Alert(source="datadog", service="x", name="y", labels={"queue": "settlement"}), "line {})"),
        (Alert(source="datadog", service="x", name="y", labels={"queue": "other"}), None),
        (Alert(service="pay-api", name="pay-api target unhealthy"), "runbook unhealthy-target (unhealthy-target.yaml, line 5)"),
    ],
)
def test_a_runbook_recognises_what_its_when_says_and_tells_where(samples, alert, claim):
    found = samples.claims(alert)
    line = line_with(BACKLOG, "source: [datadog]" if alert.source == "datadog" else "- service: [batch-worker]")
    assert found is None if claim is None else str(found).endswith(claim.format(line))


def test_the_first_file_by_name_wins_where_two_recognise_an_alert(read):
    again = BACKLOG.replace("name: queue-backlog", "name: a-backlog", 1)
    found = read(BACKLOG, a_backlog=again)
    assert found.catalogue.claims(Alert()).runbook.name == "a-backlog"
    assert [each.what for each in found.warnings] == [
        'the runbook "a-backlog" recognises all of these alerts before this one is asked'] * 2
    assert {each.line for each in found.warnings} == {line_with(BACKLOG, "- service:"), line_with(BACKLOG, "- {source")}


def test_an_empty_catalogue_recognises_nothing_and_runs_nothing(tmp_path):
    assert Catalogue().claims(Alert()) is None
    assert read_catalogue(tmp_path, example(), actions(), TODAY).catalogue.entries == {}


def test_a_runbook_without_when_is_for_hands_only(read):
    by_hand = backlog("automation: automatic", "automation: click").replace(
        BACKLOG[BACKLOG.index("when:") : BACKLOG.index("automation:")], "when: []\n")
    found = read(by_hand)
    assert found.faults == () and found.warnings == () and found.catalogue.claims(Alert()) is None


# --- each rule of a runbook, broken once ---

FAULTS = [
    # the file
    ("name: queue-backlog", "name: queue-backlogs", "", "its file queue-backlog.yaml"),
    ("name: queue-backlog", "name: Queue Backlog", "", "should match pattern"),
    ("title: Queue backlog", "titel: Queue backlog", "", 'Did you mean "title"?'),
    ("owner: bridge", "owner: brigde", "", 'Did you mean "bridge"?'),
    ("reviewed: 2026-10-01", "reviewed: 2026-12-01", "", "that day has not come"),
    ("reviewed: 2026-10-01", "reviewed: lately", "", "as in 2026-11-04"),
    ("reviewed: 2026-10-01", "# reviewed", "", '"reviewed" is missing'),
    ("  - service: [batch-worker]", "  - service: [batch-wroker]", "", 'Did you mean "batch-worker"?'),
    ("source: [datadog]", "source: [datadgo]", "", 'Did you mean "datadog"?'),
    ("labels: {queue", "lables: {queue", "", 'Did you mean "labels"?'),
    ("automation: automatic", "automation: auto", "", 'Did you mean "automatic"?'),
    ("busy: wait", "busy: queue", "", "Known: refuse, wait"),
    ("per_hour: 2", "per_hour: 90", "", "less than or equal to 60"),
    ("probation: 30m", "probation: half an hour", "", "30s, 10m, 2h"),
    ("lock: ecs:${{ params.cluster }}", "lock: ecs:${{ params.clustre }}", "", 'Did you mean "cluster"?'),
    ("lock: ecs:${{ params.cluster }}", "lock: ecs:${{ steps.look.outputs.x }}", "", "comes later"),
    ("title: Queue backlog", 'title: "${{ alert.name }}"', "", "Write plain words: ${{ }} works in `with`"),
    # parameters
    ("  cluster: {", "  Cluster Name: {", "", "cannot be the name of a parameter"),
    ("default: payments", "default: Payments!", "", "does not match `pattern`"),
    ("default: payments", "default: 7", "", "7 is not a text"),
    ('pattern: "[a-z-]+"', 'pattern: "[a-z-+"', "", "not a regular expression"),
    ("from: alert.service", "from: service", "", "alert.service, alert.name, or alert.label."),
    ("from: alert.service", "from: alert.label.", "", "nothing that an alert holds"),
    ("from: alert.service", "from: alert.service, secret: true, default: hunter2", "", "as a default (not shown)"),
    ("from: alert.service", "from: alert.service, secret: true", "", "params.worker is secret"),
    ("from: alert.service", "description: which", "", "nobody would be there to give worker"),
    ("from: alert.service", "from: alert.service, minimum: 2", "", "means nothing to a parameter of type string"),
    ("type: integer, default: 4", "type: integer, default: four", "", '"four" is not a whole number'),
    ("type: integer, default: 4", "type: integer, default: true", "", "true is not a whole number"),
    ("type: integer, default: 4", "type: integer, default: 9", "", "9 is above `maximum`. At most 8"),
    ("type: integer, default: 4", "type: integer, default: 0", "", "0 is below `minimum`. At least 1"),
    ("type: integer, default: 4", 'type: integer, default: 4, pattern: "4"', "", "`pattern` means nothing"),
    ("minimum: 1, maximum: 8", "minimum: one, maximum: 8", "", "a number is wanted"),
    ("minimum: 1, maximum: 8", "minimum: 8, maximum: 1", "", "`minimum` 8 is above `maximum` 1"),
    ("type: integer, default: 4", "type: integer, default: [4]", "", "a text, a number, true or false is wanted"),
    ("type: length, default: 10m", "type: length, default: 20m", "", "20m is not among the values of `enum`"),
    ("enum: [10m, 30m]", "enum: [10m, soon]", "", '"soon" is not a length of time'),
    ("type: length", "type: duration", "", "is not one of these"),
    # steps and their ways
    ("- name: restart", "- name: look", "", 'two steps are called "look"'),
    ("- name: alarm", "- name: settle", "", 'two steps are called "settle"'),
    ("- name: restart", "- name: Restart it", "", "should match pattern"),
    ("on_failure: step:more", "on_failure: step:mor", "", 'Did you mean "more"?'),
    ("on_failure: step:more", "on_failure: step:look", "", "round for ever"),
    ("on_failure: step:more", "on_failure: step:restart", "", "round for ever"),
    ("on_failure: step:more", "on_failure: more", "", "Write abort, continue, or step:"),
    ("on_failure: step:more", "on_failure: abort", "", 'no way leads to the step "more"'),
    ("    undo: none\n", "", "", "does not say that you know"),
    ("      uses: aws.ecs.scale\n", "", "    undo:\n", '"uses" is missing'),
    ("undo: none", "undo: nothing", "", "is not one of these"),
    ("undo: none", "undo: none\n    idempotent: true", "", "must not be done twice"),
    ("attempts: 2", "attempts: 20", "", "less than or equal to 10"),
    ("every: 30s", "every: 30", "", "30s, 10m, 2h"),
    ("    uses: flow.wait\n", "", "", '"uses" is missing'),
    # actions
    ("uses: aws.ecs.restart_service", "uses: aws.ecs.restart_servise", "", 'Did you mean "aws.ecs.restart_service"?'),
    ("uses: aws.ecs.scale", "uses: aws.ecs.scales", "    undo:\n", 'Did you mean "aws.ecs.scale"?'),
    ("uses: aws.ecs.scale", "uses: aws.ecs.service_state", "    undo:\n", "so it undoes nothing"),
    ("uses: aws.ecs.service_state", "uses: aws.ecs.restart_service", "    verify:\n", "a proof only looks"),
    ("uses: aws.cloudwatch.alarm_state", "uses: aws.cloudwatch.alarms_state", "", 'Did you mean "aws.cloudwatch.alarm_state"?'),
    ("uses: datadog.monitor_state", "uses: datadog.mute", "", "a proof only looks"),
    ("organisation: padok", "organisation: padock", "", 'Did you mean "padok"?'),
    ("organisation: padok", "organisaton: padok", "", 'Did you mean "organisation"?'),
    ("      cluster: ${{ params.cluster }}\n", "", "", '"cluster" is missing'),
    ("      desired: ${{ params.tasks }}", "      desired: many", "", "a whole number is wanted"),
    ("      desired: ${{ params.tasks }}", "      desired: 5000", "", "less than or equal to 1000"),
    ("      desired: ${{ params.tasks }}", "      desired: ${{ params.cluster }}", "", "when params.cluster is payments"),
    ("      desired: ${{ params.tasks }}", "      desired: ${{ params.worker }}", "", "and params.worker is a text"),
    ("      duration: ${{ params.patience }}", "      duration: ${{ params.tasks }}", "", "when params.tasks is 4"),
    # references
    ("cluster: ${{ params.cluster }}", "cluster: ${{ params.clutser }}", "steps:", 'Did you mean "cluster"?'),
    ("cluster: ${{ params.cluster }}", "cluster: ${{ inputs.cluster }}", "steps:", "begins with params., steps. or alert."),
    ("cluster: ${{ params.cluster }}", "cluster: ${{ params.cluster | upper }}", "steps:", "read: ${{ params.cluster | u"),
    ("${{ alert.name }}", "${{ alert.title }}", "", 'an alert holds nothing called "title"'),
    ("steps.look.outputs.service", "steps.loook.outputs.service", "", 'Did you mean "look"?'),
    ("steps.look.outputs.service", "steps.look.service", "", "Write steps.NAME.outputs.KEY"),
    ("steps.look.outputs.service", "steps.settle.outputs.service", "", '"settle" comes later'),
    ("${{ alert.name }}", "${{ steps.look.outputs.alarm }}", "", "also asked for when no step was done"),
    # signatures
    ("by: [lead, approver]", "by: [leed, approver]", "", 'Did you mean "lead"?'),
    ("by: [lead, approver], side: own", "by: manager, side: partner", "", "the partner has nobody with the role manager"),
    ("by: [lead, approver], side: own", "count: 2, side: own", "", "only 1 people could sign"),
    ("side: own", "side: ours", "", "Known: any, other, own, partner"),
    ("{by: [lead, approver], side: own}", "yes please", "", "a section is wanted"),
]


@pytest.mark.parametrize(
    ("old", "new", "below", "words"), FAULTS, ids=[f"{new.strip()[:40]}-{words[:20]}" for _, new, _, words in FAULTS])
def test_a_fault_of_a_runbook_is_told_with_its_line_and_its_remedy(read, old, new, below, words):
    text = backlog(old, new, below)
    found = read(text)
    told = [str(fault) for fault in found.faults]
    assert found.catalogue is None and any(words in each for each in told), told
    assert all(re.match(r"queue-backlog\.yaml:\d+: ", each) for each in told), told
    start = BACKLOG[: BACKLOG.index(old, BACKLOG.index(below))].count("\n") + 1
    assert any(abs(fault.line - start) <= 10 for fault in found.faults), (start, told)
    assert all(fault.right for fault in found.faults), told
    assert "hunter2" not in "".join(told)


def test_what_a_machine_may_close_it_must_prove(read):
    found = read(BACKLOG[: BACKLOG.index("verify:\n  - name")])
    [fault] = found.faults
    assert "it may run by itself and proves nothing" in fault.what and fault.line == line_with(BACKLOG, "automation:")


def test_a_machine_that_only_looks_needs_no_proof(read):
    only_looks = BACKLOG[: BACKLOG.index("  - name: restart")].replace("  tasks:", "  # tasks:").replace("  patience:", "  # p:")
    assert read(only_looks).faults == ()


def test_what_asks_or_wants_a_yes_may_stand_in_an_automatic_runbook(read):
    asks = backlog("uses: flow.wait", "uses: flow.ask").replace("duration: ${{ params.patience }}", "question: Shall we go on?")
    assert read(asks).faults == ()


WARNINGS = [
    ("reviewed: 2026-10-01", "reviewed: 2026-05-01", "nobody has reviewed it for 205 days"),
    ("  - {source: [datadog], labels: {queue: settlement}}", "  - {}", "recognises every alert"),
    ("      duration: ${{ params.patience }}", "      duration: 10m", "nothing uses this parameter"),
]


@pytest.mark.parametrize(("old", "new", "words"), WARNINGS, ids=[words for _, _, words in WARNINGS])
def test_what_works_in_a_runbook_but_is_better_changed_is_a_warning(read, old, new, words):
    found = read(backlog(old, new))
    assert found.faults == () and found.catalogue is not None
    assert [words in str(each) for each in found.warnings] == [True], found.warnings


def test_an_automatic_runbook_that_recognises_nothing_is_a_warning(read):
    section = BACKLOG[BACKLOG.index("when:") : BACKLOG.index("automation:")]
    [warning] = read(BACKLOG.replace(section, "")).warnings
    assert "may run by itself, and recognises no alert" in warning.what


def test_every_fault_of_every_runbook_is_told_at_once(read):
    broken = BACKLOG
    for old, new in (
        ("owner: bridge", "owner: 7"),
        ("type: integer", "type: int"),
        ("uses: aws.ecs.restart_service", "use: aws.ecs.restart_service"),
        ("uses: flow.wait", "uses: flow.wiat"),
        ("organisation: padok", "organisation: [padok]"),
    ):
        assert old in broken
        broken = broken.replace(old, new, 1)
    found = read(broken, other="name: other\ntitle:\n\t- x\n", third="name: third\n")
    told = "\n".join(map(str, found.faults))
    for words in (
        "owner: a text is wanted",
        '"int" is not one of these',
        '"use" is not a key',
        'Did you mean "flow.wait"?',
        "verify[1].with.organisation: a text is wanted",
        "other.yaml:3: a tab stands",
        'third.yaml:1: steps: "steps" is missing',
    ):
        assert words in told, told
    assert 'no step is called "restart"' not in told and "tasks" not in told.replace("parameters.tasks.type", ""), told


def test_a_value_that_only_the_run_will_know_is_not_a_fault(read):
    for content in ("${{ steps.look.outputs.running }}", "${{ alert.label.tasks }}0", "1${{ alert.label.tasks }}"):
        assert read(backlog("desired: ${{ params.tasks }}", f"desired: {content}").replace("  tasks: {", "  # {")).faults == ()


def test_each_value_that_a_parameter_may_take_is_tried(read):
    text = backlog("tasks: {type: integer, default: 4, minimum: 1, maximum: 8}", "tasks: {type: integer, enum: [4, 4000]}")
    [fault] = [each for each in read(text).faults if each.place == "steps[2].with.desired"]
    assert "when params.tasks is 4000" in fault.what


def test_a_secret_that_stands_in_a_runbook_is_told_and_not_shown(read):
    told = "\n".join(map(str, read(backlog("default: payments", "default: xoxb-1-SECRET")).faults))
    assert "a secret stands in the file" in told and "SECRET" not in told


# --- what vigie.yaml has to do with it ---


def test_actions_of_aws_need_an_account_and_documents_must_be_on_the_list(read):
    config = example()
    told = [each.what for each in read(BACKLOG, config=config.model_copy(update={"aws": None})).faults]
    assert told and all("vigie.yaml names none" in each for each in told)
    document = backlog("uses: flow.wait", "uses: aws.ssm.automation\n    undo: none")
    for name, words in (("pay-clear-disks", 'mean "pay-clear-disk"?'), ("AWS-RunShellScript", "not among the documents")):
        found = read(document.replace("duration: ${{ params.patience }}", f"document: {name}"))
        assert any(words in str(each) for each in found.faults), found.faults
    allowed = read(document.replace("duration: ${{ params.patience }}", "document: pay-clear-disk"))
    assert allowed.faults == ()


def test_without_vigie_yaml_the_rest_is_still_told(tmp_path):
    (tmp_path / "queue-backlog.yaml").write_text(backlog("owner: bridge", "owner: nobody").replace("flow.wait", "flow.wiat"))
    [fault] = read_catalogue(tmp_path, None, actions()).faults
    assert "flow.wiat" in fault.what


def test_shipped_runbooks_of_another_platform_are_left_out_and_named(monkeypatch, tmp_path):
    monkeypatch.setattr("bot.config.runbooks.SHIPPED", RUNBOOKS)
    config = reading(tmp_path, changed("batch-worker: {", "worker: {").replace("    service: batch-worker", "    service: worker")
                     .replace("service: [batch-worker]", "service: [worker]")).config
    found = read_catalogue(None, config, actions(), TODAY)
    assert list(found.catalogue.entries) == ["unhealthy-target"]
    [warning] = found.warnings
    assert warning.what.endswith("are left out: queue-backlog") and "VIGIE_RUNBOOKS" in warning.right
    assert [each.file for each in read_catalogue(RUNBOOKS, config, actions(), TODAY).faults] == ["queue-backlog.yaml"]


def test_what_a_mandate_says_of_runbooks_that_are_not_there_is_a_warning(samples, tmp_path):
    text = changed("runbooks: rds-failover", "runbooks: [queue-backlogs, queue-*]").replace(
        "        services: pay-db\n", "        parameters: {task: {maximum: 3}, patience: {among: [10m]}}\n")
    book = reading(tmp_path, text)
    assert book.faults == ()
    _, warnings = book.document.told(unmatched(book.config, samples))
    told = [str(each) for each in warnings]
    assert any('no runbook is called "queue-backlogs". Did you mean "queue-backlog"?' in each for each in told)
    assert any('a parameter "task", so this bounds nothing. Did you mean "tasks"?' in each for each in told)
    assert not any("patience" in each or '"queue-*"' in each for each in told)
    assert list(unmatched(book.config, Catalogue())) == [], "where there are no runbooks, nothing can be compared"


# --- the folder ---


def test_a_file_that_is_no_runbook_is_told_in_one_sentence(read):
    [empty] = read("").faults
    assert str(empty) == "queue-backlog.yaml: the file is empty. Start from a shipped runbook."
    [a_list] = read("- a\n").faults
    assert "It starts with `name:`" in a_list.right


def test_a_missing_folder_is_told_in_one_sentence(tmp_path):
    [fault] = read_catalogue(tmp_path / "books", example(), actions()).faults
    assert str(fault).startswith("books: the folder of runbooks cannot be read") and "VIGIE_RUNBOOKS" in fault.right


def test_files_that_look_like_runbooks_and_are_not_read_are_named(tmp_path):
    (tmp_path / "tea.yml").write_text("name: tea")
    (tmp_path / ".hidden.yaml").write_text("name: x")
    (tmp_path / "README.md").write_text("# Ours")
    found = read_catalogue(tmp_path, example(), actions())
    [warning] = found.warnings
    assert found.catalogue is not None and str(warning) == "tea.yml: this file is not read. Call it tea.yaml."


def test_loading_raises_every_fault_of_the_folder(tmp_path):
    (tmp_path / "a.yaml").write_text("name: a\n")
    (tmp_path / "b.yaml").write_text("- b\n")
    with pytest.raises(Misconfigured) as told:
        load_catalogue(tmp_path, example(), actions())
    assert isinstance(told.value, Misbuilt) and {each.file for each in told.value.faults} == {"a.yaml", "b.yaml"}


def test_a_day_is_looked_at_only_where_the_day_is_known(tmp_path):
    (tmp_path / "queue-backlog.yaml").write_text(backlog("reviewed: 2026-10-01", "reviewed: 2036-10-01"))
    assert read_catalogue(tmp_path, example(), actions()).faults == ()


def test_the_days_of_shipped_runbooks_are_those_of_their_release(monkeypatch):
    monkeypatch.setattr("bot.config.runbooks.SHIPPED", RUNBOOKS)
    for day in (date(2020, 1, 1), date(2040, 1, 1)):
        found = read_catalogue(None, example(), actions(), day)
        assert found.faults == () and found.warnings == ()
        assert read_catalogue(RUNBOOKS, example(), actions(), day).faults + read_catalogue(
            RUNBOOKS, example(), actions(), day).warnings != ()


def test_runbooks_that_nobody_reviewed_for_half_a_year_are_reminded_of_oldest_first(samples):
    assert stale(samples, TODAY) == [] and stale(samples, date(2027, 3, 30)) == []
    assert [each.runbook.name for each in stale(samples, date(2027, 3, 31))] == ["queue-backlog"]
    assert [each.file for each in stale(samples, date(2028, 1, 1))] == ["queue-backlog.yaml", "unhealthy-target.yaml"]


# --- whatever is written there ---

KEYS = [*Runbook.model_fields, "uses", "with", "from", "service", "labels", "type", "0"]
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.text(max_size=8)
    | st.sampled_from(["${{ params.x }}", "${{ steps.a.outputs.b }}", "aws.ecs.scale", "flow.wait", "step:a", "10m", "auto"])
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5), max_leaves=20)


@settings(max_examples=200, deadline=None)
@given(tree=st.dictionaries(st.sampled_from(list(Runbook.model_fields)), TREES, max_size=12))
def test_whatever_stands_in_a_runbook_there_is_never_a_traceback(tmp_path_factory, tree):
    folder = tmp_path_factory.getbasetemp() / "fuzzed"
    folder.mkdir(exist_ok=True)
    (folder / "x.yaml").write_text(json.dumps(tree, default=str), encoding="utf-8", errors="replace")
    found = read_catalogue(folder, example(), actions(), TODAY)
    assert (found.catalogue is None) == bool(found.faults)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_good_runbook_with_any_line_torn_out_or_doubled_is_only_told_about(tmp_path_factory, data):
    lines = BACKLOG.splitlines(keepends=True)
    index = data.draw(st.integers(0, len(lines) - 1))
    lines[index : index + 1] = data.draw(st.sampled_from([[], [lines[index]] * 2, ["\t" + lines[index]], [lines[index][:-3]]]))
    folder = tmp_path_factory.getbasetemp() / "torn-runbooks"
    folder.mkdir(exist_ok=True)
    (folder / "queue-backlog.yaml").write_text("".join(lines))
    found = read_catalogue(folder, example(), actions(), TODAY)
    assert (found.catalogue is None) == bool(found.faults)
