"""The names model as a recogniser of Presidio: words with probabilities in, spans of people and places out."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from presidio_analyzer import EntityRecognizer, RecognizerResult

from agents.redaction.names.cues import PERSON, PLACE, SURE, Cue, cues
from agents.redaction.names.doubts import doubtful
from agents.redaction.names.head import Head
from agents.redaction.names.words import CALENDAR, EVERYDAY, Matrix, Words

KINDS = {PERSON: "PERSON", PLACE: "LOCATION"}
EVERYDAY_NAME = 0.8
"""Probability from which an everyday word ("An", "Will") counts all the same."""
NEIGHBOUR = 0.4
"""A word beside a hit is a hit at this share of the threshold."""
CERTAINTY = 0.85
"""Score of the surest name: below what has a form, so that "ann at example dot com" is an address and no person."""
_BETWEEN = {
    PERSON: re.compile(r"[ \t]{1,2}|-|['’]|\. ?|[ ]?[-][ ]?|"),
    PLACE: re.compile(
        r"[ \t]{0,2}[,\-/#'’()]{0,2}[ \t]{0,2}\n?[ \t]{0,2}|\r\n|\.,?|(?<=\b\w)\. ?|"
        r"(?i:(?<=\bst)|(?<=\bave)|(?<=\brd)|(?<=\bapt)|(?<=\bblvd)|(?<=\bdr)|(?<=\bste)|(?<=\bno)|"
        r"(?<=\bmt)|(?<=\bft)|(?<=\bln)|(?<=\bstr)|(?<=\bcalle))\.,? "
    ),
}


class NamesRecogniser(EntityRecognizer):
    """Finds people and places.

    Args:
        head: the model.
        threshold: a word counts from this probability of being part of a name or a place.
    """

    name: str

    def __init__(self, head: Head, threshold: float) -> None:
        self._head = head
        self._threshold = threshold
        super().__init__(supported_entities=list(KINDS.values()), name="names", supported_language="en")

    def load(self) -> None:
        """Nothing to load: the head comes loaded."""

    def analyze(self, text: str, entities: Sequence[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """See Presidio."""
        words, probabilities = self._head.probabilities(text)
        metadata = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        return [
            RecognizerResult(KINDS[column], start, end, CERTAINTY * score, recognition_metadata=metadata)
            for start, end, column, score in named_spans(text, words, probabilities, self._threshold)
        ]


def named_spans(text: str, words: Words, probabilities: Matrix, threshold: float) -> list[tuple[int, int, int, float]]:
    """Start, end, column and score of the names and places that the head's ``probabilities`` amount to."""
    if not words.words:
        return []
    announced = list(cues(text))
    named = (1.0 - probabilities[:, 0]).tolist()
    columns = np.where(probabilities[:, PERSON] >= probabilities[:, PLACE], PERSON, PLACE).tolist()
    limits = _limits(words, threshold, announced)
    hits = _hits(words, named, columns, limits, _single(threshold * SURE))
    return [
        found
        for found in _grouped(text, words, named, hits)
        if not doubtful(text, found[0], found[1])
        or any(cue.factor <= SURE and cue.start < found[1] and cue.end > found[0] for cue in announced)
    ]


def _hits(
    words: Words, named: Sequence[float], columns: Sequence[int], limits: Sequence[float], sure: float
) -> list[int]:
    """Column of each word that counts, 0 of the others.

    Args:
        named: probability of each word that it is part of a name or a place.
        columns: which of the two is likelier.
        limits: from where it counts.
        sure: a limit up to which a cue has announced a name.
    """
    count = len(named)
    hit = [index for index in range(count) if named[index] >= limits[index]]
    beside = {i for index in hit for i in (index - 1, index + 1) if 0 <= i < count and named[i] >= _near(limits[i])}
    result = [0] * count
    for index in sorted(beside.union(hit)):
        word = words.words[index].lower()
        announced_name = limits[index] <= sure and words.words[index][0].isupper()
        if word in CALENDAR or (word in EVERYDAY and named[index] < _EVERYDAY_NAME and not announced_name):
            continue
        result[index] = columns[index]
    return _without_bare_numbers(words, result)


def _single(value: float) -> float:
    """``value`` as the probabilities are: in single precision."""
    return float(np.float32(value))


@lru_cache(maxsize=1024)
def _near(limit: float) -> float:
    return float(np.float32(NEIGHBOUR) * np.float32(limit))


_EVERYDAY_NAME = _single(EVERYDAY_NAME)


def _limits(words: Words, threshold: float, announced: Sequence[Cue]) -> list[float]:
    """From which probability each word counts: from a lower one where a cue announces a name."""
    limits = [_single(threshold)] * len(words.words)
    if announced:
        starts, ends = words.starts.tolist(), words.ends.tolist()
        for cue in announced:
            lower = _single(threshold * cue.factor)
            for index in range(bisect_right(ends, cue.start), bisect_left(starts, cue.end)):
                limits[index] = min(limits[index], lower)
    return limits


def _without_bare_numbers(words: Words, hits: list[int]) -> list[int]:
    """Numbers count only beside a place: the "12" of "12 Main St" does, an amount does not."""
    for index in [index for index, column in enumerate(hits) if column]:
        if any(char.isalpha() for char in words.words[index]):
            continue
        around = [i for i in (index - 2, index - 1, index + 1, index + 2) if 0 <= i < len(hits)]
        if not any(hits[i] == PLACE and any(c.isalpha() for c in words.words[i]) for i in around):
            hits[index] = 0
        else:
            hits[index] = PLACE
    return hits


def _grouped(text: str, words: Words, named: Sequence[float], hits: Sequence[int]) -> list[tuple[int, int, int, float]]:
    """Start, end, column and score of runs of hits of one sort that only blanks and such lie between."""
    found: list[tuple[int, int, int, float]] = []
    for index, column in enumerate(hits):
        if not column:
            continue
        start, end, score = int(words.starts[index]), int(words.ends[index]), named[index]
        if found and found[-1][2] == column and _BETWEEN[column].fullmatch(text, found[-1][1], start):
            first, _, _, best = found[-1]
            found[-1] = (first, end, column, max(best, score))
        else:
            found.append((start, end, column, score))
    return found
