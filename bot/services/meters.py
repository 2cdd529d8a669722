"""What is counted for /metrics, and the deliveries that had to be dropped."""

import math
from collections import Counter as Tally
from collections.abc import Mapping
from itertools import product
from threading import Lock

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.config.catalogue import stale
from bot.services.desk import Desk
from bot.services.happenings import PERSON, Approved, Called, Closed, Decided, Ended, Happening, Happenings, Missing, Rung
from bot.services.review import setbacks
from bot.services.run import ladder
from bot.store import cards, deferrals, escalations, figures, observations, pages, rungs, runs, traffic
from bot.store.evidence import FIX, PROOF
from runbooks.model import RUNGS

LAG_BUCKETS = (0.05, 0.1, 0.15, 0.25, 0.5, 1, 2, 5, 15, 60, 300, 1800)
YES_BUCKETS = (10, 30, 60, 120, 300, 600, 900, 1800, 3600)
DECISIONS = [(each,) for each in ("run", "approve", "offer", "page", "show")]
ENDINGS = [(each,) for each in ("healed", "fixed", PERSON)]
ROLES = [(each,) for each in ("owner", "primary", "secondary", "lead", "other side", "fallback", "nobody")]
WAYS_TO_END = [*product(runs.ENDED, RUNGS, [FIX]), *product(runs.ENDED, ["automatic"], [PROOF])]


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
        self._stand(here)
        self._happen(here)
        self._unwritten: Tally[tuple[str, str]] = Tally()
        self._looking = Lock()
        self._happenings = Happenings()

    def _stand(self, here: CollectorRegistry) -> None:
        """What the rows of this instant say."""
        self.waiting = Gauge("vigie_posts_waiting", "Posts that Slack does not show yet", registry=here)
        self.alerts = Gauge("vigie_alerts", "Alerts by source and state", ["source", "state"], registry=here)
        self.under_way = Gauge("vigie_runs_under_way", "Runs that have not ended", ["state"], registry=here)
        self.in_doubt = Gauge("vigie_steps_in_doubt", "Steps that a person must decide about", registry=here)
        self.questions = Gauge("vigie_approvals_waiting", "Approvals that are asked for", registry=here)
        self.glass = Gauge("vigie_glass_unreviewed", "Runs that broke the glass, not reviewed", registry=here)
        self.stopped = Gauge("vigie_automation_stopped", "1 for what does not run by itself", ["scope"], registry=here)
        self.runbooks = Gauge("vigie_runbooks", "Runbooks by rung", ["rung"], registry=here)
        self.held_back = Gauge(
            "vigie_held_back", "Calls, direct messages and assignments kept from people in blackout", ["organisation", "kind"],
            registry=here,
        )
        self.escalations = Gauge("vigie_escalations", "Callings that are not over", ["state"], registry=here)
        self.silences = Gauge("vigie_silences", "Silences that hold", registry=here)
        self.failing = Gauge("vigie_reviews_failing", "Months whose review cannot be made, by a fault of Vigie", registry=here)
        self.stale = Gauge("vigie_runbooks_stale", "Runbooks that nobody has reviewed for too long", registry=here)

    def _happen(self, here: CollectorRegistry) -> None:
        """What the journal has told since this process began, once it was sealed."""
        self.decisions = Counter("vigie_decisions", "What Vigie decided about an alert", ["decision"], registry=here)
        self.closed = Counter("vigie_alerts_closed", "Alerts closed, by how they ended", ["ending"], registry=here)
        self.ended = Counter("vigie_runs_ended", "Runs that ended", ["state", "mode", "purpose"], registry=here)
        self.approved = Histogram("vigie_approval_wait_seconds", "From asked to a yes", buckets=YES_BUCKETS, registry=here)
        self.calls = Counter("vigie_calls", "People called, by their role", ["role"], registry=here)
        self.rings = Counter("vigie_rings", "Rings beside Slack, by how they ended", ["outcome"], registry=here)
        self.missing = Counter("vigie_calls_missing", "Forgotten alerts that the auditor found", registry=here)
        for metric, known in (
            (self.decisions, DECISIONS), (self.closed, ENDINGS), (self.ended, WAYS_TO_END), (self.calls, ROLES),
            (self.rings, [("done",), ("failed",)]),
        ):
            for labels in known:
                metric.labels(*labels)          # told from the first, as zero: or nobody could see the first one happen

    # --- deliveries that were dropped ---

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

    # --- the text ---

    def expose(self, desk: Desk, depth: int) -> bytes:
        """The Prometheus text of this instant; what only the database knows is not a number while it is silent."""
        with self._looking:                     # two who ask at once would count the same entries twice
            self.depth.set(depth)
            try:
                with desk.read() as connection:
                    self._look(desk, connection)
                    for happening in self._happenings.since_last(connection):
                        self._count(happening)
            except sa.exc.SQLAlchemyError:
                self._blind()
            return generate_latest(self.registry)

    def _look(self, desk: Desk, connection: sa.Connection) -> None:
        now = desk.clock.now()
        self.waiting.set(cards.backlog(connection)[0])
        _fill(self.alerts, {(source, state): count for source, state, count in observations.alerts_by_source(connection)})
        running = figures.under_way(connection)
        _fill(self.under_way, {(state,): running.get(state, 0) for state in runs.UNDER_WAY})
        self.in_doubt.set(figures.in_doubt(connection))
        self.questions.set(figures.questions(connection, now))
        self.glass.set(figures.glass(connection))
        _fill(self.stopped, {(each.scope,): 1 for each in rungs.switches(connection)})
        _fill(self.escalations, {(state,): count for state, count in escalations.standing(connection).items()})
        self.silences.set(len(pages.silences(connection, now)))
        standing = Tally(ladder.rung(connection, each.runbook) for each in desk.catalogue.entries.values())
        _fill(self.runbooks, {(rung,): standing[rung] for rung in RUNGS})
        _fill(self.held_back, deferrals.counts(connection))
        self.failing.set(len(setbacks.standing(desk, connection)))
        self.stale.set(len(stale(desk.catalogue, now.date())))

    def _blind(self) -> None:
        for unknown in (self.waiting, self.in_doubt, self.questions, self.glass, self.stale, self.silences, self.failing):
            unknown.set(math.nan)
        for each in (self.alerts, self.under_way, self.stopped, self.runbooks, self.held_back):
            each.clear()

    def _count(self, happening: Happening) -> None:
        match happening:
            case Decided(decision):
                self.decisions.labels(decision).inc()
            case Closed(ending):
                self.closed.labels(ending).inc()
            case Ended(state, mode, purpose):
                self.ended.labels(state, mode, purpose).inc()
            case Approved(seconds):
                self.approved.observe(seconds)
            case Called(role):
                self.calls.labels(role).inc()
            case Rung(outcome):
                self.rings.labels(outcome).inc()
            case Missing():
                self.missing.inc()


def _fill(gauge: Gauge, values: Mapping[tuple[str, ...], float]) -> None:
    """These and no others."""
    gauge.clear()
    for labels, value in values.items():
        gauge.labels(*labels).set(value)
