"""Keeps Slack's user group of a coverage to whoever is on duty and awake; owns what it needs of Slack as a Protocol."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

import sqlalchemy as sa
import structlog

from bot.config import Config
from bot.errors import Rejected, Unavailable
from bot.services.desk import VIGIE, Desk
from bot.services.leave import duty
from bot.services.ledger import journal
from bot.services.rota import planning, roster
from bot.store import cards, shifts

log = structlog.get_logger()

FORBIDDEN = (
    "👥 Slack does not let Vigie keep the user group {group} to whoever is on duty ({code}). People are called by their own "
    "names instead. {remedy}"
)
REMEDIES = {
    "missing_scope": "Give the app the scopes usergroups:read and usergroups:write.",
    "paid_teams_only": "User groups need a paid plan of Slack.",
    "plan_upgrade_required": "User groups need a paid plan of Slack.",
    "permission_denied": "Let apps edit user groups in the workspace's settings.",
    "no_such_subteam": "Look at `user_group` in vigie.yaml: Slack has no such group.",
    "subteam_disabled": "Enable the group in Slack.",
}
OTHERWISE = "Take `user_group` out of vigie.yaml, or ask an administrator of the workspace."

EARLY = timedelta(seconds=15)       # nobody is in the group when their blackout begins
LOOK_AGAIN = timedelta(minutes=5)   # somebody may have changed the group by hand


class Groups(Protocol):
    """Raises Unavailable or Rejected, as the courier's Slack does."""

    async def group_members(self, group: str) -> list[str]:
        """The Slack ids of who is in it."""

    async def set_group_members(self, group: str, users: list[str]) -> None:
        """Exactly these are in it from now on; safe to repeat."""


class Keeper:
    """Asks Slack only when somebody else is to be in the group, and now and then whether it still is so."""

    def __init__(self, desk: Desk, slack: Groups) -> None:
        self._desk, self._slack = desk, slack
        self._known: dict[str, tuple[list[str], datetime]] = {}

    async def keep(self) -> None:
        """Safe to repeat, and in several processes: what is set is what the rota says."""
        for group, users in (await asyncio.to_thread(self._wanted)).items():
            try:
                await self._keep(group, users)
            except Unavailable as problem:
                log.warning("slack does not take the user group", group=group, error=str(problem))
            except Rejected as refusal:
                await asyncio.to_thread(self._say_once, group, refusal.code)

    async def _keep(self, group: str, users: list[str]) -> None:
        now = self._desk.clock.now()
        known, looked_at = self._known.get(group, ([], now - LOOK_AGAIN))
        if known == users and now - looked_at < LOOK_AGAIN:
            return
        if sorted(await self._slack.group_members(group)) != users:
            await self._slack.set_group_members(group, users)
            await asyncio.to_thread(self._note, group, users)
        self._known[group] = (users, now)

    def _wanted(self) -> dict[str, list[str]]:
        with self._desk.read() as connection:
            return members(connection, self._desk.config, self._desk.clock.now())

    def _note(self, group: str, users: list[str]) -> None:
        people = [key for key, each in self._desk.config.people.items() if each.slack in users]
        with self._desk.begin("user group") as connection:
            journal.record(connection, actor=VIGIE, kind="user group set", object=f"usergroup:{group}", outcome="done",
                           at=self._desk.clock.now(), people=people)

    def _say_once(self, group: str, code: str) -> None:
        """Where reviews are read; once for each reason."""
        log.warning("slack refuses the user group", group=group, code=code)
        self._known[group] = ([], self._desk.clock.now())
        channel = self._desk.config.channels.get(self._desk.config.review_channel or "")
        key, now = f"usergroup:{group}:{code}", self._desk.clock.now()
        if channel is None:
            return
        said = FORBIDDEN.format(group=group, code=code, remedy=REMEDIES.get(code, OTHERWISE))
        with self._desk.begin("user group") as connection:
            if cards.by_key(connection, key) is None:
                cards.add_notice(connection, key, channel, said, now)


def members(connection: sa.Connection, config: Config, now: datetime) -> dict[str, list[str]]:
    """Group: the Slack ids of who should be in it, sorted. Left out where nobody at all may be: a group cannot be empty."""
    wanted: dict[str, set[str]] = {}
    for name, coverage in config.coverages.items():
        if coverage.user_group:
            wanted.setdefault(coverage.user_group, set()).update(_on_duty(connection, config, name, now))
    return {group: sorted(config.people[each].slack for each in people) for group, people in wanted.items() if people}


def _on_duty(connection: sa.Connection, config: Config, coverage: str, now: datetime) -> list[str]:
    """Whoever is on, else the team's lead, else the fallback; never anybody in blackout, nor a moment before it."""
    soon, gone = now + EARLY, shifts.leavers(connection)
    on = [each.person for each in roster.at(connection, config, coverage, soon) if each.person]
    for people in (on, *([each] for each in _instead(config, coverage, soon))):
        reachable = [each for each in people if each not in gone and _is_awake(config, each, now, soon)]
        if reachable:
            return reachable
    return []


def _instead(config: Config, coverage: str, at: datetime) -> Iterator[str]:
    yield config.teams[planning.stretch_at(config, coverage, at).team].lead
    yield config.coverages[coverage].fallback
    yield from (each.lead for each in config.teams.values())


def _is_awake(config: Config, person: str, *times: datetime) -> bool:
    return all(duty.asleep(config, person, each) is None and roster.employed(config, person, each) for each in times)
