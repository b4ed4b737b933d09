"""What do recorded answers give away? Detectors on each answer, its confidence, and whether cheap models agree."""

import math
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from forebay_agents.completion.routing import signals

Array = NDArray[np.float64]

_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_LABEL = r"(?:the )?(?:correct |best )?(?:answer(?: is)?|option|choice)?"
_CHOICE = re.compile(rf"^\W*{_LABEL}\W*\(?([A-Ea-e])\b(?:[).:,]|\s*$)")
_LATER_CHOICE = re.compile(r"answer is:?\s*\**\(?([A-E])\b|\b([A-E])\)?\W*$", re.IGNORECASE)
_WORDS = re.compile(r"\w+")
_SEEN = 4_000

WIDTH = 14
"""Columns of :func:`features`."""


def features(prompt: str, answer: str | None, confidence: float) -> list[float]:
    """What one answer says of itself; zeros where nothing is known."""
    known = not math.isnan(confidence)
    certain = min(max(confidence, 1e-4), 1 - 1e-4) if known else 0.5
    row = [float(known), confidence if known else 0.0, math.log(certain / (1 - certain)) / 5]
    if answer is None:
        return [*row, *([0.0] * (WIDTH - len(row)))]
    text = answer[:_SEEN]
    seen = signals.read(prompt[-_SEEN:], text)
    return [
        *row,
        1.0,
        float(seen.empty),
        float(seen.refusal),
        min(3.0, seen.hedges) / 3,
        float(seen.unfinished),
        seen.repetition,
        seen.relevance,
        math.log1p(seen.words) / 5,
        float(choice(text) is not None),
        math.log1p(len(_NUMBER.findall(text))),
        float(bool(text) and text.rstrip()[-1:] in ".!?)}]`\"'"),
    ]


def agreement(one: str | None, other: str | None) -> float:
    """How far two answers say the same, 0 to 1: the same choice or last number, else the words they share."""
    if one is None or other is None:
        return 0.5
    for read in (choice, last_number):
        first, second = read(one), read(other)
        if first is not None and second is not None:
            return float(first == second)
    first_words, second_words = _words(one), _words(other)
    if not first_words or not second_words:
        return float(first_words == second_words)
    return 2 * len(first_words & second_words) / (len(first_words) + len(second_words))


@lru_cache(maxsize=65_536)
def choice(answer: str) -> str | None:
    """The letter that an answer to a multiple-choice question picks."""
    found = _CHOICE.search(answer) or _LATER_CHOICE.search(answer[-80:])
    return next(letter for letter in found.groups() if letter).upper() if found else None


@lru_cache(maxsize=65_536)
def last_number(answer: str) -> float | None:
    """The last number of an answer, where worked answers put their result."""
    found = _NUMBER.findall(answer[-400:])
    return float(found[-1].replace(",", "")) if found else None


@lru_cache(maxsize=65_536)
def _words(answer: str) -> frozenset[str]:
    return frozenset(_WORDS.findall(answer[:_SEEN].lower()))


def own_features(prompts: Sequence[str], answers: Sequence[str | None], confidence: Array) -> Array:
    """:func:`features` of one model, one row a prompt."""
    return np.array([features(p, a, float(c)) for p, a, c in zip(prompts, answers, confidence, strict=True)]).reshape(
        len(prompts), WIDTH
    )
