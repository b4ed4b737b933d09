"""One tenant's flood delays nobody else."""

import asyncio

import pytest

from forebay.contract.failures import Transient
from forebay.runtime.fair_queue import FairQueue


async def served(queue: FairQueue, wanted: list[tuple[str, int]]) -> list[str]:
    """The order in which requests (tenant and priority) get the only slot."""
    order: list[str] = []

    async def request(number: int, tenant: str, priority: int) -> None:
        async with queue.slot(tenant, priority):
            order.append(f"{tenant}{number}")
            await asyncio.sleep(0)

    async with queue.slot("first", 5):
        tasks = [asyncio.create_task(request(number, *one)) for number, one in enumerate(wanted)]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    return order


async def test_tenants_take_turns() -> None:
    order = await served(FairQueue(1, 100), [("a", 5)] * 5 + [("b", 5), ("c", 5)])
    assert order == ["a0", "b5", "c6", "a1", "a2", "a3", "a4"]


async def test_within_a_tenant_priority_goes_first_then_age() -> None:
    assert await served(FairQueue(1, 100), [("a", 1), ("a", 9), ("a", 5), ("a", 9)]) == ["a1", "a3", "a2", "a0"]


async def test_a_tenant_with_too_many_waiting_is_sent_away_and_no_other() -> None:
    queue = FairQueue(1, 2)
    async with queue.slot("a", 5):
        waiting = [asyncio.create_task(queue._acquire("a", 5)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Transient) as refused:
            await queue._acquire("a", 5)
        assert refused.value.code == "rate_limited"
        other = asyncio.create_task(queue._acquire("b", 5))
        await asyncio.sleep(0)
        assert not other.done()
    for one in (*waiting, other):
        one.cancel()
    await asyncio.gather(*waiting, other, return_exceptions=True)


async def test_who_gives_up_leaves_no_slot_behind() -> None:
    queue = FairQueue(1, 10)
    async with queue.slot("a", 5):
        task = asyncio.create_task(queue._acquire("b", 5))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(1), queue.slot("c", 5):
        pass


async def test_a_slot_that_comes_while_giving_up_is_given_back() -> None:
    queue = FairQueue(1, 10)
    await queue._acquire("a", 5)
    task = asyncio.create_task(queue._acquire("b", 5))
    await asyncio.sleep(0)
    queue._release()  # b's turn is set, but b has not run since
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(1), queue.slot("c", 5):
        pass
