"""What does the encoder's third layer say of the pieces of words? Texts of about one length are read in one run.

The layers are made once per user from the encoder's locked file and kept beside it under a name that carries the
checksum of its source, so that a new encoder never meets an old cut.
"""

import os
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from forebay.artifacts import locked
from forebay_agents.embeddings import unpacked
from forebay_agents.redaction.detection.names.encoder.fused import RANGES, REVISION, fused
from forebay_agents.redaction.detection.names.encoder.readings import Readings
from forebay_agents.redaction.detection.names.words import Matrix
from forebay_agents.redaction.detection.pace import breathe

LAYERS = 3
DIMENSIONS = 384
HEADS = 12
FIRST, LAST = 101, 102
"""BERT's [CLS] and [SEP]."""
_WINDOW = 120
"""Pieces that are read at once: long enough for a message, short enough that attention stays linear in the text."""
_OVERLAP = 16
"""Pieces that a window shares with each neighbour, so that each word is read with some context on both sides."""
_RUN = 256
"""Most pieces of a run: from about 160 on, rows of a product do not get cheaper (88 instead of 75 thousand million
products a second for 20), and what lies between the layers has to stay in the processor's cache."""
_FILLED = 0.8
"""Least length of a text in a run, as a share of the longest: the rest is padding, which is computed all the same."""
_POSITIONS = np.arange(_WINDOW + 2)

Ids = Sequence[int]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Window:
    """Pieces ``low`` to ``high`` of a text, of whose wanted pieces it gives ``first`` to ``last``."""

    text: int
    low: int
    high: int
    first: int
    last: int


class Layer:
    """The lower part of the encoder; thread-safe.

    Args:
        model: the file of :func:`forebay_agents.redaction.detection.names.encoder.fused.fused`.
    """

    def __init__(self, model: Path) -> None:
        self._session = session(model.read_bytes())

    def vectors(
        self, texts: Sequence[Ids], wanted: Sequence[Sequence[int]], readings: Readings | None = None
    ) -> list[Matrix]:
        """Vectors of some pieces of each text, (wanted, DIMENSIONS).

        Args:
            texts: ids of the pieces.
            wanted: of each text, which of its pieces, in order.
            readings: what was said of windows before, and is said again.
        """
        found = [np.empty((len(pieces), DIMENSIONS), np.float32) for pieces in wanted]
        all_ = [
            window
            for index, (ids, pieces) in enumerate(zip(texts, wanted, strict=True))
            for window in _windows(index, len(ids), pieces)
        ]
        digests = {} if readings is None else _digests(texts, wanted, all_, readings)
        new = all_ if readings is None else _not_recalled(all_, digests, readings, found)
        alike = _alike(texts, wanted, new)
        for windows in _runs([own[0] for own in alike]):
            vectors = self._run(texts, wanted, windows)
            if len(all_) == len(texts) == 1:
                return [vectors]
            at = 0
            for window in windows:
                end = at + window.last - window.first
                found[window.text][window.first : window.last] = vectors[at:end]
                if readings is not None and window in digests:
                    readings.keep(digests[window], vectors[at:end])
                at = end
            breathe()
        for window, *others in alike:
            for other in others:
                rows = found[window.text][window.first : window.last]
                found[other.text][other.first : other.last] = rows
        return found

    def _run(self, texts: Sequence[Ids], wanted: Sequence[Sequence[int]], windows: Sequence[_Window]) -> Matrix:
        longest = max(window.high - window.low for window in windows) + 2
        ids = np.zeros((len(windows), longest), np.int64)
        lengths = np.empty(len(windows), np.int32)
        places: list[int] = []
        for row, window in enumerate(windows):
            last = window.high - window.low + 1
            ids[row, 0], ids[row, 1:last], ids[row, last] = FIRST, texts[window.text][window.low : window.high], LAST
            lengths[row] = last + 1
            shift = row * longest + 1 - window.low
            places += [piece + shift for piece in wanted[window.text][window.first : window.last]]
        feeds = {
            "ids": ids,
            "positions": _POSITIONS[:longest],
            "lengths": lengths,
            "wanted": np.array(places, np.int64),
        }
        vectors: Matrix = self._session.run(None, feeds)[0]
        return vectors


