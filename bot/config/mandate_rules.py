"""What must be true of a mandate: the partner's, dated, with clauses that can be met and second signatures that can be given."""

import fnmatch
import re
from collections.abc import Iterator
from typing import get_args

from bot.config.catalogue import Catalogue
from bot.config.models import UNKNOWN_SERVICE, Config, Role
from bot.config.powers import Bound, Clause, Mandate, Second
from bot.config.remarks import Book, Place, Remark, Saying, hint

HOURS = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)")
TARGET = re.compile(r"\*|[a-z0-9*][a-z0-9_.*-]*:\S+")
ROLES = get_args(Role)
SIGNERS = ("lead", "approver")

NOT_PARTNER = Saying(
    'a mandate is about the partner\'s people, and "{name}" owns the platform', "Name an organisation of `kind: partner`."
)
DATES = Saying("it ends on {ends}, before it starts on {starts}", "Exchange the two days.")
CLAUSE_TWICE = Saying('two clauses are called "{name}"', "Give each its own name: refusals and the journal cite it.")
HOURS_FORM = Saying('"{hours}" is not a stretch of hours', "HH:MM-HH:MM with two different times, as in 00:00-08:00.")
TARGET_FORM = Saying(
    '"{given}" is not a target', "A kind, a colon, a name, as in ecs:payments/*, rds:pay-db or host:hooks.example."
)
BOUND_EMPTY = Saying("this bound allows everything", "Give it `minimum`, `maximum` or `among`.", warning=True)
BOUND_ORDER = Saying("`minimum` {minimum:g} is above `maximum` {maximum:g}", "Exchange them.")
ROLE = Saying('"{name}" is not a role', "{hint}")
NOBODY_SIGNS = Saying("nobody could sign: {whose} has nobody with the role {roles}", "Give somebody the role, or name another.")
STANDING_BY = Saying('nobody is called "{name}"', "{hint}")
STANDING_SIDE = Saying(
    '"{name}" is not of the company that owns the platform', "Whoever gives a signature beforehand must be of `kind: own`."
)
STANDING_OTHER = Saying('"{name}" is not of "{organisation}", whose signature is wanted', "Name one of its people.")
STANDING_ROLE = Saying('"{name}" is neither lead nor approver', "Name somebody who is.")
STANDING_LONG = Saying("it is given until {until}, and the mandate ends on {ends}", "Until the mandate's last day at most.")
STANDING_OVER = Saying("it is given until {until}, and the mandate starts on {starts}", "Give it a day within the mandate.")
NO_RUNBOOK = Saying('no runbook is called "{name}"', "{hint}", warning=True)
NO_PARAMETER = Saying('none of these runbooks has a parameter "{name}", so this bounds nothing', "{hint}", warning=True)


def mandates(book: Book) -> Iterator[Remark]:
    for key, mandate in book.config.mandates.items():
        place = ("mandates", key)
        yield from book.known("organisations", mandate.organisation, *place, "organisation")
        organisation = book.config.organisations.get(mandate.organisation)
        if organisation is not None and organisation.kind == "own":
            yield NOT_PARTNER.at(*place, "organisation", name=mandate.organisation)
        if mandate.ends < mandate.starts:
            yield DATES.at(*place, "ends", starts=mandate.starts, ends=mandate.ends)
        for index, clause in enumerate(mandate.clauses):
            here = (*place, "clauses", index)
            if any(other.name == clause.name for other in mandate.clauses[:index]):
                yield CLAUSE_TWICE.at(*here, "name", name=clause.name)
            yield from _clause(book, clause, here)
            if clause.second is not None:
                yield from _second(book, clause.second, mandate, (*here, "second"))


