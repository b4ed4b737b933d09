"""What stands in for all stages where only the client is tested: it reads requests and publishes what a test says."""

import threading
from collections.abc import Callable, Iterable

from forebay.avro.codec import Codec
from forebay.avro.registry import open_registry
from forebay.contract.names import topic_on_broker
from forebay.contract.records import AnswerSource, Request, Response, ResponseStatus
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.queries import partitions_of, watermarks
from forebay.settings import KafkaSettings, Settings

Reply = Callable[[Request], Iterable[Response | bytes]]


def echo(request: Request) -> list[Response]:
    """One response with the last message as its content."""
    return [
        Response(
            request_id=request.request_id,
            tenant_id=request.tenant_id,
            user_id=request.user_id,
            status=ResponseStatus.OK,
            content=request.messages[-1].content,
            source=AnswerSource.MODEL,
            tier="small",
        )
    ]


class Responder:
    """Answers in a thread of its own, for the length of a ``with``; ``reply`` and ``hold`` may change at any time."""

    def __init__(self, settings: Settings, reply: Reply = echo) -> None:
        from confluent_kafka import Consumer, Producer, TopicPartition

        self.reply = reply
        self.hold = threading.Event()
        """Set: requests are read, and answered once it is cleared."""
        self.asked: list[Request] = []
        self._kafka = settings[KafkaSettings]
        registry = open_registry(settings)
        self._requests = Codec(Request, topic_on_broker("requests-value", self._kafka), registry)
        self._responses = Codec(Response, topic_on_broker("responses-value", self._kafka), registry)
        options = {"partitioner": "murmur2_random"}  # as stages have it: an answer is found by its id
        self._producer = Producer(confluent_options(self._kafka) | options, logger=silent())
        self._consumer = Consumer(
            confluent_options(self._kafka)
            | {"group.id": "responder", "enable.auto.commit": False, "fetch.wait.max.ms": 20},
            logger=silent(),
        )
        topic = topic_on_broker("requests", self._kafka)
        numbers = partitions_of(self._consumer, topic, self._kafka)
        partitions = [TopicPartition(topic, number) for number in numbers]
        for partition in partitions:
            partition.offset = watermarks(self._consumer, partition)[1]
        self._consumer.assign(partitions)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Responder":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        held: list[Request] = []
        while not self._stopping.is_set():
            message = self._consumer.poll(0.02)
            if message is not None and message.error() is None:
                request = self._requests.decode(message.value())
                held.append(request)
                self.asked.append(request)
            while held and not self.hold.is_set():
                request = held.pop(0)
                for response in self.reply(request):
                    value = response if isinstance(response, bytes) else self._responses.encode(response)
                    self._producer.produce(topic_on_broker("responses", self._kafka), value, request.request_id)
                self._producer.flush()
