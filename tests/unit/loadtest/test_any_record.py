"""The oracle of random records sees each broken promise, and what is sent is what was drawn."""

import pytest
from aiokafka.record.default_records import DefaultRecordBatch
from hypothesis import given
from hypothesis import strategies as st

from forebay.contract import headers as h
from forebay.contract.records import UsageEvent, UsageStatus
from forebay.contract.topics import TOPICS
from forebay.settings import load
from forebay_agents.cost.reconciliation import InvoiceLine
from loadtest.any_record.__main__ import encoder
from loadtest.any_record.drawn import PACK, Drawn, Sized, made
from loadtest.any_record.judging import WAITED_FOR, Place, Seen, grown, violations, without_end
from loadtest.any_record.strategies import draw_all

AT = ("requests", 2, 17)
NOTHING = Seen()


def ends(record: Drawn, *answered: str, buried: frozenset[Place] = frozenset()) -> bool:
    return not without_end({(record.topic, *AT[1:]): record}, Seen(answered=frozenset(answered), buried=buried))


@pytest.mark.parametrize("topic", WAITED_FOR)
def test_somebody_waits_for_an_end(topic: str) -> None:
    assert not ends(Drawn(topic=topic))


@pytest.mark.parametrize("topic", sorted(TOPICS.keys() - set(WAITED_FOR)))
def test_nobody_waits_for_other_topics(topic: str) -> None:
    assert ends(Drawn(topic=topic))


def test_an_end_is_a_response_under_a_name_of_the_record_or_its_dead_letter() -> None:
    record = Drawn(topic="requests", key=b"key", headers=((b"forebay-request-id", b"sent"),), ids=frozenset({"id"}))
    for name in ("id", "sent", "key", "requests-2-17"):
        assert ends(record, name)
    assert not ends(record, "another")
    assert ends(record, buried=frozenset({AT}))
    assert not ends(record, buried=frozenset({("requests", 2, 18)}))


def test_a_retry_is_its_stages_alone() -> None:
    headers = ((h.RETRY_STAGE.encode(), b"cache"), (h.ORIGIN_TOPIC.encode(), b"completions"))
    assert ends(Drawn(topic="completions", headers=headers))
    assert not ends(Drawn(topic="requests", headers=headers))


def test_each_broken_promise_is_told() -> None:
    entry = UsageEvent(attempt_id="a", status=UsageStatus.SETTLED, cost_nanousd=5)
    for broken in (
        Seen(restarts={"cache": 1}),
        Seen(not_ready={"cache": "unassigned"}),
        Seen(lag={"cache": {"completions": 3}}),
        Seen(bugs={AT: "bug in cache: KeyError in f:1"}),
        Seen(ledger=[entry]),
        Seen(invoice=[InvoiceLine(attempt_id="a", cost_nanousd=5, model="m", prompt_tokens=1, completion_tokens=1)]),
    ):
        assert len(violations({}, broken, Seen(restarts={"cache": 0}))) == 1
    assert violations({}, Seen(restarts={"cache": 2}), Seen(restarts={"cache": 2})) == []


def test_memory_may_grow_by_what_was_said() -> None:
    early = Seen(memory={"cache": 100, "cost": 100})
    assert grown(early, Seen(memory={"cache": 105, "cost": 106}), 1.05) == ["cost has 0 MiB, 0 before"]


@given(
    record=st.builds(
        Drawn,
        topic=st.just("requests"),
        key=st.none() | st.binary(max_size=9),
        value=st.none() | st.binary(max_size=9) | st.builds(Sized, size=st.integers(0, 99), noise=st.booleans()),
        headers=st.lists(st.tuples(st.text(max_size=3).map(str.encode), st.binary(max_size=3)), max_size=3).map(tuple),
        many=st.integers(0, 3),
        time_ms=st.integers(-1, 1 << 62),
        codec=st.sampled_from((0, *PACK)),
    )
)
def test_a_batch_is_what_a_client_reads(record: Drawn) -> None:
    batch = DefaultRecordBatch(record.batch())
    assert batch.validate_crc()
    [found] = list(batch)
    assert (found.key, found.value, found.timestamp) == (made(record.key), made(record.value), record.time_ms)
    assert found.headers == [*((name.decode(), value) for name, value in record.headers), *[("h", b"")] * record.many]


def test_every_topic_and_every_kind_of_value_is_drawn() -> None:
    seen: list[Drawn] = []
    draw_all(seen.append, encoder(load()), 100_000, 1_700_000_000_000, 300, 1)
    assert {record.topic for record in seen} == TOPICS.keys()
    assert {record.codec for record in seen} == {0, *PACK}
    assert any(record.key is None and record.value is None for record in seen)
    assert any(not _utf8(name) for record in seen for name, _ in record.headers)
    assert sum(bool(record.ids) for record in seen) > len(seen) / 10


def _utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
