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
_REASON_CHARS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """``score`` from 1 to 5, 0 when none could be read; ``reason`` in the judge's words, at most 500 characters."""

    score: float
    reason: str


def read_verdict(text: str, logprobs: Any = None) -> Verdict:
    """The verdict in a judge's reply.

    Args:
        logprobs: ``choices[0].logprobs`` of the reply, mapping or object, or ``None``.
    """
    found = _DIGIT.search(text)
    if found is None:
        return Verdict(score=0.0, reason=text.strip()[:_REASON_CHARS])
    reason = text[found.end() :].lstrip(" \n\t.:-–—=/5)").strip()[:_REASON_CHARS]
    weighted = _weighted_grade(logprobs, found[1])
    return Verdict(score=float(found[1]) if weighted is None else weighted, reason=reason)


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
