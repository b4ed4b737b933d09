"""A header whose name is not UTF-8 ends no command and no client: the client library gives a null pointer for it."""

from collections.abc import Sequence

import pytest

from forebay.avro.codec import Codec
from forebay.avro.registry import open_registry
from forebay.client.client import ForebayClient
from forebay.contract import headers as h
from forebay.contract.clock import now_ms
from forebay.contract.json_lines import new_id
from forebay.contract.names import topic_on_broker
from forebay.contract.records import Message, Request, Response
from forebay.kafka.reader import read_topic
from forebay.settings import KafkaSettings, Settings
from loadtest.any_record.drawn import Bytes, Drawn
from loadtest.any_record.sending import Sender
from tests.integration.responder import Responder, echo

pytestmark = pytest.mark.embedded

ODD: Sequence[tuple[bytes, Bytes]] = ((b"forebay-dlq-code", b"bug"), (b"\xb1\xff", b"v"), (b"\xed\xa0\x80", None))


def test_a_record_with_one_is_read_and_so_are_those_behind_it(shared_settings: Settings) -> None:
    with Sender(shared_settings[KafkaSettings]) as sender:
        for number in range(40):  # more than the interpreter takes to specialise the call
            odd = Drawn(topic="dlq", key=b"odd", headers=tuple(ODD), time_ms=now_ms())
            even = Drawn(topic="dlq", key=b"even", headers=((b"n", str(number).encode()),), time_ms=now_ms())
            assert [sender.send(odd), sender.send(even)] == [(0, 2 * number), (0, 2 * number + 1)]
    found = [(one.source.key, dict(one.source.headers)) for one in read_topic(shared_settings, "dlq")]
    assert [headers for key, headers in found if key == b"odd"] == [{}] * 40
    assert [h.number(headers, "n") for key, headers in found if key == b"even"] == list(range(40))


def test_a_client_that_is_sent_one_goes_on(shared_settings: Settings, responder: Responder) -> None:
    kafka = shared_settings[KafkaSettings]
    with Sender(kafka) as sender, ForebayClient(shared_settings) as client:
        responder.hold.set()
        waits = client.submit(Request(request_id=new_id(), messages=(Message(content="hello"),)))
        asked = Request(request_id=new_id(), messages=(Message(content="odd"),))
        odd = client.submit(asked)
        codec = Codec(Response, topic_on_broker("responses-value", kafka), open_registry(shared_settings))
        value = codec.encode(echo(asked)[0])
        key = asked.request_id.encode()
        sender.send(Drawn(topic="responses", key=key, value=value, headers=tuple(ODD), time_ms=now_ms()))
        assert odd.result(30).content == "odd"
        responder.hold.clear()
        assert waits.result(30).content == "hello"
