"""What comes out of one record: its outputs, a retry, a terminal answer, a dead letter; never nothing by accident."""

import asyncio
import dataclasses
import time
from collections.abc import Sequence
from typing import Any

import pytest

from forebay.avro.registry import RegistryUnavailableError
from forebay.contract import headers as h
from forebay.contract.failures import Expired, Failure, Held, Permanent, Rejected, Transient
from forebay.contract.handlers import Context, FailureHandler, Handler, Output
from forebay.contract.records import Alert, Delta, RedactedRequest, UsageEvent
from forebay.observability.spans import read
from forebay.operations.dead_letters.letters import DeadLetter
from forebay.settings import Settings
from forebay.testing import MemoryTopics, Outcome, Retry, StageRunner, VirtualClock, codecs, delivered
from tests.unit.runtime.bench import failing, processor, told

NOW_MS = VirtualClock().now_ms
REQUEST = RedactedRequest(request_id="r-1", tenant_id="acme", accepted_at=NOW_MS - 1_000)
GONE = Transient("redis_unavailable", "gone")
TRACE = b"00-%s-%s-01" % (b"a" * 32, b"c" * 16)


def stage(
    handle: Handler | BaseException, on_failure: FailureHandler = told, *, name: str = "cache", **limits: Any
) -> StageRunner:
    """A stage of four attempts whose handler is, or raises, ``handle``."""
    handler = failing(handle) if isinstance(handle, BaseException) else handle
    return StageRunner.of("requests.redacted", handler, on_failure=on_failure, name=name, max_attempts=4, **limits)


async def seen(runner: StageRunner, request: RedactedRequest | bytes | None = REQUEST, **headers: bytes) -> Outcome:
    """What the stage makes of one request."""
    return await runner.send("requests.redacted", request, key="key", headers=headers)


def retry_of(outcome: Outcome) -> Retry:
    assert outcome.retry is not None
    assert (outcome.outputs, outcome.dead_letter) == ((), None)
    return outcome.retry


def letter_of(outcome: Outcome) -> DeadLetter:
    assert outcome.dead_letter is not None
    return outcome.dead_letter


def told_of(outcome: Outcome) -> Alert:
    """What the failure handler published, alone."""
    [alert] = outcome.outputs
    assert isinstance(alert.record, Alert)
    return alert.record


async def test_a_handler_gets_the_record_and_its_outputs_are_encoded() -> None:
    async def handle(request: RedactedRequest, context: Context) -> Sequence[Output]:
        assert (request, context.attempt, context.accepted_at) == (REQUEST, 1, NOW_MS)
        return [Output(topic="requests.uncached", key="k", value=request, headers={"forebay-x": b"1"})]

    [output] = (await seen(stage(handle), **{h.TRACEPARENT: TRACE})).outputs
    assert (output.topic, output.key, output.record) == ("requests.uncached", "k", REQUEST)
    [span] = read(output.headers[h.SPANS].encode())
    assert (span.stage, span.accepted_ms, span.waited_ms, span.outcome) == ("cache", NOW_MS, 0, "ok")
    assert output.headers == {h.TRACEPARENT: TRACE.decode(), "forebay-x": "1", h.SPANS: output.headers[h.SPANS]}


async def test_a_transient_failure_becomes_one_retry_with_the_record_as_it_was() -> None:
    outcome = await seen(stage(GONE), **{"their-own": b"kept"})
    source, retry = outcome.source.source, retry_of(outcome).source
    assert (retry.topic, retry.key, retry.value) == ("retry.10s", source.key, source.value)
    assert [span.outcome for span in read(retry.headers[h.SPANS])] == ["retry:redis_unavailable"]
    assert retry.headers == {
        h.SPANS: retry.headers[h.SPANS],
        h.DROPPED: b"their-own",
        h.PROOF: retry.headers[h.PROOF],
        h.ATTEMPT: b"2",
        h.RETRY_STAGE: b"cache",
        h.DUE_AT: str(NOW_MS + 10_000).encode(),
        h.LAST_CODE: b"redis_unavailable",
        h.ORIGIN_TOPIC: b"requests.redacted",
        h.ORIGIN_PARTITION: b"0",
        h.ORIGIN_OFFSET: b"0",
        h.ORIGIN_TIMESTAMP: str(NOW_MS).encode(),
        h.FIRST_FAILED_AT: str(NOW_MS).encode(),
    }


