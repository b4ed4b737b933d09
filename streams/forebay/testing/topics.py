"""What lies in which topic? The brokers' twin in memory: bytes as they would be sent, decoded for those who look.

Each topic of the catalogue is there, with one partition. Records are encoded with the schemas that are shipped, so
that a record which would not fit a real topic does not fit here either. What waits in the retry topics goes back to
where it came from when the test lets time pass; the stage ``retry`` does that in a real installation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from forebay.avro.codec import Codec, UndecodableError, open_codecs
from forebay.avro.encoding import Encoding
from forebay.avro.registry import LocalRegistry
from forebay.contract import headers as h
from forebay.contract.handlers import Output
from forebay.contract.names import topics_of
from forebay.contract.records import Record
from forebay.contract.topics import RETRY_LEVELS, topic_named
from forebay.contract.wire import Delivered, Encoded
from forebay.settings import KafkaSettings, Settings, TenantSettings
from forebay.testing.clock import VirtualClock


@cache
def codecs(prefix: str = "forebay.") -> Mapping[str, Codec[Any]]:
    """Logical topic to codec, with the schema ids that are shipped."""
    return open_codecs(Settings({"kafka": {"topic_prefix": prefix}}), LocalRegistry(prefix=prefix))


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """A record in a topic.

    Attributes:
        number: its place among all records of all topics.
        source: its bytes, headers and place, as a consumer gets them.
        record: decoded; the bytes where the topic has no record type, ``None`` if they are no record.
    """

    number: int
    source: Delivered
    record: Any

    @property
    def topic(self) -> str:
        """Logical name."""
        return self.source.topic

    @property
    def key(self) -> str:
        """As text."""
        return (self.source.key or b"").decode()

    @property
    def headers(self) -> dict[str, str]:
        """As text."""
        return {name: value.decode() for name, value in self.source.headers.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """A record that waits for its next try.

    Attributes:
        source: what lies in the retry topic; its value is sealed if ``origin_topic`` is restricted.
        origin_topic: where it goes back to.
        stage: whose it is.
        attempt: number of the next try.
        due_at: when that is, ms since 1970.
        code: of the failure.
    """

    source: Delivered
    origin_topic: str
    stage: str
    attempt: int
    due_at: int
    code: str


class MemoryTopics:
    """All topics, empty at first.

    Args:
        clock: gives records their timestamps.
        settings: the sections ``kafka`` (limits), ``retry`` and ``egress``; what is shipped by default.
    """

    def __init__(self, clock: VirtualClock | None = None, settings: Settings | None = None) -> None:
        self.clock = clock or VirtualClock()
        self.settings = settings or Settings({})
        self.codecs = codecs(self.settings[KafkaSettings].topic_prefix)
        self.log: list[Published] = []
        """Everything, in the order of publication."""
        self._encoding = Encoding(self.codecs, self.settings[KafkaSettings])
        self._topics: dict[str, list[Published]] = {name: [] for name in topics_of(self.settings[TenantSettings])}
        self._waiting: list[Retry] = []

    def publish(
        self,
        topic: str,
        value: Record | bytes | None,
        *,
        key: str | bytes | None = None,
        headers: Mapping[str, bytes] | None = None,
    ) -> Published:
        """Put a record into ``topic``; bytes are taken as they are, as a broken producer would send them.

        Raises:
            ValueError: there is no such topic, or ``value`` does not fit its schema.
            TypeError: ``value`` does not fit its schema.
        """
        self._topic(topic)
        if not isinstance(value, bytes | None):
            if (codec := self._codec(topic)) is None:
                raise TypeError(f"{topic} holds bytes, not {type(value).__name__}")
            value = codec.encode(value)
        name = key.encode() if isinstance(key, str) else key
        return self.append(Encoded(topic=topic, key=name, value=value, headers=list((headers or {}).items())))

    def append(self, record: Encoded) -> Published:
        """Put an encoded record into its topic."""
        lying = self._topic(record.topic)
        source = Delivered(
            topic=record.topic,
            partition=0,
            offset=len(lying),
            key=record.key,
            value=record.value,
            headers=dict(record.headers),
            timestamp_ms=self.clock(),
        )
        published = Published(number=len(self.log), source=source, record=self.decode(record.topic, record.value))
        lying.append(published)
        self.log.append(published)
        if record.topic in RETRY_LEVELS and (retry := _retry(source)) is not None:
            self._waiting.append(retry)
        return published

    def published(self, topic: str) -> list[Published]:
        """What lies in ``topic``, oldest first."""
        return list(self._topic(topic))

    def records(self, topic: str) -> list[Any]:
        """The same, decoded."""
        return [one.record for one in self._topic(topic)]

    def decode(self, topic: str, value: bytes | None) -> Any:
        """``value`` as a record of ``topic``; see :attr:`Published.record`."""
        codec = self._codec(topic)
        if codec is None:
            return value
        try:
            return codec.decode(value)
        except UndecodableError:
            return None

    @property
    def retries(self) -> list[Retry]:
        """What waits for another try, the next one first."""
        return sorted(self._waiting, key=lambda retry: retry.due_at)

    def send_back(self) -> list[Published]:
        """Give records that are due back to their topics, as the stage ``retry`` does."""
        due = [retry for retry in self.retries if retry.due_at <= self.clock()]
        self._waiting = [retry for retry in self._waiting if retry.due_at > self.clock()]
        return [self.append(self._returned(retry)) for retry in due]

    def _returned(self, retry: Retry) -> Encoded:
        source = retry.source
        headers = {name: value for name, value in source.headers.items() if name != h.DUE_AT}
        output = Output(topic=retry.origin_topic, key=source.key, value=source.value, headers=headers)
        return self._encoding.encode([output], source.headers)[0]

    def _codec(self, name: str) -> Codec[Any] | None:
        topic = topic_named(name)
        return None if topic is None else self.codecs.get(topic.kind)

    def _topic(self, name: str) -> list[Published]:
        if name not in self._topics:
            raise ValueError(f"there is no topic {name!r}; topics: {', '.join(self._topics)}")
        return self._topics[name]


def _retry(source: Delivered) -> Retry | None:
    """``None`` if the record does not say where it belongs: it would be a dead letter of the stage ``retry``."""
    origin, stage = h.text(source.headers, h.ORIGIN_TOPIC), h.text(source.headers, h.RETRY_STAGE)
    if origin is None or topic_named(origin) is None or stage is None:
        return None
    return Retry(
        source=source,
        origin_topic=origin,
        stage=stage,
        attempt=h.number(source.headers, h.ATTEMPT) or 1,
        due_at=h.number(source.headers, h.DUE_AT) or 0,
        code=h.text(source.headers, h.LAST_CODE) or "",
    )
