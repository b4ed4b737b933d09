"""How long does a call take, and how does it fail? Drawn anew for each call, so that a retry can fare better."""

import math
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from loadtest.simulator.script import Latency, Limits, Model


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """Seconds: before the first token, for each token after it, and of a stall before the chunk at ``stall_at``."""

    first_token_s: float
    token_s: float
    stall_s: float
    stall_at: float


def pace(latency: Latency, rng: random.Random) -> Pace:
    """Draw the times of one call."""
    first = latency.first_token_ms
    if latency.kind == "lognormal" and first > 0:
        first *= math.exp(latency.sigma * rng.gauss(0.0, 1.0))
    if rng.random() < latency.tail.share:
        first += latency.tail.ms
    stalls = rng.random() < latency.stall.share
    return Pace(
        first_token_s=first / 1000,
        token_s=1 / latency.tokens_per_s if latency.tokens_per_s else 0.0,
        stall_s=latency.stall.ms / 1000 if stalls else 0.0,
        stall_at=rng.random(),
    )


def fault(model: Model, rng: random.Random) -> str | None:
    """Which error of the model's mix strikes this call, if any."""
    point = rng.random()
    for kind, share in model.errors.items():
        if point < share:
            return kind
        point -= share
    return None


class Throttle:
    """A model's own rate limits, over a sliding minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._calls: deque[tuple[float, int]] = deque()
        self._tokens = 0

    def wait_s(self, limits: Limits, tokens: int, in_flight: int) -> float | None:
        """Seconds to wait when the call must be refused; ``None`` when it may pass (and is counted)."""
        now = self._clock()
        while self._calls and self._calls[0][0] <= now - 60:
            self._tokens -= self._calls.popleft()[1]
        if limits.concurrency and in_flight > limits.concurrency:
            return 1.0
        full = (limits.rpm and len(self._calls) >= limits.rpm) or (limits.tpm and self._tokens + tokens > limits.tpm)
        if full:
            return max(0.1, self._calls[0][0] + 60 - now) if self._calls else 60.0
        if limits.rpm or limits.tpm:
            self._calls.append((now, tokens))
            self._tokens += tokens
        return None
