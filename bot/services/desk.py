"""What every service has at hand: the database, the configuration, time, ids; and the one way to open a transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa

from bot.config import Config
from bot.config.catalogue import Catalogue
from bot.ports import Clock, Ids, KillPoint, survive
from bot.store.db import reader
from runbooks.actions import Worlds


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person of vigie.yaml, an observer, or Vigie itself."""

    key: str                     # the name in vigie.yaml: alice; of an observer, observer:CloudWatch
    name: str
    organisation: str
    roles: frozenset[str]
    slack: str | None = None     # Slack user id
    origin: str = "vigie"        # where the act came in: slack C0ALERTS01, tick, command line


OBSERVER = "observer:"           # so that no sender can sign the journal as a person
VIGIE = Actor(key="vigie", name="Vigie", organisation="vigie", roles=frozenset())


@dataclass(frozen=True, slots=True)
class Desk:
    engine: sa.Engine
    config: Config
    clock: Clock
    ids: Ids
    kill: KillPoint = survive
    wake: Callable[[], None] = lambda: None     # something is due: told after each commit
    catalogue: Catalogue = field(default_factory=Catalogue)
    worlds: Worlds | None = None                # what runbooks may look at; none: nothing can be run here
    link_key: bytes = field(default=b"", repr=False)        # signs links to reports; empty: none can be made

    @contextmanager
    def begin(self, verb: str) -> Iterator[sa.Connection]:
        """One transaction for one verb; a crash may be planted right before and right after its commit."""
        with self.engine.connect() as connection:
            with connection.begin() as transaction:
                yield connection
                self.kill(f"{verb}: before commit")
                transaction.commit()
            self.kill(f"{verb}: after commit")
        self.wake()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for looking only."""
        with reader(self.engine) as connection:
            yield connection

    def probation(self, runbook: str | None) -> timedelta:
        """The quiet time after a recovery, of an alert that this runbook (or none) recognises."""
        known = self.catalogue.runbook(runbook) if runbook else None
        if known and known.probation is not None:
            return known.probation
        return timedelta(minutes=self.config.probation.minutes)
