"""Any sender that can post JSON: a documented schema, faults named field by field."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from bot.config import Severity
from bot.decoding import decode, instant, mapping, pairs, text, web_link
from bot.signals import MAX_LABEL, MAX_NAME, MAX_SUMMARY, MAX_TITLE, clip, happened, service_in, severity_of
from bot.sources import (
    FIRING,
    NO_DATA,
    RECOVERED,
    Delivery,
    Document,
    Signal,
    Source,
    Trust,
    Unreadable,
    check_secret,
    check_size,
    observer_of,
)

HEADER = "x-vigie-secret"

FAULTS = "The alert cannot be read. {faults}"
FAULT = "{field}: {why}."
NOT_AN_OBJECT = "One alert was expected: a JSON object with at least `key`, `state` and `title`."
BAD_STATE = "'{said}' is not a state; firing, recovered or no data was expected"
BAD_TIME = "a time was expected, as in 2026-11-22T01:14:05Z or 1795310045"
BAD_SEVERITY = "'{said}' is not a severity; critical, high, warning or info was expected"

_STATES = {
    FIRING: FIRING, "alert": FIRING, "alerting": FIRING, "alarm": FIRING, "triggered": FIRING, "open": FIRING,
    RECOVERED: RECOVERED, "resolved": RECOVERED, "ok": RECOVERED, "closed": RECOVERED, "normal": RECOVERED,
    NO_DATA: NO_DATA, "no_data": NO_DATA, "nodata": NO_DATA, "no-data": NO_DATA, "unknown": NO_DATA,
}


def _state(said: Any) -> str:
    if (state := _STATES.get(text(said).lower())) is None:
        raise ValueError(BAD_STATE.format(said=clip(text(said), 40)))
    return state


def _severity(said: Any) -> str:
    if (severity := severity_of(text(said))) is None:
        raise ValueError(BAD_SEVERITY.format(said=clip(text(said), 40)))
    return severity


def _time(said: Any) -> Any:
    """As any other source may write it; what is none of that is left to be judged."""
    return instant(said) or said


def _utc(at: datetime) -> datetime | None:
    """In UTC; none for a time that no alert can have, as Go writes one that is not set."""
    if not 2000 <= at.year < 9999:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


class GenericAlert(BaseModel):
    """One alert as any sender may post it; unknown fields are ignored."""

    model_config = ConfigDict(str_strip_whitespace=True, coerce_numbers_to_str=True, title="Vigie alert")

    key: Annotated[str, Field(min_length=1, max_length=1000)] = Field(
        description="Names the problem: the same for its alarm and its recovery.")
    state: Annotated[str, BeforeValidator(_state)] = Field(
        description="firing, recovered or no data.", json_schema_extra={"enum": [FIRING, RECOVERED, NO_DATA]})
    title: Annotated[str, Field(min_length=1)] = Field(description="One sentence: what is wrong.")
    severity: Annotated[Severity, BeforeValidator(_severity)] = Field(
        "warning", description="How bad it is.")
    service: str | None = Field(None, description="The service of vigie.yaml; else it is read off the name.")
    name: str | None = Field(None, description="The name of the check; else the key.")
    at: Annotated[datetime, BeforeValidator(_time), AfterValidator(_utc)] | None = Field(
        None, description="When it happened, ISO 8601; without a zone it is UTC; else the time of arrival.")
    summary: str = Field("", description="What a person should know, some lines at most.")
    labels: Annotated[dict[str, str], BeforeValidator(pairs)] = Field(
        default_factory=dict, description="Flat facts that rules may match.")
    link: str | None = Field(None, description="Where to look; http or https.")
    observer: str | None = Field(None, description="Who saw it; else the endpoint's observer.")
    id: str | None = Field(
        None, description="The sender's id of this delivery: the same one is taken only once.",
        validation_alias=AliasChoices("id", "delivery_id"))


async def authenticate(delivery: Delivery, trust: Trust) -> Document:
    check_size(delivery)
    check_secret(delivery, trust, delivery.headers.get(HEADER, ""), HEADER)
    found = decode(delivery.body, delivery.headers)
    content = mapping(found.content)
    return replace(found, delivery_id=text(content.get("id")) or text(content.get("delivery_id")) or None)


def read(content: Any, delivery: Delivery) -> Sequence[Signal]:
    if not isinstance(content, dict):
        raise Unreadable(NOT_AN_OBJECT)
    try:
        return [_signal(GenericAlert.model_validate(_filled(content)), delivery)]
    except ValidationError as fault:
        raise Unreadable(FAULTS.format(faults=" ".join(_told(fault)))) from None


def _filled(content: dict[str, Any]) -> dict[str, Any]:
    """Without fields that a template left empty: they are as good as absent."""
    return {name: value for name, value in content.items() if value is not None and value != ""}


def _told(fault: ValidationError) -> list[str]:
    """Each fault by its field; never the value, which may be anything."""
    return [
        FAULT.format(field=".".join(map(str, each["loc"])), why=_why(each))
        for each in fault.errors(include_url=False, include_input=False)
    ]


def _why(each: ErrorDetails) -> str:
    return BAD_TIME if each["type"].startswith("datetime") else each["msg"].removeprefix("Value error, ")


def _signal(alert: GenericAlert, delivery: Delivery) -> Signal:
    labels = {name: clip(value, MAX_LABEL) for name, value in alert.labels.items() if value}
    return Signal(
        key=alert.key,
        state=alert.state,
        severity=alert.severity,
        name=alert.name or alert.key,
        title=clip(alert.title, MAX_TITLE),
        observer=clip(alert.observer or observer_of(delivery, delivery.endpoint_name), MAX_NAME),
        at=happened(alert.at, delivery.received_at),
        summary=clip(alert.summary, MAX_SUMMARY),
        service=alert.service or service_in(labels),
        labels=labels,
        link=web_link(alert.link),
    )


generic = Source(
    name="generic",
    help="anything that can post JSON with `key`, `state` and `title`; header X-Vigie-Secret",
    authenticate=authenticate,
    read=read,
    example={
        "key": "bank-sync/last-file",
        "state": "firing",
        "severity": "high",
        "title": "No file from the bank for 40 min",
        "service": "bank-sync",
        "at": "2026-11-22T01:14:05Z",
        "summary": "The last one came at 00:34 UTC; one is due every 15 min.",
        "labels": {"bank": "example", "env": "prod"},
        "link": "https://bank-sync.bridge.example/files",
        "observer": "File watch",
        "id": "bank-sync-2026-11-22-0114",
    },
)
