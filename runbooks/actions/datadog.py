"""Datadog: see a monitor, a metric, the logs; mute; post an event. Each organisation has an account of its own."""

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from runbooks.actions import Look, Outcome, Service, State, World
from runbooks.aids import datadog_api
from runbooks.aids.observing import InDatadog, MonitorState, OfAccount, QueryMetric, SearchLogs
from runbooks.model import Length, written

MUTES_ALL = "that would mute everything: name a `monitor`, or a `scope` such as service:pay-api"
TOO_LONG = "a downtime lasts from one minute to twelve hours"

MUTE = "would mute {what} in Datadog of {organisation} for {duration}"
ONE_MONITOR = "the monitor {name} ({monitor}) for {scope}"
ALL_MONITORS = "every monitor for {scope}"
MUTED = "{what} is muted until {end:%H:%M} UTC"
MUTE_SEEN = "the downtime {downtime} is {status}"
NO_MUTE = "no active downtime speaks of {label}"
MUTE_GONE = "Datadog does not know the downtime {downtime} any more"
CANCELLED = "the downtime {downtime} is cancelled"
NOTHING_TO_CANCEL = "there is no downtime of this step to cancel"

POST = "would post the event “{title}” in Datadog of {organisation}"
POSTED = "the event {event} is posted"
NO_EVENT = "no event of {label} is found"
CANNOT_UNSAY = "an event of the stream cannot be taken back"

LONGEST, SHORTEST = timedelta(hours=12), timedelta(minutes=1)
TAG = "vigie_step"
BEFORE_IT = timedelta(minutes=1)       # Datadog's clock is not ours

Scope = Annotated[str, Field(
    pattern=r"^(\*|[\w.-]+:[\w./*-]*\w[\w./*-]*((,\s*|\s+AND\s+)[\w.-]+:[\w./*-]*\w[\w./*-]*)*)$",
    description="What it is about: service:pay-api, or several joined by AND; * is all of the monitor",
)]


# --- downtimes -------------------------------------------------------------------------------------------------------


class Quiet(OfAccount):
    """What is muted, and how long."""

    monitor: int | None = Field(None, ge=1, description="The monitor's number; without it, every monitor of the scope")
    scope: Scope = "*"
    duration: Length = Field(timedelta(hours=1), description="How long: 30m, 2h; at most 12h, then it speaks again by itself")
    reason: str = Field(min_length=1, max_length=500, description="Why, for those who find it muted")

    @model_validator(mode="after")
    def _bounded(self) -> "Quiet":
        if self.monitor is None and self.scope == "*":
            raise ValueError(MUTES_ALL)
        if not SHORTEST <= self.duration <= LONGEST:
            raise ValueError(TOO_LONG)
        return self


