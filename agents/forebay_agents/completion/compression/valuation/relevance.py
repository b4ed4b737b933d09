"""Which sentences could hold the answer? A probability for each sentence of a text, given the question.

First the words: how much of the question a sentence takes up, exactly and in paraphrase, weighted by rarity; BM25; and
the same of its neighbours and its paragraph, since an answer often stands beside the sentence that names its subject.
Embeddings of whole sentences are not asked: at 3 to 8 ms a sentence they cost more than all the rest together, and with
word vectors in place they gained nothing (docs/explanation/compression.md).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forebay_agents.completion.compression.text.question import Question, Wanted
from forebay_agents.completion.compression.text.units import Kind, Sentence, Word
from forebay_agents.completion.compression.valuation.matching import Matches

Array = NDArray[np.float64]

_CARRY = 0.7  # what a term in the sentence before is worth beside one in the sentence itself
_REACH = 6  # sentences


WEIGHTS = {
    "coverage": 1.5,
    "bm25": 1.6,
    "before": 0.5,
    "after": 0.4,
    "joint": 1.7,
    "paragraph": 3.0,
    "meaning": 2.2,
    "wanted": 1.5,
    "anaphora": 0.2,
    "short": -0.3,
}
"""Of a softmax over sentences, fitted on questions made from 83 encyclopedia articles (docs/explanation)."""

_ANAPHORA = frozenset(
    {"it", "he", "she", "they", "this", "these", "that", "those", "his", "her", "its", "their", "such"}
)
_MONTHS = frozenset(
    {
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    }
)
_ERAS = frozenset({"century", "centuries", "bc", "ad", "bce", "decade", "decades"})


def features(
    words: Sequence[Word],
    sentences: Sequence[Sentence],
    question: Question,
    matches: Matches,
) -> Array:
    """One row a sentence, columns as in :data:`WEIGHTS`."""
    count = len(sentences)
    lengths = np.array([sentence.last - sentence.first for sentence in sentences], float)
    soft = matches.by_sentence.astype(float)
    rarity = _rarity(soft.sum(axis=0), count)
    exact_rarity = _rarity(matches.exact.astype(float).sum(axis=0), count)
    coverage = soft @ rarity / (float(soft.max(axis=0) @ rarity) or 1.0)
    saturated = matches.counts * 2.2 / (matches.counts + 1.2 * (0.6 + 0.4 * (lengths / lengths.mean()))[:, None])
    bm25 = saturated @ exact_rarity
    table = np.zeros((count, len(WEIGHTS)))
    table[:, 0] = coverage
    table[:, 1] = bm25 / (bm25.max() or 1.0)
    table[1:, 2] = coverage[:-1]
    table[:-1, 3] = coverage[1:]
    best = float(soft.max(axis=0) @ rarity) or 1.0
    carried = np.vstack([np.zeros((1, soft.shape[1])), _CARRY * soft[:-1]])
    table[:, 4] = np.maximum(soft, carried) @ rarity / best
    table[:, 5] = _around(words, sentences, soft) @ rarity / best
    table[:, 6] = matches.meaning
    for row, sentence in enumerate(sentences):
        part = words[sentence.first : sentence.last]
        table[row, 7] = _has_wanted(part, question)
        table[row, 8] = part[0].bare.lower() in _ANAPHORA
    table[:, 9] = lengths < 5
    return table


def _rarity(frequency: Array, count: int) -> Array:
    result: Array = np.log1p((count - frequency + 0.5).clip(0) / (frequency + 0.5))
    return result


def _around(words: Sequence[Word], sentences: Sequence[Sentence], soft: Array) -> Array:
    """What a sentence's surroundings take up of each term, itself included: its line, but no further than _REACH."""
    line, lines = 0, []
    for sentence in sentences:
        lines.append(line)
        line += "\n" in words[sentence.last - 1].text
    of_line = np.array(lines)
    result = soft.copy()
    for step in range(1, min(_REACH, len(sentences) - 1) + 1):
        same = (of_line[step:] == of_line[:-step])[:, None]
        result[step:] = np.maximum(result[step:], soft[:-step] * same)
        result[:-step] = np.maximum(result[:-step], soft[step:] * same)
    return result


def is_time(word: Word) -> bool:
    """Whether ``word`` looks like a year, a month, or an era."""
    bare = word.bare
    if bare[:4].isdigit() and len(bare) >= 4 and not bare[4:5].isdigit() and bare[4:5] not in (",", "."):
        return 1000 <= int(bare[:4]) <= 2100
    return bare.lower() in _MONTHS or bare.lower() in _ERAS


def _has_wanted(part: Sequence[Word], question: Question) -> float:
    """Whether the sentence has a word of the wanted kind that the question does not have."""
    stems = question.stems
    if question.wanted is Wanted.TIME:
        return float(any(is_time(word) and word.stem not in stems for word in part))
    if question.wanted is Wanted.NUMBER:
        return float(any(word.kind is Kind.NUMBER and word.stem not in stems for word in part))
    if question.wanted in (Wanted.PERSON, Wanted.PLACE, Wanted.NAME):
        return float(any(word.kind is Kind.NAME and word.stem not in stems for word in part))
    return 0.5


def probabilities(table: Array, floor: float = 0.05) -> Array:
    """P(the answer is in sentence i); ``floor`` of it is spread evenly, for what the features cannot see."""
    scores = table @ np.array(list(WEIGHTS.values()))
    weights = np.exp(scores - scores.max())
    result: Array = (1 - floor) * weights / weights.sum() + floor / len(weights)
    return result
