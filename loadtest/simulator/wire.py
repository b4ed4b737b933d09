"""What do OpenAI's answers look like on the wire? Bodies, stream chunks, errors and embeddings, as bytes."""

import base64
import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from loadtest.simulator.answers import Answer, unit

_PIECE = re.compile(r"\s*\S+")

ERRORS: Mapping[str, tuple[int, str, str | None, str]] = {
    "400": (400, "invalid_request_error", None, "The request is not valid."),
    "401": (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    "403": (403, "invalid_request_error", "permission_denied", "You may not use this model."),
    "404": (404, "invalid_request_error", "model_not_found", "The model does not exist."),
    "429": (429, "requests", "rate_limit_exceeded", "Rate limit reached. Please try again later."),
    "500": (500, "server_error", None, "The server had an error while processing your request."),
    "502": (502, "server_error", None, "Bad gateway."),
    "503": (503, "server_error", None, "The engine is currently overloaded, please try again later."),
    "529": (529, "overloaded_error", None, "Overloaded."),
    "context_length": (
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is exceeded. Please reduce the length of the messages.",
    ),
    "content_policy": (
        400,
        "invalid_request_error",
        "content_policy_violation",
        "Your request was rejected as a result of our safety system.",
    ),
}
"""Fault kind to status, type, code and message."""


def is_error(kind: str) -> bool:
    """Whether the fault ``kind`` is a refusal by HTTP status."""
    return kind in ERRORS or kind.isdecimal()


def error_body(kind: str) -> tuple[int, bytes]:
    """Status and body of the error ``kind``: a key of :data:`ERRORS`, or any other HTTP status."""
    status, type_, code, message = ERRORS.get(kind) or (int(kind), "odd", "never_heard_of", "No.")
    return status, orjson.dumps({"error": {"message": message, "type": type_, "param": None, "code": code}})


def text_of(content: Any) -> str:
    """Text of a message's content, which may be a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content if isinstance(part, dict))
    return ""


def prompt_of(messages: Sequence[Mapping[str, Any]]) -> str:
    """The last user turn: what the quality model and the truth depend on."""
    for message in reversed(messages):
        if message.get("role") == "user":
            return text_of(message.get("content"))
    return text_of(messages[-1].get("content")) if messages else ""


def prompt_tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    """Four characters a token, four tokens a message: near enough to bill by."""
    return sum(4 + math.ceil(len(text_of(message.get("content"))) / 4) for message in messages)


def pieces(text: str, chars: int = 0) -> list[str]:
    """The tokens of an answer: words with the white space before them, or so many ``chars`` each."""
    return [text[start : start + chars] for start in range(0, len(text), chars)] if chars else _PIECE.findall(text)


def logprobs(tokens: Sequence[str], answer: Answer, top: int) -> list[dict[str, Any]]:
    """``choices[].logprobs.content``: doubt sits on the first words, which carry the answer; the filler is certain."""
    content = []
    for index, token in enumerate(tokens):
        jitter = 0.5 + unit("jitter", answer.text, index)
        logprob = -answer.doubt * jitter if index < 4 else -0.02 * jitter
        entry: dict[str, Any] = {"token": token, "logprob": round(logprob, 4), "bytes": list(token.encode())}
        rest = max(1e-6, 1 - math.exp(logprob))
        alternatives = [
            {"token": f" or{rank}", "logprob": round(math.log(rest * 0.6 * 0.4**rank), 4), "bytes": None}
            for rank in range(max(0, top - 1))
        ]
        entry["top_logprobs"] = sorted([dict(entry), *alternatives][:top], key=lambda item: -item["logprob"])
        content.append(entry)
    return content


def usage(prompt: int, completion: int) -> dict[str, int]:
    """The ``usage`` object."""
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def structured(answer: Answer, response_format: Mapping[str, Any], broken: bool) -> str:
    """The answer as JSON: by the schema if there is one, else ``{"answer": …}``."""
    schema = (response_format.get("json_schema") or {}).get("schema")
    value = instance(schema, answer.text) if isinstance(schema, dict) else {"answer": answer.text}
    text = orjson.dumps(value).decode()
    return text[: max(1, len(text) - 2)] if broken else text


def instance(schema: Mapping[str, Any], text: str, depth: int = 0) -> Any:
    """A value that fits ``schema`` (the common subset), with ``text`` for its strings."""
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return instance(schema[key][0], text, depth + 1)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object" or "properties" in schema:
        properties = schema.get("properties") or {}
        return {name: instance(part, text, depth + 1) for name, part in properties.items()} if depth < 8 else {}
    if kind == "array":
        return [instance(schema.get("items") or {}, text, depth + 1)] * max(1, schema.get("minItems", 1))
    if kind in ("integer", "number"):
        found = re.search(r"-?\d+", text)
        return int(found[0]) if found else schema.get("minimum", 0)
    return {"boolean": True, "null": None}.get(str(kind), text)


def tool_call(
    tools: Sequence[Mapping[str, Any]], choice: Any, answer: Answer, call_id: str, free: str | None = None
) -> dict[str, Any] | None:
    """A call of the tool that ``tool_choice`` asks for, or of ``free`` where it leaves the choice to the model;
    ``None``: the model answers in words."""
    functions = [tool["function"] for tool in tools if isinstance(tool.get("function"), dict)]
    name = (choice.get("function") or {}).get("name") if isinstance(choice, dict) else free
    if choice == "none" or (choice != "required" and name is None):
        return None
    if choice != "required":
        functions = [function for function in functions if function.get("name") == name]
    if not functions:
        return None
    arguments = instance(functions[0].get("parameters") or {"type": "object"}, answer.text)
    function = {"name": functions[0].get("name", ""), "arguments": orjson.dumps(arguments).decode()}
    return {"id": f"call_{call_id}", "type": "function", "function": function}


def event(payload: Any) -> bytes:
    """One server-sent event."""
    return b"data: " + orjson.dumps(payload) + b"\n\n"


def embedding(text: str, dimensions: int) -> Any:
    """A unit vector in which texts with common words are near each other; the same for the same text."""
    total = np.zeros(dimensions, np.float32)
    for word in re.findall(r"\w+", text.lower()) or [""]:
        seed = int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest())
        total += np.random.default_rng(seed).standard_normal(dimensions, np.float32)
    return total / (float(np.linalg.norm(total)) or 1.0)


def embeddings(texts: Sequence[str], model: str, dimensions: int, encoding: str, tokens: int) -> bytes:
    """Body of ``/v1/embeddings``; ``encoding`` is ``float`` or ``base64``."""
    data = []
    for index, text in enumerate(texts):
        vector = embedding(text, dimensions)
        value = base64.b64encode(vector.astype("<f4").tobytes()).decode() if encoding == "base64" else vector.tolist()
        data.append({"object": "embedding", "index": index, "embedding": value})
    return orjson.dumps(
        {
            "object": "list",
            "data": data,
            "model": model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
    )