async def test_origin_headers_are_written_once_and_attempts_counted_on() -> None:
    runner = stage(GONE)
    first = retry_of(await seen(runner))
    [again] = await runner.advance(20)
    second = retry_of(again)
    assert (second.source.topic, second.attempt, second.due_at) == ("retry.1m", 3, NOW_MS + 70_000)
    assert [second.source.headers[name] for name in h.ORIGIN] == [first.source.headers[name] for name in h.ORIGIN]


async def test_the_handler_of_a_retry_knows_its_attempt_and_when_it_was_first_accepted() -> None:
    tries: list[tuple[int, int]] = []

    async def handle(_request: RedactedRequest, context: Context) -> Sequence[Output]:
        tries.append((context.attempt, context.accepted_at))
        raise GONE

    runner = stage(handle)
    await seen(runner)
    await runner.advance(10)
    assert tries == [(1, NOW_MS), (2, NOW_MS)]


@pytest.mark.parametrize(
    ("stamp_ms", "origin_ms", "accepted_at"),
    [
        (NOW_MS - 5_000, None, NOW_MS - 5_000),
        (NOW_MS + 26 * 3_600_000, None, NOW_MS),
        (4_102_444_800_000, None, NOW_MS),
        (-1, None, NOW_MS),
        (0, None, NOW_MS),
        (NOW_MS, NOW_MS - 60_000, NOW_MS),
        (NOW_MS, NOW_MS + 60_000, NOW_MS),
    ],
    ids=["past", "tomorrow", "2100", "none", "1970", "an origin without proof", "one to come"],
)
async def test_no_record_was_accepted_later_than_now_whatever_its_producer_stamped(
    stamp_ms: int, origin_ms: int | None, accepted_at: int
) -> None:
    seen_at: list[int] = []

    async def handle(_request: RedactedRequest, context: Context) -> Sequence[Output]:
        seen_at.append(context.accepted_at)
        return ()

    headers = {} if origin_ms is None else {h.ORIGIN_TIMESTAMP: str(origin_ms).encode()}
    value = codecs()["requests.redacted"].encode(REQUEST)
    await processor(handle).process(delivered("requests.redacted", value, headers=headers, timestamp_ms=stamp_ms))
    assert seen_at == [accepted_at]


@pytest.mark.parametrize(
    ("retry_after_s", "topic", "wait_ms"),
    [(0.0, "retry.10s", 0), (3.0, "retry.10s", 3_000), (10.5, "retry.1m", 10_500), (7_200.0, "retry.10m", 7_200_000),
     (-5.0, "retry.10s", 0)],
)  # fmt: skip
async def test_what_the_other_side_asks_us_to_wait_is_waited(retry_after_s: float, topic: str, wait_ms: int) -> None:
    retry = retry_of(await seen(stage(Transient("provider_rate_limited", "429", retry_after_s=retry_after_s))))
    assert (retry.source.topic, retry.due_at) == (topic, NOW_MS + wait_ms)


async def test_what_a_failure_carries_is_in_the_retry_and_its_outputs_do_not_inherit_it() -> None:
    failure = Transient("provider_timeout", "slow")
    failure.carry[h.SPENT] = b"700"
    spent: list[int | None] = []

    async def handle(_request: RedactedRequest, context: Context) -> Sequence[Output]:
        spent.append(h.number(context.source.headers, h.SPENT))
        if context.attempt == 1:
            raise failure
        return [Output(topic="alerts", key="k", value=Alert())]

    runner = stage(handle)
    await seen(runner)
    [again] = await runner.advance(10)
    assert spent == [None, 700]
    assert [list(output.headers) for output in again.outputs] == [[h.TRACEPARENT]]


async def test_retries_end_with_the_last_attempt() -> None:
    failure = Transient("redis_unavailable", "the vault's Redis")
    failure.carry[h.SPENT] = b"9"
    runner = stage(failure)
    await seen(runner)
    *_, outcome = await runner.advance(7_200)
    letter = letter_of(outcome)
    assert told_of(outcome).kind == letter.code == "retries_exhausted"
    assert letter.message == "4 attempts, the last: redis_unavailable: the vault's Redis"
    assert letter.attempts == 4
    assert outcome.failure is not None
    assert outcome.failure.carry[h.SPENT] == b"9", "what the last try cost is lost"


async def test_a_deadline_ends_retries_that_would_come_too_late() -> None:
    failure = Transient("redis_unavailable", "gone")
    failure.carry[h.SPENT] = b"9"
    outcome = await seen(stage(failure), RedactedRequest(request_id="r-1", accepted_at=NOW_MS, deadline_ms=10_000))
    assert outcome.failure is not None
    assert (told_of(outcome).kind, outcome.failure.carry[h.SPENT]) == ("deadline_exceeded", b"9")
    assert retry_of(await seen(stage(failure), RedactedRequest(accepted_at=NOW_MS, deadline_ms=10_001)))


