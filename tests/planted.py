"""Bugs to plant: each breaks one promise of the product, so that the tests can prove that they would notice."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any
from unittest import mock

import sqlalchemy as sa

from bot.errors import Unavailable
from bot.services.alert import due, folding, intake, proving, response
from bot.services.alert.intake import Intake
from bot.services.ledger import journal
from bot.services.slack import courier
from bot.store import batch, cards

Planted = AbstractContextManager[Any]


def two_commits_instead_of_one() -> Planted:
    """The journal is written after the act, in a transaction of its own."""
    begin = response.Desk.begin

    @contextmanager
    def begin_twice(desk: Any, verb: str) -> Iterator[sa.Connection]:
        later: list[dict[str, Any]] = []
        keep = mock.patch.object(journal, "record", lambda _connection, **given: later.append(given))
        with keep, begin(desk, verb) as connection:
            yield connection
        if later:
            with begin(desk, "journal") as connection:
                for each in later:
                    journal.record(connection, **each)

    return mock.patch.object(response.Desk, "begin", begin_twice)


def no_delivery_key() -> Planted:
    """A delivery that comes again is taken again."""
    add = batch.add_signals

    def add_anyway(connection: sa.Connection, records: Any) -> int:
        add(connection, records)
        return len(records)

    return _both(
        mock.patch.object(batch, "known_deliveries", lambda _connection, _deliveries: set()),
        mock.patch.object(batch, "add_signals", add_anyway),
    )


def answered_before_the_commit() -> Planted:
    """2xx as soon as it is in memory."""

    async def take(self: Intake, given: Any) -> None:
        self._waiting.append((given, _nobody()))
        if len(self._waiting) >= 3:             # written a little later, with those that come next
            held, self._waiting = self._waiting, []
            intake.take(self._desk, [each for one, _ in held for each in one])

    return mock.patch.object(Intake, "take", take)


def _nobody() -> Any:
    return mock.Mock()


def a_late_recovery_closes_early() -> Planted:
    """Words act in the order in which they come in, not in which they were said."""

    def fold(episode: Any, arrival: Any, probation: Any) -> None:
        episode.observers.pop(arrival.signal.observer, None)
        right(episode, arrival, probation)

    right = folding.fold
    return mock.patch.object(folding, "fold", fold)


def a_post_sent_again_blindly() -> Planted:
    """No attempt is written down, nothing is read back."""

    async def just_do_it(_engine: Any, _key: str, _at: Any, effect: Callable[[], Any], _reconcile: Any) -> Any:
        return await effect()

    return mock.patch.object(courier, "once", just_do_it)


def a_doubt_forgotten() -> Planted:
    """Slack was too busy to be read back, and that is taken for "it is not there"."""

    class Certain(Unavailable):
        def __new__(cls, *words: Any) -> Any:
            return Unavailable(*words)

    return mock.patch.object(courier, "InDoubt", Certain)


def probation_cut_short() -> Planted:
    """Recovered is as good as closed."""
    end = proving.end_probation
    table = due.alerts.alert

    def end_now(desk: Any, connection: sa.Connection, alert: Any, now: Any) -> bool:
        connection.execute(sa.update(table).where(table.c.id == alert.id, table.c.state == "recovered").values(due_at=now))
        with mock.patch.object(desk.__class__, "probation", lambda _desk, _runbook: timedelta()):
            return end(desk, connection, alert, now)

    def recovered(connection: sa.Connection, _now: Any) -> list[Any]:
        query = sa.select(table.c.id).where(table.c.state == "recovered").order_by(table.c.id)
        return [due.alerts.by_id(connection, each) for each in connection.execute(query).scalars().all()]

    return _both(mock.patch.object(proving, "end_probation", end_now), mock.patch.object(due.alerts, "due", recovered))


def one_green_observer_closes_the_card() -> Planted:
    """What still fires on the same card is not looked at."""

    def quiet_at(desk: Any, members: Any) -> Any:
        return max(each.recovered_at + desk.probation(None) for each in members if each.recovered_at)

    return mock.patch.object(proving, "_quiet_at", quiet_at)


def silence_taken_for_recovery() -> Planted:
    """No data counts as OK."""
    return mock.patch.dict(folding._ACT, {folding.NO_DATA: _as_recovery})


def _as_recovery(episode: Any, arrival: Any, probation: Any) -> None:
    episode.observers[arrival.signal.observer] = (folding.RECOVERED, arrival.signal.at)
    folding._recover(episode, arrival, probation)


def the_first_of_two_loses() -> Planted:
    """An act does not look at the state it finds."""

    def change(connection: sa.Connection, alert_id: int, _states: Any, **values: Any) -> bool:
        table = response.alerts.alert
        return connection.execute(sa.update(table).where(table.c.id == alert_id).values(**values)).rowcount == 1

    return mock.patch.object(response.alerts, "change", change)


def a_newer_revision_forgotten() -> Planted:
    """What changed while the card was on its way is never shown."""

    def shown(connection: sa.Connection, sent: Any, ts: str, _revision: int, now: Any, late_s: Any) -> None:
        right(connection, sent, ts, sent.revision, now, late_s)
        connection.execute(sa.update(cards.post).where(cards.post.c.id == sent.id).values(due_at=None))

    right = cards.shown
    return mock.patch.object(cards, "shown", shown)


def a_lane_never_given_free() -> Planted:
    """The end of a delivery run is not written down."""
    return mock.patch.object(cards, "release", lambda _connection, _channel, _generation: True)


def a_lane_given_free_twice() -> Planted:
    """A run that comes back from the dead does not notice that its channel is not its own any more."""

    def release(connection: sa.Connection, channel: str, generation: int) -> bool:
        mine = (cards.lane.c.channel == channel, cards.lane.c.generation == generation)
        connection.execute(sa.update(cards.lane).where(*mine).values(busy=False))
        return True

    return mock.patch.object(cards, "release", release)


@contextmanager
def _both(one: Planted, other: Planted) -> Iterator[None]:
    with one, other:
        yield


IN_A_NIGHT: tuple[Callable[[], Planted], ...] = (
    two_commits_instead_of_one, no_delivery_key, answered_before_the_commit, a_late_recovery_closes_early,
    a_post_sent_again_blindly, a_doubt_forgotten, probation_cut_short, silence_taken_for_recovery,
    the_first_of_two_loses, a_newer_revision_forgotten, a_lane_never_given_free, one_green_observer_closes_the_card,
)
