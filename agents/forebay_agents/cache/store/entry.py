"""What is remembered of an answer? Its canonical text, what it had cost, and how far it may be trusted."""

import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

import orjson

from forebay_agents.models.providers.provider import Usage

_LEVEL = 1  # 60 µs for 2 KB of prose; higher levels save 3 % more


class Trust(StrEnum):
    """``model``: as a model gave it; ``verified``: a person approved it; ``human``: a person wrote it."""

    MODEL = "model"
    VERIFIED = "verified"
    HUMAN = "human"


class CorruptEntryError(ValueError):
    """The bytes are no entry of this version; to be treated as a miss."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One answer; all texts with canonical pseudonyms. Times are ms since the epoch, money is nano-dollars.

    Attributes:
        cost_nanousd: what the call had cost that gave the answer.
        usage: its tokens; ``None`` in old entries, and where nobody called.
        question: the last user turn; empty when the entry answers equal prompts only.
        features: what the decision needs to know about the question, computed once.
        request_id: of the request that was answered.
        tenant: hash of the tenant who asked.
        author: hash of who asked.
        contributors: hashes of the distinct people for whom a model gave an answer here.
        wrong_at: highest score at which a check found the answer wrong for another question.
        wrong: checks that found it wrong.
        right: checks that found it right.
        error_code: set when not an answer but a permanent error is remembered.
        fresh_until: after this the answer is stale.
    """

    entry_id: str
    wall: str = ""
    partition: str | None = None
    task: str | None = None
    question: str = ""
    features: bytes = b""
    content: str = ""
    finish_reason: str | None = None
    tier: str | None = None
    model: str | None = None
    deployment: str | None = None
    cost_nanousd: int = 0
    usage: Usage | None = None
    confidence: float | None = None
    request_id: str = ""
    tenant: str = ""
    author: str = ""
    contributors: Sequence[str] = ()
    trust: Trust = Trust.MODEL
    wrong_at: float = -1.0
    wrong: int = 0
    right: int = 0
    error_code: str | None = None
    error_message: str = ""
    quarantined: bool = False
    created_at: int = 0
    fresh_until: int = 0

    def pack(self) -> bytes:
        """Compressed bytes."""
        values = asdict(self)
        del values["features"]
        head = zlib.compress(orjson.dumps(values), _LEVEL)
        return len(head).to_bytes(4, "big") + head + self.features


_FIELDS = frozenset(field.name for field in fields(Entry))
_COUNTS = frozenset(field.name for field in fields(Usage))


def unpack(blob: bytes) -> Entry:
    """Inverse of :meth:`Entry.pack`; ignores fields of a newer version. Raises :class:`CorruptEntryError`."""
    try:
        size = int.from_bytes(blob[:4], "big")
        values: dict[str, Any] = orjson.loads(zlib.decompress(blob[4 : 4 + size]))
        known = {name: value for name, value in values.items() if name in _FIELDS}
        known["trust"] = Trust(known.get("trust", Trust.MODEL))
        known["contributors"] = tuple(known.get("contributors", ()))
        if (usage := known.get("usage")) is not None:
            known["usage"] = Usage(**{name: count for name, count in usage.items() if name in _COUNTS})
        return Entry(features=blob[4 + size :], **known)
    except (zlib.error, ValueError, TypeError, AttributeError) as error:
        raise CorruptEntryError(type(error).__name__) from None
