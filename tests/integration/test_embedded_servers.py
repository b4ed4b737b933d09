"""Kafka and Redis as they are started for every other test: real, durable, private."""

import stat
import subprocess
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer

from forebay.artifacts import fetch
from forebay.contract.topics import TOPICS
from forebay.embedded.parts import Health
from forebay.embedded.ports import Ports
from forebay.embedded.servers.class_cache import flags
from forebay.embedded.servers.kafka import broker_parts, plan, probe
from forebay.kafka.topic_admin import TopicAdmin, wanted
from forebay.operations.topics import describe, open_admin
from forebay.settings import KafkaSettings, Settings
from forebay.state.redis_client import open_redis, open_redis_at, redis_errors
from tests.conftest import Kafka
from tests.stack import Servers

pytestmark = pytest.mark.embedded


def produce(bootstrap: str, topic: str, values: list[bytes]) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "message.max.bytes": 20_000_000})
    failures: list[object] = []

    def delivered(error: object, _message: object) -> None:
        if error is not None:
            failures.append(error)

    for value in values:
        producer.produce(topic, value, on_delivery=delivered)
    assert producer.flush(30) == 0
    assert failures == []


def consume(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": f"{topic}-check", "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    values: list[bytes] = []
    try:
        while len(values) < count:
            message = consumer.poll(30)
            assert message is not None
            assert message.error() is None
            values.append(message.value() or b"")
    finally:
        consumer.close()
    return values


def test_topics_are_as_the_catalogue_says(topics: TopicAdmin, settings: Settings) -> None:
    found = topics.describe()
    assert set(found) == {wanted(topic, settings[KafkaSettings]).name for topic in TOPICS.values()}
    assert describe(topics, settings).differences == []
    assert topics.create() == []


def test_a_difference_is_named(kafka: Kafka, topics: TopicAdmin, prefix: str) -> None:
    own = {"bootstrap": kafka.bootstrap, "topic_prefix": prefix, "partitions": 9, "max_record_bytes": 1_000_000}
    grown = Settings({"kafka": own})
    rows = describe(open_admin(grown), grown).differences
    keys = {row.key for row in rows if row.topic == f"{prefix}usage"}
    assert keys == {"partitions", "max.message.bytes", "max.decompressed.message.bytes"}


def test_the_largest_derived_record_fits(kafka: Kafka, topics: TopicAdmin, settings: Settings, prefix: str) -> None:
    largest = b"x" * (4 * settings[KafkaSettings].max_record_bytes)
    produce(kafka.bootstrap, f"{prefix}dlq", [largest])
    assert consume(kafka.bootstrap, f"{prefix}dlq", 1) == [largest]


def test_a_cluster_id_that_looks_like_an_option_is_none(tmp_path: Path, kafka: Kafka) -> None:
    cluster = plan(tmp_path / "kafka", 1, Ports(tmp_path / "ports.json"), KafkaSettings())
    cluster_id = "-fJ07e3xSXGdFfTx5RCnSg"
    (cluster.folder / "cluster.id").write_text(cluster_id)
    jars = fetch("kafka")
    [part] = broker_parts(cluster, jars, flags(jars))
    part.prepare()
    formatted = subprocess.run(
        part.command, env={**part.environment, "FORMAT_ONLY": "1"}, capture_output=True, text=True
    )
    assert formatted.returncode == 0, formatted.stdout + formatted.stderr
    assert f"cluster.id={cluster_id}" in (cluster.folder / "broker-1" / "meta.properties").read_text().splitlines()


def test_a_killed_broker_comes_back_with_its_data(kafka: Kafka, topics: TopicAdmin, prefix: str) -> None:
    values = [str(number).encode() for number in range(500)]
    produce(kafka.bootstrap, f"{prefix}usage", values)
    kafka.servers.kill("kafka")
    assert probe(kafka.bootstrap)() is Health.DOWN
    kafka.servers.start("kafka")
    assert sorted(consume(kafka.bootstrap, f"{prefix}usage", len(values))) == sorted(values)


async def test_a_killed_redis_comes_back_with_its_data(redis_server: tuple[Servers, str]) -> None:
    servers, url = redis_server
    async with open_redis_at(url, timeout_s=10.0) as client:
        await client.set("kept", "yes")
        await client.execute_command("WAITAOF", 1, 0, 5_000)
    servers.kill("redis")
    servers.start("redis")
    async with open_redis_at(url, timeout_s=10.0) as client:
        assert await client.get("kept") == b"yes"


async def test_redis_finds_neighbours(settings: Settings) -> None:
    async with open_redis(settings, timeout_s=10.0) as client:
        await client.execute_command("VADD", "vectors", "VALUES", 2, 1.0, 0.0, "east")
        await client.execute_command("VADD", "vectors", "VALUES", 2, 0.0, 1.0, "north")
        assert await client.execute_command("VSIM", "vectors", "VALUES", 2, 0.9, 0.1, "COUNT", 1) == [b"east"]


async def test_redis_wants_its_password_and_hides_it(redis_server: tuple[Servers, str], stack_folder: Path) -> None:
    servers, url = redis_server
    async with open_redis_at("redis://" + url.rpartition("@")[2], timeout_s=10.0) as stranger:
        with pytest.raises(redis_errors(), match="Authentication required"):
            await stranger.ping()
    password = url.split(":")[2].partition("@")[0]
    pid = servers.children["redis"].pid
    assert password not in Path(f"/proc/{pid}/cmdline").read_text()
    for path in (stack_folder / "redis").iterdir():
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
