"""The stage runner says what a worker would have done: outputs, retries at their time, terminal outcomes, letters."""

from collections.abc import Sequence
from typing import Any

import pytest
from prometheus_client import REGISTRY

from forebay.contract import headers as h
from forebay.contract.failures import Failure, Permanent, Rejected, Transient
from forebay.contract.handlers import Context, Output, Route
from forebay.contract.records import (
    Alert,
    Completion,
    Error,
    Evaluation,
    Message,
    Request,
    Response,
    ResponseStatus,
    UsageEvent,
)
from forebay.runtime.stage import Stage
from forebay.settings import Settings, StageSettings
from forebay.testing import MemoryTopics, Published, StageRunner, VirtualClock
from forebay_agents.retry.agent import Scheduler, retry_stage

GONE = Transient("redis_unavailable", "gone")
ASKED = Request(request_id="r-1", messages=(Message(content="My card is 4111 1111 1111 1111."),), created_at=1)


async def shout(completion: Completion, _context: Context) -> Sequence[Output]:
    """An alert for each answer, in capital letters."""
    return [Output(topic="alerts", key=completion.request_id, value=Alert(message=completion.content.upper()))]


def answer(request: Any, context: Context, failure: Failure) -> Sequence[Output]:
    """A terminal outcome."""
    request_id = context.fallback_id if request is None else request.request_id
    error = Error(code=failure.code, message=failure.message)
    return [Output(topic="responses", key=request_id, value=Response(request_id=request_id, error=error))]


def failing(*errors: BaseException | None) -> Any:
    """A handler that fails in this way, one record after the other, and then no more."""
    left = list(errors)

    async def handle(_record: Any, _context: Context) -> Sequence[Output]:
        error = left.pop(0) if left else None
        if error is not None:
            raise error
        return ()

    return handle


async def test_a_record_goes_in_and_outputs_come_out_decoded_with_their_keys_and_headers() -> None:
    runner = StageRunner.of("completions", shout)
    outcome = await runner.send(
        "completions", Completion(request_id="r-1", content="hello"), headers={h.COMPRESSION: b"cut"}
    )
    [alert] = outcome.outputs
    assert (alert.topic, alert.key, alert.record) == ("alerts", "r-1", Alert(message="HELLO"))
    assert alert.headers[h.COMPRESSION] == "cut"
    assert (outcome.code, outcome.retry, outcome.failure, outcome.dead_letter) == ("", None, None, None)
    assert runner.topics.records("alerts") == outcome.records("alerts") == [alert.record]
    assert outcome.records("completions") == []


async def test_what_the_handler_writes_ahead_is_there_before_it_goes_on() -> None:
    topics = MemoryTopics()

    async def handle(_completion: Completion, context: Context) -> Sequence[Output]:
        await context.write_ahead([Output(topic="usage", key="t|u", value=UsageEvent(attempt_id="a"))])
        assert [entry.attempt_id for entry in topics.records("usage")] == ["a"]
        return [Output(topic="alerts", key="k", value=Alert())]

    outcome = await StageRunner.of("completions", handle, topics=topics).send("completions", Completion())
    assert [output.topic for output in outcome.outputs] == ["usage", "alerts"]


async def test_a_retry_waits_for_its_time_and_then_succeeds() -> None:
    runner = StageRunner.of("completions", failing(GONE), name="mine")
    outcome = await runner.send("completions", Completion(request_id="r-1"))
    assert outcome.retry is not None
    assert (outcome.code, outcome.outputs, outcome.failure) == ("redis_unavailable", (), None)
    assert (outcome.retry.stage, outcome.retry.attempt) == ("mine", 2)
    assert outcome.retry.due_at == runner.clock() + 10_000
    assert runner.original(outcome.retry) == Completion(request_id="r-1")
    assert await runner.advance(9.999) == []
    [again] = await runner.advance(0.001)
    assert (again.code, again.source.headers[h.ATTEMPT], runner.topics.retries) == ("", "2", [])


async def test_each_try_comes_at_its_own_time_within_one_advance() -> None:
    started: list[int] = []

    async def handle(_record: Completion, _context: Context) -> Sequence[Output]:
        started.append(runner.clock())
        raise GONE

    runner = StageRunner.of("completions", handle, max_attempts=4, on_failure=answer)
    begun = runner.clock()
    await runner.send("completions", Completion(request_id="r-1"))
    outcomes = await runner.advance(3_600)
    assert [at - begun for at in started] == [0, 10_000, 70_000, 670_000]
    assert [outcome.code for outcome in outcomes] == ["redis_unavailable", "redis_unavailable", "retries_exhausted"]
    assert runner.clock() == begun + 3_600_000
    [response] = runner.topics.records("responses")
    assert response.error.code == "retries_exhausted"


async def test_the_end_of_a_record_that_fails_is_its_terminal_outcome_and_a_dead_letter() -> None:
    runner = StageRunner.of("requests", failing(Permanent("no_tier", "none")), on_failure=answer, name="mine")
    outcome = await runner.send("requests", ASKED, key="r-1")
    [response] = outcome.records("responses")
    assert (response.request_id, response.error) == ("r-1", Error(code="no_tier", message="none"))
    assert outcome.failure is not None
    letter = outcome.dead_letter
    assert letter is not None
    assert (letter.code, letter.stage, letter.origin_topic, letter.request_id) == ("no_tier", "mine", "requests", "r-1")
    assert runner.dead_letters == [letter]
    assert b"4111" not in (letter.source.value or b""), "what leaves a restricted topic is sealed"
    assert runner.original(letter) == ASKED


