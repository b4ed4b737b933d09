"""What does an asyncio application get? Nothing blocks, what waits is bounded, and closing leaves nothing behind."""

import asyncio
import threading
from typing import Any

import pytest

from forebay import AsyncForebayClient
from forebay.client.errors import ClientClosedError, InvalidRequestError, NotDeliveredError
from forebay.contract.records import Feedback, Request, Response
from forebay.testing import MemoryChannel
from tests.unit.client.crowded_channel import CrowdedChannel


async def steps(count: int = 20) -> None:
    """Let everything run that can."""
    for _ in range(count):
        await asyncio.sleep(0)


async def asked(channel: MemoryChannel, count: int) -> list[Request]:
    """The requests, once there are ``count``."""
    async with asyncio.timeout(30):
        while len(channel.asked) < count:
            await asyncio.sleep(0.001)
    return channel.asked


async def test_it_asks_and_gets_the_answer() -> None:
    channel = MemoryChannel("19")
    async with AsyncForebayClient(channel=channel) as client:
        response = await client.ask([{"role": "user", "content": "What is 12 + 7?"}], tenant_id="acme")
        assert response.content == "19"
        assert client.outstanding == 0
    assert channel.asked[0].tenant_id == "acme"
    assert channel.closed


async def test_it_connects_when_it_is_first_used() -> None:
    channel = MemoryChannel("19")
    client = AsyncForebayClient(channel=channel)
    assert (await client.ask("x")).content == "19"
    await client.close()
    assert channel.closed


async def test_answers_come_from_another_thread_and_in_any_order() -> None:
    channel = MemoryChannel()
    async with AsyncForebayClient(channel=channel) as client:
        tasks = [asyncio.create_task(client.ask("x", request_id=f"r{number}")) for number in range(8)]
        requests = await asked(channel, 8)

        def answer() -> None:
            for request in reversed(requests):
                channel.answer(request.request_id, request.request_id)

        thread = threading.Thread(target=answer)
        thread.start()
        responses = await asyncio.gather(*tasks)
        thread.join()
    assert [response.content for response in responses] == [f"r{number}" for number in range(8)]


async def test_only_so_many_wait_at_once() -> None:
    channel = MemoryChannel()
    async with AsyncForebayClient(channel=channel, max_outstanding=2) as client:
        tasks = [asyncio.create_task(client.ask("x", request_id=f"r{number}")) for number in range(5)]
        await asked(channel, 2)
        await steps()
        assert len(channel.asked) == client.outstanding == 2
        channel.answer("r0", "19")
        await asked(channel, 3)
        await steps()
        assert client.outstanding == 2
        tasks[1].cancel()  # who gives up makes room
        await asked(channel, 4)
        channel.answer("r2", "19")
        channel.answer("r3", "19")
        await asked(channel, 5)
        channel.answer("r4", "19")
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(outcome, Response) for outcome in outcomes] == [True, False, True, True, True]


async def test_a_time_out_gives_the_request_up_and_makes_room() -> None:
    channel = MemoryChannel()
    async with AsyncForebayClient(channel=channel, max_outstanding=1) as client:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await client.ask("x", timeout_s=0.01)
        assert (client.outstanding, channel.outstanding) == (0, 0)


async def test_a_time_out_while_there_is_no_room_publishes_nothing() -> None:
    channel = MemoryChannel()
    async with AsyncForebayClient(channel=channel, max_outstanding=1) as client:
        first = await client.submit("x", request_id="first")
        with pytest.raises(TimeoutError):
            await client.ask("x", timeout_s=0.01)
        assert len(channel.asked) == 1
        channel.answer("first", "19")
        assert (await first).content == "19"


async def test_a_full_queue_is_waited_for() -> None:
    channel = CrowdedChannel(room=0)
    async with AsyncForebayClient(channel=channel) as client:
        task = asyncio.create_task(client.ask("x"))
        await asyncio.sleep(0.05)
        assert not task.done()
        channel.room = 1
        assert (await task).content == "19"
        assert channel.rooms_made == 0, "make_room blocks"


async def test_a_misspelt_field_publishes_nothing() -> None:
    channel = MemoryChannel("19")
    async with AsyncForebayClient(channel=channel) as client:
        with pytest.raises(InvalidRequestError, match="tenant_id"):
            await client.ask("x", tenant="acme")
    assert not channel.asked


async def test_what_the_brokers_refuse_is_told() -> None:
    channel = MemoryChannel()
    async with AsyncForebayClient(channel=channel) as client:
        future = await client.submit("x", request_id="r")
        channel.answer("r", NotDeliveredError("the brokers said no"))
        with pytest.raises(NotDeliveredError, match="said no"):
            await future
        assert client.outstanding == 0


async def test_bytes_and_feedback_are_published() -> None:
    channel = MemoryChannel("19")
    async with AsyncForebayClient(channel=channel) as client:
        await client.ask("x", request_id="r")
        raw = await client.encode(channel.asked[0])
        assert (await (await client.submit_raw("r", raw))).content == "19"
        await client.send_feedback(Feedback(request_id="r", reason="wrong_facts"))
    assert [one.source.value for one in channel.topics.published("requests")] == [raw, raw]
    assert [feedback.reason for feedback in channel.topics.records("feedback")] == ["wrong_facts"]


async def test_closing_ends_who_waits_and_cancels_no_task() -> None:
    channel = MemoryChannel()
    client = AsyncForebayClient(channel=channel, max_outstanding=1)
    waiting = asyncio.create_task(client.ask("x"))
    await asked(channel, 1)
    without_room = asyncio.create_task(client.ask("x"))
    await steps()
    await client.close()
    await client.close()
    for task in (waiting, without_room):
        with pytest.raises(ClientClosedError):
            await task
    for late in (client.ask("x"), client.send_feedback(Feedback(request_id="r"))):
        with pytest.raises(ClientClosedError):
            await late


async def test_a_client_that_cannot_connect_says_so_and_may_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = [OSError("no broker"), OSError("no broker"), MemoryChannel("19")]

    def connect(_client: AsyncForebayClient) -> Any:
        outcome = opened.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(AsyncForebayClient, "_connected", connect)
    client = AsyncForebayClient()
    for _ in range(2):
        with pytest.raises(OSError, match="no broker"):
            await client.ask("x")
    assert (await client.ask("x")).content == "19"
    await client.close()


async def test_who_gives_up_while_it_connects_takes_the_connection_from_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow, channel = threading.Event(), MemoryChannel("19")

    def connect(_client: AsyncForebayClient) -> Any:
        assert slow.wait(30)
        return channel

    monkeypatch.setattr(AsyncForebayClient, "_connected", connect)
    client = AsyncForebayClient()
    patient = asyncio.create_task(client.ask("x"))
    with pytest.raises(TimeoutError):
        await client.ask("x", timeout_s=0.01)
    slow.set()
    assert (await patient).content == "19"
    await client.close()
    assert channel.closed


def test_a_loop_that_is_gone_is_not_woken() -> None:
    channel = MemoryChannel()

    async def leave() -> None:
        await AsyncForebayClient(channel=channel).submit("x", request_id="r")

    asyncio.run(leave())
    channel.answer("r", "19")
