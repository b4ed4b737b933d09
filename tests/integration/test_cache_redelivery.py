"""Equal requests are all answered and paid once, also when Kafka itself takes over from workers that were killed.

A real broker, two worker processes each of the cache and of the completion stage, and the provider's invoice. All
requests are equal, so they lie in one partition of ``requests.redacted``, and one cache worker holds them all: the one
that is killed here, in the middle of the one call. ``TEST_EQUAL_REQUESTS=1000`` takes as many requests.
"""

import dataclasses
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from forebay.avro.codec import Codec
from forebay.avro.registry import open_registry
from forebay.contract.clock import now_ms
from forebay.contract.json_lines import new_id
from forebay.contract.names import group_on_broker, topic_on_broker
from forebay.contract.records import AnswerSource, RedactedRequest, UsageEvent, UsageStatus
from forebay.embedded.files import write_private
from forebay.embedded.parts import Layer, Part
from forebay.embedded.ports import Ports
from forebay.embedded.servers.http_probe import http_health
from forebay.kafka.connection import confluent_options, silent
from forebay.kafka.lag import consumer_lag
from forebay.kafka.reader import read_topic
from forebay.privacy.sealing import new_key_line
from forebay.settings import KafkaSettings, Settings
from forebay_agents.cost.reconciliation import newest_entries
from loadtest.chaos.faults import Traces
from loadtest.chaos.gathering import gather, mark
from loadtest.oracle import Evidence, judge
from tests.stack import Servers, running
from tests.unit.cache.memory import request

pytestmark = pytest.mark.embedded

REQUESTS = int(os.environ.get("TEST_EQUAL_REQUESTS", "200"))
CALL_S = 6.0
"""Long enough to kill in the middle of it."""
PATIENCE_S = 60.0
WORKERS: Mapping[str, Sequence[str]] = {
    "cache-1": ("cache",),
    "cache-2": ("cache",),
    "completion-1": ("completion",),
    "completion-2": ("completion",),
    "others": ("response", "retry"),
}
INPUT = {"cache": "requests.redacted", "completion": "requests.uncached"}
MODELS = {
    "tiers": [
        {
            "name": "small",
            "deployments": [
                {
                    "name": "small-1",
                    "model": "openai/small",
                    "api_base": "${FOREBAY_TIER_SMALL_URL}",
                    "api_key": "simulated",
                    "price": {"input": 0.05, "output": 0.2},
                }
            ],
        }
    ]
}


