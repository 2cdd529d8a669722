"""What must be true of the month: names that exist, promises that can be kept, maintenance of both sides, pools that are read."""

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from fnmatch import fnmatchcase

from bot.config.catalogue import Catalogue
from bot.config.coverage_rules import WILD
from bot.config.doors import KNOWN_SOURCES
from bot.config.models import UNKNOWN_SERVICE, Config
from bot.config.months import Pool, Regulator, ServiceLevel
from bot.config.remarks import Book, Place, Remark, Saying, hint
from runbooks.model import When

NONE = timedelta(0)
LEI_REMAINDER = 1               # ISO 17442: its letters as numbers, divided by 97

NO_SERVICE = Saying('no service is called like "{name}"', "{hint}", warning=True)
NO_SOURCE = Saying('no source is called "{name}"', "{hint}")
NOTHING_COUNTS = Saying("no service counts for the platform, so it is always available", "Name services, or * for all.")
SAME_METRIC = Saying("requests and those that failed are the same metric", "First all requests, then those that failed.")
NOT_COLLECTED = Saying(
    "vigie.yaml names no AWS account, so nothing of this is read", "Add the section `aws`, with a `read_role`.", warning=True
)
ALL_DRILLS = Saying("every alert would be a drill", "Give a condition, as in `labels` with `drill`.")
NO_TIME = Saying("a link would never work", "As in 7d.")

NO_LIMIT = Saying("it promises nothing", "Give it `ack_within`, `resolve_within`, or both.")
NO_TIME_AT_ALL = Saying("nobody can keep a promise of no time at all", "As in 15m.")
BACKWARDS = Saying("`resolve_within` is shorter than `ack_within`", "Exchange them, or leave one out.", warning=True)
LEVEL_TWICE = Saying('"{organisation}" promises "{name}" twice', "Give each its own name: the review lists them by it.")

ENDS = Saying("it ends before it starts", "Exchange `start` and `end`.")
ONE_SIDE = Saying(
    "only people of {who} have agreed to it", "Name somebody of each side: what one alone agrees to counts as any other time."
)
AGREED_TWICE = Saying('"{name}" has agreed twice', "Once is enough.", warning=True)

GROUP_TWICE = Saying('the pools "{first}" and "{name}" are the same Auto Scaling group', "One entry a group.")
NO_BALANCER = Saying("CloudWatch knows a target group only together with its load balancer", "Add `load_balancer`.")
ARN = Saying('"{given}" is not how CloudWatch calls it', "The end of its ARN, as in {example}.")
NO_ACCOUNT = Saying('vigie.yaml has no Datadog account of "{name}", so nobody could answer this query', "Add it to `datadog`.")
NO_RUNBOOK = Saying('no runbook is called "{name}"', "{hint}", warning=True)
NO_PARAMETER = Saying(
    'the runbook "{runbook}" has no parameter "{name}", so the review cannot say what to type',
    "Add it, or name another runbook.",
    warning=True,
)
OTHER_GROUP = Saying(
    'the runbook "{runbook}" does not take the group "{group}": {pattern}', "Widen its `pattern`, or name another runbook.",
    warning=True,
)

LEI = Saying('"{given}" is no legal entity identifier: its check digits are wrong', "Copy its 20 signs from the register.")
NOT_OWN = Saying(
    '"{name}" is of "{organisation}", which does not own the platform', "Whoever reports to the authority is of `kind: own`.",
    warning=True,
)
SAME_CONTACT = Saying('"{name}" is both contacts', "Name somebody else, or leave `second_contact` out.", warning=True)


def month(book: Book) -> Iterator[Remark]:
    given = book.config.month
    yield from _when(book, given.drills, ("month", "drills"))
    if given.drills == When():
        yield ALL_DRILLS.at("month", "drills")
    if given.link_lasts <= NONE:
        yield NO_TIME.at("month", "link_lasts")
    if given.regulator is not None:
        yield from _regulator(book, given.regulator)


def availability(book: Book) -> Iterator[Remark]:
    given, place = book.config.month.availability, ("month", "availability")
    if not given.services:
        yield NOTHING_COUNTS.at(*place, "services")
    yield from _patterns(book, given.services, (*place, "services"))
    for name, (total, failed) in given.requests.items():
        yield from book.known("services", name, *place, "requests", name)
        if total == failed:
            yield SAME_METRIC.at(*place, "requests", name)
    if given.requests and book.config.aws is None:
        yield NOT_COLLECTED.at(*place, "requests")


def service_levels(book: Book) -> Iterator[Remark]:
    seen = set[tuple[str, str]]()
    for index, level in enumerate(book.config.month.service_levels):
        place: Place = ("month", "service_levels", index)
        yield from book.known("organisations", level.organisation, *place, "organisation")
        yield from _patterns(book, level.services, (*place, "services"))
        yield from _limits(level, place)
        if (level.organisation, level.name) in seen:
            yield LEVEL_TWICE.at(*place, "name", organisation=level.organisation, name=level.name)
        seen.add((level.organisation, level.name))


def _limits(level: ServiceLevel, place: Place) -> Iterator[Remark]:
    ack, resolve = level.ack_within, level.resolve_within
    if ack is None and resolve is None:
        yield NO_LIMIT.at(*place)
    for key, limit in (("ack_within", ack), ("resolve_within", resolve)):
        if limit is not None and limit <= NONE:
            yield NO_TIME_AT_ALL.at(*place, key)
    if ack is not None and resolve is not None and resolve < ack:
        yield BACKWARDS.at(*place, "resolve_within")


