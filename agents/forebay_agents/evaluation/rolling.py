"""How good have a model's answers been lately? A rolling mean of its scores, shared by all workers in Redis.

Without Redis the worker goes on with the scores it has seen itself: judging never stops traffic.
"""

from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Any, Protocol

from forebay.state.keys import Common, Prefix, plain
from forebay.state.redis_client import redis_errors


@dataclass(frozen=True, kw_only=True, slots=True)
class Rolling:
    """Mean over the latest ``samples`` scores of a model."""

    mean: float
    samples: int


class ScoreStore(Protocol):
    """Keeps the latest scores of each model."""

    async def push(self, model: str, score: float, window: int) -> list[float]:
        """Add ``score``; the latest ``window`` scores, this one included."""
        ...


class LocalScores:
    """Scores in memory."""

    def __init__(self) -> None:
        self._scores: defaultdict[str, deque[float]] = defaultdict(deque)

    async def push(self, model: str, score: float, window: int) -> list[float]:
        """See :class:`ScoreStore`."""
        scores = self._scores[model]
        scores.append(score)
        while len(scores) > window:
            scores.popleft()
        return list(scores)


class RedisScores:
    """Scores in Redis, falling back to memory; ``client`` is a ``redis.asyncio`` client."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = Prefix(prefix)
        self._local = LocalScores()

    async def push(self, model: str, score: float, window: int) -> list[float]:
        """See :class:`ScoreStore`."""
        local = await self._local.push(model, score, window)
        key = self._prefix + plain(Common.SCORES, model)
        try:
            pipeline = self._client.pipeline(transaction=True)
            pipeline.lpush(key, f"{score:.4f}")
            pipeline.ltrim(key, 0, window - 1)
            pipeline.lrange(key, 0, window - 1)
            return [float(item) for item in (await pipeline.execute())[2]]
        except redis_errors():
            return local


async def add_score(store: ScoreStore, model: str, score: float, window: int) -> Rolling:
    """Take a score in; the rolling mean with it."""
    scores = await store.push(model, score, window)
    return Rolling(mean=sum(scores) / len(scores), samples=len(scores))