class Provider:
    """The simulator in a process of its own."""

    def __init__(self, address: Mapping[str, str], invoice: Path) -> None:
        self.base_url = address["base_url"]
        self.invoice = invoice
        self._admin_url = address["admin_url"]

    def bill_lost_calls(self, rule: str) -> None:
        """Whether a call is paid whose client went away: see docs/reference/simulator.md."""
        self._ask("config", {"bill_client_gone": rule})

    def calls(self, kind: str = "calls") -> int:
        """Calls that have reached it; ``in_flight``: those that it still answers."""
        models: Mapping[str, Any] = self._ask("stats")["models"]
        return sum(int(model[kind]) for model in models.values())

    def _ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(f"{self._admin_url}/{path}", data)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    folder = tmp_path_factory.mktemp("provider")
    script = folder / "script.json"
    script.write_text(
        json.dumps({"models": {"small": {"latency": {"kind": "fixed", "first_token_ms": 1000 * CALL_S}}}})
    )
    command = [sys.executable, "-m", "loadtest.provider", "--profile", "tiers", "--config", str(script)]
    with subprocess.Popen([*command, "--invoice", str(folder / "invoice")], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield Provider(json.loads(process.stdout.readline()), folder / "invoice")
        process.terminate()


@pytest.fixture(scope="module")
def workers(
    shared_settings: Settings, provider: Provider, redis_url: str, stack_ports: Ports, stack_folder: Path
) -> Iterator[Servers]:
    folder = stack_folder / "redelivery"
    keys, config = folder / "vault.keys", folder / "forebay.yaml"
    folder.mkdir()
    write_private(keys, new_key_line("test") + "\n")
    config.write_text(json.dumps({"models": MODELS}), "utf-8")
    environment = {
        **os.environ,
        "FOREBAY_CONFIG": str(config),
        "FOREBAY_TIER_SMALL_URL": provider.base_url,
        "FOREBAY_REDIS_URL": redis_url,
        "FOREBAY_REDIS_KEY_PREFIX": shared_settings[KafkaSettings].topic_prefix,
        "FOREBAY_VAULT_KEYS_FILE": str(keys),
        "FOREBAY_CACHE_SECOND_ENCODER": "false",
        # A worker that is started again on two busy cores may take longer than others wait by default.
        "FOREBAY_CACHE_FLIGHT_LEASE_S": "60",
        "FOREBAY_CACHE_FLIGHT_WAIT_S": "50",
        "FOREBAY_STAGE_TIMEOUT_S": "60",
    }

    def part(name: str, stages: Sequence[str]) -> Part:
        port = stack_ports.take(f"redelivery-{name}")
        return Part(
            name=name,
            layer=Layer.WORKER,
            command=[sys.executable, "-m", "forebay", "worker", *stages],
            environment={**environment, "FOREBAY_WORKER_PORT": str(port), "FOREBAY_WORKER_INSTANCE": name},
            health=lambda: http_health(port, "/readyz"),
        )

    with running([part(name, stages) for name, stages in WORKERS.items()], folder / "logs") as servers:
        yield servers


@pytest.mark.parametrize("again", [True, False], ids=["started again", "taken over"])
def test_the_call_outlives_the_cache_worker_that_waits_for_it(
    shared_settings: Settings, workers: Servers, provider: Provider, again: bool
) -> None:
    asked = Asked(shared_settings, provider, f"Which forebay is the largest? {again}")
    [victim] = asked.kill_holders(workers, "cache")
    if again:
        workers.start(victim)
    evidence = asked.evidence()
    if not again:
        workers.start(victim)

    [made] = asked.entries(evidence.ledger)
    assert [line.attempt_id for line in evidence.invoice] == [made.attempt_id]
    assert asked.calls() == 1


@pytest.mark.parametrize(
    ("victims", "billed"),
    [(("completion",), True), (("cache", "completion"), False)],
    ids=["a billed call", "a call that was not billed, and the cache worker with it"],
)
def test_a_call_that_dies_with_its_holder_is_made_once_more(
    shared_settings: Settings, workers: Servers, provider: Provider, victims: Sequence[str], billed: bool
) -> None:
    provider.bill_lost_calls("always" if billed else "never")
    asked = Asked(shared_settings, provider, f"How deep is a forebay? {billed} {victims}")
    workers.start(*asked.kill_holders(workers, *victims))
    evidence = asked.evidence()

    # The ledger knew of the lost call before it was made, and knows which of the two it is.
    lost, made = asked.entries(evidence.ledger)
    assert (lost.status, made.status) == (UsageStatus.STARTED, UsageStatus.SETTLED)
    paid = [lost.attempt_id, made.attempt_id] if billed else [made.attempt_id]
    assert Counter(line.attempt_id for line in evidence.invoice) == Counter(paid)
    assert asked.calls() == 2


class Asked:
    """Equal requests, published at once, of which one is being answered by the provider when this is made."""

    def __init__(self, settings: Settings, provider: Provider, question: str) -> None:
        self._settings = settings
        self._kafka = settings[KafkaSettings]
        self._provider = provider
        self._calls = provider.calls()
        self._since = mark(settings, provider.invoice)
        requests = [request(question, request_id=new_id()) for _ in range(REQUESTS)]
        self._sent = dict.fromkeys((one.request_id for one in requests), now_ms())
        self._partition = self._publish(requests)
        _until(lambda: self.calls() == 1)
        time.sleep(1.0)  # so that the others, too, are in the hands of the worker that is killed

    def calls(self) -> int:
        """Calls that these requests have made."""
        return self._provider.calls() - self._calls

    def kill_holders(self, workers: Servers, *stages: str) -> list[str]:
        """kill -9, in the middle of the call, of the workers that hold the requests; their names."""
        names = [self._holder(stage) for stage in stages]
        assert self._provider.calls("in_flight") == 1, "too late to show anything"
        for name in names:
            workers.kill(name)
        return names

    def entries(self, ledger: Iterable[UsageEvent]) -> list[UsageEvent]:
        """The ledger's last word on each call of theirs, in the order in which they were made."""
        entries = newest_entries(ledger).values()
        ours = (one for one in entries if one.request_id in self._sent and one.status is not UsageStatus.AVOIDED)
        return sorted(ours, key=lambda entry: entry.started_at)

    def evidence(self) -> Evidence:
        """What there is when nothing is left to do; each of the requests was answered, and all alike."""
        _until(self._idle)
        evidence = gather(self._settings, self._provider.invoice, self._since, self._sent, Traces())
        verdict = judge(dataclasses.replace(evidence, lag={}))  # of stages that have no worker here
        print(f"{verdict.accepted} accepted, {len(evidence.responses)} responses, {verdict.paid} paid")
        assert verdict.violations == []
        assert verdict.statuses == {"ok": REQUESTS}
        # At least once: who asked the models may be told twice, and so may all whose partition moved on while they
        # waited. What they are told is the same (no violation above).
        leader = self.entries(evidence.ledger)[0].request_id
        paid = {one.response.request_id for one in evidence.responses if one.response.source is AnswerSource.MODEL}
        assert paid == {leader}, "the others are answered from its answer"
        return evidence

    def _holder(self, stage: str) -> str:
        """Name of the worker that has their partition; both topics have as many, and one way to choose."""
        from confluent_kafka.admin import AdminClient

        group = group_on_broker(stage, self._kafka, 1)
        admin = AdminClient(confluent_options(self._kafka))  # not in one line: it must outlive its answer
        found = admin.describe_consumer_groups([group])[group].result(10)
        wanted = topic_on_broker(INPUT[stage], self._kafka), self._partition
        [name] = [
            member.group_instance_id
            for member in found.members
            if wanted in {(one.topic, one.partition) for one in member.assignment.topic_partitions}
        ]
        return str(name)

    def _idle(self) -> bool:
        """Whether all are answered and nothing is left to do; of a partition without a commit no lag is known."""
        told = {record.value.request_id for record in read_topic(self._settings, "responses") if record.value}
        if not self._sent.keys() <= told:
            return False
        lag = consumer_lag(self._settings)
        stages = {stage for worker in WORKERS.values() for stage in worker}
        return not any(records for stage in stages for records in lag.get(stage, {}).values())

    def _publish(self, requests: Sequence[RedactedRequest]) -> int:
        """Returns the partition that all of them are in."""
        from confluent_kafka import Message, Producer

        partitions: set[int | None] = set()

        def delivered(error: object, message: Message) -> None:
            assert error is None
            partitions.add(message.partition())

        topic = topic_on_broker("requests.redacted", self._kafka)
        codec = Codec(RedactedRequest, f"{topic}-value", open_registry(self._settings))
        options = {"partitioner": "murmur2_random", "enable.idempotence": True}
        producer = Producer(confluent_options(self._kafka) | options, logger=silent())
        for one in requests:
            producer.produce(topic, codec.encode(one), one.prompt_hash, on_delivery=delivered)
        assert producer.flush(30) == 0
        [partition] = partitions
        assert partition is not None
        return partition


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.1)
