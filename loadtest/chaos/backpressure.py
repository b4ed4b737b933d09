"""What does a stalled provider do to memory? ``python -m loadtest.chaos.backpressure``: queue, stall, drain.

The queue is put where it hurts, in front of the completion stage. Memory is the resident set of every process,
sampled twice a second; a stage that left its group would show as a time without progress after the stall.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from forebay.avro.codec import open_codecs
from forebay.avro.registry import open_registry
from forebay.contract.canonical import prompt_hash
from forebay.contract.clock import now_ms
from forebay.contract.json_lines import new_id
from forebay.contract.names import topic_on_broker
from forebay.contract.records import Message, RedactedRequest
from forebay.kafka.connection import confluent_options
from forebay.kafka.lag import consumer_lag, wait_until_idle
from forebay.settings import KafkaSettings
from loadtest.chaos.experiment import warm_up
from loadtest.chaos.stack import Stack, running_stack
from loadtest.ending import end_in_order


class Memory(threading.Thread):
    """Largest resident set of each process, in MB, until :meth:`stop`."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(daemon=True)
        self.peak: dict[str, float] = {}
        self._pids = {name: row.pid for name, row in stack.rows().items() if row.pid}
        self._end = threading.Event()

    def stop(self) -> None:
        """Sample no more."""
        self._end.set()
        self.join()

    def run(self) -> None:
        """Sample."""
        while not self._end.wait(0.5):
            for name, megabytes in self.now().items():
                self.peak[name] = max(megabytes, self.peak.get(name, 0.0))

    def now(self) -> dict[str, float]:
        """Resident sets at this moment."""
        return {name: round(psutil.Process(pid).memory_info().rss / 1e6) for name, pid in self._pids.items()}


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What was seen: MB by process, records by moment, seconds."""

    waiting: int
    before_mb: dict[str, float]
    peak_mb: dict[str, float]
    restarts: int
    unfinished_when_the_stall_ended: int
    first_progress_s: float
    drained_s: float | None
    unfinished_at_the_end: int


def measure(stack: Stack, waiting: int, stall_s: float, drain_s: float) -> Figures:
    """Queue ``waiting`` requests, stall the provider for ``stall_s``, watch for at most ``drain_s``."""
    memory = Memory(stack)
    before = memory.now()
    memory.start()
    stack.outage("hang", stall_s)
    ended = time.monotonic() + stall_s
    _queue(stack, waiting)
    time.sleep(max(0.0, ended - time.monotonic()))
    at_end = _unfinished(stack)
    begun = time.monotonic()
    while _unfinished(stack) >= at_end and time.monotonic() - begun < drain_s:
        time.sleep(0.5)
    progress_s = round(time.monotonic() - begun, 1)
    idle = wait_until_idle(stack.settings, drain_s)
    memory.stop()
    return Figures(
        waiting=waiting,
        before_mb=before,
        peak_mb=memory.peak,
        restarts=sum(row.restarts for row in stack.rows().values()),
        unfinished_when_the_stall_ended=at_end,
        first_progress_s=progress_s,
        drained_s=round(time.monotonic() - begun, 1) if idle else None,
        unfinished_at_the_end=_unfinished(stack),
    )


def _queue(stack: Stack, count: int) -> None:
    from confluent_kafka import Producer

    kafka = stack.settings[KafkaSettings]
    codec = open_codecs(stack.settings, open_registry(stack.settings))["requests.uncached"]
    producer: Any = Producer(confluent_options(kafka) | {"linger.ms": 20, "partitioner": "murmur2_random"})
    for number in range(count):
        request = RedactedRequest(
            request_id=new_id(),
            messages=(Message(content=f"What is {number} + 1?"),),
            accepted_at=now_ms(),
        )
        producer.produce(topic_on_broker("requests.uncached", kafka), codec.encode(request), prompt_hash(request))
        producer.poll(0)
    producer.flush(60)


def _unfinished(stack: Stack) -> int:
    return consumer_lag(stack.settings).get("completion", {}).get("requests.uncached", 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 when it did not drain."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.chaos.backpressure", description="A stalled provider.")
    parser.add_argument("--waiting", type=int, default=20_000)
    parser.add_argument("--stall", type=float, default=60.0, help="seconds")
    parser.add_argument("--drain", type=float, default=1_800.0, help="seconds to wait for the drain")
    options = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="forebay-backpressure-"))
    instant = {"evaluation": {"sample_rate": 0}}
    with running_stack(folder, configuration=instant) as stack:
        stack.provider({"models": None})
        warm_up(stack)
        figures = measure(stack, options.waiting, options.stall, options.drain)
    print(json.dumps(asdict(figures), indent=1))
    return 0 if figures.drained_s is not None else 1


if __name__ == "__main__":
    end_in_order()
    sys.exit(main())
