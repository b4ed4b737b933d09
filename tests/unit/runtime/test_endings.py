"""Whatever a record is, something comes of it that a broker takes: an answer, and a dead letter, if need be bare."""

import hashlib
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.contract import headers as h
from forebay.contract.failures import Failure, Permanent, Rejected
from forebay.contract.handlers import Context, Output
from forebay.contract.wire import Encoded
from forebay.kafka.producer import Delivery
from forebay.privacy.sealing import Keyring
from forebay.settings import KafkaSettings
from forebay.testing import KEYRING, delivered
from tests.unit.runtime.bench import FakeProducer, failing, header, metrics, processor, told

SMALL = KafkaSettings(max_record_bytes=16_384)
REFUSED = Permanent("no_tier", "no")


async def letter(source: Any, **changes: Any) -> Encoded:
    """The dead letter of a record that no handler sees."""
    [dead] = await processor(failing(AssertionError()), source.topic, **changes).process(source)
    assert dead.topic == "dlq"
    return dead


async def test_an_answer_that_cannot_be_made_of_the_record_is_made_as_for_one_that_cannot_be_read() -> None:
    def on_failure(record: Any, context: Context, failure: Failure) -> Sequence[Output]:
        assert record is None, "no answer for this one"
        return told(record, context, failure)

    run = processor(failing(Rejected("invalid_request", "no")), "alerts", on_failure=on_failure)
    [valid] = told(None, Context(source=delivered("alerts"), attempt=1, accepted_at=0), REFUSED)
    answer, dead = await run.process(delivered("alerts", run._encoding.encode([valid], {})[0].value, key=b"r-1"))
    assert (answer.topic, answer.key) == ("alerts", b"invalid_request")
    assert (dead.topic, header(dead, "forebay-dlq-request-id")) == ("dlq", "r-1")


async def test_a_record_without_a_key_leaves_a_dead_letter_under_one_that_is_made_up() -> None:
    dead = await letter(delivered("usage", None, key=None, partition=3, offset=41))
    assert (dead.key, dead.value) == (b"usage-3-41", None)
    assert (header(dead, "forebay-dlq-code"), header(dead, h.KEYLESS)) == ("empty_message", "1")


@pytest.mark.parametrize(
    "source",
    [
        delivered("usage", b"\0" * 4 * 16_385, key=b"k", headers={"forebay-dlq-x": b"y"}),
        delivered("usage", b"\0", key=b"k", headers={h.FINGERPRINT: b"\0" * 200_000}),
    ],
    ids=["value", "headers"],
)
async def test_a_dead_letter_larger_than_its_queue_takes_has_no_bytes(source: Any) -> None:
    dead = await letter(source, kafka=SMALL)
    assert (dead.key, dead.value, header(dead, h.WITHOUT_BYTES)) == (b"k", None, "too_large")
    assert header(dead, h.LENGTH) == str(len(source.value))
    assert header(dead, h.HASH) == f"sha256:{hashlib.sha256(source.value).hexdigest()}"
    assert [header(dead, name) for name in h.ORIGIN[:3]] == ["usage", "0", "0"]
    assert not {"forebay-dlq-x", "name-0"} & dict(dead.headers).keys()


async def test_without_a_key_a_restricted_record_leaves_a_dead_letter_without_its_bytes() -> None:
    dead = await letter(delivered("requests", b"personal"), keyring=None)
    assert (dead.value, header(dead, h.WITHOUT_BYTES), header(dead, h.HASH)) == (None, "not_sealable", None)


async def test_the_hash_of_a_restricted_record_cannot_be_guessed_without_the_key() -> None:
    source = delivered("requests", b"\0" * 70_000)
    one = await letter(source, kafka=SMALL)
    other = await letter(source, kafka=SMALL, keyring=Keyring({"test": b"\2" * 32}))
    assert header(one, h.HASH) == f"hmac-sha256:{KEYRING.tag(hashlib.sha256(source.value or b'').digest())}"
    assert header(other, h.HASH) != header(one, h.HASH)


OURS = (h.ATTEMPT, h.SEALED, h.DUE_AT, h.RETRY_STAGE, h.REPLAYED_AT, h.REQUEST_ID, *h.ORIGIN)


@given(
    topic=st.sampled_from(["requests", "requests.redacted", "completions", "usage"]),
    key=st.none() | st.binary(max_size=5_000),
    value=st.none() | st.binary(max_size=300),
    headers=st.dictionaries(
        st.sampled_from(OURS) | st.text(max_size=20),
        st.binary(max_size=40) | st.integers(-(10**30), 10**30).map(lambda number: str(number).encode()),
        max_size=8,
    ),
    timestamp_ms=st.integers(-1, 1 << 62),
)
async def test_whatever_a_record_is_it_gets_an_answer_and_a_dead_letter_that_can_be_sent(
    topic: str, headers: dict[str, bytes], **fields: Any
) -> None:
    source = delivered(topic, headers=headers, **fields)
    outputs = await processor(failing(REFUSED), topic, on_failure=told).process(source)
    producer = FakeProducer()
    await Delivery(producer, KafkaSettings(), metrics()).deliver(outputs)
    assert producer.sent == outputs
    if not (headers.get(h.ORIGIN_TOPIC) == topic.encode() and h.RETRY_STAGE in headers):  # else another stage's
        assert {"dlq", "alerts"} == {output.topic for output in outputs}
