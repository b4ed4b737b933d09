"""Delivery: what is sent again, what is refused to whoever made it, and what ends the worker."""

import pytest
from aiokafka.errors import (
    MessageSizeTooLargeError,
    NotEnoughReplicasError,
    OutOfOrderSequenceNumber,
    TopicAuthorizationFailedError,
)

from forebay.contract.wire import Encoded
from forebay.kafka.producer import Delivery, DeliveryError, RefusedError
from forebay.settings import KafkaSettings
from forebay.testing import VirtualClock
from tests.unit.runtime.bench import FakeProducer, metrics

SMALL = KafkaSettings(max_record_bytes=16_384)


class Bench:
    """A delivery on a scripted broker; ``pauses`` it made, ``renewed`` identities it asked for."""

    def __init__(self) -> None:
        self.producer = FakeProducer()
        self.pauses: list[float] = []
        self.renewed = 0
        self.clock = VirtualClock()
        self.delivery = Delivery(
            self.producer, SMALL, metrics(), sleep=self._sleep, renew=self._renew, clock_ms=self.clock
        )

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def _renew(self) -> None:
        self.renewed += 1


def output(topic: str = "dlq", key: bytes | None = b"k", value: bytes | None = b"v", **headers: bytes) -> Encoded:
    return Encoded(topic=topic, key=key, value=value, headers=list(headers.items()))


async def test_what_a_broker_cannot_take_now_is_sent_again_and_nothing_else_is() -> None:
    bench = Bench()
    bench.producer.errors = [None, NotEnoughReplicasError(), None]
    await bench.delivery.deliver([output(key=b"a"), output(key=b"b"), output(key=b"c")])
    assert [record.key for record in bench.producer.sent] == [b"a", b"b", b"c", b"b"]
    assert (bench.pauses, bench.renewed) == ([0.1], 0)


async def test_records_carry_the_time_that_the_worker_goes_by_not_the_machines() -> None:
    bench = Bench()
    await bench.delivery.deliver([output()])
    bench.clock.advance(3)
    await bench.delivery.deliver([output()])
    assert bench.producer.stamps == [bench.clock() - 3_000, bench.clock()]


@pytest.mark.parametrize(
    "refused",
    [
        output(key=None, value=None),
        output(value=b"x" * (4 * 16_384 + 65_536)),
        output("requests", value=b"x" * (16_384 + 65_536)),
        output(name=b"x" * (4 * 16_384 + 65_536)),
    ],
    ids=["nothing", "value", "value for a topic of smaller ones", "header"],
)
async def test_what_nobody_will_take_is_refused_once_all_else_is_delivered(refused: Encoded) -> None:
    bench = Bench()
    bench.producer.errors = [NotEnoughReplicasError()]
    with pytest.raises(RefusedError) as caught:
        await bench.delivery.deliver([refused, output(key=b"other")])
    assert caught.value.output is refused
    assert [record.key for record in bench.producer.sent] == [b"other", b"other"]


async def test_a_name_that_is_no_text_is_refused() -> None:
    with pytest.raises(RefusedError, match="UnicodeEncodeError"):
        await Bench().delivery.deliver([Encoded(topic="dlq", key=b"k", value=b"v", headers=[("\ud800", b"")])])


async def test_a_broker_that_finds_a_batch_too_large_may_mean_another_record_of_it() -> None:
    bench = Bench()
    bench.producer.errors = [MessageSizeTooLargeError()] * 3
    await bench.delivery.deliver([output()])
    assert len(bench.producer.sent) == 4


async def test_a_broker_that_finds_a_record_too_large_each_time_means_it() -> None:
    bench = Bench()
    bench.producer.errors = [MessageSizeTooLargeError()] * 9
    with pytest.raises(RefusedError, match="MessageSizeTooLargeError"):
        await bench.delivery.deliver([output()])
    assert (len(bench.producer.sent), bench.renewed) == (4, 4)


async def test_numbers_that_a_refused_batch_left_out_of_order_begin_afresh() -> None:
    bench = Bench()
    bench.producer.errors = [OutOfOrderSequenceNumber()]
    await bench.delivery.deliver([output()])
    assert (len(bench.producer.sent), bench.renewed) == (2, 1)


async def test_without_the_right_to_write_the_worker_ends() -> None:
    bench = Bench()
    bench.producer.errors = [TopicAuthorizationFailedError()]
    with pytest.raises(DeliveryError):
        await bench.delivery.deliver([output()])
