"""What is a broker told? The parts of it that data depends on."""

from pathlib import Path

import pytest

from forebay.embedded.ports import Ports
from forebay.embedded.servers.kafka import Broker, Cluster, _escaped, plan, properties
from forebay.settings import ConfigurationError, KafkaSettings


def cluster(count: int, **more: object) -> Cluster:
    brokers = [Broker(node_id=n, port=21000 + n, controller_port=22000 + n) for n in range(1, count + 1)]
    return Cluster(folder=Path("/data"), brokers=brokers, settings=KafkaSettings(), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("count", "replicas", "in_sync"), [(1, "1", "1"), (2, "2", "1"), (3, "3", "2"), (5, "3", "2")])
def test_replication_follows_the_number_of_brokers(count: int, replicas: str, in_sync: str) -> None:
    made = cluster(count)
    for broker in made.brokers:
        found = properties(made, broker)
        assert found["default.replication.factor"] == replicas
        assert found["offsets.topic.replication.factor"] == replicas
        assert found["min.insync.replicas"] == in_sync
        assert found["controller.quorum.voters"].count("@") == count


def test_every_broker_has_its_own_place() -> None:
    made = cluster(3)
    found = [properties(made, broker) for broker in made.brokers]
    for key in ("node.id", "listeners", "advertised.listeners", "log.dirs"):
        assert len({each[key] for each in found}) == 3
    assert made.bootstrap == "127.0.0.1:21001,127.0.0.1:21002,127.0.0.1:21003"


def test_the_largest_record_fits_everywhere() -> None:
    settings = KafkaSettings(max_record_bytes=40_000_000)
    made = Cluster(folder=Path("/data"), brokers=cluster(1).brokers, settings=settings)
    found = properties(made, made.brokers[0])
    assert int(found["message.max.bytes"]) == 4 * 40_000_000 + 65_536
    assert int(found["replica.fetch.max.bytes"]) >= int(found["message.max.bytes"])
    assert int(found["socket.request.max.bytes"]) > int(found["message.max.bytes"])


def test_extra_properties_win() -> None:
    made = cluster(1, extra={"auto.create.topics.enable": "true", "ssl.keystore.type": "PEM"})
    found = properties(made, made.brokers[0])
    assert found["auto.create.topics.enable"] == "true"
    assert found["ssl.keystore.type"] == "PEM"


def test_a_cluster_keeps_its_ports_and_its_size(tmp_path: Path) -> None:
    def made(count: int) -> Cluster:
        return plan(tmp_path / "kafka", count, Ports(tmp_path / "ports.json"), KafkaSettings())

    first = made(3)
    assert made(3) == first
    with pytest.raises(ConfigurationError, match="3 broker"):
        made(1)


def test_properties_are_written_as_java_reads_them() -> None:
    assert _escaped("/tmp/kafka") == "/tmp/kafka"
    assert _escaped("C:\\data") == "C:\\\\data"
    assert _escaped("/häuser/𝄞") == "/h\\u00e4user/\\ud834\\udd1e"
