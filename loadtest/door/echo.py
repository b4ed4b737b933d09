"""What stands in for all stages where only the door is measured: each request comes back as its answer.

``[hold=SECONDS]`` in a question has the answer wait; with ``[pace=SECONDS]`` a word of it is said after each so many.
"""

import heapq
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from forebay.avro.codec import Codec
from forebay.avro.registry import open_registry
from forebay.contract import headers as h
from forebay.contract.names import topic_on_broker
from forebay.contract.records import AnswerSource, Delta, Request, Response, ResponseStatus
from forebay.contract.topics import DELTA_PARTITIONS
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.decoding import headers_of
from forebay.kafka.queries import partitions_of
from forebay.privacy.fingerprints import fingerprint
from forebay.settings import KafkaSettings, Settings

_HOLD, _PACE = re.compile(r"\[hold=([0-9.]+)\]"), re.compile(r"\[pace=([0-9.]+)\]")
_WORDS = re.compile(r"\s*\S+")
_BATCH = 500


@dataclass(kw_only=True)
class _Held:
    """A request until its answer is due, at ``until_s``; ``partition``: where its door reads pieces."""

    request: Request
    text: str
    until_s: float
    pace_s: float
    partition: int | None
    words: Iterator[re.Match[str]]


def echo(settings: Settings) -> None:
    """Answer until the process is ended; prints a line once it reads."""
    from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition

    kafka, registry = settings[KafkaSettings], open_registry(settings)
    requests, responses, deltas = (
        Codec[Any](record, topic_on_broker(f"{topic}-value", kafka), registry)
        for topic, record in (("requests", Request), ("responses", Response), ("deltas", Delta))
    )
    reading, writing, saying = (topic_on_broker(topic, kafka) for topic in ("requests", "responses", "deltas"))
    producer: Any = Producer(confluent_options(kafka) | {"linger.ms": 0}, logger=silent())
    own = {"group.id": "echo", "enable.auto.commit": False, "fetch.wait.max.ms": 20}
    consumer: Any = Consumer(confluent_options(kafka) | own, logger=silent())
    numbers = partitions_of(consumer, reading, kafka)
    consumer.assign([TopicPartition(reading, number, OFFSET_END) for number in numbers])
    consumer.poll(0.5)
    print("ready", flush=True)
    waiting: list[tuple[float, int, _Held]] = []
    serial = count()
    while True:
        for message in consumer.consume(_BATCH, 0.002):
            if message.error() is None:
                one = _held(requests.decode(message.value()), headers_of(message))
                heapq.heappush(waiting, (min(one.until_s, _next_s(one)), next(serial), one))
        while waiting and waiting[0][0] <= time.monotonic():
            due_s, _, one = heapq.heappop(waiting)
            request_id, word = one.request.request_id, next(one.words, None)
            if due_s >= one.until_s:
                value, mark = responses.encode(_answer(one.request, one.text)), fingerprint(one.request).encode()
                producer.produce(writing, value, request_id, headers={h.FINGERPRINT: mark})
                continue
            if word is not None:
                piece = Delta(attempt_id=f"a-{request_id}", at=word.start(), text=word[0], tier="small", model="echo")
                producer.produce(saying, deltas.encode(piece), request_id, partition=one.partition)
            heapq.heappush(waiting, (min(one.until_s, due_s + one.pace_s), next(serial), one))
        producer.poll(0)


def _held(request: Request, headers: h.Headers) -> _Held:
    text = request.messages[-1].content
    hold, pace = _HOLD.search(text), _PACE.search(text)
    return _Held(
        request=request,
        text=text,
        until_s=time.monotonic() + (float(hold[1]) if hold else 0.0),
        pace_s=float(pace[1]) if pace else float("inf"),
        partition=h.number(headers, h.REPLY_TO, high=DELTA_PARTITIONS - 1),
        words=_WORDS.finditer(text),
    )


def _next_s(one: _Held) -> float:
    return float("inf") if one.partition is None else time.monotonic() + one.pace_s


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
