"""What became of the records of a replay? Each carries the id of its letter, and so does all that is made of it.

An answered request succeeded; one that was answered otherwise, or is a dead letter again, failed; one that failed twice
and waits in a retry topic is in trouble (once is no sign: at the end of an outage the first ones may come too early). A
record of a stage beside the request path (cost, evaluation, review) leaves no
outcome, and that of a response is not for operators to read: see
:class:`forebay.operations.dead_letters.replay.Replayer`.
"""

import time
from typing import Any

from forebay.avro.codec import Codec, UndecodableError, open_codecs
from forebay.avro.registry import open_registry
from forebay.contract import headers as h
from forebay.contract.names import topic_on_broker
from forebay.contract.records import Completion, ResponseStatus
from forebay.contract.topics import RETRY_LEVELS
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.queries import partitions_of, watermarks
from forebay.operations.dead_letters.letters import REPLAY_ID
from forebay.settings import KafkaSettings, Settings

_IN_TROUBLE = 3
"""Number of the coming try from which on a record is in trouble."""
_WATCHED = ("completions", "dlq", *RETRY_LEVELS)


class TopicOutcomes:
    """Watches the topics from the moment it is made; close it at the end."""

    def __init__(self, settings: Settings, replay_id: str) -> None:
        from confluent_kafka import Consumer, TopicPartition

        kafka = settings[KafkaSettings]
        self._replay_id = replay_id
        self._codec: Codec[Completion] = open_codecs(settings, open_registry(settings))["completions"]
        self._names = {topic_on_broker(topic, kafka): topic for topic in _WATCHED}
        self._succeeded: set[str] = set()
        self._failed: set[str] = set()
        self._retried: set[str] = set()
        self._consumer: Any = Consumer(
            confluent_options(kafka) | {"group.id": topic_on_broker("replay", kafka), "enable.auto.commit": False},
            logger=silent(),
        )
        places = []
        for name in self._names:
            for number in partitions_of(self._consumer, name, kafka):
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

    def counts(self) -> tuple[int, int, int]:
        """Succeeded, failed and waiting for a third try; what failed first and succeeded later has succeeded."""
        failed = self._failed - self._succeeded
        return len(self._succeeded), len(failed), len(self._retried - self._succeeded - failed)

    def close(self) -> None:
        """Stop watching."""
        self._consumer.close()

    def _take(self, message: Any) -> None:
        headers = h.from_kafka(message.headers())
        letter = h.text(headers, h.REPLAYED_LETTER)
        if letter is None or h.text(headers, REPLAY_ID) != self._replay_id:
            return
        topic = self._names[message.topic()]
        if topic == "dlq":
            self._failed.add(letter)
        elif topic in RETRY_LEVELS:
            if (h.number(headers, h.ATTEMPT) or 0) >= _IN_TROUBLE:
                self._retried.add(letter)
        elif h.RETRY_STAGE not in headers:  # else it is the replayed record itself, on its way to one stage
            self._answered(letter, message.value())

    def _answered(self, letter: str, value: bytes | None) -> None:
        try:
            completion = self._codec.decode(value)
        except UndecodableError:
            return
        (self._succeeded if completion.status is ResponseStatus.OK else self._failed).add(letter)
