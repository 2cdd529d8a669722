"""The demo's payments platform: AWS and the Datadog of both companies, the faults that befall it, and how they are cured."""

import heapq
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from bot.doubles import cloudwatch, datadog
from bot.doubles.aws import Aws, lay_out
from bot.doubles.aws.metrics import Name, bucket
from bot.doubles.datadog_api import Account
from bot.doubles.troubles import FAULTS, MONITORS, Fault, Harm, Params, Sight
from bot.ports import Clock

Send = Callable[[str, dict[str, Any]], None]        # an endpoint, and what its source would send there
Keys = Mapping[str, tuple[str, str]]                # organisation: API key and application key

CLOUDWATCH, DATADOG = "bridge-cloudwatch", "{organisation}-datadog"
FIRES, RECOVERS = "Triggered", "Recovered"
NEXT_ONE_S = 10.0       # one observer after the other sees that it is well again
ALREADY = "{name} is broken already"


@dataclass
class Wound:
    """A fault that lasts: what was broken, since when, and whether its end is in sight."""

    fault: Fault
    harm: Harm
    since: datetime
    healing: bool = False
    ended: datetime | None = None
    seen: set[Sight] = field(default_factory=set)


class Platform:
    """`aws` and `accounts` are the doubles; `tick` does what is due; `send` is told what the sources would send.

    `speed` makes all that takes time so many times faster. Times are those of the clock.
    """

    def __init__(self, clock: Clock, keys: Keys, send: Send, speed: float = 1.0) -> None:
        self.clock, self.speed, self._send = clock, speed, send
        self.aws = Aws(clock, speed=speed)
        self.laid = lay_out(self.aws)
        self.accounts = {organisation: Account(*pair, clock) for organisation, pair in keys.items()}
        self.wounds: dict[str, Wound] = {}
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers, self._lock = count(), threading.Lock()
        for organisation, account in self.accounts.items():
            for name, service in MONITORS.items():
                groups = [f"probe:{organisation}-{number}" for number in (1, 2)]
                account.monitors.add(name, tags=(f"service:{service}", "env:prod"), groups=groups)
        for way in {way for fault in FAULTS.values() for way in fault.cured_by}:
            self.aws.when(*way, partial(self._called, way))

    # --- what befalls it ---

    def break_(self, name: str) -> Wound:
        """The fault begins now: health, figures, alarms and monitors show it, and its observers say so one after the other."""
        if name in self.wounds:
            raise ValueError(ALREADY.format(name=name))
        fault = FAULTS[name]
        wound = Wound(fault, fault.harm(self.aws, self.laid), self.clock.now())
        self.wounds[name] = wound
        for alarm, value in fault.shows.items():
            self._show(wound, alarm, value)
            self._tell_alarm(fault, alarm, "ALARM", value)
        for sight in fault.monitors:
            self._after(sight.after_s, partial(self._see, wound, sight))
        if fault.passes_after_s is not None:
            self._after(fault.passes_after_s, partial(self.heal, name))
        return wound

    def heal(self, name: str) -> None:
        """The fault is over, and its observers see that one after the other."""
        wound = self.wounds.pop(name)
        wound.ended = self.clock.now()
        wound.harm.mend()
        for number, (alarm, value) in enumerate(wound.fault.shows.items()):
            self._after(number * NEXT_ONE_S, partial(self._tell_alarm, wound.fault, alarm, "OK", self._well(alarm, value)))
        for number, sight in enumerate(wound.fault.monitors, 1):
            self._after(number * NEXT_ONE_S, partial(self._unsee, wound, sight))

    def answers(self, host: str) -> bool:
        """Whether this host of the outside world is there."""
        return not any(host in wound.fault.silences for wound in self.wounds.values())

    def tick(self) -> None:
        """Does what is due by now, in its order."""
        now = self.clock.now()
        while (due := self._next(now)) is not None:
            due()

    def _next(self, now: datetime) -> Callable[[], None] | None:
        with self._lock:
            return heapq.heappop(self._agenda)[2] if self._agenda and self._agenda[0][0] <= now else None

    def _after(self, seconds: float, do: Callable[[], None]) -> None:
        due = self.clock.now() + timedelta(seconds=seconds / self.speed)
        with self._lock:
            heapq.heappush(self._agenda, (due, next(self._numbers), do))

    def _called(self, way: tuple[str, str], params: Params) -> None:
        """A call that cures was made; told by AWS itself, in whatever thread it was made."""
        for name, wound in list(self.wounds.items()):
            if way in wound.fault.cured_by and not wound.healing and wound.harm.cures(params):
                wound.healing = True
                self._after(wound.fault.cured_after_s, partial(self.heal, name))

    # --- CloudWatch ---

    def _show(self, wound: Wound, alarm: str, value: float) -> None:
        """The alarm's metric shows this while the fault lasts. At speed it forgets it at its end: the quarter of an hour that a
        runbook looks back is then shorter than one of its figures."""
        said = self._alarm(alarm)
        dimensions = {each["Name"]: each["Value"] for each in said["Dimensions"]}
        series = self.aws.cloudwatch.series[Name(said["Namespace"], said["MetricName"], frozenset(dimensions.items()))]
        usual, begun = series.source, bucket(wound.since, series.period_s)

        def reading(at: datetime) -> float | None:
            lasts = wound.ended is None or (self.speed == 1 and at < wound.ended)
            if at >= begun and lasts:
                return value
            return usual(at) if usual else None

        series.source = reading

    def _tell_alarm(self, fault: Fault, alarm: str, state: str, value: float) -> None:
        said = self._alarm(alarm)
        self.aws.cloudwatch.set_alarm(alarm, state)
        self._send(CLOUDWATCH, cloudwatch.alarm(
            alarm, state, None, self.clock.now(), metric=said["MetricName"], namespace=said["Namespace"],
            statistic=said.get("Statistic", said.get("ExtendedStatistic", "")).upper(), threshold=said["Threshold"], value=value,
            description=fault.description, dimensions={each["Name"]: each["Value"] for each in said["Dimensions"]},
        ))

    def _well(self, alarm: str, bad: float) -> float:
        """A value on the good side of the threshold."""
        threshold: float = self._alarm(alarm)["Threshold"]
        return threshold if bad < threshold else round(threshold * 0.1, 2)

    def _alarm(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
        return found

    # --- Datadog ---

    def _see(self, wound: Wound, sight: Sight) -> None:
        """Only what still lasts is seen."""
        if self.wounds.get(wound.fault.name) is wound:
            wound.seen.add(sight)
            self._tell_monitor(wound.fault, sight, FIRES)

    def _unsee(self, wound: Wound, sight: Sight) -> None:
        if sight in wound.seen:
            self._tell_monitor(wound.fault, sight, RECOVERS)

    def _tell_monitor(self, fault: Fault, sight: Sight, transition: str) -> None:
        """A muted monitor changes its state and tells nobody."""
        monitors, group = self.accounts[sight.organisation].monitors, f"probe:{sight.probe}"
        monitor = monitors.set(sight.monitor, "Alert" if transition == FIRES else "OK", group)
        if not monitors.muted(monitor.id, group):
            self._send(DATADOG.format(organisation=sight.organisation), datadog.webhook(
                sight.monitor, transition, self.clock.now(), service=fault.service, probe=sight.probe, priority=fault.priority,
                organisation=sight.organisation, monitor_id=str(monitor.id),
            ))
