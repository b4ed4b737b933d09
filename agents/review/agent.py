"""The stage ``review``: ``completions`` and ``feedback`` in, ``reviews`` out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agents.review.handler import ReviewHandler
from agents.review.recent import RedisRecentOutcomes
from agents.review.settings import ReviewSettings
from streams.codec import open_codecs
from streams.handlers import Route
from streams.redis_client import open_redis
from streams.registry import open_registry
from streams.settings import RedisSettings, Settings, StageSettings
from streams.stage import Stage


@asynccontextmanager
async def review_stage(settings: Settings) -> AsyncIterator[Stage]:
    """The stage ``review``."""
    codec = open_codecs(settings, open_registry(settings))["completions"]
    async with open_redis(settings) as client:
        recent = RedisRecentOutcomes(client, settings[RedisSettings].key_prefix, codec, settings[ReviewSettings].keep_s)
        handler = ReviewHandler(recent)
        yield Stage(
            name="review",
            routes=[
                Route(topic="completions", handle=handler.remember),
                Route(topic="feedback", handle=handler.feedback),
            ],
            limits=settings[StageSettings],
        )
