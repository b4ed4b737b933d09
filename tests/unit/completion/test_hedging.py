"""A late answer is asked for a second time, as far as the budget allows, and both calls are in the ledger."""

import asyncio
from collections.abc import Callable

import pytest

from forebay.contract.records import RedactedRequest, UsageStatus
from forebay_agents.completion.hedging import HedgeBudget
from forebay_agents.completion.shortening import Shortener
from forebay_agents.completion.trace import Trace
from forebay_agents.models.latency import FEWEST
from forebay_agents.models.pool import DeploymentPool
from forebay_agents.models.pricing import PriceList
from forebay_agents.models.providers.provider import Answer, Call, ProviderError
from forebay_agents.models.settings import Deployment, Price
from tests.unit.completion.fakes import Provider, Reply, Written, asked, cascade_of, good, tier

DOWN = ProviderError("provider_unavailable", "down")
ONLY = tier("only", "a", "b")
LATE_S = 0.02


class Slow(Provider):
    """Whoever is asked first never answers; the others do at once."""

    def __init__(self, then: Reply | None = None) -> None:
        super().__init__({"a": then or good(), "b": then or good()})
        self.gave_up = 0

    async def complete(self, deployment: Deployment, call: Call) -> Answer:
        if not self.calls:
            self.calls.append((deployment.name, call))
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.gave_up += 1
                raise
        return await super().complete(deployment, call)


def known_pool() -> DeploymentPool:
    """Both deployments have answered often enough for a percentile."""
    pool = DeploymentPool([ONLY], 10.0)
    for deployment in ONLY.deployments:
        for _ in range(FEWEST):
            pool.worked(deployment, LATE_S)
    return pool


async def run(provider: Provider, **parts: object):  # type: ignore[no-untyped-def]
    trace, written = Trace(), Written()
    cascade = cascade_of(provider, [ONLY], pool=known_pool(), **parts)
    served = await cascade.run(asked(), trace, written, cheapest=False)
    return served, trace, written


async def test_the_second_serves_and_the_first_is_given_up_at_its_worst_case() -> None:
    provider = Slow()
    served, trace, written = await run(provider, hedge_share=1.0)
    first, second = (name for name, _ in provider.calls)
    assert {first, second} == {"a", "b"}
    assert (served.deployment, provider.gave_up) == (second, 1)
    lost, won = trace.entries
    assert (lost.deployment, lost.status, lost.error_code) == (first, UsageStatus.UNSETTLED, "hedge_lost")
    assert lost.cost_nanousd == lost.reserved_nanousd > won.cost_nanousd
    assert (won.deployment, won.status) == (second, UsageStatus.SETTLED)
    assert len({entry.attempt_id for entry in written.entries}) == 2
    assert [attempt.outcome for attempt in trace.attempts] == ["hedge_lost", "ok"]


async def test_without_a_share_nobody_is_asked_twice() -> None:
    provider = Slow()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(10 * LATE_S):
            await run(provider)
    assert len(provider.calls) == 1


async def test_a_second_that_fails_leaves_the_first_in_the_race() -> None:
    provider = Slow(DOWN)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(10 * LATE_S):
            await run(provider, hedge_share=1.0)
    assert (len(provider.calls), provider.gave_up) == (2, 1)


async def test_an_answer_in_time_is_asked_for_once() -> None:
    provider = Provider({"a": good(), "b": good()})
    served, trace, _ = await run(provider, hedge_share=1.0)
    assert [entry.deployment for entry in trace.entries] == [served.deployment]


async def test_a_first_that_fails_at_once_is_followed_as_ever() -> None:
    provider = Provider({})
    first: list[Reply] = [DOWN]

    def reply(_call: Call) -> Reply:
        return first.pop() if first else good()

    provider.replies = {"a": reply, "b": reply}
    served, trace, _ = await run(provider, hedge_share=1.0)
    assert [attempt.outcome for attempt in trace.attempts] == ["provider_unavailable", "ok"]
    assert served.deployment == trace.attempts[-1].deployment


async def test_a_pool_that_was_left_by_the_loser_has_its_room_back() -> None:
    pool = known_pool()
    cascade = cascade_of(Slow(), [ONLY], pool=pool, hedge_share=1.0)
    await cascade.run(asked(), Trace(), Written(), cheapest=False)
    assert [view.in_flight for view in map(pool._view, ("a", "b"))] == [0, 0]
    assert [view.recent_errors for view in map(pool._view, ("a", "b"))] == [0.0, 0.0]


def test_the_budget_is_a_share_of_the_calls() -> None:
    budget, made = HedgeBudget(0.1), 0
    for _ in range(1000):
        budget.called()
        made += budget.take()
    assert made == pytest.approx(100, abs=1)


def test_what_is_saved_up_has_an_end() -> None:
    budget = HedgeBudget(0.5)
    for _ in range(1000):
        budget.called()
    assert sum(budget.take() for _ in range(100)) == 5


TOO_LONG = ProviderError("context_length", "too long")


def fits(limit: int) -> Callable[[Call], Reply]:
    return lambda call: good() if sum(len(message.content) for message in call.messages) <= limit else TOO_LONG


