"""Open swaps as people read them: what is given, for what, to whom."""

from collections.abc import Iterator

import sqlalchemy as sa

from bot.config import Config
from bot.services.desk import Actor, Desk
from bot.services.rota import telling
from bot.store import shifts, swaps
from bot.store.shifts import Shift
from bot.store.swaps import Swap

LINE = "• swap {number}: {who} gives {slot}{to}. {how}"
TAKE = "`{command} swap take {number}` or `{command} swap refuse {number}` answers."
CANCEL = "`{command} swap cancel {number}` takes it back."
TO = " to {who}"
IN_RETURN = ", and takes {slot} from you"
NONE = (
    "No swap waits. `{command} swap <shift> [@colleague] [for <shift>]` offers one of your shifts; "
    "`{command} shift` lists them."
)


def lines(desk: Desk, actor: Actor) -> str:
    """The open offers that concern somebody."""
    with desk.read() as connection:
        mine = list(waiting_for(connection, desk.config, actor.key))
        own = [each for each in swaps.open_ones(connection) if each.requester == actor.key]
        said = [_line(connection, desk.config, each, actor.key) for each in [*own, *mine]]
    return "\n".join(said) if said else NONE.format(command=desk.config.command)


def waiting_for(connection: sa.Connection, config: Config, person: str) -> Iterator[Swap]:
    """Offers that somebody could take."""
    own = config.people[person].organisation
    for each in swaps.open_ones(connection):
        same = each.requester in config.people and config.people[each.requester].organisation == own
        if same and each.requester != person and each.taker in (None, person):
            yield each


def described(connection: sa.Connection, config: Config, made: Swap, reader: str) -> str:
    """What is offered, by the reader's clocks."""
    given, back = shifts_of(connection, made)
    return telling.slot(config, reader, given) + in_return(config, reader, back)


def _line(connection: sa.Connection, config: Config, made: Swap, reader: str) -> str:
    to = TO.format(who=telling.name(config, made.taker)) if made.taker else ""
    slot = described(connection, config, made, reader)
    how = (CANCEL if made.requester == reader else TAKE).format(command=config.command, number=made.id)
    return LINE.format(number=made.id, who=telling.name(config, made.requester), slot=slot, to=to, how=how)


def in_return(config: Config, reader: str, back: Shift | None) -> str:
    return IN_RETURN.format(slot=telling.slot(config, reader, back)) if back else ""


def shifts_of(connection: sa.Connection, made: Swap) -> tuple[Shift, Shift | None]:
    given = shifts.by_id(connection, made.shift_id)
    assert given is not None, "shifts are never deleted"
    return given, shifts.by_id(connection, made.return_id) if made.return_id else None