async def test_a_record_past_its_deadline_is_not_worked_on() -> None:
    request = RedactedRequest(request_id="r-1", accepted_at=NOW_MS - 5_000, deadline_ms=5_000)
    assert told_of(await seen(stage(AssertionError("was called")), request)).kind == "deadline_exceeded"


@pytest.mark.parametrize("failure", [Rejected("invalid_request", "no"), Expired("deadline_exceeded", "late")])
async def test_a_rejected_or_expired_record_gets_its_answer_and_no_dead_letter(failure: Failure) -> None:
    outcome = await seen(stage(failure))
    assert (told_of(outcome).kind, outcome.dead_letter) == (failure.code, None)


async def test_a_permanent_failure_gets_an_answer_and_a_dead_letter_with_the_record_as_it_was() -> None:
    outcome = await seen(stage(Permanent("no_tier", "no such tier")), **{"their-own": b"kept"})
    assert told_of(outcome).kind == "no_tier"
    source, dead = outcome.source.source, letter_of(outcome).source
    assert (dead.topic, dead.key, dead.value) == ("dlq", source.key, source.value)
    assert [span.outcome for span in read(dead.headers[h.SPANS])] == ["no_tier"]
    assert dead.headers == {
        h.SPANS: dead.headers[h.SPANS],
        h.DROPPED: b"their-own",
        h.ORIGIN_TOPIC: b"requests.redacted",
        h.ORIGIN_PARTITION: b"0",
        h.ORIGIN_OFFSET: b"0",
        h.ORIGIN_TIMESTAMP: str(NOW_MS).encode(),
        h.FIRST_FAILED_AT: str(NOW_MS).encode(),
        "forebay-dlq-stage": b"cache",
        "forebay-dlq-code": b"no_tier",
        "forebay-dlq-class": b"business",
        "forebay-dlq-message": b"no such tier",
        "forebay-dlq-attempts": b"1",
        "forebay-dlq-failed-at": str(NOW_MS).encode(),
        "forebay-dlq-request-id": b"r-1",
        "forebay-dlq-tenant": b"acme",
    }


async def test_a_dead_letter_of_a_retry_keeps_its_origin_and_loses_its_timer() -> None:
    async def handle(_request: RedactedRequest, context: Context) -> Sequence[Output]:
        raise GONE if context.attempt == 1 else Permanent("no_tier", "no")

    runner = stage(handle)
    await seen(runner)
    [again] = await runner.advance(60)
    letter = letter_of(again)
    assert (letter.attempts, letter.first_failed_at, letter.failed_at) == (2, NOW_MS, NOW_MS + 10_000)
    assert letter.source.headers[h.ORIGIN_OFFSET] == b"0"
    assert not {h.DUE_AT, h.RETRY_STAGE} & letter.source.headers.keys()


async def test_a_bug_is_named_by_type_and_place_but_never_by_its_text() -> None:
    outcome = await seen(stage(KeyError("Ann Lee, SSN 078-05-1120")))
    letter = letter_of(outcome)
    assert told_of(outcome).kind == "bug"
    assert (letter.code, letter.failure_class) == ("bug", "bug")
    assert letter.message.startswith("KeyError in failing.<locals>.handle:")


async def test_a_bug_in_the_failure_handler_still_ends_in_a_dead_letter() -> None:
    def on_failure(_record: Any, _context: Context, _failure: Any) -> Sequence[Output]:
        raise ZeroDivisionError

    outcome = await seen(stage(Rejected("invalid_request", "no"), on_failure))
    assert (letter_of(outcome).code, outcome.outputs) == ("invalid_request", ())


async def test_an_answer_that_cannot_be_encoded_still_ends_in_a_dead_letter() -> None:
    def on_failure(_record: Any, _context: Context, _failure: Any) -> Sequence[Output]:
        return [Output(topic="alerts", key="k", value=UsageEvent())]

    outcome = await seen(stage(Permanent("no_tier", "no"), on_failure))
    assert (letter_of(outcome).code, outcome.outputs) == ("no_tier", ())


async def test_a_handler_that_hangs_is_retried() -> None:
    async def hang(_request: RedactedRequest, _context: Context) -> Sequence[Output]:
        await asyncio.Event().wait()
        raise AssertionError

    assert retry_of(await seen(stage(hang, timeout_s=0.001))).code == "handler_timeout"


async def test_what_a_handler_has_done_without_waiting_counts_however_long_it_took() -> None:
    async def busy(_request: RedactedRequest, _context: Context) -> Sequence[Output]:
        time.sleep(0.01)
        return []

    outcome = await seen(stage(busy, timeout_s=0.001))
    assert (outcome.retry, outcome.failure) == (None, None)


