"""What is kept of a request holds no text: `docs/explanation/architecture.md`, section 6."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.contract import headers as h
from forebay.contract.records import (
    AnswerSource,
    Attempt,
    CacheMode,
    CachePolicy,
    Completion,
    Error,
    Message,
    Outcome,
    RedactedRequest,
    Response,
    ResponseStatus,
)
from forebay.observability.spans import Span, read
from forebay.testing import context
from forebay_agents.response.outcomes import outcome_of

REQUEST = RedactedRequest(
    request_id="r1", tenant_id="acme", user_id="u7", conversation_id="c1", task="faq", key_id="k1"
)
ANSWER = Completion(
    request_id="r1",
    tenant_id="acme",
    user_id="u7",
    status=ResponseStatus.OK,
    source=AnswerSource.MODEL,
    tier="large",
    model="openai/large",
    deployment="large-1",
    attempts=(Attempt(attempt_id="a1", outcome="escalated"), Attempt(attempt_id="a2", outcome="ok")),
    cost_nanousd=12,
    request=REQUEST,
)
SECRET = "q9Zx"
"""In every text of a request and an answer below."""
TEXTS = st.text(max_size=40).map(lambda text: f"{text} {SECRET}.")


def made(completion: Completion, response: Response, headers: dict[str, bytes] | None = None, **more: Any) -> Outcome:
    return outcome_of(completion, response, context("completions", headers=headers), 0.002, **more)


def test_it_says_who_which_how_much_and_where_the_time_went() -> None:
    headers = {h.SPANS: b"redaction;5;4;1200;ok", h.TRACEPARENT: b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"}
    outcome = made(ANSWER, Response(status=ResponseStatus.OK, accepted_at=3, responded_at=9), headers)
    assert (outcome.request_id, outcome.tenant_id, outcome.user_id, outcome.conversation_id) == (
        "r1",
        "acme",
        "u7",
        "c1",
    )
    assert (outcome.key_id, outcome.task, outcome.tier, outcome.deployment) == ("k1", "faq", "large", "large-1")
    assert (outcome.escalated, outcome.attempts, outcome.cost_nanousd) == (True, ANSWER.attempts, 12)
    assert (outcome.cache, outcome.trace_id, outcome.accepted_at, outcome.responded_at) == ("miss", "a" * 32, 3, 9)
    first, last = read(outcome.spans.encode())
    assert first == Span(stage="redaction", accepted_ms=5, waited_ms=4, worked_us=1200)
    assert (last.stage, last.worked_us, last.outcome) == ("response", 2000, "ok")


@pytest.mark.parametrize(
    ("source", "mode", "cache"),
    [
        (AnswerSource.CACHE_EXACT, CacheMode.DEFAULT, "exact"),
        (AnswerSource.CACHE_SEMANTIC, CacheMode.DEFAULT, "similar"),
        (AnswerSource.CORRECTION, CacheMode.DEFAULT, "correction"),
        (AnswerSource.MODEL, CacheMode.DEFAULT, "miss"),
        (AnswerSource.NONE, CacheMode.BYPASS, "bypass"),
    ],
)
def test_what_the_cache_had_is_said(source: AnswerSource, mode: CacheMode, cache: str) -> None:
    request = replace(REQUEST, cache=CachePolicy(mode=mode))
    assert made(replace(ANSWER, source=source, request=request), Response()).cache == cache


def test_metadata_is_kept_only_where_the_settings_name_it_and_not_at_length() -> None:
    request = replace(REQUEST, metadata={"team": "x" * 100, "note": "Ann Lee"})
    assert made(replace(ANSWER, request=request), Response()).metadata == {}
    assert made(replace(ANSWER, request=request), Response(), metadata_keys=("team", "no")).metadata == {
        "team": "x" * 64
    }


def test_a_record_that_cannot_be_read_has_an_outcome_too() -> None:
    error = Error(code="Not a code: Ann Lee", message="Ann Lee")
    outcome = made(Completion(), Response(status=ResponseStatus.FAILED, error=error), {h.SPANS: b"\xff"})
    assert (outcome.status, outcome.error_code, outcome.request_id != "") == (ResponseStatus.FAILED, "other", True)
    assert [span.outcome for span in read(outcome.spans.encode())] == ["other"]


@given(st.data())
def test_no_text_of_a_request_or_an_answer_gets_in(data: st.DataObject) -> None:
    def text() -> str:
        return data.draw(TEXTS)

    request = replace(
        REQUEST,
        messages=(Message(content=text(), name=text()),),
        task=text(),
        tools=text(),
        response_format=text(),
        metadata={text(): text()},
        key_id=text(),
        entities={text(): 1},
        public={text(): 1},
        asked=text(),
        prompt_hash=text(),
        vault_ref=text(),
        language=text(),
    )
    completion = replace(
        ANSWER,
        content=text(),
        tool_calls=text(),
        finish_reason=text(),
        error=Error(code=text(), message=text()),
        tier=text(),
        model=text(),
        deployment=text(),
        cache_key=text(),
        request=request,
    )
    response = Response(
        content=text(),
        tool_calls=text(),
        error=completion.error,
        supersedes=text(),
        metadata={text(): text()},
        degraded_reason=text(),
    )
    names = (h.SPANS, h.TRACEPARENT, h.COMPRESSION, h.REPLAYED_LETTER, h.SUPERSEDES, h.IDS, h.SENT_ID)
    outcome = made(completion, response, {name: text().encode() for name in names}, metadata_keys=("team",))
    assert SECRET not in json.dumps(asdict(outcome))
