"""What does the encoder's third layer say of each word? The mean of the vectors of its pieces.

The three layers are made once per user from the encoder's locked file and kept beside it under a name that carries the
checksum of its source, so that a new encoder never meets an old cut.
"""

import os
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from agents.redaction.names.fused import REVISION, fused
from agents.redaction.names.words import Matrix, Words
from streams.artifacts import locked
from streams.encoder import unpacked

LAYERS = 3
DIMENSIONS = 384
_HEADS = 12
_WINDOW = 120
"""Pieces of one inference: long enough for a message, short enough that attention stays linear in the text."""
_OVERLAP = 16
"""Pieces that a window shares with each neighbour, so that each word is read with some context on both sides."""

_KNOWN_WORDS = 50_000
_PRETOKEN = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")
"""How BERT parts ASCII text in lower case before it looks for pieces: runs of letters and digits, and each sign."""
_CONTROL = re.compile(r"[^\t\n\r -~]")
"""What BERT drops from ASCII text."""


class Layer:
    """The lower part of the encoder; thread-safe.

    Args:
        model: the cut model's file.
        tokenizer: ``tokenizer.json`` of the encoder.
    """

    def __init__(self, model: Path, tokenizer: Path) -> None:
        # Imported here: together 0.4 s that commands without it must not pay.
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Nothing is left to fuse, and what it would fuse (a sum with its norm) is slower fused: see fused.py.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        self._session: Any = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._tokenizer: Any = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._first: Any = self._tokenizer.token_to_id("[CLS]")
        self._last: Any = self._tokenizer.token_to_id("[SEP]")
        self._known: dict[str, tuple[list[int], list[int]]] = {}

    def vectors(self, text: str, words: Words) -> tuple[Matrix, Matrix]:
        """Of each word: its vector (384 numbers), and how the vocabulary knows it (pieces, rarity)."""
        count = len(words.words)
        ids, begins = self._pieces(text)
        sums = np.zeros((count, DIMENSIONS), np.float32)
        known = np.zeros((count, 2), np.float32)
        owners, firsts, pieces = _runs(begins, words)
        if owners:
            wanted = [piece for first, many in zip(firsts, pieces, strict=True) for piece in range(first, first + many)]
            hidden = self._hidden(np.array(ids, np.int64), np.array(wanted, np.int64))
            lengths = np.array(pieces, np.float32)
            if len(wanted) > len(owners):
                borders = np.cumsum([0, *pieces[:-1]], dtype=np.int64)
                hidden = np.add.reduceat(hidden, borders, axis=0)
                hidden /= lengths[:, None]
            sums[owners] = hidden
            known[owners, 0] = np.minimum(lengths, 6) / 6
            known[owners, 1] = np.log1p(np.array([ids[first] for first in firsts], np.float32)) / 10.4
        return sums, known

    def _pieces(self, text: str) -> tuple[list[int], list[int]]:
        """Ids of the pieces of ``text``, and where in it each begins."""
        if not text.isascii() or "[" in text or _CONTROL.search(text):
            encoding = self._tokenizer.encode(text, add_special_tokens=False)
            return encoding.ids, [offset[0] for offset in encoding.offsets]
        # A word is cut into the same pieces wherever it stands, so most words need not be asked about again.
        ids: list[int] = []
        begins: list[int] = []
        known = self._known
        for match in _PRETOKEN.finditer(text.lower()):
            found = known.get(match[0])
            if found is None:
                encoding = self._tokenizer.encode(match[0], add_special_tokens=False)
                found = (encoding.ids, [offset[0] for offset in encoding.offsets])
                if len(known) >= _KNOWN_WORDS:
                    known.clear()
                known[match[0]] = found
            start = match.start()
            ids += found[0]
            begins += [start + begin for begin in found[1]]
        return ids, begins

    def _hidden(self, ids: Any, wanted: Any) -> Matrix:
        """Vectors of the pieces ``wanted``, in order."""
        if len(ids) <= _WINDOW:
            return self._run(ids, wanted)
        result = np.empty((len(wanted), DIMENSIONS), np.float32)
        step = _WINDOW - 2 * _OVERLAP
        for start in range(0, len(ids), step):
            first, last = np.searchsorted(wanted, (start, start + step))
            if first < last:
                low, high = max(0, start - _OVERLAP), min(len(ids), start + step + _OVERLAP)
                result[first:last] = self._run(ids[low:high], wanted[first:last] - low)
        return result

    def _run(self, ids: Any, wanted: Any) -> Matrix:
        row = np.empty((1, len(ids) + 2), np.int64)
        row[0, 0], row[0, 1:-1], row[0, -1] = self._first, ids, self._last
        feeds = {"ids": row, "positions": _POSITIONS[: len(ids) + 2]}
        hidden: Matrix = self._session.run(None, feeds)[0][0, wanted + 1]
        return hidden


_POSITIONS = np.arange(_WINDOW + 2)


def _runs(begins: Sequence[int], words: Words) -> tuple[list[int], list[int], list[int]]:
    """Of each word in which a piece begins: its index, its first piece, and how many pieces it has."""
    starts, ends = words.starts.tolist(), words.ends.tolist()
    owners: list[int] = []
    firsts: list[int] = []
    pieces: list[int] = []
    word, count = 0, len(starts)
    for index, begin in enumerate(begins):
        while word < count and ends[word] <= begin:
            word += 1
        if word == count:
            break
        if starts[word] <= begin:
            if owners and owners[-1] == word:
                pieces[-1] += 1
            else:
                owners.append(word)
                firsts.append(index)
                pieces.append(1)
    return owners, firsts, pieces


def vocabulary(count: int) -> list[str]:
    """The first ``count`` whole words of the encoder's vocabulary, in its order: the most used first, roughly."""
    from tokenizers import Tokenizer

    tokens = Tokenizer.from_file(str(unpacked("minilm", "all-minilm-l6-v2-q") / "tokenizer.json")).get_vocab()
    ordered = sorted(tokens, key=lambda token: tokens[token])
    return [token for token in ordered if token.isalpha()][:count]


@cache
def third_layer() -> Layer:
    """The third layer of MiniLM, cut on first use. Raises :class:`streams.artifacts.ArtifactError`."""
    folder = unpacked("minilm", "all-minilm-l6-v2-q")
    path = folder / f"fused{REVISION}-{LAYERS}-{locked('minilm')[0].sha256[:16]}.onnx"
    if not path.exists():
        scratch = folder / f".{path.name}.{os.getpid()}"
        scratch.write_bytes(fused((folder / "model.onnx").read_bytes(), LAYERS, _HEADS))
        scratch.replace(path)  # atomic: a half-written file is never seen under its name
    return Layer(path, folder / "tokenizer.json")
