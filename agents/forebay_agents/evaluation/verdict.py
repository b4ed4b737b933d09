"""Which score did the judge give? The digit it wrote, sharpened by how sure it was of it.

Where the provider reports alternatives, the score is the mean of the grades weighted by their probabilities at the
token of the grade (G-Eval, arXiv 2303.16634): finer than a digit, and steadier between runs.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_GRADES = frozenset("12345")
_DIGIT = re.compile(r"(?<![\d.,/])([1-5])(?![\d]|[.,]\d)")
_REASON = re.compile(r'"reason"\s*:\s*"((?:[^"\\]|\\.)*)')  # of JSON that may have been cut off
_REASON_CHARS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """``score`` from 1 to 5, 0 when none could be read; ``reason`` in the judge's words, at most 500 characters."""

    score: float
    reason: str


VERDICT_FORMAT = {
    "type": "json_schema",
    "json_schema": {
        "name": "verdict",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"score": {"type": "integer", "enum": [1, 2, 3, 4, 5]}, "reason": {"type": "string"}},
            "required": ["score", "reason"],
            "additionalProperties": False,
        },
    },
}
"""``response_format`` of a verdict: without it, a model of 270 million parameters answers the question instead of
grading the answer (a grade in 13 of 28 answers of the demo; with it in all)."""


def read_verdict(text: str, logprobs: Any = None) -> Verdict:
    """The verdict in a judge's reply.

    Args:
        logprobs: ``choices[0].logprobs`` of the reply, mapping or object, or ``None``.
    """
    found = _DIGIT.search(text)
    if found is None:
        return Verdict(score=0.0, reason=text.strip()[:_REASON_CHARS])
    reason = _reason(text, found.end())
    weighted = _weighted_grade(logprobs, found[1])
    return Verdict(score=float(found[1]) if weighted is None else weighted, reason=reason)


def _reason(text: str, after: int) -> str:
    quoted = _REASON.search(text)
    found = quoted[1] if quoted else text[after:].lstrip(" \n\t.:-–—=/5)")
    return found.strip()[:_REASON_CHARS]


def _weighted_grade(logprobs: Any, digit: str) -> float | None:
    """Expected grade at the first token that is ``digit``; ``None`` without alternatives."""
    for token in _field(logprobs, "content") or ():
        if str(_field(token, "token")).strip() != digit:
            continue
        weights: dict[str, float] = {}
        for alternative in _field(token, "top_logprobs") or ():
            grade = str(_field(alternative, "token")).strip()
            if grade in _GRADES:
                weights[grade] = weights.get(grade, 0.0) + math.exp(float(_field(alternative, "logprob")))
        total = sum(weights.values())
        return sum(int(grade) * weight for grade, weight in weights.items()) / total if total > 0 else None
    return None


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
