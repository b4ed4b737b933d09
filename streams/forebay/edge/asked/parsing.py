"""What is asked? A body in OpenAI's words becomes fields of a request; what cannot be kept is refused, not ignored."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from forebay.contract.ids import plain_id
from forebay.contract.records import CacheMode, CachePolicy, Message, Params
from forebay.edge.asked.messages import messages_of
from forebay.edge.errors import Refused

AUTO = "auto"
_LARGEST = 2**63 - 1
_MOST_TOKENS = 10**9
_MOST_STOPS, _LONGEST_STOP = 4, 256
_MOST_PAIRS = 16
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
_EFFORT = re.compile(r"[a-z]{1,16}")

PASSED = frozenset(
    {"model", "messages", "tools", "tool_choice", "parallel_tool_calls", "reasoning_effort", "response_format"}
    | {"max_completion_tokens", "max_tokens", "temperature", "top_p", "stop", "seed", "stream", "stream_options"}
    | {"presence_penalty", "frequency_penalty", "forebay"}
)
"""Fields that go into the record, or say how it is answered."""
IGNORED = frozenset({"user", "safety_identifier", "prompt_cache_key", "store", "service_tier", "verbosity", "metadata"})
"""Fields that have no effect, by design: who asks is said by the key alone."""
NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "modalities": (["text"],),
    "audio": (),
    "functions": ([],),
    "function_call": (),
    "web_search_options": (),
}
"""What would be promised and not kept, and the values that promise nothing."""
OWN = ("tier", "cache", "ttl_s", "max_cost_usd", "deadline_ms", "priority", "conversation_id", "task")
"""What is Forebay's own, inside ``forebay``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chat:
    """A body that was understood.

    Attributes:
        model: as it was named.
        tier: which tier has to answer; ``None``: Forebay chooses.
        ignored: names of fields that had no effect, and of those of tools that nobody knows.
    """

    model: str
    messages: tuple[Message, ...]
    tools: str | None
    response_format: str | None
    params: Params
    tier: str | None
    cache: CachePolicy
    stream: bool
    include_usage: bool
    max_cost_nanousd: int | None = None
    deadline_ms: int | None = None
    priority: int = 5
    conversation_id: str | None = None
    task: str | None = None
    metadata: Mapping[str, str]
    ignored: frozenset[str]


def chat(
    body: Mapping[str, Any],
    tier_of: Callable[[str], str | None],
    *,
    strict: bool = False,
    accept_metadata: bool = False,
) -> Chat:
    """What a body of ``chat/completions`` asks.

    Args:
        tier_of: the tier that is meant by a model's name, ``None`` for the choice of one; raises :class:`Refused`.
        strict: refuse unknown fields.
        accept_metadata: take ``metadata`` over.

    Raises:
        Refused: with the place that is wrong.
    """
    ignored = _unknown(body, strict)
    messages, of_messages = messages_of(body.get("messages"))
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise Refused("invalid_value", "model: a name is needed", "model")
    own = _own(body.get("forebay"))
    tier = tier_of(own.get("tier", model))
    if "tier" in own and tier is None:
        raise Refused("invalid_value", "forebay.tier: a tier is needed", "forebay.tier")
    options = _object(body.get("stream_options"), "stream_options") or {}
    stream = _bool(body.get("stream"), "stream") or False
    if options and not stream:
        raise Refused("invalid_value", "stream_options: only with stream", "stream_options")
    mode = own.get("cache", CacheMode.DEFAULT)
    return Chat(
        model=model,
        messages=messages,
        tools=_tools(body.get("tools")),
        response_format=_format(body.get("response_format")),
        params=_params(body),
        tier=tier,
        cache=CachePolicy(mode=mode, ttl_s=own.get("ttl_s")),
        stream=stream,
        include_usage=_bool(options.get("include_usage"), "stream_options.include_usage") or False,
        max_cost_nanousd=own.get("max_cost_usd"),
        deadline_ms=own.get("deadline_ms"),
        priority=own.get("priority", 5),
        conversation_id=own.get("conversation_id"),
        task=own.get("task"),
        metadata=_metadata(body.get("metadata")) if accept_metadata else {},
        ignored=frozenset(ignored | of_messages | _unknown_of_tools(body.get("tools"))),
    )


def _unknown(body: Mapping[str, Any], strict: bool) -> frozenset[str]:
    for name, neutral in NEUTRAL.items():
        if (value := body.get(name)) is not None and not any(_same(value, one) for one in neutral):
            raise Refused("unsupported_parameter", f"{name} is not supported", name)
    ignored = body.keys() - PASSED - NEUTRAL.keys()
    if strict and (unknown := sorted(ignored - IGNORED)):
        named = unknown[0] if _WORD.fullmatch(unknown[0]) else "a field"
        raise Refused("unknown_parameter", f"{named} is not known", named)
    return frozenset(name for name in ignored if body[name] is not None)


def _same(value: Any, other: Any) -> bool:
    return type(value) is type(other) and bool(value == other)


def _params(body: Mapping[str, Any]) -> Params:
    newer = "max_completion_tokens" if body.get("max_completion_tokens") is not None else "max_tokens"
    return Params(
        max_tokens=_whole(body.get(newer), newer, 1, _MOST_TOKENS),
        temperature=_number(body.get("temperature"), "temperature", 0, 2),
        top_p=_number(body.get("top_p"), "top_p", 0, 1),
        stop=_stop(body.get("stop")),
        seed=_whole(body.get("seed"), "seed", -_LARGEST - 1, _LARGEST),
        presence_penalty=_number(body.get("presence_penalty"), "presence_penalty", -2, 2),
        frequency_penalty=_number(body.get("frequency_penalty"), "frequency_penalty", -2, 2),
        tool_choice=_choice(body.get("tool_choice")),
        parallel_tool_calls=_bool(body.get("parallel_tool_calls"), "parallel_tool_calls"),
        reasoning_effort=_word(body.get("reasoning_effort"), "reasoning_effort", _EFFORT),
    )