def _clause(book: Book, clause: Clause, place: Place) -> Iterator[Remark]:
    for index, name in enumerate(clause.services):
        yield from book.known("services", name, *place, "services", index, also=(UNKNOWN_SERVICE,))
    for index, hours in enumerate(clause.hours):
        if not is_hours(hours):
            yield HOURS_FORM.at(*place, "hours", index, hours=hours)
    for index, target in enumerate(clause.targets):
        if not TARGET.fullmatch(target):
            yield TARGET_FORM.at(*place, "targets", index, given=target)
    for name, bound in clause.parameters.items():
        yield from _bound(bound, (*place, "parameters", name))


def is_hours(text: str) -> bool:
    """Whether it is a stretch of a day: 00:00-08:00, over midnight 20:00-06:00, or until it, 20:00-00:00 or 20:00-24:00."""
    return HOURS.fullmatch(text) is not None and text[:5] != text[6:].replace("24:00", "00:00")


def _bound(bound: Bound, place: Place) -> Iterator[Remark]:
    if bound == Bound():
        yield BOUND_EMPTY.at(*place)
    if bound.minimum is not None and bound.maximum is not None and bound.minimum > bound.maximum:
        yield BOUND_ORDER.at(*place, minimum=bound.minimum, maximum=bound.maximum)


def _second(book: Book, second: Second, mandate: Mandate, place: Place) -> Iterator[Remark]:
    unknown = [name for name in second.by if name not in ROLES]
    yield from (ROLE.at(*place, "by", name=name, hint=hint(name, ROLES)) for name in unknown)
    yield from book.known("organisations", second.organisation, *place, "organisation")
    people = book.config.people.values()
    able = [each for each in people if second.organisation in (None, each.organisation) and {*each.roles} & {*second.by}]
    if not able and not unknown and second.organisation in {None, *book.config.organisations}:
        whose = f'"{second.organisation}"' if second.organisation else "vigie.yaml"
        yield NOBODY_SIGNS.at(*place, "by", whose=whose, roles=" or ".join(second.by))
    if second.standing is not None:
        yield from _standing(book, second, mandate, (*place, "standing"))


def _standing(book: Book, second: Second, mandate: Mandate, place: Place) -> Iterator[Remark]:
    """A signature given beforehand is the grantor's, by one who may sign, and no longer than the mandate."""
    standing, person = second.standing, book.config.people.get(second.standing.by) if second.standing else None
    if standing is None:
        return
    if person is None:
        yield STANDING_BY.at(*place, "by", name=standing.by, hint=hint(standing.by, book.config.people))
    else:
        organisation = book.config.organisations.get(person.organisation)
        if organisation is not None and organisation.kind != "own":
            yield STANDING_SIDE.at(*place, "by", name=standing.by)
        elif second.organisation not in (None, person.organisation):
            yield STANDING_OTHER.at(*place, "by", name=standing.by, organisation=second.organisation)
        if not {*person.roles} & {*SIGNERS}:
            yield STANDING_ROLE.at(*place, "by", name=standing.by)
    if standing.until > mandate.ends:
        yield STANDING_LONG.at(*place, "until", until=standing.until, ends=mandate.ends)
    elif standing.until < mandate.starts:
        yield STANDING_OVER.at(*place, "until", until=standing.until, starts=mandate.starts)


def unmatched(config: Config, catalogue: Catalogue) -> Iterator[Remark]:
    """What clauses say of runbooks and parameters that the catalogue does not have."""
    known = {name: entry.runbook.parameters for name, entry in catalogue.entries.items()}
    for key, mandate in config.mandates.items() if known else ():
        for index, clause in enumerate(mandate.clauses):
            place: Place = ("mandates", key, "clauses", index)
            for number, pattern in enumerate(clause.runbooks):
                if not fnmatch.filter(known, pattern):
                    yield NO_RUNBOOK.at(*place, "runbooks", number, name=pattern, hint=hint(pattern, known))
            meant = {name for pattern in clause.runbooks for name in fnmatch.filter(known, pattern)}
            bounded = {parameter for name in meant for parameter in known[name]}
            for name in clause.parameters:
                if meant and name not in bounded:
                    yield NO_PARAMETER.at(*place, "parameters", name, name=name, hint=hint(name, bounded))
