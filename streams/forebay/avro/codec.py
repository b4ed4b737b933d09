"""How does a record become bytes and back? Avro in the Confluent wire format.

The format: 0x00, schema id (4 bytes, big-endian), Avro body.
Encoding goes through generated functions (`record -> dict` and back) because ``dataclasses.asdict`` alone costs more
than the Avro encoding; figures in docs/performance.md. Schemas are parsed once, at start (:meth:`Codec.warm`).
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from io import BytesIO
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

import fastavro

from forebay.avro.registry import Registry, UnknownSchemaError
from forebay.avro.schemas import Schema, record_name, schema_of
from forebay.contract.names import topic_on_broker
from forebay.contract.topics import TOPICS
from forebay.contract.wire import UndecodableError as UndecodableError  # raised here: who decodes finds it here
from forebay.settings import KafkaSettings, Settings

R = TypeVar("R")

MAGIC = 0
_HEADER = struct.Struct(">bI")


class Codec(Generic[R]):
    """Encodes and decodes one record type on one subject.

    Args:
        record: dataclass from :mod:`forebay.contract.records`.
        subject: registry subject, ``<topic>-value`` (TopicNameStrategy).
        registry: where schema ids come from.
    """

    def __init__(self, record: type[R], subject: str, registry: Registry) -> None:
        self.record = record
        self.subject = subject
        self._registry = registry
        self._schema = schema_of(record.__name__)
        self._reader = _parse(self._schema)
        kind: Any = record
        self._to_dict = to_dict(kind)
        self._from_dict = from_dict(kind)
        self._prefix: bytes | None = None
        self._own_id: int | None = None
        self._writers: dict[int, Any] = {}

    def warm(self) -> None:
        """Look the schema id up now instead of on the first record. Raises :class:`UnknownSchemaError`."""
        self._own_id = self._registry.id_of(self.subject, self._schema)
        self._prefix = _HEADER.pack(MAGIC, self._own_id)

    def encode(self, value: R) -> bytes:
        """Bytes of ``value``. Raises ``TypeError``/``ValueError`` when a field has the wrong type or range."""
        if self._prefix is None:
            self.warm()
        assert self._prefix is not None
        buffer = BytesIO()
        buffer.write(self._prefix)
        try:
            fastavro.schemaless_writer(buffer, self._reader, self._to_dict(value))
        except OverflowError:
            raise ValueError("a number does not fit into 64 bits") from None
        return buffer.getvalue()

    def decode(self, data: bytes | None) -> R:
        """The record in ``data``, whatever version of the schema wrote it.

        Raises:
            UndecodableError: with code ``empty_message``, ``not_avro``, ``unknown_schema`` or ``undecodable``.
        """
        if not data:
            raise UndecodableError("empty_message", "the record has no value")
        if len(data) < _HEADER.size or data[0] != MAGIC:
            raise UndecodableError("not_avro", "the value does not begin with the Confluent wire format's magic byte")
        schema_id = _HEADER.unpack_from(data)[1]
        writer = self._writer(schema_id)
        body = BytesIO(data)
        body.seek(_HEADER.size)
        try:
            decoded: Any = fastavro.schemaless_reader(body, writer, None if writer is self._reader else self._reader)
            value: R = self._from_dict(decoded)
        except Exception as error:  # noqa: BLE001 - fastavro raises a dozen types on hostile bytes
            # The reader's own message may quote the data, and the data may be personal: name the type only.
            raise UndecodableError(
                "undecodable", f"cannot decode as schema {schema_id}: {type(error).__name__}"
            ) from None
        if body.tell() != len(data):
            raise UndecodableError("undecodable", f"{len(data) - body.tell()} bytes follow the record")
        return value

    def _writer(self, schema_id: int) -> Any:
        if self._own_id is None:
            self.warm()
        if schema_id == self._own_id:
            return self._reader
        known = self._writers.get(schema_id)
        if known is None:
            try:
                schema = self._registry.schema(schema_id)
            except UnknownSchemaError as error:
                raise UndecodableError("unknown_schema", str(error)) from None
            if record_name(schema) != self.record.__name__:
                raise UndecodableError(
                    "unknown_schema", f"schema {schema_id} is of {record_name(schema)}, not of {self.record.__name__}"
                )
            known = self._writers[schema_id] = _parse(schema)
        return known


def _parse(schema: Schema) -> Any:
    """Parsed schema without logical types: times stay whole milliseconds instead of becoming ``datetime``."""

    def strip(node: Any) -> Any:
        if isinstance(node, list):
            return [strip(item) for item in node]
        if isinstance(node, dict):
            if node.get("logicalType") == "timestamp-millis":
                return node["type"]
            return {
                key: strip(value) if key in {"type", "fields", "items", "values"} else value
                for key, value in node.items()
                if not key.startswith("__")
            }
        return node

    return fastavro.parse_schema(strip(schema))


@cache
def to_dict(record: Any) -> Callable[[Any], dict[str, Any]]:
    """A function from an instance of ``record`` to the plain dict that fastavro writes."""
    return _generate(record, f"lambda r: {_write_expression(record, 'r')}")


@cache
def from_dict(record: Any) -> Callable[[Mapping[str, Any]], Any]:
    """A function from the dict that fastavro read to an instance of ``record``."""
    return _generate(record, f"lambda d: {_read_expression(record, 'd')}")


def _write_expression(kind: Any, name: str) -> str:
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        items = (f"{f.name!r}: {_write_expression(hints[f.name], f'{name}.{f.name}')}" for f in fields(kind))
        return "{" + ", ".join(items) + "}"
    match _shape(kind):
        case ("optional", inner):
            written = _write_expression(inner, "v")
            return name if written == "v" else f"(None if {name} is None else (lambda v: {written})({name}))"
        case ("array", inner):
            written = _write_expression(inner, "v")
            return name if written == "v" else f"[{written} for v in {name}]"
    return name


def _read_expression(kind: Any, name: str) -> str:
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        items = (f"{f.name}={_read_expression(hints[f.name], f'{name}[{f.name!r}]')}" for f in fields(kind))
        return f"{_name(kind)}(" + ", ".join(items) + ")"
    match _shape(kind):
        case ("optional", inner):
            read = _read_expression(inner, "v")
            return name if read == "v" else f"(None if {name} is None else (lambda v: {read})({name}))"
        case ("array", inner):
            read = _read_expression(inner, "v")
            return f"tuple({name})" if read == "v" else f"tuple([{read} for v in {name}])"
        case ("enum", _):
            return f"{kind.__name__}({name})"
    return name


def _name(kind: Any) -> str:
    name: str = kind.__name__
    return name


def _shape(kind: Any) -> tuple[str, Any]:
    origin = get_origin(kind)
    if origin is UnionType:
        return "optional", next(arg for arg in get_args(kind) if arg is not NoneType)
    if origin is tuple:
        return "array", get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "enum", kind
    return "plain", kind


def _generate(record: Any, source: str) -> Callable[[Any], Any]:
    generated: Callable[[Any], Any] = eval(source, _namespace(record))  # noqa: S307 - source is made of our own fields
    return generated


def _namespace(record: type[Any]) -> dict[str, Any]:
    names: dict[str, Any] = {record.__name__: record}
    for hint in get_type_hints(record).values():
        for kind in (hint, *get_args(hint)):
            if is_dataclass(kind) and isinstance(kind, type):
                names |= _namespace(kind)
            elif isinstance(kind, type) and issubclass(kind, Enum):
                names[kind.__name__] = kind
    return names


def open_codecs(settings: Settings, registry: Registry) -> dict[str, Codec[Any]]:
    """A codec for every topic that has a record type, by logical name."""
    kafka = settings[KafkaSettings]
    return {
        topic.name: Codec(topic.record, topic_on_broker(topic.subject, kafka), registry)
        for topic in TOPICS.values()
        if topic.record is not None
    }
