"""What holds personal data leaves its topic sealed, comes back readable, and is quoted nowhere."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from forebay.contract import headers as h
from forebay.contract.failures import Permanent, Transient
from forebay.contract.handlers import Context, Output, Route
from forebay.contract.records import Alert, Message, MessageRole, Params, Request
from forebay.operations.dead_letters.letters import DeadLetter
from forebay.privacy.sealing import Keyring
from forebay.runtime.stage import Stage
from forebay.settings import Settings, StageSettings
from forebay.testing import KEYRING, MemoryTopics, StageRunner, codecs
from tests.unit.runtime.bench import failing, told

CANARY = "078-05-1120"
SECRET = Request(request_id="r-1", messages=(Message(content=f"I am Ann Lee, {CANARY}"),))
GONE = Transient("redis_unavailable", "the vault's Redis")
DOWN = Permanent("no_tier", "no")


def redaction(error: BaseException, keyring: Keyring = KEYRING) -> StageRunner:
    """The stage, whose handler raises ``error``."""
    route = Route(topic="requests", handle=failing(error), on_failure=told)
    return StageRunner(Stage(name="redaction", routes=[route], limits=StageSettings()), keyring=keyring)


async def letter(runner: StageRunner, value: bytes | Request = SECRET, **headers: bytes) -> DeadLetter:
    """The dead letter of a request."""
    outcome = await runner.send("requests", value, headers=headers)
    assert outcome.dead_letter is not None
    return outcome.dead_letter


@pytest.mark.parametrize("error", [GONE, DOWN])
async def test_a_request_is_sealed_where_it_is_kept(error: Exception) -> None:
    runner = redaction(error)
    outcome = await runner.send("requests", SECRET)
    kept = outcome.retry or outcome.dead_letter
    assert kept is not None
    assert CANARY.encode() not in (kept.source.value or b"")
    assert runner.original(kept) == SECRET
    assert kept.source.headers[h.SEALED] == b"requests/0/0"


async def test_a_sealed_retry_is_opened_for_its_handler() -> None:
    async def handle(request: Request, context: Context) -> Sequence[Output]:
        assert request == SECRET
        if context.attempt == 1:
            raise GONE
        return [Output(topic="alerts", key="k", value=Alert())]

    runner = StageRunner.of("requests", handle)
    await runner.send("requests", SECRET)
    [again] = await runner.advance(10)
    assert again.source.headers[h.SEALED]
    assert [(output.topic, h.SEALED in output.headers) for output in again.outputs] == [("alerts", False)]


async def test_a_second_retry_keeps_the_seal_of_the_first() -> None:
    runner = redaction(GONE)
    first = (await runner.send("requests", SECRET)).retry
    [again] = await runner.advance(10)
    assert first is not None
    assert again.retry is not None
    assert again.retry.source.value == first.source.value
    assert again.retry.source.headers[h.SEALED] == first.source.headers[h.SEALED]


async def test_a_dead_letter_cannot_be_opened_as_another_record() -> None:
    kept = await letter(redaction(DOWN))
    moved = await letter(redaction(DOWN), kept.source.value or b"", **{h.SEALED: b"requests/0/1"})
    assert moved.code == "not_avro"  # to a fresh record it is bytes like any others


async def test_sealed_bytes_without_a_proof_are_buried_as_they_are_and_answer_nobody() -> None:
    kept = await letter(redaction(DOWN))
    copied = await redaction(DOWN).send("requests", kept.source.value, headers={h.SEALED: b"requests/0/0"})
    dead = copied.dead_letter
    assert dead is not None
    assert (dead.code, dead.source.value, copied.outputs) == ("forged_retry", kept.source.value, ())


async def test_without_the_key_a_sealed_record_is_a_dead_letter_and_stays_sealed() -> None:
    retry = (await redaction(GONE).send("requests", SECRET)).retry
    assert retry is not None
    another = redaction(DOWN, keyring=Keyring({"other": b"\2" * 32}))
    dead = (await another.send("requests", retry.source.value, headers=retry.source.headers)).dead_letter
    assert dead is not None
    assert dead.code == "unreadable_seal"
    assert (dead.source.value, dead.source.headers[h.SEALED]) == (retry.source.value, b"requests/0/0")


async def test_a_header_that_claims_a_seal_does_not_let_clear_text_out() -> None:
    dead = await letter(redaction(DOWN), **{h.SEALED: b"requests/0/0"})
    assert dead.code == "no_tier"  # it is not even listened to
    assert CANARY.encode() not in (dead.source.value or b"")


async def test_a_request_at_the_limit_finds_its_way_back_sealed() -> None:
    topics = MemoryTopics(settings=Settings({"kafka": {"max_record_bytes": 16_384}}))
    shorter = replace(SECRET, tools="x" * 16_000)
    room = 16_384 - len(topics.codecs["requests"].encode(shorter))
    runner = StageRunner.of("requests", failing(GONE), topics=topics)
    outcome = await runner.send("requests", replace(SECRET, tools="x" * (16_000 + room)))
    assert len(outcome.source.source.value or b"") == 16_384
    await runner.advance(10)
    assert len(topics.published("requests")[1].source.value or b"") > 16_384


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
    runner = redaction(error)
    with capture_logs() as logs:
        outcome = await runner.send("requests", value)
    left = runner.topics.log[1:]
    assert outcome.outputs or outcome.retry
    assert left
    assert CANARY not in repr(logs)
    assert CANARY.encode() not in b"".join([one.source.value or b"" for one in left])
    assert CANARY not in repr([one.source.headers for one in left])
