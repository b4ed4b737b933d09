"""langchain-openai."""

import functools
import operator
from typing import Any

from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from line_by_line import Ask, serve
from pydantic import BaseModel


class Sum(BaseModel):
    """What is to be answered."""

    total: int
    words: str


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def _model(ask: Ask, **more: Any) -> Any:
    return ChatOpenAI(
        model=ask.model, api_key=ask.key, max_retries=0, timeout=60, default_headers=dict(ask.headers), **more
    )


def chat(ask: Ask) -> Any:
    answer = _model(ask).invoke(ask.prompt)
    return {"text": answer.content, "finish": answer.response_metadata["finish_reason"]}


def stream(ask: Ask) -> Any:
    chunks = list(_model(ask).stream(ask.prompt))
    whole = functools.reduce(operator.add, chunks)
    finish = whole.response_metadata.get("finish_reason")
    return {"text": whole.content, "pieces": len([one for one in chunks if one.content]), "finish": finish}


def tools(ask: Ask) -> Any:
    return _calls(_model(ask).bind_tools([add]).invoke(ask.prompt))


def streamed_tools(ask: Ask) -> Any:
    return _calls(functools.reduce(operator.add, _model(ask).bind_tools([add]).stream(ask.prompt)))


def tool_turn(ask: Ask) -> Any:
    model, messages = _model(ask).bind_tools([add]), [HumanMessage(ask.prompt)]
    asked = model.invoke(messages)
    messages += [asked, *(add.invoke(call) for call in asked.tool_calls)]
    return {"text": model.invoke(messages).content}


def structured(ask: Ask) -> Any:
    return {"value": _model(ask).with_structured_output(Sum).invoke(ask.prompt).model_dump()}


def bad(ask: Ask) -> Any:
    return _model(ask, temperature=7).invoke(ask.prompt)


def _calls(message: Any) -> Any:
    return {
        "calls": [{"name": call["name"], "arguments": call["args"]} for call in message.tool_calls],
        "finish": message.response_metadata.get("finish_reason"),
    }


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
