"""Which words mean nearly the same? Static vectors of 21,700 English words, 64 numbers each, in 1.4 MB.

Questions paraphrase ("marry" for "wedding", "cloth" for "flannel"), and a sentence encoder is too dear to be asked
about each sentence of a long text. So the encoder was asked once about each whole word of its vocabulary; the answers,
centred and cut to their first 64 principal components, are looked up in microseconds (the idea is Model2Vec's).
``python -m forebay_agents.completion.compression.text.vectors`` makes the file anew: half a minute of CPU.
"""

import json
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

DIMENSIONS = 64
_FILE = Path(__file__).with_name("words.npz")


class WordVectors:
    """Unit vectors by lower-case word; a word that is not known has none."""

    def __init__(self, words: Sequence[str], matrix: Matrix) -> None:
        self._row = {word: row for row, word in enumerate(words)}
        # The last row, of zeros, stands for every unknown word: it is similar to nothing.
        self._matrix = np.vstack([matrix, np.zeros((1, matrix.shape[1]), np.float32)])

    def of(self, words: Sequence[str]) -> Matrix:
        """One row a word."""
        unknown = len(self._row)
        return self._matrix[[self._row.get(word, unknown) for word in words]]


@cache
def word_vectors() -> WordVectors:
    """The shipped vectors."""
    with np.load(_FILE) as stored:
        words = bytes(stored["words"]).decode().split("\n")
        matrix = stored["vectors"].astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    return WordVectors(words, matrix)


def build() -> None:
    """Ask the encoder about every whole word of its vocabulary, and store what matters of the answers."""
    from forebay_agents.embeddings import minilm, unpacked

    tokenizer = json.loads((unpacked("minilm", "all-minilm-l6-v2-q") / "tokenizer.json").read_text("utf-8"))
    words = [word for word in tokenizer["model"]["vocab"] if word.isascii() and word.isalpha() and len(word) > 1]
    centred = minilm().embed(words).astype(np.float64)
    centred -= centred.mean(axis=0)
    _, _, components = np.linalg.svd(centred, full_matrices=False)
    short = centred @ components[:DIMENSIONS].T
    short /= np.linalg.norm(short, axis=1, keepdims=True)
    scaled = np.clip(np.round(short * 254), -127, 127).astype(np.int8)
    np.savez_compressed(_FILE, words=np.frombuffer("\n".join(words).encode(), np.uint8), vectors=scaled)


if __name__ == "__main__":
    build()
    sys.stderr.write(f"{_FILE.stat().st_size} bytes\n")
