"""Is a body JSON that can be handed on? UTF-8, whole characters, no NaN, not nested without end."""

import json
import re
from typing import Any, NoReturn

from forebay.edge.errors import Refused

_DEEPEST = 64
_HALVES = re.compile(rb"\\u[dD][89a-fA-F]")
"""Escapes of halves of surrogate pairs, which are characters only in twos."""


def json_object(body: bytes) -> dict[str, Any]:
    """The object in ``body``. Raises :class:`Refused` (``invalid_json``), which quotes nothing."""
    try:
        found = json.loads(body.decode(), parse_constant=_no_number)
    except UnicodeDecodeError:
        raise Refused("invalid_json", "the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise Refused("invalid_json", f"the body is not JSON: {error.msg} at character {error.pos}") from None
    except (ValueError, RecursionError):
        message = "the body is not JSON that can be read: nested too deeply, no number, or one of thousands of digits"
        raise Refused("invalid_json", message) from None
    if not isinstance(found, dict):
        raise Refused("invalid_json", "the body is not a JSON object")
    _check_depth(found)
    if _HALVES.search(body):
        _check_characters(found)
    return found


def _no_number(_name: str) -> NoReturn:
    raise ValueError


def _check_depth(found: Any) -> None:
    level, depth = [found], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise Refused("invalid_json", f"the body is nested deeper than {_DEEPEST}")
        level = [
            one
            for node in level
            for one in (node.values() if isinstance(node, dict) else node)
            if isinstance(one, dict | list)
        ]


def _check_characters(found: Any) -> None:
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Refused("invalid_json", "a text in the body is not Unicode: it has half of a surrogate pair") from None
