"""How is load made that can be accounted for? An open loop at a bounded rate, and a log of what the broker accepted.

Open loop: the schedule does not wait for answers, so that a stalled system meets a growing queue, as it would with real
users (Tene, "How NOT to Measure Latency"). A request counts from the moment the broker has acknowledged it, and has a
line in the log then.
"""

import json
import random
import threading
import time
from pathlib import Path
from typing import Any

from forebay.avro.codec import Codec
from forebay.avro.registry import open_registry
from forebay.contract.clock import now_ms
from forebay.contract.json_lines import new_id
from forebay.contract.names import topic_on_broker
from forebay.contract.records import Message, Params, Request
from forebay.kafka.connection import confluent_options, silent
from forebay.settings import KafkaSettings, Settings

_TENANTS, _USERS = 2, 16
_REPEATED = 0.05
"""Share of questions that were asked before: the cache is to answer some."""


class Traffic(threading.Thread):
    """Sends ``count`` requests and more until :meth:`enough`, ``rate`` a second; ends when the last is acknowledged.

    Args:
        most: sent at most, whatever happens; by default ``count``.
        log: one JSON line for each acknowledged request: ``{"id", "sent_ms"}``.
        deadline_ms: of each request; ``None``: none.
        pad: characters that make the prompts longer.
    """

    def __init__(
        self,
        settings: Settings,
        log: Path,
        *,
        count: int,
        most: int | None = None,
        rate: float,
        seed: int = 1,
        deadline_ms: int | None = None,
        pad: int = 0,
    ) -> None:
        super().__init__(name="traffic", daemon=True)
        self.accepted: dict[str, int] = {}
        self.refused = 0
        self._settings = settings
        self._kafka = settings[KafkaSettings]
        self._log = log
        self._count = count
        self._most = max(count, most or count)
        self._enough = threading.Event()
        self._rate = rate
        self._random = random.Random(seed)
        self._deadline_ms = deadline_ms
        self._pad = "." * pad

    def enough(self) -> None:
        """Send no more than ``count``."""
        self._enough.set()

    def run(self) -> None:
        """Send everything."""
        from confluent_kafka import Producer

        codec = Codec(Request, topic_on_broker("requests-value", self._kafka), open_registry(self._settings))
        topic = topic_on_broker("requests", self._kafka)
        producer: Any = Producer(
            confluent_options(self._kafka)
            | {"enable.idempotence": True, "acks": "all", "partitioner": "murmur2_random", "linger.ms": 2},
            logger=silent(),
        )
        started = time.monotonic()
        with self._log.open("a", encoding="utf-8") as log:
            for number in range(self._most):
                if number >= self._count and self._enough.is_set():
                    break
                wait_s = started + number / self._rate - time.monotonic()
                while wait_s > 0:
                    producer.poll(wait_s)
                    wait_s = started + number / self._rate - time.monotonic()
                request = self._request(number)
                producer.produce(
                    topic,
                    codec.encode(request),
                    request.request_id.encode(),
                    on_delivery=self._noting(request.request_id, now_ms(), log),
                )
                producer.poll(0)
            producer.flush(120)

    def _noting(self, request_id: str, sent_ms: int, log: Any) -> Any:
        def delivered(error: Any, _message: Any) -> None:
            if error is not None:
                self.refused += 1
                return
            self.accepted[request_id] = sent_ms
            log.write(json.dumps({"id": request_id, "sent_ms": sent_ms}) + "\n")
            log.flush()

        return delivered

    def _request(self, number: int) -> Request:
        draw = self._random
        about = draw.randrange(50) if draw.random() < _REPEATED else 1_000 + draw.randrange(10**9)
        person = f"My mail is user{draw.randrange(10_000)}@example.com. " if number % 2 else ""
        return Request(
            request_id=new_id(),
            tenant_id=f"tenant-{draw.randrange(_TENANTS)}",
            user_id=f"user-{draw.randrange(_USERS)}",
            messages=(Message(content=f"{person}What is {about} + {draw.randrange(100)}?{self._pad}"),),
            params=Params(max_tokens=64),
            deadline_ms=self._deadline_ms,
            created_at=now_ms(),
        )


def read_log(log: Path) -> dict[str, int]:
    """Request id to the moment it was sent, in ms since the epoch; a half line of a killed producer is none."""
    accepted = {}
    for line in log.read_text("utf-8").splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        accepted[entry["id"]] = entry["sent_ms"]
    return accepted
