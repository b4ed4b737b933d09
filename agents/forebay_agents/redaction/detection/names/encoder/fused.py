"""How is the lower part of the encoder run at the least cost? As a graph of its own, made of the model's weights.

The upper half of MiniLM knows what a text means; its lower half still knows what each word looks like and is the better
place to find names, for half the time. The model file spells each layer out in some 25 operations; onnxruntime knows a
whole attention as one (its contributed operators). What follows the last attention is computed for pieces of words
alone: a quarter of the pieces are punctuation.

Two things are not as in the model's file, so that a text's vectors depend neither on the texts beside it nor on the
processor:

- What goes into a product is quantised by a range that was measured once
  (:mod:`forebay_agents.redaction.training.ranges`), not by the largest number of the run.
- Weights are within ±63 instead of ±127. Processors without VNNI add two products into 16 bits that saturate: 64 times
  255 · 127 gives 1,048,544 there instead of 2,072,640. 2 · 255 · 63 fits.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from forebay_agents.redaction.detection.names.encoder.onnx import (
    CONTRIBUTED,
    FLOAT,
    INT32,
    INT64,
    UINT8,
    Graph,
    Tensor,
    Value,
    read,
)

_EPSILON = 1e-12
_MOST = 63
"""Of a weight: see above."""
REVISION = 3
"""Part of the name under which a finished graph is kept: to be raised when :func:`fused` makes another one."""

Ranges = Sequence[tuple[float, float]]
"""Least and greatest number that goes into each product, in the order in which they are computed."""
RANGES: Ranges = (
    (-2.69, 6.34),
    (-3.31, 2.16),
    (-6.41, 8.0),
    (-0.2, 8.0),
    (-4.6, 8.0),
    (-2.52, 2.93),
    (-8.0, 8.0),
    (-0.16, 8.0),
    (-5.17, 8.0),
    (-2.31, 2.56),
    (-8.0, 8.0),
    (-0.14, 8.0),
)
"""Of the first three layers, as :mod:`forebay_agents.redaction.training.ranges` prints them: of a layer's attention,
its output, and the two products behind it. Only the first and the last piece of a text go beyond 8, up to 30, which the
words need not know: cut there, their vectors are closer to those of full precision (behind the third attention, cosine
0.998 instead of 0.995).
"""


class _Encoder(Graph):
    """A graph made of an encoder's weights.

    Args:
        tensors: weights by name.
        products: of each product with a weight, the weight's name by that of the product.
        ranges: of what goes into the products; ``None`` takes those of each run.
    """

    def __init__(self, tensors: Mapping[str, Tensor], products: Mapping[str, str], ranges: Ranges | None) -> None:
        super().__init__()
        self._tensors = tensors
        self._products = products
        self._ranges = None if ranges is None else iter(ranges)
        self.measured: list[str] = []
        """Scales and zeros of the runs, in turns."""

    def weight(self, name: str) -> Tensor:
        """A weight of the model."""
        return self._tensors[name]

    def matrix(self, product: str) -> tuple[Tensor, NDArray[np.float32]]:
        """The quantised matrix of a product, and the scales of its columns."""
        name = self._products[product].removesuffix("_quantized")
        weights = self.weight(f"{name}_quantized").astype(np.float32)
        weights -= self.weight(f"{name}_zero_point").astype(np.float32)
        shrunk = np.maximum(np.abs(weights).max(axis=0), 1) / np.float32(_MOST)
        scales: NDArray[np.float32] = self.weight(f"{name}_scale").astype(np.float32) * shrunk
        return np.rint(weights / shrunk).astype(np.int8), scales

    def quantised(self, at: str) -> tuple[str, str, str]:
        """``at`` as unsigned bytes, their scale and their zero: by the next range, or by the run's own."""
        if self._ranges is None:
            name = self.node("DynamicQuantizeLinear", [at], outputs=3)
            self.measured += [f"{name}.1", f"{name}.2"]
            return name, f"{name}.1", f"{name}.2"
        low, high = next(self._ranges)
        step = (high - low) / 255
        scale, zero = (self.constant(np.array(n, t)) for n, t in ((step, np.float32), (round(-low / step), np.uint8)))
        return self.node("QuantizeLinear", [at, scale, zero]), scale, zero


