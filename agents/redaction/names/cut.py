"""How is a layer in the middle of an ONNX model had without running the rest? By cutting the file.

The upper half of MiniLM knows what a text means; its lower half still knows what each word looks like and is the better
place to find names, for half the time. Cutting needs no ONNX library (16 MB to install): a model file is a protocol
buffer, and all that happens is that the graph's output is renamed and what it does not depend on is left out. Field
numbers are those of onnx.proto3: ModelProto.graph = 7; GraphProto.node = 1, initializer = 5, output = 12;
NodeProto.input = 1, output = 2; TensorProto.name = 8; ValueInfoProto.name = 1.
"""

from collections.abc import Iterator

_GRAPH = 7
_NODE, _INITIALIZER, _OUTPUT = 1, 5, 12
_NODE_INPUT, _NODE_OUTPUT = 1, 2
_TENSOR_NAME, _VALUE_NAME = 8, 1
_LENGTH_DELIMITED = 2

Field = tuple[int, int, bytes]
"""Field number, wire type, and the field's bytes: with its header unless it is length-delimited."""


def cut(model: bytes, tensor: str) -> bytes:
    """``model`` with ``tensor`` as its only output, without what that does not need.

    Raises:
        ValueError: ``model`` is no ONNX model, or no node of it computes ``tensor``.
    """
    return b"".join(
        _written((number, wire, _cut_graph(body, tensor) if number == _GRAPH else body))
        for number, wire, body in _fields(model)
    )


def _cut_graph(graph: bytes, tensor: str) -> bytes:
    fields = list(_fields(graph))
    nodes = [_node(body) if number == _NODE else None for number, _, body in fields]
    maker = {name: index for index, node in enumerate(nodes) if node for name in node[1]}
    if tensor not in maker:
        raise ValueError(f"no node computes {tensor}")
    needed, names, stack = set[int](), set[str](), [tensor]
    while stack:
        name = stack.pop()
        if name in names:
            continue
        names.add(name)
        index = maker.get(name)
        if index is not None and index not in needed:
            needed.add(index)
            node = nodes[index]
            assert node is not None
            stack += node[0]
    kept: list[Field] = []
    for index, (number, wire, body) in enumerate(fields):
        if number == _NODE and index not in needed:
            continue
        if number == _INITIALIZER and _text(body, _TENSOR_NAME) not in names:
            continue
        kept.append((number, wire, _renamed(body, tensor) if number == _OUTPUT else body))
    return b"".join(map(_written, kept))


def _node(body: bytes) -> tuple[list[str], list[str]]:
    inputs: list[str] = []
    outputs: list[str] = []
    for number, wire, value in _fields(body):
        if wire == _LENGTH_DELIMITED and number in (_NODE_INPUT, _NODE_OUTPUT):
            (inputs if number == _NODE_INPUT else outputs).append(value.decode())
    return inputs, outputs


def _text(body: bytes, field: int) -> str:
    return next((value.decode() for number, wire, value in _fields(body) if number == field and wire == 2), "")


def _renamed(value_info: bytes, name: str) -> bytes:
    return b"".join(
        _written((number, wire, name.encode() if number == _VALUE_NAME else value))
        for number, wire, value in _fields(value_info)
    )


def _fields(data: bytes) -> Iterator[Field]:
    """The fields of a message (https://protobuf.dev/programming-guides/encoding)."""
    position = 0
    while position < len(data):
        start = position
        header, position = _varint(data, position)
        number, wire = header >> 3, header & 7
        if wire == _LENGTH_DELIMITED:
            length, position = _varint(data, position)
            start, position = position, position + length
        elif wire == 0:
            _, position = _varint(data, position)
        elif wire in (1, 5):
            position += 8 if wire == 1 else 4
        else:
            raise ValueError("not a protocol buffer")
        if position > len(data):
            raise ValueError("not a protocol buffer: it ends too soon")
        yield number, wire, data[start:position]


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError("not a protocol buffer: it ends too soon")


def _written(field: Field) -> bytes:
    number, wire, body = field
    if wire != _LENGTH_DELIMITED:
        return body
    return _as_varint(number << 3 | wire) + _as_varint(len(body)) + body


def _as_varint(value: int) -> bytes:
    pieces = bytearray()
    while value > 0x7F:
        pieces.append(value & 0x7F | 0x80)
        value >>= 7
    pieces.append(value)
    return bytes(pieces)
