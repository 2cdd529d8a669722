"""The life of an alert against a small model of it: words in any order, people, time, crashes at any point."""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from bot.config.catalogue import Catalogue
from bot.errors import Refused
from bot.services.alert import assigning, due, response
from bot.services.alert.arrivals import arrivals
from bot.services.alert.intake import take
from bot.services.call import calling
from bot.services.desk import Actor, Desk
from bot.sources import Delivery
from bot.store import alerts
from bot.store.alerts import Alert
from bot.store.db import create_engine
from tests import laws, planted
from tests.fakes import CountingIds, KillAt, Killed, ManualClock
from tests.story import ALICE, CONFIG, LEA, signal

PROBATION = timedelta(minutes=CONFIG.probation.minutes)
ENDPOINT = "bridge-generic"

observers = st.sampled_from(["CloudWatch", "Probe"])
states = st.sampled_from(["firing", "firing", "recovered", "recovered", "no data"])
VERBS = ("ack", "ack", "close", "close", "snooze", "assign", "note")
deaths = st.sampled_from([0, 0, 0, 1, 2])       # the kill point of a deed at which the process dies
reasons = st.sampled_from([True, True, False])
people = st.sampled_from([ALICE, LEA])

Word = tuple[str, str, float]           # observer, state, seconds after the beginning


class Life:
    """What README says of an alert's life, in as few words as possible: one problem, its observers, one state."""

    def __init__(self) -> None:
        self.state = ""
        self.seen = False
        self.assigned: str | None = None
        self.recovered_at: datetime | None = None
        self._ever: dict[tuple[str, str], float] = {}           # an observer's newest word of each state
        self._now: dict[str, tuple[float, str]] = {}            # what each observer says of the open alert

    def hear(self, word: Word, received_at: datetime) -> None:
        observer, state, at = word
        recovered = self._ever.get((observer, "recovered"), -1.0)
        if self.state in ("", "closed"):
            self._hear_unopened(observer, state, at, recovered, received_at)
        elif at >= self._now.get(observer, (recovered, ""))[0]:
            self._now[observer] = at, state
            self._act(state, received_at)
        self._ever[observer, state] = max(at, self._ever.get((observer, state), at))

    def _hear_unopened(self, observer: str, state: str, at: float, recovered: float, received_at: datetime) -> None:
        told_before = at <= self._ever.get((observer, "firing"), -1.0)
        if state == "recovered" or (told_before and at < recovered):
            return
        self.state, self.seen, self.assigned = "firing", False, None
        self._now = {observer: (at, state)}
        if recovered > at:
            self._now = {observer: (recovered, "recovered")}
            self._act("recovered", received_at)

    def _act(self, state: str, received_at: datetime) -> None:
        if state == "firing" and self.state == "recovered":
            self.state = "firing"
        if state == "recovered" and self.state != "recovered" and {said for _, said in self._now.values()} == {"recovered"}:
            self.state, self.recovered_at = "recovered", received_at

    def pass_time(self, now: datetime) -> None:
        silent = any(said == "no data" for _, said in self._now.values())
        if self.state == "recovered" and not silent and self.recovered_at and now >= self.recovered_at + PROBATION:
            self.state = "closed"

    def lapse(self) -> None:
        self.state = "firing" if self.state == "acked" else self.state

    def act(self, verb: str, reason: bool, person: str) -> bool:
        """Whether the person may; then it is so."""
        trouble, open_ = self.state in ("firing", "acked"), self.state not in ("", "closed")
        if verb == "ack":
            allowed = self.state == "firing" or (not trouble and not self.seen)
            self.state = "acked" if self.state == "firing" else self.state
        elif verb == "close":
            allowed = open_ and (reason or not trouble)
            self.state = "closed" if allowed else self.state
        elif verb == "assign":
            allowed = open_ and self.assigned != person
            self.assigned = person if allowed else self.assigned
        else:
            allowed = trouble if verb == "snooze" else True
        self.seen = self.seen or (allowed and verb != "note")
        return allowed


