"""A worker goes by the brokers' time, and somebody hears of a machine whose clock is wrong: once, and by three ways."""

import asyncio
from collections.abc import Sequence

import pytest
import structlog
from prometheus_client import CollectorRegistry

from forebay.contract.clock import FollowingClock
from forebay.contract.handlers import Output
from forebay.contract.records import Alert, AlertState, Severity
from forebay.observability.metrics import Metrics
from forebay.runtime.timekeeping import Answer, Timekeeper, ToldLast, UnknownTimeError

BROKERS_MS = 1_700_000_000_000
HOUR_S = 3600.0


class Bench:
    """A keeper, brokers whose time stands still while they are asked, and a machine that is ``ahead_s`` ahead."""

    def __init__(self, ahead_s: float = 0.0) -> None:
        self.ahead_s = ahead_s
        self.passed_s = 50.0
        self.refusal: str | None = None
        self.refuses_alerts = False
        self.asked = 0
        self.published: list[Output] = []
        self.slept: list[float] = []
        self.metrics = Metrics(CollectorRegistry())
        self.clock = FollowingClock(lambda: self.true_ms() + round(1000 * self.ahead_s), lambda: self.passed_s)
        self.keeper = Timekeeper(
            self._ask, "host-7", ["completion", "retry"], self.clock, self.metrics, sleep=self._sleep
        )

    def true_ms(self) -> int:
        return BROKERS_MS + round(1000 * self.passed_s)

    async def _ask(self) -> Answer:
        self.asked += 1
        if self.refusal is not None:
            raise UnknownTimeError(self.refusal)
        return Answer(said_ms=self.true_ms(), asked_s=self.passed_s, answered_s=self.passed_s)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed_s += seconds
        if len(self.slept) > 5:
            await asyncio.Event().wait()

    async def publish(self, outputs: Sequence[Output]) -> None:
        if self.refuses_alerts:
            raise PermissionError("no right to write to alerts")
        self.published += outputs

    def alerts(self) -> list[Alert]:
        return [output.value for output in self.published if isinstance(output.value, Alert)]

    def skew_s(self, stage: str = "completion") -> float:
        return self.metrics.clock_skew.labels(stage)._value.get()


@pytest.mark.parametrize("ahead_s", [26 * HOUR_S, -26 * HOUR_S, 0.0])
async def test_from_the_start_the_clock_is_the_brokers(ahead_s: float) -> None:
    bench = Bench(ahead_s)
    await bench.keeper.start()
    assert abs(bench.clock() - bench.true_ms()) <= 1
    assert bench.skew_s() == pytest.approx(ahead_s, abs=0.002)
    assert bench.skew_s("retry") == pytest.approx(ahead_s, abs=0.002)


@pytest.mark.parametrize(("ahead_s", "how"), [(120.0, "120 s ahead of"), (-93_600.0, "93600 s behind")])
async def test_a_wrong_clock_is_told_once_the_stage_can_publish(ahead_s: float, how: str) -> None:
    bench = Bench(ahead_s)
    with structlog.testing.capture_logs() as logged:
        await bench.keeper.start()
    [said] = [line for line in logged if line["event"] == "clock_skew"]
    assert (said["worker"], said["seconds"]) == ("host-7", pytest.approx(ahead_s, abs=0.002))
    assert bench.published == []
    await bench.keeper.tell_by(bench.publish)
    [output] = bench.published
    assert (output.topic, output.key) == ("alerts", bench.alerts()[0].fingerprint)
    [alert] = bench.alerts()
    assert (alert.kind, alert.severity, alert.subject) == ("clock_skew", Severity.WARNING, "host-7")
    assert (alert.value, alert.threshold) == (pytest.approx(ahead_s, abs=0.002), 30.0)
    assert how in alert.message
    assert "completion, retry" in alert.message
    assert abs(alert.created_at - bench.true_ms()) <= 1, "by the brokers' time, of course"


async def test_a_clock_within_thirty_seconds_is_nobodys_business() -> None:
    bench = Bench(29.9)
    await bench.keeper.start()
    await bench.keeper.tell_by(bench.publish)
    assert bench.published == []


async def test_it_is_asked_every_few_seconds_and_told_once_however_long_it_lasts() -> None:
    bench = Bench()
    await bench.keeper.start()
    await bench.keeper.tell_by(bench.publish)
    bench.ahead_s = 3_600
    running = asyncio.create_task(bench.keeper.run())
    while len(bench.slept) <= 5:
        await asyncio.sleep(0)
    running.cancel()
    assert bench.slept == [10.0] * 6
    assert len(bench.alerts()) == 1
    assert abs(bench.clock() - bench.true_ms()) <= 1


