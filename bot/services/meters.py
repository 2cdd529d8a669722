"""What is counted for /metrics, and the deliveries that had to be dropped."""

import math
from collections import Counter as Tally

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.services.desk import Desk
from bot.store import alerts, cards, traffic

LAG_BUCKETS = (0.05, 0.1, 0.15, 0.25, 0.5, 1, 2, 5, 15, 60, 300, 1800)


class Meters:
    """One registry of its own, so that several apps may live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        here = self.registry
        self.signals = Counter("vigie_signals", "Signals taken", ["source", "state"], registry=here)
        self.dropped = Counter("vigie_dropped", "Deliveries refused for good (4xx)", ["endpoint", "reason"], registry=here)
        self.lag = Histogram("vigie_delivery_lag_seconds", "From due to shown in Slack", buckets=LAG_BUCKETS, registry=here)
        self.rate_limited = Counter("vigie_slack_rate_limited", "Times Slack answered 429", registry=here)
        self.depth = Gauge("vigie_intake_depth", "Deliveries waiting for their commit", registry=here)
        self.waiting = Gauge("vigie_posts_waiting", "Posts that Slack does not show yet", registry=here)
        self.alerts = Gauge("vigie_alerts", "Alerts by source and state", ["source", "state"], registry=here)
        self._unwritten: Tally[tuple[str, str]] = Tally()

    def drop(self, endpoint: str, reason: str) -> None:
        """A delivery refused for good; written to its row by `flush`, so that a flood costs one write a second."""
        self.dropped.labels(endpoint, reason).inc()
        self._unwritten[endpoint, reason] += 1

    def flush(self, desk: Desk) -> None:
        """Writes the drops counted since the last time."""
        if not self._unwritten:
            return
        counted, self._unwritten = self._unwritten, Tally()
        try:
            with desk.begin("drops") as connection:
                for (endpoint, reason), count in sorted(counted.items()):
                    traffic.count_drop(connection, endpoint, reason, count, desk.clock.now())
        except sa.exc.SQLAlchemyError:
            self._unwritten.update(counted)     # counted with the next flush
            raise

    def expose(self, desk: Desk, depth: int) -> bytes:
        """The Prometheus text of this instant; what only the database knows is not a number while it is silent."""
        self.depth.set(depth)
        try:
            with desk.read() as connection:
                self.waiting.set(cards.backlog(connection)[0])
                self._count_alerts(connection)
        except sa.exc.SQLAlchemyError:
            self.waiting.set(math.nan)
            self.alerts.clear()
        return generate_latest(self.registry)

    def _count_alerts(self, connection: sa.Connection) -> None:
        self.alerts.clear()
        for source, state, count in alerts.by_source(connection):
            self.alerts.labels(source, state).set(count)
