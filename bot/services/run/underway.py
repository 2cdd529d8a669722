"""What runs now, and which questions wait for somebody's yes: above all else that is open."""

from collections.abc import Iterable

import sqlalchemy as sa

from bot.services.alert.response import called, clock_time
from bot.services.desk import Actor, Desk
from bot.services.leave import answering
from bot.services.slack.drawing import deed
from bot.services.slack.runcards import thing
from bot.store import runs
from bot.store.approvals import Approval
from bot.store.runs import Run

WAIT_FOR_YOU = "*Waits for your yes*"
QUESTION = "• run {id}, step {number}: {plan}, asked by {who}, until {until}. `{command} approve {id}` or `{command} reject {id}`"
UNDER_WAY = "*Under way*"
LINE = "• run {id} \"{title}\" on {target}: {state}, step {at} of {all}, asked by {who} {since}"
MORE = "… and {count} more."

MOST, LONGEST_PLAN = 6, 120


def lines(desk: Desk, connection: sa.Connection, actor: Actor | None) -> Iterable[str]:
    """The questions that wait for the actor, then the runs; nothing where there are none."""
    asked = answering.waiting(desk, connection, actor, desk.clock.now()) if actor else []
    if asked:
        yield from (WAIT_FOR_YOU, *(_question(desk, connection, each) for each in asked[:MOST]))
    going = runs.find(connection, runs.run.c.state.in_(runs.UNDER_WAY))
    if going:
        yield from (UNDER_WAY, *(_line(desk, connection, each) for each in going[:MOST]))
    if len(going) > MOST:
        yield MORE.format(count=len(going) - MOST)


def _question(desk: Desk, connection: sa.Connection, asked: Approval) -> str:
    run = runs.get(connection, asked.run_id)
    step = runs.steps(connection, run.id)[asked.number]
    plan = " ".join(deed(step.plan or step.title).split())[:LONGEST_PLAN]
    return QUESTION.format(
        id=run.id, number=asked.number + 1, plan=plan, who=called(desk, run.actor), until=clock_time(asked.expires_at),
        command=desk.config.command,
    )


def _line(desk: Desk, connection: sa.Connection, run: Run) -> str:
    steps = runs.steps(connection, run.id)
    return LINE.format(
        id=run.id, title=run.title, target=thing(run), state=run.state, at=min(run.position + 1, len(steps)), all=len(steps),
        who=called(desk, run.actor), since=clock_time(run.begun_at),
    )
