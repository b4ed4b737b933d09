"""What does the blocking client do with its channel?"""

from concurrent.futures import CancelledError

import pytest

from forebay import ForebayClient
from forebay.client.errors import ClientClosedError, InvalidRequestError, NotDeliveredError
from forebay.contract.records import Feedback, FeedbackRating
from forebay.testing import MemoryChannel
from tests.unit.client.crowded_channel import CrowdedChannel


def test_it_asks_and_gets_the_answer() -> None:
    channel = MemoryChannel("19")
    with ForebayClient(channel=channel) as client:
        response = client.ask([{"role": "user", "content": "What is 12 + 7?"}], tenant_id="acme")
    assert (response.content, channel.asked[0].tenant_id) == ("19", "acme")
    assert channel.closed


def test_a_misspelt_field_publishes_nothing() -> None:
    channel = MemoryChannel("19")
    with ForebayClient(channel=channel) as client, pytest.raises(InvalidRequestError, match="tenant_id"):
        client.ask("x", tenant="acme")
    assert not channel.asked


@pytest.mark.parametrize("odd", ["a b", "a\nb", "a\0b", "\ud800", "i" * 10_000])
def test_an_id_that_would_be_refused_publishes_nothing(odd: str) -> None:
    channel = MemoryChannel("19")
    with ForebayClient(channel=channel) as client, pytest.raises(InvalidRequestError, match="request_id must be"):
        client.ask("x", request_id=odd)
    assert not channel.asked


def test_bytes_that_were_encoded_before_are_published_as_they_are() -> None:
    channel = MemoryChannel()
    with ForebayClient(channel=channel) as client:
        future = client.submit("x", request_id="r")
        raw = client.encode(channel.asked[0])
        client.submit_raw("r", raw)
        assert [one.source.value for one in channel.topics.published("requests")] == [raw, raw]
        channel.answer("r", "19")
        assert future.result(0).content == "19"


def test_it_waits_for_room_in_a_full_queue() -> None:
    channel = CrowdedChannel(room=0)
    with ForebayClient(channel=channel) as client:
        assert client.ask("x").content == "19"
        channel.room = 0
        client.send_feedback(Feedback(request_id="r"))
    assert channel.rooms_made == 2


def test_who_gives_up_does_not_wait_any_more() -> None:
    with ForebayClient(channel=MemoryChannel()) as client:
        with pytest.raises(TimeoutError):
            client.ask("x", timeout_s=0)
        assert client.outstanding == 0


def test_feedback_is_delivered() -> None:
    channel = MemoryChannel()
    with ForebayClient(channel=channel) as client:
        client.send_feedback(Feedback(request_id="order-4711", rating=FeedbackRating.DOWN, reason="wrong_facts"))
    [feedback] = channel.topics.records("feedback")
    assert (feedback.request_id, feedback.rating) == ("order-4711", FeedbackRating.DOWN)
    assert feedback.feedback_id


def test_what_the_brokers_refuse_is_told() -> None:
    channel = MemoryChannel()
    with ForebayClient(channel=channel) as client:
        future = client.submit("x", request_id="r")
        channel.answer("r", NotDeliveredError("the brokers said no"))
        with pytest.raises(NotDeliveredError, match="said no"):
            future.result(0)


def test_a_closed_client_takes_nothing() -> None:
    client = ForebayClient(channel=MemoryChannel())
    future = client.submit("x")
    client.close()
    with pytest.raises(CancelledError):
        future.result(0)
    with pytest.raises(ClientClosedError):
        client.ask("x")
    with pytest.raises(ClientClosedError):
        client.send_feedback(Feedback(request_id="r"))
