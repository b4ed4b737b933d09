"""How can two operators not replay the same letter twice? One of them at a time, and all of it or nothing.

Everything that is done to dead letters goes through a transactional producer with one id for the whole installation
(KIP-98): whoever opens it last fences all others, whose next step fails. A replayed record and the note that it was
replayed are in one transaction, so neither is ever there without the other, also under kill -9. States are read again
after fencing: from then on nobody else can change them. Stages read committed records only.
"""

from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

from forebay.avro.codec import open_codecs
from forebay.avro.encoding import Encoding
from forebay.avro.registry import open_registry
from forebay.contract.failures import Permanent
from forebay.contract.handlers import Output
from forebay.contract.names import topic_on_broker
from forebay.contract.wire import Encoded
from forebay.kafka.connection import confluent_options, silent
from forebay.settings import KafkaSettings, Settings

_TIMEOUT_S = 30.0


class FencedError(Exception):
    """Another operator has taken over; nothing of the current step happened."""


class JournalError(Exception):
    """The brokers did not take a step; nothing of it happened."""


class Journal:
    """Exclusive, atomic steps on dead letters, for the length of a ``with``."""

    def __init__(self, settings: Settings) -> None:
        self._kafka = settings[KafkaSettings]
        self._encoding = Encoding(open_codecs(settings, open_registry(settings)), self._kafka)
        self._producer: Any = None

    def __enter__(self) -> Self:
        from confluent_kafka import Producer

        self._producer = Producer(
            confluent_options(self._kafka)
            | {
                "transactional.id": topic_on_broker("dlq-operator", self._kafka),
                "enable.idempotence": True,
                "acks": "all",
                "partitioner": "murmur2_random",
                "message.max.bytes": 4 * self._kafka.max_record_bytes + 65_536,
            },
            logger=silent(),
        )
        self._guarded(self._producer.init_transactions, _TIMEOUT_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._producer = None

    def step(self, outputs: Sequence[Output] = (), records: Sequence[Encoded] = ()) -> None:
        """Publish ``outputs`` and raw ``records`` together or not at all.

        Raises:
            FencedError: another operator took over.
            JournalError: the brokers refused.
        """
        try:
            encoded_outputs = self._encoding.encode(outputs, {})
        except Permanent as failure:
            raise JournalError(f"nothing was done: {failure.message}") from None
        self._guarded(self._producer.begin_transaction)
        try:
            for encoded in (*encoded_outputs, *records):
                topic = topic_on_broker(encoded.topic, self._kafka)
                headers: Any = list(encoded.headers)
                self._guarded(partial(self._producer.produce, headers=headers), topic, encoded.value, encoded.key)
            self._guarded(self._producer.commit_transaction, _TIMEOUT_S)
        except JournalError as error:
            try:
                self._guarded(self._producer.abort_transaction, _TIMEOUT_S)
            except JournalError:
                raise JournalError(
                    f"the brokers did not say what became of the last step ({error}): all of it happened, or nothing; "
                    "look again with `forebay dlq list`"
                ) from None
            raise

    @staticmethod
    def _guarded(action: Any, *arguments: Any) -> None:
        from confluent_kafka import KafkaError, KafkaException

        try:
            action(*arguments)
        except KafkaException as error:
            reason: Any = error.args[0]
            if reason.code() in (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH):  # noqa: SLF001 - librdkafka's own name of the code
                raise FencedError("another operator has taken over the dead letters; look again") from None
            raise JournalError(reason.str()) from None
