"""What of a conversation is remembered between its requests? What is open: kinds, never a word that was said.

It stands beside the conversation's pseudonyms in the vault, so it is sealed to tenant, user and conversation, lives as
long as they do, goes with them when a user is erased, and is opened by redaction alone. Its size is bounded by the
number of kinds.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from forebay_agents.redaction.conversation.reading import PATIENCE, Open
from forebay_agents.redaction.conversation.shapes import SHAPES
from forebay_agents.redaction.request_parts import Part

KEY = ""
"""Its place among a conversation's tags: no tag is called so."""
_SYSTEM = frozenset(("system", "developer"))


def begun(kept: str, parts: Sequence[Part]) -> Open | None:
    """Where the conversation was before a request of ``parts``.

    ``None`` if nothing is open, or if the request begins as the one before did: then it brings the whole conversation
    with it, and what was open at the end of the last one is not what is open at its beginning.
    """
    if not kept:
        return None
    found: dict[str, Any] = json.loads(kept)
    if found["first"] == _first(parts):
        return None
    known = [tuple(kind for kind in found[name] if kind in SHAPES) for name in ("pending", "answered")]
    return Open(pending=known[0], answered=known[1], asker=found["asker"], age=found["age"], shut=found["shut"])


def kept(now: Open, parts: Sequence[Part]) -> str:
    """What to remember of a request of ``parts``; empty if nothing is open."""
    if not any(part.said and part.speaker == now.asker for part in parts):
        now = replace(now, age=now.age + 1)  # whoever asked spoke where nobody here has seen it
    if now.age >= PATIENCE or not (now.pending or now.answered):
        return ""
    return json.dumps(
        {
            "pending": now.pending,
            "answered": now.answered,
            "asker": now.asker,
            "age": now.age,
            "shut": now.shut,
            "first": _first(parts),
        }
    )


def remembered(tags: Mapping[str, str], open_: str) -> dict[str, str]:
    """``tags`` of a conversation with what is open; before them, for what is beyond their limit is forgotten."""
    rest = {tag: value for tag, value in tags.items() if tag != KEY}
    return {KEY: open_, **rest} if open_ else rest


def _first(parts: Sequence[Part]) -> str:
    """By what a request is known that brings the same beginning again."""
    first = next((part.text for part in parts if part.said and part.speaker not in _SYSTEM), "")
    return blake2b(first.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
