"""The last check before evaluations, reviews and dead letters."""

import pytest
from prometheus_client import CollectorRegistry

from forebay.contract import headers as h
from forebay.contract.failures import Permanent
from forebay.contract.handlers import Output
from forebay.contract.records import Completion, Evaluation, ReviewTask
from forebay.contract.wire import Encoded
from forebay.observability.metrics import Metrics
from forebay.privacy.egress import EgressGuard
from forebay.privacy.outbound import WITHHELD, Departures
from forebay.testing import KEYRING

CARD = "4111 1111 1111 1111"
ORIGIN = [(h.ORIGIN_TOPIC, b"completions"), (h.ORIGIN_PARTITION, b"3"), (h.ORIGIN_OFFSET, b"41")]


@pytest.fixture
def guard() -> EgressGuard:
    return EgressGuard(metrics=Metrics(CollectorRegistry()))


async def test_an_evaluation_with_an_identifier_stays(guard: EgressGuard) -> None:
    output = Output(topic="evaluations", key="r", value=Evaluation(reason=f"the answer quotes card {CARD}"))
    with pytest.raises(Permanent) as raised:
        await Departures(guard, None).enforce([output])
    assert raised.value.code == "pii_egress"
    assert CARD not in raised.value.message


async def test_a_review_is_read_to_the_bottom(guard: EgressGuard) -> None:
    output = Output(topic="reviews", key="r", value=ReviewTask(completion=Completion(content=f"it is {CARD}")))
    with pytest.raises(Permanent):
        await Departures(guard, None).enforce([output])


async def test_tags_digests_and_other_topics_pass(guard: EgressGuard) -> None:
    fine = Completion(content="it is <CREDIT_CARD_1>", request_id="0190a5f2-4111-7111-8111-111111111111")
    outputs = [
        Output(topic="reviews", key="r", value=ReviewTask(completion=fine)),
        Output(topic="responses", key="r", value=Completion(content=f"restored: {CARD}")),
    ]
    await Departures(guard, None).enforce(outputs)


def test_a_dead_letter_is_sealed_where_there_is_a_key(guard: EgressGuard) -> None:
    value = f"content {CARD}".encode()
    letter = Departures(guard, KEYRING).letter(Encoded(topic="dlq", key=b"k", value=value, headers=ORIGIN))
    assert letter.value is not None
    assert CARD.encode() not in letter.value
    assert KEYRING.open(letter.value, dict(letter.headers)[h.SEALED].decode()) == value


def test_a_dead_letter_is_withheld_where_there_is_none(guard: EgressGuard) -> None:
    letter = Departures(guard, None).letter(Encoded(topic="dlq", key=b"k", value=CARD.encode(), headers=ORIGIN))
    assert letter.value is None
    assert dict(letter.headers)[WITHHELD] == b"CREDIT_CARD"


def test_a_harmless_dead_letter_keeps_its_bytes(guard: EgressGuard) -> None:
    letter = Encoded(topic="dlq", key=b"k", value=b"\x00\x00nothing here <CREDIT_CARD_1>", headers=ORIGIN)
    assert Departures(guard, None).letter(letter) is letter
