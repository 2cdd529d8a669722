"""How signals change an alert; pure: the state of its episode in, the changed state and what happened out."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.services.alert.triage import Verdict
from bot.sources import FIRING, GONE, NO_DATA, RECOVERED, Signal

RANK = {"info": 0, "warning": 1, "high": 2, "critical": 3}

OPENED, WORSENED, RECOVERED_NOW, RELAPSED = "alert opened", "alert worsened", "alert recovered", "alert relapsed"
SILENT, LEFT, STALE = "observer silent", "observer gone", "old news"
FORMER_OBSERVER, NEWS = "CloudWatch", "event:"      # who told all of AWS's news once, and how the key of such news begins
SHOWN, OFFERED = "show", "offer"        # decisions after which nobody acts unless it gets worse

Words = Mapping[tuple[str, str], datetime]      # the newest word of each observer and state


@dataclass(frozen=True, slots=True)
class Arrival:
    """One signal on its way in, with all that was found out about it before the transaction."""

    delivery: str
    fingerprint: str
    signal: Signal
    source: str
    endpoint: str
    organisation: str
    service: str
    verdict: Verdict
    received_at: datetime
    body: str


@dataclass(slots=True)
class Episode:
    """A working copy of one alert while a batch is folded into it; `id` is None until it is stored."""

    fingerprint: str
    channel: str
    severity: str
    important: bool
    runbook: str | None = None          # the one that recognises it
    symptom: str | None = None          # with whose other alerts it shares a card
    decision: str | None = None         # None: what to do about it is to be decided
    fixed_by: int | None = None         # the run that fixed it
    id: int | None = None
    group_id: int | None = None
    state: str = FIRING
    signals: int = 0
    relapses: int = 0
    acked_by: str | None = None
    acked_at: datetime | None = None
    snoozed_until: datetime | None = None
    recovered_at: datetime | None = None
    due_at: datetime | None = None
    observers: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    opener: Arrival | None = None
    updated_at: datetime | None = None
    events: list[tuple[str, Arrival]] = field(default_factory=list)
    observed: dict[str, Arrival] = field(default_factory=dict)
    counted: set[str] = field(default_factory=set)
    undone: int | None = None           # the run that had seemed to fix it

    @property
    def joined(self) -> bool:
        """Whether another alert founded its group."""
        return self.group_id != self.id


def as_known(episode: Episode | None, arrival: Arrival) -> Arrival:
    """An alert that knows its news of AWS as CloudWatch's goes on so: under a new name the old word would fire for ever."""
    signal = arrival.signal
    if episode is None or FORMER_OBSERVER not in episode.observers or not signal.key.startswith(NEWS):
        return arrival
    return replace(arrival, signal=replace(signal, observer=FORMER_OBSERVER))


def opens(arrival: Arrival) -> bool:
    """Only trouble opens an alert; a source that merely lost a metric (`info`) does not."""
    signal = arrival.signal
    return signal.state == FIRING or (signal.state == NO_DATA and arrival.verdict.severity != "info")


def begin(arrival: Arrival) -> Episode:
    """The episode that this signal opens."""
    verdict = arrival.verdict
    episode = Episode(
        arrival.fingerprint, verdict.channel, verdict.severity, verdict.important, verdict.runbook, verdict.symptom,
        SHOWN if verdict.only_shown else None, opener=arrival,
    )
    episode.events.append((OPENED, arrival))
    return episode


def fold(episode: Episode, arrival: Arrival, probation: timedelta) -> None:
    """Lets one signal act on its alert. Older news of an observer than its last is counted and changes nothing."""
    signal = arrival.signal
    count(episode, arrival)
    last = episode.observers.get(signal.observer)
    if last is not None and signal.at < last[1]:
        return
    if last is None or last != (signal.state, signal.at):
        episode.observers[signal.observer] = (signal.state, signal.at)
        episode.observed[signal.observer] = arrival
    _ACT[signal.state](episode, arrival, probation)


def count(episode: Episode, arrival: Arrival) -> None:
    """One signal more, whatever it says."""
    episode.signals += 1
    episode.counted.add(arrival.delivery)
    episode.updated_at = arrival.received_at


