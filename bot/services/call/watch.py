"""All that time does about calls, as the doors at which the clock knocks."""

from collections.abc import Callable, Iterable

from bot.services.call import auditor, escalation, silences
from bot.services.call.heartbeat import Get, Heartbeat, Pulse
from bot.services.call.media import Ringer, Ringing
from bot.services.desk import Desk

TICK_S, RING_S, MINUTE_S = 5, 1, 60

Door = tuple[float, str, Callable[[], object]]


class Watch:
    """One process's part in it: several do no harm."""

    def __init__(self, desk: Desk, secret: Callable[[str], str], ringer: Ringer, get: Get) -> None:
        self._desk, self._secret = desk, secret
        self.pulse = Pulse(desk.clock.now())
        self.ringing = Ringing(desk, secret, ringer)
        self.heartbeat = Heartbeat(desk, self.pulse, lambda: secret(desk.config.heartbeat or ""), get)

    def doors(self) -> Iterable[Door]:
        """How often in seconds, what it is called, what to do."""
        yield TICK_S, "escalate", self.tick
        yield RING_S, "ring", self.ringing.act
        yield MINUTE_S, "audit calls", self.audit
        if self._desk.config.heartbeat:
            yield MINUTE_S, "heartbeat", self.heartbeat.act

    def tick(self) -> None:
        silences.act(self._desk)
        escalation.act(self._desk)
        self.pulse.ticked_at = self._desk.clock.now()

    def audit(self) -> None:
        self.pulse.forgotten = sum(not each.mended for each in auditor.audit(self._desk))
