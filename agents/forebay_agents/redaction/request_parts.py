"""Which parts of a request can hold personal data? All that an application or a model can write text into.

One traversal serves both directions: it is walked once to collect the texts and once to put the redacted ones in their
place, so that no field can be read and then forgotten. Ids, task and tier are checked to be plain identifiers instead
(:mod:`forebay_agents.redaction.validation`).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from forebay.contract.records import Message, MessageRole, Params, RedactedRequest, Request
from forebay.contract.records.conversation import RequestFields


class Sort(StrEnum):
    """How a part is read: ``prose`` may hold names; ``identifier`` (JSON keys, ids, numbers) only structured data:
    "paris" as a property name is no place.
    """

    PROSE = "prose"
    IDENTIFIER = "identifier"


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A piece of text.

    Attributes:
        speaker: who said it, for the context of a dialogue.
        joined: follows its predecessor on the same line ("ssn: 123…"), so that a key is its value's context.
        said: whether it is what a message says, and no field of it.
    """

    text: str
    sort: Sort = Sort.PROSE
    speaker: str = ""
    joined: bool = False
    said: bool = False


SCHEMAS = frozenset({"tools", "response_format", "tool_choice"})
_KEYWORDS = frozenset({"type", "name", "required", "format", "$ref", "$schema", "$id"})
"""Keys of a tool or a JSON Schema whose strings are no prose."""
Visit = Callable[[Part], str]
"""Called for each part, in order; what it returns takes the part's place."""


def collect(request: Request) -> list[Part]:
    """All parts of ``request``, in order."""
    found: list[Part] = []

    def visit(part: Part) -> str:
        found.append(part)
        return part.text

    _walk(request, visit)
    return found


def rebuild(request: Request, texts: Sequence[str]) -> RedactedRequest:
    """``request`` with its parts replaced, in the order of :func:`collect`."""
    remaining = iter(texts)
    walked = _walk(request, lambda _: next(remaining))
    if next(remaining, None) is not None:
        raise ValueError("more texts than parts")
    return RedactedRequest(**{f.name: getattr(walked, f.name) for f in fields(RequestFields)})


def _walk(request: Request, visit: Visit) -> Request:
    return replace(
        request,
        messages=tuple(_message(message, visit) for message in request.messages),
        tools=_json(request.tools, visit, "tools"),
        response_format=_json(request.response_format, visit, "response_format"),
        params=_params(request.params, visit),
        metadata={
            visit(Part(text=key, sort=Sort.IDENTIFIER)): visit(Part(text=value, joined=True))
            for key, value in request.metadata.items()
        },
    )


def _params(params: Params, visit: Visit) -> Params:
    choice = params.tool_choice
    if choice is not None and choice.startswith("{"):  # else one of three words
        choice = _json(choice, visit, "tool_choice")
    return replace(params, stop=tuple(visit(Part(text=text)) for text in params.stop), tool_choice=choice)


def _message(message: Message, visit: Visit) -> Message:
    speaker = message.role.value
    # The name of a tool message is a function's.
    sort = Sort.IDENTIFIER if message.role is MessageRole.TOOL else Sort.PROSE
    return replace(
        message,
        name=None if message.name is None else visit(Part(text=message.name, sort=sort, speaker=speaker)),
        content=visit(Part(text=message.content, speaker=speaker, said=True)),
        tool_call_id=_identifier(message.tool_call_id, visit),
        tool_calls=_json(message.tool_calls, visit, speaker),
    )


def _identifier(text: str | None, visit: Visit) -> str | None:
    return None if text is None else visit(Part(text=text, sort=Sort.IDENTIFIER))


def _json(text: str | None, visit: Visit, speaker: str) -> str | None:
    """JSON text with its strings, keys and numbers visited; unchanged, to the blank, if none of them is."""
    if text is None:
        return None
    parsed = strict_json(text)
    changed = _node(parsed, visit, speaker, joined=False)
    return text if changed == parsed else json.dumps(changed, ensure_ascii=False)


def _node(node: Any, visit: Visit, speaker: str, *, joined: bool) -> Any:
    if isinstance(node, str):
        inner = nested(node)
        if inner is not None:  # JSON in a string: the arguments of a tool call
            changed = _node(inner, visit, speaker, joined=False)
            return node if changed == inner else json.dumps(changed, ensure_ascii=False)
        return visit(Part(text=node, speaker=speaker, joined=joined))
    if isinstance(node, bool) or node is None:
        return node
    if isinstance(node, int | float):
        text = json.dumps(node)
        redacted = visit(Part(text=text, sort=Sort.IDENTIFIER, speaker=speaker, joined=joined))
        return node if redacted == text else redacted
    if isinstance(node, list):
        return [_node(item, visit, speaker, joined=joined and index == 0) for index, item in enumerate(node)]
    return {
        visit(Part(text=key, sort=Sort.IDENTIFIER, speaker=speaker)): (
            _keyword(value, visit, speaker)
            if speaker in SCHEMAS and key in _KEYWORDS
            else _node(value, visit, speaker, joined=True)
        )
        for key, value in node.items()
    }


def _keyword(value: Any, visit: Visit, speaker: str) -> Any:
    """The value of a keyword of JSON Schema: a name in a program, and no context either ("name: order")."""
    if isinstance(value, str):
        return visit(Part(text=value, sort=Sort.IDENTIFIER, speaker=speaker))
    if isinstance(value, list):
        return [_keyword(item, visit, speaker) for item in value]
    return _node(value, visit, speaker, joined=False)


def nested(text: str) -> Any:
    """The JSON object or array that ``text`` is; ``None`` if it is something else."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        parsed = strict_json(text)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict | list) else None


def strict_json(text: str) -> Any:
    """Parsed JSON. Raises ``ValueError`` also for repeated keys, whose first value would go unseen and unredacted."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("repeated key")
        return found

    return json.loads(text, object_pairs_hook=unique)


def document(parts: Sequence[Part]) -> tuple[str, list[tuple[int, int]]]:
    """The parts as one text, and where each of them lies in it: what was asked is context for the answer."""
    pieces: list[str] = []
    bounds: list[tuple[int, int]] = []
    length = 0
    for index, part in enumerate(parts):
        separator = "" if index == 0 else ": " if part.joined else "\n"
        pieces += (separator, part.text)
        length += len(separator)
        bounds.append((length, length + len(part.text)))
        length += len(part.text)
    return "".join(pieces), bounds
