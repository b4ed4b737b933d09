"""A partition without a leader has no worker ask for it thousands of times a second."""

import asyncio
from typing import Any

import pytest
from aiokafka.client import AIOKafkaClient

from forebay.runtime.reading.metadata import Asking, pace_metadata


def test_a_few_questions_go_at_once_and_the_others_ten_a_second() -> None:
    asking = Asking()
    waits = [asking.wait_s(100.0) for _ in range(15)]
    assert waits[:5] == [0.0] * 5
    assert waits[5:] == pytest.approx([0.1 * n for n in range(1, 11)])


def test_who_asked_long_ago_asks_at_once_again() -> None:
    asking = Asking()
    for _ in range(5):
        asking.wait_s(100.0)
    assert asking.wait_s(100.05) > 0
    assert [asking.wait_s(200.0) for _ in range(5)] == [0.0] * 5


async def test_a_client_that_is_answered_at_once_and_asks_again_is_paced(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    loop = asyncio.get_running_loop()

    async def answered(*_: Any) -> bool:
        asked.append(loop.time())
        return False

    monkeypatch.setattr("forebay.runtime.reading.metadata._ask", answered)
    pace_metadata()
    client = AIOKafkaClient(bootstrap_servers="127.0.0.1:1")
    for _ in range(8):
        await client._metadata_update(client.cluster, set())
    assert asked[-1] - asked[0] >= 0.25
