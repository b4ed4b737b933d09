"""What became of the records of a replay? An answered request, or a new dead letter of the same replay.

A record of a stage beside the request path (cost, evaluation, review) leaves no outcome, and that of a response is not
for operators to read: see :class:`streams.dlq.replaying.Replayer`.
"""

import time
from collections.abc import Collection
from typing import Any

from streams import headers as h
from streams.codec import Codec, UndecodableError, open_codecs
from streams.dlq.letters import REPLAY_ID
from streams.kafka import confluent_options, topic_on_broker, watermarks
from streams.records import Completion, ResponseStatus
from streams.registry import open_registry
from streams.settings import KafkaSettings, Settings

_WATCHED = ("completions", "dlq")


class TopicOutcomes:
    """Watches the topics from the moment it is made; close it at the end.

    Args:
        request_ids: of the letters that are replayed.
    """

    def __init__(self, settings: Settings, replay_id: str, request_ids: Collection[str]) -> None:
        from confluent_kafka import Consumer, TopicPartition

        kafka = settings[KafkaSettings]
        self._replay_id = replay_id
        self._wanted = frozenset(request_ids)
        self._codec: Codec[Completion] = open_codecs(settings, open_registry(settings))["completions"]
        self._names = {topic_on_broker(topic, kafka): topic for topic in _WATCHED}
        self._succeeded: set[str] = set()
        self._failed: set[str] = set()
        self._consumer: Any = Consumer(
            confluent_options(kafka) | {"group.id": topic_on_broker("replay", kafka), "enable.auto.commit": False}
        )
        places = []
        for name in self._names:
            for number in self._consumer.list_topics(name, timeout=15).topics[name].partitions:
                place = TopicPartition(name, number)
                place.offset = watermarks(self._consumer, place)[1]
                places.append(place)
        self._consumer.assign(places)

    def poll(self, seconds: float) -> None:
        """Take in what is new, for at most so long."""
        deadline = time.monotonic() + seconds
        while True:
            for message in self._consumer.consume(500, max(0.0, min(0.1, deadline - time.monotonic()))):
                if message.error() is None:
                    self._take(message)
            if time.monotonic() >= deadline:
                return

    def counts(self) -> tuple[int, int]:
        """Succeeded and failed so far; a request that failed first and succeeded later counts as succeeded."""
        return len(self._succeeded), len(self._failed - self._succeeded)

    def close(self) -> None:
        """Stop watching."""
        self._consumer.close()

    def _take(self, message: Any) -> None:
        headers = h.from_kafka(message.headers())
        if self._names[message.topic()] == "dlq":
            if h.text(headers, REPLAY_ID) == self._replay_id:
                self._failed.add(h.text(headers, "forebay-dlq-request-id") or str(message.offset()))
            return
        if h.RETRY_STAGE in headers:
            return  # the replayed record itself, on its way to the response stage
        try:
            completion = self._codec.decode(message.value())
        except UndecodableError:
            return
        if completion.request_id in self._wanted and completion.status is ResponseStatus.OK:
            self._succeeded.add(completion.request_id)
