"""What is a stage to Faust? One app: a consumer group with one agent a topic, acknowledgements off.

The settings were measured together (docs/explanation/delivery.md). Faust's web server is off, because it serves tables
without authentication; its leader topic is off, because nothing needs it. The transport is one of ours
(:mod:`forebay.runtime.reading.transport`).
"""

from typing import Any

import faust
from faust.events import Event
from faust.serializers.schemas import Schema
from faust.types import TP

from forebay.avro.encoding import message_limit
from forebay.kafka.connection import ssl_context
from forebay.runtime.flight_recorder import FlightRecorder
from forebay.runtime.reading.fetching import guard_fetches
from forebay.runtime.reading.membership import Membership
from forebay.runtime.reading.metadata import pace_metadata
from forebay.runtime.reading.transport import ForebayTransport, Reading
from forebay.runtime.stage import Stage
from forebay.settings import KafkaSettings

__all__ = ["TP", "new_faust_app", "raw_schema"]


class _App(faust.App):
    reading: Reading
    membership: Membership

    def _new_transport(self) -> Any:
        return ForebayTransport(self.conf.broker_consumer, self)

    def _new_producer(self) -> Any:
        """Faust's, which only tables write to; asked before each record whether it is full, it looked at settings.

        With :meth:`create_event` and the consumer's ``highwater`` 24 calls a record less, of 337.
        """
        producer: Any = super()._new_producer()
        buffer: Any = producer.buffer
        drain, queued, most = buffer.wait_until_ebb, buffer.pending.qsize, buffer.max_messages

        async def wait_until_ebb() -> None:
            if queued() > most:
                await drain()

        buffer.wait_until_ebb = wait_until_ebb
        return producer

    def create_event(self, key: Any, value: Any, headers: Any, message: Any) -> Any:
        """As Faust does, but without asking the settings for its class."""
        return Event(self, key, value, headers, message)

    def _create_directories(self) -> None:
        """None: tables live in memory and in their changelogs, so a worker needs no disk, and none can be full."""


class _RawSchema(Schema[bytes, bytes]):
    """Bytes stay bytes: Faust's own ``raw`` looks its codec up four times a record, 13 of the 150 µs of a hop."""

    def compile(self, app: Any, **_handlers: Any) -> Any:
        """How a message becomes an event; nothing can fail, so the handlers of errors are never called."""

        async def decode(message: Any, *, propagate: bool = False) -> Any:
            return Event(app, message.key, message.value, message.headers, message)

        return decode


def raw_schema() -> Schema[bytes, bytes]:
    """What a stage's topics are read with."""
    return _RawSchema(key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")


def new_faust_app(
    stage: Stage,
    kafka: KafkaSettings,
    instance: str = "",
    recorder: FlightRecorder | None = None,
    reading: Reading | None = None,
) -> "_App":
    """The Faust app of ``stage``, not started and without agents; ``instance`` as in ``worker.instance``."""
    limits = stage.limits
    guard_fetches(
        lambda topic: message_limit(topic.removeprefix(kafka.topic_prefix), kafka), recorder or FlightRecorder()
    )
    pace_metadata()
    app = _App(
        f"{kafka.topic_prefix}{stage.name}",
        version=limits.version,
        broker=[f"kafka://{server}" for server in kafka.bootstrap.split(",")],
        broker_credentials=_faust_credentials(kafka),
        store="memory://",
        key_serializer="raw",
        value_serializer="raw",
        autodiscover=False,
        web_enabled=False,
        topic_allow_declare=stage.setup is not None,
        topic_disable_leader=True,
        topic_replication_factor=kafka.replication_factor,
        topic_partitions=kafka.partitions,
        consumer_auto_offset_reset="none",  # where to go on is for us to say, see forebay.runtime.reading.positions
        consumer_group_instance_id=instance or None,
        stream_wait_empty=False,  # the lanes drain by themselves; with True a stuck handler hangs shutdown
        stream_buffer_maxsize=max(2 * limits.in_flight, 64),
        broker_commit_interval=limits.commit_interval_s,
        broker_session_timeout=limits.session_timeout_s,
        broker_heartbeat_interval=limits.session_timeout_s / 6,
        broker_rebalance_timeout=limits.session_timeout_s,
        broker_max_poll_interval=86_400.0,  # paused by backpressure longer than this, a client leaves its group
        broker_request_timeout=30.0,
        # aiokafka asks a partition's old leader for its offsets again and again, and learns of the new one only when
        # its metadata expire: with the default of 300 s a stage stood still for 135 s after leaders had moved.
        consumer_metadata_max_age_ms=3_000,
        producer_acks=-1,
    )
    app.reading = reading or Reading()
    app.membership = Membership(limits.session_timeout_s)
    return app


def _faust_credentials(kafka: KafkaSettings) -> Any:
    context = ssl_context(kafka)
    if kafka.security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=kafka.sasl_username,
            password=kafka.sasl_password.get_secret_value(),
            ssl_context=context,
            mechanism=kafka.sasl_mechanism,
        )
    return faust.SSLCredentials(context) if context is not None else None
