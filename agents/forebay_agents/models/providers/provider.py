"""What is a call to a model? The request, the answer, and the ways in which it can fail."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from forebay.contract.records import Message, Params
from forebay_agents.models.settings import Deployment

OUTAGES = frozenset(
    {
        "provider_rate_limited",
        "provider_timeout",
        "provider_unavailable",
        "provider_not_json",
        "provider_no_answer",
        "provider_cut_off",
        "provider_no_end",
    }
)
"""Codes of calls that say something about the deployment, and that may fare better elsewhere or later."""

STANDARD = "standard"
"""The service tier of calls that have none."""
ATTEMPT_HEADER = "x-forebay-attempt-id"
"""Sent with every call, so that a provider's invoice can be matched with the ledger."""


Said = Callable[[str], None]
"""Hears what a model says, in words and as it says it; it must not raise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call: redacted messages only.

    Attributes:
        attempt_id: UUIDv7 made before the call.
        timeout_s: seconds until it is given up.
        max_tokens: bound of the answer.
        tools, response_format: parsed JSON, passed through.
        top_logprobs: alternatives per token to report with their log-probabilities; 0: none.
        said: hears the answer while it is streamed. What it heard is no answer until the call has ended well.
        begun: called once, when the first token of a streamed answer is there; it must not raise.
    """

    attempt_id: str
    request_id: str
    messages: tuple[Message, ...]
    params: Params = field(default_factory=Params)
    max_tokens: int = 1024
    timeout_s: float = 60.0
    tools: Any = None
    response_format: Any = None
    top_logprobs: int = 0
    said: Said | None = field(default=None, repr=False, compare=False)
    begun: Callable[[], None] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Tokens as the provider counted them; ``estimated`` where its counts are missing or cannot be.

    Attributes:
        prompt_tokens: all input; cached, written, and written for an hour are parts of it, without overlap.
        completion_tokens: all output; reasoning is a part of it.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_prompt_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    service_tier: str = STANDARD
    estimated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a model answered.

    Attributes:
        finish_reason: a value of :class:`forebay_agents.models.providers.finish.Finish`; ``None`` where none was given.
        tool_calls: JSON text of OpenAI's array.
        logprobs: ``{"content": [{"token", "logprob", "top_logprobs"}]}``, finite numbers alone.
    """

    content: str
    finish_reason: str | None
    usage: Usage
    tool_calls: str | None = None
    logprobs: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class ProviderError(Exception):
    """A call that brought no answer.

    Args:
        code: a key of :data:`forebay.contract.error_codes.CODES`.
        message: free of prompt text.
        retry_after_s: what the provider asked us to wait, in seconds.
        may_be_billed: whether the provider may charge for it all the same (it had begun, or we do not know).
        usage: of an answer that came to its end and is of no use all the same: that is paid, and not asked for again.
        finish: why its end is none, a value of :class:`forebay_agents.models.providers.finish.Finish`.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retry_after_s: float | None = None,
        may_be_billed: bool = False,
        usage: Usage | None = None,
        finish: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s
        self.may_be_billed = may_be_billed
        self.usage = usage
        self.finish = finish


class Provider(Protocol):
    """Something that answers calls."""

    async def ready(self) -> None:
        """Return once calls can be made: whatever takes long the first time is done."""
        ...

    async def complete(self, deployment: Deployment, call: Call) -> Answer:
        """Call ``deployment``. Raises :class:`ProviderError`."""
        ...

    def count_tokens(self, deployment: Deployment, messages: tuple[Message, ...]) -> int:
        """About how many tokens the messages have for this model; an estimate for limits and worst cases."""
        ...