def fused(model: bytes, layers: int, heads: int, ranges: Ranges | None) -> bytes:
    """The first ``layers`` layers of a quantised BERT.

    Inputs: ``ids`` (texts, n) of pieces, ``positions`` (n): 0, 1, …, ``lengths`` (texts): how many pieces of each text
    are no padding, ``wanted`` (m): places of pieces in the texts one after another. Output: their vectors (m, width).

    Args:
        heads: of the attention.
        ranges: of what goes into the products; with ``None`` each run takes its own, and the outputs behind the first
            are their scales and zeros in turns.

    Raises:
        ValueError: ``model`` is no such model.
    """
    graph = _Encoder(*read(model), ranges)
    try:
        at = _embedded(graph)
        for layer in range(layers):
            at = _layer(graph, f"encoder.layer.{layer}", at, heads, "wanted" if layer + 1 == layers else "")
    except KeyError as error:
        raise ValueError(f"not a quantised BERT: {error} is missing") from None
    width = graph.weight("embeddings.LayerNorm.weight").shape[0]
    inputs: dict[str, Value] = {
        "ids": (INT64, ("texts", "n")),
        "positions": (INT64, ("n",)),
        "lengths": (INT32, ("texts",)),
        "wanted": (INT64, ("m",)),
    }
    measured: dict[str, Value] = {
        name: (FLOAT if number % 2 == 0 else UINT8, ()) for number, name in enumerate(graph.measured)
    }
    return graph.model(inputs, {at: (FLOAT, ("m", width))} | measured)


def _embedded(graph: _Encoder) -> str:
    """Words, positions and the first type of token, summed and normed."""
    table = graph.node("Gather", [graph.constant(graph.weight("embeddings.word_embeddings.weight_quantized")), "ids"])
    kinds = ("scale", "zero_point")
    scale = [graph.constant(graph.weight(f"embeddings.word_embeddings.weight_{kind}")) for kind in kinds]
    words = graph.node("DequantizeLinear", [table, *scale])
    places = _plain(graph, "position") + _plain(graph, "token_type")[:1]
    place = graph.node("Gather", [graph.constant(places[None].astype("<f4")), "positions"], axis=1)
    return _normed(graph, words, place, "embeddings.LayerNorm")


def _plain(graph: _Encoder, what: str) -> NDArray[np.float32]:
    name = f"embeddings.{what}_embeddings.weight"
    values = graph.weight(f"{name}_quantized").astype(np.float32) - graph.weight(f"{name}_zero_point").astype(
        np.float32
    )
    result: NDArray[np.float32] = values * graph.weight(f"{name}_scale").astype(np.float32)
    return result


def _layer(graph: _Encoder, name: str, at: str, heads: int, wanted: str) -> str:
    """A layer; behind its attention, of the pieces ``wanted`` alone, if given."""
    products = [
        f"/{name.replace('encoder.layer', 'encoder/layer')}/attention/self/{one}/MatMul_output_0" for one in _QKV
    ]
    merged = [np.concatenate(part, axis=-1) for part in zip(*map(graph.matrix, products), strict=True)]
    bias = np.concatenate([graph.weight(f"{name}.attention.self.{one}.bias") for one in _QKV])
    matrix, scales, biases = (graph.constant(value) for value in (*merged, bias))
    quantised, scale, zero = graph.quantised(at)
    attended = graph.node(
        "QAttention",
        [quantised, matrix, biases, scale, scales, "lengths", zero],
        domain=CONTRIBUTED,
        num_heads=heads,
    )
    if wanted:
        width = graph.weight(f"{name}.attention.output.LayerNorm.bias").size
        rows = graph.constant(np.array([-1, width], np.int64))
        attended, at = (graph.node("Gather", [graph.node("Reshape", [all_, rows]), wanted]) for all_ in (attended, at))
    summed = _product(graph, name, "attention.output.dense", attended)
    at = _normed(graph, summed, at, f"{name}.attention.output.LayerNorm")
    wide = graph.node("Gelu", [_product(graph, name, "intermediate.dense", at)], domain=CONTRIBUTED)
    return _normed(graph, _product(graph, name, "output.dense", wide), at, f"{name}.output.LayerNorm")


_QKV = ("query", "key", "value")


def _product(graph: _Encoder, layer: str, what: str, at: str) -> str:
    matrix, scales, bias = map(
        graph.constant, (*graph.matrix(_path(layer, what)), graph.weight(f"{layer}.{what}.bias"))
    )
    quantised, scale, zero = graph.quantised(at)
    return graph.node("MatMulIntegerToFloat", [quantised, matrix, scale, scales, zero, "", bias], domain=CONTRIBUTED)


def _path(layer: str, what: str) -> str:
    """Name of a product in the model: "/encoder/layer.0/output/dense/MatMul_output_0"."""
    return f"/{layer.replace('.', '/', 1)}/{what.replace('.', '/')}/MatMul_output_0"


def _normed(graph: _Encoder, one: str, other: str, name: str) -> str:
    weights = [graph.constant(graph.weight(f"{name}.{part}")) for part in ("weight", "bias")]
    # Not SkipLayerNormalization, which does both at once: it takes twice the time of the two (66 µs for 20 pieces).
    return graph.node("LayerNormalization", [graph.node("Add", [one, other]), *weights], epsilon=_EPSILON)
