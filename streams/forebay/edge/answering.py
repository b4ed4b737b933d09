"""What does a response say in OpenAI's words?"""

import json
from collections.abc import Mapping
from typing import Any

from forebay.contract.clock import now_ms
from forebay.contract.ids import for_header
from forebay.contract.records import Error, Response, ResponseStatus
from forebay.edge.errors import Refused, body, row

PREFIX = "chatcmpl-"


def request_id_of(shown: str) -> str:
    """The request that an id is of, whether as the answer has it or as the record."""
    return shown.removeprefix(PREFIX)


def tool_calls(response: Response) -> list[dict[str, Any]]:
    """The calls of tools in an answer."""
    if not response.tool_calls:
        return []
    found = json.loads(response.tool_calls)
    return [call for call in found if isinstance(call, dict)] if isinstance(found, list) else []


def finish_reason(response: Response) -> str:
    """Why the answer ends: ``tool_calls`` when there are any."""
    return "tool_calls" if response.tool_calls and tool_calls(response) else response.finish_reason or "stop"


def usage(response: Response) -> dict[str, Any]:
    """What was billed, escalations included."""
    return {
        "prompt_tokens": response.prompt_tokens,
        "completion_tokens": response.completion_tokens,
        "total_tokens": response.prompt_tokens + response.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": response.cached_prompt_tokens},
    }


def completion(response: Response, asked_model: str, created: int) -> dict[str, Any]:
    """The body of an answer.

    Args:
        asked_model: for answers that no model gave.
        created: seconds since the epoch.
    """
    calls = tool_calls(response)
    message: dict[str, Any] = {"role": "assistant", "content": response.content, "refusal": None}
    if calls:
        message |= {"content": response.content or None, "tool_calls": calls}
    return {
        "id": PREFIX + response.request_id,
        "object": "chat.completion",
        "created": created,
        "model": response.model or asked_model,
        "choices": [
            {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason(response)},
        ],
        "usage": usage(response),
        "system_fingerprint": None,
        "service_tier": None,
    }


def failure(response: Response) -> dict[str, Any]:
    """The body of an answer that is none."""
    error = response.error
    code, message = ("bug", "the answer says nothing") if error is None else (error.code, error.message)
    return body(code, message, id=PREFIX + response.request_id)


def refusal(response: Response, shown: Mapping[str, str] | None = None) -> Refused:
    """An answer that is none, to be told by a status; ``shown``: further headers."""
    error = response.error or Error(code="bug", message="the answer says nothing")
    after_s = None if error.retry_at is None else max(1.0, (error.retry_at - now_ms()) / 1000)
    return Refused(error.code, error.message, retry_after_s=after_s, headers={**headers(response), **(shown or {})})


def status(response: Response) -> int:
    """Of HTTP."""
    if response.status is ResponseStatus.OK:
        return 200
    return row("bug" if response.error is None else response.error.code).status


def headers(response: Response) -> Mapping[str, str]:
    """What else is to be known of an answer."""
    found = {
        "x-request-id": for_header(response.request_id),
        "x-forebay-source": response.source.value,
        "x-forebay-cost-nanousd": str(response.cost_nanousd),
        "x-forebay-saved-nanousd": str(response.saved_nanousd),
        "x-forebay-degraded": "true" if response.degraded else "false",
    }
    if response.tier is not None:
        found["x-forebay-tier"] = for_header(response.tier)
    return found


def looked_up(request_id: str, response: Response | None, asked_model: str, created: int) -> dict[str, Any]:
    """The body of ``GET /v1/requests/ID``; no ``response``: not yet."""
    found: dict[str, Any] = {"id": request_id, "object": "forebay.request", "status": "in_progress"}
    found |= {"error": None, "response": None}
    if response is None:
        return found
    if response.status is ResponseStatus.OK:
        return found | {"status": "ok", "response": completion(response, asked_model, created)}
    return found | {"status": response.status.value, "error": failure(response)["error"]}
