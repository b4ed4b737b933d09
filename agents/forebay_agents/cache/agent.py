"""The cache stage: opens Redis, the encoders and the judge, and wires the handlers to their topics."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

from forebay.contract.handlers import Route
from forebay.contract.names import topics_read
from forebay.contract.records import CallPurpose
from forebay.privacy.egress import EgressGuard
from forebay.runtime.stage import Stage
from forebay.settings import ConfigurationError, EgressSettings, RedisSettings, Settings, StageSettings, TenantSettings
from forebay.state.redis_watch import open_cache, open_state
from forebay_agents.cache.error_bound.judges import ModelJudge
from forebay_agents.cache.metrics import METRICS
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.store.redis import RedisStore
from forebay_agents.cache.tasks import RedisQuestions, Tasks
from forebay_agents.cache.wiring import assemble, calibrated
from forebay_agents.models.cost_settings import CostSettings
from forebay_agents.models.open_caller import litellm_prices, open_caller, tier_of
from forebay_agents.models.prices.today import Today
from forebay_agents.models.pricing import PriceList
from forebay_agents.models.settings import ModelsSettings

_KEPT_AT_ONCE = 2
"""Answers being stored: they queue at the same encoder as the look-ups, for whom somebody waits."""


@asynccontextmanager
async def cache_stage(settings: Settings) -> AsyncIterator[Stage]:
    """The stage ``cache``."""
    own, common = settings[CacheSettings], settings[StageSettings]
    if own.flight_wait_s > common.timeout_s - 5:
        raise ConfigurationError("cache.flight_wait_s must be at least 5 s below stage.timeout_s")
    guard = EgressGuard(settings[EgressSettings])
    models = settings[ModelsSettings]
    today = Today(PriceList(models.prices, litellm_prices()), models.tiers)
    # One thread: the two cores are shared with the other stages, and inference uses one anyway.
    with ThreadPoolExecutor(1, thread_name_prefix="encoder") as executor:
        async with (
            open_cache(settings) as (client, watch),
            open_state(settings) as state,
            _judge(settings, own) as judge,
        ):
            redis = settings[RedisSettings]
            told = topics_read("feedback", settings[TenantSettings])
            tasks = Tasks(RedisQuestions(state, redis.key_prefix))
            shared = not redis.cache_url.get_secret_value()
            room = partial(watch.room, redis.cache_share) if shared else None
            store = RedisStore(client, redis.key_prefix, room)
            made = assemble(
                store,
                calibrated(own),
                executor,
                own,
                METRICS,
                guard=guard,
                judge=judge,
                labels=settings[CostSettings].labels,
                today=today,
            )
            stage = made.stage
            waiting = {"in_flight": max(own.in_flight, common.in_flight), "window": max(own.in_flight, common.window)}
            yield Stage(
                name="cache",
                awaited="requests.redacted",
                routes=[
                    Route(topic="requests.redacted", handle=stage.answer, on_failure=stage.failed, restarts=True),
                    # Not all at once: while one waits for its turn at the encoder, its time to be handled runs.
                    Route(topic="completions", handle=stage.keep, in_flight=_KEPT_AT_ONCE, patient=True),
                    Route(topic="cache.verify", handle=stage.verify, patient=True),
                    Route(topic="reviews", handle=tasks.opened, patient=True),
                    Route(topic="corrections", handle=tasks.only_asked_for(stage.correct), patient=True),
                    *(Route(topic=name, handle=stage.hear, patient=True) for name in told),
                    Route(topic="evaluations", handle=stage.judged, patient=True),
                ],
                limits=common.model_copy(update=waiting),
                warming=asyncio.create_task(today.warm_up()),
            )


@asynccontextmanager
async def _judge(settings: Settings, own: CacheSettings) -> AsyncIterator[ModelJudge | None]:
    if not own.judge_tier:
        yield None
        return
    tier = tier_of(settings, own.judge_tier, "cache.judge_tier")
    # Made ready by the first judgement: the start-up of a stack may not wait for it.
    async with open_caller(settings, CallPurpose.JUDGE) as calling:
        yield ModelJudge(tier, calling.caller, timeout_s=own.judge_timeout_s)
