"""The scheduler: a failed record waits until it is due, goes back to where it came from, and is never lost."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.contract import headers as h
from forebay.contract.failures import Transient
from forebay.contract.topics import RETRY_LEVELS
from forebay.contract.wire import Delivered, Encoded
from forebay.runtime.dead_letters import LONGEST_WAIT_S, delay_s, retry_level
from forebay.settings import ConfigurationError, RetrySettings, Settings
from forebay_agents.retry.agent import LONGEST_HOLD_S, Scheduler, retry_stage
from tests.unit.runtime.bench import NOW_MS, delivered, failing, header, processor, sent_back

GONE = Transient("redis_unavailable", "gone")


class Time:
    """A clock that only the scheduler's own waiting moves."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS
        self.waits: list[float] = []

    def __call__(self) -> int:
        return self.now_ms

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now_ms += round(1000 * seconds)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def schedule(time: Time) -> Callable[[Delivered], Awaitable[list[Encoded]]]:
    scheduler = Scheduler(time, time.sleep)

    async def schedule(source: Delivered) -> list[Encoded]:
        return await processor(scheduler.handle, source.topic, raw=True, stage="retry").process(source)

    return schedule


async def failed(after_s: float | None = None) -> Delivered:
    """A record as it waits in a retry topic."""
    failure = Transient("provider_rate_limited", "429", retry_after_s=after_s)
    source = delivered("completions", key=b"k", value=b"\0", headers={"their-own": b"x"})
    [retry] = await processor(failing(failure), "completions", codecs=_Any()).process(source)
    return sent_back(retry, retry.topic)


class _Any(dict[str, object]):
    def __missing__(self, _topic: str) -> object:
        class Codec:
            decode = staticmethod(lambda value: value)

        return Codec


async def test_a_record_is_held_until_it_is_due_and_goes_back_as_it_was(
    time: Time, schedule: Callable[[Delivered], Awaitable[list[Encoded]]]
) -> None:
    source = await failed()
    [back] = await schedule(source)
    assert (time.waits, back.topic, back.key, back.value) == ([10.0], "completions", b"k", b"\0")
    kept = {name: value for name, value in source.headers.items() if name != h.DUE_AT}
    assert {name: value for name, value in back.headers if name != h.TRACEPARENT} == kept


async def test_a_timer_that_ran_out_while_nobody_looked_is_due_at_once(
    time: Time, schedule: Callable[[Delivered], Awaitable[list[Encoded]]]
) -> None:
    source = await failed()
    time.now_ms += 86_400_000
    [back] = await schedule(source)
    assert (time.waits, back.topic) == ([], "completions")


async def test_a_wait_longer_than_a_hold_is_waited_in_turns_and_the_record_is_still_its_stages(
    time: Time, schedule: Callable[[Delivered], Awaitable[list[Encoded]]]
) -> None:
    source = await failed(after_s=2.5 * LONGEST_HOLD_S)
    for _ in range(2):
        [again] = await schedule(source)
        assert again.topic == source.topic
        source = sent_back(again, again.topic)
    [back] = await schedule(source)
    assert back.topic == "completions"
    assert time.waits == [LONGEST_HOLD_S, LONGEST_HOLD_S, LONGEST_HOLD_S / 2]
    assert header(back, h.RETRY_STAGE) == "cache"


async def test_a_failure_of_the_scheduler_leaves_the_record_to_its_stage() -> None:
    source = await failed()
    [retry] = await processor(failing(GONE), source.topic, raw=True, stage="retry").process(source)
    assert header(retry, h.RETRY_STAGE) == "cache"
    assert header(retry, h.ORIGIN_TOPIC) == "completions"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {h.ORIGIN_TOPIC: b"requests"},
        {h.RETRY_STAGE: b"cache"},
        {h.ORIGIN_TOPIC: b"no", h.RETRY_STAGE: b"cache"},
        {h.ORIGIN_TOPIC: b"retry.10s", h.RETRY_STAGE: b"retry"},  # a replayed letter of our own: it would go in circles
    ],
)
async def test_a_record_that_came_from_nowhere_is_a_dead_letter(
    headers: dict[str, bytes], schedule: Callable[[Delivered], Awaitable[list[Encoded]]]
) -> None:
    [dead] = await schedule(delivered("retry.10s", headers=headers))
    assert (dead.topic, header(dead, "forebay-dlq-code")) == ("dlq", "undecodable")


async def test_what_the_scheduler_buries_is_still_its_stages(
    schedule: Callable[[Delivered], Awaitable[list[Encoded]]],
) -> None:
    source = await failed()
    broken = replace(source, headers={**source.headers, h.ORIGIN_TOPIC: b"no"})
    [dead] = await schedule(broken)
    assert (header(dead, "forebay-dlq-stage"), header(dead, h.RETRY_STAGE)) == ("retry", "cache")


async def test_the_stage_reads_every_level_and_has_time_for_the_longest_hold() -> None:
    async with retry_stage(Settings({"retry": {"delays_s": [1, 60, 80_000]}})) as stage:
        assert [route.topic for route in stage.routes] == list(RETRY_LEVELS)
        assert all(route.raw for route in stage.routes)
        assert stage.limits.timeout_s > LONGEST_HOLD_S


DELAYS = (10.0, 60.0, 600.0)


@pytest.mark.parametrize(("attempt", "delay"), [(1, 10.0), (2, 60.0), (3, 600.0), (4, 600.0), (99, 600.0)])
def test_delays_grow_with_the_attempts(attempt: int, delay: float) -> None:
    assert delay_s(GONE, attempt, DELAYS) == delay


@pytest.mark.parametrize(("asked", "waited"), [(-5.0, 0.0), (7.5, 7.5), (1e12, LONGEST_WAIT_S)])
def test_a_provider_is_given_the_time_that_it_asks_for_within_reason(asked: float, waited: float) -> None:
    assert delay_s(Transient("provider_rate_limited", "429", retry_after_s=asked), 1, DELAYS) == waited


@pytest.mark.parametrize("delays", [[], [1, 2, 3, 4], [60, 10], [-1], ["nan"], [1e9]])
def test_delays_that_no_level_can_keep_are_refused(delays: list[object]) -> None:
    with pytest.raises(ConfigurationError, match="delays_s"):
        Settings({"retry": {"delays_s": delays}})[RetrySettings]


@pytest.mark.parametrize("delays", [[1], [1, 1], [0, 5, 5]])
def test_there_may_be_fewer_levels(delays: list[float]) -> None:
    given = Settings({"retry": {"delays_s": delays}})[RetrySettings].delays_s
    assert all(retry_level(delay_s(GONE, attempt, given), given) in RETRY_LEVELS for attempt in range(1, 9))


@given(st.floats(0, 1e9))
def test_nobody_waits_in_a_queue_behind_longer_waits_than_his_own_if_a_shorter_queue_fits(wait_s: float) -> None:
    level = RETRY_LEVELS.index(retry_level(wait_s, DELAYS))
    assert wait_s <= DELAYS[level] or level == len(DELAYS) - 1
    assert level == 0 or wait_s > DELAYS[level - 1]
