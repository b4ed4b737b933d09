"""litellm, as a library that asks an OpenAI-compatible server."""

import json
from typing import Any

import litellm
from line_by_line import ADD, BASE_URL, Ask, add, serve
from pydantic import BaseModel


class Sum(BaseModel):
    """What is to be answered."""

    total: int
    words: str


def _ask(ask: Ask, **more: Any) -> Any:
    given = {"messages": ask.messages, **more}
    return litellm.completion(
        model=f"openai/{ask.model}",
        api_key=ask.key,
        api_base=BASE_URL,
        max_retries=0,
        timeout=60,
        extra_headers=dict(ask.headers),
        **given,
    )


def chat(ask: Ask) -> Any:
    answer = _ask(ask)
    return {"text": answer.choices[0].message.content, "finish": answer.choices[0].finish_reason}


def stream(ask: Ask) -> Any:
    chunks = list(_ask(ask, stream=True))
    whole: Any = litellm.stream_chunk_builder(chunks)
    pieces = [chunk for chunk in chunks if chunk.choices[0].delta.content]
    choice = whole.choices[0]
    return {"text": choice.message.content, "pieces": len(pieces), "finish": choice.finish_reason}


def tools(ask: Ask) -> Any:
    return _calls(_ask(ask, tools=[ADD]))


def streamed_tools(ask: Ask) -> Any:
    return _calls(litellm.stream_chunk_builder(list(_ask(ask, tools=[ADD], stream=True))))


def tool_turn(ask: Ask) -> Any:
    message = _ask(ask, tools=[ADD]).choices[0].message
    messages = [*ask.messages, message.model_dump()]
    for call in message.tool_calls:
        result = str(add(**json.loads(call.function.arguments)))
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    return {"text": _ask(ask, tools=[ADD], messages=messages).choices[0].message.content}


def structured(ask: Ask) -> Any:
    found = _ask(ask, response_format=Sum).choices[0].message.content
    return {"value": Sum.model_validate_json(found).model_dump()}


def bad(ask: Ask) -> Any:
    return _ask(ask, max_tokens=-1)


def _calls(answer: Any) -> Any:
    choice = answer.choices[0]
    calls = [
        {"name": one.function.name, "arguments": json.loads(one.function.arguments)}
        for one in choice.message.tool_calls
    ]
    return {"calls": calls, "finish": choice.finish_reason}


if __name__ == "__main__":
    serve(
        {
            "chat": chat,
            "stream": stream,
            "tools": tools,
            "streamed_tools": streamed_tools,
            "tool_turn": tool_turn,
            "structured": structured,
            "bad": bad,
        }
    )
