"""What does ``forebay compress`` say to one line? The same object, shorter, with what was kept of it.

``{"id"?, "context", "question"}``: ``kept`` is spans of the context. ``{"id"?, "messages": […]}``: ``kept`` is a list
of such lists, one for each message of the input. Spans are half-open, in code points. Other fields pass through.
"""

import json
from collections.abc import Mapping
from typing import Any

from forebay.contract.json_lines import InvalidLineError, request_from_json
from forebay_agents.completion.compression import gate
from forebay_agents.completion.compression.extract import extract
from forebay_agents.completion.compression.messages import compress_messages


def compressed_line(line: str, keep: float) -> tuple[dict[str, Any], bool]:
    """The output for ``line``, and whether the line was good."""
    known: dict[str, Any] = {}
    try:
        content = _object(line)
        known = {"id": content["id"]} if isinstance(content.get("id"), str | int | float) else {}
        return (_messages(content, keep) if "messages" in content else _context(content, keep)), True
    except InvalidLineError as error:
        return known | {"error": {"code": "invalid_request", "message": str(error)}}, False


def _object(line: str) -> dict[str, Any]:
    try:
        content = json.loads(line.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        raise InvalidLineError("the line is not JSON") from None
    if not isinstance(content, dict):
        raise InvalidLineError("a line must be an object with context and question, or with messages")
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidLineError("a text is not Unicode: it has half of a surrogate pair") from None
    return content


def _context(content: Mapping[str, Any], keep: float) -> dict[str, Any]:
    context, question = content.get("context"), content.get("question", "")
    if not isinstance(context, str) or not isinstance(question, str):
        raise InvalidLineError("context and question must be texts")
    # A question about a text is no order to write code: only the task's name can say that nothing may be cut.
    found = extract(context, question, 1.0 if gate.reason_against(_task(content), "") else keep)
    return {
        **content,
        "context": found.text,
        "tokens_before": found.tokens_before,
        "tokens_after": found.tokens_after,
        "kept": found.kept,
    }


def _messages(content: Mapping[str, Any], keep: float) -> dict[str, Any]:
    given = content["messages"]
    if not isinstance(given, list) or not given:
        raise InvalidLineError("messages must be a list, and not empty")
    messages = request_from_json({"messages": given}).messages
    found = compress_messages(messages, task=_task(content), keep=keep, least_tokens=0)
    left = iter(found.messages)
    shorter = [
        {**raw, "content": next(left).content}
        for raw, message, kept in zip(given, messages, found.kept, strict=True)
        if kept or not message.content or message.tool_calls or message.role == "tool"
    ]
    result = {**content, "messages": shorter}
    result |= {"tokens_before": found.tokens_before, "tokens_after": found.tokens_after, "kept": found.kept}
    return result | ({"uncompressed": found.reason} if found.reason else {})


def _task(content: Mapping[str, Any]) -> str | None:
    task = content.get("task")
    return task if isinstance(task, str) else None
