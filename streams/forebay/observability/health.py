"""Is this worker alive and ready, and what has it counted? ``/healthz``, ``/readyz``, ``/metrics``, on loopback."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from forebay.settings import WorkerSettings


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """Whether a worker serves.

    Attributes:
        started: each stage has had partitions and has not failed.
        problems: what keeps it from serving, by stage and kind, in words.
        warnings: what somebody has to do though it serves, likewise.
        lag: by stage and topic: ``records`` not finished and ``seconds`` since the oldest was written.
    """

    started: bool
    problems: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    lag: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    warnings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def answer(found: Readiness) -> dict[str, object]:
    """What ``/readyz`` says."""
    status = "starting" if not found.started else "not_ready" if found.problems else "ready"
    return {"status": status, "problems": found.problems, "warnings": found.warnings, "lag": found.lag}


class HealthServer:
    """A small HTTP server for the length of an ``async with``.

    Args:
        ready: asked at each request.
    """

    def __init__(self, settings: WorkerSettings, ready: Callable[[], Readiness]) -> None:
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
        """Ready: every stage of this worker has partitions, has not failed and moves; else 503, with the reason."""
        body = answer(self._ready())
        return web.json_response(body, status=200 if body["status"] == "ready" else 503)

    async def _metrics(self, _request: web.Request) -> web.Response:
        """Prometheus text format."""
        return web.Response(body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})
