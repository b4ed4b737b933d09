"""Partitions are added to the ledger under a worker of cost: sums go on, and `forebay spend rebuild` makes all anew."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions
from typer.testing import CliRunner

from forebay.contract.clock import now_ms
from forebay.contract.handlers import Output
from forebay.contract.records import Spend, UsageEvent, UsageStatus, WindowKind
from forebay.kafka.publisher import publish
from forebay.kafka.tables.remaking import TableTopics
from forebay.settings import KafkaSettings, Settings
from forebay_agents.cost import operations
from forebay_agents.cost.cli import app
from forebay_agents.models.ledger import usage_output

pytestmark = [pytest.mark.embedded, pytest.mark.long, pytest.mark.timeout(600)]

USERS = 24
PATIENCE_S = 240.0


def ledger(name: str) -> list[UsageEvent]:
    """A call of each user."""
    found: list[UsageEvent] = []
    for number in range(USERS):
        opened = UsageEvent(
            attempt_id=f"{name}-{number}", tenant_id="acme", user_id=f"u-{number}", model="openai/m", tier="small",
            status=UsageStatus.STARTED, cost_nanousd=900, reserved_nanousd=900, started_at=now_ms(), booked_at=now_ms(),
        )  # fmt: skip
        found += [opened, replace(opened, status=UsageStatus.SETTLED, cost_nanousd=number + 1, prompt_tokens=2)]
    return found


def enter(settings: Settings, name: str) -> None:
    publish(settings, [usage_output(entry) for entry in ledger(name)])


def months(settings: Settings) -> dict[str, Spend]:
    with operations.open_spend(settings) as view:
        return {row.user_id: row for row in view.values() if row.window is WindowKind.MONTH}


def wait_for(settings: Settings, calls: int) -> float:
    """Seconds until each user has so many calls in spend, none of them open, and what they cost."""
    begun = time.monotonic()
    while time.monotonic() - begun < PATIENCE_S:
        rows = months(settings)
        if len(rows) == USERS and all(row.calls == calls and not row.pending_nanousd for row in rows.values()):
            assert {user: row.cost_nanousd for user, row in rows.items()} == {
                f"u-{number}": calls * (number + 1) for number in range(USERS)
            }
            return time.monotonic() - begun
        time.sleep(0.1)
    raise AssertionError({user: (row.calls, row.pending_nanousd) for user, row in months(settings).items()})


def spoil(settings: Settings, by: int) -> None:
    """A row that says what the ledger does not."""
    with operations.open_spend(settings) as view:
        entry = next(one for one in view.entries() if one.value and one.value.window is WindowKind.MONTH)
    assert entry.value is not None
    wrong = replace(entry.value, cost_nanousd=entry.value.cost_nanousd + by, revision=entry.value.revision + 1)
    publish(settings, [Output(topic="spend", key=entry.key, value=wrong)])


@pytest.fixture
def worker(settings: Settings, topics: object, tmp_path: Path) -> Callable[[], Any]:
    del settings, topics

    @contextmanager
    def running() -> Iterator[Path]:
        environment = {**os.environ, "FOREBAY_WORKER_PORT": "0", "FOREBAY_COST_SWEEP_EVERY_S": "0.5"}
        log = tmp_path / "cost.log"
        with log.open("wb") as out:
            command = [sys.executable, "-m", "forebay", "worker", "cost"]
            with subprocess.Popen(command, env=environment, stdout=out, stderr=out) as process:
                try:
                    yield log
                    process.send_signal(signal.SIGTERM)
                    assert process.wait(60) == 0
                finally:
                    process.kill()

    return running


def rebuild(status: int = 0) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["rebuild", "--json"])
    assert done.exit_code == status, (done.output, done.exception)
    found: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
    return found


def until(log: Path, event: str) -> None:
    begun = time.monotonic()
    while event not in log.read_text():
        assert time.monotonic() - begun < PATIENCE_S, log.read_text()[-2000:]
        time.sleep(0.1)


def test_sums_are_made_anew_for_more_partitions(settings: Settings, worker: Callable[[], Any]) -> None:
    kafka = settings[KafkaSettings]
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    usage, changelog = f"{kafka.topic_prefix}usage", f"{kafka.topic_prefix}cost-spend-changelog"

    def size(topic: str) -> int:
        return len(admin.list_topics(topic, timeout=30).topics[topic].partitions)

    with worker() as log:
        until(log, "worker_ready")
        enter(settings, "first")
        sys.stdout.write(f"settled calls were in spend after {wait_for(settings, 1):.2f} s\n")
        assert rebuild(2) == {}, "a worker runs"
    count = size(usage)
    assert size(changelog) == count
    done = rebuild()
    assert (done["partitions"], done["entries"], done["waiting"]) == (count, 2 * USERS, 0)
    assert (done["corrected"], done["added"], done["cleared"], done["same"]) == (0, 0, 0, 3 * USERS)
    assert done["before"] == done["after"]
    spoil(settings, by=73)
    done = rebuild(1)
    assert (done["explained"], done["corrected"]) == (False, 1)
    assert done["before"]["cost_nanousd"] - done["after"]["cost_nanousd"] == 73

    for future in admin.create_partitions([NewPartitions(usage, 2 * count)]).values():
        future.result(timeout=30)
    with worker() as log:
        enter(settings, "second")
        wait_for(settings, 2)
        until(log, "forebay spend rebuild")
    assert size(changelog) == count
    done = rebuild()
    assert (done["partitions"], done["explained"], done["after"]["calls"]) == (2 * count, True, 2 * USERS)
    assert size(changelog) == 2 * count

    # As if it had been killed when it had emptied the tables: a worker goes through the ledger by itself.
    tables = TableTopics(kafka, "cost", 1)
    tables.go_on_at("usage", dict.fromkeys(range(2 * count), 0))
    tables.remake(operations.TABLES, 2 * count)
    with worker():
        enter(settings, "second")  # repeated
        enter(settings, "third")
        wait_for(settings, 3)
    assert rebuild()["after"]["calls"] == 3 * USERS
