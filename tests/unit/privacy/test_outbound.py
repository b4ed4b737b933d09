"""The last check before evaluations, reviews and dead letters."""

import pytest
from prometheus_client import CollectorRegistry

from forebay.contract import headers as h
from forebay.contract.failures import Permanent
from forebay.contract.handlers import Output
from forebay.contract.records import (
    Alert,
    AuditEvent,
    CacheCheck,
    Completion,
    Correction,
    DeadLetterState,
    Evaluation,
    Message,
    Record,
    RedactedRequest,
    ReviewTask,
    Silence,
)
from forebay.contract.topics import TOPICS
from forebay.contract.wire import Encoded
from forebay.observability.metrics import Metrics
from forebay.privacy.egress import EgressGuard
from forebay.privacy.outbound import EXEMPT, SINKS, WITHHELD, Departures
from forebay.testing import KEYRING

CARD = "4111 1111 1111 1111"
ORIGIN = [(h.ORIGIN_TOPIC, b"completions"), (h.ORIGIN_PARTITION, b"3"), (h.ORIGIN_OFFSET, b"41")]


@pytest.fixture
def guard() -> EgressGuard:
    return EgressGuard(metrics=Metrics(CollectorRegistry()))


async def test_an_evaluation_with_an_identifier_stays(guard: EgressGuard) -> None:
    output = Output(topic="evaluations", key="r", value=Evaluation(reason=f"the answer quotes card {CARD}"))
    with pytest.raises(Permanent) as raised:
        await Departures(guard, None).enforce_aside([output])
    assert raised.value.code == "pii_egress"
    assert CARD not in raised.value.message


async def test_a_review_is_read_to_the_bottom(guard: EgressGuard) -> None:
    output = Output(topic="reviews", key="r", value=ReviewTask(completion=Completion(content=f"it is {CARD}")))
    with pytest.raises(Permanent):
        await Departures(guard, None).enforce_aside([output])


async def test_tags_digests_and_other_topics_pass(guard: EgressGuard) -> None:
    fine = Completion(content="it is <CREDIT_CARD_1>", request_id="0190a5f2-4111-7111-8111-111111111111")
    outputs = [
        Output(topic="reviews", key="r", value=ReviewTask(completion=fine)),
        Output(topic="responses", key="r", value=Completion(content=f"restored: {CARD}")),
    ]
    await Departures(guard, None).enforce_aside(outputs)


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


def test_every_topic_is_checked_or_says_why_not() -> None:
    """A topic that is new has to be in one of the two."""
    assert sorted([*SINKS, *EXEMPT]) == sorted(TOPICS)
    assert all(len(reason) > 10 for reason in EXEMPT.values())
    assert len(set(SINKS.values())) == len(SINKS), "a sink is a label of a metric"


SAID = f"ring back about card {CARD}"
TEXTS: dict[str, list[Record]] = {
    "evaluations": [Evaluation(reason=SAID)],
    "reviews": [ReviewTask(completion=Completion(content=SAID))],
    "corrections": [
        Correction(content=SAID),
        Correction(reason=SAID),
        Correction(completion=Completion(content=SAID)),
    ],
    "alerts": [Alert(message=SAID), Alert(subject=SAID)],
    "alerts.silences": [Silence(reason=SAID), Silence(matchers={"subject": SAID})],
    "audit": [
        AuditEvent(reason=SAID),
        AuditEvent(subject=SAID),
        AuditEvent(action=SAID),
        AuditEvent(details={"paused": SAID}),
    ],
    "dlq.state": [DeadLetterState(reason=SAID)],
    "cache.verify": [
        CacheCheck(completion=Completion(content=SAID)),
        CacheCheck(completion=Completion(request=RedactedRequest(messages=(Message(content=SAID),)))),
    ],
}


def test_every_topic_that_people_read_has_its_texts_here() -> None:
    assert TEXTS.keys() == SINKS.keys()


@pytest.mark.parametrize(("topic", "value"), [(topic, value) for topic in TEXTS for value in TEXTS[topic]])
async def test_no_record_that_people_read_leaves_with_an_identifier(
    topic: str, value: Record, guard: EgressGuard
) -> None:
    departures, output = Departures(guard, None), Output(topic=topic, key="k", value=value)
    with pytest.raises(Permanent, match=f"about to go to {SINKS[topic]}: CREDIT_CARD"):
        departures.enforce([output])
    with pytest.raises(Permanent):
        await departures.enforce_aside([Output(topic=topic, key="k", value=type(value)()), output])


def test_who_acted_and_what_binds_a_record_to_others_is_no_secret(guard: EgressGuard) -> None:
    links = "0190a5f2-4111-7111-8111-111111111111:" + "4111111111111111" * 4
    event = AuditEvent(
        by="ann@office.example", details={"after": links, "os_user": "ann@office.example", "kafka_user": "a@b.example"}
    )
    outputs = [
        Output(topic="audit", key="k", value=event),
        Output(topic="dlq.state", key="k", value=DeadLetterState(by="ann@office.example")),
        Output(topic="corrections", key="k", value=Correction(reviewer="ann@office.example")),
    ]
    Departures(guard, None).enforce(outputs)
