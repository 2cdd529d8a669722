"""RDS: one failover and never a second, a snapshot by name, storage that only grows, a state that proves it."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pydantic import ValidationError

from runbooks.actions import Failed, Unsure
from runbooks.actions.rds import Failover, InstanceState
from runbooks.actions.rds_storage import GrowStorage, Snapshot
from runbooks.faults import told
from tests.action_stage import ActionWorld, aws_server, play, world
from tests.mishaps import phases_keep_to_what_they_declare, throttled, tried, unanswered

__all__ = ["aws_server", "world"]

PAY_DB = {"instance": "pay-db"}
REBOOT, MODIFY, SNAPSHOT = "rds:RebootDBInstance", "rds:ModifyDBInstance", "rds:CreateDBSnapshot"


def create(world: ActionWorld, name: str, **more: Any) -> None:
    world.double.client("rds").create_db_instance(
        DBInstanceIdentifier=name, Engine="mysql", DBInstanceClass="db.m5.large", AllocatedStorage=100, MasterUsername="root",
        MasterUserPassword="demo-password", AvailabilityZone="eu-west-3a", **more)


@pytest.fixture(autouse=True)
def pay_db(world: ActionWorld) -> None:
    """A MySQL with a standby in another zone, some hours old."""
    create(world, "pay-db", MultiAZ=True)
    world.forward(7 * 3600)


def instance(world: ActionWorld) -> Any:
    return world.double.client("rds").describe_db_instances(DBInstanceIdentifier="pay-db")["DBInstances"][0]


@pytest.mark.parametrize(("action", "more"), [
    (Failover(), {}), (Snapshot(), {}), (GrowStorage(), {"at_most": 500}), (InstanceState(), {}),
])
def test_every_action_on_rds_keeps_to_its_permissions(world: ActionWorld, action: Any, more: dict[str, Any]) -> None:
    phases_keep_to_what_they_declare(world, action, **PAY_DB, **more)


def test_a_database_fails_over_to_its_standby_and_rds_says_so(world: ActionWorld) -> None:
    was = instance(world)
    played = play(world, Failover(), **PAY_DB)
    from_to = f"from {was['AvailabilityZone']} to {was['SecondaryAvailabilityZone']}"
    assert played.plan.startswith(f"would fail pay-db over {from_to}: every connection drops")
    assert played.looks[0].seen == "under way" and played.seen == "done"
    assert instance(world)["AvailabilityZone"] == was["SecondaryAvailabilityZone"] == played.looks[-1].outputs["zone"]


def test_a_failover_is_sent_once_when_its_answer_hangs(world: ActionWorld) -> None:
    once, looks = unanswered(world, Failover(), REBOOT, hang=True, **PAY_DB)
    assert looks[0].seen == "under way" and looks[-1].seen == "done"
    assert instance(world)["AvailabilityZone"] == once.before["secondary"]
    assert [call.operation for call in world.double.calls].count("RebootDBInstance") == 1


def test_a_failover_that_never_reached_rds_is_not_seen(world: ActionWorld) -> None:
    world.double.faults.broken("rds", "RebootDBInstance")
    once = tried(world, Failover(), REBOOT, **PAY_DB)
    for _ in range(20):
        world.forward(10)
        assert Failover().look(world, once.params, once.before, {}).seen == "not seen"


def test_even_a_careless_second_call_makes_no_second_failover(world: ActionWorld) -> None:
    once, _ = unanswered(world, Failover(), REBOOT, **PAY_DB)
    for minutes in (0, 5, 14):
        world.forward(minutes * 60)
        with pytest.raises(Failed):
            Failover().act(world, once.params, once.before)
        world.forward(-minutes * 60)
    world.forward(3600)
    with pytest.raises(Failed, match="has changed since"):
        Failover().act(world, once.params, once.before)
    assert [call.operation for call in world.double.calls].count("RebootDBInstance") == 1


def test_a_second_failover_waits_for_the_cool_down(world: ActionWorld) -> None:
    play(world, Failover(), **PAY_DB)
    with pytest.raises(Failed, match="no second failover within 15 minutes") as caught:
        play(world, Failover(), **PAY_DB)
    assert not caught.value.again
    world.forward(16 * 60)
    assert play(world, Failover(), **PAY_DB).seen == "done"


def test_a_database_without_a_standby_does_not_fail_over(world: ActionWorld) -> None:
    create(world, "ledger-db", MultiAZ=False)
    with pytest.raises(Failed, match="ledger-db is not Multi-AZ"):
        play(world, Failover(), instance="ledger-db")


def test_a_database_that_is_not_available_does_not_fail_over(world: ActionWorld) -> None:
    world.double.client("rds").reboot_db_instance(DBInstanceIdentifier="pay-db", ForceFailover=True)
    with pytest.raises(Failed, match="is rebooting, it must be available") as caught:
        play(world, Failover(), **PAY_DB)
    assert caught.value.again


def test_an_unknown_database_is_refused_in_the_words_of_aws(world: ActionWorld) -> None:
    with pytest.raises(ClientError) as caught:
        Failover().before(world, Failover.params.model_validate({"instance": "nobody"}))
    assert str(told(caught.value)).startswith("AWS refused: DBInstanceNotFound") and not isinstance(told(caught.value), Unsure)
    with pytest.raises(ValidationError):
        Failover.params.model_validate({"instance": "pay db; drop"})


def test_a_throttled_call_to_rds_may_be_made_again(world: ActionWorld) -> None:
    throttled(world, Failover(), REBOOT, **PAY_DB)
    throttled(world, Snapshot(), SNAPSHOT, **PAY_DB)
    throttled(world, GrowStorage(), MODIFY, **PAY_DB, at_most=500)


def test_a_snapshot_is_named_after_the_step_and_made_once(world: ActionWorld) -> None:
    played = play(world, Snapshot(), **PAY_DB)
    assert played.plan == "would take the snapshot vigie-run57-step2 of pay-db (100 GiB)"
    assert played.seen == "done" and played.looks[-1].outputs["snapshot"] == world.label
    again = Snapshot().act(world, played.params, played.before)
    assert again.said == "the snapshot vigie-run57-step2 is there already"
    kept = world.double.client("rds").describe_db_snapshots(DBInstanceIdentifier="pay-db", SnapshotType="manual")["DBSnapshots"]
    assert [each["DBSnapshotIdentifier"] for each in kept] == [world.label]


def test_a_snapshot_without_an_answer_is_found_by_its_name(world: ActionWorld) -> None:
    params = Snapshot.params.model_validate(PAY_DB)
    assert Snapshot().look(world, params, Snapshot().before(world, params), {}).seen == "not seen"
    _, looks = unanswered(world, Snapshot(), SNAPSHOT, **PAY_DB)
    assert looks[-1].seen == "done"


def test_the_snapshot_of_another_database_is_not_taken_for_ours(world: ActionWorld) -> None:
    create(world, "ledger-db")
    world.double.client("rds").create_db_snapshot(DBSnapshotIdentifier=world.label, DBInstanceIdentifier="ledger-db")
    once = tried(world, Snapshot(), SNAPSHOT, **PAY_DB)
    assert str(once.meaning) == "there is a snapshot vigie-run57-step2 already, of ledger-db, not of pay-db"


def test_storage_grows_by_the_percentage_asked(world: ActionWorld) -> None:
    played = play(world, GrowStorage(), **PAY_DB, percent=25, at_most=200)
    assert played.plan == "would grow the storage of pay-db from 100 to 125 GiB; it can never shrink again"
    assert played.seen == "done" and instance(world)["AllocatedStorage"] == 125
    assert GrowStorage.no_undo


def test_storage_never_grows_beyond_what_the_step_may_give(world: ActionWorld) -> None:
    with pytest.raises(Failed, match="more than the 110 GiB"):
        play(world, GrowStorage(), **PAY_DB, percent=20, at_most=110)
    with pytest.raises(ValidationError):
        GrowStorage.params.model_validate({**PAY_DB, "percent": 5, "at_most": 200})


def test_growing_without_an_answer_is_seen_and_does_not_grow_twice(world: ActionWorld) -> None:
    once, looks = unanswered(world, GrowStorage(), MODIFY, **PAY_DB, at_most=500)
    assert looks[-1].seen == "done"
    with pytest.raises(Failed):
        GrowStorage().act(world, once.params, once.before)
    assert instance(world)["AllocatedStorage"] == 120


def test_a_state_as_expected_is_done_and_another_is_waited_for(world: ActionWorld) -> None:
    played = play(world, InstanceState(), **PAY_DB, multi_az=True)
    assert played.seen == "done" and not InstanceState().mutates
    assert played.outcome.outputs["status"] == "available" and played.outcome.outputs["multi_az"] is True
    for unlike in ({"zone": "eu-west-3z"}, {"status": "stopped"}, {"multi_az": False}):
        params = InstanceState.params.model_validate({**PAY_DB, **unlike})
        assert InstanceState().look(world, params, {}, {}).seen == "under way"


def test_free_storage_that_nobody_knows_is_not_enough(world: ActionWorld) -> None:
    params = InstanceState.params.model_validate({**PAY_DB, "free_gib": 10})
    look = InstanceState().look(world, params, {}, {})
    assert look.seen == "under way" and "nobody knows how much of 100 GiB free" in look.said
    world.double.client("cloudwatch").put_metric_data(Namespace="AWS/RDS", MetricData=[{
        "MetricName": "FreeStorageSpace", "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "pay-db"}],
        "Timestamp": world.now - timedelta(minutes=2), "Value": 12 * 1024.0 ** 3}])
    look = InstanceState().look(world, params, {}, {})
    assert look.seen == "done" and "12.0 of 100 GiB free" in look.said
