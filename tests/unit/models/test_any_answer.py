"""Whatever a provider answers: never a bug, no paid answer lost, nothing booked below nothing or above what may be."""

import asyncio
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.contract.error_codes import CODES
from forebay.contract.failures import Failure
from forebay.contract.records import UsageEvent, UsageStatus
from forebay_agents.completion.trace import Trace
from forebay_agents.models.providers.exchange import note_plain
from forebay_agents.models.providers.litellm_provider import LitellmProvider
from forebay_agents.models.providers.provider import Answer
from forebay_agents.models.settings import Deployment, Price, Tier
from tests.unit.completion.fakes import Written, asked, cascade_of

pytestmark = pytest.mark.filterwarnings("ignore")  # litellm's own
MOST = 300
_MOST_BOOKED = 300_000
_NAMES = (
    "choices",
    "message",
    "delta",
    "content",
    "tool_calls",
    "function",
    "name",
    "arguments",
    "id",
    "index",
    "type",
    "text",
    "refusal",
    "reasoning_content",
    "finish_reason",
    "logprobs",
    "token",
    "logprob",
    "top_logprobs",
    "usage",
    "prompt_tokens",
    "completion_tokens",
    "prompt_tokens_details",
    "cached_tokens",
    "completion_tokens_details",
    "reasoning_tokens",
    "error",
    "code",
    "provider_specific_fields",
    "thinking",
)
_WORDS = ("stop", "error", "content_filter", "SAFETY", "text", "image_url", "refusal", "thinking", "19", "12", "{}")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 40)
    | st.integers()
    | st.floats()
    | st.sampled_from(_WORDS)
    | st.text(st.characters(), max_size=8)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=5)
        | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=12,
)
COUNT = st.integers(-3, 400) | SCALARS
USAGE = st.fixed_dictionaries(
    {},
    optional={
        "prompt_tokens": COUNT,
        "completion_tokens": COUNT,
        "prompt_tokens_details": st.fixed_dictionaries({}, optional={"cached_tokens": COUNT}),
        "completion_tokens_details": st.fixed_dictionaries({}, optional={"reasoning_tokens": COUNT}),
    },
)
GOOD = {"index": 0, "message": {"role": "assistant", "content": "It is 19."}, "finish_reason": "stop"}
PIECES = [{"index": 0, "delta": {"content": "It "}}, {"index": 0, "delta": {"content": "is 19."}}]
END = {"index": 0, "delta": {}, "finish_reason": "stop"}


class Library:
    """What came over HTTP, without it: ``body`` is what the provider answered with status 200."""

    def __init__(self, body: bytes) -> None:
        import litellm

        self.exceptions = litellm.exceptions
        self.body = body
        self.status_code = 200
        self.headers: dict[str, str] = {}
        self.has_redirect_location = False
        self.request = SimpleNamespace(url=SimpleNamespace(path="/v1/chat/completions"))

    async def acompletion(self, **arguments: Any) -> Any:
        """The stream; of a whole answer the library makes nothing."""
        await note_plain(self)
        if not arguments.get("stream"):
            raise TypeError("unhashable type: 'dict'")
        return SimpleNamespace(completion_stream=_stream_of(self), aclose=self.aclose)

    async def aread(self) -> bytes:
        """All of it."""
        return self.body

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        """In two pieces."""
        half = len(self.body) // 2
        yield self.body[:half]
        yield self.body[half:]

    async def aclose(self) -> None:
        """Nothing is open."""


def _stream_of(response: Library) -> Any:
    from openai import AsyncStream

    class Stream(AsyncStream[Any]):
        def __init__(self) -> None:
            self.response = response  # type: ignore[assignment]  # as much of it as is read

    return Stream()


def became_of(body: bytes, *, stream: bool) -> tuple[Answer | None, Failure | None, UsageEvent]:
    """Answer or failure of a request whose only call is answered with ``body``, and the entry of that call."""
    place = Deployment(name="d", model="openai/x", stream=stream, price=Price(input=1.0, output=2.0, cached_input=0.1))
    only = Tier(name="only", deployments=(place,), accept=0.0, max_answer_tokens=MOST)
    trace = Trace()
    answer, failure = None, None
    try:
        cascade = cascade_of(LitellmProvider(Library(body)), [only])
        answer = asyncio.run(cascade.run(asked("What is 12 + 7?"), trace, Written(), cheapest=False)).answer
    except Failure as error:
        failure = error
    [entry] = trace.entries
    return answer, failure, entry


