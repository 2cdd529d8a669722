"""The Slack app's manifest, from the configuration: what Vigie asks Slack for, and why each scope is needed."""

from collections.abc import Sequence
from typing import Any

from bot.config import Config
from bot.errors import Misbuilt

NAME = "Vigie"
DESCRIPTION = "The lookout: alerts become cards, runbooks repair, people decide, everything is written down."
COMMAND_DESCRIPTION = "Alerts and runbooks: list, take, run, approve, stop. `help` lists what you may do."
NO_URL = (
    "The manifest needs the address where Slack reaches Vigie. Write `public_url: https://...` into vigie.yaml, "
    "or set SLACK_APP_TOKEN for Socket Mode, which needs none."
)
SCOPES = {
    "app_mentions:read": "hear `@Vigie ack` in a thread, where Slack takes no slash commands",
    "channels:history": "look in a public channel whether a card arrived before sending it again",
    "channels:read": "check that Vigie is a member of its public channels",
    "chat:write": "post and update cards, threads and answers",
    "commands": "the slash command and the buttons",
    "files:write": "show charts, evidence and long output in the thread of a run",
    "groups:history": "look in a private channel whether a card arrived before sending it again",
    "groups:read": "check that Vigie is a member of its private channels",
    "im:history": "look in direct messages whether one arrived before sending it again",
    "im:write": "write to people directly: their shifts, handoffs, and calls at night",
    "dnd:read": "check that Slack keeps silent for people in their blackout",
    "users:read": "check that the people of vigie.yaml exist in Slack, and hear when somebody's account is deactivated",
}
GROUP_SCOPES = {
    "usergroups:read": "see who is in the user group of those on duty",
    "usergroups:write": "keep the user group of those on duty",
}
EVENTS = ("app_home_opened", "app_mention", "user_change")

EVENTS_PATH = "/slack/events"
LONGEST_HINT = 1000


def manifest(
    config: Config,
    public_url: str | None,
    socket_mode: bool = False,
    *,
    verbs: Sequence[str] = ("help",),
    shortcuts: Sequence[dict[str, str]] = (),
) -> dict[str, Any]:
    """What is pasted at api.slack.com/apps, From a manifest. `shortcuts` have name, type, callback_id, description."""
    url = None if socket_mode else _events_url(public_url)
    features = {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": True},
        "bot_user": {"display_name": NAME, "always_online": True},
        "slash_commands": [_command(config, verbs, url)],
    }
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {"name": NAME, "description": DESCRIPTION, "background_color": "#1d3557"},
        "features": features | ({"shortcuts": list(shortcuts)} if shortcuts else {}),     # Slack takes no empty list
        "oauth_config": {"scopes": {"bot": sorted(scopes(config))}},
        "settings": {
            "event_subscriptions": _at(url) | {"bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True} | _at(url),
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket_mode,
            "token_rotation_enabled": False,
        },
    }


def scopes(config: Config) -> dict[str, str]:
    """What Vigie asks for and why: user groups only when it is to keep one."""
    return SCOPES | (GROUP_SCOPES if any(each.user_group for each in config.coverages.values()) else {})


def _events_url(public_url: str | None) -> str:
    if not public_url:
        raise Misbuilt(NO_URL)
    return public_url.rstrip("/") + EVENTS_PATH


def _command(config: Config, verbs: Sequence[str], url: str | None) -> dict[str, Any]:
    """With should_escape a typed @bob arrives as his member id, which cannot be mistaken."""
    told = {"command": config.command, "description": COMMAND_DESCRIPTION, "should_escape": True}
    return told | {"usage_hint": " | ".join(verbs)[:LONGEST_HINT]} | ({"url": url} if url else {})


def _at(url: str | None) -> dict[str, Any]:
    return {"request_url": url} if url else {}


def missing_scopes(config: Config, granted: Sequence[str]) -> dict[str, str]:
    """The scopes that the installed app lacks, and what does not work without each."""
    return {scope: why for scope, why in scopes(config).items() if scope not in granted}