def _windows(index: int, count: int, wanted: Sequence[int]) -> Iterator[_Window]:
    """Windows over the ``count`` pieces of a text, but for those without a piece that is ``wanted``."""
    if not wanted:
        return
    if count <= _WINDOW:
        yield _Window(text=index, low=0, high=count, first=0, last=len(wanted))
        return
    step = _WINDOW - 2 * _OVERLAP
    for start in range(0, count, step):
        end = min(count, start + step)
        first, last = bisect_left(wanted, start), bisect_left(wanted, end)
        if first < last:
            low, high = max(0, start - _OVERLAP), min(count, end + _OVERLAP)
            yield _Window(text=index, low=low, high=high, first=first, last=last)


def _digests(
    texts: Sequence[Ids], wanted: Sequence[Sequence[int]], windows: Sequence[_Window], readings: Readings
) -> dict[_Window, bytes]:
    """By what the windows of long texts are known; a text of one window comes again only as a whole."""
    return {
        window: readings.digest(
            texts[window.text][window.low : window.high],
            [piece - window.low for piece in wanted[window.text][window.first : window.last]],
        )
        for window in windows
        if len(texts[window.text]) > _WINDOW
    }


def _not_recalled(
    windows: Sequence[_Window], digests: Mapping[_Window, bytes], readings: Readings, found: Sequence[Matrix]
) -> list[_Window]:
    """Windows that have to be read; the vectors of the others are put into ``found``."""
    left = []
    for window in windows:
        rows = readings.recalled(digests[window]) if window in digests else None
        if rows is None:
            left.append(window)
        else:
            found[window.text][window.first : window.last] = rows
    return left


def _alike(
    texts: Sequence[Ids], wanted: Sequence[Sequence[int]], windows: Sequence[_Window]
) -> Collection[list[_Window]]:
    """Windows that read the same: a text that repeats itself is read once, were it made to take long or not."""
    if len(windows) < _MANY:
        return [[window] for window in windows]
    found: dict[tuple[tuple[int, ...], tuple[int, ...]], list[_Window]] = {}
    for window in windows:
        pieces = tuple(piece - window.low for piece in wanted[window.text][window.first : window.last])
        found.setdefault((tuple(texts[window.text][window.low : window.high]), pieces), []).append(window)
    return found.values()


_MANY = 16
"""Windows from which on it is worth while to look for equal ones: 1,400 pieces."""


def _runs(windows: Sequence[_Window]) -> Iterator[list[_Window]]:
    """Windows that are read together: of about one length, the longest first."""
    run: list[_Window] = []
    longest = 0
    for window in sorted(windows, key=lambda window: window.low - window.high):
        length = window.high - window.low + 2
        if run and ((len(run) + 1) * longest > _RUN or length < _FILLED * longest):
            yield run
            run = []
        longest = longest if run else length
        run.append(window)
    if run:
        yield run


def session(model: bytes) -> Any:
    """A session of onnxruntime on one thread, so that two cores are shared fairly with the other stages."""
    import onnxruntime  # 0.3 s that commands without it must not pay

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Nothing is left to fuse, and what it would fuse (a sum with its norm) is slower fused: see fused.py.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@cache
def third_layer() -> Layer:
    """The third layer of MiniLM, cut on first use. Raises :class:`forebay.artifacts.ArtifactError`."""
    folder = unpacked("minilm", "all-minilm-l6-v2-q")
    path = folder / f"fused{REVISION}-{LAYERS}-{locked('minilm')[0].sha256[:16]}.onnx"
    if not path.exists():
        scratch = folder / f".{path.name}.{os.getpid()}"
        scratch.write_bytes(fused((folder / "model.onnx").read_bytes(), LAYERS, HEADS, RANGES))
        scratch.replace(path)  # atomic: a half-written file is never seen under its name
    return Layer(path)
