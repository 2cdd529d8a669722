"""Settings: what the environment says is read once, and every fault is told in one sentence without its value."""

import base64
import os
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from bot.clients.secrets import AwsSecrets
from bot.errors import Misbuilt, Unavailable
from bot.settings import (
    VARIABLES,
    EnvironmentSecrets,
    demo_faults,
    load_settings,
    refuse_demo,
    slack_faults,
    typing_mistakes,
)
from tests.fakes import ManualClock

GOOD = {"SLACK_BOT_TOKEN": "xoxb-1-abc", "SLACK_SIGNING_SECRET": "0123456789abcdef0123456789abcdef"}
SEED = base64.b64encode(bytes(range(32))).decode()


def fault_lines(**environ: str) -> list[str]:
    with pytest.raises(Misbuilt) as told:
        load_settings(environ)
    return str(told.value).splitlines()


def test_an_empty_environment_means_an_embedded_vigie_on_loopback():
    settings = load_settings({})
    assert settings.database_url == settings.migrate_url == "sqlite:///vigie.db"
    assert (settings.host, settings.port, settings.log_level) == ("127.0.0.1", 8080, "info")
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.config.name == "vigie.yaml" and settings.runbooks is None
    assert settings.seal_seed is None and not settings.socket_mode


def test_the_machines_own_environment_is_not_read_behind_the_argument(monkeypatch):
    monkeypatch.setenv("PORT", "9999")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-stray")
    settings = load_settings({})
    assert settings.port == 8080 and settings.slack_bot_token is None


def test_spaces_around_a_pasted_token_do_no_harm():
    settings = load_settings({"SLACK_BOT_TOKEN": "  xoxb-1-abc\n", "VIGIE_CONFIG": " other.yaml "})
    assert settings.slack_bot_token.get_secret_value() == "xoxb-1-abc"
    assert str(settings.config) == "other.yaml"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_address_of_postgresql_is_understood(scheme):
    settings = load_settings({"DATABASE_URL": f"{scheme}://vigie:p%40ss@db.example/vigie?sslmode=require"})
    assert settings.database_url == "postgresql+psycopg://vigie:p%40ss@db.example/vigie?sslmode=require"


@pytest.mark.parametrize(
    ("variable", "value", "word"),
    [
        ("DATABASE_URL", "mysql://u:hunter2@h/d", "sqlite and postgresql"),
        ("DATABASE_URL", "postgresql+asyncpg://u:hunter2@h/d", "psycopg"),
        ("DATABASE_URL", "hunter2", "not the address of a database"),
        ("DATABASE_URL", "postgresql://u:hunter2@h:port/d", "not the address of a database"),
        ("DATABASE_URL", "sqlite://", "in memory"),
        ("VIGIE_MIGRATE_URL", "hunter2", "not the address of a database"),
        ("VIGIE_RUNBOOKS", "/no/such/hunter2", "not a folder"),
        ("SLACK_BOT_TOKEN", "xoxp-hunter2", "user token"),
        ("SLACK_BOT_TOKEN", "xapp-hunter2", "an app-level token"),
        ("SLACK_BOT_TOKEN", '"xoxb-hunter2"', "in quotes"),
        ("SLACK_BOT_TOKEN", "hunter2", "something else"),
        ("SLACK_SIGNING_SECRET", "xoxb-hunter2", "Basic Information"),
        ("SLACK_APP_TOKEN", "xoxb-hunter2", "connections:write"),
        ("SLACK_API_URL", "http://slack.example/hunter2", "https"),
        ("SLACK_API_URL", "hunter2", "https"),
        ("PORT", "hunter2", "0 to 65535"),
        ("PORT", "65536", "0 to 65535"),
        ("PORT", "-1", "0 to 65535"),
        ("PORT", "٣", "0 to 65535"),
        ("LOG_LEVEL", "hunter2", "debug, info"),
        ("VIGIE_SEAL_KEY", "hunter2", "32 bytes"),
        ("VIGIE_SEAL_KEY", base64.b64encode(b"short").decode(), "32 bytes"),
    ],
)
def test_a_wrong_variable_is_named_with_its_remedy_and_its_value_is_not_shown(variable, value, word):
    [line] = fault_lines(**{variable: value})
    assert line.startswith(variable) and word in line
    assert "hunter2" not in line
    assert ". " in line, "what is wrong, then what would be right"


def test_all_faults_are_told_at_once():
    lines = fault_lines(PORT="x", LOG_LEVEL="loud", SLACK_BOT_TOKEN="xoxp-1", DATABASE_URL="mysql://h/d")
    assert [line.split()[0] for line in lines] == ["DATABASE_URL", "SLACK_BOT_TOKEN", "PORT", "LOG_LEVEL"]


def test_owner_and_application_must_name_the_same_kind_of_database():
    [line] = fault_lines(DATABASE_URL="sqlite:///vigie.db", VIGIE_MIGRATE_URL="postgresql://owner@h/d")
    assert "two kinds of database" in line


def test_a_printed_settings_object_shows_no_secret():
    environ = GOOD | {
        "DATABASE_URL": "postgresql://u:hunter2@h/d",
        "VIGIE_MIGRATE_URL": "postgresql://o:hunter3@h/d",
        "SLACK_APP_TOKEN": "xapp-hunter4",
        "VIGIE_SEAL_KEY": SEED,
    }
    settings = load_settings(environ)
    shown = repr(settings) + str(settings)
    assert settings.seal_seed == bytes(range(32))
    assert not [value for value in ("hunter", "xoxb", "xapp", "abcdef", SEED) if value in shown]


