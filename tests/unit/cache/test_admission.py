"""Which answers are kept."""

import pytest

from forebay.contract.canonical import canonical_messages
from forebay.contract.records import AnswerSource, CachePolicy, Completion, Error, Params, ResponseStatus
from forebay.privacy.egress import EgressGuard
from forebay_agents.cache.admission import Refusal, fresh_for_s, looks_permanent, refusal
from forebay_agents.cache.settings import CacheSettings
from tests.unit.cache.memory import completion, request

OWN = CacheSettings(max_answer_bytes=100)
JSON = '{"type": "json_object"}'


def why_not(done: Completion) -> Refusal | None:
    assert done.request is not None
    return refusal(done, canonical_messages(done.request.messages)[1], OWN, EgressGuard())


def test_a_good_answer_is_kept() -> None:
    assert why_not(completion(request("q"), "An answer.")) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"source": AnswerSource.CACHE_EXACT}, Refusal.NOT_FROM_MODEL),
        ({"status": ResponseStatus.FAILED}, Refusal.NOT_FROM_MODEL),
        ({"content": "  "}, Refusal.EMPTY),
        ({"finish_reason": "length"}, Refusal.INCOMPLETE),
        ({"finish_reason": "content_filter"}, Refusal.INCOMPLETE),
        ({"finish_reason": "unknown"}, Refusal.INCOMPLETE),
        ({"tool_calls": "[{}]"}, Refusal.TOOL_CALLS),
        ({"degraded": True}, Refusal.DEGRADED),
        ({"content": "é" * 51}, Refusal.TOO_LONG),
        ({"content": "I'm sorry, but I can't do that."}, Refusal.REFUSED),
        ({"content": "Ask <PERSON_9>."}, Refusal.UNKNOWN_PSEUDONYM),
        ({"content": "Use the card 4111 1111 1111 1111."}, Refusal.EGRESS),
    ],
)
def test_other_answers_are_not(change: dict[str, object], reason: Refusal) -> None:
    assert why_not(completion(request("Who is <PERSON_1>?"), **change)) is reason  # type: ignore[arg-type]  # any field


def test_requests_say_no_too() -> None:
    assert why_not(completion(request("q", cache=CachePolicy(ttl_s=0)))) is Refusal.TTL_ZERO
    assert why_not(completion(request("q", params=Params(temperature=0.9)))) is Refusal.TEMPERATURE
    assert why_not(completion(request("q", params=Params(temperature=0.7)))) is None


def test_json_must_be_json() -> None:
    assert why_not(completion(request("q", response_format=JSON), "not json")) is Refusal.INVALID_JSON
    assert why_not(completion(request("q", response_format=JSON), '{"a": 1}')) is None


def test_a_quoted_refusal_far_down_is_no_refusal() -> None:
    long = CacheSettings()
    done = completion(request("q"), "word " * 40 + "I cannot assist")
    assert refusal(done, canonical_messages(())[1], long, EgressGuard()) is None


def test_ttl() -> None:
    own = CacheSettings(ttl_s=100, max_ttl_s=1000)
    assert [fresh_for_s(request("q", cache=CachePolicy(ttl_s=t)), own) for t in (None, 5, 5000)] == [100, 5, 1000]


@pytest.mark.parametrize(
    ("code", "finish", "kept"),
    [
        ("content_policy", None, True),
        ("content_policy", "content_filter", False),
        ("provider_bad_request", None, True),
        ("provider_auth", None, False),
        ("provider_not_found", None, False),
        ("provider_unavailable", "error", False),
        ("answer_not_text", None, False),
    ],
)
def test_a_refusal_of_the_request_is_remembered_and_an_answer_that_was_withheld_is_not(
    code: str, finish: str | None, kept: bool
) -> None:
    failed = Completion(status=ResponseStatus.REJECTED, error=Error(code=code), finish_reason=finish)
    assert looks_permanent(failed) is kept
