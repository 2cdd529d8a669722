"""`vigie check --online`: asked of the workspace through the real client; and what to set on the other side."""

import asyncio

import pytest

from bot.clients import aws
from bot.clients.slack import SlackClient
from bot.config import load_config
from bot.errors import Misbuilt, Rejected, Unavailable
from bot.services.check.account_checks import AwsProbes, DatadogProbes
from bot.services.check.advice import advice
from bot.services.check.findings import Finding, failed
from bot.services.check.manifest import SCOPES, manifest
from bot.services.check.online_checks import Probes, run_online_checks
from bot.settings import load_settings
from bot.sources.datadog import WEBHOOK_TEMPLATE
from tests.config_stage import EXAMPLE
from tests.workspace_stage import stage


def online(settings, config, probes: Probes) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for each in asyncio.run(run_online_checks(settings, config, probes)):
        found.setdefault(each.id, []).append(each)
    return found


async def ask_slack(config, scopes=tuple(SCOPES), token=None, absent=()) -> list[Finding]:
    """The online checks against the workspace, whose app was installed with `scopes`."""
    told = manifest(config, "https://vigie.example.com")
    told["oauth_config"]["scopes"]["bot"] = list(scopes)
    async with stage(manifest=told) as there:
        for channel in absent:
            there.workspace.state.conversation(channel).members.discard("U0VIGIE001")
        if token:
            there.slack.token = token
        slack = SlackClient(there.slack)

        async def person(user: str):
            return (await slack.call("users.info", user=user))["user"]

        probes = Probes(slack_auth=slack.auth_test, slack_channel=slack.channel_info, slack_person=person)
        settings = load_settings({"SLACK_API_URL": f"{there.url}/api/"})
        return await run_online_checks(settings, config, probes)


def faults_of(config, **how) -> list[Finding]:
    return [each for each in asyncio.run(ask_slack(config, **how)) if each.level == "fault"]


@pytest.fixture
def config():
    return load_config(EXAMPLE)


def test_slack_that_knows_us_and_our_channels_and_people_is_told_so(config):
    findings = asyncio.run(ask_slack(config))
    assert not failed(findings)
    assert [each.id for each in findings] == [
        "slack-auth",
        "slack-scopes",
        "slack-channel",
        "slack-channel",
        "slack-channel",
        "slack-person",
    ]


def test_a_scope_that_was_not_granted_is_named_with_the_feature_it_stops(config):
    [fault] = faults_of(config, scopes=[scope for scope in SCOPES if scope != "groups:history"])
    assert "groups:history" in fault.what and "private channel" in fault.what and "vigie manifest" in fault.remedy


def test_the_wrong_workspace_is_told_with_both_names(config):
    faults = faults_of(config.model_copy(update={"workspace": "T0OTHER001"}))
    assert faults[0].id == "slack-workspace" and "T0BRIDGE01" in faults[0].what and "T0OTHER001" in faults[0].what


def test_a_token_that_slack_does_not_know_ends_the_questions_to_slack(config):
    [fault] = faults_of(config, token="xoxb-wrong")
    assert "invalid_auth to auth.test" in fault.what and "OAuth & Permissions" in fault.remedy


def test_a_channel_that_is_not_there_or_not_ours_is_named(config):
    channels = {**config.channels, "night": "C0NIGHT001"}
    faults = faults_of(config.model_copy(update={"channels": channels}), absent=["C0REVIEW01"])
    assert any("not a member of #review" in each.what and "/invite" in each.remedy for each in faults)
    assert any("night (C0NIGHT001): Slack answered channel_not_found" in each.what for each in faults)


def test_a_person_whom_slack_does_not_know_or_knows_elsewhere_is_named(config):
    lost = config.people["alice"].model_copy(update={"slack": "U0NOBODY01"})
    eve = config.people["bruno"].model_copy(update={"slack": "U0EVE00001", "name": "Eve"})
    faults = faults_of(config.model_copy(update={"people": {"alice": lost, "eve": eve}}))
    assert any("Alice (U0NOBODY01): Slack answered user_not_found" in each.what for each in faults)
    assert any("Eve" in each.what and "T0EVIL0001" in each.what and "T0EVIL0001" in each.remedy for each in faults)


async def silent(*_given):
    raise Unavailable("ClientConnectorError: no route to host")


async def denied(*_given):
    raise Rejected("org_login_required")


def test_silence_is_told_with_who_called_whom_and_the_next_step(config):
    reached = config.model_copy(update={"public_url": "https://vigie.example.com"})
    probes = Probes(
        slack_auth=silent, aws=AwsProbes("https://sts.eu-west-3.amazonaws.com/", silent, silent), status_of=silent,
        datadog={"padok": DatadogProbes("https://api.datadoghq.eu/", silent, silent)},
    )
    found = online(load_settings({}), reached, probes)
    urls = {
        "slack-auth": "https://slack.com/api/auth.test",
        "aws": "https://sts.eu-west-3.amazonaws.com/",
        "datadog": "https://api.datadoghq.eu/",
        "public-url": "https://vigie.example.com/health/live",
    }
    assert set(found) == set(urls)
    for name, url in urls.items():
        [finding] = found[name]
        assert finding.level == "fault" and f"Vigie called {url}" in finding.what and "no route" in finding.what
        assert f"curl -sS {url}" in finding.remedy


def test_a_word_of_slack_that_we_do_not_know_is_passed_on(config):
    [finding] = online(load_settings({}), config, Probes(slack_auth=denied))["slack-auth"]
    assert "org_login_required" in finding.what and "auth.test" in finding.remedy


def test_what_is_not_used_is_not_asked(config):
    assert online(load_settings({}), config, Probes()) == {}


def test_our_own_address_is_judged_by_its_answer(config):
    async def bad_gateway(url: str) -> int:
        return 502

    reached = config.model_copy(update={"public_url": "https://vigie.example.com/"})
    [finding] = online(load_settings({}), reached, Probes(status_of=bad_gateway))["public-url"]
    assert "https://vigie.example.com/health/live" in finding.what and "502" in finding.what


# --- what to set on the other side ---


def test_each_endpoint_gets_what_must_be_set_on_the_other_side(config):
    pieces = {piece.endpoint: piece.text for piece in advice(config, WEBHOOK_TEMPLATE)}
    assert set(pieces) == set(config.endpoints)
    datadog = pieces["padok-datadog"]
    assert "/webhooks/datadog/padok-datadog" in datadog and "X-Vigie-Secret" in datadog
    assert "VIGIE_SECRET_PADOK_DATADOG" in datadog and "$ALERT_ID" in datadog
    assert "DeliveryPolicy" in pieces["bridge-cloudwatch"] and "RedrivePolicy" in pieces["bridge-cloudwatch"]
    assert "Authorization: Bearer" in pieces["bridge-alertmanager"]
    assert "X-Vigie-Secret" in pieces["bridge-generic"]


def test_missing_credentials_of_aws_are_told_as_such_and_not_as_a_silent_network(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(Misbuilt, match="There are no AWS credentials"):
        asyncio.run(aws.caller_identity())


def test_a_queue_gets_the_advice_for_queues(config):
    queue = "https://sqs.eu-west-3.amazonaws.com/111122223333/bridge-alarms"
    endpoint = config.endpoints["bridge-cloudwatch"].model_copy(update={"queue_url": queue})
    [piece] = advice(config.model_copy(update={"endpoints": {"bridge-cloudwatch": endpoint}}), WEBHOOK_TEMPLATE)
    assert queue in piece.text and "aws:SourceArn" in piece.text and "maxReceiveCount" in piece.text