def check(body: bytes, *, stream: bool) -> Answer | None:
    """Hold what became of ``body`` against what may become of anything."""
    answer, failure, entry = became_of(body, stream=stream)
    assert (answer is None) is (failure is not None)
    if failure is not None:
        assert failure.code in CODES.keys() - {"bug"}
        assert "�" not in failure.message
    assert entry.status in (UsageStatus.SETTLED, UsageStatus.UNSETTLED)
    assert 0 <= entry.cached_prompt_tokens <= entry.prompt_tokens <= _MOST_BOOKED
    assert 0 <= entry.completion_tokens <= _MOST_BOOKED
    assert 0 < entry.cost_nanousd <= 3000 * _MOST_BOOKED
    if answer is not None:
        assert entry.status is UsageStatus.SETTLED
        (answer.content + (answer.tool_calls or "")).encode()
        assert answer.finish_reason in (None, "stop", "length", "tool_calls", "unknown")
    return answer


def streamed(*chunks: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"


@given(st.lists(USAGE, min_size=1, max_size=4) | st.lists(JSON, min_size=1, max_size=4))
def test_any_counts_beside_an_answer_lose_none(usages: list[Any]) -> None:
    whole = check(json.dumps({"choices": [GOOD], "usage": usages[0]}).encode(), stream=False)
    beside = [{"choices": [piece], "usage": usage} for piece, usage in zip(PIECES, usages, strict=False)]
    rest = [{"choices": [piece]} for piece in PIECES[len(usages) :]]
    late = [{"choices": [], "usage": usage} for usage in usages[len(PIECES) :]]
    parts = check(streamed(*beside, *rest, {"choices": [END]}, *late), stream=True)
    assert whole is not None
    assert parts is not None
    assert whole.content == parts.content == "It is 19."


@given(JSON, JSON)
def test_anything_beside_an_answer_loses_none(odd: Any, other: Any) -> None:
    message = GOOD["message"] | {"tool_calls": [], "audio": odd, "reasoning_content": other}  # type: ignore[operator]  # a dict
    choice = GOOD | {"message": message, "logprobs": odd, "usage": other, "provider_specific_fields": None}
    whole = check(json.dumps({"choices": [choice], "usage": odd, "id": other, "object": odd}).encode(), stream=False)
    assert whole is not None
    assert whole.content == "It is 19."


@given(JSON)
def test_any_choices_message_or_content_is_an_answer_or_has_a_code(odd: Any) -> None:
    for choices in (odd, [odd], [GOOD | {"message": odd}], [GOOD | {"message": {"content": odd}}]):
        check(json.dumps({"choices": choices, "usage": odd}).encode(), stream=False)
    for choices in (odd, [odd], [{"index": 0, "delta": odd}], [{"index": 0, "delta": {"content": odd}}]):
        check(streamed({"choices": choices}, {"choices": [END], "usage": odd}), stream=True)


@given(JSON, JSON)
def test_any_end_log_probability_or_tool_call_is_one_or_has_a_code(odd: Any, other: Any) -> None:
    message = GOOD["message"] | {"tool_calls": odd, "refusal": other}  # type: ignore[operator]  # a dict
    for choice in (
        GOOD | {"finish_reason": odd},
        GOOD | {"logprobs": {"content": odd}},
        GOOD | {"logprobs": {"content": [{"token": "19", "logprob": other, "top_logprobs": odd}]}},
        GOOD | {"message": message},
    ):
        check(json.dumps({"choices": [choice], "usage": other}).encode(), stream=False)
        piece = choice | {"delta": choice["message"]}
        check(streamed({"choices": [piece], "usage": other}, {"choices": [END]}), stream=True)


@given(st.lists(JSON, max_size=5))
def test_any_chunks_are_an_answer_or_have_a_code(chunks: list[Any]) -> None:
    check(streamed(*chunks), stream=True)
    check(streamed(*chunks), stream=False)


@given(
    st.binary(max_size=60) | st.text(max_size=40).map(str.encode) | JSON.map(lambda value: json.dumps(value).encode())
)
def test_any_bytes_are_an_answer_or_have_a_code(body: bytes) -> None:
    for prefix in (b"", b"data: ", b"{"):
        check(prefix + body, stream=False)
        check(prefix + body, stream=True)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("deep", [b"[" * 100_000, b'{"choices":' * 900 + b"1" + b"}" * 900, b"9" * 100_000])
def test_what_is_nested_or_long_beyond_measure_has_a_code(deep: bytes, stream: bool) -> None:
    check(b"data: " + deep + b"\n\n" if stream else deep, stream=stream)


@pytest.mark.parametrize("stream", [True, False])
def test_a_counted_answer_is_paid_as_counted_whatever_stands_beside_it(stream: bool) -> None:
    usage = {"prompt_tokens": 12, "completion_tokens": 4}
    body = {"choices": [GOOD], "usage": usage, "object": [["odd"]]}
    data = streamed({"choices": PIECES[:1]}, {"choices": [END | {"delta": PIECES[1]["delta"]}], "usage": usage})
    _, _, entry = became_of(data if stream else json.dumps(body).encode(), stream=stream)
    assert (entry.prompt_tokens, entry.completion_tokens, entry.estimated) == (12, 4, False)
