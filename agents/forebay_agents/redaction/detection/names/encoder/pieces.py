"""Which pieces of the encoder's vocabulary is a text made of, and whose are they?

A word is cut into the same pieces wherever it stands, so most words need not be asked about again.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from forebay_agents.embeddings import unpacked
from forebay_agents.redaction.detection.names.words import Matrix, Words

KNOWN = 2
"""Features of a word by its pieces."""
_KNOWN_WORDS = 50_000
_PRETOKEN = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")
"""How BERT parts ASCII text in lower case before it looks for pieces: runs of letters and digits, and each sign."""
_CONTROL = re.compile(r"[^\t\n\r -~]")
"""What BERT drops from ASCII text."""
_MOST_PIECES = 6
_RAREST = 10.4
"""Logarithm of the size of the vocabulary, whose first pieces are the most used."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pieces:
    """A text in pieces.

    Attributes:
        ids: of the pieces.
        owners: words of which there are pieces, in order.
        firsts: of each of those words, its first piece.
        counts: of each of those words, how many pieces it has; they stand one behind another.
    """

    ids: list[int]
    owners: list[int]
    firsts: list[int]
    counts: list[int]

    @property
    def wanted(self) -> list[int]:
        """All pieces of words, in order."""
        if len(self.owners) == sum(self.counts):
            return self.firsts
        spans = zip(self.firsts, self.counts, strict=True)
        return [piece for first, count in spans for piece in range(first, first + count)]

    def known(self, words: int) -> Matrix:
        """How the vocabulary knows each of the words: by how many pieces, and how rare a first one; (words, KNOWN)."""
        result = np.zeros((words, KNOWN), np.float32)
        if self.owners:
            result[self.owners, 0] = np.minimum(np.array(self.counts, np.float32), _MOST_PIECES) / _MOST_PIECES
            rarity = np.array([self.ids[first] for first in self.firsts], np.float32)
            result[self.owners, 1] = np.log1p(rarity) / _RAREST
        return result


class Tokenizer:
    """Cuts texts into pieces; thread-safe.

    Args:
        file: ``tokenizer.json`` of the encoder.
    """

    def __init__(self, file: str) -> None:
        from tokenizers import Tokenizer as Library  # takes time to import that commands without it must not pay

        self._library: Any = Library.from_file(file)
        self._library.no_truncation()
        self._library.no_padding()
        self._known: dict[str, tuple[list[int], list[int]]] = {}

    def pieces(self, text: str, words: Words) -> Pieces:
        """The pieces of ``text``, which has these ``words``."""
        ids, begins = self._cut(text)
        starts, ends = words.starts.tolist(), words.ends.tolist()
        owners: list[int] = []
        firsts: list[int] = []
        counts: list[int] = []
        word, last = 0, len(starts)
        for index, begin in enumerate(begins):
            while word < last and ends[word] <= begin:
                word += 1
            if word == last:
                break
            if starts[word] <= begin:
                if owners and owners[-1] == word:
                    counts[-1] += 1
                else:
                    owners.append(word)
                    firsts.append(index)
                    counts.append(1)
        return Pieces(ids=ids, owners=owners, firsts=firsts, counts=counts)

    def _cut(self, text: str) -> tuple[list[int], list[int]]:
        """Ids of the pieces of ``text``, and where in it each begins."""
        if not text.isascii() or "[" in text or _CONTROL.search(text):
            encoding = self._library.encode(text, add_special_tokens=False)
            return encoding.ids, [offset[0] for offset in encoding.offsets]
        ids: list[int] = []
        begins: list[int] = []
        known = self._known
        for match in _PRETOKEN.finditer(text.lower()):
            found = known.get(match[0])
            if found is None:
                encoding = self._library.encode(match[0], add_special_tokens=False)
                found = (encoding.ids, [offset[0] for offset in encoding.offsets])
                if len(known) >= _KNOWN_WORDS:
                    known.clear()
                known[match[0]] = found
            start = match.start()
            ids += found[0]
            begins += [start + begin for begin in found[1]]
        return ids, begins

    def vocabulary(self, count: int) -> list[str]:
        """The first ``count`` whole words of the vocabulary, in its order: the most used first, roughly."""
        tokens: dict[str, int] = self._library.get_vocab()
        ordered = sorted(tokens, key=lambda token: tokens[token])
        return [token for token in ordered if token.isalpha()][:count]


@cache
def tokenizer() -> Tokenizer:
    """MiniLM's. Raises :class:`forebay.artifacts.ArtifactError` when the encoder is missing."""
    return Tokenizer(str(unpacked("minilm", "all-minilm-l6-v2-q") / "tokenizer.json"))