class AlertLife(RuleBasedStateMachine):
    """Every rule does the same to Vigie and to the model; any of them may die half-way."""

    template: Path
    folder: Path
    numbers = count()
    steps: set[tuple[str, str]] = set()

    def __init__(self) -> None:
        super().__init__()
        file = shutil.copy(self.template, self.folder / f"life-{next(self.numbers)}.db")
        self.engine = create_engine(f"sqlite:///{file}")
        self.clock, self.ids, self.life = ManualClock(), CountingIds(), Life()
        self.sent: list[tuple[str, Word]] = []
        self.held: list[tuple[str, Word]] = []

    def teardown(self) -> None:
        self.engine.dispose()

    # --- words ---

    @rule(observer=observers, state=states, dies=deaths)
    def told(self, observer: str, state: str, dies: int) -> None:
        self._deliver(self._word(observer, state), dies=dies)

    @rule(observer=observers, state=states)
    def told_and_underway(self, observer: str, state: str) -> None:
        self.held.append(self._word(observer, state))

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0, 20))
    def arrives_at_last(self, which: int) -> None:
        self._deliver(self.held.pop(which % len(self.held)))

    @precondition(lambda self: len(self.held) > 1)
    @rule()
    def all_arrive_together(self) -> None:
        together, self.held = self.held[::-1], []
        self._deliver(*together)

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(0, 20), same_id=st.booleans())
    def told_again(self, which: int, same_id: bool) -> None:
        id, word = self.sent[which % len(self.sent)]
        self._deliver((id if same_id else self.ids.new(), word))

    def _word(self, observer: str, state: str) -> tuple[str, Word]:
        said = (self.clock.advance(1) - ManualClock().now()).total_seconds()
        return self.ids.new(), (observer, state, said)

    def _deliver(self, *words: tuple[str, Word], dies: int = 0) -> None:
        now, known = self.clock.now(), {id for id, _ in self.sent}
        given = Delivery(ENDPOINT, CONFIG.endpoints[ENDPOINT], b"{}", {}, now)
        brought = [
            each for id, (observer, state, at) in words
            for each in arrivals(CONFIG, Catalogue(), given, id, "{}", [signal(state, at, observer=observer)])
        ]
        self._do(lambda desk: take(desk, brought), dies)
        for id, word in words:
            if id not in known:
                self.life.hear(word, now)
                self.sent.append((id, word))

    # --- people ---

    @precondition(lambda self: self.life.state)
    @rule(actor=people, verb=st.sampled_from(VERBS), reason=reasons, dies=deaths)
    def somebody_acts(self, actor: Actor, verb: str, reason: bool, dies: int) -> None:
        alert, token = self._newest(), self.ids.new()
        acts: dict[str, Callable[[Desk], Any]] = {
            "ack": lambda desk: response.ack(desk, alert, actor, token),
            "close": lambda desk: response.close(desk, alert, actor, token if reason else ""),
            "snooze": lambda desk: response.snooze(desk, alert, actor, timedelta(minutes=7), token),
            "assign": lambda desk: assigning.assign(desk, alert, actor, actor.key, token),
            "note": lambda desk: response.note(desk, alert, actor, token),
        }
        done = self._do(acts[verb], dies, token if verb != "close" or reason else "")
        assert done == self.life.act(verb, reason, actor.key), f"{verb} of a {alert.state} alert: done is {done}"

    # --- time ---

    @precondition(lambda self: self.life.state == "acked")
    @rule()
    def whoever_has_it_goes(self) -> None:
        self._do(self._lapse, 0)
        self.life.lapse()

    def _lapse(self, desk: Desk) -> None:
        had = [self._newest()]
        with desk.begin("lapse") as connection:
            calling.lapse(connection, had, "has been silent", self.clock.now())

    @rule(minutes=st.sampled_from([1, 5, 16]), dies=deaths)
    def time_passes(self, minutes: int, dies: int) -> None:
        self.clock.advance(minutes * 60)
        self._do(due.act, dies)
        self.life.pass_time(self.clock.now())

    def _do(self, deed: Callable[[Desk], Any], dies: int, token: str = "") -> bool:
        """Whether it was done; who gets no answer looks whether it was done and, if not, does it again."""
        try:
            return self._done(deed, KillAt(None, dies))
        except Killed:
            if not self._was_written(token):
                self._done(deed, KillAt("never"))
            return True         # what is refused passes no kill point

    def _done(self, deed: Callable[[Desk], Any], kill: KillAt) -> bool:
        try:
            deed(Desk(self.engine, CONFIG, self.clock, self.ids, kill))
        except Refused:
            return False
        return True

    def _was_written(self, token: str) -> bool:
        with self.engine.connect() as connection:
            return bool(token) and laws.words_done(connection)[token] > 0

    # --- what must be true ---

    @invariant()
    def vigie_says_what_the_model_says(self) -> None:
        found = self._newest()
        assert (found.state if found else "") == self.life.state

    @invariant()
    def no_law_is_broken(self) -> None:
        with self.engine.connect() as connection:
            assert laws.broken(connection, CONFIG) == []
            for path in laws.steps(connection).values():
                self.steps.update(pairwise(path))

    def _newest(self) -> Alert:
        with self.engine.connect() as connection:
            return next(iter(alerts.recent(connection, most=1)), None)  # type: ignore[return-value]


@pytest.fixture
def lives(sqlite_template: Path, tmp_path: Path) -> Callable[..., None]:
    AlertLife.template, AlertLife.folder = sqlite_template, tmp_path

    def run(examples: int, *phases: Phase) -> None:
        given = settings(
            max_examples=examples, stateful_step_count=30, derandomize=True, database=None, deadline=None,
            suppress_health_check=list(HealthCheck), phases=phases or (Phase.generate,), print_blob=False,
        )
        run_state_machine_as_test(AlertLife, settings=given)

    return run


def test_an_alert_lives_as_the_model_says_and_goes_every_way_there_is(lives):
    AlertLife.steps = set()

    lives(60)

    assert AlertLife.steps == laws.TRANSITIONS


@pytest.mark.parametrize("bug", [
    planted.two_commits_instead_of_one, planted.no_delivery_key, planted.a_late_recovery_closes_early,
    planted.probation_cut_short, planted.the_first_of_two_loses, planted.silence_taken_for_recovery,
], ids=lambda bug: bug.__name__)
def test_the_model_notices_a_planted_bug(lives, bug):
    with bug(), pytest.raises(AssertionError):
        lives(60, Phase.generate)
