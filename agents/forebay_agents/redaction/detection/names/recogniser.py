"""The names model as a recogniser of Presidio: words with probabilities in, spans of people and places out."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from presidio_analyzer import EntityRecognizer, RecognizerResult

from forebay_agents.redaction.detection.language import SMALL_ABROAD, language_of
from forebay_agents.redaction.detection.names.abroad import counting
from forebay_agents.redaction.detection.names.bars import bars
from forebay_agents.redaction.detection.names.cues import PERSON, PLACE, SURE, Cue, cues
from forebay_agents.redaction.detection.names.cues_abroad import cues_abroad
from forebay_agents.redaction.detection.names.doubts import doubtful
from forebay_agents.redaction.detection.names.encoder.readings import Readings
from forebay_agents.redaction.detection.names.head import Head
from forebay_agents.redaction.detection.names.lexical import common_word, listed_name
from forebay_agents.redaction.detection.names.titles_abroad import titled_abroad
from forebay_agents.redaction.detection.names.unlikely import unlikely
from forebay_agents.redaction.detection.names.word_names import word_names
from forebay_agents.redaction.detection.names.words import CALENDAR, EVERYDAY, Matrix, Words

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


_GIVEN = re.compile(r"(?<!\w)(?P<word>[^\W\d_a-z][^\W\d_A-Z]{1,20}) \Z")
_LONGEST = 24
_KNOWN = frozenset(("en", "de", "fr", "es", "it", "pt", "nl"))


class NamesRecogniser(EntityRecognizer):
    """Finds people and places.

    Args:
        head: the model.
        threshold: a word counts from this probability of being part of a name or a place.
        readings: what the encoder said of long texts before.
    """

    name: str

    def __init__(self, head: Head, threshold: float, readings: Readings | None = None) -> None:
        self._head = head
        self._threshold = threshold
        self._readings = readings
        super().__init__(supported_entities=list(KINDS.values()), name="names", supported_language="en")

    def load(self) -> None:
        """Nothing to load: the head comes loaded."""

    def analyze(self, text: str, entities: Sequence[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """See Presidio."""
        return self.analyze_batch([text])[0]

    def analyze_batch(self, texts: Sequence[str]) -> list[list[RecognizerResult]]:
        """Findings in each text; the same as one by one, for less."""
        read = self._head.probabilities(texts, self._readings)
        return [self._results(text, *own) for text, own in zip(texts, read, strict=True)]

    def _results(self, text: str, words: Words, probabilities: Matrix) -> list[RecognizerResult]:
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
    announced = [*cues(text), *cues_abroad(text)]
    announced += [
        Cue(start=start, end=end, column=PERSON, factor=0.0) for start, end in (*word_names(text), *titled_abroad(text))
    ]
    hits = _hits(text, words, probabilities, threshold, announced)
    return [
        found
        for found in _with_given_names(text, _grouped(text, words, probabilities, hits))
        if not doubtful(text, found[0], found[1])
        or any(cue.factor <= SURE and cue.start < found[1] and cue.end > found[0] for cue in announced)
    ]


def _with_given_names(text: str, found: Sequence[tuple[int, int, int, float]]) -> Iterator[tuple[int, int, int, float]]:
    """``found``; in languages that the model does not know, with the capitalised word before a family name alone."""
    foreign = bool(found) and language_of(text) not in _KNOWN
    low = 0
    for start, end, column, score in found:
        given = None
        if foreign and column == PERSON and text[start].isupper() and " " not in text[start:end]:
            given = _GIVEN.search(text, max(low, start - _LONGEST), start)
        if given and given["word"].lower() not in SMALL_ABROAD and not common_word(given["word"].lower()):
            start = given.start("word")
        yield start, end, column, score
        low = end


def _hits(text: str, words: Words, probabilities: Matrix, threshold: float, announced: Sequence[Cue]) -> Any:
    """Column of each word that counts, 0 of the others."""
    named = 1.0 - probabilities[:, 0]
    limits = bars(words, threshold, _only_a_name)
    columns = np.where(probabilities[:, PERSON] >= probabilities[:, PLACE], PERSON, PLACE)
    for cue in announced:
        low = int(np.searchsorted(words.ends, cue.start, side="right"))
        high = int(np.searchsorted(words.starts, cue.end, side="left"))
        limits[low:high] = np.minimum(limits[low:high], threshold * cue.factor)
    if not (named >= limits).any():
        return np.zeros(len(named), np.int64)  # what follows takes words away, and adds those beside one that is left
    sure = limits <= threshold * SURE
    named = np.where(unlikely(text, words, listed_name) & ~sure, 0.0, named)
    named = np.where(counting(text, words, language_of(text), _only_a_name) | sure, named, 0.0)
    hit = named >= limits
    beside = np.zeros(len(hit), bool)
    beside[1:] |= hit[:-1]
    beside[:-1] |= hit[1:]
    hit |= beside & (named >= NEIGHBOUR * limits)
    result = np.where(hit, columns, 0)
    for index in np.flatnonzero(hit):
        word = words.words[index].lower()
        announced_name = limits[index] <= threshold * SURE and words.words[index][0].isupper()
        if (word in CALENDAR and not (limits[index] <= 0 and announced_name)) or (
            word in EVERYDAY and named[index] < EVERYDAY_NAME and not announced_name
        ):
            result[index] = 0
    return _without_bare_numbers(words, result)


def _only_a_name(word: str) -> bool:
    """Whether ``word`` is in a list of names and no everyday word: "Love" and "Autumn" are both."""
    return listed_name(word) and not common_word(word.lower())


def _without_bare_numbers(words: Words, hits: Any) -> Any:
    """Numbers count only beside a place: the "12" of "12 Main St" does, an amount does not."""
    for index in np.flatnonzero(hits):
        if any(char.isalpha() for char in words.words[index]):
            continue
        around = [i for i in (index - 2, index - 1, index + 1, index + 2) if 0 <= i < len(hits)]
        if not any(hits[i] == PLACE and any(c.isalpha() for c in words.words[i]) for i in around):
            hits[index] = 0
        else:
            hits[index] = PLACE
    return hits


def _grouped(text: str, words: Words, probabilities: Matrix, hits: Any) -> list[tuple[int, int, int, float]]:
    """Start, end, column and score of runs of hits of one sort that only blanks and such lie between."""
    found: list[tuple[int, int, int, float]] = []
    for index in np.flatnonzero(hits):
        start, end, column = int(words.starts[index]), int(words.ends[index]), int(hits[index])
        score = float(1.0 - probabilities[index, 0])
        if found and found[-1][2] == column and _BETWEEN[column].fullmatch(text, found[-1][1], start):
            first, _, _, best = found[-1]
            found[-1] = (first, end, column, max(best, score))
        else:
            found.append((start, end, column, score))
    return found
