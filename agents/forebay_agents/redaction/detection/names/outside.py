"""What is said of a word beside the encoder's piece of it? Its shape, what lists know of it, what stands around it."""

import numpy as np

from forebay_agents.redaction.detection.names.encoder.pieces import KNOWN, Pieces
from forebay_agents.redaction.detection.names.lexical import CLASSES, LISTS, Lexical
from forebay_agents.redaction.detection.names.words import GAPS, OF_TEXT, SHAPES, Matrix, Words, gaps, of_text, shape

_BY_ITSELF = SHAPES + CLASSES + LISTS
LISTED = slice(SHAPES + CLASSES, _BY_ITSELF)
"""Whether a list of given names, family names, places has the word."""
OF_WORD = _BY_ITSELF + KNOWN
OUTSIDE = OF_WORD + GAPS + OF_TEXT
_REMEMBERED = 50_000
"""Words whose features are kept."""


class Outside:
    """Makes the features of words; thread-safe.

    Args:
        lexical: what words look like.
    """

    def __init__(self, lexical: Lexical) -> None:
        self._lexical = lexical
        self._words: dict[str, bytes] = {}

    def of(self, text: str, words: Words, pieces: Pieces) -> Matrix:
        """Of each word of ``text``: (words, OUTSIDE)."""
        count = len(words.words)
        result = np.empty((count, OUTSIDE), np.float32)
        if count:
            rows = np.frombuffer(b"".join(map(self._of, words.words)), np.float32)
            result[:, :_BY_ITSELF] = rows.reshape(count, _BY_ITSELF)
            result[:, _BY_ITSELF:OF_WORD] = pieces.known(count)
            result[:, OF_WORD:-OF_TEXT] = gaps(text, words)
            result[:, -OF_TEXT:] = of_text(words.words)
        return result

    def _of(self, word: str) -> bytes:
        known = self._words.get(word)
        if known is None:
            if len(self._words) >= _REMEMBERED:
                self._words.clear()
            known = self._words[word] = np.array(shape(word) + self._lexical.features(word), np.float32).tobytes()
        return known
