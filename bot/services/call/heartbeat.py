"""The heartbeat: an outside address is asked each minute only when all is well. Who misses it looks after Vigie."""

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from bot.errors import Misbuilt, Unavailable
from bot.services.desk import Desk
from bot.store import cards
from bot.store.pages import escalation

log = structlog.get_logger()

BACKLOG_MOST = TICK_MOST = timedelta(minutes=2)

NO_DATABASE = "the database takes no writes ({why})"
NO_TICK = "no escalation could go on since {at:%H:%M:%S} UTC"
BACKLOG = "Slack has not taken a post since {at:%H:%M:%S} UTC"
FORGOTTEN = "{count} important alerts were forgotten"

Get = Callable[[str], int]          # asks an address; returns the status, raises Unavailable


class Pulse:
    """What this process knows of its own health: when the tick last went round, what the last audit found."""

    def __init__(self, at: datetime) -> None:
        self.ticked_at = at
        self.forgotten = 0


class Heartbeat:
    """Beats when all is well; that it cannot is logged and stops nothing."""

    def __init__(self, desk: Desk, pulse: Pulse, address: Callable[[], str], get: Get) -> None:
        self._desk, self._pulse, self._address, self._get = desk, pulse, address, get

    def act(self) -> bool:
        """Whether it beat."""
        if faults := self.faults():
            log.error("no heartbeat: not all is well", why=faults)
            return False
        try:
            status = self._get(self._address())
        except (Unavailable, Misbuilt) as problem:
            log.warning("the heartbeat was not taken", why=str(problem))
            return False
        if status >= 400:
            log.warning("the heartbeat was refused", status=status)
        return status < 400

    def faults(self) -> list[str]:
        """What is not well now."""
        now = self._desk.clock.now()
        faults = [NO_TICK.format(at=self._pulse.ticked_at)] if now - self._pulse.ticked_at > TICK_MOST else []
        faults += [FORGOTTEN.format(count=self._pulse.forgotten)] if self._pulse.forgotten else []
        return [*faults, *self._database(now)]

    def _database(self, now: datetime) -> list[str]:
        try:
            with self._desk.begin("heartbeat") as connection:
                oldest = cards.backlog(connection)[1]
                connection.execute(sa.update(escalation).where(escalation.c.id < 0).values(why=""))    # may we write?
        except sa.exc.SQLAlchemyError as error:
            return [NO_DATABASE.format(why=type(error).__name__)]
        return [BACKLOG.format(at=oldest)] if oldest is not None and now - oldest > BACKLOG_MOST else []
