"""What did the model say? Put together from a stream's chunks (OpenAI's ``chat.completion.chunk``, as mappings)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from forebay_agents.models.providers.provider import Answer, Usage


@dataclass(slots=True)
class Assembly:
    """An answer that grows by chunks."""

    parts: list[str] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    logprobs: list[Any] = field(default_factory=list)
    finish_reason: str | None = None
    usage: Usage | None = None
    _open: dict[int, dict[str, Any]] = field(default_factory=dict)

    def add(self, chunk: Mapping[str, Any]) -> bool:
        """Take a chunk in; whether a model said anything in it (a role alone is nothing)."""
        if usage := chunk.get("usage"):
            self.usage = usage_of(usage)
        choices = chunk.get("choices")
        if not choices:
            return False
        choice = choices[0]
        delta = choice.get("delta") or {}
        if text := delta.get("content"):
            self.parts.append(text)
        calls = delta.get("tool_calls") or ()
        for call in calls:
            self._add_call(call)
        self.logprobs += (choice.get("logprobs") or {}).get("content") or ()
        finish = choice.get("finish_reason")
        self.finish_reason = finish or self.finish_reason
        return bool(text or calls or finish or delta.get("reasoning_content") or delta.get("reasoning"))

    def answer(self, estimate: Usage) -> Answer:
        """The answer; ``estimate`` where the provider did not count."""
        return Answer(
            content="".join(self.parts),
            finish_reason=self.finish_reason,
            tool_calls=json.dumps(self.calls, ensure_ascii=False) if self.calls else None,
            logprobs={"content": self.logprobs} if self.logprobs else None,
            usage=self.usage or estimate,
        )

    def _add_call(self, part: Mapping[str, Any]) -> None:
        """A piece of a tool call: the first has id and name, the others more of the arguments."""
        index, identity, given = part.get("index") or 0, part.get("id"), part.get("function") or {}
        call = self._open.get(index)
        # Some providers number all of their calls 0: another id is another call.
        if call is None or (identity and call["id"] and identity != call["id"]):
            call = {"id": identity, "type": "function", "function": {"name": None, "arguments": ""}}
            self._open[index] = call
            self.calls.append(call)
        call["id"] = call["id"] or identity
        function = call["function"]
        function["name"] = function["name"] or given.get("name")
        function["arguments"] += given.get("arguments") or ""


def usage_of(usage: Mapping[str, Any]) -> Usage:
    """Tokens as the provider counted them."""
    return Usage(
        prompt_tokens=usage.get("prompt_tokens") or 0,
        completion_tokens=usage.get("completion_tokens") or 0,
        cached_prompt_tokens=(usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0,
    )