def _fire(episode: Episode, arrival: Arrival, _probation: timedelta) -> None:
    if episode.state == "recovered":
        episode.state, episode.relapses = "firing", episode.relapses + 1
        episode.recovered_at = episode.due_at = episode.acked_by = episode.acked_at = episode.decision = None
        episode.undone, episode.fixed_by = episode.fixed_by, None
        episode.events.append((RELAPSED, arrival))
    if RANK[arrival.verdict.severity] > RANK[episode.severity]:
        episode.severity = arrival.verdict.severity
        episode.events.append((WORSENED, arrival))
    _weigh(episode, arrival.verdict)


def _weigh(episode: Episode, verdict: Verdict) -> None:
    """A worse word may make it important, or be one that a runbook recognises: then it is decided about again."""
    weighed = (episode.important, episode.runbook)
    episode.important = episode.important or verdict.important
    episode.runbook = episode.runbook or verdict.runbook
    if weighed != (episode.important, episode.runbook) and episode.decision in (SHOWN, OFFERED):
        episode.decision = None


def _recover(episode: Episode, arrival: Arrival, probation: timedelta) -> None:
    if any(state != RECOVERED for state, _ in episode.observers.values()):
        return
    if episode.state == "recovered":        # said again, to one that was not found well when its time was over
        episode.due_at = episode.due_at or arrival.received_at
        return
    episode.state = "recovered"
    episode.recovered_at = arrival.received_at
    episode.snoozed_until = None
    episode.due_at = arrival.received_at + probation
    episode.events.append((RECOVERED_NOW, arrival))


def _go_silent(episode: Episode, arrival: Arrival, _probation: timedelta) -> None:
    """No signal is not OK, and it is not news of a fault either: it is written down."""
    if episode.opener is not arrival:
        episode.events.append((SILENT, arrival))


def _leave(episode: Episode, arrival: Arrival, _probation: timedelta) -> None:
    """What watched it was taken away: nothing will end it but a person, or one who watches it again."""
    episode.events.append((LEFT, arrival))


_ACT = {FIRING: _fire, RECOVERED: _recover, NO_DATA: _go_silent, GONE: _leave}


def remember(words: MutableMapping[tuple[str, str], datetime], arrival: Arrival) -> None:
    """What comes later in the same batch knows of it too."""
    said = arrival.signal
    words[said.observer, said.state] = max(said.at, words.get((said.observer, said.state), said.at))


def is_new_to(episode: Episode | None, arrival: Arrival) -> bool:
    """Whether the alert has not heard this observer yet: then its words before the opening count too."""
    return episode is None or arrival.signal.observer not in episode.observers


def is_overtaken(episode: Episode, arrival: Arrival, words: Words) -> bool:
    """Whether an observer new to this alert had told of its recovery before this older word came in."""
    recovered = words.get((arrival.signal.observer, RECOVERED))
    return is_new_to(episode, arrival) and recovered is not None and arrival.signal.at < recovered


def is_old_news(arrival: Arrival, words: Words) -> bool:
    """Whether its observer has told this very firing before and a recovery since."""
    fired, recovered = words.get((arrival.signal.observer, FIRING)), words.get((arrival.signal.observer, RECOVERED))
    return fired is not None and recovered is not None and arrival.signal.at <= fired and arrival.signal.at < recovered


def late_recovery(episode: Episode, arrival: Arrival, words: Words, probation: timedelta) -> None:
    """An alarm that comes in after its own recovery opens the alert as recovered: seen, counted, and closing."""
    recovered = words.get((arrival.signal.observer, RECOVERED))
    if recovered is not None and recovered > arrival.signal.at:
        episode.observers[arrival.signal.observer] = (RECOVERED, recovered)
        _recover(episode, arrival, probation)


def as_change(episode: Episode) -> dict[str, Any]:
    """The columns that a fold may change, by name."""
    return {
        "id": episode.id, "state": episode.state, "severity": episode.severity, "important": episode.important,
        "updated_at": episode.updated_at, "signals": episode.signals, "relapses": episode.relapses,
        "acked_by": episode.acked_by, "acked_at": episode.acked_at, "snoozed_until": episode.snoozed_until,
        "recovered_at": episode.recovered_at, "due_at": episode.due_at, "runbook": episode.runbook,
        "recognised": episode.runbook is not None, "decision": episode.decision, "fixed_by": episode.fixed_by,
    }