def _own(given: Any) -> dict[str, Any]:
    """The fields that OpenAI does not have."""
    found = dict(_object(given, "forebay") or {})
    for name in found.keys() - set(OWN):
        named = f"forebay.{name}" if _WORD.fullmatch(name) else "forebay"
        raise Refused("unknown_parameter", f"{named} is not known; there are {', '.join(OWN)}", named)
    found = {name: value for name, value in found.items() if value is not None}
    for name, low, high in (("ttl_s", 1, _LARGEST), ("deadline_ms", 1, _LARGEST), ("priority", 0, 9)):
        if name in found:
            found[name] = _whole(found[name], f"forebay.{name}", low, high)
    if "max_cost_usd" in found:
        usd = _number(found["max_cost_usd"], "forebay.max_cost_usd", 0, 9e9)
        found["max_cost_usd"] = round(1e9 * (usd or 0.0))
    for name in ("task", "tier"):
        if name in found:
            found[name] = _word(found[name], f"forebay.{name}", _WORD)
    if "conversation_id" in found:
        conversation(found["conversation_id"], "forebay.conversation_id")
    if "cache" in found:
        try:
            found["cache"] = CacheMode(found["cache"])
        except ValueError:
            modes = ", ".join(CacheMode)
            raise Refused("invalid_value", f"forebay.cache: one of {modes} is needed", "forebay.cache") from None
    return found


def conversation(given: Any, place: str) -> str:
    """The id of a conversation. Raises :class:`Refused`."""
    if not isinstance(given, str) or not plain_id(given):
        raise Refused("invalid_value", f"{place}: 1 to 128 printable characters without blanks are needed", place)
    return given


def _tools(given: Any) -> str | None:
    if given is None or given == []:
        return None
    if not isinstance(given, list) or not all(isinstance(tool, dict) for tool in given):
        raise Refused("invalid_value", "tools: a list of objects is needed", "tools")
    for number, tool in enumerate(given):
        function = tool.get("function")
        if tool.get("type") != "function" or not isinstance(function, dict):
            place = f"tools.[{number}]"
            raise Refused("invalid_value", f"{place}: only tools of the type function are known", place)
        if not isinstance(function.get("name"), str) or not function["name"]:
            place = f"tools.[{number}].function.name"
            raise Refused("invalid_value", f"{place}: a name is needed", place)
    return json.dumps(given, ensure_ascii=False)


def _unknown_of_tools(tools: Any) -> set[str]:
    """Names of fields of tools that nobody knows: they go to the provider as they are, who may refuse them."""
    found = set[str]()
    for tool in tools or ():
        found.update(tool.keys() - _OF_TOOL, tool["function"].keys() - _OF_FUNCTION)
    return found


_OF_TOOL, _OF_FUNCTION = frozenset({"type", "function"}), frozenset({"name", "description", "parameters", "strict"})


def _choice(given: Any) -> str | None:
    if given is None or given in ("auto", "none", "required"):
        return given if isinstance(given, str) else None
    if not isinstance(given, dict):
        raise Refused("invalid_value", "tool_choice: auto, none, required or an object is needed", "tool_choice")
    return json.dumps(given, ensure_ascii=False)


def _format(given: Any) -> str | None:
    found = _object(given, "response_format")
    if found is None or found == {"type": "text"}:
        return None
    if found.get("type") not in ("json_object", "json_schema"):
        place = "response_format.type"
        raise Refused("invalid_value", f"{place}: text, json_object or json_schema is needed", place)
    return json.dumps(found, ensure_ascii=False)


def _stop(given: Any) -> tuple[str, ...]:
    stops = [given] if isinstance(given, str) else given or []
    fits = isinstance(stops, list) and len(stops) <= _MOST_STOPS
    if not fits or not all(isinstance(stop, str) and 0 < len(stop) <= _LONGEST_STOP for stop in stops):
        rule = f"a text or at most {_MOST_STOPS}, of 1 to {_LONGEST_STOP} characters"
        raise Refused("invalid_value", f"stop: {rule}", "stop")
    return tuple(stops)


def _metadata(given: Any) -> Mapping[str, str]:
    found = _object(given, "metadata") or {}
    if len(found) > _MOST_PAIRS or not all(isinstance(value, str) for value in found.values()):
        raise Refused("invalid_value", f"metadata: at most {_MOST_PAIRS} texts", "metadata")
    return found


def _object(given: Any, place: str) -> dict[str, Any] | None:
    if given is not None and not isinstance(given, dict):
        raise Refused("invalid_value", f"{place}: an object is needed", place)
    return given


def _bool(given: Any, place: str) -> bool | None:
    if given is not None and not isinstance(given, bool):
        raise Refused("invalid_value", f"{place}: true or false is needed", place)
    return given


def _number(given: Any, place: str, low: float, high: float) -> float | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not low <= given <= high:
        raise Refused("invalid_value", f"{place}: a number from {low:g} to {high:g} is needed", place)
    return float(given)


def _whole(given: Any, place: str, low: int, high: int) -> int | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int) or not low <= given <= high:
        raise Refused("invalid_value", f"{place}: a whole number is needed, {low} or more, and not too large", place)
    return given


def _word(given: Any, place: str, form: re.Pattern[str]) -> str | None:
    if given is not None and (not isinstance(given, str) or form.fullmatch(given) is None):
        raise Refused("invalid_value", f"{place}: a word is needed", place)
    return given
