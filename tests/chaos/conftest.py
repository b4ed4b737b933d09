"""Here ``kafka`` means three brokers: what is written for one runs on them as it stands."""

import pytest

from tests.conftest import Kafka


@pytest.fixture(scope="session")
def kafka(cluster: Kafka) -> Kafka:
    """Three brokers, every record on three of them."""
    return cluster