def test_settings_never_change():
    with pytest.raises(ValueError, match="frozen"):
        load_settings({}).port = 1


def test_the_workspace_on_loopback_may_speak_plain_http():
    assert load_settings({"SLACK_API_URL": "http://127.0.0.1:8080/workspace/api"}).slack_api_url.endswith("/api/")


def test_slack_needs_a_token_and_a_way_in():
    assert [fault.split()[0] for fault in slack_faults(load_settings({}))] == ["SLACK_BOT_TOKEN", "Neither"]
    assert slack_faults(load_settings(GOOD)) == []
    socket = load_settings({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"})
    assert slack_faults(socket) == [] and socket.socket_mode


def test_a_misspelt_variable_is_noticed_and_foreign_ones_are_left_alone():
    environ = {"VIGIE_RUNBOOK": "x", "VIGIE_SECRET_PADOK_DATADOG": "x", "PATH": "x", "PORTS": "x", **GOOD}
    assert typing_mistakes(environ) == ["VIGIE_RUNBOOK is no variable of Vigie. Did you mean VIGIE_RUNBOOKS?"]


def test_every_variable_of_the_contract_is_known():
    assert set(VARIABLES) == {
        "DATABASE_URL",
        "VIGIE_MIGRATE_URL",
        "VIGIE_CONFIG",
        "VIGIE_RUNBOOKS",
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "SLACK_APP_TOKEN",
        "SLACK_API_URL",
        "PORT",
        "HOST",
        "LOG_LEVEL",
        "VIGIE_SEAL_KEY",
    }


# --- the demo stays the demo ---


def test_nothing_of_the_demo_serves_anybody():
    settings = load_settings({"SLACK_BOT_TOKEN": "xoxb-demo-vigie", "SLACK_SIGNING_SECRET": "demo-slack-signing-secret"})
    secrets = {"VIGIE_SECRET_BRIDGE_DATADOG": "demo-bridge-datadog", "VIGIE_SECRET_PADOK_DATADOG": "real"}
    faults = demo_faults(settings, secrets, demo_key_trusted=True, workspace_mounted=True)
    assert [fault.split(" ")[0] for fault in faults] == [
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "VIGIE_SECRET_BRIDGE_DATADOG",
        "The",
        "The",
    ]
    with pytest.raises(Misbuilt, match="vigie demo"):
        refuse_demo(load_settings(GOOD), {}, workspace_mounted=True)
    refuse_demo(load_settings(GOOD), {"VIGIE_SECRET_PADOK_DATADOG": "real"})


# --- secrets by reference ---


def test_a_secret_is_what_its_variable_holds_without_the_line_break_of_the_paste():
    secrets = EnvironmentSecrets({"VIGIE_SECRET_PADOK_DATADOG": " s3cret\n", "EMPTY": " "})
    assert secrets.get("VIGIE_SECRET_PADOK_DATADOG") == "s3cret"
    for absent in ("EMPTY", "NEVER_SET"):
        with pytest.raises(Misbuilt, match=f"{absent} is not set"):
            secrets.get(absent)
    with pytest.raises(Misbuilt, match="AWS is not asked here"):
        secrets.get("arn:aws:ssm:eu-west-3:111122223333:parameter/vigie/datadog")


@pytest.fixture
def aws(monkeypatch):
    """Secrets Manager and Parameter Store on loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for variable in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    yield server
    server.stop()


def test_secrets_are_read_from_both_stores_of_aws_and_asked_again_after_five_minutes(aws):
    ssm, vault = (boto3.client(name, region_name="eu-west-3") for name in ("ssm", "secretsmanager"))
    ssm.put_parameter(Name="/vigie/datadog", Value="old", Type="SecureString")
    parameter = ssm.get_parameter(Name="/vigie/datadog")["Parameter"]["ARN"]
    bundle = vault.create_secret(Name="vigie", SecretString='{"datadog": "d", "generic": "g"}')["ARN"]
    clock = ManualClock()
    secrets = EnvironmentSecrets({}, AwsSecrets(clock))

    assert secrets.get(parameter) == "old"
    assert secrets.get(f"{bundle}:generic::") == "g"
    ssm.put_parameter(Name="/vigie/datadog", Value="new", Type="SecureString", Overwrite=True)
    assert secrets.get(parameter) == "old"
    clock.advance(301)
    assert secrets.get(parameter) == "new"

    with pytest.raises(Misbuilt, match='no key "slack"'):
        secrets.get(f"{bundle}:slack::")
    with pytest.raises(Misbuilt, match="AWS knows no secret"):
        secrets.get("arn:aws:ssm:eu-west-3:123456789012:parameter/vigie/nothing")
    with pytest.raises(Misbuilt, match="keeps no secret"):
        secrets.get("arn:aws:s3:::bucket/secret")


def test_a_known_secret_outlives_the_silence_of_aws_and_an_unknown_one_is_asked_for_later(aws):
    ssm = boto3.client("ssm", region_name="eu-west-3")
    ssm.put_parameter(Name="/vigie/generic", Value="kept", Type="SecureString")
    parameter = ssm.get_parameter(Name="/vigie/generic")["Parameter"]["ARN"]
    clock = ManualClock()
    secrets = AwsSecrets(clock)
    assert secrets.get(parameter) == "kept"
    aws.stop()
    clock.advance(3600)
    assert secrets.get(parameter) == "kept"
    with pytest.raises(Unavailable, match="did not give"):
        secrets.get(parameter + "/other")


def test_the_documentation_names_every_variable():
    text = (Path(__file__).parents[1] / "docs" / "configuration.md").read_text()
    assert [variable for variable in VARIABLES if f"`{variable}`" not in text] == []
