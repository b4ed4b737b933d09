"""Our messages and parameters in the words of the OpenAI chat format."""

import json
from typing import Any

from forebay.contract.records import Message, Params


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
    }
    return {name: value for name, value in values.items() if value is not None}


def parsed(text: str | None) -> Any:
    """The value of a JSON text that was validated when the request came in; ``None`` for none."""
    return None if text is None else json.loads(text)


def _chat_message(message: Message) -> dict[str, Any]:
    chat: dict[str, Any] = {"role": message.role.value, "content": message.content}
    if message.name is not None:
        chat["name"] = message.name
    if message.tool_call_id is not None:
        chat["tool_call_id"] = message.tool_call_id
    if message.tool_calls is not None:
        chat["tool_calls"] = json.loads(message.tool_calls)
    return chat
