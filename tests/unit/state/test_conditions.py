"""A condition is told of once when it begins and once when it ends, by however many workers and however often seen."""

import asyncio
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisGone

from forebay.contract.records import Alert, AlertState
from forebay.state.conditions import KEEP_MS, Conditions, MemoryConditions, RedisConditions, alert_output, later

REFUSED = Alert(kind="provider_auth", subject="gpt")


class Clock:
    def __init__(self) -> None:
        self.ms = 1_000

    def __call__(self) -> int:
        return self.ms

    def elapsed(self) -> float:
        return self.ms / 1_000


class Redis:
    """What of Redis is used, and what was asked of it."""

    def __init__(self) -> None:
        self.keys: dict[str, int] = {}
        self.kept: list[int] = []
        self.asked = 0
        self.down = False

    async def set(self, key: str, value: int, *, px: int, nx: bool = False, xx: bool = False) -> bool | None:
        self._answer()
        assert nx is not xx
        if (key in self.keys) is nx:
            return None
        self.kept.append(px)
        self.keys[key] = value
        return True

    async def getdel(self, key: str) -> bytes | None:
        self._answer()
        value = self.keys.pop(key, None)
        return None if value is None else str(value).encode()

    def _answer(self) -> None:
        self.asked += 1
        if self.down:
            raise RedisGone


def workers(count: int = 2) -> tuple[list[Conditions], Redis, Clock]:
    redis, clock = Redis(), Clock()
    return [Conditions(RedisConditions(redis, "p:"), clock, clock.elapsed) for _ in range(count)], redis, clock


async def test_a_thousand_repetitions_in_two_workers_are_one_alert_and_its_end() -> None:
    (one, other), redis, clock = workers()
    told = [alert for _ in range(500) for worker in (one, other) for alert in await worker.note(REFUSED, holds=True)]
    clock.ms = 5_000
    told += [alert for _ in range(500) for worker in (one, other) for alert in await worker.note(REFUSED, holds=False)]
    began, ended = told
    assert (began.state, began.starts_at, began.ends_at) == (AlertState.FIRING, 1_000, None)
    assert (ended.state, ended.starts_at, ended.ends_at) == (AlertState.RESOLVED, 1_000, 5_000)
    assert began.fingerprint == ended.fingerprint
    assert redis.asked == 4, "each worker asked once for each"


async def test_what_never_began_does_not_end() -> None:
    [worker], _, _ = workers(1)
    assert await worker.note(REFUSED, holds=False) == []


async def test_a_worker_that_saw_nothing_of_it_ends_it_within_a_minute() -> None:
    (one, other), _, clock = workers()
    assert await other.note(REFUSED, holds=False) == []
    assert await one.note(REFUSED, holds=True)
    assert await other.note(REFUSED, holds=False) == ()
    clock.ms += 60_000
    [ended] = await other.note(REFUSED, holds=False)
    assert ended.state is AlertState.RESOLVED


async def test_what_ends_by_itself_is_kept_until_then() -> None:
    [worker], redis, _ = workers(1)
    await worker.note(Alert(kind="budget_spent", subject="t", ends_at=4_000), holds=True)
    assert redis.kept == [3_000]


async def test_a_condition_is_kept_for_long_once_its_worker_has_lived_to_tell_of_it() -> None:
    redis, clock, acts = Redis(), Clock(), list[Any]()
    worker = Conditions(RedisConditions(redis, "p:", lambda _, act: acts.append(act)), clock, clock.elapsed)
    assert await worker.note(REFUSED, holds=True)
    assert redis.kept == [30_000], "if it dies now, this is gone soon, and who sees the condition then tells of it"
    [confirm] = acts
    await confirm()
    assert redis.kept == [30_000, KEEP_MS]
    await worker.note(REFUSED, holds=False)
    await confirm()
    assert redis.keys == {}, "what has ended meanwhile is not noted again"
    redis.down = True
    await confirm()


async def test_what_is_to_happen_later_happens() -> None:
    done = asyncio.Event()

    async def act() -> None:
        done.set()

    later(0.0, act)
    await asyncio.wait_for(done.wait(), 60)


async def test_without_redis_a_worker_goes_by_what_it_saw() -> None:
    (one, other), redis, _ = workers()
    redis.down = True
    assert len(await one.note(REFUSED, holds=True)) == 1
    assert len(await other.note(REFUSED, holds=True)) == 1, "twice is better than never"
    assert len(await one.note(REFUSED, holds=False)) == 1


async def test_memory_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forebay.state.conditions._REMEMBERED", 3)
    store = MemoryConditions()
    for number in range(10):
        await store.begin(str(number), 1, 1)
    assert len(store._since) <= 3


@pytest.mark.parametrize(
    "other",
    [
        Alert(kind="unpriced_model", subject="gpt"),
        Alert(kind="provider_auth", subject="gpt-2"),
        Alert(kind="provider_auth", subject="gpt", tenant_id="t"),
        Alert(kind="provider_auth", subject="gpt", labels={"window": "day"}),
        Alert(kind="provider_authgpt"),
    ],
)
def test_conditions_are_told_apart(other: Alert) -> None:
    assert other.fingerprint != REFUSED.fingerprint
    assert len(other.fingerprint) == 32


def test_what_is_said_of_a_condition_does_not_make_it_another() -> None:
    again = Alert(kind="provider_auth", subject="gpt", message="HTTP 401", value=3.0, alert_id="x", created_at=9)
    assert again.fingerprint == REFUSED.fingerprint
    assert alert_output(again).key == again.fingerprint


def test_the_order_of_labels_is_nothing() -> None:
    one, other = Alert(labels={"a": "1", "b": "2"}), Alert(labels={"b": "2", "a": "1"})
    assert one.fingerprint == other.fingerprint