async def test_it_is_told_again_after_it_was_right_in_between_and_not_for_trembling_at_the_limit() -> None:
    bench = Bench(40.0)
    await bench.keeper.tell_by(bench.publish)
    for ahead_s, told in ((40, 1), (29, 1), (31, 1), (14, 1), (31, 2)):
        bench.ahead_s = ahead_s
        await bench.keeper.look()
        assert [alert.state for alert in bench.alerts()].count(AlertState.FIRING) == told, ahead_s
    first, over, second = bench.alerts()
    assert over.state is AlertState.RESOLVED
    assert over.starts_at == first.starts_at
    assert over.ends_at is not None
    assert over.ends_at >= over.starts_at
    assert len({alert.fingerprint for alert in (first, over, second)}) == 1


async def test_brokers_that_do_not_say_leave_the_clock_as_it_was_and_are_complained_of_once() -> None:
    bench = Bench(600.0)
    await bench.keeper.start()
    bench.refusal = "TopicAuthorizationFailedError"
    bench.passed_s += 60
    with structlog.testing.capture_logs() as logged:
        assert not await bench.keeper.look()
        assert not await bench.keeper.look()
    assert [(line["event"], line["error"]) for line in logged] == [("clock_unknown", "TopicAuthorizationFailedError")]
    assert abs(bench.clock() - bench.true_ms()) <= 1, "it runs on by itself"
    assert bench.metrics.clock_unknown.labels("retry")._value.get() == 2
    bench.refusal = None
    with structlog.testing.capture_logs() as logged:
        assert await bench.keeper.look()
    assert [line["event"] for line in logged] == ["clock_known"]


async def test_a_worker_that_may_not_ask_starts_all_the_same() -> None:
    bench = Bench(600.0)
    bench.refusal = "UnknownTopicOrPartitionError"
    await bench.keeper.start()
    assert bench.asked == 1, "its start is not delayed by asking in vain again and again"
    assert bench.clock() == bench.true_ms() + 600_000


async def test_an_alert_that_cannot_be_published_ends_nothing() -> None:
    bench = Bench(600.0)
    bench.refuses_alerts = True
    await bench.keeper.start()
    with structlog.testing.capture_logs() as logged:
        await bench.keeper.tell_by(bench.publish)
    assert [(line["event"], line["kind"]) for line in logged] == [("alert_not_published", "clock_skew")]
    assert await bench.keeper.look()


@pytest.mark.parametrize(("ahead_s", "told"), [(0.0, [AlertState.RESOLVED]), (120.0, []), (20.0, [])])
async def test_a_worker_that_was_started_again_goes_on_with_what_it_told(
    ahead_s: float, told: Sequence[AlertState]
) -> None:
    before = Bench(60.0)
    await before.keeper.start()
    await before.keeper.tell_by(before.publish)
    [fired] = before.alerts()
    bench = Bench(ahead_s)
    await bench.keeper.start()
    await bench.keeper.tell_by(bench.publish, topic_of(fired))
    assert [alert.state for alert in bench.alerts()] == told
    bench.ahead_s = 0.0
    await bench.keeper.look()
    [over] = bench.alerts()
    assert (over.state, over.fingerprint, over.starts_at) == (AlertState.RESOLVED, fired.fingerprint, fired.starts_at)


async def test_a_worker_that_has_not_heard_the_time_yet_ends_nothing_before() -> None:
    before = Bench(60.0)
    await before.keeper.start()
    await before.keeper.tell_by(before.publish)
    bench = Bench()
    bench.refusal = "TimeoutError"
    await bench.keeper.start()
    await bench.keeper.tell_by(bench.publish, topic_of(*before.alerts()))
    assert bench.published == []
    bench.refusal = None
    await bench.keeper.look()
    assert [alert.state for alert in bench.alerts()] == [AlertState.RESOLVED]


async def test_what_is_over_or_cannot_be_read_changes_nothing() -> None:
    before = Bench(60.0)
    await before.keeper.tell_by(before.publish)
    for before.ahead_s in (60.0, 0.0):
        await before.keeper.look()
    assert len(before.alerts()) == 2
    for read in (topic_of(*before.alerts()), refuses, topic_of()):
        for ahead_s, told in ((0.0, 0), (60.0, 1)):
            bench = Bench(ahead_s)
            await bench.keeper.start()
            await bench.keeper.tell_by(bench.publish, read)
            assert len(bench.alerts()) == told


def topic_of(*alerts: Alert) -> ToldLast:
    async def newest(fingerprint: str) -> Alert | None:
        return next((alert for alert in reversed(alerts) if alert.fingerprint == fingerprint), None)

    return newest


async def refuses(_fingerprint: str) -> Alert | None:
    raise PermissionError("no right to read alerts")
