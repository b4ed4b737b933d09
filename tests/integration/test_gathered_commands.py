"""What is asked of Redis in one turn goes out together, and everybody gets what they would have got alone."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from forebay.state.redis_client import open_redis_at, redis_errors, refusals

pytestmark = pytest.mark.embedded
PAUSE_MS = 600


@pytest.fixture
def key() -> str:
    return uuid4().hex


@pytest.fixture
async def hasty(scratch_url: str) -> AsyncIterator[Any]:
    async with open_redis_at(scratch_url, timeout_s=0.2) as client:
        yield client


async def reads(client: Any) -> int:
    return int((await client.info("stats"))["total_reads_processed"])


async def test_many_at_once_get_their_own_answers_in_few_writes(redis_client: Any, key: str) -> None:
    before = await reads(redis_client)
    await asyncio.gather(*(redis_client.set(f"{key}:{number}", number) for number in range(200)))
    found = await asyncio.gather(*(redis_client.get(f"{key}:{number}") for number in range(200)))
    assert found == [str(number).encode() for number in range(200)]
    assert await reads(redis_client) - before < 40, "one by one they are 400"


async def test_who_asks_alone_is_answered_alone(redis_client: Any, key: str) -> None:
    before = await reads(redis_client)
    for number in range(10):
        await redis_client.set(key, number)
        assert await redis_client.get(key) == str(number).encode()
    assert await reads(redis_client) - before >= 20


async def test_a_refusal_is_the_one_commands_own(redis_client: Any, key: str) -> None:
    await redis_client.set(key, "text")
    found = await asyncio.gather(
        redis_client.get(key),
        redis_client.hget(key, "field"),
        redis_client.set(f"{key}:bad", object()),
        redis_client.get(key),
        return_exceptions=True,
    )
    assert (found[0], found[3]) == (b"text", b"text")
    assert isinstance(found[1], refusals())
    assert isinstance(found[2], redis_errors())


async def test_what_is_cancelled_before_it_is_sent_is_not_done_and_nobody_else_notices(
    redis_client: Any, key: str
) -> None:
    tasks = [asyncio.ensure_future(redis_client.set(f"{key}:{number}", number)) for number in range(20)]
    tasks.append(asyncio.ensure_future(redis_client.incr(f"{key}:never")))
    await asyncio.sleep(0)  # all have asked, nothing is sent
    tasks[-1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await redis_client.get(f"{key}:never") is None
    assert await redis_client.get(f"{key}:19") == b"19"


@pytest.mark.parametrize("turns", range(0, 12, 2))
async def test_whoever_is_cancelled_the_answers_of_the_others_stay_theirs(
    redis_client: Any, key: str, turns: int
) -> None:
    for round_ in range(10):
        tasks = [asyncio.ensure_future(redis_client.echo(f"{key} {round_} {number}")) for number in range(30)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in tasks[1::3]:
            task.cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        for number, answer in enumerate(found):
            assert answer == f"{key} {round_} {number}".encode() or isinstance(answer, asyncio.CancelledError)
        assert not isinstance(found[2], BaseException)


async def test_all_that_wait_are_told_when_redis_is_slow_and_the_next_answers_are_the_right_ones(
    hasty: Any, redis_client: Any, key: str
) -> None:
    await asyncio.gather(*(hasty.set(f"{key}:{number}", number) for number in range(20)))
    await redis_client.execute_command("CLIENT", "PAUSE", PAUSE_MS, "ALL")
    found = await asyncio.gather(*(hasty.get(f"{key}:{number}") for number in range(20)), return_exceptions=True)
    assert all(isinstance(one, redis_errors()) for one in found)
    await redis_client.ping()  # answered when the pause is over
    found = await asyncio.gather(*(hasty.get(f"{key}:{number}") for number in range(20)))
    assert found == [str(number).encode() for number in range(20)]


async def test_connections_that_were_closed_meanwhile_are_opened_again(hasty: Any, redis_client: Any, key: str) -> None:
    await asyncio.gather(*(hasty.set(f"{key}:{number}", number) for number in range(20)))
    await redis_client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await asyncio.sleep(0.1)
    found = await asyncio.gather(*(hasty.get(f"{key}:{number}") for number in range(20)))
    assert found == [str(number).encode() for number in range(20)]


async def test_pipelines_go_with_the_others_and_keep_their_order_and_errors(redis_client: Any, key: str) -> None:
    async def piped(number: int) -> list[Any]:
        pipe = redis_client.pipeline(transaction=False)
        pipe.set(f"{key}:{number}", number)
        pipe.incrby(f"{key}:{number}", 5)
        pipe.get(f"{key}:{number}")
        found: list[Any] = await pipe.execute()
        return found

    async def failing() -> None:
        pipe = redis_client.pipeline(transaction=False)
        pipe.set(f"{key}:text", "text")
        pipe.hget(f"{key}:text", "field")
        pipe.set(f"{key}:after", "done")
        await pipe.execute()

    before = await reads(redis_client)
    found = await asyncio.gather(*(piped(number) for number in range(50)), failing(), return_exceptions=True)
    assert found[:-1] == [[True, number + 5, str(number + 5).encode()] for number in range(50)]
    assert isinstance(found[-1], refusals())
    assert await redis_client.get(f"{key}:after") == b"done"
    assert await reads(redis_client) - before < 25


async def test_transactions_stay_whole(redis_client: Any, key: str) -> None:
    async def counted() -> tuple[int, int]:
        pipe = redis_client.pipeline(transaction=True)
        pipe.incr(key)
        pipe.incr(key)
        first, second = await pipe.execute()
        return first, second

    others = [redis_client.incr(key) for _ in range(50)]
    found = await asyncio.gather(*(counted() for _ in range(20)), *others)
    assert all(second == first + 1 for first, second in found[:20])
    assert await redis_client.get(key) == b"90"


async def test_who_waits_when_the_client_is_closed_hears_so(scratch_url: str, redis_client: Any, key: str) -> None:
    async with open_redis_at(scratch_url, timeout_s=5.0) as client:
        await client.ping()
        await redis_client.execute_command("CLIENT", "PAUSE", PAUSE_MS, "ALL")
        asking = [asyncio.ensure_future(client.get(f"{key}:{number}")) for number in range(20)]
        await asyncio.sleep(0.05)
        asking[0].cancel()  # it went alone, as redis-py sends it
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(one, (*redis_errors(), asyncio.CancelledError)) for one in found)
    await redis_client.ping()
