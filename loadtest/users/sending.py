"""How is load made that measures what users would feel? Each request goes out when it is due, and counts from then.

A generator that is late itself, or that waits for answers, would leave out just those requests that had to wait (Tene,
"How NOT to Measure Latency"). Encoded before the run begins; responses are looked at by their keys while it runs and
decoded after it, so that the generator takes little of the cores that it measures.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from forebay.avro.codec import Codec
from forebay.avro.registry import open_registry
from forebay.contract.clock import now_ms
from forebay.contract.json_lines import new_id
from forebay.contract.names import topic_on_broker
from forebay.contract.records import Message, MessageRole, Params, Request
from forebay.kafka.connection import confluent_options, silent
from forebay.settings import KafkaSettings, Settings
from loadtest.users.mix import Asked

_AHEAD_S = 0.5
"""From the last preparation to the begin."""
_SAID_EVERY_S = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """What became of the requests of one run, as their users saw it.

    Attributes:
        accepted: request id to the moment when it was due, in ms since the epoch: those that a broker acknowledged.
        refused: that no broker took.
        latency_ms: request id to the time from when it was due to its first response.
        late_ms: of the request that the generator sent latest after it was due.
        seconds: from the begin to when the last was sent.
    """

    accepted: dict[str, int]
    refused: int
    latency_ms: dict[str, int]
    late_ms: int
    seconds: float


def send(
    settings: Settings,
    asked: Sequence[Asked],
    say: Callable[[str], None],
    *,
    patience_s: float,
    sent_all: Callable[[], None] = lambda: None,
) -> Sent:
    """Send ``asked`` at their times; returns when all have a response, or ``patience_s`` after the last.

    Args:
        sent_all: called when the last was sent.
    """
    from confluent_kafka import Producer

    kafka = settings[KafkaSettings]
    codec = Codec(Request, topic_on_broker("requests-value", kafka), open_registry(settings))
    prepared = [(one.due_s, request := _request(one), codec.encode(request)) for one in asked]
    topic = topic_on_broker("requests", kafka)
    producer: Any = Producer(
        confluent_options(kafka)
        | {"enable.idempotence": True, "acks": "all", "partitioner": "murmur2_random", "linger.ms": 2},
        logger=silent(),
    )
    accepted: dict[str, int] = {}
    refused: list[str] = []

    def noting(request_id: str, due_ms: int) -> Any:
        def delivered(error: Any, _message: Any) -> None:
            if error is None:
                accepted[request_id] = due_ms
            else:
                refused.append(request_id)

        return delivered

    with _Arrivals(settings) as arrivals:
        begun, begun_ms = time.monotonic() + _AHEAD_S, now_ms() + round(1000 * _AHEAD_S)
        late_s, said_s = 0.0, 0.0
        for due_s, request, content in prepared:
            while (wait_s := begun + due_s - time.monotonic()) > 0:
                producer.poll(wait_s)
            late_s = max(late_s, -wait_s)
            due_ms = begun_ms + round(1000 * due_s)
            key = request.request_id.encode()
            producer.produce(topic, content, key, on_delivery=noting(request.request_id, due_ms))
            producer.poll(0)
            if due_s - said_s >= _SAID_EVERY_S:
                said_s = due_s
                say(f"{due_s:.0f} s: {len(accepted)} sent, {len(arrivals.at_ms)} answered")
        producer.flush(60)
        took_s = time.monotonic() - begun
        sent_all()
        arrivals.wait(accepted, patience_s)
        at_ms = arrivals.at_ms
    return Sent(
        accepted=accepted,
        refused=len(refused),
        latency_ms={one: max(0, at_ms[one] - due_ms) for one, due_ms in accepted.items() if one in at_ms},
        late_ms=round(1000 * late_s),
        seconds=took_s,
    )


def _request(asked: Asked) -> Request:
    system = [] if asked.system is None else [Message(role=MessageRole.SYSTEM, content=asked.system)]
    return Request(
        request_id=new_id(),
        tenant_id=asked.tenant,
        user_id=asked.user,
        messages=(*system, Message(content=asked.text)),
        params=Params(max_tokens=256),
        created_at=now_ms(),
        deadline_ms=asked.deadline_ms,
    )


class _Arrivals(threading.Thread):
    """When did the first response to each request come? Reads nothing but keys, which are the requests' ids."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name="arrivals", daemon=True)
        self.at_ms: dict[str, int] = {}
        self._kafka = settings[KafkaSettings]
        self._reading, self._over = threading.Event(), threading.Event()

    def __enter__(self) -> "_Arrivals":
        self.start()
        if not self._reading.wait(30):
            raise RuntimeError("the topic of responses could not be read within 30 s")
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join(30)

    def wait(self, wanted: dict[str, int], patience_s: float) -> None:
        """Until all of ``wanted`` came, or that many seconds."""
        deadline = time.monotonic() + patience_s
        while not wanted.keys() <= self.at_ms.keys() and time.monotonic() < deadline:
            time.sleep(0.1)

    def run(self) -> None:
        """Read from the present end on."""
        from confluent_kafka import Consumer, TopicPartition

        topic = topic_on_broker("responses", self._kafka)
        consumer: Any = Consumer(
            confluent_options(self._kafka)
            | {"group.id": new_id(), "enable.auto.commit": False, "fetch.wait.max.ms": 500},
            logger=silent(),
        )
        try:
            found = consumer.list_topics(topic, timeout=10).topics[topic].partitions
            places = [TopicPartition(topic, number) for number in found]
            ends = [consumer.get_watermark_offsets(place, timeout=10)[1] for place in places]
            consumer.assign(
                [TopicPartition(topic, place.partition, end) for place, end in zip(places, ends, strict=True)]
            )
            self._reading.set()
            while not self._over.is_set():
                for message in consumer.consume(500, 0.1):
                    if message.error() is None and message.key():
                        self.at_ms.setdefault(message.key().decode(), now_ms())
        finally:
            consumer.close()
