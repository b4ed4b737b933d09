"""Is this worker alive and ready, and what has it counted? ``/healthz``, ``/readyz``, ``/metrics``, on loopback."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from forebay.settings import WorkerSettings


class HealthServer:
    """A small HTTP server for the length of an ``async with``.

    Args:
        ready: whether the worker's stages have partitions and work.
    """

    def __init__(self, settings: WorkerSettings, ready: Callable[[], bool]) -> None:
        self._settings = settings
        self._ready = ready
        self.port = 0
        application = web.Application()
        application.add_routes(
            [web.get("/healthz", self._healthz), web.get("/readyz", self._readyz), web.get("/metrics", self._metrics)]
        )
        self._runner = web.AppRunner(application, access_log=None)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._settings.host, self._settings.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _healthz(self, _request: web.Request) -> web.Response:
        """Alive: the event loop answers."""
        return web.json_response({"status": "alive"})

    async def _readyz(self, _request: web.Request) -> web.Response:
        """Ready: every stage of this worker has partitions and has not failed; else 503."""
        ready = self._ready()
        return web.json_response({"status": "ready" if ready else "starting"}, status=200 if ready else 503)

    async def _metrics(self, _request: web.Request) -> web.Response:
        """Prometheus text format."""
        return web.Response(body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})
