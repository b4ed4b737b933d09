"""What does the encoder's third layer say of each word? The mean of the vectors of its pieces.

The cut model is made once per user from the encoder's locked file and kept beside it under a name that carries the
checksum of its source, so that a new encoder never meets an old cut.
"""

import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from agents.redaction.names.cut import cut
from agents.redaction.names.words import Matrix, Words
from streams.artifacts import locked
from streams.encoder import unpacked

TENSOR = "/encoder/layer.2/output/LayerNorm/Add_1_output_0"
DIMENSIONS = 384
_WINDOW = 120
"""Pieces of one inference: long enough for a message, short enough that attention stays linear in the text."""
_OVERLAP = 16
"""Pieces that a window shares with each neighbour, so that each word is read with some context on both sides."""


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
        self._session: Any = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._inputs = {item.name for item in self._session.get_inputs()}
        self._tokenizer: Any = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._first: Any = self._tokenizer.token_to_id("[CLS]")
        self._last: Any = self._tokenizer.token_to_id("[SEP]")

    def vectors(self, text: str, words: Words) -> tuple[Matrix, Matrix]:
        """Of each word: its vector (384 numbers), and how the vocabulary knows it (pieces, rarity)."""
        count = len(words.words)
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        ids = np.array(encoding.ids, np.int64)
        begins = np.array([offset[0] for offset in encoding.offsets], np.int64)
        owner = np.searchsorted(words.starts, begins, side="right") - 1
        inside = (owner >= 0) & (begins < words.ends[np.maximum(owner, 0)]) if count else np.zeros(len(ids), bool)
        hidden = self._hidden(ids)
        sums = np.zeros((count, DIMENSIONS), np.float32)
        pieces = np.bincount(owner[inside], minlength=count).astype(np.float32)
        rarity = np.zeros(count, np.float32)
        if inside.any():
            # Pieces come in the order of the text, so those of a word stand together.
            members = np.flatnonzero(inside)
            owners = owner[members]
            firsts = np.flatnonzero(np.diff(owners, prepend=-1))
            sums[owners[firsts]] = np.add.reduceat(hidden[members], firsts, axis=0)
            rarity[owners[firsts]] = np.log1p(ids[members[firsts]].astype(np.float32)) / 10.4
        sums /= np.maximum(pieces, 1)[:, None]
        return sums, np.stack([np.minimum(pieces, 6) / 6, rarity], axis=1)

    def _hidden(self, ids: Any) -> Matrix:
        if len(ids) <= _WINDOW:
            return self._run(ids)
        result = np.empty((len(ids), DIMENSIONS), np.float32)
        step = _WINDOW - 2 * _OVERLAP
        for start in range(0, len(ids), step):
            low, high = max(0, start - _OVERLAP), min(len(ids), start + step + _OVERLAP)
            hidden = self._run(ids[low:high])
            result[start : start + step] = hidden[start - low : start - low + step]
        return result

    def _run(self, ids: Any) -> Matrix:
        if not len(ids):
            return np.zeros((0, DIMENSIONS), np.float32)
        row = np.empty((1, len(ids) + 2), np.int64)
        row[0, 0], row[0, 1:-1], row[0, -1] = self._first, ids, self._last
        feeds = {"input_ids": row, "attention_mask": np.ones_like(row), "token_type_ids": np.zeros_like(row)}
        outputs = self._session.run(None, {name: value for name, value in feeds.items() if name in self._inputs})
        hidden: Matrix = outputs[0][0, 1:-1]
        return hidden


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
    path = folder / f"layer2-{locked('minilm')[0].sha256[:16]}.onnx"
    if not path.exists():
        scratch = folder / f".{path.name}.{os.getpid()}"
        scratch.write_bytes(cut((folder / "model.onnx").read_bytes(), TENSOR))
        scratch.replace(path)  # atomic: a half-written file is never seen under its name
    return Layer(path, folder / "tokenizer.json")
