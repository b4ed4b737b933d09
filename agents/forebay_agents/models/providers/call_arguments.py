"""What of a call reaches a provider? One function says it to the client library; here it is also found out.

:func:`reaching` changes each field of a call in turn and looks where the change comes out, so that the page "what
leaves the building" is about this code, and a field that is sent from tomorrow on is on it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, time
from enum import Enum
from types import MappingProxyType
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, SecretStr

from forebay.contract.ids import for_header
from forebay_agents.models.providers.chat_format import chat_messages, sampling
from forebay_agents.models.providers.provider import ATTEMPT_HEADER, Call
from forebay_agents.models.settings import Deployment

_STREAMED: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
FOR_THE_LIBRARY = frozenset({"max_retries", "num_retries", "drop_params", "_skip_mcp_handler", "api_base"})
"""Arguments that steer the client library and are not sent."""


def call_arguments(deployment: Deployment, call: Call) -> dict[str, Any]:
    """Arguments of litellm's ``acompletion``, but for its time limits."""
    arguments: dict[str, Any] = {
        "model": deployment.model,
        "messages": chat_messages(call.messages),
        "max_tokens": call.max_tokens,
        "max_retries": 0,
        "num_retries": 0,
        # What a provider does not know is left out, not an error. Said for each call: by the module's own setting
        # the library would answer a 422 with a second call, and give None for an answer.
        "drop_params": True,
        "extra_headers": {ATTEMPT_HEADER: call.attempt_id, "x-forebay-request-id": for_header(call.request_id)},
        **sampling(call.params),
    }
    if deployment.api_base:
        arguments["api_base"] = deployment.api_base
    # A local server wants no key, but the client library insists on one.
    arguments["api_key"] = deployment.api_key.get_secret_value() or ("none" if deployment.api_base else None)
    if deployment.logprobs:
        arguments["logprobs"] = True
    if call.top_logprobs:
        arguments |= {"logprobs": True, "top_logprobs": call.top_logprobs}
    if call.tools is not None:
        # Without the flag litellm looks for tools of its own gateway first, and fails without that one's packages.
        arguments |= {"tools": call.tools, "_skip_mcp_handler": True}
    if call.response_format is not None:
        arguments["response_format"] = call.response_format
    if deployment.stream:
        arguments |= _STREAMED
    return arguments


def reaching(
    kinds: tuple[type[Any], type[Any]] = (Deployment, Call), arguments: Callable[..., dict[str, Any]] = call_arguments
) -> Mapping[str, tuple[str, ...]]:
    """What a provider gets, as a path in the call, to the fields that decide it; none for what is always the same.

    Args:
        kinds: of a deployment and of a call.
        arguments: says them to the client library.
    """
    deployment, call = map(_filled, kinds)
    usual = dict(_leaves(arguments(deployment, call)))
    found: dict[str, list[str]] = {path: [] for path in usual}
    pairs = [(f"Deployment.{name}", (other, call)) for name, other in _variants(kinds[0])]
    pairs += [(f"Call.{name}", (deployment, other)) for name, other in _variants(kinds[1])]
    for origin, (other_deployment, other_call) in pairs:
        changed = dict(_leaves(arguments(other_deployment, other_call)))
        for path in sorted(usual.keys() | changed.keys()):
            if usual.get(path) != changed.get(path):
                found.setdefault(path, []).append(origin)
    sent = {path: tuple(origins) for path, origins in found.items() if path.split(".")[0] not in FOR_THE_LIBRARY}
    return MappingProxyType(sent)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for item in value:
            yield from _leaves(item, f"{path}[]")
    else:
        yield path, repr(value)


def _variants(kind: type[Any]) -> Iterator[tuple[str, Any]]:
    """Each field's name, and an instance that differs from the filled one in that field alone."""
    filled = _filled(kind)
    for name, hint in _hints(kind).items():
        inner = next((one for one in (hint, *get_args(hint)) if _nested(one)), None)
        if inner is None:
            yield name, _with(filled, name, _values(hint)[1])
            continue
        many = get_origin(hint) is tuple
        for path, other in _variants(inner):
            yield f"{name}{'[]' * many}.{path}", _with(filled, name, (other,) if many else other)


def _filled(kind: type[Any]) -> Any:
    return kind(**{name: _values(hint)[0] for name, hint in _hints(kind).items()})


def _hints(kind: type[Any]) -> dict[str, Any]:
    names = kind.model_fields if issubclass(kind, BaseModel) else [field.name for field in fields(kind)]
    hints = get_type_hints(kind)
    return {name: hints[name] for name in names}


def _with(instance: Any, name: str, value: Any) -> Any:
    return (
        instance.model_copy(update={name: value})
        if isinstance(instance, BaseModel)
        else replace(instance, **{name: value})
    )


def _nested(hint: Any) -> bool:
    return isinstance(hint, type) and (is_dataclass(hint) or issubclass(hint, BaseModel))


def _values(hint: Any) -> tuple[Any, Any]:
    """Two values of a type. Texts are JSON as well, since some fields are.

    Raises:
        TypeError: a type that is new here; say what its values are, so that its way can be followed.
    """
    if hint is Any:
        return "a", "b"
    if _nested(hint):
        return _filled(hint), _filled(hint)
    if get_origin(hint) is Callable:
        return print, repr  # whichever
    if get_origin(hint) is tuple:
        first, second = _values(get_args(hint)[0])
        return (first,), (second,)
    if get_origin(hint) is dict:
        first, second = _values(get_args(hint)[1])
        return {"a": first}, {"a": second}
    if others := [one for one in get_args(hint) if one is not type(None)]:
        return _values(others[0])
    if isinstance(hint, type) and issubclass(hint, Enum):
        first, second, *_ = hint
        return first, second
    for kind, values in _TWO.items():
        if hint is kind:
            return values
    raise TypeError(f"no values are known for {hint!r}")


_TWO: dict[type, tuple[Any, Any]] = {
    str: ('["a"]', '["b"]'),
    bool: (True, False),
    int: (1, 2),
    time: (time(1), time(2)),
    float: (0.25, 0.5),
    datetime: (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
    SecretStr: (SecretStr("a"), SecretStr("b")),
}
