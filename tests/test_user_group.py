"""The user group: whoever is on duty and awake, in step at each boundary and change, never empty; or said once why not."""

import asyncio

import pytest
import sqlalchemy as sa

from bot.errors import Rejected, Unavailable
from bot.services.rota.usergroup import Keeper
from bot.services.shift import leaving
from bot.store import cards
from tests.config_stage import example
from tests.duty_stage import Life, life

GROUP = "S0ASTREINT"
WITH_GROUP = example().model_copy(update={
    "coverages": {"platform": example().coverages["platform"].model_copy(update={"user_group": GROUP})}
})
ALICE, BRUNO, LEA, OMAR, INES = "U0ALICE001", "U0BRUNO001", "U0LEA00001", "U0OMAR0001", "U0INES0001"


class FakeGroups:
    """Slack's user groups; refuses as `fault` says."""

    def __init__(self) -> None:
        self.members: list[str] = ["U0SOMEBODY"]
        self.calls: list[str] = []
        self.fault: Exception | None = None

    async def group_members(self, group: str) -> list[str]:
        self.calls.append("list")
        if self.fault:
            raise self.fault
        return list(self.members)

    async def set_group_members(self, group: str, users: list[str]) -> None:
        self.calls.append("update")
        assert users, "no_users_provided"
        self.members = users


def kept(here: Life, slack: FakeGroups, *at: str) -> list[list[str]]:
    keeper, seen = Keeper(here.desk, slack), []
    for each in at:
        here.move(each)
        asyncio.run(keeper.keep())
        seen.append(sorted(slack.members))
    return seen


def test_the_group_holds_whoever_is_on_duty_and_changes_before_anybody_is_asleep(engine: sa.Engine) -> None:
    here, slack = life(engine, "2026-11-24 15:00", WITH_GROUP), FakeGroups()
    seen = kept(here, slack, "2026-11-24 23:59", "2026-11-25 00:00", "2026-11-25 07:59", "2026-11-25 08:00")
    assert seen == [[ALICE, BRUNO], [LEA, OMAR], [LEA, OMAR], [ALICE, BRUNO]]
    here.clock.instant = here.clock.instant.replace(hour=22, minute=59, second=50)        # 23:59:50 in Paris
    assert sorted(slack.members) == [ALICE, BRUNO]
    asyncio.run(Keeper(here.desk, slack).keep())
    assert sorted(slack.members) == [LEA, OMAR]


def test_slack_is_asked_only_when_somebody_else_is_to_be_in_it(sqlite_engine: sa.Engine) -> None:
    here, slack = life(sqlite_engine, "2026-11-24 15:00", WITH_GROUP), FakeGroups()
    kept(here, slack, "2026-11-24 15:00", "2026-11-24 15:01", "2026-11-24 15:02")
    assert slack.calls == ["list", "update"]
    slack.members = [LEA]                                    # somebody changed it by hand
    kept(here, slack, "2026-11-24 15:10")
    assert sorted(slack.members) == [ALICE, BRUNO]


def test_an_override_is_seen_in_the_group(sqlite_engine: sa.Engine) -> None:
    here, slack = life(sqlite_engine, "2026-11-24 15:00", WITH_GROUP), FakeGroups()
    here.say("paul", "override platform primary 16:00 18:00 paul meeting")
    assert kept(here, slack, "2026-11-24 15:30", "2026-11-24 16:30") == [[ALICE, BRUNO], [ALICE, "U0PAUL0001"]]


def test_a_group_is_never_emptied(sqlite_engine: sa.Engine) -> None:
    here, slack = life(sqlite_engine, "2026-11-24 15:00", WITH_GROUP), FakeGroups()
    for user in (OMAR, LEA):
        leaving.deactivated(here.desk, "T0BRIDGE01", user)
    assert kept(here, slack, "2026-11-25 02:00") == [[INES]]
    leaving.deactivated(here.desk, "T0BRIDGE01", INES)
    assert kept(here, slack, "2026-11-25 03:00") == [[INES]]     # nobody awake is left: it stays as it was


@pytest.mark.parametrize("code", ["missing_scope", "paid_teams_only", "plan_upgrade_required", "permission_denied", "odd"])
def test_what_the_workspace_forbids_is_said_once(sqlite_engine: sa.Engine, code: str) -> None:
    here, slack = life(sqlite_engine, "2026-11-24 15:00", WITH_GROUP), FakeGroups()
    slack.fault = Rejected(code)
    kept(here, slack, "2026-11-24 15:00", "2026-11-24 15:06", "2026-11-25 15:00")
    with here.desk.read() as connection:
        said = cards.by_key(connection, f"usergroup:{GROUP}:{code}")
        assert said is not None and code in (said.body or "") and said.channel == "C0REVIEW01"
    slack.fault = None
    assert kept(here, slack, "2026-11-25 15:30") == [[ALICE, BRUNO]]


def test_when_slack_is_silent_it_is_tried_again(sqlite_engine: sa.Engine) -> None:
    here, slack = life(sqlite_engine, "2026-11-24 15:00", WITH_GROUP), FakeGroups()
    slack.fault = Unavailable("usergroups.users.list: TimeoutError")
    keeper = Keeper(here.desk, slack)
    asyncio.run(keeper.keep())
    slack.fault = None
    asyncio.run(keeper.keep())
    assert sorted(slack.members) == [ALICE, BRUNO]
