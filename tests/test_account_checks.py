"""`vigie check --online` on AWS and Datadog: asked of their doubles over HTTP, by the very probes of the command line."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from bot.checking import aws_probes, datadog_probes
from bot.config import Config
from bot.doubles.aws import Aws as Double
from bot.services.check.findings import Finding
from bot.services.check.online_checks import Probes, run_online_checks
from bot.settings import EnvironmentSecrets, load_settings
from tests.action_stage import Served, aws_server
from tests.config_stage import example
from tests.datadog_stage import PREFIX, DatadogWorld, datadog_server, datadog_world

__all__ = ["aws_server", "datadog_server", "datadog_world"]

READ, ACT = "arn:aws:iam::111122223333:role/vigie-read", "arn:aws:iam::111122223333:role/vigie-act"
ROLES = ("vigie-read", "vigie-act")
IDS = ("vigie-bridge-41d7", "vigie-padok-8c1f")


def found(config: Config, probes: Probes) -> list[Finding]:
    return asyncio.run(run_online_checks(load_settings({}), config, probes))


def words(findings: Sequence[Finding], *levels: str) -> list[str]:
    return [each.what for each in findings if each.level in levels]


# --- AWS ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def aws(aws_server: Served, monkeypatch: pytest.MonkeyPatch) -> Double:
    """An AWS whose two roles demand the external ids of the example, and our own credentials for it."""
    aws_server.aws.reset()
    aws_server.aws.sts.roles = {READ: IDS, ACT: IDS}
    at(aws_server.url, monkeypatch)
    return aws_server.aws


def at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "vigie", "AWS_SECRET_ACCESS_KEY": "key", "AWS_PROFILE": None}
    for name, value in given.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)


def on_aws(**changed: Any) -> list[Finding]:
    """What is found with the example, its section `aws` changed."""
    section = example().aws
    assert section is not None
    config = example().model_copy(update={"aws": section.model_copy(update=changed)})
    return found(config, Probes(aws=aws_probes(config)))


def test_roles_that_take_each_company_with_its_external_id_only_are_fine(aws: Double) -> None:
    findings = on_aws()
    assert {each.level for each in findings} == {"ok"}
    assert words(findings, "ok") == [
        "AWS knows us as arn:aws:iam::111122223333:user/vigie",
        "vigie-read: Vigie may take it for Bridge", "vigie-read: Vigie may take it for Padok",
        "vigie-read: without an external id nobody gets it",
        "vigie-act: Vigie may take it for Bridge", "vigie-act: Vigie may take it for Padok",
        "vigie-act: without an external id nobody gets it",
    ]


def test_a_role_is_taken_as_a_step_takes_it_and_for_nothing_else(aws: Double) -> None:
    on_aws()
    taken = [each for each in aws.calls if each.operation == "AssumeRole" and each.outcome == "ok"]
    assert {each["Key"] for call in taken for each in call.params["Tags"]} == {"organisation", "run"}
    assert {each.params["RoleSessionName"] for each in taken} == {"vigie-check"}
    assert {each.operation for each in aws.calls} == {"GetCallerIdentity", "AssumeRole"}


def test_a_role_that_forgets_to_ask_for_the_external_id_is_a_warning(aws: Double) -> None:
    aws.sts.roles = {READ: IDS, ACT: ()}
    [warning] = [each for each in on_aws() if each.level != "ok"]
    assert (warning.id, warning.level) == ("aws-external-id", "warning")
    assert warning.what.startswith("vigie-act: AWS gives it to Vigie without an external id")
    assert "sts:ExternalId" in warning.remedy and "--iam" in warning.remedy


def test_a_role_that_knows_another_external_id_or_is_not_there_is_a_fault_with_whom_it_stops(aws: Double) -> None:
    aws.sts.roles = {ACT: IDS[:1]}
    findings = on_aws()
    assert words(findings, "fault", "warning") == [
        "vigie-read: AWS does not let Vigie take it for Bridge (AccessDenied)",
        "vigie-read: AWS does not let Vigie take it for Padok (AccessDenied)",
        "vigie-act: AWS does not let Vigie take it for Padok (AccessDenied)",
    ]
    assert all("sts:TagSession" in each.remedy for each in findings if each.level == "fault")


def test_another_account_than_that_of_vigie_yaml_is_told_with_both_numbers(aws: Double) -> None:
    told = set(words(on_aws(account="999988887777"), "fault"))
    assert told == {f"{name} is of the account 111122223333, and vigie.yaml says 999988887777" for name in ROLES}


def test_without_roles_our_own_credentials_are_looked_at(aws: Double) -> None:
    findings = on_aws(read_role=None, act_role=None)
    assert [each.id for each in findings if each.level == "warning"] == ["aws-role", "aws-role"]
    assert not words(findings, "fault")
    [fault, *_] = words(on_aws(read_role=None, account="999988887777"), "fault")
    assert fault.startswith("our own credentials are of the account 111122223333")


def test_an_aws_that_is_silent_is_asked_no_further(aws: Double) -> None:
    for _ in range(3):      # the identity is asked for three times: reading is safe to repeat
        aws.faults.lose("sts", "GetCallerIdentity")
    [finding] = on_aws()
    assert finding.level == "fault" and "https://sts.eu-west-3.amazonaws.com/" in finding.what


def test_a_role_about_which_aws_falls_silent_is_told_once(aws: Double) -> None:
    aws.faults.lose("sts", "AssumeRole")
    findings = on_aws()
    assert words(findings, "fault") == [
        "Vigie called https://sts.eu-west-3.amazonaws.com/ and got no good answer (ConnectionClosedError)"]
    assert "vigie-act: Vigie may take it for Padok" in words(findings, "ok")


def test_aws_is_asked_only_where_something_needs_it() -> None:
    lone = {"aws": None, "endpoints": {}, "datadog": {}}
    assert aws_probes(example().model_copy(update=lone)) is None
    assert aws_probes(example().model_copy(update={**lone, "endpoints": example().endpoints})) is not None


# --- Datadog --------------------------------------------------------------------------------------------------------------


def on_datadog(world: DatadogWorld, **changed: str) -> dict[str, Finding]:
    """What is found about each account, with the keys of the double unless they are changed."""
    keys = {
        f"VIGIE_SECRET_{name.upper()}_DATADOG_{kind.upper()}": f"{kind}-{name}"
        for name in world.accounts for kind in ("api", "app")
    }
    secrets = EnvironmentSecrets({name: value for name, value in {**keys, **changed}.items() if value})
    able = {name: dict(datadog_probes(example(), secrets, f"{world.url}{PREFIX}/{name}")) for name in world.accounts}
    probes = {name: each[name] for name, each in able.items() if name in each}
    return dict(zip(probes, found(example(), Probes(datadog=probes)), strict=True))


def test_both_keys_of_each_company_are_tried_on_its_own_site(datadog_world: DatadogWorld) -> None:
    told = {name: (each.level, each.what) for name, each in on_datadog(datadog_world).items()}
    assert told == {
        "bridge": ("ok", "Datadog (datadoghq.eu) takes both keys of Bridge"),
        "padok": ("ok", "Datadog (datadoghq.eu) takes both keys of Padok"),
    }
    assert {each.operation for each in datadog_world.bridge.book} == {"validate", "list_monitors"}


def test_an_api_key_of_another_company_or_site_is_named_by_where_it_is_kept(datadog_world: DatadogWorld) -> None:
    told = on_datadog(datadog_world, VIGIE_SECRET_PADOK_DATADOG_API="api-bridge")
    assert told["bridge"].level == "ok" and told["padok"].level == "fault"
    assert told["padok"].what == "Datadog (datadoghq.eu) does not take the API key of Padok"
    assert "VIGIE_SECRET_PADOK_DATADOG_API" in told["padok"].remedy and "site" in told["padok"].remedy
    assert "api-bridge" not in str(told["padok"])


def test_an_application_key_that_may_read_no_monitors_is_found(datadog_world: DatadogWorld) -> None:
    told = on_datadog(datadog_world, VIGIE_SECRET_BRIDGE_DATADOG_APP="somebody-who-left")["bridge"]
    assert told.what == "Datadog (datadoghq.eu) does not let the application key of Bridge read monitors"
    assert "VIGIE_SECRET_BRIDGE_DATADOG_APP" in told.remedy and "monitors_read" in told.remedy


def test_a_datadog_that_is_down_is_not_taken_for_a_wrong_key(datadog_world: DatadogWorld) -> None:
    datadog_world.bridge.faults.plant("down", "validate")
    datadog_world.accounts["padok"].faults.plant("garbled", "list_monitors")
    told = on_datadog(datadog_world)
    assert all("got no good answer" in each.what for each in told.values())


def test_keys_that_are_not_there_are_not_asked_about_again(datadog_world: DatadogWorld) -> None:
    assert set(on_datadog(datadog_world, VIGIE_SECRET_PADOK_DATADOG_APP="")) == {"bridge"}
