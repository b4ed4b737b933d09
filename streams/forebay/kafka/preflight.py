"""May this worker do what its stages need? Asked once, before it joins a group.

The consumer libraries try again for ever when a password is wrong or a topic may not be read, and say so only in their
own logs: a worker would look alive and serve nothing. So on secured connections the brokers are asked first, and a
refusal ends the worker with the status of a wrong configuration.
"""

import asyncio
import contextlib
import time
from collections.abc import Collection, Iterable
from typing import Any

import structlog

from forebay.kafka.connection import confluent_options, silent
from forebay.settings import ConfigurationError, KafkaSettings

_TIMEOUT_S = 15.0
_ASK_S = 2.0
_AGAIN_S = 0.2

log = structlog.get_logger(__name__)


def check_access(kafka: KafkaSettings, topics: Iterable[str], groups: Iterable[str]) -> None:
    """Return if the brokers let us in and let us read ``topics`` as ``groups`` (names on the broker); blocks.

    Nothing is asked without TLS or SASL. Brokers that do not answer are no refusal: the worker then starts as always.

    Raises:
        ConfigurationError: they refuse; the message says what.
    """
    if kafka.security_protocol == "PLAINTEXT":
        return
    from confluent_kafka import KafkaError, KafkaException, TopicCollection
    from confluent_kafka.admin import AdminClient

    refusals: list[Any] = []

    def note(error: Any) -> None:
        if error.code() in (KafkaError._AUTHENTICATION, KafkaError._SSL):  # noqa: SLF001 - librdkafka's own names
            refusals.append(error)

    admin: Any = AdminClient(confluent_options(kafka) | {"error_cb": note}, logger=silent())
    try:
        described = admin.describe_topics(
            TopicCollection(list(topics)), include_authorized_operations=True, request_timeout=_TIMEOUT_S
        )
        _wait_connected(admin, refusals)
        if refusals:
            raise ConfigurationError(_refused(kafka, refusals[0]))
        for topic, found in described.items():
            _check_topic(kafka, topic, found)
        for group, found in admin.describe_consumer_groups(list(groups), request_timeout=_TIMEOUT_S).items():
            _check_group(kafka, group, found)
    except KafkaException as error:
        reason: Any = error.args[0]
        if refusals:
            raise ConfigurationError(_refused(kafka, refusals[0])) from None
        if reason.code() == KafkaError._TIMED_OUT:  # noqa: SLF001
            return
        raise ConfigurationError(f"the brokers at {kafka.bootstrap} refuse: {reason.str()}") from None


async def wait_for_topics(kafka: KafkaSettings, topics: Collection[str], stopping: asyncio.Event) -> None:
    """Return once brokers answer and have all ``topics`` (names on the broker), or when ``stopping`` is set.

    A worker that comes up before its brokers waits for them: leaving and being started again would cost its imports,
    up to 6 s of CPU, each time.
    """
    from confluent_kafka.admin import AdminClient

    admin: Any = AdminClient(confluent_options(kafka), logger=silent())
    said = False
    while not stopping.is_set():
        missing = await asyncio.to_thread(_missing, admin, topics)
        if not missing:
            return
        if not said:
            said = True
            log.info("waiting_for_topics", topics=sorted(missing), brokers=kafka.bootstrap)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), _AGAIN_S)


def _missing(admin: Any, topics: Collection[str]) -> set[str]:
    from confluent_kafka import KafkaException

    try:
        return set(topics).difference(admin.list_topics(timeout=_ASK_S).topics)
    except KafkaException:
        return set(topics)


def _wait_connected(admin: Any, refusals: list[Any]) -> None:
    """Serve the client's events until it has connected, was refused, or nobody has answered."""
    from confluent_kafka import KafkaException

    deadline = time.monotonic() + _TIMEOUT_S
    while not refusals and time.monotonic() < deadline:
        admin.poll(0.05)
        try:
            admin.list_topics(timeout=0.5)
        except KafkaException:
            continue
        return


def _check_topic(kafka: KafkaSettings, topic: str, found: Any) -> None:
    from confluent_kafka import KafkaError, KafkaException

    try:
        allowed = found.result(_TIMEOUT_S).authorized_operations or []
    except KafkaException as error:
        reason: Any = error.args[0]
        if reason.code() != KafkaError.TOPIC_AUTHORIZATION_FAILED:
            return  # not there yet, or no leader yet: starting tells
        allowed = []
    if not any(operation.name == "READ" for operation in allowed):
        raise ConfigurationError(f"user {kafka.sasl_username!r} may not read topic {topic}: an access rule is missing")


def _check_group(kafka: KafkaSettings, group: str, found: Any) -> None:
    from confluent_kafka import KafkaError, KafkaException

    try:
        found.result(_TIMEOUT_S)
    except KafkaException as error:
        reason: Any = error.args[0]
        if reason.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            raise ConfigurationError(f"user {kafka.sasl_username!r} may not read as consumer group {group}") from None


def _refused(kafka: KafkaSettings, error: Any) -> str:
    return f"the brokers at {kafka.bootstrap} refuse user {kafka.sasl_username!r}: {error.str()}"
