"""What several integration tests need: topics and a stand-in for the stages for a module, Redis clients."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from streams.settings import Settings, load
from tests.conftest import Kafka
from tests.integration.responder import Responder


@pytest.fixture(scope="module")
def shared_settings(kafka: Kafka) -> Iterator[Settings]:
    """Settings of topics that the tests of a module share, also for commands: a set for each test takes 1 s."""
    prefix = f"m{uuid4().hex[:12]}."
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (kafka.environment() | {"FOREBAY_KAFKA_TOPIC_PREFIX": prefix}).items():
            patch.setenv(name, value)
        admin = kafka.create_topics(prefix)
        yield load()
        admin.delete()


@pytest.fixture
def responder(shared_settings: Settings) -> Iterator[Responder]:
    with Responder(shared_settings) as found:
        yield found
