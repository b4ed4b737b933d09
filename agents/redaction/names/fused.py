"""How is the lower part of the encoder run at the least cost? As a graph of its own, made of the model's weights.

The upper half of MiniLM knows what a text means; its lower half still knows what each word looks like and is the better
place to find names, for half the time. The model file spells each layer out in some 25 operations; onnxruntime knows a
whole attention as one (its contributed operators). What follows the last attention is computed for pieces of words
alone: a quarter of the pieces are punctuation.

Two things are not as in the model's file, so that a text's vectors depend neither on the texts beside it nor on the
processor:

- What goes into a product is quantised by a range that was measured once (:mod:`agents.redaction.training.ranges`),
  not by the largest number of the run.
- Weights are within ±63 instead of ±127. Processors without VNNI add two products into 16 bits that saturate: 64 times
  255 · 127 gives 1,048,544 there instead of 2,072,640. 2 · 255 · 63 fits.

This needs no ONNX library (16 MB to install): a model file is a protocol buffer, whose field numbers are those
of onnx.proto3.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.redaction.names.protobuf import fields, integer, message, packed, written

_GRAPH, _NODE, _INITIALIZER = 7, 1, 5
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_FLOATS, _TENSOR_INTEGERS, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 4, 5, 8, 9
_FLOAT, _UINT8, _INT32, _INT64 = 1, 2, 6, 7
_TYPES: Mapping[int, np.dtype[Any]] = {
    _FLOAT: np.dtype("<f4"),
    _UINT8: np.dtype("u1"),
    3: np.dtype("i1"),
    _INT64: np.dtype("<i8"),
}
_CODES = {kind: code for code, kind in _TYPES.items()}
_EPSILON = 1e-12
_CONTRIBUTED = "com.microsoft"

_MOST = 63
"""Of a weight: see above."""
REVISION = 3
"""Part of the name under which a finished graph is kept: to be raised when :func:`fused` makes another one."""

Tensor = NDArray[np.generic]
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
"""Of the first three layers, as :mod:`agents.redaction.training.ranges` prints them: of a layer's attention, its
output, and the two products behind it. Only the first and the last piece of a text go beyond 8, up to 30, which the
words need not know: cut there, their vectors are closer to those of full precision (cosine 0.998 instead of 0.995).
"""


_Value = tuple[int, Sequence[int | str]]
"""Type and shape."""


@dataclass(frozen=True, kw_only=True)
class _Source:
    """Weights by name; and of each product with a weight, the weight's name by that of the product."""

    tensors: Mapping[str, Tensor]
    products: Mapping[str, str]


class _Graph:
    """A graph that is being written."""

    def __init__(self, source: _Source, ranges: Ranges | None) -> None:
        self._source = source
        self._ranges = None if ranges is None else iter(ranges)
        self.measured: list[str] = []
        self._fields: list[bytes] = []
        self._count = 0

    def constant(self, value: Tensor) -> str:
        """``value``, under a new name."""
        name = self._name("constant")
        dims = [written(_TENSOR_DIMS, size) for size in value.shape]
        code = _CODES[value.dtype.newbyteorder("<")]
        body = [*dims, written(_TENSOR_TYPE, code), written(_TENSOR_NAME, name), written(_TENSOR_RAW, value.tobytes())]
        self._fields.append(written(_INITIALIZER, b"".join(body)))
        return name

    def weight(self, name: str) -> Tensor:
        """A weight of the model."""
        return self._source.tensors[name]

    def matrix(self, product: str) -> tuple[Tensor, NDArray[np.float32]]:
        """The quantised matrix of a product, and the scales of its columns."""
        name = self._source.products[product].removesuffix("_quantized")
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

    def node(
        self, operator: str, inputs: Sequence[str], outputs: int = 1, domain: str = "", **attributes: float
    ) -> str:
        """An operation; the name of its first output, of which the others' are made by a number behind it."""
        name = self._name(operator)
        body = [written(1, item) for item in inputs]
        body += [written(2, name if index == 0 else f"{name}.{index}") for index in range(outputs)]
        body += [written(4, operator), written(7, domain)]
        body += [written(5, _attribute(key, value)) for key, value in attributes.items()]
        self._fields.append(written(_NODE, b"".join(body)))
        return name

    def model(self, inputs: Mapping[str, _Value], outputs: Mapping[str, _Value]) -> bytes:
        """The finished model, with its inputs and outputs by name."""
        graph = [*self._fields, written(2, "names")]
        graph += [written(11, _value(name, *value)) for name, value in inputs.items()]
        graph += [written(12, _value(name, *value)) for name, value in outputs.items()]
        versions = [message({1: "", 2: 17}), message({1: _CONTRIBUTED, 2: 1})]
        return message({1: 8, _GRAPH: b"".join(graph)}) + b"".join(written(8, version) for version in versions)

    def _name(self, what: str) -> str:
        self._count += 1
        return f"{what}.{self._count}"


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
    source = _read(model)
    graph = _Graph(source, ranges)
    try:
        at = _embedded(graph)
        for layer in range(layers):
            at = _layer(graph, f"encoder.layer.{layer}", at, heads, "wanted" if layer + 1 == layers else "")
    except KeyError as error:
        raise ValueError(f"not a quantised BERT: {error} is missing") from None
    width = source.tensors["embeddings.LayerNorm.weight"].shape[0]
    inputs: dict[str, _Value] = {
        "ids": (_INT64, ("texts", "n")),
        "positions": (_INT64, ("n",)),
        "lengths": (_INT32, ("texts",)),
        "wanted": (_INT64, ("m",)),
    }
    measured: dict[str, _Value] = {
        name: (_FLOAT if number % 2 == 0 else _UINT8, ()) for number, name in enumerate(graph.measured)
    }
    return graph.model(inputs, {at: (_FLOAT, ("m", width))} | measured)


