"""How fast the app may call: one message a second and channel, and Slack's tiers for the rest."""

import math
from datetime import datetime

POST = "chat.postMessage"
POSTS_A_SECOND, POST_BURST = 1.0, 3.0
POSTS_A_MINUTE = 300.0              # of all channels together: "several hundred"
TIERS = {0: 0.0, 1: 1.0, 2: 20.0, 3: 50.0, 4: 100.0}      # calls a minute; 0: no limit that we know of


class Bucket:
    """A token bucket: `rate` tokens a second, at most `burst` of them kept."""

    def __init__(self, rate: float, burst: float, now: datetime) -> None:
        self.rate, self.burst = rate, burst
        self.tokens, self.at = burst, now

    def wait(self, now: datetime) -> float:
        """Seconds until a token is there; 0 when there is one."""
        passed = max(0.0, (now - self.at).total_seconds())
        self.tokens = min(self.burst, self.tokens + passed * self.rate)
        self.at = now
        return max(0.0, (1.0 - self.tokens) / self.rate)


class Pace:
    """All buckets. `speed` multiplies every limit; 0 switches them off."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self.buckets: dict[str, Bucket] = {}

    def retry_after(self, method: str, tier: int, channel: str, now: datetime) -> int:
        """0 when the call may go on, and then it is counted; else the seconds to wait."""
        if not self.speed:
            return 0
        buckets = [self.bucket(name, rate, burst, now) for name, rate, burst in limits(method, tier, channel)]
        wait = max((bucket.wait(now) for bucket in buckets), default=0.0)
        if wait > 0:
            return math.ceil(wait)
        for bucket in buckets:
            bucket.tokens -= 1
        return 0

    def bucket(self, name: str, rate: float, burst: float, now: datetime) -> Bucket:
        if name not in self.buckets:
            self.buckets[name] = Bucket(rate * self.speed, burst * max(1.0, self.speed), now)
        return self.buckets[name]


def limits(method: str, tier: int, channel: str) -> list[tuple[str, float, float]]:
    """The buckets that one call draws from: name, tokens a second, burst."""
    if method == POST:
        everywhere = (POST, POSTS_A_MINUTE / 60, POSTS_A_MINUTE / 2)
        return [(f"{POST} {channel}", POSTS_A_SECOND, POST_BURST), everywhere]
    if not TIERS[tier]:
        return []
    return [(method, TIERS[tier] / 60, max(2.0, TIERS[tier] / 2))]
