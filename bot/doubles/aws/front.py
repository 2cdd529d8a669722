"""The double's front: sees every call first, lets a script or moto answer it, writes down who did what."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import boto3

from bot.doubles.aws import doors
from bot.doubles.aws.autoscaling import AutoScaling
from bot.doubles.aws.cloudfront import CloudFront
from bot.doubles.aws.cloudwatch import CloudWatch
from bot.doubles.aws.ec2 import Ec2
from bot.doubles.aws.ecs import Ecs
from bot.doubles.aws.elbv2 import Elbv2
from bot.doubles.aws.faults import Fault, Faults
from bot.doubles.aws.kms import Kms
from bot.doubles.aws.rds import Rds
from bot.doubles.aws.resources import Resources
from bot.doubles.aws.script import Ground, Script
from bot.doubles.aws.ssm import Ssm
from bot.doubles.aws.sts import Sts
from bot.doubles.aws.wafv2 import Wafv2
from bot.doubles.aws.wire import Call, Json, Refusal, Reply, Request, Unreadable, parsed, read, refused, written
from bot.ports import Clock, SystemClock

ACCOUNT, REGION = "111122223333", "eu-west-3"
READS = ("Describe", "Get", "List", "Lookup")
WAITS = {("sqs", "ReceiveMessage")}             # it may wait for a message, and must not hold up everybody
MOST_CALLS = 10_000                              # lines of the log that are kept
OURSELVES = "platform"                          # the key of the double's own calls: no log, no faults, no limits

Heal = Callable[[Json], None]


@dataclass(frozen=True, slots=True)
class Seen:
    """One line of the log, as CloudTrail would have it; `session` is the session's name, or a long-lived key.

    `outcome` is "ok", AWS's code, or "no answer".
    """

    at: datetime
    service: str
    operation: str
    session: str
    tags: Mapping[str, str]
    params: Json
    outcome: str


class Aws:
    """AWS on loopback: one ASGI app that boto3 takes as the endpoint of everything.

    Under a path (`Mount("/doubles/aws", aws)`) the endpoint that boto3 is given ends with a slash.

    `speed` makes all that takes time so many times faster. `calls` is the log, `faults` takes troubles on order.
    """

    def __init__(self, clock: Clock | None = None, *, account: str = ACCOUNT, region: str = REGION, speed: float = 1.0) -> None:
        self.ground = Ground(clock or SystemClock(), Resources(account), account, region, speed)
        self._lock, self._clients = threading.RLock(), dict[tuple[str, str], Any]()
        self.reset()

    def reset(self) -> None:
        """An empty account, no faults, an empty log."""
        with self._lock:
            self.ground.resources.reset()
            self.faults = Faults()
            self.calls: list[Seen] = []
            self._heals: list[tuple[str, str, Heal]] = []
            self.ecs, self.autoscaling = Ecs(self.ground), AutoScaling(self.ground)
            self.elbv2, self.rds = Elbv2(self.ground, self.autoscaling), Rds(self.ground)
            self.sts, self.cloudwatch = Sts(self.ground), CloudWatch(self.ground)
            self.cloudfront, self.wafv2, self.ssm = CloudFront(self.ground), Wafv2(self.ground), Ssm(self.ground)
            self.ec2 = Ec2(self.ground)
            scripts: tuple[Script, ...] = (
                self.ecs, self.autoscaling, self.elbv2, self.rds, self.sts, self.cloudwatch, self.cloudfront, self.wafv2,
                self.ssm, self.ec2, Kms(self.ground))
            self._scripts = {script.service: script for script in scripts}

    def when(self, service: str, operation: str, callback: Heal) -> None:
        """`callback` is called with the parameters of every such call, once its effect has happened."""
        self._heals.append((service, operation, callback))

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client that needs no server: the hand of the platform's owner, seen by nobody."""
        where = (service, region or self.ground.region)
        if where not in self._clients:
            made = _owner().client(service, region_name=where[1])      # type: ignore[call-overload]
            made.meta.events.register("before-send", doors.in_process(self.reply))
            self._clients[where] = made
        return self._clients[where]

    # --- one call ---

    def reply(self, request: Request) -> tuple[Reply, Fault | None]:
        """What AWS says, and the trouble on the way back."""
        try:
            call = read(request)
        except Unreadable as error:
            return Reply(400, {"content-type": "text/plain"}, f"this is no call of AWS: {error}".encode()), None
        fault = None if call.key == OURSELVES else self.faults.meet(call)
        reply, outcome = self._answer(call, fault)
        lost = fault is not None and fault.kind in ("hang", "hang up")
        if call.key != OURSELVES:
            self._write_down(call, "no answer" if lost else outcome)
        return reply, fault

    def _write_down(self, call: Call, outcome: str) -> None:
        session = self.sts.session(call)
        name, tags = (session.name, session.tags) if session else (call.key, {})
        del self.calls[:-MOST_CALLS]
        self.calls.append(Seen(self.ground.now(), call.service, call.operation, name, tags, call.params, outcome))

    def _answer(self, call: Call, fault: Fault | None) -> tuple[Reply, str]:
        try:
            if fault and fault.kind == "refuse" and fault.refusal:
                raise fault.refusal
            if call.key != OURSELVES:
                self.sts.check(call)
            reply = self._perform(call)
            if fault and fault.kind == "refuse late" and fault.refusal:
                raise fault.refusal
        except Refusal as refusal:
            return refused(call.protocol, refusal), refusal.code
        return reply, "ok" if reply.status < 400 else _code(call, reply)

    def _perform(self, call: Call) -> Reply:
        if (call.service, call.operation) in WAITS:
            return self.ground.resources.answer(call.request)
        with self._lock:
            self._settle()
            reply = self._by_script(call)
            if not call.operation.startswith(READS):
                self._settle()
        if reply.status < 400:
            for service, operation, callback in list(self._heals):
                if (service, operation) == (call.service, call.operation):
                    callback(call.params)
        return reply

    def _by_script(self, call: Call) -> Reply:
        script = self._scripts.get(call.service)
        handler = script.handlers().get(call.operation) if script else None
        if handler is None:
            return self.ground.resources.answer(call.request)
        try:
            return written(call, handler(script, call, lambda: self._onward(call)))
        except _Passed as passed:
            return passed.reply

    def _onward(self, call: Call) -> Json:
        reply = self.ground.resources.answer(call.request)
        if reply.status >= 400:
            raise _Passed(reply)
        return parsed(call, reply)

    def _settle(self) -> None:
        for script in self._scripts.values():
            script.settle()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The ASGI app."""
        if scope["type"] == "http":
            await doors.serve(self.reply, scope, receive, send)


@cache
def _owner() -> boto3.session.Session:
    """One for all doubles of this process: it keeps the models it has read."""
    return boto3.session.Session(OURSELVES, OURSELVES)


class _Passed(Exception):
    """moto's own refusal, to be handed on as it is."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def _code(call: Call, reply: Reply) -> str:
    try:
        return str(parsed(call, reply).get("Error", {}).get("Code", reply.status))
    except ValueError:
        return str(reply.status)
