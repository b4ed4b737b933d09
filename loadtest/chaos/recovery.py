"""How long was nobody there? From the end of a worker until each partition that waited for it has moved on.

A partition is served again when its group's committed offset passes where it stood shortly after the fault: nothing but
a new owner can have moved it. Partitions that nothing waited in when the first one moved do not count: they have their
owner by then, and move when their next record happens to come.
"""

import importlib
import threading
import time
from typing import Any

from forebay.contract.names import topic_on_broker
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.queries import Place
from forebay.settings import KafkaSettings, Settings

_POLL_S = 0.1


class RecoveryWatch(threading.Thread):
    """Watches one stage from now on, until all its partitions with work are served or ``timeout_s`` is over.

    After :meth:`join`, :attr:`recovered_s` is the longest time of a partition, ``None`` if none moved.
    """

    def __init__(self, settings: Settings, stage: str, timeout_s: float = 60.0) -> None:
        super().__init__(name="recovery", daemon=True)
        self.recovered_s: float | None = None
        self._kafka = settings[KafkaSettings]
        self._group = topic_on_broker(stage, self._kafka)
        self._timeout_s = timeout_s
        self._enough = threading.Event()
        self._since = time.monotonic()

    def stop(self) -> None:
        """No more work comes: what has moved by now is all that will."""
        self._enough.set()

    def run(self) -> None:
        """Poll until done."""
        from confluent_kafka.admin import AdminClient

        admin: Any = AdminClient(confluent_options(self._kafka), logger=silent())
        waiting = before = self._committed(admin)
        while waiting and not self._enough.is_set() and time.monotonic() - self._since < self._timeout_s:
            time.sleep(_POLL_S)
            now = self._committed(admin)
            moved = {place for place in waiting if now.get(place, -1) > before[place]}
            if moved:
                seconds = time.monotonic() - self._since
                if self.recovered_s is None:
                    waiting = self._with_work(admin, waiting)
                waiting = {place: at for place, at in waiting.items() if place not in moved}
                self.recovered_s = seconds

    @staticmethod
    def _with_work(admin: Any, waiting: dict[Place, int]) -> dict[Place, int]:
        """Those of the partitions with a record behind the committed offset."""
        from confluent_kafka import TopicPartition

        latest: Any = importlib.import_module("confluent_kafka.admin").OffsetSpec.latest()  # not in its types
        asked = admin.list_offsets({TopicPartition(*place): latest for place in waiting})
        ends = {(tp.topic, tp.partition): found.result(5).offset for tp, found in asked.items()}
        return {place: at for place, at in waiting.items() if ends[place] > at}

    def _committed(self, admin: Any) -> dict[Place, int]:
        from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException

        try:
            asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(self._group)], request_timeout=5)
            found = asked[self._group].result().topic_partitions or ()
        except KafkaException:
            return {}
        return {(tp.topic, tp.partition): tp.offset for tp in found if tp.offset >= 0}
