"""What stands in for all stages where only the door is measured: each request comes back as its answer.

``[hold=SECONDS]`` in a question has the answer wait.
"""

import heapq
import re
import time
from typing import Any

from forebay.avro.codec import Codec
from forebay.avro.registry import open_registry
from forebay.contract import headers as h
from forebay.contract.names import topic_on_broker
from forebay.contract.records import AnswerSource, Request, Response, ResponseStatus
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.queries import partitions_of
from forebay.privacy.fingerprints import fingerprint
from forebay.settings import KafkaSettings, Settings

_HOLD = re.compile(r"\[hold=([0-9.]+)\]")
_BATCH = 500


def echo(settings: Settings) -> None:
    """Answer until the process is ended; prints a line once it reads."""
    from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition

    kafka, registry = settings[KafkaSettings], open_registry(settings)
    requests = Codec(Request, topic_on_broker("requests-value", kafka), registry)
    responses = Codec(Response, topic_on_broker("responses-value", kafka), registry)
    reading, writing = topic_on_broker("requests", kafka), topic_on_broker("responses", kafka)
    producer: Any = Producer(confluent_options(kafka) | {"linger.ms": 0}, logger=silent())
    own = {"group.id": "echo", "enable.auto.commit": False, "fetch.wait.max.ms": 20}
    consumer: Any = Consumer(confluent_options(kafka) | own, logger=silent())
    numbers = partitions_of(consumer, reading, kafka)
    consumer.assign([TopicPartition(reading, number, OFFSET_END) for number in numbers])
    consumer.poll(0.5)
    print("ready", flush=True)
    held: list[tuple[float, str, bytes, bytes]] = []
    while True:
        for message in consumer.consume(_BATCH, 0.002):
            if message.error() is not None:
                continue
            request = requests.decode(message.value())
            text = request.messages[-1].content
            hold = _HOLD.search(text)
            due_s = time.monotonic() + (float(hold[1]) if hold else 0.0)
            mark = fingerprint(request).encode()
            heapq.heappush(held, (due_s, request.request_id, responses.encode(_answer(request, text)), mark))
        while held and held[0][0] <= time.monotonic():
            _, request_id, value, mark = heapq.heappop(held)
            producer.produce(writing, value, request_id, headers={h.FINGERPRINT: mark})
        producer.poll(0)


def _answer(request: Request, text: str) -> Response:
    return Response(
        request_id=request.request_id,
        tenant_id=request.tenant_id,
        user_id=request.user_id,
        status=ResponseStatus.OK,
        content=text,
        source=AnswerSource.MODEL,
        tier="small",
        model="echo/echo",
        finish_reason="stop",
    )
