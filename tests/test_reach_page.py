"""What the pages tell of AWS, Datadog and old runbooks is what the code does: numbers, names, lists, the lines of a check."""

import re
from datetime import timedelta

import pytest

from bot.checking import SESSION
from bot.clients import roles
from bot.config.catalogue import STALE_AFTER
from bot.services import meters
from bot.services.check import account_checks, iam
from bot.services.check.findings import Finding
from tests.config_stage import example
from tests.pages import blocks, read
from tests.test_iam import ACTIONS, SHIPPED, VIGIE

SECURITY, CONFIGURATION, OPERATION = "docs/security.md", "docs/configuration.md", "docs/operation.md"


def words(page: str) -> str:
    return " ".join(read(page).split())


@pytest.mark.parametrize(("page", "claim"), [
    (SECURITY, f"for {roles.LIVES_S // 60} minutes"),
    (SECURITY, f"the {roles.LONGEST_POLICY:,} characters that STS takes"),
    (SECURITY, f"(`{roles.session_name('lea', 57)}`; `{roles.session_name('vigie', 57)}` for what Vigie does by itself)"),
    (SECURITY, f"`{iam.MARK.rpartition('/')[2]}={iam.MARKED}`"),
    (CONFIGURATION, f"`{iam.MARK.rpartition('/')[2]}={iam.MARKED}`"),
    (OPERATION, f"for {STALE_AFTER // timedelta(days=1)} days"),
])
def test_numbers_and_names_are_those_of_the_code(page: str, claim: str) -> None:
    assert claim in words(page)


def test_what_is_never_allowed_is_listed_whole() -> None:
    listed = words(SECURITY).split("Denied whatever else the role is given:")[1].split(". `vigie check --online`")[0]
    assert set(re.findall(r"`([a-z0-9]+:[\w*]+)`", listed)) == {*iam.NEVER, "iam:*"}


def test_the_tags_of_a_session_are_those_that_the_page_names() -> None:
    named = re.search(r"the \*\*tags\*\* `(\w+)`, `(\w+)` and, where there is one, `(\w+)`", words(SECURITY))
    assert named and set(named.groups()) == set(iam.TAGS)


def test_what_carries_no_tag_is_used_by_an_action_and_told_why() -> None:
    writes = {each for action in ACTIONS.values() for each in action.writes}
    assert set(iam.UNMARKED) <= writes, "an exception that no action needs any more"
    assert {iam.NEW, iam.TASK, iam.INTERFACE, iam.DOCUMENT} <= set(iam.UNMARKED.values())


def test_the_recipe_reads_what_the_command_prints() -> None:
    printed = iam.policies(example(), SHIPPED, VIGIE)
    for part, document in re.findall(r"jq \.(\w+)\.(\w+) roles\.json", read(CONFIGURATION)):
        assert document in printed[part]
    assert f"vigie check --iam {VIGIE}" in read(CONFIGURATION)


def test_the_lines_of_the_check_are_as_it_says_them() -> None:
    [shown] = blocks(read(CONFIGURATION), "text")
    site, checks = "datadoghq.eu", account_checks
    said = [
        Finding("aws", "ok", checks.AWS_FINE.format(arn="arn:aws:sts::111122223333:assumed-role/vigie/i-07")),
        Finding("aws-role", "ok", checks.ROLE_FINE.format(role="vigie-act", name="Bridge")),
        Finding("aws-role", "fault", checks.ROLE_REFUSED.format(role="vigie-act", name="Padok", code="AccessDenied"),
                checks.TRUST),
        Finding("datadog", "ok", checks.DATADOG_FINE.format(site=site, name="Bridge")),
        Finding("datadog", "fault", checks.APP_KEY_NO.format(site=site, name="Padok"),
                checks.APP_KEY.format(reference="VIGIE_SECRET_PADOK_DATADOG_APP")),
    ]
    assert shown.strip() == "\n".join(map(str, said))


def test_the_states_modes_and_endings_of_the_metrics_are_named() -> None:
    page = read(OPERATION)
    known = {label for known in (meters.DECISIONS, meters.ENDINGS, meters.WAYS_TO_END) for labels in known for label in labels}
    assert all(f"`{each}`" in page for each in known)


def test_cloudtrail_tells_a_check_from_a_run() -> None:
    assert re.fullmatch(r"[\w+=,.@-]{2,64}", SESSION) and "-run" not in SESSION
