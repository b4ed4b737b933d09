"""How fast is a request turned away when its budget is used up, and can a crowd spend more than there is?

The completion stage's handler on a real Redis (embedded), with a provider that answers at once: a request with a hard
limit behind it costs one look for a kept outcome and one script in Redis. Then 1,000 requests at once against a budget
that pays for 100.
"""

import asyncio
import time
from statistics import quantiles
from typing import Any

from loadtest.measurements.cache_speed import _redis

_PAYS_FOR = 100
_PRICE = 1.0  # US dollars per million tokens
_QUESTION = "What is 12 + 7?"


class _AtOnce:
    """A provider that answers every call."""

    def __init__(self) -> None:
        self.calls = 0

    async def ready(self) -> None: ...

    async def complete(self, _deployment: Any, _call: Any) -> Any:
        from forebay_agents.models.providers.provider import Answer, Usage

        self.calls += 1
        await asyncio.sleep(0)
        return Answer(content="It is 19.", finish_reason="stop", usage=Usage(prompt_tokens=20, completion_tokens=10))

    def count_tokens(self, _deployment: Any, messages: Any) -> int:
        return 20 * bool(messages) + sum(len(message.content) for message in messages) // 100

    def list_price(self, _model: str) -> None: ...


def report(rejections: int, crowd: int) -> dict[str, Any]:
    """Milliseconds of a rejection, one after another, and who was paid of a crowd.

    ``nothing_left``: not a nano-dollar; ``too_little_left``: less than the cheapest call may cost; ``long_prompt``:
    enough for a short prompt, but not for this one, which may be cut, and is: the reservation finds out. CPU is of this
    process; the rest of the time is Redis, and whoever else uses the machine.
    """
    with _redis() as (path, _):
        return asyncio.run(_measure(str(path), rejections, crowd))


async def _measure(path: str, rejections: int, crowd: int) -> dict[str, Any]:
    from forebay.runtime.worker import calm_collector
    from forebay.state.redis_client import open_redis_at

    # 30 tokens of answer at most and 20 of prompt: each call reserves 50,000 nano-dollars and settles 30,000.
    worst_usd = 50e-6
    calm_collector()  # as in a worker
    async with open_redis_at(f"unix://{path}", timeout_s=60.0) as client:
        spent = await _turned_away(_handler(client, "spent:", daily_usd=0.0)[0], rejections)
        short = await _turned_away(_handler(client, "short:", daily_usd=1e-9)[0], rejections)
        close = await _turned_away(_handler(client, "close:", daily_usd=40e-6)[0], rejections, "Word. " * 1_000)
        rich, provider = _handler(client, "rich:", daily_usd=_PAYS_FOR * 30e-6)
        ended = await asyncio.gather(*(_ask(rich, f"r{number}") for number in range(crowd)))
    return {
        "nothing_left": spent,
        "too_little_left": short,
        "long_prompt": close,
        "crowd": crowd,
        "budget_pays_for": _PAYS_FOR,
        "worst_case_usd": worst_usd,
        "paid": provider.calls,
        "rejected": ended.count("budget_exceeded"),
    }


async def _turned_away(handler: Any, count: int, text: str = _QUESTION) -> dict[str, float]:
    took, spent = [], []
    for number in range(count):
        begun, cpu = time.perf_counter(), time.process_time()
        assert await _ask(handler, f"d{number}", text) == "budget_exceeded"
        took.append(1000 * (time.perf_counter() - begun))
        spent.append(1000 * (time.process_time() - cpu))
    found: dict[str, float] = {}
    for name, values in (("", took), ("cpu_", spent)):
        cuts = quantiles(values, n=100, method="inclusive")
        found |= {f"{name}p50_ms": round(cuts[49], 2), f"{name}p99_ms": round(cuts[98], 2)}
    return found


async def _ask(handler: Any, request_id: str, text: str = _QUESTION) -> str:
    from forebay.contract.failures import Rejected
    from forebay.contract.handlers import Context
    from forebay.contract.records import Message, RedactedRequest
    from forebay.contract.wire import Delivered

    source = Delivered(topic="t", partition=0, offset=0, key=b"", value=b"", headers={}, timestamp_ms=0)
    context = Context(source=source, attempt=1, accepted_at=0, write_ahead=_written)
    request = RedactedRequest(request_id=request_id, tenant_id="t", user_id="u", messages=(Message(content=text),))
    try:
        await handler.handle(request, context)
    except Rejected as rejected:
        return rejected.code
    return "ok"


async def _written(_outputs: Any) -> None: ...


def _handler(client: Any, prefix: str, daily_usd: float) -> tuple[Any, _AtOnce]:
    from prometheus_client import CollectorRegistry

    from forebay.avro.codec import Codec
    from forebay.avro.registry import LocalRegistry
    from forebay.contract.clock import now_ms
    from forebay.contract.records import Alert, CallPurpose, Completion, UsageEvent
    from forebay.privacy.egress import EgressGuard
    from forebay.runtime.fair_queue import FairQueue
    from forebay.state.claim_store import RedisClaimStore
    from forebay.state.idempotency import Claims
    from forebay.state.rates import RedisLimiter
    from forebay_agents.completion.admission import Admission
    from forebay_agents.completion.attempting import Attempts
    from forebay_agents.completion.cascade import Cascade
    from forebay_agents.completion.handler import CompletionHandler
    from forebay_agents.completion.metrics import CompressionMetrics
    from forebay_agents.completion.quotas.budgets import RedisBudgets
    from forebay_agents.completion.quotas.settings import Budget, BudgetsSettings, LimitsSettings
    from forebay_agents.completion.settings import CompletionSettings
    from forebay_agents.completion.shortening import Shortener
    from forebay_agents.models.caller import Caller
    from forebay_agents.models.ledger import Ledger
    from forebay_agents.models.metrics import ModelMetrics
    from forebay_agents.models.pool import DeploymentPool
    from forebay_agents.models.pricing import PriceList
    from forebay_agents.models.settings import Deployment, Price, Tier

    provider, registry = _AtOnce(), CollectorRegistry()
    price = Price(input=_PRICE, output=_PRICE)
    tiers = (Tier(name="only", deployments=(Deployment(name="d", model="m", price=price),), max_answer_tokens=30),)
    settings = BudgetsSettings(tenant=Budget(daily_usd=daily_usd), soft_share=1.0)
    budgets = RedisBudgets(client, prefix, settings, now_ms)
    limiter = RedisLimiter(client, prefix)
    caller = Caller(
        provider,
        PriceList({}, provider.list_price),
        Ledger(CallPurpose.COMPLETION),
        ModelMetrics(registry),
        EgressGuard(),
    )
    attempts = Attempts(DeploymentPool(tiers, 10.0), caller, limiter, budgets, burst_s=10.0, now_ms=lambda: 1_000)
    kinds = (("completions", Completion), ("usage", UsageEvent), ("alerts", Alert))
    codecs: Any = {topic: Codec(record, f"{topic}-value", LocalRegistry()) for topic, record in kinds}
    handler = CompletionHandler(
        Cascade(tiers, attempts),
        Admission(LimitsSettings(), limiter, budgets, lambda: 1_000),
        FairQueue(64, 1_000),
        Shortener(CompletionSettings(), CompressionMetrics(registry)),
        Claims(RedisClaimStore(client, prefix), codecs),
        claim_required=True,
        waits_s=(10.0, 60.0),
        now_ms=lambda: 1_000,
    )
    return handler, provider
