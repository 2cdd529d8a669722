"""Who speaks for a side in the review: its leads and managers."""

from collections.abc import Iterable

from bot.config import Config
from bot.errors import Refused
from bot.services.desk import Actor
from bot.services.leave.clauses import listed
from bot.store.reviews import Signature

ONLY = "`{verb}` is for leads and managers; vigie.yaml lists you as {roles}. Of {side}: {who}."
NOTHING, NOBODY = "nothing", "nobody"

ROLES = frozenset({"lead", "manager"})


def of(config: Config, organisation: str) -> list[str]:
    """Who may sign for that side."""
    return [key for key, each in config.people.items() if each.organisation == organisation and ROLES & set(each.roles)]


def missing(config: Config, signed: Iterable[Signature]) -> list[str]:
    """The organisations that have not signed, the partner first: the owner signs what is agreed."""
    there = {each.organisation for each in signed}
    left = [key for key in config.organisations if key not in there]
    return sorted(left, key=lambda key: config.organisations[key].kind == "own")


def require(config: Config, actor: Actor, verb: str) -> None:
    """Raises Refused, naming who could, for whoever is neither lead nor manager."""
    if ROLES & actor.roles:
        return
    names = [config.people[each].name for each in of(config, actor.organisation)]
    raise Refused(ONLY.format(
        verb=verb, roles=listed(sorted(actor.roles), "and") or NOTHING, who=listed(names) or NOBODY,
        side=config.organisations[actor.organisation].name,
    ))
