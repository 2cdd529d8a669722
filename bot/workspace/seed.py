"""What a workspace starts with: its team, people, channels, and the one app that is installed in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

USUAL_EVENTS = ("app_mention", "app_home_opened")     # what an app hears when its manifest does not say


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who writes; `team` differs from the workspace's for a stranger in a shared channel."""

    id: str
    name: str
    real_name: str
    title: str
    team: str
    guest: bool = False
    tz: str = "Europe/Paris"
    quiet: str | None = None        # the hours of do-not-disturb: 22:00-08:00

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"


@dataclass(frozen=True, slots=True)
class Channel:
    """`members` None: everybody of the workspace and the app, and strangers when the channel is shared."""

    id: str
    name: str
    members: tuple[str, ...] | None = None
    is_ext_shared: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A user group: one handle, several people."""

    id: str
    handle: str
    name: str
    users: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class App:
    """The installed app: who it is, how it proves itself, and where it listens."""

    app_id: str
    bot_id: str
    user_id: str
    name: str
    token: str
    app_token: str
    signing_secret: str
    events_url: str


@dataclass(frozen=True, slots=True)
class Seed:
    """The whole of a workspace's beginning; `suggestions`: what the composer offers after a command, (text, help)."""

    team_id: str
    team_name: str
    people: tuple[Person, ...]
    channels: tuple[Channel, ...]
    app: App
    manifest: Mapping[str, Any] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    suggestions: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        return self.team_name.lower()

    @property
    def scopes(self) -> frozenset[str] | None:
        """What the app may do; None when the manifest does not say, and then it may do everything."""
        granted = self.manifest.get("oauth_config", {}).get("scopes", {}).get("bot")
        return None if granted is None else frozenset(granted)

    @property
    def commands(self) -> dict[str, Mapping[str, Any]]:
        commands = self.manifest.get("features", {}).get("slash_commands", [])
        return {command["command"]: command for command in commands}

    def hears(self, event: str) -> bool:
        """Whether the app asked for this kind of event."""
        asked = self.manifest.get("settings", {}).get("event_subscriptions", {})
        return event in asked.get("bot_events", USUAL_EVENTS)


HOME = "T0BRIDGE01"
STRANGERS = "T0EVIL0001"
EXAMPLE_PEOPLE = (      # the first is who the page acts as: who is on call in the demo's night
    Person("U0LEA00001", "lea", "Léa Moreau", "Padok, on-call engineer", HOME, guest=True),
    Person("U0ALICE001", "alice", "Alice Martin", "Bridge, engineer", HOME),
    Person("U0BRUNO001", "bruno", "Bruno Petit", "Bridge, engineer", HOME),
    Person("U0PAUL0001", "paul", "Paul Laurent", "Bridge, lead", HOME),
    Person("U0MARIE001", "marie", "Marie Roche", "Bridge, manager", HOME),
    Person("U0OMAR0001", "omar", "Omar Haddad", "Padok, on-call engineer", HOME, guest=True),
    Person("U0INES0001", "ines", "Inès Costa", "Padok, lead", HOME, guest=True),
    Person("U0EVE00001", "eve", "Eve Stranger", "another company", STRANGERS),
)
EXAMPLE_CHANNELS = (
    Channel("C0ALERTS01", "alerts", is_ext_shared=True),
    Channel("C0PAYMNT01", "payments"),
    Channel("C0REVIEW01", "review"),
)
EXAMPLE_GROUPS = (Group("S0ASTREINT", "astreinte", "On call", ("U0ALICE001",)),)
EXAMPLE_MANIFEST: Mapping[str, Any] = {
    "features": {"slash_commands": [
        {"command": "/vigie", "description": "Alerts and who is on duty", "usage_hint": "help", "should_escape": True}
    ]}
}


def example_seed(
    events_url: str,
    manifest: Mapping[str, Any] | None = None,
    suggestions: Mapping[str, tuple[tuple[str, str], ...]] | None = None,
) -> Seed:
    """The example team: Bridge, its partner Padok as guests, a stranger in a shared channel, and the app."""
    app = App(
        app_id="A0VIGIE001", bot_id="B0VIGIE001", user_id="U0VIGIE001", name="Vigie", token="xoxb-demo-vigie",
        app_token="xapp-demo-vigie", signing_secret="demo-slack-signing-secret", events_url=events_url,
    )
    return Seed(HOME, "Bridge", EXAMPLE_PEOPLE, EXAMPLE_CHANNELS, app, manifest or EXAMPLE_MANIFEST,
                EXAMPLE_GROUPS, suggestions=suggestions or {})
