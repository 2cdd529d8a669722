"""The Home tab: what is mine, what waits for me, who is on duty, then what is open and how Vigie is; drawn in one go."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.services.alert.response import headline
from bot.services.desk import Actor, Desk
from bot.services.rota import board
from bot.services.shift import offers, swapping
from bot.services.slack.drawing import button, context, escape, section, sections
from bot.store import alerts, cards

Block = dict[str, Any]

MINE, NO_ALERTS = "*Yours*", "Nothing open is yours."
ALERT = "• {name} {what} · {state}"
SHIFTS, NO_SHIFTS = "*Your next shifts*", "You have no shift in the next four weeks."
SWAPS, SWAP = "*Swaps that wait for you*", "{slot}"
WELL, BEHIND = "Slack shows all that Vigie knows.", "{count} posts wait for Slack, the oldest since {at:%H:%M} UTC."
HEALTH = "Vigie looked at {at:%d %b %H:%M} UTC. {slack}"
MORE = "… and {count} more."

MOST_SHIFTS, MOST_SWAPS, MOST_ALERTS = 6, 5, 10
LONGEST_WHAT = 100
ADMINS = frozenset({"rota_admin", "lead"})


def draw(desk: Desk, actor: Actor, status: str) -> list[Block]:
    """The blocks of somebody's Home tab; `status` is what is open, as Slack takes it."""
    now = desk.clock.now()
    with desk.read() as connection:
        parts: Iterable[Iterable[Block]] = (
            _mine(connection, actor), _swaps(desk, connection, actor), _on_duty(desk, actor),
            _shifts(desk, connection, actor, now), [_doors(desk, actor)], sections(status.splitlines()),
            [_health(connection, now)],
        )
        return [block for part in parts for block in part]


def _mine(connection: sa.Connection, actor: Actor) -> Iterator[Block]:
    """Open alerts that one has taken, or was given."""
    mine = [each for each in alerts.open_ones(connection) if actor.key in (each.acked_by, each.assigned_to)]
    lines = [
        ALERT.format(name=each.name, what=escape(headline(each), LONGEST_WHAT), state=each.state) for each in mine[:MOST_ALERTS]
    ]
    more = [MORE.format(count=len(mine) - MOST_ALERTS)] if len(mine) > MOST_ALERTS else []
    yield from sections([MINE, *(lines or [NO_ALERTS]), *more])


def _on_duty(desk: Desk, actor: Actor) -> Iterator[Block]:
    if desk.config.coverages:
        yield from sections(_safe(board.now(desk, actor)).splitlines())


def _shifts(desk: Desk, connection: sa.Connection, actor: Actor, now: datetime) -> Iterator[Block]:
    """Each with a button that offers it, as long as that is possible."""
    if not desk.config.coverages:
        return
    slots = board.ahead(connection, desk.config, actor.key, now)
    yield section(SHIFTS if slots else NO_SHIFTS)
    for each in slots[:MOST_SHIFTS]:
        line = section(_safe(board.line(desk.config, actor.key, each)))
        can_be_offered = each.shift is not None and each.start - swapping.NOTICE > now
        shift = each.shift
        yield line | {"accessory": button("Swap…", "swap", str(shift.id))} if shift and can_be_offered else line


def _swaps(desk: Desk, connection: sa.Connection, actor: Actor) -> Iterator[Block]:
    waiting = list(offers.waiting_for(connection, desk.config, actor.key))[:MOST_SWAPS]
    if waiting:
        yield section(SWAPS)
    for each in waiting:
        yield section(_safe(SWAP.format(slot=offers.described(connection, desk.config, each, actor.key))))
        answers = [button(swapping.TAKE, "swap:take", str(each.id), "primary")]
        answers += [button(swapping.NO, "swap:refuse", str(each.id))] if each.taker else []
        yield {"type": "actions", "block_id": f"home-swap:{each.id}", "elements": answers}


def _doors(desk: Desk, actor: Actor) -> Block:
    """What one may want next."""
    rota = [button("Who is on", "oncall", "now"), button("My shifts", "shift", "mine"), button("Away…", "away", "form")]
    change = [button("Change shifts…", "override", "form")] if not actor.roles.isdisjoint(ADMINS) else []
    shown = [*rota, *change] if desk.config.coverages else []
    return {"type": "actions", "block_id": "home", "elements": [*shown, button("What can I say?", "help", "all")]}


def _health(connection: sa.Connection, now: datetime) -> Block:
    count, oldest = cards.backlog(connection, now)
    slack = BEHIND.format(count=count, at=oldest) if oldest else WELL
    return context(HEALTH.format(at=now, slack=slack))


def _safe(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