async def test_what_is_rejected_is_no_dead_letter() -> None:
    runner = StageRunner.of("completions", failing(Rejected("invalid_request", "no")), on_failure=answer)
    outcome = await runner.send("completions", Completion(request_id="r-1"))
    assert (outcome.code, outcome.retry, outcome.dead_letter) == ("invalid_request", None, None)
    assert [output.topic for output in outcome.outputs] == ["responses"]


async def test_bytes_that_are_no_record_are_sent_as_they_are() -> None:
    runner = StageRunner.of("completions", shout, on_failure=answer)
    outcome = await runner.send("completions", b"{}", key="r-9")
    assert (outcome.code, outcome.source.record) == ("not_avro", None)
    assert outcome.records("responses")[0].request_id == "r-9"
    assert outcome.dead_letter is not None
    assert (outcome.dead_letter.source.value, runner.original(outcome.dead_letter)) == (b"{}", None)


async def test_personal_data_does_not_get_to_people_here_either() -> None:
    async def handle(_completion: Completion, _context: Context) -> Sequence[Output]:
        return [Output(topic="evaluations", key="r", value=Evaluation(reason="it quotes card 4111 1111 1111 1111"))]

    outcome = await StageRunner.of("completions", handle).send("completions", Completion())
    assert (outcome.code, outcome.outputs) == ("pii_egress", ())


async def test_several_stages_share_the_topics_and_each_reads_all_of_its_own() -> None:
    async def reply(request: Request, _context: Context) -> Sequence[Output]:
        return [Output(topic="completions", key=request.request_id, value=Completion(request_id=request.request_id))]

    async def respond(completion: Completion, _context: Context) -> Sequence[Output]:
        response = Response(request_id=completion.request_id, status=ResponseStatus.OK)
        return [Output(topic="responses", key=completion.request_id, value=response)]

    limits = StageSettings()
    stages = [
        Stage(name=name, routes=[Route(topic=topic, handle=handle)], limits=limits)
        for name, topic, handle in (
            ("first", "requests", reply),
            ("second", "completions", respond),
            ("beside", "completions", failing(GONE)),
        )
    ]
    runner = StageRunner(*stages)
    outcome = await runner.send("requests", ASKED)
    assert (outcome.stage, [one.topic for one in outcome.outputs]) == ("first", ["completions"])
    assert [one.stage for one in runner.outcomes] == ["first", "second", "beside"]
    again = await runner.advance(10)
    assert [(one.stage, one.outputs) for one in again] == [("second", ()), ("beside", ())], "a retry is one stage's"
    assert [response.request_id for response in runner.topics.records("responses")] == ["r-1"]


async def test_a_stage_runs_as_its_entry_point_opens_it() -> None:
    clock = VirtualClock()
    async with retry_stage(Settings({})) as stage:
        runner = StageRunner(stage, topics=MemoryTopics(clock))
        headers = {h.ORIGIN_TOPIC: b"completions", h.RETRY_STAGE: b"cache"}
        outcome = await runner.send("retry.10s", b"\0", headers=headers)
    assert [one.topic for one in outcome.outputs] == ["completions"]


async def test_what_falls_due_goes_back_as_the_stage_retry_sends_it() -> None:
    runner = StageRunner.of("completions", failing(GONE), name="cache")
    outcome = await runner.send("completions", Completion(request_id="r-1"), key="k", headers={"theirs": b"x"})
    await runner.advance(10)
    [ours] = runner.topics.published("completions")[1:]
    assert outcome.retry is not None
    waiting = outcome.retry.source
    route = Route(topic="retry.10s", handle=Scheduler(runner.clock).handle, raw=True)
    scheduling = StageRunner(Stage(name="retry", routes=[route], limits=StageSettings()))
    await scheduling.send("retry.10s", waiting.value, key=waiting.key, headers=waiting.headers)
    [theirs] = scheduling.topics.published("completions")
    assert (ours.topic, ours.key, ours.source.value) == (theirs.topic, theirs.key, theirs.source.value)
    assert _without_trace(ours) == _without_trace(theirs)


def _without_trace(published: Published) -> dict[str, str]:
    """Headers but for the span, which is made afresh for a record that came without one."""
    return {name: value for name, value in published.headers.items() if name != h.TRACEPARENT}


async def test_counters_are_the_runners_own() -> None:
    named = {"stage": "mine", "topic": "completions", "code": "no_tier"}
    runner = StageRunner.of("completions", failing(Permanent("no_tier", "none")), name="mine")
    await runner.send("completions", Completion())
    assert runner.registry.get_sample_value("forebay_records_failed_total", named) == 1
    assert REGISTRY.get_sample_value("forebay_records_failed_total", named) is None, "not the process's"


async def test_what_cannot_be_run_here_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="sums sets up tables of Faust"):
        StageRunner(Stage(name="sums", routes=[], limits=StageSettings(), setup=lambda _app: None))
    runner = StageRunner.of("completions", shout)
    with pytest.raises(ValueError, match="no stage here reads 'requests'"):
        await runner.send("requests", ASKED)
    with pytest.raises(ValueError, match="no topic 'completion'; topics: requests"):
        runner.topics.publish("completion", b"")
    with pytest.raises(TypeError, match="dlq holds bytes"):
        runner.topics.publish("dlq", Alert())
