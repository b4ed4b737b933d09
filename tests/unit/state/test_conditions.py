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
        self.lasts: dict[str, int] = {}
        self.asked = 0
        self.down = False

    async def set(self, key: str, value: int | bytes, *, px: int, nx: bool = False, xx: bool = False) -> bool | None:
        self._answer()
        if (nx and key in self.keys) or (xx and key not in self.keys):
            return None
        self.kept.append(px)
        self.lasts[key] = px
        self.keys[key] = int(value)
        return True

    async def get(self, key: str) -> bytes | None:
        self._answer()
        return str(self.keys[key]).encode() if key in self.keys else None

    async def delete(self, key: str) -> int:
        self._answer()
        return self.keys.pop(key, None) is not None

    async def getdel(self, key: str) -> bytes | None:
        self._answer()
        value = self.keys.pop(key, None)
        return None if value is None else str(value).encode()

    def pass_by(self, ms: int) -> None:
        """Time passes: what is kept for no longer is gone."""
        self.keys = {key: value for key, value in self.keys.items() if self.lasts[key] > ms}

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
    assert redis.asked == 8, "each worker asked for each, and not again for a minute"


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
    await acts[-1]()
    await confirm()
    assert redis.keys == {}, "what has ended meanwhile is not noted again"
    redis.down = True
    for act in acts:
        await act()


async def test_an_end_whose_worker_died_before_it_told_of_it_is_told_by_the_next() -> None:
    redis, clock, acts = Redis(), Clock(), list[Any]()
    one, other, third = [
        Conditions(RedisConditions(redis, "p:", lambda _, act: acts.append(act)), clock, clock.elapsed)
        for _ in range(3)
    ]
    assert await one.note(REFUSED, holds=True)
    assert await one.note(REFUSED, holds=False), "and dies: what it was to do later is not done"
    assert await other.note(REFUSED, holds=False) == [], "it may be told of by now"
    assert redis.kept[-1] == KEEP_MS, "also of a begin that nobody lived to confirm"
    redis.pass_by(30_000)
    clock.ms += 61_000
    [ended] = await other.note(REFUSED, holds=False)
    assert (ended.state, ended.starts_at) == (AlertState.RESOLVED, 1_000)
    await acts[-1]()
    assert redis.keys == {}
    assert await third.note(REFUSED, holds=False) == []


async def test_what_begins_anew_right_after_its_end_is_told_and_stays() -> None:
    redis, clock, acts = Redis(), Clock(), list[Any]()
    worker = Conditions(RedisConditions(redis, "p:", lambda _, act: acts.append(act)), clock, clock.elapsed)
    await worker.note(REFUSED, holds=True)
    await worker.note(REFUSED, holds=False)
    clock.ms += 2_000
    [again] = await worker.note(REFUSED, holds=True)
    assert (again.state, again.starts_at) == (AlertState.FIRING, 3_000)
    for act in acts:
        await act()
    assert list(redis.keys.values()) == [3_000], "the end before takes nothing away from it"
    clock.ms += 1_000
    assert len(await worker.note(REFUSED, holds=False)) == 1


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
