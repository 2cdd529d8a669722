"""What must be true of vigie.yaml beyond its shape: names that exist, forms that Slack takes, rules that can match."""

import re
from collections.abc import Callable, Iterator

from bot.config import coverage_rules, doors, labour_rules, mandate_rules, month_rules, power_rules, team_rules
from bot.config.doors import KNOWN_SOURCES
from bot.config.duties import known_zone
from bot.config.mandate_rules import is_hours
from bot.config.matching import covers
from bot.config.models import UNKNOWN_SERVICE, Person
from bot.config.remarks import Book, Place, Remark, Saying, hint
from runbooks.model import When

TEAM_ID = re.compile(r"[TE][A-Z0-9]{5,20}")
USER_ID = re.compile(r"[UW][A-Z0-9]{5,20}")
CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{5,20}")
SIMPLE_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
COMMAND = re.compile(r"/[a-z0-9_-]{1,31}")
PUBLIC_URL = re.compile(r"https://[A-Za-z0-9.-]+(?::\d+)?(?:/[\w./-]*)?|http://(?:127\.0\.0\.1|localhost)(?::\d+)?/?")

NO_OWN = Saying("no organisation is of kind own", "Mark the company that owns the platform with `kind: own`.")
BLACKOUT = Saying('"{hours}" is not a stretch of hours', "HH:MM-HH:MM with two different times, as in 00:00-08:00.")
NO_LEAD = Saying(
    'nobody of the organisation "{name}" has the role lead',
    "Give one of its people `roles: [engineer, lead]`.",
    warning=True,
)
WORKSPACE = Saying(
    '"{given}" is not the id of a Slack workspace',
    "T and capitals, as in T0BRIDGE01 (in the address of Slack in a browser).",
)
USER = Saying(
    '"{given}" is not a Slack member id', "U or W and capitals, as in U0ALICE001: profile, three dots, Copy member ID."
)
TEAM = Saying(
    '"{given}" is not the id of a Slack workspace',
    "T and capitals, as in T0PADOK001; leave `team` out for guests of ours.",
)
SAME_PERSON = Saying('"{first}" and "{name}" are the same Slack user {slack}', "One entry a person.")
TWO_EMPLOYERS = Saying(
    '{slack} is in two organisations, as "{first}" and as "{name}"',
    "People belong to exactly one: keep the employer's.",
)
SAME_NAME = Saying(
    '"{first}" and "{name}" are both called {called}', "Add an initial, so that a card says who is meant.", warning=True
)
CHANNEL = Saying(
    '"{given}" is not the id of a Slack channel',
    "C or G and capitals, as in C0ALERTS01: channel details, at the very bottom.",
)
CHANNEL_NAME = Saying(
    '"{name}" cannot be the name of a channel', "Small letters, digits, hyphens, without #, as in payments."
)
CHANNEL_TWICE = Saying('channels "{first}" and "{name}" have the same id', "One name a channel.", warning=True)
CHANNEL_UNUSED = Saying(
    'nothing is ever posted in channel "{name}"', "Name it in a service or a rule, or take it away.", warning=True
)
NO_REVIEW = Saying(
    "no `review_channel`: the journal's seals are posted nowhere, so a rewritten journal could not be told",
    "Name a channel that people of every organisation read.",
    warning=True,
)
COMMAND_FORM = Saying(
    '"{given}" cannot be a slash command', "A slash, then small letters, at most 32 signs, as in /vigie."
)
PUBLIC = Saying(
    '"{given}" is not an address that Slack and the sources may call',
    "https://, a host, no query, as in https://vigie.example.com.",
)
SERVICE_NAME = Saying(
    '"{name}" cannot be the name of a service',
    'Small letters, digits, hyphens, as alarms and monitors write it: pay-api. "unknown" is taken.',
)
RULE_TWICE = Saying('two rules are called "{name}"', "Give each its own name: the card says which one decided.")
RULE_IDLE = Saying('the rule "{name}" decides nothing', "Give it `important`, `severity` or `channel`.", warning=True)
RULE_SHADOWED = Saying(
    'the rule "{name}" can never match: "{first}" above it takes all that it is about',
    "Move it above, or make the other narrower.",
)
RULE_SOURCE = Saying('no source is called "{name}"', "{hint}")


def organisations(book: Book) -> Iterator[Remark]:
    every = book.config.organisations
    if not any(each.kind == "own" for each in every.values()):
        yield NO_OWN.at("organisations")
    for key, each in every.items():
        place = ("organisations", key)
        yield from known_zone(each.timezone, *place, "timezone")
        if each.blackout is not None and not is_hours(each.blackout):
            yield BLACKOUT.at(*place, "blackout", hours=each.blackout)
        if not any(person.organisation == key and "lead" in person.roles for person in book.config.people.values()):
            yield NO_LEAD.at(*place, name=key)