def maintenance(book: Book) -> Iterator[Remark]:
    config = book.config
    for index, each in enumerate(config.month.maintenance):
        place: Place = ("month", "maintenance", index)
        yield from _patterns(book, each.services, (*place, "services"))
        if each.end <= each.start:
            yield ENDS.at(*place, "end")
        for number, name in enumerate(each.agreed_by):
            yield from book.known("people", name, *place, "agreed_by", number)
            if name in each.agreed_by[:number]:
                yield AGREED_TWICE.at(*place, "agreed_by", number, name=name)
        if all(name in config.people for name in each.agreed_by):
            yield from _sides(config, each.agreed_by, place)


def _sides(config: Config, agreed: Iterable[str], place: Place) -> Iterator[Remark]:
    """Of the owner somebody, and of the partners too, where there are any."""
    companies = {config.people[name].organisation for name in agreed}
    kinds = {config.organisations[each].kind for each in companies if each in config.organisations}
    if kinds and kinds != {each.kind for each in config.organisations.values()}:
        yield ONE_SIDE.at(*place, "agreed_by", who=" and ".join(sorted(companies)))


def pools(book: Book) -> Iterator[Remark]:
    found, groups = book.config.month.costs.pools, dict[str, str]()
    for name, pool in found.items():
        place = ("month", "costs", "pools", name)
        yield from book.known("services", pool.service, *place, "service")
        yield from _balancer(pool, place)
        if groups.setdefault(pool.group, name) != name:
            yield GROUP_TWICE.at(*place, "group", first=groups[pool.group], name=name)
        own = next((key for key, each in book.config.organisations.items() if each.kind == "own"), None)
        if pool.busy_threads and own and own not in book.config.datadog:
            yield NO_ACCOUNT.at(*place, "busy_threads", name=own)
    if found and book.config.aws is None:
        yield NOT_COLLECTED.at("month", "costs", "pools")


def _balancer(pool: Pool, place: Place) -> Iterator[Remark]:
    if pool.target_group and not pool.load_balancer:
        yield NO_BALANCER.at(*place, "target_group")
    for key, given, starts, example in (
        ("load_balancer", pool.load_balancer, ("app/", "net/"), "app/pay-api/50dc6c495c0c9188"),
        ("target_group", pool.target_group, ("targetgroup/",), "targetgroup/pay-api/6d0ecf831eec9f09"),
    ):
        if given is not None and not given.startswith(starts):
            yield ARN.at(*place, key, given=given, example=example)


def unmatched(config: Config, catalogue: Catalogue) -> Iterator[Remark]:
    """What pools say of runbooks that the catalogue does not have."""
    known = {name: entry.runbook.parameters for name, entry in catalogue.entries.items()}
    for name, pool in config.month.costs.pools.items() if known else ():
        place = ("month", "costs", "pools", name, "runbook")
        if pool.runbook not in known:
            yield NO_RUNBOOK.at(*place, name=pool.runbook, hint=hint(pool.runbook, known))
            continue
        for wanted in ("group", "desired"):
            if wanted not in known[pool.runbook]:
                yield NO_PARAMETER.at(*place, runbook=pool.runbook, name=wanted)
        group = known[pool.runbook].get("group")
        if group and group.pattern and not re.fullmatch(group.pattern, pool.group):
            yield OTHER_GROUP.at(*place, runbook=pool.runbook, group=pool.group, pattern=group.pattern)


def _regulator(book: Book, given: Regulator) -> Iterator[Remark]:
    config, place = book.config, ("month", "regulator")
    for key, name in (("compliance", given.compliance), ("second_contact", given.second_contact)):
        yield from book.known("people", name, *place, key)
        person = config.people.get(name) if name else None
        organisation = config.organisations.get(person.organisation) if person else None
        if person and organisation and organisation.kind != "own":
            yield NOT_OWN.at(*place, key, name=name, organisation=person.organisation)
    if given.second_contact == given.compliance:
        yield SAME_CONTACT.at(*place, "second_contact", name=given.compliance)
    if given.lei is not None and int("".join(str(int(sign, 36)) for sign in given.lei)) % 97 != LEI_REMAINDER:
        yield LEI.at(*place, "lei", given=given.lei)
    yield from _patterns(book, given.critical, (*place, "critical"))
    yield from _when(book, given.bank_api, (*place, "bank_api"))


def _patterns(book: Book, names: Iterable[str], place: Place) -> Iterator[Remark]:
    services = {*book.config.services, UNKNOWN_SERVICE}
    for index, name in enumerate(names):
        if not WILD & {*name}:
            yield from book.known("services", name, *place, index, also=(UNKNOWN_SERVICE,))
        elif not any(fnmatchcase(each, name) for each in services):
            yield NO_SERVICE.at(*place, index, name=name, hint=hint(name, book.config.services))


def _when(book: Book, when: When, place: Place) -> Iterator[Remark]:
    for index, name in enumerate(when.service):
        yield from book.known("services", name, *place, "service", index, also=(UNKNOWN_SERVICE,))
    for index, name in enumerate(when.source):
        if name not in KNOWN_SOURCES:
            yield NO_SOURCE.at(*place, "source", index, name=name, hint=hint(name, KNOWN_SOURCES))
