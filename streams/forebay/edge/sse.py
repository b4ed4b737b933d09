"""What does a stream say? Chunks as OpenAI sends them, from pieces and from the answer's record; pure.

The end always agrees with the record, or is an error: no made-up ``finish_reason``, no ``[DONE]`` over a stream that
broke off. (Peers got each of these wrong: vllm-project/vllm#19662, #36944, ollama/ollama#7881, BerriAI/litellm#33404.)
"""

import json
from collections.abc import Iterator
from typing import Any

from forebay.contract.records import Response
from forebay.edge.answering import PREFIX, finish_reason, tool_calls, usage

DONE = b"data: [DONE]\n\n"
WAITING = b": waiting\n\n"
_LINE_ENDS = [(end, f"\\u{ord(end):04x}") for end in "\x85\u2028\u2029"]
_PIECE = 4_096
"""Characters of a chunk, where there is much at once: clients show what they have."""


class Restarted(Exception):
    """What was sent is not how the answer begins: it was made again, and is another one."""


class Stream:
    """The chunks of one answer, in order.

    Args:
        request_id: of the request.
        model: as it was asked for; chunks before the record know no other.
        created: seconds since the epoch.
        include_usage: with a last chunk that has it.
    """

    __slots__ = ("_head", "_model", "_sent", "_usage", "opened")

    def __init__(self, request_id: str, model: str, created: int, *, include_usage: bool = False) -> None:
        self._head = {"id": PREFIX + request_id, "object": "chat.completion.chunk", "created": created}
        self._model = model
        self._usage = include_usage
        self._sent = ""
        self.opened = False

    def begin(self) -> bytes:
        """The first chunk; nothing if it was sent."""
        if self.opened:
            return b""
        self.opened = True
        return self._delta({"role": "assistant", "content": "", "refusal": None})

    @property
    def said(self) -> bool:
        """Whether any text was sent."""
        return bool(self._sent)

    def piece(self, text: str) -> bytes:
        """Text that came before the record."""
        if not text:
            return b""
        begun = self.begin()
        self._sent += text
        return begun + self._delta({"content": text})

    def end(self, response: Response) -> Iterator[bytes]:
        """The rest, from the record.

        Raises:
            Restarted: it does not begin as what was sent.
        """
        if not response.content.startswith(self._sent):
            raise Restarted
        self._model = response.model or self._model
        yield self.begin()
        rest, self._sent = response.content[len(self._sent) :], response.content
        for at in range(0, len(rest), _PIECE):
            yield self._delta({"content": rest[at : at + _PIECE]})
        for index, call in enumerate(tool_calls(response)):
            yield from self._call(index, call)
        yield self._delta({}, finish_reason(response))
        if self._usage:
            yield self._event([], usage=usage(response))
        yield DONE

    def _call(self, index: int, call: dict[str, Any]) -> Iterator[bytes]:
        function = call.get("function") or {}
        named = {"name": function.get("name"), "arguments": ""}
        head = {"index": index, "id": call.get("id"), "type": call.get("type") or "function", "function": named}
        yield self._delta({"tool_calls": [head]})
        arguments = function.get("arguments") or ""
        text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        for at in range(0, len(text), _PIECE):
            part = {"index": index, "function": {"arguments": text[at : at + _PIECE]}}
            yield self._delta({"tool_calls": [part]})

    def _delta(self, delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return self._event([choice])

    def _event(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        chunk = {**self._head, "model": self._model, "choices": choices, "system_fingerprint": None}
        if self._usage:
            chunk["usage"] = None
        return event({**chunk, **more})


def event(content: dict[str, Any]) -> bytes:
    """One event. JSON has no line ends of its own but those of Unicode, at which readers such as ``iter_lines`` of
    httpx end a line: they are escaped."""
    line = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    for end, escaped in _LINE_ENDS:
        line = line.replace(end, escaped)
    return b"data: " + line.encode() + b"\n\n"
