"""EC2: reboot, stop and start an instance, read how it is."""

from datetime import datetime, timedelta
from typing import ClassVar, Literal

from pydantic import Field

from runbooks.actions import Failed, Look, Outcome, Service, State, World
from runbooks.aids.machines import Described, Machine, OfMachine, instance, member

NOT_RUNNING = "{instance} is {state}: only a running instance can be rebooted"
JUST_STARTED = "the status checks of {instance} are initializing: it has been started or rebooted just now"
REBOOT = "would reboot {instance} ({kind}, {zone}, status checks {checks})"
REBOOT_SENT = "AWS took the reboot of {instance}"
TOO_EARLY = "the status checks of {instance} may still be those of before the reboot"
ANEW = "{instance} has been started anew since: that was no reboot, somebody else acted"
REBOOTING = "{instance} is coming up: status checks {checks}"
REBOOTED = "{instance} has been rebooted and its status checks are ok"
NO_REBOOT_SEEN = "nothing shows that {instance} was rebooted: running, status checks {checks}"

WOULD = "would {verb} {instance} ({kind}, {zone}), now {state}"
ALREADY = "; nothing would change"
ADDRESS = "; its public address {address} would be another one afterwards"
NO_DISK = "{instance} keeps its system on a disk that is lost when it stops"
OF_GROUP = "{instance} belongs to the Auto Scaling group {group}, which would replace it: put it in standby first"
WRONG_STATE = "{instance} is {state}: it cannot be told to {verb}"
IN_BETWEEN = "{instance} is {state}: wait until that is over"
TOLD = "AWS took the order to {verb} {instance}"
LEFT = "{instance} was {state} before: there is nothing to bring back"
IS = "{instance} is {state}"
IS_WITH = "{instance} is {state}, status checks {checks}"

READS = "would read how {instance} is"

CHECKED_AFTER = timedelta(minutes=2)            # status checks run every minute: sooner, they may tell of before the reboot
OK = "ok"


class Reboot(OfMachine[Machine]):
    """Reboot an instance."""

    name = "aws.ec2.reboot"
    params = Machine
    changes = "the operating system restarts: the instance serves nothing for one to five minutes"
    idempotent = False
    verified = "both status checks are ok again and the launch time is the same"
    no_undo = "a reboot cannot be taken back"
    reads = ("ec2:DescribeInstances", "ec2:DescribeInstanceStatus")
    writes = ("ec2:RebootInstances",)
    settle_s = 180.0

    def before(self, world: World, params: Machine) -> State:
        found = instance(world, params.instance)
        if _state(found) != "running":
            raise Failed(NOT_RUNNING.format(instance=params.instance, state=_state(found)))
        checks = _checks(world, params.instance)
        if "initializing" in checks:
            raise Failed(JUST_STARTED.format(instance=params.instance), again=True)
        return {**_described(found), "launched": found["LaunchTime"].isoformat(), "checks": checks}

    def plan(self, params: Machine, before: State) -> str:
        return REBOOT.format(instance=params.instance, **before)

    def act(self, world: World, params: Machine, before: State) -> Outcome:
        world.aws("ec2").reboot_instances(InstanceIds=[params.instance])
        return Outcome(REBOOT_SENT.format(instance=params.instance), {"rebooted": world.now.isoformat()})

    def look(self, world: World, params: Machine, before: State, outputs: State) -> Look:
        """EC2 keeps no record of a reboot: after a lost answer only status checks that begin anew show one."""
        found, checks = instance(world, params.instance), _checks(world, params.instance)
        if found["LaunchTime"].isoformat() != before["launched"]:
            return Look("failed", ANEW.format(instance=params.instance))
        if "initializing" in checks:
            seen = outputs.get("rebooted", world.now.isoformat())
            return Look("under way", REBOOTING.format(instance=params.instance, checks=checks), {"rebooted": seen})
        if "rebooted" not in outputs:
            return Look("not seen", NO_REBOOT_SEEN.format(instance=params.instance, checks=checks))
        if world.now < datetime.fromisoformat(outputs["rebooted"]) + CHECKED_AFTER:
            return Look("under way", TOO_EARLY.format(instance=params.instance))
        if checks != OK:
            return Look("under way", REBOOTING.format(instance=params.instance, checks=checks))
        return Look("done", REBOOTED.format(instance=params.instance))


