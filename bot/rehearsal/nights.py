"""Which night is rehearsed: the notifications of a past one from our own rows, or an invented one from a file."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pydantic import AwareDatetime, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.config import Config
from bot.config.nights import TimeOfDay
from bot.errors import Refused
from bot.labour.arithmetic.days import DAY, instant
from bot.masking import mask
from bot.store.alerts import signal
from runbooks.model import Length, Part

BEGINS, ENDS, NOON = time(20), time(9), time(12)
WRITTEN = re.compile(r"\d{4}-\d\d-\d\d")

NO_NIGHT = "{given} is neither a night (the day on which it begins: 2026-10-24) nor a file that invents one."
AHEAD = "The night of {day} is not over: rehearse a past one, or write one into a file (docs/rehearsal.md)."
UNREADABLE = "{file} cannot be read as YAML or JSON: {why}"
FAULTS = "{file}: {faults}"
FAULT = "{where}: {what}"
NO_ENDPOINT = "{file}: no endpoint is called {name}; vigie.yaml has {known}"
NO_PERSON = "{file}: nobody is called {name}; vigie.yaml has {known}"

When = TimeOfDay | AwareDatetime


class Assume(Part):
    """What nobody can know of a night that did not happen."""

    steps: Annotated[Literal["work", "fail"], Field(description="How steps of runbooks that change something end")] = "work"
    answer: Annotated[Length | None, Field(description="So long after a call somebody takes the alert; null: nobody does")] = (
        timedelta(minutes=3)
    )
    handoff: Annotated[Length | None, Field(description="So long after duty passed it is accepted; null: nobody does")] = (
        timedelta(minutes=3)
    )


class Said(Part):
    """A notification: as its source writes it, without the envelope of SNS."""

    at: When
    endpoint: Annotated[str, Field(description="A name of `endpoints`")]
    content: Any


class Spoken(Part):
    """What somebody types after /vigie."""

    at: When
    person: Annotated[str, Field(description="A name of `people`")]
    says: Annotated[str, Field(min_length=1, description="note 1 looks like the bank")]


class Invented(Part):
    """A file with a night in it."""

    night: Annotated[date, Field(description="The day on which it begins: 2026-10-24")]
    title: str = ""
    assume: Assume = Assume()
    rungs: Annotated[dict[str, Literal["manual", "click", "automatic"]], Field(description="Runbook: how far it is trusted")] = {}
    signals: tuple[Said, ...] = ()
    people: tuple[Spoken, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery, already believed and masked."""

    at: datetime
    endpoint: str
    content: Any


@dataclass(frozen=True, slots=True)
class Typed:
    """A line of somebody."""

    at: datetime
    person: str
    line: str


@dataclass(frozen=True, slots=True)
class Night:
    """From 20:00 to 09:00 by the clocks of the platform's owner."""

    day: date
    start: datetime
    end: datetime
    sent: tuple[Sent, ...]
    typed: tuple[Typed, ...] = ()
    assume: Assume = field(default_factory=Assume)
    rungs: dict[str, Literal["manual", "click", "automatic"]] = field(default_factory=dict)
    left_out: int = 0               # notifications of endpoints that vigie.yaml no longer has


def zone_of(config: Config) -> ZoneInfo:
    return ZoneInfo(next((each.timezone for each in config.organisations.values() if each.kind == "own"), "Europe/Paris"))


def bounds(config: Config, day: date) -> tuple[datetime, datetime]:
    zone = zone_of(config)
    return instant(day, BEGINS, zone), instant(day + DAY, ENDS, zone)


# --- a past one ---------------------------------------------------------------------------------------------------------------


def day_of(given: str) -> date:
    """The day on which a night begins; raises Refused when it is none."""
    try:
        if WRITTEN.fullmatch(given):
            return date.fromisoformat(given)
    except ValueError:
        pass
    raise Refused(NO_NIGHT.format(given=given))


def past(connection: sa.Connection, config: Config, day: date, now: datetime) -> Night:
    """What came in that night. Raises Refused unless it is over."""
    start, end = bounds(config, day)
    if end > now:
        raise Refused(AHEAD.format(day=day))
    rows = (signal.c.received_at >= start, signal.c.received_at < end, signal.c.body != "")
    found = connection.execute(sa.select(signal).where(*rows).order_by(signal.c.received_at, signal.c.id)).all()
    known = [each for each in found if each.endpoint in config.endpoints]
    sent = tuple(Sent(each.received_at, each.endpoint, _content(each.body)) for each in known)
    return Night(day, start, end, sent, left_out=len(found) - len(known))


def _content(body: str) -> Any:
    """As it was kept: JSON, or the plain words of a source that sends no JSON."""
    try:
        return json.loads(body)
    except ValueError:
        return body


# --- an invented one ----------------------------------------------------------------------------------------------------------


def invented(file: Path, config: Config) -> Night:
    """The night in a file; raises Refused with what is wrong in it."""
    try:
        told = Invented.model_validate(YAML(typ="safe").load(file.read_text("utf-8")))
    except (OSError, UnicodeDecodeError):
        raise Refused(NO_NIGHT.format(given=file)) from None
    except YAMLError as fault:
        raise Refused(UNREADABLE.format(file=file, why=" ".join(str(fault).split())[:200])) from None
    except ValidationError as fault:
        raise Refused(FAULTS.format(file=file, faults="; ".join(_faults(fault)))) from None
    _known(file, config, told)
    start, end = bounds(config, told.night)
    sent = (Sent(_when(config, told.night, each.at), each.endpoint, mask(each.content)) for each in told.signals)
    typed = (Typed(_when(config, told.night, each.at), each.person, each.says) for each in told.people)
    return Night(told.night, start, end, tuple(sorted(sent, key=lambda one: one.at)),
                 tuple(sorted(typed, key=lambda one: one.at)), told.assume, told.rungs)


def _faults(fault: ValidationError) -> Iterator[str]:
    for each in fault.errors(include_url=False, include_input=False):
        yield FAULT.format(where=".".join(map(str, each["loc"])) or "the file", what=each["msg"])


def _known(file: Path, config: Config, told: Invented) -> None:
    for each in told.signals:
        if each.endpoint not in config.endpoints:
            raise Refused(NO_ENDPOINT.format(file=file, name=each.endpoint, known=", ".join(config.endpoints)))
    for one in told.people:
        if one.person not in config.people:
            raise Refused(NO_PERSON.format(file=file, name=one.person, known=", ".join(config.people)))


def _when(config: Config, evening: date, given: str | datetime) -> datetime:
    """A time before noon is one of the morning after; one that clocks show twice is the first of them."""
    if isinstance(given, datetime):
        return given.astimezone(UTC)
    at = time.fromisoformat(given)
    return instant(evening + DAY if at < NOON else evening, at, zone_of(config))
