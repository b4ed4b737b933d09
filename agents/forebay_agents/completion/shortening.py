"""How much of a prompt is sent? What the question needs of a long history, by
:mod:`forebay_agents.completion.compression`."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from forebay.contract.records import MessageRole, RedactedRequest
from forebay_agents.completion.compression.messages import compress_messages
from forebay_agents.completion.compression.saving import NO_CACHE, PromptCache
from forebay_agents.completion.metrics import CompressionMetrics
from forebay_agents.completion.settings import CompletionSettings

_CHARS_PER_TOKEN = 3
_BESIDE_CHARS = 8_000  # 10 ms of CPU; longer ones must not hold up the event loop


class Shortened(NamedTuple):
    """What is sent, what was done to a long request (``None``: it is none), and how many tokens of it are not sent."""

    request: RedactedRequest
    outcome: str | None = None
    cut: int = 0


class Shortener:
    """Shortens requests as the settings say.

    Args:
        cached_share: what cached input costs where a request goes, as a share of fresh input.
    """

    def __init__(
        self,
        settings: CompletionSettings,
        metrics: CompressionMetrics,
        cached_share: Callable[[RedactedRequest], float] = lambda _: 1.0,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._cached_share = cached_share

    async def shorten(self, request: RedactedRequest) -> Shortened:
        """``request`` as it is sent to models: the answer is still to the whole."""
        if self.leaves_whole(request):
            return Shortened(request)
        if _chars(request) < _BESIDE_CHARS:
            return self._shortened(request)
        return await asyncio.to_thread(self._shortened, request)

    def leaves_whole(self, request: RedactedRequest) -> bool:
        """Whether ``request`` is certainly not cut."""
        return (
            self._settings.compress_keep >= 1
            or _chars(request) < _CHARS_PER_TOKEN * self._settings.compress_least_tokens
        )

    async def to_fit(self, request: RedactedRequest, keep: float) -> RedactedRequest | None:
        """``request`` with ``keep`` of its tokens, for models that it is too long for; ``None`` if it cannot be cut."""
        found = await asyncio.to_thread(
            compress_messages,
            request.messages,
            task=request.task,
            keep=keep,
            request_id=request.request_id,
            holdout=0.0,
            least_tokens=1,
        )
        return None if found.reason is not None else replace(request, messages=found.messages)

    def _cache(self, request: RedactedRequest) -> PromptCache:
        """What stands before the last user turn was sent before, if the model has spoken since."""
        turns = [place for place, message in enumerate(request.messages) if message.role is MessageRole.USER]
        if not turns or all(one.role is not MessageRole.ASSISTANT for one in request.messages[: turns[-1]]):
            return NO_CACHE
        saved = self._settings.prompt_cache_share * (1 - self._cached_share(request))
        return PromptCache(messages=turns[-1], discount=1 - saved)

    def _shortened(self, request: RedactedRequest) -> Shortened:
        chosen = self._settings
        found = compress_messages(
            request.messages,
            task=request.task,
            keep=chosen.compress_keep,
            request_id=request.request_id,
            holdout=chosen.compress_holdout,
            least_tokens=chosen.compress_least_tokens,
            cache=self._cache(request),
        )
        self._metrics.compressed(found.reason, found.tokens_before, found.tokens_after)
        if found.reason is not None:
            return Shortened(request, found.reason)
        cut = found.tokens_before - found.tokens_after
        return Shortened(replace(request, messages=found.messages), "cut", cut)


def _chars(request: RedactedRequest) -> int:
    return sum(len(message.content) for message in request.messages)
