"""What an application asks, before and after redaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ConfigDict

# Where records are read from JSON, a misspelt key is an error, not silence. A plain mapping to pydantic, whose import
# (0.06 s) is not worth it to whoever only names a record.
_STRICT: "ConfigDict" = {"extra": "forbid"}


class MessageRole(StrEnum):
    """Who speaks, as in the OpenAI chat format."""

    USER = "user"
    SYSTEM = "system"
    DEVELOPER = "developer"
    ASSISTANT = "assistant"
    TOOL = "tool"


class CacheMode(StrEnum):
    """``default``: read and write; ``bypass``: neither; ``refresh``: write only."""

    DEFAULT = "default"
    BYPASS = "bypass"
    REFRESH = "refresh"


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One turn of a conversation; ``tool_calls`` is JSON text of the OpenAI array."""

    __pydantic_config__ = _STRICT

    role: MessageRole = MessageRole.USER
    content: str = ""
    name: str | None = None
    tool_call_id: str | None = None
    tool_calls: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Params:
    """Sampling parameters; ``None`` leaves the provider's default.

    ``tool_choice`` is ``auto``, ``none``, ``required``, or JSON text of the OpenAI object; ``reasoning_effort`` a word.
    """

    __pydantic_config__ = _STRICT

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    tool_choice: str | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CachePolicy:
    """What the cache may do with a request; ``ttl_s`` in seconds, ``scope`` one of user, tenant, global."""

    __pydantic_config__ = _STRICT

    mode: CacheMode = CacheMode.DEFAULT
    ttl_s: int | None = None
    scope: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestFields:
    """What a request and its redacted form share.

    ``key_id``: by which key of the HTTP door it came; believed as far as the tenant is.
    """

    __pydantic_config__ = _STRICT

    request_id: str = ""
    tenant_id: str = "default"
    user_id: str = "anonymous"
    conversation_id: str | None = None
    messages: tuple[Message, ...] = ()
    task: str | None = None
    tools: str | None = None
    response_format: str | None = None
    params: Params = field(default_factory=Params)
    tier: str | None = None
    max_cost_nanousd: int | None = None
    deadline_ms: int | None = None
    priority: int = 5
    cache: CachePolicy = field(default_factory=CachePolicy)
    metadata: Mapping[str, str] = field(default_factory=dict)
    created_at: int = 0
    redaction: str | None = None
    key_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Request(RequestFields):
    """A call for an answer as it is published; may hold personal data, so its topic is restricted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RedactedRequest(RequestFields):
    """A request whose personal data was replaced by pseudonyms; safe for every stage. Not a :class:`Request`, so that
    the type checker refuses raw text where redacted text is wanted.

    ``accepted_at`` is the broker's clock (ms since the epoch): deadlines count from it, so that a producer whose clock
    lies neither gains nor loses time. ``redaction`` is the profile that it was read with.
    """

    entities: Mapping[str, int] = field(default_factory=dict)
    vault_ref: str | None = None
    prompt_hash: str = ""
    language: str | None = None
    accepted_at: int = 0
    asked: str = ""
    public: Mapping[str, int] = field(default_factory=dict)
