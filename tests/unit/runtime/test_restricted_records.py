"""What holds personal data leaves its topic sealed, comes back readable, and is quoted nowhere."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from forebay.contract import headers as h
from forebay.contract.failures import Permanent, Transient
from forebay.contract.handlers import Context, Output
from forebay.contract.records import Alert, Message, MessageRole, Params, Request
from forebay.contract.wire import Delivered, Encoded
from forebay.privacy.sealing import Keyring
from forebay.settings import ConfigurationError, KafkaSettings
from tests.unit.runtime.bench import KEYRING, NOW_MS, codecs, delivered, failing, header, processor, sent_back, told

CANARY = "078-05-1120"
SECRET = Request(request_id="r-1", messages=(Message(content=f"I am Ann Lee, {CANARY}"),))
GONE = Transient("redis_unavailable", "the vault's Redis")
DOWN = Permanent("no_tier", "no")


def asked(request: Request = SECRET, **fields: Any) -> Delivered:
    return delivered("requests", value=codecs()["requests"].encode(request), **fields)


async def ended(error: BaseException, source: Delivered | None = None, **changes: Any) -> Encoded:
    """The retry or dead letter of a request whose handler raised ``error``."""
    [kept] = await processor(failing(error), "requests", **({"stage": "redaction"} | changes)).process(
        source or asked()
    )
    return kept


@pytest.mark.parametrize(("error", "topic"), [(GONE, "retry.10s"), (DOWN, "dlq")])
async def test_a_request_is_sealed_where_it_is_kept(error: Exception, topic: str) -> None:
    source = asked()
    kept = await ended(error, source)
    assert kept.topic == topic
    assert CANARY.encode() not in (kept.value or b"")
    assert KEYRING.open(kept.value or b"", header(kept, h.SEALED) or "") == source.value
    assert header(kept, h.SEALED) == "requests/3/41"


async def test_a_sealed_retry_is_opened_for_its_handler() -> None:
    async def handle(request: Request, _context: Context) -> Sequence[Output]:
        assert request == SECRET
        return [Output(topic="alerts", key="k", value=Alert())]

    retry = await ended(GONE)
    run = processor(handle, "requests", stage="redaction")
    [output] = await run.process(sent_back(retry, "requests"))
    assert (output.topic, header(output, h.SEALED)) == ("alerts", None)


async def test_a_second_retry_keeps_the_seal_of_the_first() -> None:
    first = await ended(GONE)
    second = await ended(GONE, sent_back(first, "requests", partition=0, offset=99))
    assert (second.value, header(second, h.SEALED)) == (first.value, header(first, h.SEALED))


async def test_a_dead_letter_cannot_be_opened_as_another_record() -> None:
    kept = await ended(DOWN)
    moved = sent_back(kept, "requests")
    moved = delivered("requests", value=moved.value, headers={**moved.headers, h.SEALED: b"requests/3/42"})
    assert header(await ended(DOWN, moved), "forebay-dlq-code") == "unreadable_seal"


async def test_without_the_key_a_sealed_record_is_a_dead_letter_and_stays_sealed() -> None:
    retry = await ended(GONE)
    dead = await ended(DOWN, sent_back(retry, "requests"), keyring=Keyring({"other": b"\2" * 32}))
    assert header(dead, "forebay-dlq-code") == "unreadable_seal"
    assert (dead.value, header(dead, h.SEALED)) == (retry.value, header(retry, h.SEALED))


async def test_a_header_that_claims_a_seal_does_not_let_clear_text_out() -> None:
    dead = await ended(DOWN, asked(headers={h.SEALED: b"requests/3/41"}))
    assert header(dead, "forebay-dlq-code") == "unreadable_seal"
    assert CANARY.encode() not in (dead.value or b"")


async def test_a_stage_without_a_key_stops_rather_than_letting_a_request_out() -> None:
    with pytest.raises(ConfigurationError, match="vault key"):
        await ended(DOWN, keyring=None)


async def test_a_request_at_the_limit_finds_its_way_back_sealed() -> None:
    kafka = KafkaSettings(max_record_bytes=16_384)
    retry = await ended(GONE, delivered("requests", value=b"\0" * 16_384), kafka=kafka, codecs=_Lenient())

    async def schedule(source: Delivered, _context: Context) -> Sequence[Output]:
        return [Output(topic="requests", key=source.key, value=source.value)]

    run = processor(schedule, "retry.10s", raw=True, kafka=kafka)
    assert [output.topic for output in await run.process(sent_back(retry, "retry.10s"))] == ["requests"]


class _Lenient(dict[str, Any]):
    """Codecs under which any bytes are a record."""

    def __missing__(self, _topic: str) -> Any:
        class Codec:
            decode = staticmethod(lambda _value: None)

        return Codec


_TEXT = st.text(max_size=8).map(lambda text: text + CANARY)
_REQUESTS = st.builds(
    Request,
    request_id=st.just("r-1"),
    conversation_id=_TEXT,
    messages=st.lists(
        st.builds(
            Message,
            role=st.sampled_from(MessageRole),
            content=_TEXT,
            name=_TEXT,
            tool_call_id=_TEXT,
            tool_calls=_TEXT.map(lambda text: json.dumps([text])),
        ),
        min_size=1,
        max_size=2,
    ).map(tuple),
    tools=_TEXT,
    response_format=_TEXT,
    params=st.builds(Params, stop=st.tuples(_TEXT)),
    metadata=st.dictionaries(_TEXT, _TEXT, max_size=2),
    created_at=st.just(1),
)
_ERRORS: list[Any] = [
    GONE,
    DOWN,
    Exception(CANARY),
    ValueError(CANARY),
    KeyError(CANARY),
    UnicodeDecodeError("utf-8", CANARY.encode(), 0, 1, CANARY),
]


@given(_REQUESTS, st.sampled_from(_ERRORS), st.sampled_from(["whole", "cut", "longer", "changed"]), st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_text_of_a_request_is_in_a_header_a_message_a_log_or_a_value(
    request_: Request, error: Exception, damage: str, data: st.DataObject
) -> None:
    value = codecs()["requests"].encode(request_)
    at = data.draw(st.integers(5, len(value) - 1))
    match damage:
        case "cut":
            value = value[:at]
        case "longer":
            value += CANARY.encode()
        case "changed":
            value = value[:at] + bytes([value[at] ^ 0xFF]) + value[at + 1 :]
    with capture_logs() as logs:
        run = processor(failing(error), "requests", stage="redaction", on_failure=told, now_ms=NOW_MS)
        outputs = await run.process(delivered("requests", value=value))
    assert outputs
    assert CANARY not in repr(logs)
    assert CANARY.encode() not in b"".join([output.value or b"" for output in outputs])
    assert CANARY not in repr([output.headers for output in outputs])
