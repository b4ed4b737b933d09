"""The stage ``completion``: ``requests.uncached`` in; ``completions`` and ``usage`` out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from forebay.avro.codec import open_codecs
from forebay.avro.registry import open_registry
from forebay.contract.clock import now_ms
from forebay.contract.handlers import Route
from forebay.contract.records import CallPurpose, RedactedRequest
from forebay.edge.settings import EdgeSettings
from forebay.privacy.people.names import needed_names, open_names
from forebay.runtime.fair_queue import FairQueue
from forebay.runtime.stage import Stage
from forebay.settings import IdentitySettings, RedisSettings, RetrySettings, Settings, StageSettings
from forebay.state.cancelling import end
from forebay.state.claim_store import RedisClaimStore
from forebay.state.conditions import Conditions, RedisConditions
from forebay.state.idempotency import Claims
from forebay.state.rates import RedisLimiter
from forebay.state.redis_watch import open_state
from forebay.trust.tenant_keys import known_tenants
from forebay_agents.completion.admission import Admission
from forebay_agents.completion.attempting import Attempts
from forebay_agents.completion.cascade import Cascade
from forebay_agents.completion.handler import CompletionHandler
from forebay_agents.completion.ledger_view import LedgerView
from forebay_agents.completion.metrics import METRICS as COMPRESSION_METRICS
from forebay_agents.completion.metrics import ROUTER_METRICS
from forebay_agents.completion.quotas.budgets import RedisBudgets
from forebay_agents.completion.quotas.followed_keys import FollowedKeys
from forebay_agents.completion.quotas.overrides import Overrides
from forebay_agents.completion.quotas.settings import BudgetsSettings, LimitsSettings
from forebay_agents.completion.quotas.unpriced import may_call
from forebay_agents.completion.quotas.velocity import Velocity
from forebay_agents.completion.routing.live import LiveRouter
from forebay_agents.completion.routing.savings import Savings
from forebay_agents.completion.settings import CompletionSettings
from forebay_agents.completion.shortening import Shortener
from forebay_agents.models.metrics import POOL_METRICS
from forebay_agents.models.open_caller import open_caller
from forebay_agents.models.pool import DeploymentPool
from forebay_agents.models.prices.rates import NANO
from forebay_agents.models.settings import ModelsSettings

_ROWS_AT_ONCE = 8


@asynccontextmanager
async def _following(keys: FollowedKeys, reading: "asyncio.Task[None]") -> AsyncIterator[None]:
    try:
        yield
    finally:
        if not reading.done():
            await end([reading])
        await keys.close()


@asynccontextmanager
async def completion_stage(settings: Settings) -> AsyncIterator[Stage]:
    """The stage ``completion``."""
    own, models = settings[CompletionSettings], settings[ModelsSettings]
    pool = DeploymentPool(models.tiers, models.cooldown_s, POOL_METRICS)
    rates, money = settings[LimitsSettings], settings[BudgetsSettings]
    named = settings[IdentitySettings].pseudonymise_ids and bool(money.users)
    names = needed_names(settings) if named else open_names(settings)
    value_nanousd = None if own.value_of_quality_usd is None else NANO * own.value_of_quality_usd
    router = LiveRouter(own.router_folder, ROUTER_METRICS, value_nanousd)

    keys = FollowedKeys()

    async def warm_up() -> None:
        await asyncio.gather(calling.provider.ready(), keys.read(settings))
        await asyncio.to_thread(router.warm_up)

    async with AsyncExitStack() as opened:
        calling = await opened.enter_async_context(open_caller(settings, CallPurpose.COMPLETION))
        # litellm takes seconds to import; joining the group, which is mostly waiting, takes one more beside it.
        warming = asyncio.create_task(warm_up())
        await opened.enter_async_context(_following(keys, warming))
        client = await opened.enter_async_context(open_state(settings))
        prefix = settings[RedisSettings].key_prefix
        conditions = Conditions(RedisConditions(client, prefix))
        velocity = Velocity(client, prefix, money.velocity_floor_usd, conditions)
        limiter, known = RedisLimiter(client, prefix), known_tenants(settings)
        overrides = Overrides(client, prefix)
        budgets = RedisBudgets(client, prefix, money, known=known, names=names, overrides=overrides, keys=keys)

        def cached_share(request: RedactedRequest) -> float:
            tier = models.tier(request.tier or "") or models.tiers[0]
            return calling.prices.cached_share(tier.deployments[0])

        shortener = Shortener(own, COMPRESSION_METRICS, cached_share)
        attempts = Attempts(
            pool,
            calling.caller,
            limiter,
            budgets,
            burst_s=rates.burst_s,
            now_ms=now_ms,
            hedge_share=own.hedge_share,
            shorten=shortener.to_fit,
            may_call=may_call(models.unpriced, calling.prices.is_priced, budgets.limited),
            conditions=conditions,
        )
        claims = Claims(
            RedisClaimStore(client, prefix),
            open_codecs(settings, open_registry(settings)),
            lease_s=own.lease_s,
            keep_s=own.keep_s,
        )
        delays_s = settings[RetrySettings].delays_s
        handler = CompletionHandler(
            Cascade(models.tiers, attempts, router),
            Admission(rates, limiter, budgets, now_ms, known=known, conditions=conditions, keys=keys),
            # Half of the look-ahead for one tenant: the other half is there to see past its flood.
            FairQueue(own.in_flight, own.look_ahead // 2),
            shortener,
            claims,
            claim_required=own.claim_required,
            waits_s=(delays_s[0], delays_s[min(1, len(delays_s) - 1)]),
            now_ms=now_ms,
            saved=Savings(calling.prices, models.tiers),
            flush_s=settings[EdgeSettings].flush_ms / 1000,
            early_accept=settings[EdgeSettings].early_accept,
        )
        common = settings[StageSettings]
        ahead = {"in_flight": own.in_flight + own.look_ahead, "window": max(common.window, 2 * own.look_ahead)}
        limits = common.model_copy(update=ahead | {"max_attempts": own.max_attempts, "timeout_s": own.timeout_s})
        ledger = LedgerView(budgets, velocity)
        yield Stage(
            name="completion",
            awaited="requests.uncached",
            routes=[
                Route(topic="requests.uncached", handle=handler.handle, on_failure=handler.on_failure),
                Route(
                    topic="spend",
                    handle=ledger.observe,
                    in_flight=_ROWS_AT_ONCE,
                    patient=True,
                    skip=ledger.skips,
                ),
            ],
            limits=limits,
            warming=warming,
        )
