"""Amazon CloudWatch: watch alarms for a while, and stop at the first that fires."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator

from runbooks.actions import MOST_SAID, Action, Failed, Look, Outcome, Params, Service, State, World
from runbooks.model import Length, written

NO_ALARM = "there is no alarm {alarm}: nobody watches"
TOO_LONG = "watch from one minute to a day"
WATCH = "would watch {alarms} for {duration}, and stop as soon as one of them fires"
WATCHING = "watches {alarms} until {until:%H:%M} UTC; all is quiet"
WATCHED = "{alarms} stayed quiet for {duration}"
FIRES = "{alarm} fires since {since:%H:%M} UTC: {why}"
SAYS_NOTHING = "{alarms}: no data, and no signal is not OK"
NOT_BEGUN = "the watch has not begun"

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=1)

AlarmName = Annotated[str, Field(min_length=1, max_length=255)]
Alarms = Mapping[str, Mapping[str, Any]]


class Watched(Params):
    """Which alarms, and how long."""

    alarms: tuple[AlarmName, ...] = Field(min_length=1, max_length=20, description="Names of alarms, composite ones too")
    duration: Length = Field(description="How long all of them must stay quiet: 30m, 2h")

    @field_validator("duration")
    @classmethod
    def _bounded(cls, given: timedelta) -> timedelta:
        if not SHORTEST <= given <= LONGEST:
            raise ValueError(TOO_LONG)
        return given


class Watch(Action[Watched]):
    """Watch alarms for a while, and stop at the first that fires."""

    name = "aws.cloudwatch.watch"
    params = Watched
    example: ClassVar[State] = {"alarms": ["pay-api-5xx", "pay-api-latency-p95"], "duration": "1h"}
    verified = "none of them fired in that time, and all are OK at its end; no data is not OK"
    reads = ("cloudwatch:DescribeAlarms",)
    poll_s = 60.0

    def target(self, params: Watched) -> str:
        return f"cloudwatch:{','.join(params.alarms)}"

    def lasts(self, params: Watched) -> timedelta:
        return params.duration

    def plan(self, params: Watched, before: State) -> str:
        return WATCH.format(alarms=", ".join(params.alarms), duration=written(params.duration))

    def act(self, world: World, params: Watched, before: State) -> Outcome:
        firing = _firing(_alarms(world, params))
        if firing:
            raise Failed(firing)
        until = world.now + params.duration
        return Outcome(WATCHING.format(alarms=", ".join(params.alarms), until=until), {"started": world.now.isoformat()})

    def look(self, world: World, params: Watched, before: State, outputs: State) -> Look:
        found, names = _alarms(world, params), ", ".join(params.alarms)
        if firing := _firing(found):
            return Look("failed", firing)
        if "started" not in outputs:
            return Look("not seen", NOT_BEGUN)
        until = datetime.fromisoformat(outputs["started"]) + params.duration
        if world.now < until:
            return Look("under way", WATCHING.format(alarms=names, until=until))
        silent = [name for name, alarm in found.items() if alarm["StateValue"] != "OK"]
        if silent:
            return Look("under way", SAYS_NOTHING.format(alarms=", ".join(silent)))
        return Look("done", WATCHED.format(alarms=names, duration=written(params.duration)))


def _alarms(world: World, params: Watched) -> Alarms:
    said = world.aws("cloudwatch").describe_alarms(
        AlarmNames=list(params.alarms), AlarmTypes=["MetricAlarm", "CompositeAlarm", "LogAlarm"])
    found = {each["AlarmName"]: each for kind in ("MetricAlarms", "CompositeAlarms", "LogAlarms") for each in said.get(kind, [])}
    for name in params.alarms:
        if name not in found:
            raise Failed(NO_ALARM.format(alarm=name))
    return found


def _firing(found: Alarms) -> str:
    """The first that fires, as a sentence; empty when none does."""
    for name, alarm in found.items():
        if alarm["StateValue"] == "ALARM":
            since = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
            return FIRES.format(alarm=name, since=since, why=alarm.get("StateReason", ""))[:MOST_SAID]
    return ""


SERVICE = Service("aws.cloudwatch.watching", (Watch(),))
