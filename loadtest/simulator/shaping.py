"""What is odd about an answer? JSON texts of the script, put word for word where the answer has its own values."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from loadtest.simulator.script import Shape

Body = dict[str, Any]


def raw(text: str) -> Any:
    """JSON text that is sent as it stands, so that also what no encoder writes can be sent."""
    return orjson.Fragment(text)


def whole(envelope: Body, choice: Body, usage: Mapping[str, int], shape: Shape) -> bytes:
    """Body of an answer that is no stream."""
    if shape.body is not None:
        return shape.body.encode()
    if shape.content is not None:
        choice = choice | {"message": {"role": "assistant", "content": raw(shape.content)}}
    if shape.message is not None:
        choice = choice | {"message": raw(shape.message)}
    if shape.finish is not None:
        choice = choice | {"finish_reason": raw(shape.finish)}
    choices = [choice] if shape.choices is None else raw(shape.choices)
    counted: Any = usage if shape.usage is None else raw(shape.usage[-1]) if shape.usage else None
    body = envelope | {"choices": choices}
    return orjson.dumps(body | {"usage": counted} if counted is not None else body)


def choices(choice: Body, shape: Shape, *, said: bool) -> Any:
    """``choices`` of a chunk; ``said``: whether it is one of those with a piece of the answer."""
    if said and shape.choices is not None:
        return raw(shape.choices)
    if said and shape.message is not None:
        choice = choice | {"delta": raw(shape.message)}
    elif said and shape.content is not None:
        choice = choice | {"delta": {"content": raw(shape.content)}}
    if choice["finish_reason"] is not None and shape.finish is not None:
        choice = choice | {"finish_reason": raw(shape.finish)}
    return [choice]


def early(shape: Shape) -> Iterator[Any]:
    """Counts that a stream sends before its text."""
    if shape.usage and shape.usage_at == "start":
        yield raw(shape.usage[0])


def beside(shape: Shape, piece: int) -> Body:
    """The count beside the piece of a stream's text of that number."""
    if shape.usage and shape.usage_at == "each" and piece < len(shape.usage):
        return {"usage": raw(shape.usage[piece])}
    return {}


def late(shape: Shape, usage: Mapping[str, int]) -> Iterator[Any]:
    """Counts that a stream sends behind its text."""
    if shape.usage is None:
        yield usage
    elif shape.usage_at == "end":
        yield from map(raw, shape.usage)
    elif shape.usage_at == "start":
        yield from map(raw, shape.usage[1:])
