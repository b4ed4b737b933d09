"""How is a hint published? It is handed over and forgotten: nobody waits for it, and nobody tries again.

What is true of outputs (:mod:`forebay.kafka.producer`) is not wanted here: a piece of an answer that comes late is of
no use, and the answer comes anyway. So this is another producer, with ``acks=1`` and no identity; librdkafka's, since a
batch each costs aiokafka 0.8 ms of CPU at 100 records/s. It is opened with the first hint: most stages have none.
"""

from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import KafkaException, Producer

from forebay.contract.names import topic_on_broker
from forebay.contract.wire import Encoded
from forebay.kafka.connection import confluent_options, silent
from forebay.observability.metrics import StageMetrics
from forebay.settings import KafkaSettings

MOST_WAITING = 256
"""Hints that wait for the brokers; one more is lost."""
_LINGER_MS = 2
_WAIT_MS = 5_000
"""After that a hint is lost: whoever wanted it has the answer, or has given up the live part."""
_CLOSE_S = 1.0


def open_producer(kafka: KafkaSettings) -> Any:
    """A producer whose records may be lost."""
    return Producer(
        confluent_options(kafka)
        | {
            "acks": "1",
            "enable.idempotence": False,
            "retries": 0,
            "linger.ms": _LINGER_MS,
            "message.timeout.ms": _WAIT_MS,
            "queue.buffering.max.messages": MOST_WAITING,
        },
        logger=silent(),
    )


class HintWriter:
    """Publishes hints; what is lost is counted.

    Args:
        producer: made with the first hint.
    """

    def __init__(
        self, kafka: KafkaSettings, metrics: StageMetrics, producer: Callable[[KafkaSettings], Any] = open_producer
    ) -> None:
        self._kafka = kafka
        self._metrics = metrics
        self._open = producer
        self._producer: Any = None

    def publish(self, hints: Sequence[Encoded]) -> None:
        """Hand ``hints`` over; returns at once and never raises."""
        try:
            if self._producer is None:
                self._producer = self._open(self._kafka)
            self._producer.poll(0)  # tells what became of those before
        except KafkaException:
            self._metrics.hints_lost("no_producer", len(hints))
            return
        for hint in hints:
            where = {} if hint.partition is None else {"partition": hint.partition}
            try:
                self._producer.produce(
                    topic_on_broker(hint.topic, self._kafka), hint.value, hint.key, on_delivery=self._told, **where
                )
            except BufferError:
                self._metrics.hints_lost("full")
            except KafkaException:
                self._metrics.hints_lost("refused")

    def close(self) -> None:
        """Send what waits, for at most a second."""
        if self._producer is not None:
            self._producer.flush(_CLOSE_S)

    def _told(self, error: Any, _message: Any) -> None:
        if error is not None:
            self._metrics.hints_lost("not_delivered")
