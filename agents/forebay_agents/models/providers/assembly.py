"""What did the model say? Put together from a stream's chunks or a whole body (OpenAI's chat format, parsed JSON).

What a provider sends is input: any value may stand anywhere. What has the form of an answer is taken, all else is
passed by; nothing raises, since an answer that came is paid.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from forebay_agents.models.providers.finish import Finish, finish_of
from forebay_agents.models.providers.provider import Said
from forebay_agents.models.providers.usage import Counts

_TEXT_PARTS = (None, "text", "output_text")
_THOUGHTS = frozenset({"thinking", "reasoning", "redacted_thinking"})
"""Parts that are about how the answer was found, as ``reasoning_content`` is."""
WITHHOLDING = (Finish.ERROR, Finish.CONTENT_FILTER)
"""Ends after which what came is not the answer."""
_MOST_LOGPROB = 1e9
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")


@dataclass(slots=True)
class Assembly:
    """An answer that grows by chunks.

    Attributes:
        thoughts: characters of reasoning, which is paid but no part of the answer.
        foreign: type of a part of the answer that is no text, if there was one.
        ended: whether the provider said that this is the end.
        said: hears the words of chunks, unless they come with a reason for which they are withheld.
    """

    parts: list[str] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    logprobs: list[Any] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    finish: Finish | None = None
    ended: bool = False
    thoughts: int = 0
    foreign: str | None = None
    said: Said | None = None
    _refusal: bool = False
    _choice: Any = None
    _open: dict[int, dict[str, Any]] = field(default_factory=dict)

    def add(self, chunk: Mapping[str, Any]) -> bool:
        """Take a chunk in; whether a model said anything in it (a role alone is nothing)."""
        self.counts.add(chunk.get("usage"))
        self.counts.add_tier(chunk.get("service_tier"))
        choice = self._chosen(chunk.get("choices"))
        if choice is None:
            return False
        self.counts.add(choice.get("usage"))  # where some have it
        finish = finish_of(choice.get("finish_reason"))
        self.finish = self.finish if self.finish in WITHHOLDING else finish or self.finish
        self.ended = self.ended or finish is not None
        self._add_logprobs(choice.get("logprobs"))
        delta = choice.get("delta")
        return (self._add_message(delta, whole=False) if isinstance(delta, Mapping) else False) or finish is not None

    def add_whole(self, body: Mapping[str, Any]) -> None:
        """Take a whole answer in: ``ended`` if there is one in it, whatever it says."""
        self.counts.add(body.get("usage"))
        self.counts.add_tier(body.get("service_tier"))
        choice = self._chosen(body.get("choices"))
        message = choice.get("message") if choice is not None else None
        if choice is None or not isinstance(message, Mapping):
            return
        self.counts.add(choice.get("usage"))
        self.ended = True
        native = _mapping(choice.get("provider_specific_fields")).get("native_finish_reason")
        self.finish = finish_of(native) or finish_of(choice.get("finish_reason"))
        self._add_logprobs(choice.get("logprobs"))
        self._add_message(message, whole=True)

    @property
    def text(self) -> str:
        """What was said in words."""
        return clean("".join(self.parts))

    @property
    def tool_calls(self) -> str | None:
        """JSON text of the tool calls, if there are any."""
        return clean(json.dumps(self.calls, ensure_ascii=False)) if self.calls else None

    @property
    def scores(self) -> dict[str, Any] | None:
        """Log-probabilities, if there are any."""
        tokens = [scored for token in self.logprobs for scored in _scored(token)]
        return {"content": tokens} if tokens else None

    @property
    def length(self) -> int:
        """Characters that were generated, as far as they were shown."""
        return sum(map(len, self.parts)) + sum(len(str(call)) for call in self.calls) + self.thoughts

    @property
    def withheld(self) -> Finish | None:
        """Why what came is not the answer; ``None`` when it may be."""
        if self.finish in WITHHOLDING:
            return self.finish
        return Finish.CONTENT_FILTER if self._refusal and not self.parts and not self.calls else None

    def _chosen(self, choices: Any) -> Mapping[str, Any] | None:
        """One was asked for: of several, the one that came first is followed."""
        for choice in choices if isinstance(choices, list) else ():
            if not isinstance(choice, Mapping):
                continue
            index = choice.get("index") or 0
            self._choice = index if self._choice is None else self._choice
            if index == self._choice:
                return choice
        return None

    def _add_message(self, message: Mapping[str, Any], *, whole: bool) -> bool:
        content = message.get("content")
        texts = ([content] if content else []) if isinstance(content, str) else list(self._texts(content))
        self.parts += texts
        if texts and self.said is not None and not whole and self.finish not in WITHHOLDING:
            self.said("".join(texts))
        calls = message.get("tool_calls")
        calls = calls if isinstance(calls, list) else [calls] if isinstance(calls, Mapping) else ()
        for place, call in enumerate(calls):
            if isinstance(call, Mapping):
                self._add_call(call, place if whole else None)
        reasoning = message.get("reasoning_content") or message.get("reasoning")
        self.thoughts += _length(reasoning)
        self._refusal = self._refusal or bool(message.get("refusal"))
        return bool(texts or calls or reasoning)

    def _texts(self, content: Any) -> Iterator[str]:
        """Texts of a ``content`` that is a list of parts, or a single one."""
        for part in content if isinstance(content, list) else [content]:
            if isinstance(part, str):
                if part:
                    yield part
                continue
            if not isinstance(part, Mapping):
                continue
            kind, text = part.get("type"), part.get("text")
            if kind in _TEXT_PARTS and isinstance(text, str):
                yield text
            elif kind == "refusal":
                self._refusal = True
            elif isinstance(kind, str) and kind in _THOUGHTS:
                self.thoughts += _length(part.get(kind))
            elif kind not in _TEXT_PARTS:
                self.foreign = kind if isinstance(kind, str) and _NAME.fullmatch(kind) else "unknown"

    def _add_logprobs(self, logprobs: Any) -> None:
        content = _mapping(logprobs).get("content")
        self.logprobs += content if isinstance(content, list) else ()

    def _add_call(self, part: Mapping[str, Any], place: int | None) -> None:
        """A tool call, or a piece of one: the first piece has id and name, the others more of the arguments."""
        told, identity, given = part.get("index"), part.get("id"), _mapping(part.get("function"))
        index = place if place is not None else told if isinstance(told, int) else 0
        identity = identity if isinstance(identity, str) else None
        call = self._open.get(index)
        # Some providers number all of their calls 0: another id is another call.
        if call is None or (identity and call["id"] and identity != call["id"]):
            call = {"id": identity, "type": "function", "function": {"name": None, "arguments": ""}}
            self._open[index] = call
            self.calls.append(call)
        call["id"] = call["id"] or identity
        function, name, arguments = call["function"], given.get("name"), given.get("arguments")
        function["name"] = function["name"] or (name if isinstance(name, str) else None)
        if arguments is not None:  # some give the object itself
            function["arguments"] += arguments if isinstance(arguments, str) else _json(arguments)


def clean(text: str) -> str:
    """``text`` as Unicode: halves of a pair that came in two pieces meet, a half without its other one is replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):  # what cannot be written, nobody can call
        return ""


def _length(thought: Any) -> int:
    """Characters of a text, or of the texts of a list of parts."""
    if isinstance(thought, list):
        return sum(_length(_mapping(part).get("text")) for part in thought)
    return len(thought) if isinstance(thought, str) else 0


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _scored(token: Any) -> Iterator[dict[str, Any]]:
    """A token with its log-probability and its rivals', if it has one."""
    told, value = _mapping(token), _number(_mapping(token).get("logprob"))
    if value is None:
        return
    rivals = told.get("top_logprobs")
    yield {
        "token": str(told.get("token")),
        "logprob": value,
        "top_logprobs": [one for rival in rivals for one in _rival(rival)] if isinstance(rivals, Sequence) else [],
    }


def _rival(token: Any) -> Iterator[dict[str, Any]]:
    value = _number(_mapping(token).get("logprob"))
    if value is not None:
        yield {"token": str(_mapping(token).get("token")), "logprob": value}


def _number(value: Any) -> float | None:
    """The logarithm of a probability: above 0 only by rounding, and never a number that no ``exp`` can take."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return min(0.0, float(value)) if abs(value) < _MOST_LOGPROB else None
