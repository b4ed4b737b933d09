"""A worker asks the brokers about itself by a client of its own; one that gets no answers is not asked again."""

from concurrent.futures import Future
from typing import Any

import pytest

from forebay.kafka.queries import BrokerUnavailableError
from forebay.runtime.reading.brokers import LiveBrokers
from forebay.settings import KafkaSettings


class Forgetful:
    """A client that never answers, and does not say so either."""

    def describe_topics(self, topics: Any, **_: Any) -> dict[str, "Future[Any]"]:
        forgotten: Future[Any] = Future()
        forgotten.set_exception(TimeoutError())
        return {"requests": forgotten}


async def test_a_client_that_forgets_its_questions_is_replaced() -> None:
    made: list[Forgetful] = []

    def client(_: KafkaSettings) -> Forgetful:
        made.append(Forgetful())
        return made[-1]

    brokers = LiveBrokers(KafkaSettings(), "forebay.retry", ["requests"], client)
    for count in (1, 2):
        with pytest.raises(BrokerUnavailableError, match="in time"):
            await brokers.offsets()
        assert len(made) == count