class Switch(OfMachine[Machine]):
    """An instance stopped or started: the same act in two directions."""

    params = Machine
    reads: ClassVar[tuple[str, ...]] = ("ec2:DescribeInstances",)
    writes = ("ec2:StopInstances", "ec2:StartInstances")
    verb: ClassVar[Literal["stop", "start"]]
    states: ClassVar[tuple[str, str, str]]      # from, on the way, to
    other_way: ClassVar[str]                    # on the way back: wait until that is over

    def before(self, world: World, params: Machine) -> State:
        found = instance(world, params.instance)
        state = _state(found)
        if state == self.other_way:
            raise Failed(IN_BETWEEN.format(instance=params.instance, state=state), again=True)
        if state not in self.states:
            raise Failed(WRONG_STATE.format(instance=params.instance, state=state, verb=self.verb))
        self.guard(world, params, found)
        return {**_described(found), "state": state, "address": _passing_address(found)}

    def guard(self, world: World, params: Machine, found: Described) -> None:
        """Raises Failed when this instance must not be told so."""

    def plan(self, params: Machine, before: State) -> str:
        said = WOULD.format(verb=self.verb, instance=params.instance, **before)
        return said if before["state"] == self.states[0] else said + ALREADY

    def act(self, world: World, params: Machine, before: State) -> Outcome:
        return _switch(world, self.verb, params.instance)

    def look(self, world: World, params: Machine, before: State, outputs: State) -> Look:
        state = _state(instance(world, params.instance))
        said = IS.format(instance=params.instance, state=state)
        if state == self.states[2]:
            return Look("done", said)
        if state == self.states[1] or (state == self.states[0] and outputs):
            return Look("under way", said)
        return Look("not seen" if state in (self.states[0], self.other_way) else "failed", said)

    def undo(self, world: World, params: Machine, before: State, outputs: State) -> Outcome:
        if before["state"] != self.states[0]:
            return Outcome(LEFT.format(instance=params.instance, state=before["state"]))
        return _switch(world, "start" if self.verb == "stop" else "stop", params.instance)

    def undone(self, world: World, params: Machine, before: State, outputs: State) -> Look:
        state = _state(instance(world, params.instance))
        settled = self.states[0] if before["state"] == self.states[0] else self.states[2]
        return Look("done" if state == settled else "under way", IS.format(instance=params.instance, state=state))


class Stop(Switch):
    """Stop an instance whose disks outlive it."""

    name = "aws.ec2.stop"
    changes = "the instance stops: it serves nothing until it is started, and may come back with another public address"
    verified = "its state is stopped"
    reads = ("ec2:DescribeInstances", "autoscaling:DescribeAutoScalingInstances")
    verb = "stop"
    states = ("running", "stopping", "stopped")
    other_way = "pending"

    def guard(self, world: World, params: Machine, found: Described) -> None:
        if found.get("RootDeviceType") != "ebs":
            raise Failed(NO_DISK.format(instance=params.instance))
        place = member(world, params.instance)
        if place is not None and not place.away:
            raise Failed(OF_GROUP.format(instance=params.instance, group=place.group))

    def plan(self, params: Machine, before: State) -> str:
        said = super().plan(params, before)
        return said + ADDRESS.format(**before) if before["address"] and before["state"] == "running" else said


class Start(Switch):
    """Start an instance that is stopped."""

    name = "aws.ec2.start"
    changes = "the instance starts, and costs money from now on"
    verified = "its state is running"
    verb = "start"
    states = ("stopped", "pending", "running")
    other_way = "stopping"


class Expected(Machine):
    """An instance, and how it should be."""

    expect: Literal["running", "stopped", "terminated"] | None = Field(None, description="The state it must reach")
    checks: bool = Field(False, description="Both status checks must be ok too")


class InstanceState(OfMachine[Expected]):
    """Read the state of an instance, and wait until it is as expected."""

    name = "aws.ec2.instance_state"
    params = Expected
    example = {"instance": "i-0a1b2c3d4e5f67890", "expect": "running", "checks": True}
    verified = "the state, and the status checks where asked for, are as expected"
    reads = ("ec2:DescribeInstances", "ec2:DescribeInstanceStatus")

    def plan(self, params: Expected, before: State) -> str:
        return READS.format(instance=params.instance)

    def act(self, world: World, params: Expected, before: State) -> Outcome:
        seen = self.look(world, params, before, {})
        return Outcome(seen.said, seen.outputs)

    def look(self, world: World, params: Expected, before: State, outputs: State) -> Look:
        found, checks = instance(world, params.instance), _checks(world, params.instance)
        state = _state(found)
        asked = (params.expect in (None, state)) and (checks == OK or not params.checks)
        values = {**_described(found), "state": state, "checks": checks, "address": found.get("PrivateIpAddress", "")}
        said = IS_WITH.format(instance=params.instance, state=state, checks=checks)
        return Look("done" if asked else "under way", said, values)


def _switch(world: World, verb: str, instance_id: str) -> Outcome:
    ec2 = world.aws("ec2")
    (ec2.stop_instances if verb == "stop" else ec2.start_instances)(InstanceIds=[instance_id])
    return Outcome(TOLD.format(verb=verb, instance=instance_id), {"told": verb})


def _state(found: Described) -> str:
    return str(found["State"]["Name"])


def _described(found: Described) -> dict[str, str]:
    return {"kind": found["InstanceType"], "zone": found["Placement"]["AvailabilityZone"]}


def _checks(world: World, instance_id: str) -> str:
    """ok, or what is not: "initializing", "impaired", "ok/impaired"; "not-applicable" when it does not run."""
    answer = world.aws("ec2").describe_instance_status(InstanceIds=[instance_id])
    for each in answer["InstanceStatuses"]:
        both = [each["SystemStatus"]["Status"], each["InstanceStatus"]["Status"]]
        return str(both[0]) if both[0] == both[1] else "/".join(both)
    return "not-applicable"


def _passing_address(found: Described) -> str:
    """The public address that AWS takes back when the instance stops; an Elastic IP stays."""
    for each in found.get("NetworkInterfaces", []):
        lent = each.get("Association", {})
        if lent.get("IpOwnerId") == "amazon":
            return str(lent["PublicIp"])
    return ""


SERVICE = Service("aws.ec2", (Reboot(), Stop(), Start(), InstanceState()))
