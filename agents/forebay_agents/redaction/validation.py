"""Is a request one that Forebay can serve? If not, it is rejected here, at the door, with the field named.

Messages of a rejection never quote the request. Identifiers must be plain, because they travel through every topic as
they are: they are names that the application gave, not places for personal data.
"""

import math
import re
from typing import Any

from forebay.contract.failures import Rejected
from forebay.contract.ids import id_fault
from forebay.contract.records import MessageRole, Request
from forebay_agents.redaction.request_parts import strict_json
from forebay_agents.redaction.settings import Profile

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
_EFFORT = re.compile(r"[a-z]{1,16}")
_KEY_ID = re.compile(r"[a-z2-7]{12}")
_SCOPES = (None, "user", "tenant", "global")
_PROFILES = (None, *Profile)
_MAX_STOPS = 16
_MAX_DEPTH = 64


def validate(request: Request, *, max_messages: int, max_chars: int) -> None:
    """Check all that the schema cannot. Raises ``Rejected("invalid_request")``; the message names the field.

    Args:
        max_messages: messages of a request.
        max_chars: characters of all its texts together.
    """
    if (fault := id_fault(request)) is not None:
        raise Rejected("invalid_request", fault)
    for name in ("task", "tier"):
        value = getattr(request, name)
        _check(value is None or _WORD.fullmatch(value) is not None, name, "must be a short identifier")
    _check(request.key_id is None or _KEY_ID.fullmatch(request.key_id) is not None, "key_id", "must be the id of a key")
    _check_messages(request, max_messages, max_chars)
    _check_params(request)
    _check(0 <= request.priority <= 9, "priority", "must be between 0 and 9")
    _check(request.deadline_ms is None or request.deadline_ms > 0, "deadline_ms", "must be positive")
    _check(
        request.max_cost_nanousd is None or request.max_cost_nanousd >= 0, "max_cost_nanousd", "must not be negative"
    )
    _check(request.cache.ttl_s is None or request.cache.ttl_s > 0, "cache.ttl_s", "must be positive")
    _check(request.cache.scope in _SCOPES, "cache.scope", "must be user, tenant or global")
    _check(request.redaction in _PROFILES, "redaction", "must be strict or balanced")
    _check(len(request.metadata) <= 64, "metadata", "must have at most 64 keys")


def _check(holds: bool, name: str, rule: str) -> None:
    if not holds:
        raise Rejected("invalid_request", f"{name} {rule}")


def _check_messages(request: Request, max_messages: int, max_chars: int) -> None:
    _check(bool(request.messages), "messages", "must not be empty")
    _check(len(request.messages) <= max_messages, "messages", f"must be at most {max_messages}")
    total = 0
    for index, message in enumerate(request.messages):
        name = f"messages[{index}]"
        total += len(message.content) + len(message.tool_calls or "")
        if message.tool_calls is not None:
            calls = _json_of(message.tool_calls, f"{name}.tool_calls")
            ok = isinstance(calls, list) and all(isinstance(call, dict) for call in calls)
            _check(ok, f"{name}.tool_calls", "must be a JSON array of objects")
            _check(message.role is MessageRole.ASSISTANT, f"{name}.tool_calls", "belong to the assistant")
        if message.role is MessageRole.TOOL:
            _check(bool(message.tool_call_id), f"{name}.tool_call_id", "is missing")
        _check(message.name is None or len(message.name) <= 256, f"{name}.name", "must be at most 256 characters")
        _check(
            message.tool_call_id is None or len(message.tool_call_id) <= 256,
            f"{name}.tool_call_id",
            "must be at most 256 characters",
        )
    _check(any(m.content.strip() or m.tool_calls for m in request.messages), "messages", "must say something")
    for name in ("tools", "response_format"):
        text = getattr(request, name)
        if text is not None:
            total += len(text)
            wanted = list if name == "tools" else dict
            kind = "array" if wanted is list else "object"
            _check(isinstance(_json_of(text, name), wanted), name, f"must be a JSON {kind}")
    total += len(request.params.tool_choice or "")
    total += sum(len(key) + len(value) for key, value in request.metadata.items())
    _check(total <= max_chars, "messages", f"must have at most {max_chars} characters together")


def _check_params(request: Request) -> None:
    params = request.params
    _check(params.max_tokens is None or params.max_tokens > 0, "params.max_tokens", "must be positive")
    for name, low, high in (
        ("temperature", 0.0, 2.0),
        ("top_p", 0.0, 1.0),
        ("presence_penalty", -2.0, 2.0),
        ("frequency_penalty", -2.0, 2.0),
    ):
        value = getattr(params, name)
        ok = value is None or (math.isfinite(value) and low <= value <= high)
        _check(ok, f"params.{name}", f"must be between {low:g} and {high:g}")
    if params.tool_choice is not None and params.tool_choice not in ("auto", "none", "required"):
        rule = "must be auto, none, required, or a JSON object"
        _check(params.tool_choice.startswith("{"), "params.tool_choice", rule)
        _check(isinstance(_json_of(params.tool_choice, "params.tool_choice"), dict), "params.tool_choice", rule)
    effort = params.reasoning_effort
    _check(effort is None or _EFFORT.fullmatch(effort) is not None, "params.reasoning_effort", "must be a word")
    _check(len(params.stop) <= _MAX_STOPS, "params.stop", f"must have at most {_MAX_STOPS} entries")
    _check(all(0 < len(stop) <= 256 for stop in params.stop), "params.stop", "must be 1 to 256 characters each")


def _json_of(text: str, name: str) -> Any:
    try:
        parsed = strict_json(text)
    except (ValueError, RecursionError):
        raise Rejected("invalid_request", f"{name} must be JSON without repeated keys") from None
    _check(_depth(parsed, _MAX_DEPTH) <= _MAX_DEPTH, name, f"must be nested at most {_MAX_DEPTH} deep")
    return parsed


def _depth(node: Any, limit: int) -> int:
    if limit < 0:
        return 1
    if isinstance(node, dict):
        return 1 + max((_depth(value, limit - 1) for value in node.values()), default=0)
    if isinstance(node, list):
        return 1 + max((_depth(value, limit - 1) for value in node), default=0)
    return 0
