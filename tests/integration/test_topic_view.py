"""A topic's newest values on a real broker: markers at the end, open transactions, operators who write at once."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import pytest

from forebay.contract.handlers import Output
from forebay.contract.records import DeadLetterAction, DeadLetterState
from forebay.kafka.publisher import publish as publish_plainly
from forebay.kafka.reader import read_topic, records_at
from forebay.kafka.transactions import FencedError, Transactions
from forebay.operations.seen_writes import OutdatedError, publish
from forebay.operations.topic_view import TopicView, open_view
from forebay.settings import KafkaSettings, Settings

pytestmark = pytest.mark.embedded


def state(letter: str, by: str) -> list[Output]:
    value = DeadLetterState(dead_letter_id=letter, action=DeadLetterAction.PARKED, by=by)
    return [Output(topic="dlq.state", key=letter, value=value)]


def by(view: TopicView[DeadLetterState]) -> dict[str, str]:
    return {entry.key: entry.value.by for entry in view.entries() if entry.value}


@pytest.fixture
def writer(topics: object, settings: Settings) -> Callable[[], Transactions]:
    return partial(Transactions, settings, "dlq.state-operator")


def test_a_view_reads_to_the_end_and_on_from_there(settings: Settings, writer: Callable[[], Transactions]) -> None:
    with writer() as only:
        only.step(state("0-1", "ann"))
        only.step(state("0-1", "bob"))
    publish_plainly(settings, state("0-2", "cy"))
    with open_view(settings, "dlq.state") as view:
        assert by(view) == {"0-1": "bob", "0-2": "cy"}
        assert sum(view.ends.values()) == 5, "three records and two markers"
        assert view.refresh() == 0
        with writer() as only:
            only.step(state("0-3", "dee"))
        for _ in range(100):
            view.follow(0.1)
            if view.get("0-3"):
                break
        assert by(view)["0-3"] == "dee"
        entry = view.get("0-1")
    assert entry is not None
    [found, gone] = records_at(
        settings,
        [("dlq.state", entry.at.partition, entry.at.offset), ("dlq.state", entry.at.partition, entry.at.offset + 99)],
    )
    assert found is not None
    assert (found.value.by, gone) == ("bob", None)
    assert len(list(read_topic(settings, "dlq.state"))) == 4


def test_what_is_open_is_waited_for_by_those_who_compare(
    settings: Settings, writer: Callable[[], Transactions]
) -> None:
    """Whoever else writes to the topic in a transaction hides what stands behind it: for the length of it only."""
    with ExitStack() as stack:
        other = stack.enter_context(Transactions(settings, "somebody-else"))
        producer = other._producer
        producer.begin_transaction()
        producer.produce(f"{_prefix(settings)}dlq.state", b"x", b"0-1")
        assert producer.flush(30) == 0
        publish_plainly(settings, state("0-1", "ann"))  # committed, in the same partition, behind what is open
        view = stack.enter_context(open_view(settings, "dlq.state"))
        assert by(view) == {}
        ends = threading.Timer(0.5, producer.abort_transaction, [30])
        ends.start()
        stack.callback(ends.join)
        with pytest.raises(OutdatedError) as refused:
            publish(view, writer, state("0-1", "bob"), {"0-1": None})
        assert not ends.is_alive()
        entry = refused.value.entries["0-1"]
        assert entry is not None
        assert entry.value.by == "ann"


def test_operators_at_the_same_moment(settings: Settings, writer: Callable[[], Transactions]) -> None:
    """Each of four decides the same letter, and one of his own: one gets the first, all get theirs."""
    with ExitStack() as stack:
        views = [stack.enter_context(open_view(settings, "dlq.state")) for _ in range(4)]
        start, won, lost = threading.Barrier(4), list[str](), list[str]()

        def operator(number: int) -> None:
            start.wait(30)
            name = f"op-{number}"
            try:
                assert publish(views[number], writer, state("0-1", name), {"0-1": None})
                won.append(name)
            except (OutdatedError, FencedError):
                lost.append(name)
            for _ in range(5):
                try:
                    publish(views[number], writer, state(name, name), {name: None})
                except FencedError:
                    continue
                break

        threads = [threading.Thread(target=operator, args=[number]) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        assert len(lost) == 3
        views[0].refresh(settled=True)
        assert by(views[0]) == {"0-1": won[0]} | {f"op-{number}": f"op-{number}" for number in range(4)}
    written = [record.value.by for record in read_topic(settings, "dlq.state") if record.source.key == b"0-1"]
    assert written == won


def _prefix(settings: Settings) -> str:
    return settings[KafkaSettings].topic_prefix
