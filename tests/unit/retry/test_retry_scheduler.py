"""The scheduler: a failed record waits until it is due, goes back to where it came from, and is never lost."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.contract import headers as h
from forebay.contract.failures import Permanent, Transient
from forebay.contract.handlers import Context, Handler, Output, Route
from forebay.contract.records import Completion
from forebay.contract.topics import RETRY_LEVELS
from forebay.contract.wire import Delivered
from forebay.runtime.dead_letters import LONGEST_WAIT_S, delay_s, retry_level
from forebay.runtime.stage import Stage
from forebay.settings import ConfigurationError, RetrySettings, Settings, StageSettings
from forebay.testing import MemoryTopics, Outcome, StageRunner, VirtualClock, context, delivered
from forebay_agents.retry.agent import LONGEST_HOLD_S, Scheduler, retry_stage

GONE = Transient("redis_unavailable", "gone")


@pytest.fixture
def clock() -> VirtualClock:
    """Only the scheduler's own waiting moves it."""
    return VirtualClock()


@pytest.fixture
def scheduling(clock: VirtualClock) -> StageRunner:
    handle = Scheduler(clock, clock.sleep).handle
    routes = [Route(topic=level, handle=handle, raw=True) for level in RETRY_LEVELS]
    return StageRunner(Stage(name="retry", routes=routes, limits=StageSettings()), topics=MemoryTopics(clock))


def failing(after_s: float | None = None) -> Handler:
    async def handle(_record: object, _context: Context) -> Sequence[Output]:
        raise Transient("provider_rate_limited", "429", retry_after_s=after_s)

    return handle


async def failed(after_s: float | None = None) -> Delivered:
    """A record as it waits in a retry topic."""
    cache = StageRunner.of("completions", failing(after_s), name="cache")
    outcome = await cache.send("completions", Completion(), key="k", headers={"their-own": b"x"})
    assert outcome.retry is not None
    return outcome.retry.source


async def schedule(scheduling: StageRunner, source: Delivered, **headers: bytes) -> Outcome:
    """What the scheduler makes of a record in a retry topic."""
    return await scheduling.send(source.topic, source.value, key=source.key, headers={**source.headers, **headers})


async def test_a_record_is_held_until_it_is_due_and_goes_back_as_it_was(
    clock: VirtualClock, scheduling: StageRunner
) -> None:
    source = await failed()
    [back] = (await schedule(scheduling, source)).outputs
    assert (clock.slept, back.topic, back.key, back.record) == ([10.0], "completions", "k", Completion())
    kept = {name: value for name, value in source.headers.items() if name != h.DUE_AT}
    assert {name: value for name, value in back.source.headers.items() if name != h.TRACEPARENT} == kept


async def test_a_timer_that_ran_out_while_nobody_looked_is_due_at_once(
    clock: VirtualClock, scheduling: StageRunner
) -> None:
    source = await failed()
    clock.advance(86_400)
    [back] = (await schedule(scheduling, source)).outputs
    assert (clock.slept, back.topic) == ([], "completions")


async def test_a_wait_longer_than_a_hold_is_waited_in_turns_and_the_record_is_still_its_stages(
    clock: VirtualClock, scheduling: StageRunner
) -> None:
    source = await failed(after_s=2.5 * LONGEST_HOLD_S)
    await schedule(scheduling, source)
    assert [one.source.topic for one in scheduling.outcomes] == [source.topic] * 3
    [back] = scheduling.outcomes[-1].outputs
    assert back.topic == "completions"
    assert clock.slept == [LONGEST_HOLD_S, LONGEST_HOLD_S, LONGEST_HOLD_S / 2]
    assert back.headers[h.RETRY_STAGE] == "cache"


@pytest.mark.parametrize("due_at", [4_102_444_800_000, (1 << 63) - 1])
async def test_a_timer_that_no_stage_sets_is_a_dead_letter_and_not_a_circle(
    clock: VirtualClock, scheduling: StageRunner, due_at: int
) -> None:
    outcome = await schedule(scheduling, await failed(), **{h.DUE_AT: str(due_at).encode()})
    assert (outcome.code, outcome.outputs, clock.slept) == ("undecodable", (), [])


async def test_the_longest_wait_that_a_stage_asks_for_is_waited(clock: VirtualClock, scheduling: StageRunner) -> None:
    await schedule(scheduling, await failed(after_s=1e12))
    assert scheduling.outcomes[-1].outputs[0].topic == "completions"
    assert sum(clock.slept) == LONGEST_WAIT_S


async def test_a_failure_of_the_scheduler_leaves_the_record_to_its_stage() -> None:
    source = await failed()
    broken = Route(topic=source.topic, handle=failing(), raw=True)
    runner = StageRunner(Stage(name="retry", routes=[broken], limits=StageSettings()))
    retry = (await schedule(runner, source)).retry
    assert retry is not None
    assert (retry.stage, retry.origin_topic) == ("cache", "completions")


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
    headers: dict[str, bytes], scheduling: StageRunner
) -> None:
    outcome = await scheduling.send("retry.10s", b"value", headers=headers)
    assert (outcome.code, outcome.outputs) == ("undecodable", ())
    assert outcome.dead_letter is not None


@pytest.mark.parametrize(
    ("stage", "origin"),
    [
        ("cost", "completions"),
        ("evaluation", "requests"),
        ("response", "responses"),
        ("completion", "audit"),
        ("review", "dlq.state"),
        ("retry", "clock"),
        ("review", "reviews"),
        ("greeting", "completions"),
        ("", "usage"),
    ],
)
async def test_nothing_is_sent_where_its_stage_does_not_read(scheduling: StageRunner, stage: str, origin: str) -> None:
    headers = {h.RETRY_STAGE: stage.encode(), h.ORIGIN_TOPIC: origin.encode()}
    outcome = await scheduling.send("retry.10s", b"value", headers=headers)
    assert (outcome.code, outcome.outputs) == ("forged_retry", ())
    assert outcome.dead_letter is not None


@pytest.mark.parametrize(
    ("origin", "sent"), [("completions", True), ("requests.redacted", True), ("requests", False), ("audit", False)]
)
async def test_a_stage_of_ones_own_gets_back_what_stages_read(clock: VirtualClock, origin: str, sent: bool) -> None:
    scheduler = Scheduler(clock, clock.sleep, others={"greeting"})
    source = delivered("retry.10s", b"v", headers={h.RETRY_STAGE: b"greeting", h.ORIGIN_TOPIC: origin.encode()})
    if sent:
        [back] = await scheduler.handle(source, context("retry.10s"))
        assert back.topic == origin
    else:
        with pytest.raises(Permanent) as refused:
            await scheduler.handle(source, context("retry.10s"))
        assert refused.value.code == "forged_retry"


async def test_what_the_scheduler_buries_is_still_its_stages(scheduling: StageRunner) -> None:
    letter = (await schedule(scheduling, await failed(), **{h.ORIGIN_TOPIC: b"no"})).dead_letter
    assert letter is not None
    assert (letter.stage, letter.source.headers[h.RETRY_STAGE]) == ("retry", b"cache")


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
