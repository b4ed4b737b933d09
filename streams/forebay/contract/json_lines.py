"""How do people write requests and read records? JSON, with the field names of the Avro schemas.

A request needs only ``messages``, or is plain text; what is left out has its default. Messages may be as the OpenAI
chat format has them: ``tools``, ``response_format`` and ``tool_calls`` as JSON values (the record carries them as JSON
text), ``content`` as a list of parts of text (joined by line feeds: glued together, two parts could make a word of two,
or hide a name from redaction).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, TypeVar

import fastuuid
from pydantic import TypeAdapter, ValidationError

from forebay.contract.clock import now_ms
from forebay.contract.field_names import explained
from forebay.contract.records import Message, Request

R = TypeVar("R")

_JSON_TEXT = ("tools", "response_format", "tool_calls")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_TEXT_PARTS = {"text": "text", "refusal": "refusal"}
"""Type of a part of a message's content, and the key under which it has its text."""
_OF_ANSWERS = frozenset({"annotations", "audio", "function_call", "refusal"})
"""What OpenAI's clients put, empty, into an answer that goes back into the conversation."""


class InvalidLineError(ValueError):
    """A line is no request; ``record_id`` is its id, where it has one."""

    def __init__(self, message: str, record_id: str | None = None) -> None:
        super().__init__(message)
        self.record_id = record_id


def new_id() -> str:
    """A UUIDv7: ids sort by time (RFC 9562)."""
    return str(fastuuid.uuid7())


def request_from_line(line: str, defaults: Mapping[str, Any] | None = None) -> Request:
    """A request from a line of JSON or of plain text; ``defaults`` for fields that it leaves out.

    Raises:
        InvalidLineError: the message never quotes the text.
    """
    line = line.removeprefix("\ufeff")  # what some editors begin a file with
    if not _is_unicode(line):
        raise InvalidLineError("the line is not UTF-8")
    if not line.lstrip().startswith("{"):
        if not line.strip():
            raise InvalidLineError("the line is empty")
        return complete(Request(messages=(Message(content=line.strip()),), **(defaults or {})))
    try:
        content = json.loads(line)
    except json.JSONDecodeError as error:
        raise InvalidLineError(f"not JSON: {error.msg} at column {error.colno}") from None
    except (ValueError, RecursionError):
        raise InvalidLineError(
            "not JSON that can be read: nested too deeply, or a number of thousands of digits"
        ) from None
    if not _is_unicode(json.dumps(content, ensure_ascii=False)):
        raise InvalidLineError("a text is not Unicode: it has half of a surrogate pair")
    return request_from_json({**(defaults or {}), **content})


def request_from_json(content: Mapping[str, Any]) -> Request:
    """A request from parsed JSON. Raises :class:`InvalidLineError` naming each wrong field, never quoting its value.

    ``messages`` may be a text; values that are records already (``Message``, ``Params`` …) are taken as they are.
    """
    given = content.get("request_id")
    record_id = given if isinstance(given, str) else None
    values = _json_text(dict(content))
    params = values.get("params")
    if isinstance(params, Mapping) and isinstance(params.get("tool_choice"), dict):
        values["params"] = {**params, "tool_choice": json.dumps(params["tool_choice"], ensure_ascii=False)}
    messages = values.get("messages")
    if isinstance(messages, str):
        values["messages"] = [{"content": messages}]
    elif isinstance(messages, list | tuple):
        try:
            values["messages"] = [
                _turn(dict(message), number) if isinstance(message, Mapping) else message
                for number, message in enumerate(messages)
            ]
        except InvalidLineError as error:
            raise InvalidLineError(str(error), record_id) from None
    try:
        request: Request = _adapter(Request).validate_python(values)
    except ValidationError as error:
        problems = "; ".join(map(explained, error.errors(include_input=False, include_url=False)))
        raise InvalidLineError(problems, record_id) from None
    return complete(request)


def record_from_json(kind: type[R], content: Mapping[str, Any]) -> R:
    """A record of ``kind`` from JSON values as :func:`to_json` gives them. Raises ``pydantic.ValidationError``."""
    adapter: Any = _adapter  # the cache's types do not admit a type variable
    record: R = adapter(kind).validate_python(content)
    return record


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def complete(request: Request) -> Request:
    """``request`` with an id and a time, where it has none."""
    return replace(
        request,
        request_id=request.request_id or new_id(),
        created_at=request.created_at or now_ms(),
    )


_PLAIN = frozenset({str, int, float, bool, NoneType})


def to_json(record: Any) -> Any:
    """A record as JSON values."""
    kind: Any = type(record)
    if kind in _PLAIN:
        return record
    if (names := _names(kind)) is not None:  # nearly all are plain, and a call costs more than to look here already
        values = [(name, getattr(record, name)) for name in names]
        return {name: value if type(value) in _PLAIN else to_json(value) for name, value in values}
    if isinstance(record, Enum):
        return record.value
    if isinstance(record, Mapping):
        return {key: to_json(value) for key, value in record.items()}
    if isinstance(record, tuple | list):
        return [to_json(item) for item in record]
    return record


@cache
def _names(kind: Any) -> tuple[str, ...] | None:
    """Of the fields of a record; ``None``: it is none. To ask a record itself costs 10 µs each time."""
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else None


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _turn(values: dict[str, Any], number: int) -> dict[str, Any]:
    for name in _OF_ANSWERS.intersection(values):
        if not values[name]:
            del values[name]
    content = values.get("content")
    if values.get("tool_calls") is not None and content is None:
        values["content"] = ""  # OpenAI writes null where an assistant only calls tools
    elif isinstance(content, list | tuple):
        values["content"] = "\n".join(_text(part, f"messages.{number}.content.{at}") for at, part in enumerate(content))
    return _json_text(values)


def _text(part: Any, place: str) -> str:
    kind = part.get("type") if isinstance(part, Mapping) else None
    if not isinstance(kind, str):
        raise InvalidLineError(f"{place}: a part without a type; only parts of text can be read")
    if kind not in _TEXT_PARTS:
        named = f"of the type {kind!r}" if _NAME.fullmatch(kind) else "of no known type"  # it may be anybody's text
        raise InvalidLineError(f"{place}: a part {named}; only parts of text can be read")
    text = part.get(_TEXT_PARTS[kind])
    if not isinstance(text, str):
        raise InvalidLineError(f"{place}.{_TEXT_PARTS[kind]}: Input should be a valid string")
    return text


def _json_text(values: dict[str, Any]) -> dict[str, Any]:
    for name in _JSON_TEXT:
        if isinstance(values.get(name), dict | list):
            values[name] = json.dumps(values[name], ensure_ascii=False)
    return values
