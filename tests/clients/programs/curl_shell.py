"""curl, and no library at all."""

import json
import subprocess
from typing import Any

from line_by_line import ADD, BASE_URL, Ask, add, serve


class Refused(Exception):
    """What the door answered, with its status."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(body)
        self.status_code = status
        self.code = json.loads(body)["error"]["code"]


def _curl(ask: Ask, path: str, body: Any = None) -> str:
    command = ["curl", "-sS", "--max-time", "60", "-N", "-w", "\n%{http_code}", f"{BASE_URL}/{path}"]
    command += ["-H", f"authorization: Bearer {ask.key}"]
    for name, value in ask.headers.items():
        command += ["-H", f"{name}: {value}"]
    if body is not None:
        command += ["--json", json.dumps(body)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    text, _, status = done.stdout.rpartition("\n")
    if int(status) >= 400:
        raise Refused(int(status), text)
    return text


def _ask(ask: Ask, **more: Any) -> Any:
    answer = _curl(ask, "chat/completions", {"model": ask.model, "messages": ask.messages, **more})
    return json.loads(answer)["choices"][0]


def _events(ask: Ask, **more: Any) -> Any:
    body = {"model": ask.model, "messages": ask.messages, "stream": True, **more}
    events = [one for one in _curl(ask, "chat/completions", body).split("\n\n") if one.startswith("data: ")]
    assert events.pop() == "data: [DONE]"
    return [json.loads(one.removeprefix("data: "))["choices"][0] for one in events]


def chat(ask: Ask) -> Any:
    choice = _ask(ask)
    return {"text": choice["message"]["content"], "finish": choice["finish_reason"]}


def stream(ask: Ask) -> Any:
    choices = _events(ask)
    found = [one["delta"].get("content") or "" for one in choices]
    finish = choices[-1]["finish_reason"]
    return {"text": "".join(found), "pieces": len(list(filter(None, found))), "finish": finish}


def tools(ask: Ask) -> Any:
    choice = _ask(ask, tools=[ADD])
    calls = [one["function"] for one in choice["message"]["tool_calls"]]
    return {"calls": [_call(one) for one in calls], "finish": choice["finish_reason"]}


def streamed_tools(ask: Ask) -> Any:
    choices = _events(ask, tools=[ADD])
    parts = [part["function"] for one in choices for part in one["delta"].get("tool_calls", [])]
    arguments = "".join(part["arguments"] for part in parts)
    [name] = [part["name"] for part in parts if "name" in part]
    return {"calls": [_call({"name": name, "arguments": arguments})], "finish": choices[-1]["finish_reason"]}


def tool_turn(ask: Ask) -> Any:
    message = _ask(ask, tools=[ADD])["message"]
    messages = [*ask.messages, message]
    for call in message["tool_calls"]:
        result = str(add(**json.loads(call["function"]["arguments"])))
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    return {"text": _ask(ask, tools=[ADD], messages=messages)["message"]["content"]}


def structured(ask: Ask) -> Any:
    properties = {"total": {"type": "integer"}, "words": {"type": "string"}}
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "Sum", "strict": True, "schema": schema}}
    return {"value": json.loads(_ask(ask, response_format=wanted)["message"]["content"])}


def models(ask: Ask) -> Any:
    listed = json.loads(_curl(ask, "models"))
    return {"models": [one["id"] for one in listed["data"]], "one": json.loads(_curl(ask, "models/small"))["id"]}


def bad(ask: Ask) -> Any:
    return _ask(ask, max_tokens=-1)


def _call(function: Any) -> Any:
    return {"name": function["name"], "arguments": json.loads(function["arguments"])}


if __name__ == "__main__":
    serve(
        {
            "chat": chat,
            "stream": stream,
            "tools": tools,
            "streamed_tools": streamed_tools,
            "tool_turn": tool_turn,
            "structured": structured,
            "models": models,
            "bad": bad,
        }
    )