class Mute(InDatadog[Quiet]):
    """Mute a monitor, or a scope, for a while"""

    name = "datadog.mute"
    params = Quiet
    example: ClassVar[State] = {
        "organisation": "bridge", "monitor": 42000001, "scope": "service:pay-api", "duration": "30m", "reason": "fail-over"}
    changes = "Datadog tells nobody of these monitors until the end of the downtime"
    idempotent = False          # a second downtime would outlive the undo of the first
    verified = "the downtime is active"
    poll_s = 5.0

    def what(self, params: Quiet) -> str:
        return f"monitor:{params.monitor}" if params.monitor is not None else f"scope:{params.scope}"

    def before(self, world: World, params: Quiet) -> State:
        if params.monitor is None:
            return {}
        return {"name": datadog_api.monitor(world.datadog(params.organisation), params.monitor).name}

    def plan(self, params: Quiet, before: State) -> str:
        return MUTE.format(what=_muted(params, before), organisation=params.organisation, duration=written(params.duration))

    def act(self, world: World, params: Quiet, before: State) -> Outcome:
        end = world.now + params.duration
        message = f"{params.reason} {_mark(world)}"
        downtime = datadog_api.mute(world.datadog(params.organisation), params.monitor, params.scope, end, message)
        said = MUTED.format(what=_muted(params, before), end=end)
        return Outcome(said, {"downtime": downtime, "end": end.isoformat()})

    def look(self, world: World, params: Quiet, before: State, outputs: State) -> Look:
        client = world.datadog(params.organisation)
        downtime = outputs.get("downtime") or datadog_api.downtime_named(client, _mark(world))
        if downtime is None:
            return Look("not seen", NO_MUTE.format(label=world.label))
        status = datadog_api.downtime(client, downtime)
        if status is None:
            return Look("failed", MUTE_GONE.format(downtime=downtime))
        said = MUTE_SEEN.format(downtime=downtime, status=status)
        if status in ("active", "ended"):
            return Look("done", said, {"downtime": downtime})
        return Look("failed" if status == "canceled" else "under way", said, {"downtime": downtime})

    def undo(self, world: World, params: Quiet, before: State, outputs: State) -> Outcome:
        client = world.datadog(params.organisation)
        downtime = outputs.get("downtime") or datadog_api.downtime_named(client, _mark(world))
        if downtime is None:
            return Outcome(NOTHING_TO_CANCEL)
        datadog_api.cancel_downtime(client, downtime)
        return Outcome(CANCELLED.format(downtime=downtime), {"downtime": downtime})

    def undone(self, world: World, params: Quiet, before: State, outputs: State) -> Look:
        client = world.datadog(params.organisation)
        downtime = outputs.get("downtime") or datadog_api.downtime_named(client, _mark(world))
        status = datadog_api.downtime(client, downtime) if downtime else None
        if downtime is None or status is None:
            return Look("done", NOTHING_TO_CANCEL)
        over = status in ("canceled", "ended")
        return Look("done" if over else "under way", MUTE_SEEN.format(downtime=downtime, status=status))


def _mark(world: World) -> str:
    """In brackets: the label of step 2 must not be found in that of step 20."""
    return f"({world.label})"


def _muted(params: Quiet, before: State) -> str:
    scope = params.scope if params.scope != "*" else "everything it watches"
    if params.monitor is None:
        return ALL_MONITORS.format(scope=scope)
    return ONE_MONITOR.format(name=before["name"], monitor=params.monitor, scope=scope)


# --- events ----------------------------------------------------------------------------------------------------------


class Said(OfAccount):
    """What is said."""

    title: str = Field(min_length=1, max_length=100, description="What happened, in a line")
    text: str = Field(min_length=1, max_length=4000, description="What there is to know about it")
    tags: tuple[str, ...] = Field((), description="So that it is found: service:pay-api")
    level: Literal["info", "success", "warning", "error"] = Field("info", description="How it is coloured")


class PostEvent(InDatadog[Said]):
    """Post an event, so that charts show when something was done"""

    name = "datadog.event"
    params = Said
    example: ClassVar[State] = {
        "organisation": "bridge", "title": "pay-api restarted", "text": "after alert 142", "tags": ["service:pay-api"]}
    changes = "one more event in the stream"
    idempotent = False
    verified = "Datadog gave it a number, or it is found by its tag"
    no_undo = CANNOT_UNSAY
    settle_s = 120.0            # until an event can be found

    def what(self, params: Said) -> str:
        return "events"

    def before(self, world: World, params: Said) -> State:
        return {"since": (world.now - BEFORE_IT).isoformat()}

    def plan(self, params: Said, before: State) -> str:
        return POST.format(title=params.title, organisation=params.organisation)

    def act(self, world: World, params: Said, before: State) -> Outcome:
        tags = [*params.tags, _tag(world)]
        event = datadog_api.post_event(world.datadog(params.organisation), params.title, params.text, tags, params.level)
        return Outcome(POSTED.format(event=event), {"event": event})

    def look(self, world: World, params: Said, before: State, outputs: State) -> Look:
        """Datadog's number is proof enough: the search may lag behind for minutes."""
        since = datetime.fromisoformat(before["since"])
        event = outputs.get("event") or datadog_api.event_tagged(
            world.datadog(params.organisation), _tag(world), since, world.now)
        if event is None:
            return Look("not seen", NO_EVENT.format(label=world.label))
        return Look("done", POSTED.format(event=event), {"event": event})


def _tag(world: World) -> str:
    return f"{TAG}:{world.label}"


SERVICE = Service("datadog", (MonitorState(), QueryMetric(), SearchLogs(), Mute(), PostEvent()))