def people(book: Book) -> Iterator[Remark]:
    seen: dict[tuple[str, str], tuple[str, Person]] = {}
    called: dict[str, str] = {}
    for key, person in book.config.people.items():
        place = ("people", key)
        yield from book.known("organisations", person.organisation, *place, "organisation")
        if not USER_ID.fullmatch(person.slack):
            yield USER.at(*place, "slack", given=person.slack)
        if person.team is not None and not TEAM_ID.fullmatch(person.team):
            yield TEAM.at(*place, "team", given=person.team)
        first, other = seen.setdefault((person.team or book.config.workspace, person.slack), (key, person))
        if other is not person:
            words = SAME_PERSON if other.organisation == person.organisation else TWO_EMPLOYERS
            yield words.at(*place, "slack", first=first, name=key, slack=person.slack)
        elif called.setdefault(person.name.casefold(), key) != key:
            yield SAME_NAME.at(*place, "name", first=called[person.name.casefold()], name=key, called=person.name)


def channels(book: Book) -> Iterator[Remark]:
    config = book.config
    by_id: dict[str, str] = {}
    used = {config.default_channel, config.review_channel}
    used |= {each.channel for named in (config.services, config.teams) for each in named.values()}
    used |= {each.channel for each in config.rules}
    for name, given in config.channels.items():
        if not SIMPLE_NAME.fullmatch(name):
            yield CHANNEL_NAME.at("channels", name, name=name)
        if not CHANNEL_ID.fullmatch(given):
            yield CHANNEL.at("channels", name, given=given)
        if by_id.setdefault(given, name) != name:
            yield CHANNEL_TWICE.at("channels", name, first=by_id[given], name=name)
        if name not in used:
            yield CHANNEL_UNUSED.at("channels", name, name=name)


def services(book: Book) -> Iterator[Remark]:
    for name, service in book.config.services.items():
        if not SIMPLE_NAME.fullmatch(name) or name == UNKNOWN_SERVICE:
            yield SERVICE_NAME.at("services", name, name=name)
        yield from book.known("channels", service.channel, "services", name, "channel")


def general(book: Book) -> Iterator[Remark]:
    config = book.config
    if not TEAM_ID.fullmatch(config.workspace):
        yield WORKSPACE.at("workspace", given=config.workspace)
    if not COMMAND.fullmatch(config.command):
        yield COMMAND_FORM.at("command", given=config.command)
    if config.public_url is not None and not PUBLIC_URL.fullmatch(config.public_url):
        yield PUBLIC.at("public_url", given=config.public_url)
    yield from book.known("channels", config.default_channel, "default_channel")
    yield from book.known("channels", config.review_channel, "review_channel")
    if config.review_channel is None:
        yield NO_REVIEW.at()


def routing(book: Book) -> Iterator[Remark]:
    rules = book.config.rules
    for index, rule in enumerate(rules):
        place: Place = ("rules", index)
        yield from _names_of(book, rule.when, place)
        yield from book.known("channels", rule.channel, *place, "channel")
        earlier = rules[:index]
        if any(other.name == rule.name for other in earlier):
            yield RULE_TWICE.at(*place, "name", name=rule.name)
        if rule.important is None and rule.severity is None and rule.channel is None:
            yield RULE_IDLE.at(*place, name=rule.name)
        shadow = next((other for other in earlier if covers(other.when, rule.when)), None)
        if shadow is not None:
            yield RULE_SHADOWED.at(*place, name=rule.name, first=shadow.name)


def _names_of(book: Book, when: When, place: Place) -> Iterator[Remark]:
    for index, name in enumerate(when.service):
        yield from book.known("services", name, *place, "when", "service", index, also=(UNKNOWN_SERVICE,))
    for index, name in enumerate(when.source):
        if name not in KNOWN_SOURCES:
            yield RULE_SOURCE.at(*place, "when", "source", index, name=name, hint=hint(name, KNOWN_SOURCES))


RULES: tuple[Callable[[Book], Iterator[Remark]], ...] = (
    general,
    organisations,
    people,
    channels,
    services,
    doors.endpoints,
    doors.shared,
    routing,
    power_rules.symptoms,
    power_rules.aws,
    power_rules.datadog,
    mandate_rules.mandates,
    team_rules.teams,
    team_rules.people,
    team_rules.rotations,
    coverage_rules.coverages,
    coverage_rules.covered,
    labour_rules.labour,
    labour_rules.glass,
    month_rules.month,
    month_rules.availability,
    month_rules.service_levels,
    month_rules.maintenance,
    month_rules.pools,
)
