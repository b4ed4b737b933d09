"""Which Avro schema belongs to a record? Reads ``schemas/forebay.*.avsc`` and inlines the types they name."""

import json
from functools import cache
from typing import Any

from fastavro.schema import load_schema

from forebay.contract import records
from forebay.resources import data_path

Schema = dict[str, Any]
"""A parsed Avro record schema as plain JSON objects."""


@cache
def record_types() -> dict[str, type[Any]]:
    """Record name to its Python class, for every record that is the value of a topic."""
    return {cls.__name__: cls for cls in records.Record.__args__}


@cache
def schema_of(record: str) -> Schema:
    """Self-contained schema of the record named ``record``, as it is registered.

    Raises:
        FileNotFoundError: there is no such schema file.
    """
    path = data_path("schemas") / f"forebay.{record}.avsc"
    if not path.exists():
        raise FileNotFoundError(f"no schema for record {record!r}: {path}")
    loaded = load_schema(str(path))
    assert isinstance(loaded, dict)
    return {key: value for key, value in loaded.items() if not key.startswith("__")}


def record_name(schema: Schema) -> str:
    """Name without the namespace, which some registries give apart and some do not."""
    return str(schema.get("name")).rpartition(".")[2]


def canonical_text(schema: Schema) -> str:
    """One-line JSON text of a schema: what a registry stores and compares.

    Keys are sorted, since fastavro gives them in an order that differs from process to process.
    """
    return json.dumps(schema, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
