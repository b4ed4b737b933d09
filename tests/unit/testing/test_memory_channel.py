"""The client on a channel without brokers: the application's own code, and answers that the test says."""

import threading

import pytest

from forebay import AsyncForebayClient, ForebayClient, NotDeliveredError, RequestTooLargeError
from forebay.contract.failures import Permanent, Rejected
from forebay.contract.records import Error, Request, Response, ResponseStatus
from forebay.settings import Settings
from forebay.testing import MemoryChannel, MemoryTopics


def test_requests_and_responses_lie_in_a_pair_of_topics_under_their_id() -> None:
    channel = MemoryChannel(lambda request: request.messages[0].content.upper())
    with ForebayClient(channel=channel) as client:
        assert client.ask("what is 12 + 7?", request_id="r-1", tenant_id="acme").content == "WHAT IS 12 + 7?"
    [request], [response] = channel.topics.published("requests"), channel.topics.published("responses")
    assert (request.key, response.key) == ("r-1", "r-1")
    assert channel.asked == [request.record]
    assert (request.record.tenant_id, response.record.content) == ("acme", "WHAT IS 12 + 7?")
    assert channel.closed


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (Rejected("budget_exceeded", "used up"), ResponseStatus.REJECTED),
        (Permanent("no_tier", "none"), ResponseStatus.FAILED),
    ],
)
def test_a_failure_is_a_response_as_the_stages_make_it(failure: Rejected | Permanent, status: ResponseStatus) -> None:
    with ForebayClient(channel=MemoryChannel(failure)) as client:
        response = client.ask("x", request_id="r-1")
    error = Error(code=failure.code, message=failure.message)
    assert response == Response(request_id="r-1", status=status, error=error)


async def test_an_exception_is_raised_and_a_response_comes_under_the_id_that_was_asked() -> None:
    replies = iter([NotDeliveredError("no"), Response(tier="large", status=ResponseStatus.OK)])
    channel = MemoryChannel(lambda _: next(replies))
    async with AsyncForebayClient(channel=channel) as client:
        with pytest.raises(NotDeliveredError):
            await client.ask("x")
        response = await client.ask("x", request_id="r-2")
    assert (response.request_id, response.tier) == ("r-2", "large")
    assert len(channel.topics.records("responses")) == 1


def test_without_a_reply_a_request_waits_until_it_is_answered() -> None:
    channel = MemoryChannel()
    with ForebayClient(channel=channel) as client:
        with pytest.raises(TimeoutError):
            client.ask("x", timeout_s=0)
        future = client.submit("y", request_id="r-2")
        assert client.outstanding == 1
        threading.Thread(target=channel.answer, args=("r-2", "late")).start()
        assert future.result(5).content == "late"


def test_whoever_asks_under_one_id_gets_its_one_response() -> None:
    channel = MemoryChannel()
    with ForebayClient(channel=channel) as client:
        futures = [client.submit("x", request_id="r") for _ in range(2)]
        channel.answer("r", "one")
        assert [future.result(0).content for future in futures] == ["one", "one"]


def test_what_is_too_long_for_a_topic_is_too_long_here() -> None:
    topics = MemoryTopics(settings=Settings({"kafka": {"max_record_bytes": 16_384}}))
    channel = MemoryChannel("19", topics=topics)
    with ForebayClient(channel=channel) as client, pytest.raises(RequestTooLargeError, match="16,384"):
        client.ask("x" * 20_000)
    assert not channel.asked


def test_a_request_is_the_record_that_was_meant() -> None:
    channel = MemoryChannel("19")
    with ForebayClient(channel=channel) as client:
        client.ask({"messages": [{"role": "user", "content": "Hi"}], "cache": {"mode": "bypass"}, "request_id": "r"})
    [request] = channel.asked
    assert isinstance(request, Request)
    assert (request.cache.mode, request.messages[0].content) == ("bypass", "Hi")
