"""The stage ``review``: ``completions`` and ``feedback`` in, ``reviews`` out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from forebay.avro.codec import open_codecs
from forebay.avro.registry import open_registry
from forebay.contract.handlers import Route
from forebay.contract.names import topics_read
from forebay.runtime.stage import Stage
from forebay.settings import RedisSettings, Settings, StageSettings, TenantSettings
from forebay.state.redis_watch import open_state
from forebay_agents.review.handler import ReviewHandler
from forebay_agents.review.recent import RedisRecentOutcomes
from forebay_agents.review.settings import ReviewSettings


@asynccontextmanager
async def review_stage(settings: Settings) -> AsyncIterator[Stage]:
    """The stage ``review``."""
    codec = open_codecs(settings, open_registry(settings))["completions"]
    async with open_state(settings) as client:
        recent = RedisRecentOutcomes(client, settings[RedisSettings].key_prefix, codec, settings[ReviewSettings].keep_s)
        handler = ReviewHandler(recent)
        yield Stage(
            name="review",
            routes=[
                Route(topic="completions", handle=handler.remember, patient=True),
                *(
                    Route(topic=name, handle=handler.feedback, patient=True)
                    for name in topics_read("feedback", settings[TenantSettings])
                ),
            ],
            limits=settings[StageSettings],
        )
