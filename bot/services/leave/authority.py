"""Who may do what: one place for every verb. Nobody who is not in vigie.yaml may do anything."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal

from bot.config import Config, Person
from bot.errors import Refused
from bot.services.desk import Actor

Level = Literal["read", "write", "act"]

ROLES: Mapping[Level, frozenset[str] | None] = {
    "read": None,                                               # everybody in vigie.yaml
    "write": frozenset({"engineer", "lead", "manager"}),
    "act": frozenset({"engineer", "lead"}),
}

UNKNOWN_PERSON = (
    "Vigie does not know you ({user} of workspace {team}): only people listed in vigie.yaml may use it. "
    "Ask {who} to add you."
)
LEFT = "{who} is deactivated in Slack: that ends every right here at once."
OVER = "{who} was here until {day:%d %b %Y}, vigie.yaml says: every right here ended with that day."
NOT_YET = "{who} is here from {day:%d %b %Y} on, vigie.yaml says."
NOT_ALLOWED = "`{verb}` is for {roles}; vigie.yaml lists you as {own}. Ask {who}."
SOMEBODY = "whoever looks after vigie.yaml"
MOST_NAMED = 3


def authorise(config: Config, team_id: str | None, user_id: str, origin: str) -> Actor:
    """The person of vigie.yaml with exactly this Slack workspace and user; raises Refused for everybody else."""
    found = config.person(team_id, user_id) if team_id else None
    if found is None:
        leads = [each for each in _own_people(config) if "lead" in each.roles]
        team = team_id or "an unknown one"
        raise Refused(UNKNOWN_PERSON.format(user=user_id[:20] or "no name", team=team[:20], who=_named(leads)))
    key, person = found
    return Actor(key, person.name, person.organisation, frozenset(person.roles), person.slack, origin)


def require_present(actor: Actor, config: Config, leavers: frozenset[str], today: date) -> None:
    """Raises Refused for whom Slack has deactivated, and outside of somebody's first and last day."""
    known = config.people[actor.key]
    if actor.key in leavers:
        raise Refused(LEFT.format(who=actor.name))
    if known.ends and today > known.ends:
        raise Refused(OVER.format(who=actor.name, day=known.ends))
    if known.starts and today < known.starts:
        raise Refused(NOT_YET.format(who=actor.name, day=known.starts))


def stranger(team_id: str | None, user_id: str, origin: str) -> Actor:
    """How the journal calls somebody whom vigie.yaml does not know."""
    return Actor(f"{team_id or '?'}/{user_id}", user_id, "unknown", frozenset(), user_id, origin)


def may(roles: Iterable[str], level: Level) -> bool:
    """Whether somebody with these roles may do what needs this level."""
    wanted = ROLES[level]
    return wanted is None or not wanted.isdisjoint(roles)


def require(config: Config, actor: Actor, verb: str, level: Level) -> None:
    """Raises Refused, naming who could, when the actor may not do this."""
    if may(actor.roles, level):
        return
    able = [each for each in config.people.values() if may(each.roles, level)]
    able.sort(key=lambda each: each.organisation != actor.organisation)     # colleagues first
    roles = _listed([f"{role}s" for role in sorted(ROLES[level] or ())], "and")
    own = _listed(sorted(actor.roles), "and") or "nothing"
    raise Refused(NOT_ALLOWED.format(verb=verb, roles=roles, own=own, who=_named(able)))


def _own_people(config: Config) -> list[Person]:
    own = {key for key, organisation in config.organisations.items() if organisation.kind == "own"}
    return [person for person in config.people.values() if person.organisation in own]


def _named(people: list[Person]) -> str:
    return _listed([each.name for each in people[:MOST_NAMED]], "or") or SOMEBODY


def _listed(names: list[str], last: str) -> str:
    """Alice, Bruno or Paul."""
    return f" {last} ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
