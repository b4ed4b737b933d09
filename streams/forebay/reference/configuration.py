"""What can be configured? Every key of every section, from the classes that declare them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from inspect import cleandoc
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from forebay.reference.discovery import DISTRIBUTION
from forebay.reference.markdown import code, page, prose, table
from forebay.resources import data_path
from forebay.settings import Section, known
from forebay.settings.known import OUTSIDE

_NAMES = {
    datetime: "date or time",
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    SecretStr: "secret text",
    Path: "path",
}
_BOUNDS = (
    (Ge, "ge", "≥"),
    (Gt, "gt", ">"),
    (Le, "le", "≤"),
    (Lt, "lt", "<"),
    (MinLen, "min_length", "length ≥"),
    (MaxLen, "max_length", "length ≤"),
)
_REFERENCE = re.compile(r"\$\{(?P<name>FOREBAY_[A-Z0-9_]+)(?::-(?P<default>[^}]*))?\}")

_INTRODUCTION = """\
A key `KEY` of section `SECTION` is read from the environment variable `FOREBAY_SECTION_KEY`, then from
`SECTION: {KEY: …}` in the configuration file, then it has the default below. The file is `$FOREBAY_CONFIG`, else
`forebay.yaml` in the current directory, else the one that is shipped. A file may be partial: what it leaves out is as
shipped. Values in the file may name the environment: `${NAME}` must be set, `${NAME:-default}` need not be. In the
environment, lists and mappings are JSON.

Every command but `config`, `down` and `reference` looks at all of it before it begins. A section, key or variable
`FOREBAY_…` that nobody reads, a value out of bounds, a file that is named and not there stop it with exit status 2:
all of them at once, each with its place and the nearest right name. `forebay config check` does only that, `forebay
config show --origin` says what counts and why: [configure](../how-to/configure.md)."""


def sections() -> Sequence[type[Section]]:
    """All sections of the distribution, by name."""
    return known.sections(DISTRIBUTION)


def environment_names() -> frozenset[str]:
    """Every variable ``FOREBAY_…`` that means something: keys, and what the shipped file refers to."""
    keys = {section.variable(key) for section in sections() for key in section.model_fields}
    return frozenset(keys | {name for name, _ in _file_references()} | OUTSIDE.keys())


def configuration_page() -> str:
    """``docs/reference/configuration.md``."""
    parts = [_INTRODUCTION]
    for section in sections():
        parts += [f"## {section.section}", prose(cleandoc(section.__doc__ or ""))]
        parts.append(_keys_with_variables(section))
        for path, model in _nested(section.section, section):
            parts += [f"### {model.__name__}: {code(path)}", prose(cleandoc(model.__doc__ or "")), _keys(model)]
    references = [[code(name), code(default or "")] for name, default in _file_references()]
    parts += [
        "## Variables that the shipped file refers to",
        "They fill in values of `forebay.yaml`, such as the models of its two tiers.",
        table(["variable", "when it is not set"], references),
        "## Variables outside the sections",
        table(["variable", "meaning"], [[code(name), meaning] for name, meaning in OUTSIDE.items()]),
    ]
    return page("Configuration", "the settings classes", *parts)


def _keys_with_variables(section: type[Section]) -> str:
    rows = [
        [code(key), code(section.variable(key)), _type(field), _default(field), prose(field.description or "")]
        for key, field in section.model_fields.items()
    ]
    return table(["key", "variable", "type", "default", "meaning"], rows)


def _keys(model: type[BaseModel]) -> str:
    rows = [
        [code(f.alias or key), _type(f), _default(f), prose(f.description or "")]
        for key, f in model.model_fields.items()
    ]
    return table(["key", "type", "default", "meaning"], rows)


def _nested(path: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """Models inside ``model``, depth first, each with the path of its keys; a model is shown once."""
    seen: set[type[BaseModel]] = set()

    def walk(path: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
        for key, field in model.model_fields.items():
            for suffix, inner in _models(field.annotation):
                if inner not in seen:
                    seen.add(inner)
                    yield f"{path}.{key}{suffix}", inner
                    yield from walk(f"{path}.{key}{suffix}", inner)

    return walk(path, model)


def _models(annotation: Any) -> Iterator[tuple[str, type[BaseModel]]]:
    """Models that ``annotation`` mentions, with how a key gets there: ``[]`` of a list, ``.NAME`` of a mapping."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _models(arguments[0])
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield "", annotation
    elif origin in (tuple, list, frozenset, set):
        yield from (("[]" + suffix, model) for suffix, model in _models(arguments[0]))
    elif origin in (dict, Mapping):
        yield from ((".NAME" + suffix, model) for suffix, model in _models(arguments[1]))
    elif origin in (Union, UnionType):
        for argument in arguments:
            yield from _models(argument)


def _type(field: FieldInfo) -> str:
    """Type and bounds of a key, in words."""
    bounds = [
        f"{sign} {getattr(constraint, attribute)}"
        for constraint in field.metadata
        for kind, attribute, sign in _BOUNDS
        if isinstance(constraint, kind)
    ]
    return ", ".join([type_words(field.annotation), *bounds])


def type_words(annotation: Any) -> str:
    """A type annotation in words, for people who write YAML."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_words(arguments[0])
    if annotation in _NAMES:
        return _NAMES[annotation]
    if origin is Literal:
        return " or ".join(code(str(value)) for value in arguments)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(code(str(member.value)) for member in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"{annotation.__name__} (below)"
    if origin in (tuple, list, frozenset, set):
        return f"list of {type_words(arguments[0])}"
    if origin in (dict, Mapping):
        return f"mapping of {type_words(arguments[0])} to {type_words(arguments[1])}"
    if origin in (Union, UnionType):
        return " or ".join("nothing" if argument is type(None) else type_words(argument) for argument in arguments)
    return str(getattr(annotation, "__name__", annotation))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()  # a declared default is no secret
    if value is None or (value in ("", (), [], {}) and not isinstance(value, int)):
        return "nothing" if value is None else "empty"
    return code(_yaml(value))


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_yaml(item) for item in value) + "]"
    return str(value)


def _file_references() -> list[tuple[str, str | None]]:
    """Variables in the shipped file, in its order, with their defaults."""
    text = data_path("forebay.yaml").read_text("utf-8")
    return list(dict.fromkeys((match["name"], match["default"]) for match in _REFERENCE.finditer(text)))
