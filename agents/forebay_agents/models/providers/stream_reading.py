"""Is the stream of an answer alive, and did it end well?

A stream that stalls is given up long before the total time is over, so that another deployment can still answer; one
that ends without a finish reason was cut off by somebody on the way and is no answer, however complete it looks.

litellm opens the stream, for every provider. Where that is an OpenAI-compatible one, its server-sent events are read
here: litellm's own reading took 1.3 ms of CPU a token and 10 ms at the end, this one 0.1 ms a token and none.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import orjson

from forebay_agents.models.providers.assembly import Assembly
from forebay_agents.models.settings import Deployment

_DRAIN_S = 0.05
"""What is left behind the last event is read for so long, so that the connection can be used again."""


class StalledError(Exception):
    """The stream did not come, or did not go on, in time; the message says which."""


class BrokenStreamError(Exception):
    """The stream ended before the answer did; ``code`` of :data:`forebay.contract.failures.CODES`."""

    def __init__(self, code: str = "provider_unavailable") -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """Seconds that a stream may take: to its first token, from one to the next, and altogether."""

    first_token_s: float
    stall_s: float
    total_s: float

    @classmethod
    def of(cls, deployment: Deployment, timeout_s: float) -> "Patience":
        """The deployment's, within ``timeout_s`` altogether."""
        return cls(
            first_token_s=deployment.first_token_timeout_s or timeout_s,
            stall_s=deployment.stall_timeout_s or timeout_s,
            total_s=timeout_s,
        )


class Watch:
    """Ends what is done within it when patience ends; :meth:`progress` tells it that something came.

    Raises:
        StalledError: on leaving, when it ended it.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._limit = asyncio.timeout(min(patience.first_token_s, patience.total_s))
        self._end = 0.0
        self._begun = False

    async def __aenter__(self) -> "Watch":
        self._end = asyncio.get_running_loop().time() + self._patience.total_s
        await self._limit.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._limit.__aexit__(kind, error, trace)
        except TimeoutError:
            raise StalledError(self._what_ended()) from None

    def progress(self) -> None:
        """A token came."""
        self._begun = True
        self._limit.reschedule(min(self._end, asyncio.get_running_loop().time() + self._patience.stall_s))

    def _what_ended(self) -> str:
        if asyncio.get_running_loop().time() >= self._end:
            return f"no end after {self._patience.total_s:g} s"
        if not self._begun:
            return f"no first token after {self._patience.first_token_s:g} s"
        return f"stalled for {self._patience.stall_s:g} s"


async def read(stream: Any, watch: Watch) -> Assembly:
    """All of ``stream`` (litellm's wrapper of it), closed whatever happens.

    Raises:
        BrokenStreamError: it ended before the answer did. Other exceptions are the client library's.
    """
    from openai import AsyncStream

    found = Assembly()
    inner = getattr(stream, "completion_stream", None)
    chunks = _events(inner.response) if isinstance(inner, AsyncStream) else _through_litellm(stream)
    try:
        async for chunk in chunks:
            if found.add(chunk):
                watch.progress()
    finally:
        await stream.aclose()
    if found.finish_reason is None:
        raise BrokenStreamError
    return found


async def _events(response: Any) -> AsyncIterator[Mapping[str, Any]]:
    """Server-sent events (WHATWG HTML, section 9.2) up to ``[DONE]``, parsed."""
    lines = _lines(response.aiter_bytes())
    async for line in lines:
        field, _, value = line.partition(b":")
        if field != b"data":
            continue
        data = value.strip()
        if data == b"[DONE]":
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_DRAIN_S):
                    async for _ in lines:
                        pass
            return
        event = orjson.loads(data)
        if not isinstance(event, dict) or event.get("error"):
            raise BrokenStreamError(_code_of(event))
        yield event


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Split at line feeds alone: the client library splits at U+2028 too, which JSON allows within a string."""
    rest = b""
    async for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line
    if rest:
        yield rest


async def _through_litellm(stream: Any) -> AsyncIterator[Mapping[str, Any]]:
    async for chunk in stream:
        yield chunk.model_dump()
    # litellm makes up a finish reason where the provider sent none; this one is the provider's.
    if getattr(stream, "received_finish_reason", "unknown") is None:
        raise BrokenStreamError


def _code_of(event: Any) -> str:
    """What kind of error a provider reports in the middle of a stream."""
    told = json.dumps(event).lower()
    if "context" in told and ("size" in told or "length" in told or "window" in told):
        return "context_length"
    return "provider_rate_limited" if "rate_limit" in told or '"code": 429' in told else "provider_unavailable"
