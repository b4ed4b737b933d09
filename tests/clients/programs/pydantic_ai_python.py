"""pydantic-ai: an agent that calls tools by itself."""

import asyncio
from typing import Any

import line_by_line
from line_by_line import BASE_URL, Ask, serve
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.messages import ModelResponse, ToolCallPart
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings


class Sum(BaseModel):
    """What is to be answered."""

    total: int
    words: str


def _agent(ask: Ask, **more: Any) -> Any:
    client = AsyncOpenAI(
        base_url=BASE_URL, api_key=ask.key, max_retries=0, timeout=60, default_headers=dict(ask.headers)
    )
    return Agent(OpenAIChatModel(ask.model, provider=OpenAIProvider(openai_client=client)), **more)


def chat(ask: Ask) -> Any:
    return {"text": asyncio.run(_agent(ask).run(ask.prompt)).output}


async def _streamed(agent: Any, prompt: str) -> Any:
    async with agent.run_stream(prompt) as result:
        found = [text async for text in result.stream_text(delta=True, debounce_by=None)]
        return found, result.all_messages()


def stream(ask: Ask) -> Any:
    found, _ = asyncio.run(_streamed(_agent(ask), ask.prompt))
    return {"text": "".join(found), "pieces": len(found)}


def tools(ask: Ask) -> Any:
    found = asyncio.run(_agent(ask, tools=[line_by_line.add]).run(ask.prompt))
    return {"calls": _calls(found.all_messages())}


def streamed_tools(ask: Ask) -> Any:
    _, messages = asyncio.run(_streamed(_agent(ask, tools=[line_by_line.add]), ask.prompt))
    return {"calls": _calls(messages)}


def tool_turn(ask: Ask) -> Any:
    return {"text": asyncio.run(_agent(ask, tools=[line_by_line.add]).run(ask.prompt)).output}


def structured(ask: Ask) -> Any:
    by_tool = asyncio.run(_agent(ask, output_type=Sum).run(ask.prompt)).output
    by_format = asyncio.run(_agent(ask, output_type=NativeOutput(Sum)).run(ask.prompt + " Again.")).output
    assert by_tool.total is not None
    return {"value": by_format.model_dump()}


def bad(ask: Ask) -> Any:
    return asyncio.run(_agent(ask, model_settings=ModelSettings(temperature=7)).run(ask.prompt)).output


def _calls(messages: Any) -> Any:
    parts = [part for message in messages if isinstance(message, ModelResponse) for part in message.parts]
    calls = [part for part in parts if isinstance(part, ToolCallPart)]
    return [{"name": call.tool_name, "arguments": call.args_as_dict()} for call in calls]


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
