"""Which answers may be kept, and for how long? Only those that would be right again."""

import json
from enum import StrEnum

from forebay.contract.canonical import Renumbering
from forebay.contract.records import AnswerSource, CacheMode, Completion, RedactedRequest, ResponseStatus
from forebay.privacy.egress import EgressGuard
from forebay_agents.cache.language.timeliness import is_timely
from forebay_agents.cache.settings import CacheSettings


class Refusal(StrEnum):
    """Why an answer is not kept."""

    NOT_FROM_MODEL = "not_from_model"
    BYPASS = "bypass"
    INCOMPLETE = "incomplete"
    EMPTY = "empty"
    TOOL_CALLS = "tool_calls"
    TEMPERATURE = "temperature"
    DEGRADED = "degraded"
    TOO_LONG = "too_long"
    INVALID_JSON = "invalid_json"
    REFUSED = "refused"
    EGRESS = "egress"
    UNKNOWN_PSEUDONYM = "unknown_pseudonym"
    TTL_ZERO = "ttl_zero"
    TRUSTED_ANSWER = "trusted_answer"
    REMEMBERED_ERROR = "remembered_error"
    QUOTA = "quota"


_REFUSALS = ("i can't assist", "i cannot assist", "i can't help with", "i cannot help with", "i'm unable to",
             "i am unable to", "i'm sorry, but i can", "i’m sorry, but i can", "as an ai language model",
             "i cannot provide", "i can't provide", "i can’t")  # fmt: skip
_REFUSAL_HEAD = 120
"""A refusal says so at once; further down the words may be quoted."""


def variety_wanted(request: RedactedRequest, settings: CacheSettings) -> bool:
    """Whether the request asks for a temperature at which the same answer twice is not what it wants."""
    return (request.params.temperature or 0.0) > settings.max_temperature


def refusal(
    completion: Completion, numbers: Renumbering, settings: CacheSettings, guard: EgressGuard
) -> Refusal | None:
    """Why the answer of ``completion`` may not be kept; ``None`` when it may.

    Args:
        numbers: of the request's canonical form.
        guard: an answer with an identifier in it, be it made up, is nobody else's.
    """
    request = completion.request
    if completion.source is not AnswerSource.MODEL or completion.status is not ResponseStatus.OK or request is None:
        return Refusal.NOT_FROM_MODEL
    return _request_refusal(request, settings) or _answer_refusal(completion, request, numbers, settings, guard)


def _request_refusal(request: RedactedRequest, settings: CacheSettings) -> Refusal | None:
    if request.cache.mode is CacheMode.BYPASS:
        return Refusal.BYPASS
    if request.cache.ttl_s is not None and request.cache.ttl_s <= 0:
        return Refusal.TTL_ZERO
    return Refusal.TEMPERATURE if variety_wanted(request, settings) else None


def _answer_refusal(
    completion: Completion,
    request: RedactedRequest,
    numbers: Renumbering,
    settings: CacheSettings,
    guard: EgressGuard,
) -> Refusal | None:
    text = completion.content
    checks = (
        (completion.tool_calls is not None or completion.finish_reason == "tool_calls", Refusal.TOOL_CALLS),
        (not text.strip(), Refusal.EMPTY),
        (completion.finish_reason not in (None, "stop"), Refusal.INCOMPLETE),
        (completion.degraded, Refusal.DEGRADED),
        (len(text.encode("utf-8", "surrogatepass")) > settings.max_answer_bytes, Refusal.TOO_LONG),
        (looks_refused(text), Refusal.REFUSED),
        (not numbers.knows(text), Refusal.UNKNOWN_PSEUDONYM),
        (bool(guard.check([text])), Refusal.EGRESS),
        (wants_json(request.response_format) and not is_json(text), Refusal.INVALID_JSON),
    )
    return next((reason for failed, reason in checks if failed), None)


_PERMANENT = frozenset({"provider_bad_request", "context_length", "content_policy"})
"""Errors that an equal request would meet again at once."""


def looks_permanent(completion: Completion) -> bool:
    """Whether the models would fail an equal request in the same way: not where one answered, and it was withheld."""
    return completion.error is not None and completion.error.code in _PERMANENT and completion.finish_reason is None


def looks_refused(text: str) -> bool:
    """Whether the answer begins as a refusal does."""
    head = text[:_REFUSAL_HEAD].casefold()
    return any(phrase in head for phrase in _REFUSALS)


def wants_json(response_format: str | None) -> bool:
    """Whether the requester asked for JSON (the OpenAI ``response_format`` as JSON text)."""
    return response_format is not None and '"json' in response_format


def is_json(text: str) -> bool:
    """Whether ``text`` is one JSON value."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def fresh_for_s(request: RedactedRequest, settings: CacheSettings) -> int:
    """Seconds that an answer to ``request`` is fresh."""
    asked = request.cache.ttl_s
    longest = settings.max_ttl_s
    if request.messages and is_timely(
        request.messages[-1].content
    ):  # of any length: only of short ones the facts are read
        longest = min(longest, settings.timely_ttl_s)
    return max(1, min(settings.ttl_s if asked is None else asked, longest))
