"""How do the two client libraries reach the brokers? The same settings in each one's words."""

import logging
import ssl
import time
from typing import Any

from streams.settings import KafkaSettings


class BrokerUnavailableError(Exception):
    """No broker answers, or the topic is not there; the message says what to do."""


def topic_on_broker(name: str, settings: KafkaSettings) -> str:
    """Name on the broker of the logical topic ``name``."""
    return settings.topic_prefix + name


def group_on_broker(stage: str, settings: KafkaSettings, version: int) -> str:
    """Consumer group of a stage; Faust appends ``stage.version`` from 2 on."""
    return topic_on_broker(stage if version == 1 else f"{stage}-v{version}", settings)


def ssl_context(settings: KafkaSettings) -> ssl.SSLContext | None:
    """TLS context of aiokafka and Faust, ``None`` without TLS. Raises ``OSError`` on unusable files."""
    if "SSL" not in settings.security_protocol:
        return None
    context = ssl.create_default_context(cafile=settings.ssl_cafile or None)
    if settings.ssl_certfile:
        context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile or None)
    return context


def aiokafka_options(settings: KafkaSettings) -> dict[str, Any]:
    """Connection arguments of an aiokafka client."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap.split(","),
        "security_protocol": settings.security_protocol,
    }
    context = ssl_context(settings)
    if context is not None:
        options["ssl_context"] = context
    if settings.security_protocol.startswith("SASL"):
        options |= {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": settings.sasl_username,
            "sasl_plain_password": settings.sasl_password.get_secret_value(),
        }
    return options


def confluent_options(settings: KafkaSettings) -> dict[str, Any]:
    """Connection configuration of a confluent-kafka client."""
    options: dict[str, Any] = {
        "bootstrap.servers": settings.bootstrap,
        "security.protocol": settings.security_protocol,
        "log_level": 4,  # warnings; librdkafka says good-bye on standard error otherwise
    }
    for name, value in (
        ("ssl.ca.location", settings.ssl_cafile),
        ("ssl.certificate.location", settings.ssl_certfile),
        ("ssl.key.location", settings.ssl_keyfile),
    ):
        if value:
            options[name] = value
    if settings.security_protocol.startswith("SASL"):
        options |= {
            "sasl.mechanism": settings.sasl_mechanism,
            "sasl.username": settings.sasl_username,
            "sasl.password": settings.sasl_password.get_secret_value(),
        }
    return options


def partitions_of(consumer: Any, topic: str, kafka: KafkaSettings, timeout_s: float = 15.0) -> list[int]:
    """Partition numbers of ``topic`` (name on the broker), asked of a confluent-kafka client.

    Raises:
        BrokerUnavailableError: no broker answers within ``timeout_s`` seconds, or there is no such topic.
        ConfigurationError: they refuse who asks.
    """
    from confluent_kafka import KafkaException

    from streams.preflight import check_access

    try:
        found = consumer.list_topics(topic, timeout=timeout_s).topics[topic]
    except KafkaException as error:
        check_access(kafka, [topic], [])  # a refused connection looks like none: say so where it is one
        cause: Any = error.args[0]
        raise BrokerUnavailableError(
            f"no broker answers at {kafka.bootstrap} ({cause.str()}); "
            "start one with `forebay up`, or name yours in FOREBAY_KAFKA_BOOTSTRAP"
        ) from None
    if found.error is not None or not found.partitions:
        raise BrokerUnavailableError(f"no topic {topic} at {kafka.bootstrap}; `forebay topics create` makes it")
    return sorted(found.partitions)


def watermarks(consumer: Any, partition: Any, timeout_s: float = 15.0) -> tuple[int, int]:
    """First and next offset of a confluent-kafka ``TopicPartition``, asked again while it has no leader.

    A partition has none for a moment when its topic is fresh or its broker was lost, and then the library gives up at
    the first answer. Raises ``KafkaException`` after ``timeout_s`` seconds, or at once on other errors.
    """
    from confluent_kafka import KafkaException

    deadline = time.monotonic() + timeout_s
    while True:
        try:
            low, high = consumer.get_watermark_offsets(partition, timeout=max(0.1, deadline - time.monotonic()))
        except KafkaException as error:
            if not passes(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return low, high


def passes(error: Exception) -> bool:
    """Whether a ``KafkaException`` is of the moment: a fresh topic or a lost broker, answers that are not there yet."""
    from confluent_kafka import KafkaError

    reason: Any = error.args[0]
    return reason.code() in {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.NOT_COORDINATOR,
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001 - librdkafka's own names of codes
        KafkaError._TRANSPORT,  # noqa: SLF001
        KafkaError._TIMED_OUT,  # noqa: SLF001
    }


def silent() -> logging.Logger:
    """A logger for confluent-kafka clients that may ask in vain; librdkafka reports every refused connection."""
    logger = logging.getLogger("forebay.librdkafka")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return logger
