"""The stage ``evaluation``: ``completions`` in; ``evaluations``, ``reviews``, ``alerts`` and ``usage`` out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agents.evaluation.handler import EvaluationHandler
from agents.evaluation.rolling import RedisScores
from agents.evaluation.rubrics import RUBRICS
from agents.evaluation.settings import EvaluationSettings
from agents.models.caller import Caller
from agents.models.ledger import Ledger
from agents.models.litellm_provider import LitellmProvider
from agents.models.metrics import METRICS
from agents.models.pricing import PriceList
from agents.models.settings import ModelsSettings
from streams.codec import open_codecs
from streams.egress import EgressGuard, EgressSettings
from streams.handlers import Route
from streams.idempotency import Claims, RedisClaimStore
from streams.records import CallPurpose
from streams.redis_client import open_redis
from streams.registry import open_registry
from streams.settings import ConfigurationError, RedisSettings, Settings, StageSettings
from streams.stage import Stage


@asynccontextmanager
async def evaluation_stage(settings: Settings) -> AsyncIterator[Stage]:
    """The stage ``evaluation``."""
    own, models = settings[EvaluationSettings], settings[ModelsSettings]
    tier = models.tier(own.judge_tier) if own.judge_tier else models.tiers[-1]
    if tier is None:
        raise ConfigurationError(f"evaluation.judge_tier: there is no tier {own.judge_tier!r}")
    if own.rubric not in RUBRICS:
        raise ConfigurationError(f"evaluation.rubric: there is no rubric {own.rubric!r}; rubrics: {', '.join(RUBRICS)}")
    provider = LitellmProvider()  # not made ready here: the first judgement may wait, the start-up of a stack may not
    caller = Caller(
        provider,
        PriceList(models.prices, provider.list_price),
        Ledger(CallPurpose.JUDGE),
        METRICS,
        EgressGuard(settings[EgressSettings]),
    )
    prefix = settings[RedisSettings].key_prefix
    async with open_redis(settings) as client:
        claims = Claims(RedisClaimStore(client, prefix), open_codecs(settings, open_registry(settings)))
        handler = EvaluationHandler(own, tier, caller, claims, RedisScores(client, prefix))
        limits = settings[StageSettings].model_copy(update={"in_flight": own.in_flight, "timeout_s": own.timeout_s})
        yield Stage(name="evaluation", routes=[Route(topic="completions", handle=handler.handle)], limits=limits)
