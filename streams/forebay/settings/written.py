"""Does every key exist that somebody wrote down, however deep? Pydantic would know, but not what was meant."""

from collections.abc import Callable, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from forebay.settings.faults import meant, nearest, shown
from forebay.settings.file import Path_
from forebay.settings.known import keys
from forebay.settings.section import Section

Report = Callable[[Path_, str], None]
"""Told the path of what is wrong, and what that is."""


def known_only(annotation: Any, value: Any, path: Path_, report: Report) -> Any:
    """``value`` without the keys that ``annotation`` does not have; each of them is reported."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return known_only(arguments[0], value, path, report)
    if origin in (Union, UnionType):
        models = [one for one in arguments if one is not type(None)]
        return known_only(models[0], value, path, report) if len(models) == 1 else value
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and isinstance(value, dict):
        return _of_model(annotation, value, path, report)
    if origin in (tuple, list, set, frozenset) and arguments and isinstance(value, list | tuple):
        return [known_only(arguments[0], one, (*path, at), report) for at, one in enumerate(value)]
    if origin is tuple and arguments and isinstance(value, dict):  # one may stand for a list of one
        return known_only(arguments[0], value, path, report)
    if origin in (dict, Mapping) and isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                report((*path, str(key)), "a key is text here: put it in quotes")
        return {
            key: known_only(arguments[1], one, (*path, key), report)
            for key, one in value.items()
            if isinstance(key, str)
        }
    return value


def _of_model(model: type[BaseModel], value: dict[Any, Any], path: Path_, report: Report) -> dict[str, Any]:
    kept = {}
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for key, one in value.items():
        field = fields.get(key) if isinstance(key, str) else None
        if field is None:
            report((*path, str(key)), _unknown(model, str(key)))
        else:
            kept[key] = known_only(field.annotation, one, (*path, key), report)
    return kept


def _unknown(model: type[BaseModel], key: str) -> str:
    own = [field.alias or name for name, field in model.model_fields.items()]
    if issubclass(model, Section):
        if successor := model.renamed.get(key):
            return f"is called {successor} now"
        if not nearest(key, own):
            return f"there is no such key{_elsewhere(key)}"
    return f"there is no such key{meant(key, own)}"


def unknown_section(name: str, known: list[str]) -> str:
    """What to say of a section that nobody has."""
    return f"there is no such section{meant(name, known) or _elsewhere(name)}"


def _elsewhere(key: str) -> str:
    """Keys of that very name in other sections."""
    found = [path for path in keys() if path.partition(".")[2] == key.casefold()]
    return f"; did you mean {' or '.join(shown(one) for one in found[:3])}?" if found else ""
