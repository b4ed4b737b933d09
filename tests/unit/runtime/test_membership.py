"""Membership holds for one session from the last heartbeat that was sent and answered well, and no longer."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.protocol.group import HeartbeatRequest, SyncGroupRequest

from forebay.runtime.reading.membership import Membership

SESSION_S = 6.0


class Bench:
    """A coordinator that answers as it is told, after ``takes_s`` seconds."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.takes_s = 0.0
        self.error_code = 0
        self.membership = Membership(SESSION_S, lambda: self.now_s)
        self.coordinator: Any = SimpleNamespace(_send_req=self._answer)
        self.membership.watch(self.coordinator)

    async def _answer(self, _request: Any) -> Any:
        self.now_s += self.takes_s
        return SimpleNamespace(error_code=self.error_code)

    async def heartbeat(self) -> Any:
        return await self.coordinator._send_req(HeartbeatRequest("g", 1, "m"))


def test_before_it_has_joined_nobody_is_a_member() -> None:
    assert not Bench().membership.confirmed()


async def test_a_member_is_one_for_a_session_after_it_was_heard() -> None:
    bench = Bench()
    answer = await bench.heartbeat()
    assert answer.error_code == 0, "the answer goes on to the client"
    bench.now_s += SESSION_S - 0.01
    assert bench.membership.confirmed()
    bench.now_s += 0.02
    assert not bench.membership.confirmed()
    await bench.heartbeat()
    assert bench.membership.confirmed()


async def test_joining_counts_as_well() -> None:
    bench = Bench()
    await bench.coordinator._send_req(SyncGroupRequest("g", 1, "m", None, []))
    assert bench.membership.confirmed()


async def test_an_answer_that_waited_for_a_process_that_stood_still_counts_from_when_it_was_asked_for() -> None:
    bench = Bench()
    bench.takes_s = 12.0
    await bench.heartbeat()
    assert not bench.membership.confirmed()


@pytest.mark.parametrize("error_code", [25, 22, 27, 16], ids=["unknown", "generation", "rebalance", "coordinator"])
async def test_an_answer_that_is_none_confirms_nothing(error_code: int) -> None:
    bench = Bench()
    bench.error_code = error_code
    await bench.heartbeat()
    assert not bench.membership.confirmed()


async def test_other_requests_say_nothing() -> None:
    bench = Bench()
    await bench.coordinator._send_req(SimpleNamespace())
    assert not bench.membership.confirmed()
