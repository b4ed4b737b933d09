"""What really came over HTTP? Noted beside the client library, which tells but half of it.

litellm makes status 500 of a 200 that is no JSON, ``stop`` of a finish reason that it does not know, and fails over an
answer whose form is odd, although it is paid. So a hook of its HTTP clients notes status and body for the call that is
out in this context.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

_OUT: ContextVar["Exchange | None"] = ContextVar("exchange", default=None)


@dataclass(slots=True)
class Exchange:
    """One request to a provider and its response.

    Attributes:
        whole: whether the body is read at once: a stream is read by whoever follows it.
        status: HTTP status; ``None`` until there is a response.
        path: of the URL.
        plain: whether OpenAI's own client asked, so that litellm had nothing to translate.
        body: of a whole answer, and of a refusal.
    """

    whole: bool
    status: int | None = None
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    plain: bool = False

    @property
    def refused(self) -> bool:
        """Whether the provider answered by HTTP status that there is no answer."""
        return self.status is not None and not 200 <= self.status < 300

    @property
    def chat(self) -> bytes | None:
        """Body of a whole answer in OpenAI's chat format, to go by its address."""
        return self.body if not self.refused and self.path.endswith("/chat/completions") else None

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note what comes within."""
        token = _OUT.set(self)
        try:
            yield
        finally:
            _OUT.reset(token)


async def note(response: Any) -> None:
    """Hook for responses of ``httpx.AsyncClient``."""
    exchange = _OUT.get()
    if exchange is None or response.has_redirect_location:
        return
    exchange.status = response.status_code
    exchange.path = response.request.url.path
    exchange.headers = response.headers
    if exchange.whole or exchange.refused:
        exchange.body = await response.aread()


async def note_plain(response: Any) -> None:
    """The same for OpenAI's client. Azure goes through it too, but there some answers are translated."""
    exchange = _OUT.get()
    if exchange is not None:
        exchange.plain = "/deployments/" not in response.request.url.path
    await note(response)
