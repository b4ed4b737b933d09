"""How is a model of onnxruntime's written and read, without the ONNX library, which takes 16 MB to install?

A model file is a protocol buffer, whose field numbers are those of onnx.proto3.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forebay_agents.redaction.detection.names.encoder.protobuf import fields, integer, message, packed, written

Tensor = NDArray[np.generic]
Value = tuple[int, Sequence[int | str]]
"""Type and shape of what goes in or comes out."""
FLOAT, UINT8, INT32, INT64 = 1, 2, 6, 7
"""Types."""
CONTRIBUTED = "com.microsoft"
"""Domain of onnxruntime's own operators."""
_GRAPH, _NODE, _INITIALIZER = 7, 1, 5
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_FLOATS, _TENSOR_INTEGERS, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 4, 5, 8, 9
_TYPES: Mapping[int, np.dtype[Any]] = {
    FLOAT: np.dtype("<f4"),
    UINT8: np.dtype("u1"),
    3: np.dtype("i1"),
    INT64: np.dtype("<i8"),
}
_CODES = {kind: code for code, kind in _TYPES.items()}


class Graph:
    """A graph that is being written."""

    def __init__(self) -> None:
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

    def model(self, inputs: Mapping[str, Value], outputs: Mapping[str, Value]) -> bytes:
        """The finished model, with its inputs and outputs by name."""
        graph = [*self._fields, written(2, "names")]
        graph += [written(11, _value(name, *value)) for name, value in inputs.items()]
        graph += [written(12, _value(name, *value)) for name, value in outputs.items()]
        versions = [message({1: "", 2: 17}), message({1: CONTRIBUTED, 2: 1})]
        return message({1: 8, _GRAPH: b"".join(graph)}) + b"".join(written(8, version) for version in versions)

    def _name(self, what: str) -> str:
        self._count += 1
        return f"{what}.{self._count}"


def read(model: bytes) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Weights of a model by name; and of each product of integers, its matrix by the name of what it gives."""
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
    return tensors, products


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
