"""What must be true of symptoms, of the AWS account and of the Datadog accounts that runbooks reach."""

import re
from collections.abc import Iterator
from ipaddress import ip_network
from itertools import combinations

from bot.config.doors import KNOWN_SOURCES, SECRET_VALUE, is_reference
from bot.config.matching import covers
from bot.config.powers import Aws, Symptom
from bot.config.remarks import Book, Place, Remark, Saying, hint
from runbooks.actions.ssm import FREE_TEXT

REGION = re.compile(r"[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d")
ROLE_ARN = re.compile(r"arn:aws(?:-cn|-us-gov)?:iam::(\d{12}):role/[\w+=,.@/-]{1,576}")
EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}")
DOCUMENT = re.compile(r"[A-Za-z0-9_.-]{3,128}")
SITES = (
    "datadoghq.com", "datadoghq.eu", "us3.datadoghq.com", "us5.datadoghq.com", "ap1.datadoghq.com", "ap2.datadoghq.com",
    "ddog-gov.com",
)

SYMPTOM_TWICE = Saying(
    'the service "{service}" has the symptom "{name}" twice', "Give each its own name, or make one of the two."
)
SYMPTOM_SHADOWED = Saying(
    'the symptom "{name}" can never be seen: "{first}" above it takes all its alerts',
    "Move it above, or make the other narrower.",
)
SYMPTOM_ELSEWHERE = Saying('no alert of "{service}" can be of {others}', "Take `service` out of `when`: the symptom says it.")
SOURCE = Saying('no source is called "{name}"', "{hint}")
REGION_FORM = Saying('"{given}" is not a region', "As in eu-west-3.")
ROLE_FORM = Saying('"{arn}" is not the ARN of a role', "As in arn:aws:iam::{account}:role/vigie-act.")
ROLE_ACCOUNT = Saying("this role is of the account {other}, not {account}", "A role of the account that runbooks act on.")
SAME_ROLE = Saying(
    "one role looks and acts, so looking could change something", "Give each its own: the first only describes.", warning=True
)
EXTERNAL_FORM = Saying("this is not an external id", "2 to 1224 letters, digits and +=,.@:/-, as in vigie-padok-8c1f.")
EXTERNAL_TWICE = Saying('"{first}" and "{name}" have the same external id', "One a company: it tells them apart in AWS.")
EXTERNAL_NONE = Saying(
    '"{name}" has no external id, so its people act without one', "Give it one, and demand it in the role's trust policy.",
    warning=True,
)
FREE = Saying(
    "{name} runs whatever text it is given", "Write a document of your own that does one thing, and put that on the list."
)
DOCUMENT_FORM = Saying('"{name}" is not the name of an SSM document', "As in AWS-RestartEC2Instance; no *, no ARN.")
NETWORK = Saying('"{given}" is not a network: {problem}', "As in 203.0.113.0/24 or 2001:db8::/32.")
SITE = Saying('"{site}" is not a site of Datadog', "{hint}")
SAME_KEY = Saying(
    'the accounts of "{first}" and "{name}" share {reference}, so they are one account',
    "Give each company's own: two observers that are one prove nothing.",
)
ONE_KEY = Saying("the API key and the application key are one and the same", "They are two keys: name both.")


def symptoms(book: Book) -> Iterator[Remark]:
    every = book.config.symptoms
    for index, each in enumerate(every):
        place: Place = ("symptoms", index)
        yield from book.known("services", each.service, *place, "service")
        for number, name in enumerate(each.when.source):
            if name not in KNOWN_SOURCES:
                yield SOURCE.at(*place, "when", "source", number, name=name, hint=hint(name, KNOWN_SOURCES))
        if each.when.service and each.service not in each.when.service:
            yield SYMPTOM_ELSEWHERE.at(*place, "when", "service", service=each.service, others=", ".join(each.when.service))
        yield from _alike(each, [other for other in every[:index] if other.service == each.service], place)


def _alike(symptom: Symptom, above: list[Symptom], place: Place) -> Iterator[Remark]:
    shadow = next((other for other in above if covers(other.when, symptom.when)), None)
    if any(other.name == symptom.name for other in above):
        yield SYMPTOM_TWICE.at(*place, "name", service=symptom.service, name=symptom.name)
    elif shadow is not None:
        yield SYMPTOM_SHADOWED.at(*place, name=symptom.name, first=shadow.name)


def aws(book: Book) -> Iterator[Remark]:
    given = book.config.aws
    if given is None:
        return
    if not REGION.fullmatch(given.region):
        yield REGION_FORM.at("aws", "region", given=given.region)
    yield from _roles(given)
    yield from _external_ids(book, given)
    for index, name in enumerate(given.documents):
        if name.rpartition("/")[2] in FREE_TEXT:
            yield FREE.at("aws", "documents", index, name=name)
        elif not DOCUMENT.fullmatch(name):
            yield DOCUMENT_FORM.at("aws", "documents", index, name=name)
    for index, text in enumerate(given.never_block):
        problem = _problem(text)
        if problem:
            yield NETWORK.at("aws", "never_block", index, given=text, problem=problem)


def _roles(given: Aws) -> Iterator[Remark]:
    for key, arn in (("read_role", given.read_role), ("act_role", given.act_role)):
        found = ROLE_ARN.fullmatch(arn) if arn is not None else None
        if arn is not None and found is None:
            yield ROLE_FORM.at("aws", key, arn=arn, account=given.account)
        elif found is not None and found[1] != given.account:
            yield ROLE_ACCOUNT.at("aws", key, other=found[1], account=given.account)
    if given.act_role is not None and given.act_role == given.read_role:
        yield SAME_ROLE.at("aws", "act_role")


def _external_ids(book: Book, given: Aws) -> Iterator[Remark]:
    owners: dict[str, str] = {}
    for name, external_id in given.external_ids.items():
        place = ("aws", "external_ids", name)
        yield from book.known("organisations", name, *place)
        if not EXTERNAL_ID.fullmatch(external_id):
            yield EXTERNAL_FORM.at(*place)
        elif owners.setdefault(external_id, name) != name:
            yield EXTERNAL_TWICE.at(*place, first=owners[external_id], name=name)
    for name in book.config.organisations if given.act_role else ():
        if name not in given.external_ids:
            yield EXTERNAL_NONE.at("aws", "external_ids", name=name)


def _problem(text: str) -> str | None:
    try:
        ip_network(text)
    except ValueError as error:
        return str(error).replace(f"{text!r} ", "").replace(f"{text} ", "")
    return None


def datadog(book: Book) -> Iterator[Remark]:
    accounts = book.config.datadog
    for name, account in accounts.items():
        place = ("datadog", name)
        yield from book.known("organisations", name, *place)
        if account.site not in SITES:
            yield SITE.at(*place, "site", site=account.site, hint=hint(account.site, SITES))
        for key in ("api_key", "app_key"):
            if not is_reference(getattr(account, key)):
                yield SECRET_VALUE.at(*place, key)
        if account.api_key == account.app_key:
            yield ONE_KEY.at(*place, "app_key")
    for (first, one), (name, other) in combinations(accounts.items(), 2):
        for reference in {one.api_key, one.app_key} & {other.api_key, other.app_key}:
            if is_reference(reference):
                yield SAME_KEY.at("datadog", name, first=first, name=name, reference=reference)
