"""A task is ended even if it swallows a cancellation."""

import asyncio

from forebay.state.cancelling import end


async def _deaf_to_the_first() -> None:
    heard = 0
    while heard < 2:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            heard += 1


async def _fails_on_the_way_out() -> None:
    try:
        await asyncio.sleep(60)
    finally:
        raise ValueError


async def test_it_is_cancelled_until_it_is_done() -> None:
    tasks = [asyncio.create_task(_deaf_to_the_first()), asyncio.create_task(_fails_on_the_way_out())]
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await end(tasks)
    assert all(task.done() for task in tasks)


async def test_nothing_to_end_is_fine() -> None:
    await end([])
