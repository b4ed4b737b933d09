"""Which messages does a body have? Each field that is wrong is named by its place, and nothing is quoted."""

import json
import re
from collections.abc import Mapping
from typing import Any

from forebay.contract.records import Message, MessageRole
from forebay.edge.errors import Refused

MOST_MESSAGES = 4_096
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_TEXT_PARTS = {"text": "text", "refusal": "refusal"}
_KNOWN = frozenset({"role", "content", "name", "tool_call_id", "tool_calls", "refusal", "annotations", "audio"})
_LONGEST_NAME = 256


def messages_of(given: Any) -> tuple[tuple[Message, ...], frozenset[str]]:
    """The messages, and the names of fields that were ignored.

    Raises:
        Refused: ``invalid_value``, ``unsupported_content``.
    """
    if not isinstance(given, list):
        raise Refused("invalid_value", "messages: a list of messages is needed", "messages")
    if not 0 < len(given) <= MOST_MESSAGES:
        raise Refused("invalid_value", f"messages: between 1 and {MOST_MESSAGES:,} are accepted", "messages")
    ignored = set[str]()
    found = []
    for number, one in enumerate(given):
        place = f"messages.[{number}]"
        if not isinstance(one, dict):
            raise Refused("invalid_value", f"{place}: an object is needed", place)
        ignored.update(one.keys() - _KNOWN)
        found.append(_message(one, place))
    return tuple(found), frozenset(ignored)


def _message(given: Mapping[str, Any], place: str) -> Message:
    role = _role(given.get("role"), f"{place}.role")
    calls = given.get("tool_calls")
    if calls is not None and calls != []:
        _check_calls(calls, role, f"{place}.tool_calls")
    else:
        calls = None
    content = given.get("content")
    if content is None and isinstance(given.get("refusal"), str) and role is MessageRole.ASSISTANT:
        content = given["refusal"]
    if content is None and calls is None:
        raise Refused("invalid_value", f"{place}.content: a text is needed", f"{place}.content")
    call_id = _short(given.get("tool_call_id"), f"{place}.tool_call_id")
    if role is MessageRole.TOOL and not call_id:
        raise Refused("invalid_value", f"{place}.tool_call_id: which call is answered?", f"{place}.tool_call_id")
    return Message(
        role=role,
        content="" if content is None else _content(content, f"{place}.content"),
        name=_short(given.get("name"), f"{place}.name"),
        tool_call_id=call_id,
        tool_calls=None if calls is None else json.dumps(calls, ensure_ascii=False),
    )


def _role(given: Any, place: str) -> MessageRole:
    try:
        return MessageRole(given)
    except ValueError:
        roles = ", ".join(MessageRole)
        raise Refused("invalid_value", f"{place}: one of {roles} is needed", place) from None


def _content(given: Any, place: str) -> str:
    if isinstance(given, str):
        return given
    if not isinstance(given, list):
        raise Refused("invalid_value", f"{place}: a text or a list of parts is needed", place)
    # By line feeds: glued together, two parts could make a word of two, or hide a name from redaction.
    return "\n".join(_part(part, f"{place}.[{number}]") for number, part in enumerate(given))


def _part(given: Any, place: str) -> str:
    kind = given.get("type") if isinstance(given, dict) else None
    if not isinstance(kind, str):
        raise Refused("invalid_value", f"{place}: a part without a type", place)
    if kind not in _TEXT_PARTS:
        named = f"of the type {kind}" if _NAME.fullmatch(kind) else "of no known type"
        raise Refused("unsupported_content", f"{place}: a part {named}; only text can be redacted", place)
    text = given.get(_TEXT_PARTS[kind])
    if not isinstance(text, str):
        raise Refused("invalid_value", f"{place}.{_TEXT_PARTS[kind]}: a text is needed", f"{place}.{kind}")
    return text


def _check_calls(given: Any, role: MessageRole, place: str) -> None:
    if not isinstance(given, list) or not all(isinstance(call, dict) for call in given):
        raise Refused("invalid_value", f"{place}: a list of objects is needed", place)
    if role is not MessageRole.ASSISTANT:
        raise Refused("invalid_value", f"{place}: only an assistant calls tools", place)
    for number, call in enumerate(given):
        if not isinstance(call.get("id"), str) or not call["id"]:
            raise Refused("invalid_value", f"{place}.[{number}].id: a text is needed", f"{place}.[{number}].id")


def _short(given: Any, place: str) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str) or len(given) > _LONGEST_NAME:
        raise Refused("invalid_value", f"{place}: a text of at most {_LONGEST_NAME} characters is needed", place)
    return given