async def test_cancellation_is_no_failure() -> None:
    started = asyncio.Event()

    async def hang(_request: RedactedRequest, _context: Context) -> Sequence[Output]:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    runner = stage(hang)
    work = asyncio.create_task(seen(runner))
    await started.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert [one.topic for one in runner.topics.log] == ["requests.redacted"]


async def test_a_record_does_not_stand_still_when_something_inside_its_handler_was_cancelled() -> None:
    assert letter_of(await seen(stage(asyncio.CancelledError()))).code == "bug"


@pytest.mark.parametrize(
    ("value", "code"),
    [(None, "empty_message"), (b"", "empty_message"), (b"{}", "not_avro"), (b"\0\0\0\xff\xff!", "unknown_schema"),
     (b"\0\0\0\0\x02!", "undecodable")],
)  # fmt: skip
async def test_what_cannot_be_read_is_answered_and_kept_as_it_is(value: bytes | None, code: str) -> None:
    def on_failure(record: Any, context: Context, failure: Any) -> Sequence[Output]:
        assert record is None
        return told(record, context, failure)

    outcome = await seen(stage(AssertionError("was called"), on_failure), value)
    letter = letter_of(outcome)
    assert told_of(outcome).kind == letter.code == code
    assert (letter.source.value, letter.request_id) == (value, "key")
    assert "forebay-dlq-tenant" not in letter.source.headers


async def test_a_registry_that_is_down_is_waited_for() -> None:
    class Down:
        def id_of(self, _subject: str, _schema: Any) -> int:
            return 1

        def schema(self, _schema_id: int) -> Any:
            raise RegistryUnavailableError("the schema registry answered 503")

    codec = codecs()["requests.redacted"]
    other = type(codec)(RedactedRequest, codec.subject, Down())
    run = processor(failing(AssertionError("was called")), codecs={**codecs(), "requests.redacted": other})
    [retry] = await run.process(delivered("requests.redacted", b"\0\0\0\0\x63abc"))
    assert (retry.topic, dict(retry.headers)[h.LAST_CODE]) == ("retry.10s", b"registry_unavailable")


@pytest.mark.parametrize(
    ("output", "code"),
    [
        (Output(topic="alerts", key="k", value=UsageEvent()), "output_invalid"),
        (Output(topic="alerts", key="k", value=Alert(created_at=2**70)), "output_invalid"),
        (Output(topic="alerts", key="k", value=Alert(subject=None)), "output_invalid"),  # type: ignore[arg-type]  # the point
        (Output(topic="alerts", key="k", value=Alert(message="x" * 66_000)), "output_too_large"),
    ],
)
async def test_an_output_that_does_not_fit_is_a_failure_of_the_record(output: Output, code: str) -> None:
    async def handle(_request: RedactedRequest, _context: Context) -> Sequence[Output]:
        return [output]

    topics = MemoryTopics(settings=Settings({"kafka": {"max_record_bytes": 16_384}}))
    outcome = await seen(StageRunner.of("requests.redacted", handle, topics=topics))
    assert (letter_of(outcome).code, outcome.outputs) == (code, ())


async def test_a_retry_of_another_stage_is_left_to_it() -> None:
    retry = retry_of(await seen(stage(GONE, name="evaluation"))).source
    left = await seen(stage(AssertionError("was called")), retry.value, **retry.headers)
    assert (left.code, left.outputs) == ("", ())
    own = await seen(stage(Permanent("bug", "x"), name="evaluation"), retry.value, **retry.headers)
    assert letter_of(own).code == "bug"


async def test_a_retry_header_alone_does_not_silence_a_fresh_record() -> None:
    outcome = await seen(stage(Rejected("invalid_request", "no")), **{h.RETRY_STAGE: b"evaluation"})
    assert told_of(outcome).kind == "invalid_request"


async def test_what_is_written_ahead_is_delivered_before_the_handler_goes_on() -> None:
    topics = MemoryTopics()
    before: list[UsageEvent] = []

    async def handle(_request: RedactedRequest, context: Context) -> Sequence[Output]:
        await context.write_ahead([Output(topic="usage", key="t|u", value=UsageEvent(attempt_id="a"))])
        before.extend(topics.records("usage"))
        return ()

    runner = StageRunner.of("requests.redacted", handle, topics=topics)
    [entry] = (await seen(runner, **{h.TRACEPARENT: TRACE})).outputs
    assert (entry.headers[h.TRACEPARENT], before) == (TRACE.decode(), [UsageEvent(attempt_id="a")])


