"""What comes out of one record: its outputs, a retry, a terminal answer, a dead letter; never nothing by accident."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from forebay.avro.registry import RegistryUnavailableError
from forebay.contract import headers as h
from forebay.contract.failures import Expired, Failure, Permanent, Rejected, Transient
from forebay.contract.handlers import Context, Output
from forebay.contract.records import Alert, RedactedRequest, UsageEvent
from forebay.contract.wire import Encoded
from forebay.settings import KafkaSettings
from tests.unit.runtime.bench import NOW_MS, codecs, delivered, failing, header, processor, sent_back, told

REQUEST = RedactedRequest(request_id="r-1", tenant_id="acme", accepted_at=NOW_MS - 1_000)


def asked(request: RedactedRequest = REQUEST, **fields: Any) -> Any:
    return delivered(value=codecs()["requests.redacted"].encode(request), **fields)


def topics(outputs: Sequence[Encoded]) -> list[str]:
    return [output.topic for output in outputs]


def alert_of(output: Encoded) -> Alert:
    found = codecs()["alerts"].decode(output.value)
    assert isinstance(found, Alert)
    return found


async def test_a_handler_gets_the_record_and_its_outputs_are_encoded() -> None:
    async def handle(request: RedactedRequest, context: Context) -> Sequence[Output]:
        assert (request, context.attempt, context.accepted_at) == (REQUEST, 1, 1_000_000)
        return [Output(topic="requests.uncached", key="k", value=request, headers={"forebay-x": b"1"})]

    [output] = await processor(handle).process(asked(headers={h.TRACEPARENT: b"00-ab-cd-01"}))
    assert (output.topic, output.key) == ("requests.uncached", b"k")
    assert codecs()["requests.uncached"].decode(output.value) == REQUEST
    assert (header(output, h.TRACEPARENT), header(output, "forebay-x")) == ("00-ab-cd-01", "1")


async def test_a_transient_failure_becomes_one_retry_with_the_record_as_it_was() -> None:
    source = asked(headers={"their-own": b"kept"})
    [retry] = await processor(failing(Transient("redis_unavailable", "gone"))).process(source)
    assert (retry.topic, retry.key, retry.value) == ("retry.10s", source.key, source.value)
    assert dict(retry.headers) == {
        "their-own": b"kept",
        h.ATTEMPT: b"2",
        h.RETRY_STAGE: b"cache",
        h.DUE_AT: str(NOW_MS + 10_000).encode(),
        h.LAST_CODE: b"redis_unavailable",
        h.ORIGIN_TOPIC: b"requests.redacted",
        h.ORIGIN_PARTITION: b"3",
        h.ORIGIN_OFFSET: b"41",
        h.ORIGIN_TIMESTAMP: b"1000000",
        h.FIRST_FAILED_AT: str(NOW_MS).encode(),
    }


async def test_origin_headers_are_written_once_and_attempts_counted_on() -> None:
    fail = failing(Transient("redis_unavailable", "gone"))
    [first] = await processor(fail).process(asked())
    again = sent_back(first, "requests.redacted", partition=0, offset=99, timestamp_ms=5)
    [second] = await processor(fail, now_ms=NOW_MS + 20_000).process(again)
    assert second.topic == "retry.1m"
    assert header(second, h.ATTEMPT) == "3"
    assert header(second, h.DUE_AT) == str(NOW_MS + 80_000)
    for name in h.ORIGIN:
        assert header(second, name) == header(first, name), name


async def test_the_handler_of_a_retry_knows_its_attempt_and_when_it_was_first_accepted() -> None:
    seen: list[tuple[int, int]] = []

    async def handle(_request: RedactedRequest, context: Context) -> Sequence[Output]:
        seen.append((context.attempt, context.accepted_at))
        raise Transient("redis_unavailable", "gone")

    [retry] = await processor(handle).process(asked(timestamp_ms=77))
    await processor(handle).process(sent_back(retry, "requests.redacted", timestamp_ms=999))
    assert seen == [(1, 77), (2, 77)]


@pytest.mark.parametrize(
    ("retry_after_s", "topic", "wait_ms"),
    [(0.0, "retry.10s", 0), (3.0, "retry.10s", 3_000), (10.5, "retry.1m", 10_500), (7_200.0, "retry.10m", 7_200_000),
     (-5.0, "retry.10s", 0)],
)  # fmt: skip
async def test_what_the_other_side_asks_us_to_wait_is_waited(retry_after_s: float, topic: str, wait_ms: int) -> None:
    failure = Transient("provider_rate_limited", "429", retry_after_s=retry_after_s)
    [retry] = await processor(failing(failure)).process(asked())
    assert (retry.topic, header(retry, h.DUE_AT)) == (topic, str(NOW_MS + wait_ms))


async def test_what_a_failure_carries_is_in_the_retry_and_its_outputs_do_not_inherit_it() -> None:
    failure = Transient("provider_timeout", "slow")
    failure.carry[h.SPENT] = b"700"
    [retry] = await processor(failing(failure)).process(asked())
    assert header(retry, h.SPENT) == "700"

    async def handle(_request: RedactedRequest, context: Context) -> Sequence[Output]:
        assert h.number(context.source.headers, h.SPENT) == 700
        return [Output(topic="alerts", key="k", value=Alert())]

    [output] = await processor(handle).process(sent_back(retry, "requests.redacted"))
    assert [name for name, _ in output.headers] == [h.TRACEPARENT]


async def test_retries_end_with_the_last_attempt() -> None:
    failure = Transient("redis_unavailable", "the vault's Redis")
    failure.carry[h.SPENT] = b"9"
    seen: list[bytes] = []

    def on_failure(record: Any, context: Context, failure: Any) -> Sequence[Output]:
        seen.append(failure.carry[h.SPENT])
        return told(record, context, failure)

    source = asked(headers={h.ATTEMPT: b"4"})
    answer, dead = await processor(failing(failure), on_failure=on_failure).process(source)
    assert alert_of(answer).kind == header(dead, "forebay-dlq-code") == "retries_exhausted"
    assert header(dead, "forebay-dlq-message") == "4 attempts, the last: redis_unavailable: the vault's Redis"
    assert header(dead, "forebay-dlq-attempts") == "4"
    assert seen == [b"9"], "what the last try cost is lost"


async def test_a_deadline_ends_retries_that_would_come_too_late() -> None:
    request = RedactedRequest(request_id="r-1", accepted_at=NOW_MS, deadline_ms=10_000)
    failure = Transient("redis_unavailable", "gone")
    failure.carry[h.SPENT] = b"9"
    spent: list[bytes] = []

    def on_failure(record: Any, context: Context, failure: Any) -> Sequence[Output]:
        spent.append(failure.carry[h.SPENT])
        return told(record, context, failure)

    run = processor(failing(failure), on_failure=on_failure)
    [answer] = await run.process(asked(request))
    assert (alert_of(answer).kind, spent) == ("deadline_exceeded", [b"9"])
    assert topics(await run.process(asked(RedactedRequest(accepted_at=NOW_MS, deadline_ms=10_001)))) == ["retry.10s"]


async def test_a_record_past_its_deadline_is_not_worked_on() -> None:
    request = RedactedRequest(request_id="r-1", accepted_at=NOW_MS - 5_000, deadline_ms=5_000)
    run = processor(failing(AssertionError("was called")), on_failure=told)
    [answer] = await run.process(asked(request))
    assert alert_of(answer).kind == "deadline_exceeded"


@pytest.mark.parametrize("failure", [Rejected("invalid_request", "no"), Expired("deadline_exceeded", "late")])
async def test_a_rejected_or_expired_record_gets_its_answer_and_no_dead_letter(failure: Failure) -> None:
    [answer] = await processor(failing(failure), on_failure=told).process(asked())
    assert alert_of(answer).kind == failure.code


async def test_a_permanent_failure_gets_an_answer_and_a_dead_letter_with_the_record_as_it_was() -> None:
    source = asked(headers={"their-own": b"kept"})
    answer, dead = await processor(failing(Permanent("no_tier", "no such tier")), on_failure=told).process(source)
    assert alert_of(answer).kind == "no_tier"
    assert (dead.topic, dead.key, dead.value) == ("dlq", source.key, source.value)
    assert dict(dead.headers) == {
        "their-own": b"kept",
        h.ORIGIN_TOPIC: b"requests.redacted",
        h.ORIGIN_PARTITION: b"3",
        h.ORIGIN_OFFSET: b"41",
        h.ORIGIN_TIMESTAMP: b"1000000",
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
    [retry] = await processor(failing(Transient("redis_unavailable", "gone"))).process(asked())
    run = processor(failing(Permanent("no_tier", "no")), now_ms=NOW_MS + 60_000)
    [dead] = await run.process(sent_back(retry, "requests.redacted", offset=99))
    assert (header(dead, h.ORIGIN_OFFSET), header(dead, h.FIRST_FAILED_AT)) == ("41", str(NOW_MS))
    assert (header(dead, "forebay-dlq-attempts"), header(dead, "forebay-dlq-failed-at")) == ("2", str(NOW_MS + 60_000))
    assert header(dead, h.DUE_AT) is header(dead, h.RETRY_STAGE) is None


async def test_a_bug_is_named_by_type_and_place_but_never_by_its_text() -> None:
    answer, dead = await processor(failing(KeyError("Ann Lee, SSN 078-05-1120")), on_failure=told).process(asked())
    assert alert_of(answer).kind == "bug"
    assert (header(dead, "forebay-dlq-code"), header(dead, "forebay-dlq-class")) == ("bug", "bug")
    assert (header(dead, "forebay-dlq-message") or "").startswith("KeyError in failing.<locals>.handle:")


async def test_a_bug_in_the_failure_handler_still_ends_in_a_dead_letter() -> None:
    def on_failure(_record: Any, _context: Context, _failure: Any) -> Sequence[Output]:
        raise ZeroDivisionError

    run = processor(failing(Rejected("invalid_request", "no")), on_failure=on_failure)
    [dead] = await run.process(asked())
    assert (dead.topic, header(dead, "forebay-dlq-code")) == ("dlq", "invalid_request")


async def test_an_answer_that_cannot_be_encoded_still_ends_in_a_dead_letter() -> None:
    def on_failure(_record: Any, _context: Context, _failure: Any) -> Sequence[Output]:
        return [Output(topic="alerts", key="k", value=UsageEvent())]

    [dead] = await processor(failing(Permanent("no_tier", "no")), on_failure=on_failure).process(asked())
    assert (dead.topic, header(dead, "forebay-dlq-code")) == ("dlq", "no_tier")


async def test_a_handler_that_hangs_is_retried() -> None:
    async def hang(_request: RedactedRequest, _context: Context) -> Sequence[Output]:
        await asyncio.Event().wait()
        raise AssertionError

    [retry] = await processor(hang, timeout_s=0.001).process(asked())
    assert (retry.topic, header(retry, h.LAST_CODE)) == ("retry.10s", "handler_timeout")


async def test_cancellation_is_no_failure() -> None:
    started = asyncio.Event()

    async def hang(_request: RedactedRequest, _context: Context) -> Sequence[Output]:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    work = asyncio.create_task(processor(hang).process(asked()))
    await started.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work


async def test_a_record_does_not_stand_still_when_something_inside_its_handler_was_cancelled() -> None:
    outputs = await processor(failing(asyncio.CancelledError())).process(asked())
    assert [(output.topic, header(output, "forebay-dlq-code")) for output in outputs] == [("dlq", "bug")]


@pytest.mark.parametrize(
    ("value", "code"),
    [(None, "empty_message"), (b"", "empty_message"), (b"{}", "not_avro"), (b"\0\0\0\xff\xff!", "unknown_schema"),
     (b"\0\0\0\0\x02!", "undecodable")],
)  # fmt: skip
async def test_what_cannot_be_read_is_answered_and_kept_as_it_is(value: bytes | None, code: str) -> None:
    def on_failure(record: Any, context: Context, failure: Any) -> Sequence[Output]:
        assert record is None
        return told(record, context, failure)

    run = processor(failing(AssertionError("was called")), on_failure=on_failure)
    answer, dead = await run.process(delivered(value=value, key=b"their-id"))
    assert alert_of(answer).kind == header(dead, "forebay-dlq-code") == code
    assert (dead.value, header(dead, "forebay-dlq-request-id")) == (value, "their-id")
    assert header(dead, "forebay-dlq-tenant") is None


async def test_a_registry_that_is_down_is_waited_for() -> None:
    class Down:
        def id_of(self, _subject: str, _schema: Any) -> int:
            return 1

        def schema(self, _schema_id: int) -> Any:
            raise RegistryUnavailableError("the schema registry answered 503")

    codec = codecs()["requests.redacted"]
    other = type(codec)(RedactedRequest, codec.subject, Down())
    run = processor(failing(AssertionError("was called")), codecs={**codecs(), "requests.redacted": other})
    [retry] = await run.process(delivered(value=b"\0\0\0\0\x63abc"))
    assert (retry.topic, header(retry, h.LAST_CODE)) == ("retry.10s", "registry_unavailable")


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

    [dead] = await processor(handle, kafka=KafkaSettings(max_record_bytes=16_384)).process(asked())
    assert (dead.topic, header(dead, "forebay-dlq-code")) == ("dlq", code)


async def test_a_retry_of_another_stage_is_left_to_it() -> None:
    [retry] = await processor(failing(Transient("redis_unavailable", "gone")), stage="evaluation").process(asked())
    back = sent_back(retry, "requests.redacted")
    assert await processor(failing(AssertionError("was called"))).process(back) == []
    assert topics(await processor(failing(Permanent("bug", "x")), stage="evaluation").process(back)) == ["dlq"]


async def test_a_retry_header_alone_does_not_silence_a_fresh_record() -> None:
    run = processor(failing(Rejected("invalid_request", "no")), on_failure=told)
    assert topics(await run.process(asked(headers={h.RETRY_STAGE: b"evaluation"}))) == ["alerts"]


async def test_what_is_written_ahead_is_delivered_before_the_handler_goes_on() -> None:
    events: list[Any] = []

    async def deliver(outputs: Sequence[Encoded]) -> None:
        events.extend(outputs)

    async def handle(_request: RedactedRequest, context: Context) -> Sequence[Output]:
        await context.write_ahead([Output(topic="usage", key="t|u", value=UsageEvent(attempt_id="a"))])
        events.append("went on")
        return ()

    source = asked(headers={h.TRACEPARENT: b"00-ab-cd-01"})
    assert await processor(handle, deliver=deliver).process(source) == []
    entry, then = events
    assert (entry.topic, header(entry, h.TRACEPARENT), then) == ("usage", "00-ab-cd-01", "went on")


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
