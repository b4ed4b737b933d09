"""What the stage knows of alerts is in Redis, for all its workers: here with a real one."""

from dataclasses import replace
from typing import Any

from forebay.contract.records import Alert, AlertState, Silence
from forebay.testing import context
from forebay_agents.notify.store import LEASE_MS, RedisStore
from tests.unit.notify.memory import Bench

BAD = Alert(kind="provider_auth", subject="gpt – ü")


async def test_two_workers_tell_once_and_of_the_end_once(redis_client: Any) -> None:
    bench = Bench(workers=2, store=RedisStore(redis_client, "a:"))
    for number in range(200):
        await bench.hears(BAD, number % 2)
    await bench.passes()
    for number in range(200):
        await bench.hears(replace(BAD, state=AlertState.RESOLVED, ends_at=bench.now_ms), number % 2)
    await bench.passes(31)
    await bench.passes(5 * 3_600)
    assert bench.channel.said == [[("gpt – ü", "firing")], [("gpt – ü", "resolved")]]
    assert [key async for key in redis_client.scan_iter("a:notify:open*")] == []
    assert [key async for key in redis_client.scan_iter("a:notify:due*")] == []


async def test_what_a_worker_took_that_ended_is_due_again(redis_client: Any) -> None:
    store = RedisStore(redis_client, "b:")
    assert await store.swap("f", "", "known", 1_000)
    assert not await store.swap("f", "", "another", 1_000)
    assert await store.take(999) == []
    assert await store.take(1_000) == [("f", "known")]
    assert await store.take(1_000 + LEASE_MS - 1) == []
    assert await store.take(1_000 + LEASE_MS) == [("f", "known")]
    assert await store.swap("f", "known", "", 0)
    assert await store.take(10**13) == []


async def test_silences_are_kept_until_they_are_over(redis_client: Any) -> None:
    bench = Bench(store=RedisStore(redis_client, "c:"))
    one = Silence(silence_id="one", matchers={"kind": "provider_auth"}, ends_at=bench.now_ms + 60_000)
    await bench.workers[0].silence(one, context("alerts.silences"))
    await bench.hears(BAD)
    await bench.passes()
    assert bench.channel.got == []
    await bench.workers[0].silence(replace(one, ends_at=bench.now_ms), context("alerts.silences"))
    await bench.passes()
    assert bench.channel.said == [[("gpt – ü", "firing")]]
    assert await bench.store.silences() == []
