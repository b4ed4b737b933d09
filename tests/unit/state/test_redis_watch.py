"""What a worker says of a Redis that may evict, fills up, is away or may not be asked."""

from collections.abc import Mapping
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from redis.exceptions import ConnectionError as RedisAwayError
from redis.exceptions import NoPermissionError
from structlog.testing import capture_logs

from forebay.settings import ConfigurationError
from forebay.state.metrics import RedisMetrics
from forebay.state.redis_watch import CACHE_POLICY, STATE_POLICY, Keeps, RedisWatch


class Stop(Exception):
    """Ends the endless loop of a watch."""


class Redis:
    """Answers ``INFO`` with one after the other of ``answers``, then ends the watch."""

    def __init__(self, *answers: Mapping[str, Any] | Exception) -> None:
        self.answers = list(answers)

    async def info(self) -> Mapping[str, Any]:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, _seconds: float) -> None:
        if not self.answers:
            raise Stop


def info(policy: str = STATE_POLICY, used: int = 10, limit: int = 100, evicted: int = 0) -> dict[str, Any]:
    return {"used_memory": used, "maxmemory": limit, "maxmemory_policy": policy, "evicted_keys": evicted}


def watch(redis: Redis, keeps: Keeps = Keeps.STATE) -> tuple[RedisWatch, CollectorRegistry]:
    registry = CollectorRegistry()
    return RedisWatch(redis.info, keeps, RedisMetrics(registry), redis.sleep), registry


@pytest.mark.parametrize(
    "policy", ["volatile-lru", "volatile-ttl", "volatile-random", "volatile-lfu", "allkeys-lru", "allkeys-random"]
)
@pytest.mark.parametrize("keeps", [Keeps.STATE, Keeps.SHARED])
async def test_a_redis_that_may_evict_state_is_refused_with_the_mend(policy: str, keeps: Keeps) -> None:
    with pytest.raises(ConfigurationError, match=f"{policy}.*set maxmemory-policy noeviction"):
        await watch(Redis(info(policy)), keeps)[0].require_safe()


@pytest.mark.parametrize("policy", [CACHE_POLICY, "volatile-ttl", STATE_POLICY])
async def test_the_caches_redis_may_evict_what_expires(policy: str) -> None:
    await watch(Redis(info(policy)), Keeps.CACHE)[0].require_safe()


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random"])
async def test_the_caches_redis_may_not_evict_what_does_not_expire(policy: str) -> None:
    with pytest.raises(ConfigurationError, match="epochs"):
        await watch(Redis(info(policy)), Keeps.CACHE)[0].require_safe()


async def test_a_redis_that_is_away_is_waited_for_and_looked_at_later() -> None:
    redis = Redis(RedisAwayError("refused"), OSError(), info("allkeys-lru"))
    seen, registry = watch(redis)
    await seen.require_safe()
    with capture_logs() as logs, pytest.raises(Stop):
        await seen.run()
    assert [entry["event"] for entry in logs] == ["redis_may_evict"]
    assert registry.get_sample_value("forebay_redis_may_evict", {"keeps": "state"}) == 1


async def test_a_policy_that_changes_is_logged_once_and_shown_until_it_is_mended() -> None:
    redis = Redis(*[info()] * 2, *[info("volatile-lru", evicted=3)] * 3)
    seen, registry = watch(redis)
    await seen.require_safe()
    with capture_logs() as logs, pytest.raises(Stop):
        await seen.run()
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("redis_may_evict", "error")]
    assert registry.get_sample_value("forebay_redis_evicted_keys", {"keeps": "state"}) == 3
    redis.answers = [info()]
    with pytest.raises(Stop):
        await seen.run()
    assert registry.get_sample_value("forebay_redis_may_evict", {"keeps": "state"}) == 0


async def test_without_the_right_to_ask_it_says_so_once_and_goes_on() -> None:
    redis = Redis(*[NoPermissionError("no")] * 3)
    seen, registry = watch(redis)
    with capture_logs() as logs:
        await seen.require_safe()
        with pytest.raises(Stop):
            await seen.run()
    assert [entry["event"] for entry in logs] == ["redis_not_watched"]
    assert registry.get_sample_value("forebay_redis_may_evict", {"keeps": "state"}) is None
    assert seen.room(0.1)


@pytest.mark.parametrize(
    ("used", "limit", "share", "room"), [(59, 100, 0.59, True), (60, 100, 0.6, False), (60, 0, 0, True)]
)
async def test_a_share_of_the_memory_is_room(used: int, limit: int, share: float, room: bool) -> None:
    seen, registry = watch(Redis(info(used=used, limit=limit)), Keeps.SHARED)
    await seen.require_safe()
    assert seen.room(0.6) is room
    assert registry.get_sample_value("forebay_redis_memory_share", {"keeps": "shared"}) == share