def _embedded(graph: _Graph) -> str:
    """Words, positions and the first type of token, summed and normed."""
    table = graph.node("Gather", [graph.constant(graph.weight("embeddings.word_embeddings.weight_quantized")), "ids"])
    kinds = ("scale", "zero_point")
    scale = [graph.constant(graph.weight(f"embeddings.word_embeddings.weight_{kind}")) for kind in kinds]
    words = graph.node("DequantizeLinear", [table, *scale])
    places = _plain(graph, "position") + _plain(graph, "token_type")[:1]
    place = graph.node("Gather", [graph.constant(places[None].astype("<f4")), "positions"], axis=1)
    return _normed(graph, words, place, "embeddings.LayerNorm")


def _plain(graph: _Graph, what: str) -> NDArray[np.float32]:
    name = f"embeddings.{what}_embeddings.weight"
    values = graph.weight(f"{name}_quantized").astype(np.float32) - graph.weight(f"{name}_zero_point").astype(
        np.float32
    )
    result: NDArray[np.float32] = values * graph.weight(f"{name}_scale").astype(np.float32)
    return result


def _layer(graph: _Graph, name: str, at: str, heads: int, wanted: str) -> str:
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
        domain=_CONTRIBUTED,
        num_heads=heads,
    )
    if wanted:
        width = graph.weight(f"{name}.attention.output.LayerNorm.bias").size
        rows = graph.constant(np.array([-1, width], np.int64))
        attended, at = (graph.node("Gather", [graph.node("Reshape", [all_, rows]), wanted]) for all_ in (attended, at))
    summed = _product(graph, name, "attention.output.dense", attended)
    at = _normed(graph, summed, at, f"{name}.attention.output.LayerNorm")
    wide = graph.node("Gelu", [_product(graph, name, "intermediate.dense", at)], domain=_CONTRIBUTED)
    return _normed(graph, _product(graph, name, "output.dense", wide), at, f"{name}.output.LayerNorm")


_QKV = ("query", "key", "value")


def _product(graph: _Graph, layer: str, what: str, at: str) -> str:
    matrix, scales, bias = map(
        graph.constant, (*graph.matrix(_path(layer, what)), graph.weight(f"{layer}.{what}.bias"))
    )
    quantised, scale, zero = graph.quantised(at)
    return graph.node("MatMulIntegerToFloat", [quantised, matrix, scale, scales, zero, "", bias], domain=_CONTRIBUTED)


def _path(layer: str, what: str) -> str:
    """Name of a product in the model: "/encoder/layer.0/output/dense/MatMul_output_0"."""
    return f"/{layer.replace('.', '/', 1)}/{what.replace('.', '/')}/MatMul_output_0"


def _normed(graph: _Graph, one: str, other: str, name: str) -> str:
    weights = [graph.constant(graph.weight(f"{name}.{part}")) for part in ("weight", "bias")]
    # Not SkipLayerNormalization, which does both at once: it takes twice the time of the two (66 µs for 20 pieces).
    return graph.node("LayerNormalization", [graph.node("Add", [one, other]), *weights], epsilon=_EPSILON)


def _read(model: bytes) -> _Source:
    tensors: dict[str, Tensor] = {}
    products: dict[str, str] = {}
    for number, _, graph in fields(model):
        if number != _GRAPH:
            continue
        for part, _, body in fields(graph):
            if part == _INITIALIZER:
                name, value = _tensor(body)
                tensors[name] = value
            elif part == _NODE:
                _product_of(body, products)
    return _Source(tensors=tensors, products=products)


def _product_of(node: bytes, products: dict[str, str]) -> None:
    """Enter ``node`` into ``products``, if it is a product."""
    inputs: list[str] = []
    output = operator = ""
    for number, _, value in fields(node):
        if number == 1:
            inputs.append(value.decode())
        elif number == 2 and not output:
            output = value.decode()
        elif number == 4:
            operator = value.decode()
    if operator == "MatMulInteger":
        products[output.removesuffix("_output_quantized")] = inputs[1]


def _tensor(body: bytes) -> tuple[str, Tensor]:
    name, raw, code, dims = "", b"", 1, []
    for number, _, value in fields(body):
        if number == _TENSOR_NAME:
            name = value.decode()
        elif number == _TENSOR_DIMS:
            dims.append(integer(value))
        elif number == _TENSOR_TYPE:
            code = integer(value)
        elif number in (_TENSOR_RAW, _TENSOR_FLOATS):
            raw = value
        elif number == _TENSOR_INTEGERS:
            raw = bytes(one & 0xFF for one in packed(value))  # of one byte each, or not needed
    kind: np.dtype[Any] = _TYPES.get(code, np.dtype("u1"))
    sound = len(raw) == kind.itemsize * math.prod(dims)
    return name, np.frombuffer(raw, kind).reshape(dims) if sound else np.zeros(0, np.float32)


def _attribute(name: str, value: float) -> bytes:
    if isinstance(value, int):
        return message({1: name, 3: value, 20: 2})
    return message({1: name}) + written(2, struct.pack("<f", value), wire=5) + message({20: 1})


def _value(name: str, code: int, shape: Sequence[int | str]) -> bytes:
    dims = b"".join(written(1, message({1: size} if isinstance(size, int) else {2: size})) for size in shape)
    return message({1: name, 2: message({1: message({1: code, 2: dims})})})
