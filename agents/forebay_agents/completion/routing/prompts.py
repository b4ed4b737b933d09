"""What can be seen of a prompt before any model is called? Cheap marks, the mean of its word vectors, and its words.

Marks and vectors need no training and take about 0.1 ms; the words (TF-IDF, reduced to its principal directions, and
their similarity to some prompts of the training set) are learnt from the prompts that a policy is trained on.
"""

import math
import os
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forebay_agents.completion.compression.text.vectors import DIMENSIONS, word_vectors

Array = NDArray[np.float64]

_WORD = re.compile(r"[^\W\d_]+")
_MARKS = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (r"```|\bdef \w+\(|#include|\bclass \w+[:({]|;\s*$", re.MULTILINE),
        (r"\b(?:python|java|javascript|sql|function|regex|algorithm|code|bug)\b", re.IGNORECASE),
        (r"\d\s*[-+*/×÷^=]\s*\d", 0),
        (r"\b(?:solve|prove|equation|integral|derivative|probability|matrix|theorem)\b", re.IGNORECASE),
        (r"\bhow (?:many|much)\b|\bin total\b|\beach\b|\bleft over\b", re.IGNORECASE),
        (r"^\s*\(?[A-E][).:]\s", re.MULTILINE),
        (r"\bjson\b|\bxml\b|\byaml\b|\btable\b|\bschema\b", re.IGNORECASE),
        (r"\btranslate\b|\b(?:french|german|spanish|chinese)\b", re.IGNORECASE),
        (r"\bsummari[sz]e|\brewrite\b|\bparaphrase\b|\bsentiment\b|\bclassify\b", re.IGNORECASE),
        (r"\bwrite (?:a|an|me)\b|\bessay\b|\bpoem\b|\bstory\b|\bemail\b", re.IGNORECASE),
        (r"\bwhy\b|\bexplain\b|\bcompare\b|\banaly[sz]e\b|\bstep by step\b|\breason", re.IGNORECASE),
        (r"\b(?:who|when|where|which)\b", re.IGNORECASE),
        (r"\bnot\b|\bexcept\b|\bnever\b|n't\b", re.IGNORECASE),
    )
)
_SEEN = 2_000  # characters at each end: the middle of a long prompt is its context
NAMES = 12 + len(_MARKS)
_COMPONENTS = 64
_VOCABULARY = 3_000
_LANDMARKS = 200


def marks(prompt: str) -> Array:
    """Length, shape and kind, about 0.05 ms."""
    seen = clipped(prompt)
    words = _WORD.findall(seen)
    size = len(seen) or 1
    numbers = re.findall(r"\d+(?:[.,]\d+)*", seen)
    row = [
        math.log1p(len(prompt)),
        math.log1p(prompt.count("\n")),
        math.log1p(prompt.count("?")),
        math.log1p(len(numbers)),
        math.log1p(max((len(number) for number in numbers), default=0)),
        sum(character.isdigit() for character in seen) / size,
        sum(character.isupper() for character in seen) / size,
        sum(not character.isascii() for character in seen) / size,
        sum(character in "{}[]()<>=+*/\\^_|$" for character in seen) / size,
        sum(map(len, words)) / (len(words) or 1) / 10,
        len({word.lower() for word in words}) / (len(words) or 1),
        float(prompt.rstrip().endswith("?")),
    ]
    return np.array([*row, *(math.log1p(len(pattern.findall(seen))) for pattern in _MARKS)])


def meaning(prompt: str) -> Array:
    """Mean of the word vectors, rare words counting more, shape (64,)."""
    words = [word.lower() for word in _WORD.findall(clipped(prompt))]
    if not words:
        return np.zeros(DIMENSIONS)
    total = word_vectors().of(words).sum(axis=0).astype(np.float64)
    result: Array = total / (float(np.linalg.norm(total)) or 1.0)
    return result


def clipped(prompt: str) -> str:
    """Both ends of a long prompt."""
    return prompt if len(prompt) <= 2 * _SEEN else prompt[:_SEEN] + "\n" + prompt[-_SEEN:]


class PromptSpace:
    """Prompts as vectors, learnt from those it is made of; knows no label.

    Args:
        plain: :func:`marks` and :func:`meaning` side by side, one row a prompt.
        words: hashed word counts of the same prompts (:func:`counts`).
        seed: of the choice of landmarks.
    """

    def __init__(self, plain: Array, words: Any, seed: int = 0) -> None:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfTransformer

        rows = plain.shape[0]
        self._mean, self._scale = plain.mean(axis=0), plain.std(axis=0) + 1e-6
        # All 2**17 columns would cost 13 s; words of two prompts and less, or of nearly all, tell nothing.
        frequency = np.asarray((words > 0).sum(axis=0)).ravel()
        telling = np.flatnonzero((frequency >= 3) & (frequency <= 0.9 * rows))
        self._columns = np.sort(telling[np.argsort(-frequency[telling], kind="stable")[:_VOCABULARY]])
        self._svd: Any = None
        components = min(_COMPONENTS, rows // 4, len(self._columns) - 1)
        if components >= 2:
            self._tfidf = TfidfTransformer(sublinear_tf=True).fit(words[:, self._columns])
            weighted = self._tfidf.transform(words[:, self._columns])
            self._svd = TruncatedSVD(components, random_state=seed, n_iter=3).fit(weighted)
        dense = self._dense(plain, words)
        chosen = np.random.default_rng(seed).permutation(rows)[: min(_LANDMARKS, rows // 4)]
        self._landmarks = dense[chosen]
        distances = _squares(dense[chosen[:50]], self._landmarks) if len(chosen) else np.ones((1, 1))
        self._width = float(np.median(distances[distances > 0])) if (distances > 0).any() else 1.0

    def __call__(self, plain: Array, words: Any) -> Array:
        """Vectors of prompts, those of the training set or others."""
        dense = self._dense(plain, words)
        near = np.exp(-_squares(dense, self._landmarks) / self._width) if len(self._landmarks) else dense[:, :0]
        return np.hstack([(plain - self._mean) / self._scale, 4 * dense[:, NAMES:], 4 * near])

    def _dense(self, plain: Array, words: Any) -> Array:
        scaled = 0.1 * (plain[:, :NAMES] - self._mean[:NAMES]) / self._scale[:NAMES]
        topics = plain[:, :0]
        if self._svd is not None:
            topics = self._svd.transform(self._tfidf.transform(words[:, self._columns]))
        return np.hstack([scaled, topics, 0.5 * plain[:, NAMES:]])


def plain_features(prompts: Sequence[str]) -> Array:
    """:func:`marks` and :func:`meaning`, one row a prompt."""
    return np.array([np.concatenate([marks(prompt), meaning(prompt)]) for prompt in prompts])


def counts(prompts: Sequence[str]) -> Any:
    """Hashed counts of words and pairs of words: a sparse matrix that depends on no other prompt."""
    # Matrices are small: on busy cores threads that wait for each other take ten times the time of one.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from sklearn.feature_extraction.text import HashingVectorizer

    hashing = HashingVectorizer(ngram_range=(1, 2), n_features=2**17, alternate_sign=False, norm=None)
    return hashing.transform([clipped(prompt) for prompt in prompts])


def _squares(one: Array, other: Array) -> Array:
    result: Array = np.maximum((one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :] - 2 * one @ other.T, 0.0)
    return result
