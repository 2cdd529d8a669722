"""`vigie check`: each thing that can be wrong before the first alert is broken once, and is told with its remedy."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

import bot.sources
from bot.discover import discover
from bot.errors import Misbuilt, Unavailable
from bot.services.check.checks import Means, run_checks
from bot.services.check.findings import Finding, failed, for_machines
from bot.settings import EnvironmentSecrets
from bot.store.db import create_engine
from tests.config_stage import RUNBOOKS, TEXT, TODAY, actions

GIGABYTES = 2**30
SECRETS = {
    f"VIGIE_SECRET_{name}": "0123456789abcdef0123456789abcdef"
    for name in (
        "BRIDGE_EVENTBRIDGE", "BRIDGE_DATADOG", "PADOK_DATADOG", "BRIDGE_ALERTMANAGER", "BRIDGE_GENERIC",
        "BRIDGE_DATADOG_API", "BRIDGE_DATADOG_APP", "PADOK_DATADOG_API", "PADOK_DATADOG_APP",
    )
}
CONTACTS = {
    f"VIGIE_CONTACT_{name}": "json://127.0.0.1:9/ring" for name in ("ALICE", "BRUNO", "PAUL", "LEA", "OMAR", "INES")
}
MANDATED = ("api-latency", "ecs-crash-loop", "silent-probe", "rds-failover", "right-size-cluster", "ddos-edge")
BY_HAND = """\
name: {name}
title: {name}
owner: bridge
reviewed: 2026-11-01
parameters: {{group: {{default: cluster}}, desired: {{type: integer, default: 6}}}}
steps:
- {{name: scale, uses: aws.asg.set_desired, with: {{group: "${{{{ params.group }}}}", desired: "${{{{ params.desired }}}}"}}}}
"""


@pytest.fixture
def means(sqlite_engine, tmp_path):
    """A Vigie with nothing wrong."""
    config = tmp_path / "vigie.yaml"
    config.write_text(TEXT.replace("# public_url:", "public_url:"))
    books = tmp_path / "books"
    shutil.copytree(RUNBOOKS, books)
    for name in MANDATED:
        (books / f"{name}.yaml").write_text(BY_HAND.format(name=name))
    environ = {
        "VIGIE_CONFIG": str(config),
        "VIGIE_RUNBOOKS": str(books),
        "DATABASE_URL": str(sqlite_engine.url),
        "SLACK_BOT_TOKEN": "xoxb-1-abc",
        "SLACK_SIGNING_SECRET": "0123456789abcdef0123456789abcdef",
        **SECRETS,
        **CONTACTS,
    }
    return means_of(environ)


def means_of(environ: Mapping[str, str]) -> Means:
    return Means(
        environ=environ,
        secrets=EnvironmentSecrets(environ),
        sources=lambda: discover(bot.sources, bot.sources.Source),
        actions=actions,
        database=create_engine,
        today=TODAY,
        free=lambda folder: 50 * GIGABYTES,
    )


def with_environ(means: Means, **changes: str) -> Means:
    environ = {name: value for name, value in {**means.environ, **changes}.items() if value}
    return replace(means, environ=environ, secrets=EnvironmentSecrets(environ))


def told(means: Means, *levels: str) -> dict[str, Finding]:
    findings = run_checks(means).findings
    return {each.id: each for each in findings if each.level in (levels or ("fault", "warning"))}


def test_a_vigie_with_nothing_wrong_is_told_so(means):
    report = run_checks(means)
    assert not failed(report.findings) and not told(means)
    assert {each.id for each in report.findings} == {
        "settings",
        "config",
        "sources",
        "secret",
        "contact",
        "actions",
        "runbook",
        "slack-token",
        "demo",
        "tables",
        "sqlite-write",
        "disk",
    }
    assert report.config is not None and report.settings is not None


def test_a_telephone_that_nobody_set_is_told_with_whom_only_slack_can_call(means):
    found = told(with_environ(means, VIGIE_CONTACT_LEA=""))["contact"]
    assert found.level == "warning" and not failed([found])
    assert found.what == "Léa: VIGIE_CONTACT_LEA is not set; only Slack can call them" and "VIGIE_CONTACT_LEA=" in found.remedy


def test_every_fault_of_the_file_is_a_finding_with_file_and_line(means):
    file = Path(means.environ["VIGIE_CONFIG"])
    file.write_text(TEXT.replace("kind: own", "kind: owner").replace("[manager]", "[boss]"))
    faults = [each for each in run_checks(means).findings if each.id == "config"]
    assert [each.level for each in faults] == ["fault", "fault"]
    assert all(each.what.startswith("vigie.yaml:") and each.remedy for each in faults)


def test_wrong_settings_hide_nothing_of_the_file(means):
    file = Path(means.environ["VIGIE_CONFIG"])
    file.write_text(TEXT.replace("kind: own", "kind: owner"))
    found = told(with_environ(means, PORT="x", VIGIE_RUNBOOK="y"))
    assert found["settings"].what == "PORT is not a port"
    assert "owner" in found["config"].what and "VIGIE_RUNBOOKS" in found["settings-typing"].remedy


def test_a_missing_file_is_a_finding_and_no_traceback(means):
    found = told(with_environ(means, VIGIE_CONFIG="/nowhere/vigie.yaml"))
    assert "no such file" in found["config"].what and "VIGIE_CONFIG" in found["config"].remedy


def test_every_fault_of_the_runbooks_is_a_finding_with_file_and_line(means):
    books = Path(means.environ["VIGIE_RUNBOOKS"])
    text = (books / "queue-backlog.yaml").read_text()
    (books / "queue-backlog.yaml").write_text(text.replace("flow.wait", "flow.wiat").replace("owner: bridge", "owner: nobody"))
    (books / "rds-failover.yaml").write_text(BY_HAND.format(name="rds-failover").replace("2026-11-01", "2026-01-01"))
    found = [each for each in run_checks(means).findings if each.id.startswith("runbook")]
    assert [each.level for each in found] == ["fault", "fault", "warning"]
    assert [each.what.split(": ")[0] for each in found] == [
        "queue-backlog.yaml:5", "queue-backlog.yaml:62", "rds-failover.yaml:4"]
    assert 'Did you mean "flow.wait"' in found[1].remedy and "write today's date" in found[2].remedy


def test_a_broken_vigie_yaml_does_not_hide_the_faults_of_runbooks(means):
    Path(means.environ["VIGIE_CONFIG"]).write_text("- no\n")
    books = Path(means.environ["VIGIE_RUNBOOKS"])
    (books / "silent-probe.yaml").write_text("name: silent-probe\n")
    assert "silent-probe.yaml:1: title" in str([each.what for each in run_checks(means).findings if each.id == "runbook"])


def test_a_clause_about_a_runbook_that_is_not_there_is_a_warning_at_its_line(means):
    (Path(means.environ["VIGIE_RUNBOOKS"]) / "rds-failover.yaml").unlink()
    found = told(means)["config-warning"]
    line = next(number for number, each in enumerate(TEXT.splitlines(), 1) if "runbooks: rds-failover" in each)
    assert found.level == "warning" and found.what.startswith(f"vigie.yaml:{line}: mandates.nights.clauses[1].runbooks")


def test_a_folder_of_runbooks_that_cannot_be_read_is_found(means, tmp_path):
    empty = tmp_path / "none"
    empty.mkdir()
    found = {each.id: each for each in run_checks(with_environ(means, VIGIE_RUNBOOKS=str(empty))).findings}
    assert found["runbook"].what.startswith("0 runbooks")
    assert "not a folder" in told(with_environ(means, VIGIE_RUNBOOKS=str(empty / "x")))["settings"].what


def test_a_broken_family_of_actions_is_found(means):
    def broken():
        raise Misbuilt("runbooks.actions.x must hold exactly one Service, it holds 2")

    assert "exactly one Service" in told(replace(means, actions=broken))["actions"].what


def test_keys_of_datadog_that_are_not_there_are_found(means):
    found = told(with_environ(means, VIGIE_SECRET_PADOK_DATADOG_APP=""))["secret"]
    assert "VIGIE_SECRET_PADOK_DATADOG_APP is not set" in found.what


def test_an_endpoint_whose_source_is_not_installed_is_found(means):
    found = told(replace(means, sources=lambda: {"datadog": 1, "cloudwatch": 1, "eventbridge": 1, "generic": 1}))
    assert '"alertmanager"' in found["endpoint-source"].what


def test_a_broken_family_is_found_and_the_rest_still_checked(means):
    def broken():
        raise Misbuilt("bot.sources.x must hold exactly one Source, it holds 2")

    found = told(replace(means, sources=broken, free=lambda folder: GIGABYTES))
    assert "exactly one Source" in found["sources"].what and "disk" in found


def test_a_secret_that_is_not_there_or_easily_guessed_is_found(means):
    assert "VIGIE_SECRET_PADOK_DATADOG is not set" in told(with_environ(means, VIGIE_SECRET_PADOK_DATADOG=""))["secret"].what
    short = told(with_environ(means, VIGIE_SECRET_PADOK_DATADOG="hunter2"))["secret-short"]
    assert short.level == "warning" and "hunter2" not in str(short) and "openssl" in short.remedy


def test_a_secret_in_an_aws_that_is_silent_is_found(means):
    class Silent:
        def get(self, reference):
            raise Unavailable(f"AWS did not give {reference}: no route")

    found = told(replace(means, secrets=Silent()))
    assert "no route" in found["secret"].what and "region" in found["secret"].remedy


def test_the_kinds_of_slack_tokens_are_looked_at(means):
    assert "user token" in told(with_environ(means, SLACK_BOT_TOKEN="xoxp-1"))["settings"].what
    assert "SLACK_BOT_TOKEN" in told(with_environ(means, SLACK_BOT_TOKEN=""))["slack-token"].what


def test_without_an_address_slack_and_the_sources_cannot_find_us(means):
    Path(means.environ["VIGIE_CONFIG"]).write_text(TEXT)
    assert "public_url" in told(means)["public-url"].remedy
    assert "public-url" not in told(with_environ(means, SLACK_APP_TOKEN="xapp-1"))


def test_secrets_of_the_demo_are_found_everywhere_but_in_the_demo(means):
    demo = with_environ(means, VIGIE_SECRET_PADOK_DATADOG="demo-padok-datadog", SLACK_BOT_TOKEN="xoxb-demo-vigie")
    faults = [each for each in run_checks(demo).findings if each.id == "demo"]
    assert [each.what.split()[0] for each in faults] == ["SLACK_BOT_TOKEN", "VIGIE_SECRET_PADOK_DATADOG"]
    assert not told(replace(demo, demo=True))


# --- the database ---


def test_a_database_that_is_not_there_yet_is_neither_made_nor_forgotten(means, tmp_path):
    found = told(with_environ(means, DATABASE_URL=f"sqlite:///{tmp_path}/new.db"))
    assert "vigie serve" in found["tables"].remedy
    assert not (tmp_path / "new.db").exists()


def test_a_database_without_our_tables_is_found_on_both_kinds(means, empty_url):
    if empty_url.startswith("sqlite"):
        Path(empty_url.removeprefix("sqlite:///")).touch()
    assert "vigie migrate" in told(with_environ(means, DATABASE_URL=empty_url))["tables"].remedy


def test_a_file_that_is_no_database_is_told_in_one_line(means, tmp_path):
    (tmp_path / "letter.db").write_text("Dear Inès, " * 100)
    found = told(with_environ(means, DATABASE_URL=f"sqlite:///{tmp_path}/letter.db"))
    assert "not a database" in found["database"].what and "\n" not in found["database"].what


def test_a_folder_where_no_database_can_be_made_is_found(means):
    found = told(with_environ(means, DATABASE_URL="sqlite:////nowhere/at/all/vigie.db"))
    assert "may not write in /nowhere/at/all" in found["sqlite-write"].what


def test_a_database_server_that_is_not_there_is_named_without_its_password(means):
    found = told(with_environ(means, DATABASE_URL="postgresql://vigie:hunter2@127.0.0.1:9/vigie"))
    assert "127.0.0.1:9/vigie" in found["database"].what and "hunter2" not in str(found)


def test_a_database_that_loses_commits_at_a_power_cut_is_found(means):
    def careless(url: str) -> sa.Engine:
        engine = create_engine(url)
        sa.event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=NORMAL"))
        return engine

    assert "power cut" in told(replace(means, database=careless))["sqlite-sync"].what


def test_a_role_that_may_rewrite_the_journal_is_found(means, postgres_engine):
    address = postgres_engine.url.render_as_string(hide_password=False)
    found = told(with_environ(means, DATABASE_URL=address))
    assert found["journal-rights"].level == "warning" and "VIGIE_MIGRATE_URL" in found["journal-rights"].remedy


def test_a_role_that_can_only_add_to_the_journal_is_told_so(means, postgres_engine):
    role = f"clerk_{postgres_engine.url.database}"
    with postgres_engine.begin() as connection:
        connection.execute(sa.text(f"CREATE ROLE {role}"))
        connection.execute(sa.text(f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO {role}"))

    def as_clerk(url: str) -> sa.Engine:
        engine = create_engine(url)
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(f"SET ROLE {role}"))
        return engine

    address = postgres_engine.url.render_as_string(hide_password=False)
    found = told(replace(with_environ(means, DATABASE_URL=address), database=as_clerk), "ok")
    assert found["journal-rights"].what == f'the role "{role}" can only add to the journal'


def test_a_disk_that_is_nearly_full_is_found_before_it_stops_the_intake(means):
    assert told(replace(means, free=lambda folder: GIGABYTES))["disk"].level == "warning"
    assert told(replace(means, free=lambda folder: 10 * 2**20))["disk"].level == "fault"


# --- what people and machines read ---


def test_a_finding_reads_as_a_sentence_and_its_remedy():
    finding = Finding("disk", "fault", "only 10 MiB free at /var", "Keep 2 GiB free.")
    assert str(finding) == "✘ only 10 MiB free at /var  [disk]\n  → Keep 2 GiB free."
    assert for_machines([finding]) == [
        {"id": "disk", "level": "fault", "what": "only 10 MiB free at /var", "remedy": "Keep 2 GiB free."}
    ]


def test_no_finding_ever_holds_a_secret(means):
    marked = with_environ(
        means,
        SLACK_BOT_TOKEN="xoxb-canary-1",
        SLACK_SIGNING_SECRET="canary-2",
        VIGIE_SEAL_KEY="canary-3",
        **dict.fromkeys(SECRETS, "canary-4"),
    )
    assert "canary" not in str(for_machines(run_checks(marked).findings))
