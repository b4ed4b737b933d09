"""Was this answer good enough? A probability that it is right, and the reasons against it; pure, about 0.1 ms.

The untuned probability is a prior and says so: a share of doubt for each thing a detector found, and the certainty of
the least certain tokens where the provider gives log-probabilities (UCCI, arXiv 2605.18796). ``forebay tiers
calibrate`` fits an isotonic curve over it from judged answers; until then, its order means more than its value.
"""

import json
import math
from dataclasses import dataclass
from typing import Any, Protocol

from forebay.contract.records import MessageRole
from forebay.contract.records.conversation import RequestFields
from forebay_agents.completion.routing import signals
from forebay_agents.completion.routing.signals import AnswerSignals, TokenScores

PRIOR = 0.85
"""Untuned probability of an answer about which nothing is known."""

_HARD = 0.05
_SHORT_BY_REQUEST = 64  # tokens: who asks for so few expects to be cut off


@dataclass(frozen=True, kw_only=True, slots=True)
class Assessment:
    """``probability`` that the answer is right, and why not: codes, worst first (see :func:`assess`)."""

    probability: float
    reasons: tuple[str, ...] = ()


class Calibrator(Protocol):
    """Maps a raw score to a probability."""

    def __call__(self, score: float) -> float:
        """The calibrated probability."""
        ...


def assess(
    request: RequestFields,
    answer_text: str,
    finish_reason: str | None,
    logprobs: Any = None,
    *,
    tool_calls: str | None = None,
    calibrator: Calibrator | None = None,
) -> Assessment:
    """Judge one answer by itself.

    Args:
        logprobs: ``choices[0].logprobs`` as the provider gave it (mapping or object), or ``None``.
        tool_calls: JSON text of the answer's tool calls, if it made any.
        calibrator: learned curve; the raw score is returned without one.

    Returns:
        reasons among ``empty``, ``invalid_json``, ``schema_violation``, ``bad_tool_call``, ``content_filter``,
        ``repetition``, ``refusal``, ``truncated``, ``hedged``, ``unfinished``, ``off_topic``, ``uncertain_tokens``.
    """
    seen = signals.read(
        question_of(request),
        answer_text,
        finish_reason=finish_reason,
        response_format=request.response_format,
        has_tool_calls=bool(tool_calls),
    )
    limit = request.params.max_tokens
    cut_as_asked = limit is not None and limit <= _SHORT_BY_REQUEST
    found = list(_doubts(seen, signals.token_scores(logprobs), cut_as_asked))
    if finish_reason == "content_filter":
        found.append((_HARD, "content_filter"))
    if tool_calls and not _callable(tool_calls, request.tools):
        found.append((_HARD, "bad_tool_call"))
    return _conclude(found, calibrator)


def assess_text(
    question: str, answer: str, mean_logprob: float | None = None, calibrator: Calibrator | None = None
) -> Assessment:
    """The same for a question and an answer alone, as in recorded data."""
    scores = None if mean_logprob is None else TokenScores(logprobs=(min(0.0, mean_logprob),))
    return _conclude(list(_doubts(signals.read(question, answer), scores, False)), calibrator)


def question_of(request: RequestFields) -> str:
    """The last user turn."""
    return next((m.content for m in reversed(request.messages) if m.role is MessageRole.USER), "")


def _doubts(seen: AnswerSignals, scores: TokenScores | None, cut_as_asked: bool) -> list[tuple[float, str]]:
    """Factors on the prior, each with its reason; a factor of 1 has none."""
    found: list[tuple[float, str]] = []
    if seen.empty:
        found.append((0.02, "empty"))
    if seen.format_error:
        found.append((_HARD, seen.format_error))
    if seen.repetition > 0.5:
        found.append((0.1, "repetition"))
    if seen.refusal:
        found.append((0.15, "refusal"))
    if seen.truncated:
        found.append((0.8 if cut_as_asked else 0.35, "truncated"))
    elif seen.unfinished:
        found.append((0.7, "unfinished"))
    if seen.hedges:
        found.append((max(0.4, 0.7 - 0.1 * (seen.hedges - 1)), "hedged"))
    if seen.relevance < 0.2:
        found.append((0.7, "off_topic"))
    if scores is not None:
        # exp of the weakest fifth is a probability; a confident answer (above 0.9) gains on the prior.
        certainty = math.exp(scores.weakest)
        found.append((min(1.12, 0.45 + 0.72 * certainty), "uncertain_tokens" if certainty < 0.5 else ""))
    return found


def _conclude(found: list[tuple[float, str]], calibrator: Calibrator | None) -> Assessment:
    score = min(0.99, PRIOR * math.prod(factor for factor, _ in found))
    reasons = tuple(reason for _, reason in sorted(found) if reason)
    return Assessment(probability=calibrator(score) if calibrator else score, reasons=reasons)


def _callable(tool_calls: str, tools: str | None) -> bool:
    """Whether each call names an offered tool and its arguments fit that tool's schema."""
    try:
        calls = json.loads(tool_calls)
        offered = {tool["function"]["name"]: tool["function"].get("parameters") for tool in json.loads(tools or "[]")}
        for call in calls:
            name, arguments = call["function"]["name"], call["function"].get("arguments") or "{}"
            wanted = json.dumps({"type": "json_schema", "json_schema": {"schema": offered[name] or {}}})
            if signals.format_error(arguments, wanted):
                return False
    except (ValueError, KeyError, TypeError):
        return False
    return True
