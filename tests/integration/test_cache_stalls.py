"""Equal requests make one call also while Redis stalls, for longer than anybody waits for a command."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress

import pytest

from forebay.contract.failures import Transient
from forebay.settings import RedisSettings, Settings
from forebay.state.redis_client import open_redis, redis_errors
from forebay_agents.cache.store.redis import RedisStore
from tests.integration.conftest import empty_redis
from tests.integration.test_cache_redis import answer, open_worker
from tests.unit.cache.conftest import CONTEXT
from tests.unit.cache.memory import completion, request

pytestmark = pytest.mark.embedded

EQUAL = int(os.environ.get("TEST_EQUAL_REQUESTS", "1000"))
STALL_S, SOUND_S, STALLS = 0.6, 0.3, 8
CALL_S = 1.5
WORKERS = 3


async def test_a_thousand_equal_requests_make_one_call_a_worker_at_most_while_redis_stalls(scratch_url: str) -> None:
    """Without a word from Redis, workers cannot know of each other; within a worker, one leads."""
    settings = Settings({RedisSettings.section: {"url": scratch_url}})
    leaders: list[int] = []
    later: list[int] = []

    async def stall() -> None:
        for _ in range(STALLS):
            with suppress(*redis_errors()):
                await patient.execute_command("CLIENT", "PAUSE", round(1000 * STALL_S), "ALL")
            await asyncio.sleep(STALL_S + SOUND_S)

    async with AsyncExitStack() as stack:
        patient = await stack.enter_async_context(empty_redis(scratch_url))
        executor = stack.enter_context(ThreadPoolExecutor(1))
        clients = [await stack.enter_async_context(open_redis(settings)) for _ in range(WORKERS)]
        workers = [open_worker(RedisStore(client, "fb:"), executor) for client in clients]

        async def one(number: int) -> str:
            asked = request("What is a forebay?", request_id=f"r{number}")
            parts = workers[number % WORKERS]
            try:
                found = await answer(parts, asked)
            except Transient:
                later.append(number)
                await stalling  # the retry topic takes longer than that
                found = await answer(parts, asked, attempt=2)
            if found is not None:
                return found.content
            leaders.append(number)
            await asyncio.sleep(CALL_S)
            await parts.stage.keep(completion(asked), CONTEXT)
            return "An answer."

        stalling = asyncio.create_task(stall())
        await asyncio.sleep(0.1)
        told = await asyncio.gather(*(one(number) for number in range(EQUAL)))
        await stalling
    print(f"{len(leaders)} calls, {len(later)} came back later")
    assert told.count("An answer.") == EQUAL
    assert len({number % WORKERS for number in leaders}) == len(leaders), "one worker led twice"
