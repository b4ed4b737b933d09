"""Hypothesis strategies for every record, generated from the dataclasses themselves."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=6),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
}


@cache
def records_of(kind: Any) -> st.SearchStrategy[Any]:
    """Instances of ``kind``, every field drawn."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return st.one_of(*(st.none() if part is NoneType else records_of(part) for part in arguments))
    if origin is tuple:
        return st.lists(records_of(arguments[0]), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(records_of(arguments[0]), records_of(arguments[1]), max_size=2)
    assert is_dataclass(kind), kind
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: records_of(hints[field.name]) for field in fields(kind)})
