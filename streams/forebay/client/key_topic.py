"""Which keys are there? A door reads their topic from its beginning before it is ready, and follows it.

With Kafka away the last state holds: who had a key still gets in, and a metric says how old the state is.
"""

import threading

import structlog

from forebay.contract.clock import elapsed_s
from forebay.contract.records import ApiKey
from forebay.kafka.queries import BrokerUnavailableError
from forebay.kafka.reader import TopicReader
from forebay.operations.topic_view import TopicView
from forebay.settings import Settings

_FOLLOW_S, _ASK_S, _PAUSE_S = 0.5, 5.0, 2.0

log = structlog.get_logger(__name__)


class KeyTopic:
    """Follows ``keys`` on a thread of its own; see :class:`forebay.edge.keys.Known`.

    Raises:
        BrokerUnavailableError: no broker answers, or there is no such topic.
    """

    def __init__(self, settings: Settings) -> None:
        self._reader = TopicReader(settings, ["keys"])
        self._view: TopicView[ApiKey] = TopicView(self._reader)
        self._view.refresh()
        self._heard_s = elapsed_s()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="forebay-keys", daemon=True)
        self._thread.start()

    def get(self, key_id: str) -> ApiKey | None:
        """See :class:`forebay.edge.keys.Known`."""
        entry = self._view.get(key_id)
        return None if entry is None else entry.value

    @property
    def age_s(self) -> float:
        """Seconds since the brokers last said what is there."""
        return elapsed_s() - self._heard_s

    def close(self) -> None:
        """Leave the brokers. Blocks."""
        self._stopping.set()
        self._thread.join()
        self._reader.close()

    def _follow(self) -> None:
        from confluent_kafka import KafkaException

        while not self._stopping.is_set():
            try:
                if self._view.follow(_FOLLOW_S):
                    self._heard_s = elapsed_s()
                if elapsed_s() - self._heard_s > _ASK_S:
                    self._view.refresh()
                    self._heard_s = elapsed_s()
            except (KafkaException, BrokerUnavailableError) as error:
                log.warning("keys_not_read", error=type(error).__name__)
                self._stopping.wait(_PAUSE_S)
