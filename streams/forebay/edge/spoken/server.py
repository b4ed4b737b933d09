"""How is HTTP spoken? aiohttp's low-level server: routes, limits and the JSON of every error are here.

How long clients may take is :mod:`forebay.edge.spoken.connection`. Whoever reaches a door on loopback from a page of
another site is turned away: by ``origin``, by the type of the body, which no web form has, and by ``host`` (DNS
rebinding).
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from forebay.contract.clock import elapsed_s
from forebay.edge import errors
from forebay.edge.errors import Refused
from forebay.edge.metrics import EdgeMetrics
from forebay.edge.spoken.connection import MOST_HEAD, Connection, Patience

_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_JSON = "application/json"
KEY_ID, REQUEST_ID = web.RequestKey("key_id", str), web.RequestKey("request_id", str)
"""What the log of a request names, once it is known."""
SHOWN = web.RequestKey("shown", dict)
"""Headers that its answer has, whichever it is."""
SERVED_BY = {"server": "forebay"}
"""In every answer: which library serves, and which version of it, is nobody's business."""
_QUIET = frozenset({"/healthz"})

log = structlog.get_logger(__name__)

Serve = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]
"""Serves a request; the text is what its path ends with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """A path, without ``/v1``.

    Attributes:
        rest: it ends with a name.
        label: of metrics.
    """

    method: str
    path: str
    serve: Serve
    rest: bool = False
    label: str = ""


class _Connection(Connection):
    """Errors of HTTP itself are JSON too; aiohttp logs each with a traceback, which quotes what was sent."""

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """See aiohttp."""
        del message
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun")
        if status >= 500:
            log.error("request_failed", error=type(exc).__name__)
            answer = error_response(Refused("bug", "the door failed"))
        elif isinstance(exc, LineTooLong):
            answer = error_response(Refused("headers_too_large", "the headers are larger than 16 KiB"))
        else:
            answer = error_response(Refused("invalid_value", "this is no HTTP that can be read"))
        answer.force_close()
        return answer


class _Connections(web.Server):
    def __init__(self, handler: Any, patience: Patience, **more: Any) -> None:
        super().__init__(handler, **more)
        self._patience = patience

    def __call__(self) -> web.RequestHandler:
        return _Connection(
            self,
            self._patience,
            _refusal,
            loop=asyncio.get_running_loop(),
            max_line_size=MOST_HEAD,
            max_field_size=MOST_HEAD,
        )


def _refusal(code: str, message: str) -> bytes:
    """What is said on a connection on which there is no request yet."""
    status, content = errors.row(code).status, json.dumps(errors.body(code, message)).encode()
    head = {**SERVED_BY, "content-type": f"{_JSON}; charset=utf-8", "content-length": len(content)}
    first = f"HTTP/1.1 {status} {web.Response(status=status).reason}"
    lines = [first, *(f"{name}: {value}" for name, value in head.items())]
    return "\r\n".join([*lines, "connection: close", "", ""]).encode() + content


class Server:
    """Serves routes.

    Args:
        hosts: names that ``host`` may have beside the loopback's; ``None``: any.
        origins: whose pages may ask.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        metrics: EdgeMetrics,
        *,
        hosts: Sequence[str] | None,
        origins: Sequence[str],
        most: int,
        patience: Patience,
    ) -> None:
        self._patience = patience
        self._routes = routes
        self._metrics = metrics
        self._hosts = frozenset((*_LOCAL, *hosts)) if hosts is not None else None
        self._origins = frozenset(origins)
        self._most = most

    def runner(self) -> web.ServerRunner:
        """To be set up in an event loop."""
        loop = asyncio.get_running_loop()

        def request_of(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
            return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=self._most)

        return web.ServerRunner(
            _Connections(self.serve, self._patience, request_factory=request_of),
            handle_signals=False,
            shutdown_timeout=1.0,
        )

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request."""
        began = elapsed_s()
        route: Route | None = None
        try:
            self._check_place(request)
            if (preflight := self._preflight(request)) is not None:
                return preflight
            route, rest = self._route(request)
            answer = await route.serve(request, rest)
        except Refused as refused:
            self._metrics.refused.labels(refused.code).inc()
            answer = error_response(refused)
        took_s = elapsed_s() - began
        label = "none" if route is None else route.label or route.path
        self._metrics.requests.labels(label, str(answer.status)).inc()
        self._metrics.latency.labels(label).observe(took_s)
        if label not in _QUIET:
            log.info(
                "asked",
                path=label,
                status=answer.status,
                ms=round(1000 * took_s),
                bytes=request.content_length or 0,
                key_id=request.get(KEY_ID, ""),
                request_id=request.get(REQUEST_ID, ""),
            )
        if not answer.prepared:
            answer.headers.update({**request.get(SHOWN, {}), **self._cors(request)})
            if not request.body_exists or request.content.is_eof():
                return answer
            answer.force_close()  # a body that nobody read
        return answer

    def _check_place(self, request: web.BaseRequest) -> None:
        host = request.headers.get("host", "")
        if self._hosts is not None and _without_port(host) not in self._hosts:
            raise Refused("not_allowed", "this host is not served here")
        origin = request.headers.get("origin")
        if origin is not None and origin not in self._origins:
            raise Refused("not_allowed", "pages of other sites may not ask (edge.cors_origins)")

    def _cors(self, request: web.BaseRequest) -> Mapping[str, str]:
        origin = request.headers.get("origin")
        return {"access-control-allow-origin": origin, "vary": "origin"} if origin in self._origins and origin else {}

    def _preflight(self, request: web.BaseRequest) -> web.Response | None:
        if request.method != "OPTIONS" or not (allowed := self._cors(request)):
            return None
        wanted = request.headers.get("access-control-request-headers", "")
        more = {"access-control-allow-methods": "GET, POST", "access-control-allow-headers": wanted}
        return web.Response(status=204, headers={**SERVED_BY, **allowed, **more, "access-control-max-age": "600"})

    def _route(self, request: web.BaseRequest) -> tuple[Route, str]:
        path = request.path.removeprefix("/v1").rstrip("/") or "/"
        found = [(route, rest) for route in self._routes if (rest := _rest(route, path)) is not None]
        if not found:
            if path.startswith(UNSUPPORTED):
                message = "this endpoint is not served; /v1/chat/completions, /v1/models, /v1/requests are"
                raise Refused("unsupported_endpoint", message)
            raise Refused("not_found", "there is no such path; see /v1/chat/completions, /v1/models")
        for route, rest in found:
            if request.method == route.method or (request.method == "HEAD" and route.method == "GET"):
                return route, rest
        allow = ", ".join(sorted({route.method for route, _ in found}))
        raise Refused("method_not_allowed", f"this path takes {allow}", headers={"allow": allow})


UNSUPPORTED = ("/completions", "/embeddings", "/responses", "/messages", "/audio", "/images", "/moderations", "/files")


def _rest(route: Route, path: str) -> str | None:
    if not route.rest:
        return "" if path == route.path else None
    return path[len(route.path) + 1 :] or None if path.startswith(f"{route.path}/") else None


def _without_port(host: str) -> str:
    head, colon, port = host.rpartition(":")
    return (head if colon and port.isdigit() else host).lower()


async def body_of(request: web.BaseRequest, most: int, within_s: float) -> bytes:
    """The body.

    Raises:
        Refused: ``unsupported_media_type``, ``request_too_large`` (at once where the length is told),
            ``request_timeout``.
    """
    kind = request.headers.get("content-type")
    plain = (kind or _JSON).partition(";")[0].strip().lower()
    if plain != _JSON and not (plain.startswith("application/") and plain.endswith("+json")):
        raise Refused("unsupported_media_type", "content-type: application/json is needed")
    too_large = Refused("request_too_large", f"the body has more than {most:,} bytes")
    if (request.content_length or 0) > most:
        raise too_large
    pieces, size = list[bytes](), 0
    try:
        async with asyncio.timeout(within_s):
            async for piece in request.content.iter_any():  # not `read`, by which the request keeps it for its life
                size += len(piece)
                if size > most:
                    raise too_large
                pieces.append(piece)
    except TimeoutError:
        raise Refused("request_timeout", f"the body did not come within {within_s:g} s") from None
    except (ConnectionError, web.RequestPayloadError):
        raise Refused("invalid_value", "the body broke off") from None
    return b"".join(pieces)


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return web.Response(body=text, status=status, headers={**SERVED_BY, **(headers or {})}, content_type=_JSON)


def error_response(refused: Refused) -> web.Response:
    """The answer to what is refused."""
    told = errors.row(refused.code)
    headers = {**errors.headers(refused.code, refused.retry_after_s), **refused.headers}
    answer = json_response(errors.body(refused.code, refused.message, refused.param), told.status, headers)
    if refused.code in ("draining", "overloaded", "request_timeout", "request_too_large"):
        answer.force_close()
    return answer
