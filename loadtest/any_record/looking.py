"""What does a running stack show? Its topics, its processes, their health and memory, and the provider's invoice."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import psutil

from forebay.contract import headers as h
from forebay.embedded.supervision.state import ProcessRow, live
from forebay.kafka.lag import consumer_lag
from forebay.kafka.reader import read_topic
from forebay.settings import Settings
from loadtest.any_record.judging import Place, Seen
from loadtest.chaos.gathering import read_invoice

_OURS = ("bug", "output_invalid", "ended_worker")
"""Codes of what no record may make us do."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A running embedded stack: its settings, its data folder, and the simulated provider's invoice."""

    settings: Settings
    data: Path
    invoice: Path

    def rows(self) -> list[ProcessRow]:
        """Its processes. Raises ``RuntimeError`` when its supervisor is gone."""
        state = live(self.data)
        if state is None:
            raise RuntimeError(f"nothing runs in {self.data}")
        return list(state.processes)

    def processes(self) -> Seen:
        """How the processes are, without a look at the topics."""
        rows = self.rows()
        return Seen(
            restarts={row.name: row.restarts for row in rows},
            not_ready={row.name: why for row in rows if (why := _problem(row))},
            memory={row.name: _resident(row.pid) for row in rows if row.pid},
        )

    def all(self, foreign: Collection[bytes]) -> Seen:
        """Everything; ``foreign``: values of the ledger's topic that were put there from outside."""
        processes = self.processes()
        answered = {
            record.value.request_id for record in read_topic(self.settings, "responses") if record.value is not None
        }
        buried: set[Place] = set()
        bugs: dict[Place, str] = {}
        for record in read_topic(self.settings, "dlq"):
            headers = record.source.headers
            topic, last = h.text(headers, h.ORIGIN_TOPIC), h.number(headers, h.ORIGIN_OFFSET)
            partition = h.number(headers, h.ORIGIN_PARTITION)
            if topic is not None and partition is not None and last is not None:
                first = h.number(headers, h.FIRST_OFFSET)
                buried |= {(topic, partition, at) for at in range(last if first is None else first, last + 1)}
                if (code := h.text(headers, "forebay-dlq-code")) in _OURS:
                    stage, said = (h.text(headers, f"forebay-dlq-{name}") for name in ("stage", "message"))
                    bugs[topic, partition, last] = f"{code} in {stage}: {said}"
        entries = [record for record in read_topic(self.settings, "usage") if record.value is not None]
        others = {record.value.attempt_id for record in entries if record.source.value in foreign}
        return Seen(
            answered=frozenset(answered),
            buried=frozenset(buried),
            bugs=bugs,
            ledger=[record.value for record in entries if record.value.attempt_id not in others],
            invoice=list(read_invoice(self.invoice)),
            restarts=processes.restarts,
            not_ready=processes.not_ready,
            lag=consumer_lag(self.settings),
            memory=processes.memory,
        )

    def rest(self, timeout_s: float) -> bool:
        """Wait until no stage has anything left to do and all are ready; whether that came."""
        deadline = time.monotonic() + timeout_s
        quiet = 0
        while quiet < 3 and time.monotonic() < deadline:
            busy = any(count for topics in consumer_lag(self.settings).values() for count in topics.values())
            quiet = 0 if busy or self.processes().not_ready else quiet + 1
            time.sleep(0.5)
        return quiet >= 3


def _problem(row: ProcessRow) -> str:
    """Why a process does not serve; empty: it does."""
    if row.stage is None or row.health_port is None:
        return "" if row.state.value == "ready" else row.state.value
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{row.health_port}/readyz", timeout=10):
            return ""
    except urllib.error.HTTPError as error:
        return json.dumps(json.load(error).get("problems", error.code))
    except OSError as error:
        return type(error).__name__


def _resident(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        return int(process.memory_info().rss) + sum(int(one.memory_info().rss) for one in process.children(True))
    except psutil.NoSuchProcess:
        return 0
