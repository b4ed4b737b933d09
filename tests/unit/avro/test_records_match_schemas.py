"""The Python records and the Avro schemas say the same: fields, order, types, symbols, defaults; all documented."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from forebay.avro.schemas import record_types, schema_of
from forebay.contract import records
from forebay.contract.json_lines import to_json
from forebay.contract.topics import TOPICS
from forebay.resources import data_path

FILES = {path.stem: json.loads(path.read_text()) for path in data_path("schemas").glob("*.avsc")}
KINDS = {
    f"forebay.{name}": kind
    for name in records.__all__
    if isinstance(kind := getattr(records, name), type) and (is_dataclass(kind) or issubclass(kind, Enum))
}
RECORDS = {name: kind for name, kind in KINDS.items() if is_dataclass(kind)}
ENUMS = {name: kind for name, kind in KINDS.items() if issubclass(kind, Enum)}
_AVRO = {str: "string", int: "long", float: "double", bool: "boolean"}


def avro_of(kind: Any) -> Any:
    """The Avro type that a Python type stands for, without logical types."""
    if kind in _AVRO:
        return _AVRO[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:
        [inner] = [part for part in arguments if part is not NoneType]
        return ["null", avro_of(inner)]
    if origin is tuple:
        assert arguments[1:] == (Ellipsis,)
        return {"type": "array", "items": avro_of(arguments[0])}
    if origin is Mapping:
        assert arguments[0] is str
        return {"type": "map", "values": avro_of(arguments[1])}
    return f"forebay.{kind.__name__}"


def plain(node: Any) -> Any:
    """An Avro type without its logical types."""
    if isinstance(node, list):
        return [plain(part) for part in node]
    if isinstance(node, dict):
        return node["type"] if "logicalType" in node else {key: plain(value) for key, value in node.items()}
    return node


def is_time(node: Any) -> bool:
    return "timestamp-millis" in json.dumps(node)


def default_of(field: Any) -> Any:
    assert field.default is not MISSING or field.default_factory is not MISSING, f"{field.name} has no default"
    return to_json(field.default if field.default is not MISSING else field.default_factory())


def test_every_schema_has_a_type_and_every_type_a_schema() -> None:
    assert FILES.keys() == KINDS.keys()
    assert {f"forebay.{name}" for name in record_types()} <= RECORDS.keys()


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_equals_its_schema(name: str) -> None:
    hints = get_type_hints(RECORDS[name])
    assert FILES[name]["name"] == name.removeprefix("forebay.")
    assert FILES[name]["namespace"] == "forebay"
    mine = [(field.name, avro_of(hints[field.name]), default_of(field)) for field in fields(RECORDS[name])]
    theirs = [(field["name"], plain(field["type"]), field["default"]) for field in FILES[name]["fields"]]
    assert mine == theirs


@pytest.mark.parametrize("name", ENUMS)
def test_an_enum_equals_its_schema_and_has_a_default_for_symbols_to_come(name: str) -> None:
    schema = FILES[name]
    assert schema["symbols"] == [member.value for member in ENUMS[name]]
    assert schema["default"] in schema["symbols"]


@pytest.mark.parametrize("name", FILES)
def test_everything_is_documented(name: str) -> None:
    assert FILES[name]["doc"].strip()
    for field in FILES[name].get("fields", []):
        assert field["doc"].strip(), f"{name}.{field['name']}"


def _fields() -> Iterator[tuple[str, str, Any]]:
    for name in RECORDS:
        for field in FILES[name]["fields"]:
            yield name, field["name"], field["type"]


@pytest.mark.parametrize(("record", "name", "kind"), list(_fields()))
def test_what_is_a_moment_says_so_and_money_is_whole(record: str, name: str, kind: Any) -> None:
    moment = name.endswith("_at") or name in ("at", "window_start")
    assert is_time(kind) == (moment and (record, name) != ("forebay.Delta", "at"))  # that one is a place in a text
    if name.endswith("_nanousd"):
        assert plain(kind) in ("long", ["null", "long"])


@pytest.mark.parametrize("topic", [topic for topic in TOPICS.values() if topic.record], ids=lambda topic: topic.name)
def test_a_topics_schema_is_self_contained(topic: Any) -> None:
    assert topic.record
    text = json.dumps(schema_of(topic.record.__name__))
    for name in FILES:
        if f'"{name}"' in text:
            assert text.index(f'"name": "{name}"') <= text.index(f'"{name}"'), f"{name} is used before it is defined"
