"""Real servers for the tests that need them: started once, on free ports, gone at the end however it ends.

A test asks by argument: ``kafka``, ``redis_url``, ``settings`` (with a topic prefix of its own), ``topics``,
``models``; ``cluster`` is three brokers and only for chaos tests, which run with ``--run-chaos``. Unit tests ask for
none of them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest

from forebay.artifacts import fetch
from forebay.embedded.files import write_private
from forebay.embedded.ports import Ports
from forebay.embedded.servers import class_cache
from forebay.embedded.servers.kafka import Cluster, broker_parts, plan
from forebay.embedded.servers.models import TIERS, model_part
from forebay.embedded.servers.redis import redis_part
from forebay.embedded.settings import EmbeddedSettings
from forebay.kafka.topic_admin import TopicAdmin
from forebay.privacy.sealing import new_key_line
from forebay.settings import KafkaSettings, Settings, load
from tests.stack import Servers, running

# The same examples in each run, and none timed: a search for new ones is `HYPOTHESIS_PROFILE=search make unit`.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.register_profile("search", max_examples=1_000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-chaos", action="store_true", help="also run the tests that kill processes under load")
    parser.addoption("--run-wheel", action="store_true", help="also run the tests that install the wheel elsewhere")
    parser.addoption("--run-clients", action="store_true", help="also run the tests that install others' clients")
    parser.addoption("--run-long", action="store_true", help="also run the tests that are too long for each landing")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    targets = {"chaos": "make chaos", "wheel": "make wheel-test", "clients": "make test-clients", "long": "make long"}
    for marker, target in targets.items():
        if config.getoption(f"--run-{marker}"):
            continue
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=f"{marker} tests run with --run-{marker} ({target})"))


@dataclass(frozen=True, kw_only=True)
class Kafka:
    """Running brokers.

    Attributes:
        bootstrap: their addresses.
        servers: to kill and start brokers by name.
    """

    cluster: Cluster
    servers: Servers
    names: tuple[str, ...]
    bootstrap: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "bootstrap", self.cluster.bootstrap)

    def environment(self) -> dict[str, str]:
        """How a process finds these brokers."""
        return {
            "FOREBAY_KAFKA_BOOTSTRAP": self.bootstrap,
            "FOREBAY_KAFKA_REPLICATION_FACTOR": str(self.cluster.replicas),
            "FOREBAY_KAFKA_MIN_INSYNC_REPLICAS": str(self.cluster.min_insync),
        }

    def create_topics(self, prefix: str) -> TopicAdmin:
        """All topics of the catalogue under ``prefix``."""
        admin = TopicAdmin(
            KafkaSettings(
                bootstrap=self.bootstrap,
                topic_prefix=prefix,
                replication_factor=self.cluster.replicas,
                min_insync_replicas=self.cluster.min_insync,
            )
        )
        admin.create()
        return admin


@pytest.fixture(scope="session")
def stack_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data and logs of the servers of this session."""
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="session")
def stack_ports(stack_folder: Path) -> Ports:
    return Ports(stack_folder / "ports.json")


@contextmanager
def _brokers(count: int, folder: Path, ports: Ports) -> Iterator[Kafka]:
    cluster = plan(folder / f"kafka-{count}", count, ports, KafkaSettings())
    jars = fetch("kafka")
    class_cache.make(jars)
    parts = broker_parts(cluster, jars, class_cache.flags(jars))
    with running(parts, folder / f"logs-{count}") as servers:
        yield Kafka(cluster=cluster, servers=servers, names=tuple(part.name for part in parts))


@pytest.fixture(scope="session")
def kafka(stack_folder: Path, stack_ports: Ports) -> Iterator[Kafka]:
    """One broker."""
    with _brokers(1, stack_folder, stack_ports) as found:
        yield found


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, stack_folder: Path, stack_ports: Ports) -> Iterator[Kafka]:
    """Three brokers (or as many as its parameter says), every record on three of them."""
    with _brokers(getattr(request, "param", 3), stack_folder, stack_ports) as found:
        yield found


@pytest.fixture(scope="session")
def redis_server(stack_folder: Path, stack_ports: Ports) -> Iterator[tuple[Servers, str]]:
    """Redis as ``"redis"`` among its servers, and its URL."""
    part, url = redis_part(stack_folder / "redis", stack_ports.take("redis"), memory_mb=256)
    with running([part], stack_folder / "logs-redis") as servers:
        yield servers, url


@pytest.fixture(scope="session")
def redis_url(redis_server: tuple[Servers, str]) -> str:
    """URL of a Redis of this session's own."""
    return redis_server[1]


@pytest.fixture(scope="session")
def model_servers(stack_folder: Path, stack_ports: Ports) -> Iterator[tuple[Servers, dict[str, str]]]:
    """The two local models as ``"model-small"`` and ``"model-large"``, and their base URLs by tier."""
    made = {tier: model_part(tier, stack_ports.take(f"model-{tier}"), EmbeddedSettings()) for tier in TIERS}
    with running([part for part, _ in made.values()], stack_folder / "logs-models") as servers:
        yield servers, {tier: url for tier, (_, url) in made.items()}


@pytest.fixture(scope="session")
def models(model_servers: tuple[Servers, dict[str, str]]) -> dict[str, str]:
    """OpenAI base URL of each local model: ``{"small": …, "large": …}``."""
    return model_servers[1]


@pytest.fixture
def prefix() -> str:
    """Topic prefix, key prefix and group prefix that no other test uses."""
    return f"t{uuid4().hex[:12]}."


@pytest.fixture
def stack_environment(kafka: Kafka, redis_url: str, prefix: str, tmp_path: Path) -> dict[str, str]:
    """What a process needs in its environment to work on this test's topics and keys."""
    keys = tmp_path / "vault.keys"
    write_private(keys, new_key_line("test") + "\n")
    return {
        **kafka.environment(),
        "FOREBAY_KAFKA_TOPIC_PREFIX": prefix,
        "FOREBAY_REDIS_URL": redis_url,
        "FOREBAY_REDIS_KEY_PREFIX": f"{prefix}:",
        "FOREBAY_VAULT_KEYS_FILE": str(keys),
    }


@pytest.fixture
def settings(stack_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a stack with a prefix of this test's own; child processes inherit them through the environment."""
    for name, value in stack_environment.items():
        monkeypatch.setenv(name, value)
    return load()


@pytest.fixture
def topics(kafka: Kafka, settings: Settings) -> Iterator[TopicAdmin]:
    """All topics of the catalogue under this test's prefix, deleted at its end."""
    admin = kafka.create_topics(settings[KafkaSettings].topic_prefix)
    yield admin
    admin.delete()
