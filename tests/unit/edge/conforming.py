"""Is a body what OpenAI's own types say it is? Strictly: no other type in the place of one, and nothing besides."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

Kind = TypeVar("Kind", bound=BaseModel)


def conforming(kind: type[Kind], body: Mapping[str, Any]) -> Kind:
    """``body`` as ``kind``, which says all of it: OpenAI's types take anything, so what they left over is looked for.

    Raises:
        AssertionError: there is more in it than ``kind`` knows, or something that it says otherwise.
        pydantic.ValidationError: there is another type in the place of one.
    """
    found = kind.model_validate(body, strict=True)
    assert list(_unknown(found)) == []
    assert found.model_dump(exclude_unset=True) == body
    return found


def _unknown(value: Any) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from (f"{type(value).__name__}.{name}" for name in value.model_extra or ())
        for name in type(value).model_fields:
            yield from _unknown(getattr(value, name))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _unknown(one)
