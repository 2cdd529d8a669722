"""What must be true of the endpoints: each has one source, one organisation and one credential that can be checked."""

import pkgutil
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from bot.config.models import Config, Endpoint
from bot.config.remarks import Book, Place, Remark, Saying, hint

# One file, one source: the names are read off the folder, since the sources themselves stand above us.
KNOWN_SOURCES = tuple(sorted(each.name for each in pkgutil.iter_modules([str(Path(__file__).parents[1] / "sources")])))
FROM_AWS = ("cloudwatch", "eventbridge")
MOST_SECRETS = 2

ENDPOINT_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{1,63}")
SECRET_ARN = re.compile(
    r"arn:aws[a-z-]*:(?:secretsmanager:[a-z0-9-]+:\d{12}:secret:|ssm:[a-z0-9-]+:\d{12}:parameter/)[\w+=,.@/:-]+"
)
TOPIC_ARN = re.compile(r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):\d{12}:[\w-]{1,256}")
QUEUE_URL = re.compile(
    r"https://sqs\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/\d{12}/[\w-]{1,80}(?:\.fifo)?|http://(?:127\.0\.0\.1|localhost)[:/]\S+"
)

NAME = Saying(
    'the endpoint\'s name "{name}" cannot stand in a URL',
    "Small letters, digits and hyphens, at most 64, as in bridge-datadog.",
)
SOURCE = Saying('no source is called "{name}"', "{hint}")
NO_CREDENTIAL = Saying(
    "anybody could send to this endpoint: it has no credential",
    "Give it `secrets` with the environment variable that holds its secret.",
)
NO_TOPIC = Saying(
    "anybody could send to this endpoint: it has no topic",
    "Give it `topics` with the ARN of the SNS topic, or `queue_url`: CloudWatch is believed by its topic.",
)
USELESS_SECRET = Saying(
    "a secret does not guard a cloudwatch endpoint: SNS signs its messages",
    "Take `secrets` away; `topics` say whom to believe.",
)
FOREIGN_TOPICS = Saying(
    "`topics` mean nothing to the source {source}", "Take them away, or make it `source: cloudwatch`."
)
FOREIGN_QUEUE = Saying(
    "`queue_url` means nothing to the source {source}",
    "Queues carry cloudwatch and eventbridge; the others come by HTTPS.",
)
MANY_SECRETS = Saying("{count} secrets at one endpoint", "At most two: the one in use and the one that replaces it.")
SECRET_VALUE = Saying(
    "this is not a reference to a secret; it may be the secret itself (not shown)",
    "Put the value into an environment variable and write that variable's name here (capitals, as in "
    "VIGIE_SECRET_PADOK_DATADOG), or an ARN of Secrets Manager or Parameter Store. If it was a real secret, change it "
    "where it is used.",
)
SAME_SECRET = Saying(
    'endpoints "{first}" and "{name}" share the secret {secret}',
    "Give each its own: a leak then opens one door and can be changed alone.",
    warning=True,
)
FIFO = Saying(
    '"{arn}" is a FIFO topic, and SNS does not sign its messages',
    "Use a standard topic, or read the FIFO topic through `queue_url`.",
)
TOPIC = Saying(
    '"{arn}" is not the ARN of an SNS topic',
    "As in arn:aws:sns:eu-west-3:111122223333:bridge-alarms (twelve digits of account).",
)
PARTITION = Saying(
    "the region {region} is not of the partition {partition}",
    "China's regions are of aws-cn, GovCloud's of aws-us-gov, all others of aws.",
)
OLD_SIGNATURE = Saying(
    "signature version 1 (SHA-1) is accepted from this topic",
    'Set the topic\'s attribute SignatureVersion to 2, then write `signature_versions: ["2"]`.',
    warning=True,
)
SAME_TOPIC = Saying(
    'endpoints "{first}" and "{name}" both believe the topic {topic}',
    "One endpoint a topic: it decides whose observer speaks.",
    warning=True,
)
QUEUE = Saying(
    '"{url}" is not the URL of an SQS queue', "As in https://sqs.eu-west-3.amazonaws.com/111122223333/bridge-alarms."
)
SAME_QUEUE = Saying(
    'endpoints "{first}" and "{name}" read the same queue, so each would get half of it', "One queue an endpoint."
)


