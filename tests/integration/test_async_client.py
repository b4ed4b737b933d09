"""What does an asyncio application get? The asynchronous client on a real broker, with a stand-in for the stages."""

import asyncio

import pytest

from forebay import AsyncForebayClient, Feedback, FeedbackRating
from forebay.client.errors import ClientClosedError, NotDeliveredError, RequestTooLargeError
from forebay.contract.records import Message
from forebay.kafka.reader import read_topic
from forebay.settings import KafkaSettings, Settings
from tests.integration.responder import Responder, echo
from tests.integration.test_client import record_size

pytestmark = pytest.mark.embedded


async def test_a_text_dicts_or_records_are_asked_alike(shared_settings: Settings, responder: Responder) -> None:
    async with AsyncForebayClient(shared_settings) as client:
        assert (await client.ask("one", tenant_id="acme")).content == "one"
        assert (await client.ask([{"role": "user", "content": "two"}])).content == "two"
        assert (await client.ask({"request_id": "mine", "messages": [Message(content="three")]})).request_id == "mine"
    assert [request.messages[-1].content for request in responder.asked] == ["one", "two", "three"]


async def test_without_settings_it_takes_what_the_environment_names(
    shared_settings: Settings, responder: Responder
) -> None:
    async with AsyncForebayClient() as client:
        assert (await client.ask("one")).content == "one"


async def test_more_than_may_wait_at_once_are_all_answered(shared_settings: Settings, responder: Responder) -> None:
    responder.reply = lambda request: 2 * echo(request)
    async with AsyncForebayClient(shared_settings, max_outstanding=3) as client:
        found = await asyncio.gather(*(client.ask(f"number {number}") for number in range(40)))
        assert [response.content for response in found] == [f"number {number}" for number in range(40)]
        assert client.outstanding == 0


async def test_the_brokers_refusals_reach_who_waits(shared_settings: Settings, responder: Responder) -> None:
    async with AsyncForebayClient(shared_settings) as client:
        with pytest.raises(RequestTooLargeError, match="at most"):
            await client.ask("x" * shared_settings[KafkaSettings].max_record_bytes)
        with record_size(shared_settings, 2_000):
            refused = False
            async with asyncio.timeout(30):
                while not refused:  # the brokers apply the limit after a moment
                    try:
                        await client.ask("x" * 5_000)
                    except NotDeliveredError:
                        refused = True
        assert client.outstanding == 0


async def test_feedback_is_on_its_topic(shared_settings: Settings) -> None:
    async with AsyncForebayClient(shared_settings) as client:
        await client.send_feedback(Feedback(request_id="order-4711", rating=FeedbackRating.DOWN, reason="wrong_facts"))
    [record] = [record for record in read_topic(shared_settings, "feedback") if record.value is not None]
    assert (record.source.key, record.value.rating, record.value.reason) == (
        b"order-4711",
        FeedbackRating.DOWN,
        "wrong_facts",
    )


async def test_closing_publishes_what_is_queued_and_tells_who_waits(
    shared_settings: Settings, responder: Responder
) -> None:
    responder.hold.set()
    async with AsyncForebayClient(shared_settings) as client:
        tasks = [asyncio.create_task(client.ask(f"number {number}", request_id=f"c{number}")) for number in range(10)]
        async with asyncio.timeout(30):
            while client.outstanding < 10:
                await asyncio.sleep(0.01)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == 10 * [ClientClosedError]
    async with asyncio.timeout(30):
        while len(responder.asked) < 10:
            await asyncio.sleep(0.01)
