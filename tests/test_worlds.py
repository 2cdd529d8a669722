"""How far one step reaches in AWS: as whom, for how long, with which rights, on which things; asked of the double over HTTP."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bot.config import Config
from bot.doubles.aws.front import Seen
from bot.errors import Unavailable
from bot.settings import EnvironmentSecrets
from bot.worlds import Addresses, CloudWorlds
from runbooks.actions import Errand, Failed, World
from tests.action_stage import ActionWorld, aws_server, world
from tests.aws_ground import ecs_service
from tests.config_stage import example

__all__ = ["aws_server", "world"]

READ, ACT = "arn:aws:iam::111122223333:role/vigie-read", "arn:aws:iam::111122223333:role/vigie-act"
LEDGER = "arn:aws:ecs:eu-west-3:111122223333:service/payments/ledger"
KEYS = {"aws_access_key_id": "vigie", "aws_secret_access_key": "demo"}


class Reach:
    """A platform with one service, roles that demand the external ids of the example, and worlds for errands there."""

    def __init__(self, ground: ActionWorld, config: Config) -> None:
        self.ground, self.aws = ground, config.aws
        assert self.aws is not None
        ids = tuple(self.aws.external_ids.values())
        ground.double.sts.roles = {READ: ids, ACT: ids}
        self.service = ecs_service(ground)
        addresses = Addresses(ground.served.url, None, KEYS)
        self.worlds = CloudWorlds(config, EnvironmentSecrets({}), ground.served.clock, addresses)
        ground.double.calls.clear()

    def errand(self, person: str = "lea", organisation: str = "padok", **changed: Any) -> Errand:
        """Léa's step that restarts the ledger."""
        made = Errand(57, 1, person, organisation, 142, self.ground.now, True, ("ecs:UpdateService",), (LEDGER,),
                      ("ecs:DescribeServices",))
        return replace(made, **changed)

    def world(self, **changed: Any) -> World:
        return self.worlds.world(self.errand(**changed))

    def calls(self, operation: str) -> list[Seen]:
        return [each for each in self.ground.double.calls if each.operation == operation]


@pytest.fixture
def reach(world: ActionWorld) -> Reach:
    return Reach(world, example())


def restart(at: World, service: str = "ledger") -> None:
    at.aws("ecs").update_service(cluster="payments", service=service, forceNewDeployment=True)


def refused(call: Any, **given: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**given)
    return str(caught.value.response["Error"]["Code"])


def test_cloudtrail_names_the_person_the_run_the_alert_and_the_company(reach: Reach) -> None:
    restart(reach.world())
    [done] = reach.calls("UpdateService")
    assert (done.session, done.outcome) == ("lea-run57", "ok")
    assert done.tags == {"alert": "142", "organisation": "padok", "run": "57"}


def test_a_step_that_changes_something_takes_the_act_role_for_a_quarter_of_an_hour_with_the_companys_own_id(reach: Reach) -> None:
    restart(reach.world())
    [taken] = reach.calls("AssumeRole")
    asked = {name: taken.params[name] for name in ("RoleArn", "ExternalId", "DurationSeconds")}
    assert asked == {"RoleArn": ACT, "ExternalId": "vigie-padok-8c1f", "DurationSeconds": 900}


def test_what_vigie_does_by_itself_bears_its_own_name_and_the_owners_id(reach: Reach) -> None:
    restart(reach.world(person="vigie", organisation="vigie", alert=None))
    [taken], [done] = reach.calls("AssumeRole"), reach.calls("UpdateService")
    assert (done.session, taken.params["ExternalId"]) == ("vigie-run57", "vigie-bridge-41d7")
    assert done.tags == {"organisation": "vigie", "run": "57"}


def test_it_can_do_only_what_the_step_declares_and_change_only_what_it_names(reach: Reach) -> None:
    ecs = reach.world().aws("ecs")
    ecs.describe_services(cluster="payments", services=["ledger"])
    assert refused(ecs.update_service, cluster="payments", service="pay-api") == "AccessDeniedException"
    assert refused(ecs.delete_service, cluster="payments", service="ledger") == "AccessDeniedException"
    assert refused(reach.world().aws("ec2").describe_instances) == "UnauthorizedOperation"


def test_who_looks_takes_the_read_role_and_can_change_nothing(reach: Reach) -> None:
    looking = reach.world(acting=False, actions=(), resources=())
    looking.aws("ecs").describe_services(cluster="payments", services=["ledger"])
    assert reach.calls("AssumeRole")[0].params["RoleArn"] == READ
    with pytest.raises(ClientError, match="AccessDenied"):
        restart(looking)


def test_what_was_taken_ends_by_itself_and_the_next_call_takes_it_anew(reach: Reach) -> None:
    old = reach.world().aws("ecs")
    reach.ground.forward(901)
    assert refused(old.describe_services, cluster="payments", services=["ledger"]).startswith("ExpiredToken")
    restart(reach.world())
    assert len(reach.calls("AssumeRole")) == 2


def test_two_people_never_share_a_session(reach: Reach) -> None:
    restart(reach.world())
    restart(reach.world(person="alice", organisation="bridge", run=58))
    assert [each.session for each in reach.calls("UpdateService")] == ["lea-run57", "alice-run58"]


def test_a_role_that_is_not_given_stops_the_step_before_anything_is_done(reach: Reach) -> None:
    reach.ground.double.sts.roles = {READ: ("another",)}
    with pytest.raises(Unavailable, match=r"did not let us act as vigie-act \(AccessDenied\)"):
        reach.world().aws("ecs")
    assert reach.calls("UpdateService") == []


def test_a_step_that_names_more_than_sts_takes_is_not_begun(reach: Reach) -> None:
    many = tuple(f"{LEDGER}-{number}" for number in range(60))
    with pytest.raises(Unavailable, match=r"the step's session policy has .* characters, and STS takes 2048"):
        reach.world(resources=many).aws("ecs")
    assert reach.calls("AssumeRole") == []


def test_a_change_that_is_ready_too_late_is_not_sent_but_what_belongs_to_one_that_was_sent_follows(reach: Reach) -> None:
    fresh = reach.ground.now + timedelta(seconds=20)
    late, slow = reach.world(until=fresh), reach.world(until=fresh)
    restart(slow)
    reach.ground.forward(21)
    restart(slow)
    ecs = late.aws("ecs")
    ecs.describe_services(cluster="payments", services=["ledger"])
    with pytest.raises(Failed, match=r"not sent: .* only 1 s after it had to be") as caught:
        restart(late)
    assert caught.value.again and len(reach.calls("UpdateService")) == 2
    with pytest.raises(Failed, match="not sent"):
        late.datadog("padok")


def test_without_roles_vigie_acts_in_its_own_name_and_with_all_its_rights(world: ActionWorld) -> None:
    aws = example().aws
    assert aws is not None
    reach = Reach(world, example().model_copy(update={"aws": aws.model_copy(update={"read_role": None, "act_role": None})}))
    restart(reach.world())
    assert reach.calls("AssumeRole") == [] and [each.session for each in reach.calls("UpdateService")] == ["vigie"]
