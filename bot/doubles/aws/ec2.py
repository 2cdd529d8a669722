"""EC2: a reboot and a start leave a trace, the status checks begin anew; an interface wears what it is told to wear."""

from datetime import datetime
from typing import Any

from bot.doubles.aws.script import Ground, Onward, Script, answers
from bot.doubles.aws.wire import Call, Json

CHECKED_S = 90.0        # from initializing to ok

INITIALIZING = {"Status": "initializing", "Details": [{"Name": "reachability", "Status": "initializing"}]}
OK = {"Status": "ok", "Details": [{"Name": "reachability", "Status": "passed"}]}


class Ec2(Script):
    """Instances by id; `impaired` are those whose status checks fail until they are rebooted."""

    service = "ec2"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self.impaired: set[str] = set()
        self._begun: dict[str, datetime] = {}

    @answers("RebootInstances", "StartInstances")
    def begin(self, call: Call, onward: Onward) -> Json:
        answer = onward()
        for id in call.params["InstanceIds"]:
            self._begun[id] = self.ground.now()
            self.impaired.discard(id)
        return answer

    @answers("ModifyNetworkInterfaceAttribute")
    def dress(self, call: Call, onward: Onward) -> Json:
        """moto goes on counting the groups that the instance was launched with: the interfaces have them as their own."""
        found = self.ground.resources.backend("ec2", call.region).enis.get(call.params["NetworkInterfaceId"])
        if found is not None and found.instance and found.instance.security_groups:
            launched, found.instance.security_groups = found.instance.security_groups, []
            for each in found.instance.nics.values():
                each._group_set = list({*each._group_set, *launched})
        return onward()

    @answers("DescribeInstanceStatus")
    def status(self, call: Call, onward: Onward) -> Json:
        answer = onward()
        for each in answer.get("InstanceStatuses", []):
            if each["InstanceState"]["Name"] == "running":
                each["InstanceStatus"], each["SystemStatus"] = self._checks(each["InstanceId"]), OK
        return answer

    def _checks(self, id: str) -> Json:
        if id in self.impaired:
            since = {"ImpairedSince": self.ground.now()}
            return {"Status": "impaired", "Details": [{"Name": "reachability", "Status": "failed"} | since]}
        begun: Any = self._begun.get(id)
        return INITIALIZING if begun and not self.ground.past(begun, CHECKED_S) else OK
