"""The stage ``completion``: ``requests.uncached`` in; ``completions`` and ``usage`` out."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agents.completion.cascade import Cascade
from agents.completion.handler import CompletionHandler
from agents.completion.settings import CompletionSettings
from agents.models.caller import Caller
from agents.models.ledger import Ledger
from agents.models.litellm_provider import LitellmProvider
from agents.models.metrics import METRICS
from agents.models.pool import DeploymentPool
from agents.models.pricing import PriceList
from agents.models.settings import ModelsSettings
from streams.codec import open_codecs
from streams.handlers import Route
from streams.idempotency import Claims, RedisClaimStore
from streams.records import CallPurpose
from streams.redis_client import open_redis
from streams.registry import open_registry
from streams.settings import RedisSettings, Settings, StageSettings
from streams.stage import Stage


@asynccontextmanager
async def completion_stage(settings: Settings) -> AsyncIterator[Stage]:
    """The stage ``completion``."""
    own, models = settings[CompletionSettings], settings[ModelsSettings]
    provider = LitellmProvider()
    await provider.ready()
    caller = Caller(provider, PriceList(models.prices, provider.list_price), Ledger(CallPurpose.COMPLETION), METRICS)
    cascade = Cascade(models.tiers, DeploymentPool(models.cooldown_s), caller, _now_ms)
    async with open_redis(settings) as client:
        claims = Claims(
            RedisClaimStore(client, settings[RedisSettings].key_prefix),
            open_codecs(settings, open_registry(settings)),
            lease_s=own.lease_s,
            keep_s=own.keep_s,
        )
        handler = CompletionHandler(cascade, claims, claim_required=own.claim_required, now_ms=_now_ms)
        limits = settings[StageSettings].model_copy(update={"in_flight": own.in_flight, "timeout_s": own.timeout_s})
        yield Stage(
            name="completion",
            routes=[Route(topic="requests.uncached", handle=handler.handle, on_failure=handler.on_failure)],
            limits=limits,
        )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
