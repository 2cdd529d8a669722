"""Can people be called beside Slack: is there something behind each of their `contacts`, for Slack alone wakes nobody."""

from collections.abc import Iterator, Mapping

from bot.config import Config
from bot.errors import Misbuilt, Unavailable
from bot.services.check.findings import Finding
from bot.settings import Secrets

FINE = "{who} can be called by Slack and {count} other way{s}"
EMPTY = "{who}: {why}; {left}"
ONLY_SLACK = "only Slack can call them"
FEWER = "{count} other way{s} beside Slack is left"
SET = "Put their address into it, for instance {reference}=ntfys://ntfy.sh/a-topic-of-theirs; see docs/calling.md."


def look(config: Config, secrets: Secrets) -> Iterator[Finding]:
    """One line a person who has contacts; a variable that holds nothing is named."""
    for person in config.people.values():
        missing = {reference: why for reference in person.contacts if (why := _missing(secrets, reference))}
        count = len(person.contacts) - len(missing)
        yield from _empty(person.name, missing, count)
        if person.contacts and not missing:
            yield Finding("contact", "ok", FINE.format(who=person.name, count=count, s=_s(count)))


def _empty(who: str, missing: Mapping[str, str], count: int) -> Iterator[Finding]:
    left = FEWER.format(count=count, s=_s(count)) if count else ONLY_SLACK
    for reference, why in missing.items():
        yield Finding("contact", "warning", EMPTY.format(who=who, why=why, left=left), SET.format(reference=reference))


def _missing(secrets: Secrets, reference: str) -> str | None:
    try:
        secrets.get(reference)
    except (Misbuilt, Unavailable) as error:
        return str(error).partition(". ")[0].rstrip(".")
    return None


def _s(count: int) -> str:
    return "" if count == 1 else "s"
