"""When are two redacted prompts the same question? When their canonical forms are equal.

The canonical form renumbers pseudonyms in order of appearance (so that two people's questions meet), applies Unicode
NFKC, and folds white space where it cannot matter: not inside code. Everything else that changes an answer (parameters,
tools, response format, task, tier) is part of the hash. The redaction stage uses it as the record key, so that equal
questions meet in one partition; the cache builds its keys on it.
"""

import hashlib
import json
import re
import unicodedata

from streams.records.conversation import Message, RequestFields

_TAG = re.compile(r"<([A-Z][A-Z0-9_]*)_(\d+)>")
_FENCE = re.compile(r"(```.*?(?:```|\Z))", re.DOTALL)
_BLANKS = re.compile(r"[ \t\r\f\v\u00a0]+")
_NEWLINES = re.compile(r" ?\n ?(?:\n ?)*")


class Renumbering:
    """Pseudonym tags to canonical ones, numbered by type in order of appearance, and back."""

    def __init__(self) -> None:
        self._canonical: dict[str, str] = {}
        self._original: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def apply(self, text: str) -> str:
        """``text`` with canonical tags; tags not seen before get the next number of their type."""
        return _TAG.sub(lambda match: self._number(match[0], match[1]), text)

    def revert(self, text: str) -> str:
        """``text`` with original tags; canonical tags that stand for nothing stay as they are."""
        return _TAG.sub(lambda match: self._original.get(match[0], match[0]), text)

    def _number(self, tag: str, kind: str) -> str:
        known = self._canonical.get(tag)
        if known is None:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            known = self._canonical[tag] = f"<{kind}_{self._counts[kind]}>"
            self._original[known] = tag
        return known


def fold(text: str) -> str:
    """NFKC, and runs of blanks and newlines folded, except inside ``` fences, where white space can be meaning."""
    parts = _FENCE.split(text)
    for index in range(0, len(parts), 2):
        plain = unicodedata.normalize("NFKC", parts[index])
        parts[index] = _NEWLINES.sub("\n", _BLANKS.sub(" ", plain))
    return "".join(parts).strip()


def canonical_messages(messages: tuple[Message, ...]) -> tuple[list[dict[str, str]], Renumbering]:
    """Messages in canonical form, and the renumbering that leads back to the request's own pseudonyms."""
    numbers = Renumbering()
    canonical = []
    for message in messages:
        turn = {"role": message.role.value, "content": numbers.apply(fold(message.content))}
        for name in ("name", "tool_call_id", "tool_calls"):
            value = getattr(message, name)
            if value is not None:
                turn[name] = numbers.apply(value)
        canonical.append(turn)
    return canonical, numbers


def prompt_hash(request: RequestFields) -> str:
    """Hex SHA-256 of the canonical prompt and of everything else that changes the answer."""
    messages, _ = canonical_messages(request.messages)
    params = request.params
    content = {
        "messages": messages,
        "task": request.task,
        "tools": request.tools,
        "response_format": request.response_format,
        "tier": request.tier,
        "params": [
            params.max_tokens,
            params.temperature,
            params.top_p,
            list(params.stop),
            params.seed,
            params.presence_penalty,
            params.frequency_penalty,
        ],
    }
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
