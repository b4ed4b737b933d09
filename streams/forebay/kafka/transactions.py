"""How can no two operators write at once? Under one name there is one writer at a time, and a step is all or nothing.

A transactional producer with a fixed id (KIP-98): whoever opens it last fences all others, whose next step fails, and
ends what they had begun. So what is read after opening is what there is, for as long as nobody else opens it. Stages
read committed records only.

A step that writes to ``dlq.state`` also tells this process what time it is (:mod:`forebay.kafka.publisher`).
"""

from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

from forebay.avro.codec import open_codecs
from forebay.avro.encoding import Encoding
from forebay.avro.registry import open_registry
from forebay.contract.clock import elapsed_s
from forebay.contract.failures import Permanent
from forebay.contract.handlers import Output
from forebay.contract.names import topic_on_broker
from forebay.contract.wire import Encoded
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.publisher import Check, heard, unchecked
from forebay.settings import KafkaSettings, Settings

_TIMEOUT_S = 30.0


class FencedError(Exception):
    """Another writer has taken over; nothing of the current step happened."""


class StepError(Exception):
    """The brokers did not take a step; nothing of it happened, unless the message says otherwise."""


class UnexplainedError(StepError):
    """A broker refused without a reason, as it may when another writer takes over at that moment; see there."""


class NotAllowedError(StepError):
    """The brokers do not let this user write under the name: an access rule is missing."""


class Transactions:
    """Exclusive, atomic steps, for the length of each ``with``.

    Args:
        name: of the transactional id, which carries the installation's prefix on the broker.
        check: looks at the outputs of each step before anything of it is written.

    Raises:
        NotAllowedError: on entering, see there.
        StepError: on entering, when the brokers do not answer within 30 s.
    """

    def __init__(self, settings: Settings, name: str, check: Check = unchecked) -> None:
        self._check = check
        self._kafka = settings[KafkaSettings]
        self._encoding = Encoding(open_codecs(settings, open_registry(settings)), self._kafka)
        self._name = topic_on_broker(name, self._kafka)
        self._producer: Any = None

    def __enter__(self) -> Self:
        from confluent_kafka import Producer

        self._producer = Producer(
            confluent_options(self._kafka)
            | {
                "transactional.id": self._name,
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
            FencedError: another writer took over.
            UnexplainedError: a broker gave no reason; nothing happened, and it may be tried again.
            StepError: the brokers refused.
            Exception: what the check raises; nothing happened.
        """
        self._check(outputs)
        try:
            encoded_outputs = self._encoding.encode(outputs, {})
        except Permanent as failure:
            raise StepError(f"nothing was done: {failure.message}") from None
        begun_s = elapsed_s()
        self._guarded(self._producer.begin_transaction)
        try:
            for encoded in (*encoded_outputs, *records):
                topic = topic_on_broker(encoded.topic, self._kafka)
                headers: Any = list(encoded.headers)
                produce = partial(self._producer.produce, headers=headers, on_delivery=partial(heard, begun_s))
                self._guarded(produce, topic, encoded.value, encoded.key)
            self._guarded(self._producer.commit_transaction, _TIMEOUT_S)
        except StepError as error:
            try:
                self._guarded(self._producer.abort_transaction, _TIMEOUT_S)
            except StepError:
                raise StepError(
                    f"the brokers did not say what became of the last step ({error}): all of it happened, or nothing; "
                    "look again"
                ) from None
            raise

    def _guarded(self, action: Any, *arguments: Any) -> None:
        from confluent_kafka import KafkaError, KafkaException

        try:
            action(*arguments)
        except KafkaException as error:
            reason: Any = error.args[0]
            if reason.code() in (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH):  # noqa: SLF001 - librdkafka's own name of the code
                raise FencedError("another operator has taken over; look again") from None
            if reason.code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
                user = self._kafka.sasl_username
                raise NotAllowedError(
                    f"user {user!r} may not write on the transactional id {self._name}: an access rule is missing"
                ) from None
            # Seen once in hundreds of commits that four operators fought for; the step was then taken back.
            kind = UnexplainedError if reason.code() == KafkaError.UNKNOWN else StepError
            raise kind(reason.str()) from None
