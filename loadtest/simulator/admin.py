"""How is the provider changed and read while it runs? The ``/admin`` paths."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import orjson
from aiohttp import web
from pydantic import ValidationError

from loadtest.simulator.invoice import Invoice, Stats
from loadtest.simulator.script import Script, merged

JSON = {"content-type": "application/json"}


class Administered(Protocol):
    """What the admin paths need of the simulator."""

    raw: dict[str, Any]
    script: Script
    invoice: Invoice
    stats: Stats

    @property
    def elapsed_s(self) -> float:
        """Seconds on the time line."""
        ...

    def configure(self, raw: Mapping[str, Any]) -> None:
        """Replace the script."""
        ...

    def reset(self) -> None:
        """Start anew."""
        ...


class Admin:
    """The admin paths of one simulator."""

    def __init__(self, provider: Administered) -> None:
        self._provider = provider
        self._routes: dict[tuple[str, str], Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]] = {
            ("GET", "/admin/config"): self._config,
            ("POST", "/admin/config"): self._configure,
            ("POST", "/admin/outage"): self._outage,
            ("GET", "/admin/invoice"): self._invoice,
            ("GET", "/admin/stats"): self._stats,
            ("POST", "/admin/reset"): self._reset,
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """A request for an admin path, or for none at all."""
        route = self._routes.get((request.method, request.path))
        if route is None:
            return json_reply({"error": {"message": "no such path", "type": "invalid_request_error"}}, 404)
        return await route(request)

    async def _config(self, _request: web.BaseRequest) -> web.StreamResponse:
        return json_reply(
            {"script": self._provider.script.model_dump(mode="json"), "elapsed_s": round(self._provider.elapsed_s, 3)}
        )

    async def _configure(self, request: web.BaseRequest) -> web.StreamResponse:
        patch = _loads(await request.read())
        if not isinstance(patch, dict):
            return json_reply({"error": {"message": "a JSON object is expected (RFC 7396 merge patch)"}}, 400)
        try:
            self._provider.configure(merged(self._provider.raw, patch))
        except ValidationError as error:
            return json_reply({"error": {"message": str(error)}}, 400)
        return await self._config(request)

    async def _outage(self, request: web.BaseRequest) -> web.StreamResponse:
        given = _loads(await request.read())
        try:
            wanted = dict(given)
            now = self._provider.elapsed_s
            wanted |= {"from_s": now, "to_s": now + float(wanted.pop("for_s"))}
            self._provider.configure(
                merged(self._provider.raw, {"outages": [*self._provider.raw.get("outages", ()), wanted]})
            )
        except (TypeError, ValueError, KeyError) as error:  # a ValidationError is a ValueError
            return json_reply(
                {"error": {"message": f'expected {{"for_s", "kind"?, "models"?, "share"?}}: {error}'}}, 400
            )
        return json_reply({"outage": wanted})

    async def _invoice(self, request: web.BaseRequest) -> web.StreamResponse:
        since = int(request.query.get("since", 0))
        return json_reply(
            {"total_nanousd": self._provider.invoice.total_nanousd, "lines": self._provider.invoice.lines[since:]}
        )

    async def _stats(self, _request: web.BaseRequest) -> web.StreamResponse:
        return json_reply({"elapsed_s": round(self._provider.elapsed_s, 3), "models": self._provider.stats.as_json()})

    async def _reset(self, _request: web.BaseRequest) -> web.StreamResponse:
        self._provider.reset()
        return json_reply({"status": "ok"})


def _loads(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def json_reply(payload: Any, status: int = 200) -> web.Response:
    """``payload`` as a response."""
    return web.Response(status=status, body=orjson.dumps(payload), headers=JSON)