def endpoints(book: Book) -> Iterator[Remark]:
    """Each endpoint by itself."""
    for name, endpoint in book.config.endpoints.items():
        place = ("endpoints", name)
        if not ENDPOINT_NAME.fullmatch(name):
            yield NAME.at(*place, name=name)
        if endpoint.source not in KNOWN_SOURCES:
            yield SOURCE.at(*place, "source", name=endpoint.source, hint=hint(endpoint.source, KNOWN_SOURCES))
        yield from book.known("organisations", endpoint.organisation, *place, "organisation")
        yield from _credential(endpoint, place)
        yield from _secrets(endpoint, place)
        yield from _topics(endpoint, place)
        if endpoint.queue_url is not None and not QUEUE_URL.fullmatch(endpoint.queue_url):
            yield QUEUE.at(*place, "queue_url", url=endpoint.queue_url)


def _credential(endpoint: Endpoint, place: Place) -> Iterator[Remark]:
    source = endpoint.source
    if source == "cloudwatch":
        if not endpoint.topics and not endpoint.queue_url:
            yield NO_TOPIC.at(*place)
        if endpoint.secrets:
            yield USELESS_SECRET.at(*place, "secrets")
        return
    if endpoint.topics:
        yield FOREIGN_TOPICS.at(*place, "topics", source=source)
    if endpoint.queue_url and source not in FROM_AWS:
        yield FOREIGN_QUEUE.at(*place, "queue_url", source=source)
    if not endpoint.secrets and not endpoint.queue_url:
        yield NO_CREDENTIAL.at(*place)


def _secrets(endpoint: Endpoint, place: Place) -> Iterator[Remark]:
    if len(endpoint.secrets) > MOST_SECRETS:
        yield MANY_SECRETS.at(*place, "secrets", count=len(endpoint.secrets))
    for index, reference in enumerate(endpoint.secrets):
        if not is_reference(reference):
            yield SECRET_VALUE.at(*place, "secrets", index)


def is_reference(text: str) -> bool:
    """Whether `text` names where a secret is kept; a long run of capitals and digits is a key, not a name."""
    if SECRET_ARN.fullmatch(text):
        return True
    key_like = len(text) >= 16 and "_" not in text and any(sign.isdigit() for sign in text)
    return VARIABLE.fullmatch(text) is not None and not key_like


def secrets_of(config: Config) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Whose secrets are kept where: those of each endpoint, and both keys of each Datadog account."""
    for name, endpoint in config.endpoints.items():
        yield name, endpoint.secrets
    for name, account in config.datadog.items():
        yield f"{name}-datadog-api", (account.api_key,)
        yield f"{name}-datadog-app", (account.app_key,)


def _topics(endpoint: Endpoint, place: Place) -> Iterator[Remark]:
    for index, topic in enumerate(endpoint.topics):
        here = (*place, "topics", index)
        found = TOPIC_ARN.fullmatch(topic.arn)
        if topic.arn.endswith(".fifo"):
            yield FIFO.at(*here, "arn", arn=topic.arn)
        elif found is None:
            yield TOPIC.at(*here, "arn", arn=topic.arn)
        elif found[1] != _partition(found[2]):
            yield PARTITION.at(*here, "arn", region=found[2], partition=found[1])
        if "1" in topic.signature_versions:
            yield OLD_SIGNATURE.at(*here, "signature_versions")


def _partition(region: str) -> str:
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get("us-gov" if region.startswith("us-gov-") else region[:2], "aws")


def shared(book: Book) -> Iterator[Remark]:
    """What two endpoints must not have in common."""
    for (first, one), (name, other) in combinations(book.config.endpoints.items(), 2):
        place = ("endpoints", name)
        if one.queue_url and one.queue_url == other.queue_url:
            yield SAME_QUEUE.at(*place, "queue_url", first=first, name=name)
        for secret in filter(is_reference, one.secrets):
            if secret in other.secrets:
                yield SAME_SECRET.at(*place, "secrets", first=first, name=name, secret=secret)
        for topic in {topic.arn for topic in one.topics} & {topic.arn for topic in other.topics}:
            yield SAME_TOPIC.at(*place, "topics", first=first, name=name, topic=topic)
