"""What several integration tests need: topics and a stand-in for the stages for a module, Redis clients."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from forebay.settings import Settings, load
from forebay.state.redis_client import open_redis_at
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


@asynccontextmanager
async def empty_redis(url: str, connections: int = 32) -> AsyncIterator[Any]:
    """A client as workers have it, but patient, of a database with nothing in it."""
    async with open_redis_at(url, timeout_s=30.0, connections=connections) as client:
        await client.flushdb()
        yield client


@pytest.fixture(scope="session")
def scratch_url(redis_url: str) -> str:
    """A database that tests empty; nobody else's."""
    return f"{redis_url.removesuffix('/0')}/1"


@pytest.fixture
async def redis_client(scratch_url: str) -> AsyncIterator[Any]:
    async with empty_redis(scratch_url) as client:
        yield client
