"""How is the lower part of the encoder run at the least cost? As a graph of its own, made of the model's weights.

The upper half of MiniLM knows what a text means; its lower half still knows what each word looks like and is the better
place to find names, for half the time. The model file spells each layer out in some 25 operations; onnxruntime knows a
whole attention as one (its contributed operators). Weights, their scales and the arithmetic of a row are the model's.

All pieces of the last layer are computed, also those that nobody asks for: a run is quantised by its largest number, so
leaving some out changed findings (6 of 2,600 texts), and saved nothing (14.8 s of CPU instead of 14.5).

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
_TYPES: Mapping[int, np.dtype[Any]] = {1: np.dtype("<f4"), 2: np.dtype("u1"), 3: np.dtype("i1"), 7: np.dtype("<i8")}
_CODES = {kind: code for code, kind in _TYPES.items()}
_EPSILON = 1e-12
_CONTRIBUTED = "com.microsoft"

REVISION = 2
"""Part of the name under which a finished graph is kept: to be raised when :func:`fused` makes another one."""

Tensor = NDArray[np.generic]


@dataclass(frozen=True, kw_only=True)
class _Source:
    """Weights by name; and of each product with a weight, the weight's name by that of the product."""

    tensors: Mapping[str, Tensor]
    products: Mapping[str, str]


class _Graph:
    """A graph that is being written."""

    def __init__(self, source: _Source) -> None:
        self._source = source
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

    def matrix(self, product: str) -> tuple[Tensor, Tensor, Tensor]:
        """The quantised matrix of a product, its scales and its zero points."""
        name = self._source.products[product].removesuffix("_quantized")
        return self.weight(f"{name}_quantized"), self.weight(f"{name}_scale"), self.weight(f"{name}_zero_point")

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

    def model(self, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]]) -> bytes:
        """The finished model.

        Args:
            inputs: names and shapes; 64-bit integers.
            outputs: the same; floating point.
        """
        graph = [*self._fields, written(2, "names")]
        graph += [written(11, _value(name, 7, shape)) for name, shape in inputs.items()]
        graph += [written(12, _value(name, 1, shape)) for name, shape in outputs.items()]
        versions = [message({1: "", 2: 17}), message({1: _CONTRIBUTED, 2: 1})]
        return message({1: 8, _GRAPH: b"".join(graph)}) + b"".join(written(8, version) for version in versions)

    def _name(self, what: str) -> str:
        self._count += 1
        return f"{what}.{self._count}"


def fused(model: bytes, layers: int, heads: int) -> bytes:
    """The first ``layers`` layers of a quantised BERT.

    Inputs: ``ids`` (1, n) of pieces, ``positions`` (n): 0, 1, …. Output: their vectors (1, n, width).

    Args:
        heads: of the attention.

    Raises:
        ValueError: ``model`` is no such model.
    """
    source = _read(model)
    graph = _Graph(source)
    try:
        at = _embedded(graph)
        for layer in range(layers):
            at = _layer(graph, f"encoder.layer.{layer}", at, heads)
    except KeyError as error:
        raise ValueError(f"not a quantised BERT: {error} is missing") from None
    width = source.tensors["embeddings.LayerNorm.weight"].shape[0]
    return graph.model({"ids": (1, "n"), "positions": ("n",)}, {at: (1, "n", width)})


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


def _layer(graph: _Graph, name: str, at: str, heads: int) -> str:
    products = [
        f"/{name.replace('encoder.layer', 'encoder/layer')}/attention/self/{one}/MatMul_output_0" for one in _QKV
    ]
    merged = [np.concatenate(part, axis=-1) for part in zip(*map(graph.matrix, products), strict=True)]
    bias = np.concatenate([graph.weight(f"{name}.attention.self.{one}.bias") for one in _QKV])
    matrix, scales, zeros, biases = (graph.constant(value) for value in (*merged, bias))
    quantised = graph.node("DynamicQuantizeLinear", [at], outputs=3)
    attended = graph.node(
        "QAttention",
        [quantised, matrix, biases, f"{quantised}.1", scales, "", f"{quantised}.2", zeros],
        domain=_CONTRIBUTED,
        num_heads=heads,
    )
    summed = _product(graph, name, "attention.output.dense", attended)
    at = _normed(graph, summed, at, f"{name}.attention.output.LayerNorm")
    wide = graph.node("Gelu", [_product(graph, name, "intermediate.dense", at)], domain=_CONTRIBUTED)
    return _normed(graph, _product(graph, name, "output.dense", wide), at, f"{name}.output.LayerNorm")


_QKV = ("query", "key", "value")


def _product(graph: _Graph, layer: str, what: str, at: str) -> str:
    inputs = [
        *map(graph.constant, graph.matrix(_path(layer, what))),
        graph.constant(graph.weight(f"{layer}.{what}.bias")),
    ]
    return graph.node("DynamicQuantizeMatMul", [at, *inputs], domain=_CONTRIBUTED)


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
