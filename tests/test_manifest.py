"""The Slack manifest: within Slack's limits, the least scopes, the same address for everything."""

import re

import pytest

from bot.config import load_config
from bot.errors import Misbuilt
from bot.services.check.manifest import SCOPES, manifest, missing_scopes, scopes
from tests.config_stage import EXAMPLE

URL = "https://vigie.example.com"
VERBS = ("help", "status", "show", "ack", "close")
SHORTCUT = {"name": "Note on this alert", "type": "message", "callback_id": "note", "description": "Adds it as a note."}


@pytest.fixture
def config():
    return load_config(EXAMPLE)


def texts(node, name=""):
    """Every text of a manifest with the key it stands under."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from texts(value, key)
    elif isinstance(node, list):
        for each in node:
            yield from texts(each, name)
    elif isinstance(node, str):
        yield name, node


def test_slack_calls_one_address_for_commands_events_and_buttons(config):
    told = manifest(config, f"{URL}/", verbs=VERBS)
    urls = [value for name, value in texts(told) if name in ("url", "request_url")]
    assert urls == [f"{URL}/slack/events"] * 3
    assert told["settings"]["socket_mode_enabled"] is False


def test_socket_mode_needs_no_address(config):
    told = manifest(config, None, socket_mode=True, verbs=VERBS)
    assert not [name for name, _ in texts(told) if name in ("url", "request_url")]
    assert told["settings"]["socket_mode_enabled"] is True


def test_without_an_address_and_without_socket_mode_the_remedy_is_told(config):
    with pytest.raises(Misbuilt, match="public_url"):
        manifest(config, None)


def test_there_is_one_command_that_hears_people_by_their_member_id(config):
    [command] = manifest(config, URL, verbs=VERBS)["features"]["slash_commands"]
    assert command["command"] == "/vigie" and command["should_escape"] is True
    assert command["usage_hint"] == "help | status | show | ack | close"


def test_the_command_is_called_as_the_configuration_says(config):
    other = config.model_copy(update={"command": "/guard"})
    assert manifest(other, URL)["features"]["slash_commands"][0]["command"] == "/guard"


def test_only_shortcuts_that_exist_are_announced(config):
    assert "shortcuts" not in manifest(config, URL)["features"]
    assert manifest(config, URL, shortcuts=[SHORTCUT])["features"]["shortcuts"] == [SHORTCUT]


def test_the_manifest_stays_within_slacks_limits(config):
    told = manifest(config, URL, verbs=[f"verb{number}" for number in range(400)], shortcuts=[SHORTCUT])
    limits = {"name": 35, "description": 140, "display_name": 80, "command": 32, "usage_hint": 1000, "url": 3000}
    for name, text in texts(told):
        assert 0 < len(text) <= limits.get(name, 3000), (name, text)
    assert re.fullmatch("#[0-9a-f]{6}", told["display_information"]["background_color"])
    assert set(told) <= {"_metadata", "display_information", "features", "oauth_config", "settings"}


def test_each_scope_has_a_reason_and_none_is_asked_without(config):
    asked = manifest(config, URL)["oauth_config"]["scopes"]
    assert asked == {"bot": sorted(SCOPES)}
    assert all(len(why) > 10 for why in SCOPES.values())
    assert not [scope for scope in SCOPES if "admin" in scope or scope.endswith(".public")]


def test_user_groups_are_asked_for_only_where_one_is_kept(config):
    platform = config.coverages["platform"].model_copy(update={"user_group": "S0ASTREINT"})
    keeping = config.model_copy(update={"coverages": {"platform": platform}})
    assert set(scopes(keeping)) - set(scopes(config)) == {"usergroups:read", "usergroups:write"}
    assert manifest(keeping, URL)["oauth_config"]["scopes"]["bot"] == sorted(scopes(keeping))


def test_somebody_who_leaves_is_heard_of(config):
    events = manifest(config, URL)["settings"]["event_subscriptions"]["bot_events"]
    assert {"user_change", "app_home_opened", "app_mention"} <= set(events)


def test_a_missing_scope_is_named_with_what_it_is_for(config):
    assert missing_scopes(config, sorted(SCOPES)) == {}
    assert missing_scopes(config, [scope for scope in SCOPES if scope != "groups:history"]) == {
        "groups:history": SCOPES["groups:history"]
    }