async def test_a_hint_is_out_at_once_and_inherits_nothing() -> None:
    topics = MemoryTopics()
    heard: list[Delta] = []

    async def handle(_request: RedactedRequest, context: Context) -> Sequence[Output]:
        context.hint([Output(topic="deltas", key="r-1", value=Delta(text="Once"), partition=7)])
        heard.extend(topics.records("deltas"))
        return ()

    outcome = await seen(StageRunner.of("requests.redacted", handle, topics=topics), **{h.TRACEPARENT: TRACE})
    assert (outcome.outputs, heard) == ((), [Delta(text="Once")])
    assert topics.published("deltas")[0].headers == {}


async def test_a_hint_that_is_no_record_is_lost_and_fails_nobody() -> None:
    async def handle(_request: RedactedRequest, context: Context) -> Sequence[Output]:
        context.hint([Output(topic="deltas", key="r-1", value=Delta(text=None))])  # type: ignore[arg-type]  # on purpose
        return ()

    runner = StageRunner.of("requests.redacted", handle)
    assert (await seen(runner)).code == ""
    lost = {"stage": "stage", "reason": "invalid"}
    assert runner.registry.get_sample_value("forebay_hints_lost_total", lost) == 1


async def test_tenants_take_turns_for_the_handler_and_higher_priority_goes_first() -> None:
    handled: list[str] = []

    async def handle(request: RedactedRequest, _context: Context) -> Sequence[Output]:
        handled.append(request.request_id)
        await asyncio.sleep(0)
        return []

    flood = [RedactedRequest(request_id=f"flood-{number}", tenant_id="flood") for number in range(4)]
    urgent = RedactedRequest(request_id="flood-urgent", tenant_id="flood", priority=9)
    quiet = RedactedRequest(request_id="quiet", tenant_id="quiet")
    one_at_once = processor(handle, turns=1)
    await asyncio.gather(*(one_at_once.process(asked(request)) for request in (*flood, urgent, quiet)))
    assert handled == ["flood-0", "flood-urgent", "quiet", "flood-1", "flood-2", "flood-3"]


async def test_what_fails_or_is_late_gives_its_turn_back() -> None:
    late = RedactedRequest(request_id="late", tenant_id="a", accepted_at=NOW_MS - 1_000, deadline_ms=500)
    one_at_once = processor(failing(ValueError("x")), turns=1, on_failure=told)
    for request in (REQUEST, late, REQUEST):
        assert await asyncio.wait_for(one_at_once.process(asked(request)), 5)


def asked(request: RedactedRequest) -> Any:
    return delivered("requests.redacted", codecs()["requests.redacted"].encode(request))


async def test_a_record_that_is_held_waits_in_its_place_until_there_is_room() -> None:
    tries = []

    async def handle(request: RedactedRequest, context: Context) -> Sequence[Output]:
        tries.append(context.attempt)
        if len(tries) < 500:
            raise Held("redis_full", "the vault: Redis has no memory left")
        return [Output(topic="requests.uncached", key="k", value=request)]

    outcome = await seen(stage(handle))
    assert set(tries) == {1}  # however long it takes, no attempt is counted
    assert [output.topic for output in outcome.outputs] == ["requests.uncached"]
    assert (outcome.retry, outcome.dead_letter) == (None, None)


async def test_a_held_record_still_ends_at_its_deadline() -> None:
    waiting = dataclasses.replace(REQUEST, deadline_ms=5_000)
    outcome = await seen(stage(Held("redis_full", "full")), waiting)
    assert told_of(outcome).kind == "deadline_exceeded"
    assert outcome.dead_letter is None


async def test_a_held_record_lets_others_have_their_turn() -> None:
    """It waits outside the queue of its tenant: what holds one may not hold another."""
    full = True

    async def handle(request: RedactedRequest, _context: Context) -> Sequence[Output]:
        nonlocal full
        if request.request_id == "r-1" and full:
            raise Held("redis_full", "full")
        full = False
        return [Output(topic="requests.uncached", key=request.request_id, value=request)]

    both = processor(handle, on_failure=told, turns=1)
    ids = ("r-1", "r-2")
    records = [codecs()["requests.redacted"].encode(dataclasses.replace(REQUEST, request_id=name)) for name in ids]
    held, other = (delivered("requests.redacted", record, offset=n) for n, record in enumerate(records))
    first = asyncio.create_task(both.process(held))
    await asyncio.sleep(0)
    assert [output.key for output in await both.process(other)] == [b"r-2"]
    assert [output.key for output in await first] == [b"r-1"]
