"""What does an application get that asks? The client on a real broker, with a stand-in for the stages."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager

import pytest

from forebay.avro.codec import UndecodableError
from forebay.client.client import ForebayClient, NotDeliveredError, RequestTooLargeError
from forebay.contract.names import topic_on_broker
from forebay.contract.records import Message, MessageRole, Request, Response
from forebay.kafka.connection import silent
from forebay.kafka.queries import BrokerUnavailableError
from forebay.settings import KafkaSettings, Settings
from tests.integration.responder import Responder, echo

pytestmark = pytest.mark.embedded


@pytest.fixture
def client(shared_settings: Settings, responder: Responder) -> Iterator[ForebayClient]:
    with ForebayClient(shared_settings) as found:
        yield found


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def nothing(_request: Request) -> list[Response]:
    return []


@contextmanager
def record_size(settings: Settings, size: int) -> Iterator[None]:
    """The brokers take no larger requests, from some moment in this ``with`` on."""
    from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

    kafka = settings[KafkaSettings]
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap}, logger=silent())

    def alter(operation: AlterConfigOpType) -> None:
        entry = ConfigEntry("max.message.bytes", str(size), incremental_operation=operation)
        resource = ConfigResource(ResourceType.TOPIC, topic_on_broker("requests", kafka))
        resource.add_incremental_config(entry)
        for done in admin.incremental_alter_configs([resource]).values():
            done.result(30)

    alter(AlterConfigOpType.SET)
    try:
        yield
    finally:
        alter(AlterConfigOpType.DELETE)


def test_a_text_messages_or_a_request_are_asked_alike(client: ForebayClient, responder: Responder) -> None:
    assert client.ask("one", tenant_id="acme").content == "one"
    messages = (Message(role=MessageRole.SYSTEM, content="Be brief."), Message(content="two"))
    assert client.ask(messages).content == "two"
    assert client.ask(Request(request_id="mine", messages=messages)).request_id == "mine"
    first, second, third = responder.asked
    assert (first.tenant_id, second.messages, third.request_id) == ("acme", messages, "mine")
    assert first.created_at > 0
    assert first.request_id != second.request_id
    assert client.outstanding == 0


def test_fields_are_given_once(client: ForebayClient) -> None:
    with pytest.raises(TypeError):
        client.ask(Request(messages=(Message(content="one"),)), tenant_id="acme")


def test_only_the_first_of_repeated_responses_counts(shared_settings: Settings, responder: Responder) -> None:
    responder.reply = lambda request: 3 * echo(request)
    heard: list[str] = []
    with ForebayClient(shared_settings, on_response=lambda response: heard.append(response.content)) as client:
        assert client.ask("one").content == "one"
        assert client.ask("two").content == "two"  # behind the repetitions of the first
    assert sorted(heard) == ["one", "two"]


def test_a_client_hears_of_its_own_requests_only(shared_settings: Settings, client: ForebayClient) -> None:
    heard: list[str] = []
    with ForebayClient(shared_settings, on_response=lambda response: heard.append(response.content)) as other:
        assert client.ask("one").content == "one"
        assert other.ask("two").content == "two"
    assert heard == ["two"]


def test_no_response_is_a_time_out_and_the_request_may_be_asked_again(
    client: ForebayClient, responder: Responder
) -> None:
    request = Request(request_id="again", messages=(Message(content="slow"),))
    responder.hold.set()
    with pytest.raises(TimeoutError):
        client.ask(request, timeout_s=0.01)
    assert client.outstanding == 0
    responder.hold.clear()
    assert client.ask(request).content == "slow"


async def test_asynchronous_requests_do_not_wait_for_each_other(
    shared_settings: Settings, responder: Responder
) -> None:
    async with ForebayClient(shared_settings) as client:
        found = await asyncio.gather(*(client.ask_async(f"number {number}") for number in range(20)))
        assert [response.content for response in found] == [f"number {number}" for number in range(20)]
        responder.hold.set()
        with pytest.raises(TimeoutError):
            await client.ask_async("slow", timeout_s=0.01)
        assert client.outstanding == 0


def test_a_request_that_is_too_large_is_not_published(
    client: ForebayClient, responder: Responder, shared_settings: Settings
) -> None:
    with pytest.raises(RequestTooLargeError, match="at most"):
        client.ask("x" * shared_settings[KafkaSettings].max_record_bytes)
    with pytest.raises(ValueError, match="max_cost_nanousd"):
        client.ask("x", max_cost_nanousd=1 << 70)
    assert client.outstanding == 0
    assert client.ask("small").content == "small"
    assert [request.messages[0].content for request in responder.asked] == ["small"]


def test_what_the_brokers_refuse_is_told_to_who_waits(
    client: ForebayClient, responder: Responder, shared_settings: Settings
) -> None:
    def is_refused() -> bool:
        try:
            client.ask("x" * 5_000)
        except NotDeliveredError:
            return True
        return False

    with record_size(shared_settings, 2_000):
        wait_until(is_refused)
        assert client.outstanding == 0
        assert client.ask("small").content == "small"


def test_a_response_that_cannot_be_read_is_told_to_who_waits(client: ForebayClient, responder: Responder) -> None:
    responder.reply = lambda _request: [b"no avro"]
    with pytest.raises(UndecodableError):
        client.ask("one")
    responder.reply = echo
    assert client.ask("two").content == "two"


def test_all_who_ask_with_an_id_get_its_one_response(client: ForebayClient, responder: Responder) -> None:
    request = Request(request_id="shared", messages=(Message(content="one"),))
    responder.hold.set()
    futures = [client.submit(request) for _ in range(3)]
    assert client.outstanding == 1
    wait_until(lambda: len(responder.asked) == 3)
    responder.hold.clear()
    assert {id(future.result(30)) for future in futures} == {id(futures[0].result())}


def test_who_gives_up_does_not_take_the_response_from_others(client: ForebayClient, responder: Responder) -> None:
    request = Request(request_id="given-up", messages=(Message(content="one"),))
    responder.hold.set()
    patient = client.submit(request)
    with pytest.raises(TimeoutError):
        client.ask(request, timeout_s=0.01)
    with pytest.raises(TimeoutError):
        asyncio.run(client.ask_async(request, timeout_s=0.01))
    assert client.outstanding == 1
    responder.hold.clear()
    assert patient.result(30).content == "one"


def test_a_cancelled_future_disturbs_nobody(shared_settings: Settings, responder: Responder) -> None:
    heard: list[str] = []
    with ForebayClient(shared_settings, on_response=lambda response: heard.append(response.request_id)) as client:
        responder.hold.set()
        future = client.submit("one", request_id="cancelled")
        assert future.cancel()
        responder.hold.clear()
        wait_until(lambda: heard == ["cancelled"])
        assert client.ask("two").content == "two"
    assert future.cancelled()


def test_a_callback_that_fails_keeps_no_response_from_others(shared_settings: Settings, responder: Responder) -> None:
    called: list[str] = []

    def broken(response: Response) -> None:
        called.append(response.content)
        raise RuntimeError("of the application")

    with ForebayClient(shared_settings, on_response=broken) as client:
        assert client.ask("one").content == "one"
        assert client.ask("two").content == "two"
        wait_until(lambda: called == ["one", "two"])


def test_closing_publishes_what_is_queued_and_cancels_who_waits(
    shared_settings: Settings, responder: Responder
) -> None:
    responder.hold.set()
    seen: list[int] = []
    with ForebayClient(shared_settings) as client:
        futures: list[Future[Response]] = [client.submit(f"number {number}") for number in range(50)]
        futures[0].add_done_callback(
            lambda _: seen.append(client.outstanding)
        )  # the client answers also while it closes
    for future in futures:
        with pytest.raises(CancelledError):
            future.result(0)
    assert seen == [0]
    wait_until(lambda: len(responder.asked) == 50)


def test_threads_share_a_client(client: ForebayClient) -> None:
    answers: dict[str, str] = {}

    def ask(number: int) -> None:
        answers[f"thread {number}"] = client.ask(f"thread {number}").content

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 16
    assert all(asked == answered for asked, answered in answers.items())


def test_without_topics_it_says_how_to_make_them(settings: Settings) -> None:
    with pytest.raises(BrokerUnavailableError, match="forebay topics create"):
        ForebayClient(settings)
