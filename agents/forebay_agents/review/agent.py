"""The stage ``review``: ``completions`` and ``feedback`` in, ``reviews`` out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from forebay.avro.codec import open_codecs
from forebay.avro.registry import open_registry
from forebay.contract.failures import Transient
from forebay.contract.handlers import Route
from forebay.contract.names import topics_read
from forebay.contract.records import Completion
from forebay.kafka.queries import broker_errors
from forebay.kafka.reader import records_at
from forebay.runtime.stage import Stage
from forebay.settings import RedisSettings, Settings, StageSettings, TenantSettings
from forebay.state.redis_watch import open_state
from forebay_agents.review.handler import ReviewHandler
from forebay_agents.review.recent import AnswerPlace, Read, RedisRecentOutcomes
from forebay_agents.review.settings import ReviewSettings


def _reading(settings: Settings) -> Read:
    """Reads single answers, off the event loop and by a connection of its own: feedback is rare."""

    async def read(at: AnswerPlace) -> Completion | None:
        try:
            [found] = await asyncio.to_thread(records_at, settings, [("completions", *at)])
        except broker_errors() as error:
            raise Transient("answer_unavailable", f"no broker gives the answer: {type(error).__name__}") from None
        return None if found is None else found.value

    return read


@asynccontextmanager
async def review_stage(settings: Settings) -> AsyncIterator[Stage]:
    """The stage ``review``."""
    codec = open_codecs(settings, open_registry(settings))["completions"]
    async with open_state(settings) as client:
        keep_s = settings[ReviewSettings].keep_s
        prefix = settings[RedisSettings].key_prefix
        recent = RedisRecentOutcomes(client, prefix, codec, keep_s, _reading(settings))
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
