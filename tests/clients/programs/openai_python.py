"""The client of OpenAI for Python."""

import json
from typing import Any

from line_by_line import ADD, Ask, add, serve
from openai import OpenAI
from pydantic import BaseModel


class Sum(BaseModel):
    """What is to be answered."""

    total: int
    words: str


def _client(ask: Ask) -> OpenAI:
    return OpenAI(api_key=ask.key, max_retries=0, timeout=60, default_headers=ask.headers)


def chat(ask: Ask) -> Any:
    answer = _client(ask).chat.completions.create(model=ask.model, messages=ask.messages)
    assert answer.usage is not None
    return {"text": answer.choices[0].message.content, "finish": answer.choices[0].finish_reason}


def stream(ask: Ask) -> Any:
    found, finish, usage = [], None, None
    options: Any = {"include_usage": True}
    chunks = _client(ask).chat.completions.create(
        model=ask.model, messages=ask.messages, stream=True, stream_options=options
    )
    for chunk in chunks:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            found.append(choice.delta.content or "")
            finish = choice.finish_reason or finish
    assert usage is not None
    return {"text": "".join(found), "pieces": len(list(filter(None, found))), "finish": finish}


def tools(ask: Ask) -> Any:
    answer = _client(ask).chat.completions.create(model=ask.model, messages=ask.messages, tools=[ADD])
    return {"calls": _calls(answer), "finish": answer.choices[0].finish_reason}


def streamed_tools(ask: Ask) -> Any:
    with _client(ask).chat.completions.stream(model=ask.model, messages=ask.messages, tools=[ADD]) as events:
        answer = events.get_final_completion()
    return {"calls": _calls(answer), "finish": answer.choices[0].finish_reason}


def tool_turn(ask: Ask) -> Any:
    client, messages = _client(ask), ask.messages
    asked = client.chat.completions.create(model=ask.model, messages=messages, tools=[ADD]).choices[0].message
    messages.append(asked)
    for call in asked.tool_calls or []:
        result = str(add(**json.loads(call.function.arguments)))
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    answer = client.chat.completions.create(model=ask.model, messages=messages, tools=[ADD])
    return {"text": answer.choices[0].message.content}


def structured(ask: Ask) -> Any:
    answer = _client(ask).chat.completions.parse(model=ask.model, messages=ask.messages, response_format=Sum)
    found = answer.choices[0].message.parsed
    assert found is not None
    return {"value": found.model_dump()}


def models(ask: Ask) -> Any:
    client = _client(ask)
    return {"models": [one.id for one in client.models.list()], "one": client.models.retrieve("small").id}


def bad(ask: Ask) -> Any:
    return _client(ask).chat.completions.create(model=ask.model, messages=ask.messages, max_tokens=-1)


def _calls(answer: Any) -> Any:
    calls = answer.choices[0].message.tool_calls
    return [{"name": one.function.name, "arguments": json.loads(one.function.arguments)} for one in calls]


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
