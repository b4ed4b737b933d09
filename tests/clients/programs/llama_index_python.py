"""llama-index, with its client for OpenAI-compatible servers."""

from typing import Any

import line_by_line
from line_by_line import BASE_URL, Ask, serve
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

ADD = FunctionTool.from_defaults(line_by_line.add)


class Sum(BaseModel):
    """What is to be answered."""

    total: int
    words: str


def _model(ask: Ask, **more: Any) -> Any:
    return OpenAILike(
        model=ask.model,
        api_base=BASE_URL,
        api_key=ask.key,
        is_chat_model=True,
        is_function_calling_model=True,
        max_retries=0,
        timeout=60,
        default_headers=dict(ask.headers),
        **more,
    )


def _asked(ask: Ask) -> Any:
    return [ChatMessage(role="user", content=ask.prompt)]


def chat(ask: Ask) -> Any:
    return {"text": _model(ask).chat(_asked(ask)).message.content}


def stream(ask: Ask) -> Any:
    found = [one.delta or "" for one in _model(ask).stream_chat(_asked(ask))]
    return {"text": "".join(found), "pieces": len(list(filter(None, found)))}


def tools(ask: Ask) -> Any:
    model = _model(ask)
    return _calls(model, model.chat_with_tools([ADD], chat_history=_asked(ask)))


def streamed_tools(ask: Ask) -> Any:
    model = _model(ask)
    [*_, last] = model.stream_chat_with_tools([ADD], chat_history=_asked(ask))
    return _calls(model, last)


def tool_turn(ask: Ask) -> Any:
    model, messages = _model(ask), _asked(ask)
    answer = model.chat_with_tools([ADD], chat_history=messages)
    messages.append(answer.message)
    for call in model.get_tool_calls_from_response(answer):
        result = str(ADD.call(**call.tool_kwargs).raw_output)
        messages.append(ChatMessage(role="tool", content=result, additional_kwargs={"tool_call_id": call.tool_id}))
    return {"text": model.chat_with_tools([ADD], chat_history=messages).message.content}


def structured(ask: Ask) -> Any:
    found = _model(ask).structured_predict(Sum, PromptTemplate("{asked}"), asked=ask.prompt)
    return {"value": found.model_dump()}


def bad(ask: Ask) -> Any:
    return _model(ask, additional_kwargs={"top_p": 7}).chat(_asked(ask)).message.content


def _calls(model: Any, answer: Any) -> Any:
    found = model.get_tool_calls_from_response(answer)
    return {"calls": [{"name": one.tool_name, "arguments": one.tool_kwargs} for one in found]}


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
