"""How long may a client take? A connection that dawdles is closed, whatever it is about to say; others are not held up.

aiohttp bounds how long a connection may rest. It does not bound how long a head may take that begins, and not how long
a reader may leave an answer where it is.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

MOST_HEAD = 16_384
"""Bytes of a line of a head, and twice as many of a head."""
_UNSENT = 262_144
"""Bytes that the system keeps of an answer; of the 4 MB that it likes to take nobody would see if they are read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """Seconds: for a whole head, a whole body, a rest between two requests, and a reader that takes nothing."""

    head_s: float = 10.0
    body_s: float = 30.0
    idle_s: float = 75.0
    take_s: float = 30.0


class Connection(web.RequestHandler):
    """A connection to a client.

    Args:
        refuse: the bytes of a refusal by its code, for a connection on which nothing else is under way.
    """

    __slots__ = ("_head_bytes", "_head_timer", "_patience", "_refuse", "_take_timer", "_waiting")

    def __init__(
        self, manager: web.Server, patience: Patience, refuse: Callable[[str, str], bytes], **more: Any
    ) -> None:
        self._patience = patience
        self._refuse = refuse
        self._head_timer: asyncio.TimerHandle | None = None
        self._take_timer: asyncio.TimerHandle | None = None
        self._head_bytes = self._waiting = 0
        super().__init__(manager, keepalive_timeout=patience.idle_s, lingering_time=1.0, **more)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio: the first head is awaited from here on."""
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNSENT)
        self._begin_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        """See asyncio."""
        self._end_head()
        if self._take_timer is not None:
            self._take_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio: what comes while nothing is served is part of a head."""
        known = self._request_count
        super().data_received(data)
        if self._request_count != known:
            self._end_head()
        elif data and self._waiter is not None and not self._waiter.done():
            self._head_bytes += len(data)
            if self._head_bytes > 2 * MOST_HEAD:
                self._end("headers_too_large", "the headers are larger than 16 KiB")
            elif self._head_timer is None:
                self._begin_head()

    def pause_writing(self) -> None:
        """See asyncio: more waits for the reader than there is room for."""
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        """See asyncio."""
        super().resume_writing()
        if self._take_timer is not None:
            self._take_timer.cancel()
            self._take_timer = None

    def _begin_head(self) -> None:
        self._head_timer = self._loop.call_later(self._patience.head_s, self._late)

    def _end_head(self) -> None:
        self._head_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _late(self) -> None:
        self._head_timer = None
        seconds = f"{self._patience.head_s:g}"
        self._end("request_timeout", f"the head did not come within {seconds} s" if self._head_bytes else "")

    def _end(self, code: str, message: str) -> None:
        self._end_head()
        if message and self.transport is not None:
            self.transport.write(self._refuse(code, message))
        self.force_close()

    def _watch_reader(self) -> None:
        transport = self.transport
        if transport is None:
            return
        self._waiting = transport.get_write_buffer_size()
        self._take_timer = self._loop.call_later(self._patience.take_s, self._look_at_reader, transport)

    def _look_at_reader(self, transport: asyncio.Transport) -> None:
        self._take_timer = None
        if transport.get_write_buffer_size() >= self._waiting:
            transport.abort()
        else:
            self._watch_reader()