async def halved(request: RedactedRequest, keep: float) -> RedactedRequest | None:
    return asked(request.messages[0].content[: int(keep * len(request.messages[0].content))])


async def test_what_is_too_long_for_a_model_is_cut_and_asked_once_more_there() -> None:
    tiers = (tier("small"), tier("large"))
    provider, trace = Provider({"small": fits(50), "large": good()}), Trace()
    served = await cascade_of(provider, tiers, shorten=halved).run(asked("x" * 100), trace, Written(), cheapest=False)
    assert served.tier == "small"
    assert [attempt.outcome for attempt in trace.attempts] == ["context_length", "ok"]


@pytest.mark.parametrize("cuttable", [True, False])
async def test_what_is_too_long_even_so_is_passed_by(cuttable: bool) -> None:
    async def never(_request: RedactedRequest, _keep: float) -> None:
        return None

    tiers = (tier("small"), tier("large"))
    provider, trace = Provider({"small": fits(10), "large": good()}), Trace()
    cascade = cascade_of(provider, tiers, shorten=halved if cuttable else never)
    assert (await cascade.run(asked("x" * 100), trace, Written(), cheapest=False)).tier == "large"
    assert [name for name, _ in provider.calls] == ["small"] * (1 + cuttable) + ["large"]


async def test_what_is_too_long_for_every_tier_is_cut_until_it_fits_the_longest() -> None:
    tiers = (tier("small", context_tokens=100, max_answer_tokens=50), tier("large", context_tokens=300))
    tiers = (tiers[0], tiers[1].model_copy(update={"max_answer_tokens": 50}))
    provider = Provider({"small": good(), "large": good()})
    served = await cascade_of(provider, tiers, shorten=halved).run(
        asked("x" * 1_000), Trace(), Written(), cheapest=False
    )
    assert served.tier == "large"
    assert [len(call.messages[0].content) for _, call in provider.calls] == [237]


async def test_the_shortener_cuts_a_history_and_leaves_what_it_may_not_touch() -> None:
    from prometheus_client import CollectorRegistry

    from forebay.contract.records import Message, MessageRole
    from forebay_agents.completion.metrics import CompressionMetrics
    from forebay_agents.completion.settings import CompletionSettings

    shortener = Shortener(CompletionSettings(), CompressionMetrics(CollectorRegistry()))
    weather = " ".join(f"On day {number} the weather in the valley was rather mild and calm." for number in range(80))
    question = Message(role=MessageRole.USER, content="Where was the treaty signed?")
    history = Message(role=MessageRole.ASSISTANT, content=f"{weather} The treaty was signed in Utrecht. {weather}")
    long = RedactedRequest(request_id="r", messages=(Message(content="Tell me all."), history, question))
    shorter = await shortener.to_fit(long, 0.5)
    assert shorter is not None
    sent = " ".join(message.content for message in shorter.messages)
    assert len(sent) < 0.6 * len(history.content)
    assert "Utrecht" in sent
    assert shorter.messages[-1] == question
    assert await shortener.to_fit(asked("Where?"), 0.5) is None


@pytest.mark.parametrize(("cached", "hits", "cut"), [(0.1, 1.0, False), (0.1, 0.0, True), (0.9, 1.0, True)])
async def test_a_history_that_is_cheaper_cached_is_sent_as_it_was(cached: float, hits: float, cut: bool) -> None:
    from prometheus_client import CollectorRegistry

    from forebay.contract.records import Message, MessageRole
    from forebay_agents.completion.metrics import CompressionMetrics
    from forebay_agents.completion.settings import CompletionSettings

    settings = CompletionSettings(prompt_cache_share=hits, compress_holdout=0)
    shortener = Shortener(settings, CompressionMetrics(CollectorRegistry()), lambda _: cached)
    report = " ".join(f"On day {number} the river in district {number % 9} rose by a hand." for number in range(200))
    messages = (
        Message(content=f"Here is the report. {report}"),
        Message(role=MessageRole.ASSISTANT, content="Thank you."),
        Message(content="What happened on day 77?"),
    )
    request = RedactedRequest(request_id="r", messages=messages)
    sent, outcome, _ = await shortener.shorten(request)
    assert (sent.messages != messages, outcome) == (cut, "cut" if cut else "cached_prefix")
    once = RedactedRequest(request_id="r", messages=(messages[0], messages[2]))
    assert (await shortener.shorten(once))[1] == "cut", "nobody has cached what was never sent"


@pytest.mark.parametrize(
    ("price", "share"),
    [
        (Price(input=2.0, output=1.0, cached_input=0.5), 0.25),
        (Price(input=2.0, output=1.0), 1.0),
        (Price(input=0.0, output=0.0, cached_input=0.0), 1.0),
        (Price(input=1.0, output=1.0, cached_input=3.0), 1.0),
        (None, 1.0),
    ],
)
def test_what_cached_input_costs_is_taken_from_the_price(price: Price | None, share: float) -> None:
    deployment = tier("a").deployments[0].model_copy(update={"price": ()})
    configured = {} if price is None else {deployment.model: price}
    assert PriceList(configured, lambda _: None).cached_share(deployment) == share
