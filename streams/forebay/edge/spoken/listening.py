"""Where does a door listen, and how long may a client take to shake hands?

Before that is over, nobody but the event loop knows of a connection: aiohttp leaves it the minute that loops allow.
"""

import asyncio
import ssl

from aiohttp import web

_BACKLOG = 1_024
"""Connections that wait to be taken: as many as may come at once when another door is gone."""


class Listening(web.TCPSite):
    """Listens on ``host`` and ``port``.

    Args:
        tls: ``None``: without.
        handshake_s: who has not shaken hands after so long is closed.
    """

    def __init__(
        self, runner: web.ServerRunner, host: str, port: int, tls: ssl.SSLContext | None, handshake_s: float
    ) -> None:
        super().__init__(runner, host, port, ssl_context=tls, backlog=_BACKLOG)
        self._handshake_s = handshake_s

    async def start(self) -> None:
        """See aiohttp. Raises ``OSError``: the port cannot be had."""
        await web.BaseSite.start(self)
        assert self._runner.server is not None
        self._server = await asyncio.get_running_loop().create_server(
            self._runner.server,
            self._host,
            self._port,
            ssl=self._ssl_context,
            backlog=self._backlog,
            ssl_handshake_timeout=None if self._ssl_context is None else self._handshake_s,
        )
