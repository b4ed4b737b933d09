"""instructor, in the ways of asking for an object that give the server its form, and in pieces."""

from typing import Any

import instructor
from line_by_line import Ask, serve
from openai import OpenAI
from pydantic import BaseModel


class Sum(BaseModel):
    """What is to be answered."""

    total: int
    words: str


def _client(ask: Ask, mode: instructor.Mode) -> Any:
    client = OpenAI(api_key=ask.key, max_retries=0, timeout=60, default_headers=ask.headers)
    return instructor.from_openai(client, mode=mode)


def structured(ask: Ask) -> Any:
    found = {}
    for mode in (instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA):
        client = _client(ask, mode)
        answer = client.chat.completions.create(
            model=ask.model, messages=ask.messages, response_model=Sum, max_retries=1
        )
        found[mode.value] = answer.model_dump()
    return {"value": found[instructor.Mode.TOOLS.value], "modes": sorted(found)}


def streamed_tools(ask: Ask) -> Any:
    pieces = _client(ask, instructor.Mode.TOOLS).chat.completions.create_partial(
        model=ask.model, messages=ask.messages, response_model=Sum, max_retries=1
    )
    [*_, last] = pieces
    return {"calls": [{"name": "Sum", "arguments": last.model_dump()}]}


def chat(ask: Ask) -> Any:
    client = _client(ask, instructor.Mode.TOOLS)
    return client.chat.completions.create(model=ask.model, messages=ask.messages, response_model=Sum, max_retries=1)


def bad(ask: Ask) -> Any:
    client = _client(ask, instructor.Mode.TOOLS)
    return client.chat.completions.create(
        model=ask.model, messages=ask.messages, response_model=Sum, max_retries=1, temperature=7
    )


if __name__ == "__main__":
    serve({"structured": structured, "streamed_tools": streamed_tools, "bad": bad, "chat": chat})
