"""The cache stage: opens Redis and the encoder, and wires the handlers to their topics."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from agents.cache.keeping import Keeper
from agents.cache.locating import Locator, Reader
from agents.cache.lookup import Lookup
from agents.cache.metrics import METRICS
from agents.cache.plain import CosineMatcher
from agents.cache.redis_store import RedisStore
from agents.cache.settings import CacheSettings
from agents.cache.stage import CacheStage
from streams.encoder import minilm
from streams.handlers import Route
from streams.settings import RedisSettings, Settings, StageSettings
from streams.stage import Stage


@asynccontextmanager
async def cache_stage(settings: Settings) -> AsyncIterator[Stage]:
    """The stage ``cache``."""
    own, redis = settings[CacheSettings], settings[RedisSettings]
    timeout_s = redis.timeout_ms / 1000
    client = Redis.from_url(
        redis.url.get_secret_value(), socket_timeout=timeout_s, socket_connect_timeout=timeout_s, protocol=2
    )
    matcher = CosineMatcher(minilm())
    store = RedisStore(client, redis.key_prefix)
    try:
        # One thread: the two cores are shared with the other stages, and inference uses one anyway.
        with ThreadPoolExecutor(1, thread_name_prefix="encoder") as executor:
            locator, reader = Locator(store, own, matcher.identity), Reader(matcher, executor)
            handlers = CacheStage(
                Lookup(store, locator, reader, matcher, own, METRICS),
                Keeper(store, locator, reader, matcher, own),
                own,
                METRICS,
            )
            yield Stage(
                name="cache",
                routes=[
                    Route(topic="requests.redacted", handle=handlers.answer, on_failure=handlers.failed),
                    Route(topic="completions", handle=handlers.keep),
                    Route(topic="corrections", handle=handlers.correct),
                ],
                limits=settings[StageSettings],
            )
    finally:
        await client.aclose()
