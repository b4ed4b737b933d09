"""How does an output become the bytes that are published? By its topic's codec, with the headers it inherits."""

from collections.abc import Mapping, Sequence
from typing import Any

from forebay.avro.codec import Codec
from forebay.contract import headers as h
from forebay.contract.failures import Permanent
from forebay.contract.handlers import Output
from forebay.contract.topics import topic_named
from forebay.contract.wire import Encoded
from forebay.observability.spans import Span, added
from forebay.settings import KafkaSettings

_SEAL_BYTES = 1_024
"""Room for a seal: a record that goes back to its topic sealed is a little longer than it came."""

_FRAMING_BYTES = 65_536
"""Key, headers and batch framing around the largest value."""

_BATCH_BYTES = 256
"""Of these, what a batch of one record and the lengths in it take at most."""


_ANSWERED = frozenset({"requests.redacted", "requests.uncached", "completions"})
"""Topics on the way to the response: no other has the sealed ids of its people, which the ledger would keep, nor the
spans, which nothing else reads."""
_OF_THE_WAY = (h.IDS, h.SPANS)


class Encoding:
    """Encodes outputs; ``codecs`` by logical topic."""

    def __init__(self, codecs: Mapping[str, Codec[Any]], kafka: KafkaSettings) -> None:
        self._codecs = codecs
        self._kafka = kafka

    def encode(self, outputs: Sequence[Output], source: h.Headers, span: Span | None = None) -> list[Encoded]:
        """Bytes of ``outputs``, which inherit the headers of their ``source``; ``span`` goes with what goes on.

        Raises:
            Permanent: ``output_invalid`` or ``output_too_large``.
        """
        base = h.inherited(source)
        if span is not None and any(output.topic in _ANSWERED for output in outputs):
            base[h.SPANS] = added(base.get(h.SPANS, b""), span)
        return [self._encode(output, base) for output in outputs]

    def hints(self, outputs: Sequence[Output]) -> list[Encoded]:
        """Bytes of outputs that may be lost: they inherit no headers, for there are many to one record.

        Raises:
            Permanent: as :meth:`encode`.
        """
        return [self._encode(output, {}) for output in outputs]

    def _encode(self, output: Output, base: dict[str, bytes]) -> Encoded:
        value = output.value
        if not isinstance(value, bytes | None):
            try:
                value = self._codecs[output.topic].encode(value)
            except (TypeError, ValueError, KeyError, AttributeError) as error:
                raise Permanent("output_invalid", f"{type(error).__name__} encoding for {output.topic}") from None
        limit = record_limit(output.topic, self._kafka) + (_SEAL_BYTES if value is output.value else 0)
        if value is not None and len(value) > limit:
            raise Permanent("output_too_large", f"{len(value)} bytes for {output.topic}, at most {limit}")
        key = output.key.encode() if isinstance(output.key, str) else output.key
        headers = base
        if output.topic not in _ANSWERED and (h.IDS in base or h.SPANS in base):
            headers = {name: value for name, value in base.items() if name not in _OF_THE_WAY}
        if output.headers:
            headers = headers | output.headers
        return Encoded(
            topic=output.topic,
            key=key,
            value=value,
            headers=list(headers.items()),
            always=output.always,
            partition=output.partition,
        )


def record_limit(topic: str, kafka: KafkaSettings) -> int:
    """Largest value of a record of ``topic``, in bytes: derived records embed the request."""
    known = topic_named(topic)
    return kafka.max_record_bytes if known is not None and known.kind == "requests" else 4 * kafka.max_record_bytes


def message_limit(topic: str, kafka: KafkaSettings) -> int:
    """``max.message.bytes`` of ``topic``: its largest batch, of one record."""
    return record_limit(topic, kafka) + _FRAMING_BYTES


def fits(record: Encoded, limit: int) -> bool:
    """Whether ``record``, with its key and headers, is within ``limit`` bytes, the :func:`message_limit` of its topic.

    A close guess upwards, without encoding names.
    """
    size = len(record.value or b"") + len(record.key or b"") + _BATCH_BYTES
    for name, value in record.headers:
        size += 4 * len(name) + len(value) + 10  # a character is at most four bytes, a length at most five
    return size <= limit
