"""Our messages and parameters in the words of the OpenAI chat format."""

import json
from typing import Any

from forebay.contract.records import Message, Params, RedactedRequest

_MOST_TOKENS = 10**9
"""Of ``params.max_tokens``: what it may cost at most still fits into an entry of the ledger."""


def fault(request: RedactedRequest) -> str | None:
    """What in ``request`` cannot be said in this format, by name and without its text; ``None``: nothing.

    Requests are validated where they come in; what others put into an inner topic was not.
    """
    texts = [("tools", request.tools, list), ("response_format", request.response_format, dict)]
    texts += [(f"messages[{index}].tool_calls", one.tool_calls, list) for index, one in enumerate(request.messages)]
    for name, text, kind in texts:
        try:
            value = parsed(text)
        except (ValueError, RecursionError):
            return f"{name} must be JSON"
        if text is not None and not isinstance(value, kind):
            return f"{name} must be a JSON {'array' if kind is list else 'object'}"
        if isinstance(value, list) and not all(isinstance(item, dict) for item in value):
            return f"{name} must be a JSON array of objects"
    try:
        _tool_choice(request.params.tool_choice)
    except (ValueError, RecursionError):
        return "params.tool_choice must be a word, or JSON"
    if not request.request_id:
        return "request_id must not be empty"  # all such requests would share one claim, and one answer
    if request.params.max_tokens is not None and not 0 < request.params.max_tokens <= _MOST_TOKENS:
        return "params.max_tokens must be positive, and no more than a model can write"
    return None


def chat_messages(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    """Messages as a provider takes them."""
    return [_chat_message(message) for message in messages]


def sampling(params: Params) -> dict[str, Any]:
    """The parameters that are set, without ``max_tokens``."""
    values = {
        "temperature": params.temperature,
        "top_p": params.top_p,
        "stop": list(params.stop) or None,
        "seed": params.seed,
        "presence_penalty": params.presence_penalty,
        "frequency_penalty": params.frequency_penalty,
        "tool_choice": _tool_choice(params.tool_choice),
        "parallel_tool_calls": params.parallel_tool_calls,
        "reasoning_effort": params.reasoning_effort,
    }
    return {name: value for name, value in values.items() if value is not None}


def parsed(text: str | None) -> Any:
    """The value of a JSON text that was validated when the request came in; ``None`` for none."""
    return None if text is None else json.loads(text)


def _tool_choice(text: str | None) -> Any:
    return json.loads(text) if text is not None and text.startswith("{") else text


def _chat_message(message: Message) -> dict[str, Any]:
    chat: dict[str, Any] = {"role": message.role.value, "content": message.content}
    if message.name is not None:
        chat["name"] = message.name
    if message.tool_call_id is not None:
        chat["tool_call_id"] = message.tool_call_id
    if message.tool_calls is not None:
        chat["tool_calls"] = json.loads(message.tool_calls)
    return chat
