"""When is a deployment called, and how often at once?"""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay_agents.models.breaker import FEWEST, LONGEST_S, Breaker, BreakerState
from forebay_agents.models.concurrency import AdaptiveLimit
from forebay_agents.models.pool import DeploymentPool
from forebay_agents.models.providers.provider import ProviderError
from forebay_agents.models.settings import Deployment, Tier

OPEN_S = 10.0


@pytest.fixture
def breaker() -> Breaker:
    return Breaker(OPEN_S)


def fail(breaker: Breaker, times: int, now: float = 0.0, code: str = "provider_unavailable") -> None:
    for _ in range(times):
        breaker.failed(code, now, None)


def test_a_single_failure_is_no_outage(breaker: Breaker) -> None:
    fail(breaker, FEWEST - 1)
    assert breaker.admits(0.0)
    fail(breaker, 1)
    assert not breaker.admits(OPEN_S - 0.1)


def test_few_failures_among_many_answers_change_nothing(breaker: Breaker) -> None:
    for _ in range(15):
        breaker.succeeded()
    fail(breaker, FEWEST)
    assert breaker.admits(0.0)


def test_refused_credentials_open_at_once(breaker: Breaker) -> None:
    fail(breaker, 1, code="provider_auth")
    assert breaker.state(0.0) is BreakerState.OPEN


@pytest.mark.parametrize("code", ["provider_bad_request", "context_length", "content_policy"])
def test_a_requests_own_fault_is_not_the_deployments(breaker: Breaker, code: str) -> None:
    fail(breaker, 50, code=code)
    assert breaker.admits(0.0)


def test_the_provider_says_how_long(breaker: Breaker) -> None:
    breaker.failed("provider_rate_limited", 0.0, 3.0)
    assert not breaker.admits(2.9)
    assert breaker.admits(3.0)


def test_one_probe_decides_and_a_failed_one_doubles_the_wait(breaker: Breaker) -> None:
    fail(breaker, FEWEST)
    assert breaker.state(OPEN_S) is BreakerState.HALF_OPEN
    breaker.started(OPEN_S)
    assert not breaker.admits(OPEN_S)
    fail(breaker, 1, now=OPEN_S)
    assert not breaker.admits(3 * OPEN_S - 0.1)
    breaker.started(3 * OPEN_S)
    breaker.succeeded()
    assert breaker.state(3 * OPEN_S) is BreakerState.CLOSED
    assert breaker.admits(3 * OPEN_S)


def test_a_cancelled_probe_leaves_room_for_another(breaker: Breaker) -> None:
    fail(breaker, FEWEST)
    breaker.started(OPEN_S)
    breaker.gave_up()
    assert breaker.admits(OPEN_S)


@given(st.lists(st.sampled_from(["ok", "fail", "auth", "wait"]), max_size=60))
def test_it_never_stays_shut(events: list[str]) -> None:
    breaker, now = Breaker(OPEN_S), 0.0
    for event in events:
        match event:
            case "ok" if breaker.admits(now):
                breaker.started(now)
                breaker.succeeded()
            case "fail" | "auth" if breaker.admits(now):
                breaker.started(now)
                breaker.failed("provider_auth" if event == "auth" else "provider_timeout", now, None)
            case _:
                now += 1.0
    assert breaker.admits(now + LONGEST_S)


def test_the_limit_falls_once_per_second_and_comes_back() -> None:
    limit = AdaptiveLimit(32)
    limit.in_flight = 32
    for _ in range(10):
        limit.overloaded(5.0)
    assert limit.limit == 21
    limit.overloaded(6.0)
    assert limit.limit == 14
    for _ in range(1000):
        limit.succeeded()
    assert limit.limit == 32


@given(st.integers(1, 64), st.lists(st.booleans(), max_size=200))
def test_the_limit_stays_within_its_bounds(highest: int, events: list[bool]) -> None:
    limit = AdaptiveLimit(highest)
    for number, good in enumerate(events):
        limit.succeeded() if good else limit.overloaded(float(2 * number))
        assert 1 <= limit.limit <= highest


def tier(*names: str, **fields: int) -> Tier:
    return Tier(name="t", deployments=tuple(Deployment(name=name, model="m", **fields) for name in names))


def pool(chosen: Tier, clock: list[float]) -> DeploymentPool:
    return DeploymentPool([chosen], OPEN_S, None, lambda: clock[0], random.Random(1))


def test_all_that_work_are_candidates_and_none_that_rests() -> None:
    chosen, clock = tier("a", "b"), [0.0]
    places = pool(chosen, clock)
    [a, b] = chosen.deployments
    assert {one.name for one in places.candidates(chosen)} == {"a", "b"}
    places.failed(a, ProviderError("provider_rate_limited", "", retry_after_s=4.0))
    assert [one.name for one in places.candidates(chosen)] == ["b"]
    assert places.rest_s(chosen) == 0.0
    places.failed(b, ProviderError("provider_auth", ""))
    assert not list(places.candidates(chosen))
    assert places.rest_s(chosen) == 4.0
    clock[0] = 4.0
    assert [one.name for one in places.candidates(chosen)] == ["a"]


async def test_no_more_calls_than_there_is_room_for() -> None:
    chosen = tier("a", max_in_flight=2)
    places = pool(chosen, [0.0])
    out = highest = 0

    async def call() -> None:
        nonlocal out, highest
        async with places.calling(chosen.deployments[0]):
            out += 1
            highest = max(highest, out)
            await asyncio.sleep(0)
            out -= 1

    await asyncio.gather(*(call() for _ in range(20)))
    assert highest == 2


async def test_a_deployment_with_room_comes_first() -> None:
    chosen = tier("a", "b", max_in_flight=1)
    places = pool(chosen, [0.0])
    async with places.calling(chosen.deployments[0]):
        assert [one.name for one in places.candidates(chosen)] == ["b", "a"]


class Ended:
    """A deployment whose outage ends: it was found failing, and may be probed now."""

    def __init__(self) -> None:
        self.tier, self.clock = tier("a"), [0.0]
        self.places = pool(self.tier, self.clock)
        [self.deployment] = self.tier.deployments
        for _ in range(4):
            self.places.failed(self.deployment, ProviderError("provider_unavailable", ""))
        self.clock[0] = OPEN_S

    def free(self) -> list[str]:
        return [one.name for one in self.places.candidates(self.tier)]


async def test_others_wait_for_the_probe_and_learn_from_it() -> None:
    outage = Ended()
    async with outage.places.calling(outage.deployment):
        assert outage.free() == []
        waiting = asyncio.create_task(outage.places.works_after_probes([outage.tier]))
        await asyncio.sleep(0)
        assert not waiting.done()
        outage.places.worked(outage.deployment)
    assert await waiting
    assert outage.free() == ["a"]


async def test_nobody_waits_when_the_probe_failed_or_there_is_none() -> None:
    outage = Ended()
    async with outage.places.calling(outage.deployment):
        waiting = asyncio.create_task(outage.places.works_after_probes([outage.tier]))
        await asyncio.sleep(0)
        outage.places.failed(outage.deployment, ProviderError("provider_unavailable", ""))
    assert not await waiting
    assert not await outage.places.works_after_probes([outage.tier])


async def test_a_probe_that_ends_without_an_outcome_leaves_the_way_to_the_next() -> None:
    outage = Ended()
    with pytest.raises(ConnectionError):
        async with outage.places.calling(outage.deployment):
            raise ConnectionError("Redis is down")
    assert outage.free() == ["a"]
