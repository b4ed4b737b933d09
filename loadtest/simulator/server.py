"""Who asked for what? HTTP in front of the simulator: the OpenAI paths, ``/health`` and ``/admin``.

aiohttp's low-level server without router and middleware: an ``instant`` call costs a quarter of a millisecond of CPU,
so that a latency measurement measures Forebay. Handlers are cancelled when their client goes away, for billing to see.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from forebay.contract.clock import now_ms
from loadtest.simulator import wire
from loadtest.simulator.admin import JSON, Admin, json_reply
from loadtest.simulator.chat import Call, play
from loadtest.simulator.instant import Instant
from loadtest.simulator.invoice import Invoice, Stats
from loadtest.simulator.script import Model, Script
from loadtest.simulator.timing import Throttle

_EVENTS = {"content-type": "text/event-stream", "cache-control": "no-cache"}


class _HttpReply:
    """:class:`loadtest.simulator.chat.Reply` over one aiohttp request."""

    def __init__(self, request: web.BaseRequest) -> None:
        self._request = request
        self.response: web.StreamResponse | None = None

    async def whole(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.response = web.Response(status=status, body=body, headers=JSON | dict(headers or {}))

    async def open_stream(self) -> None:
        self.response = web.StreamResponse(headers=_EVENTS)
        await self.response.prepare(self._request)

    async def send(self, data: bytes, *, last: bool = False) -> None:
        assert self.response is not None
        await self.response.write(data)
        if last:
            await self.response.write_eof()

    def abort(self) -> None:
        if self._request.transport is not None:
            self._request.transport.abort()


class Simulator:
    """The provider without its socket: one handler for all paths.

    Args:
        raw: the script as it was given, so that patches of it can be merged.
        request_log: file to which every request body is appended, for the check that no personal data got here.
    """

    def __init__(self, raw: Mapping[str, Any], invoice_path: Path | None = None, request_log: Path | None = None):
        self.raw = dict(raw)
        self.script = Script.model_validate(self.raw)
        self.invoice = Invoice(invoice_path)
        self.stats = Stats()
        self._log = request_log.open("ab") if request_log else None
        self._started = time.monotonic()
        self._rng = random.Random(self.script.seed)
        self._throttles: defaultdict[str, Throttle] = defaultdict(Throttle)
        self._instant = Instant(self.invoice, self.stats)
        self.admin = Admin(self)
        self._routes: dict[tuple[str, str], Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]] = {
            ("POST", "/v1/chat/completions"): self._chat,
            ("POST", "/chat/completions"): self._chat,
            ("POST", "/v1/embeddings"): self._embed,
            ("POST", "/embeddings"): self._embed,
            ("GET", "/v1/models"): self._models,
            ("GET", "/models"): self._models,
            ("GET", "/health"): self._health,
        }

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start or the last reset: the time line of outages."""
        return time.monotonic() - self._started

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Any request."""
        route = self._routes.get((request.method, request.path))
        return await (route(request) if route else self.admin.handle(request))

    def configure(self, raw: Mapping[str, Any]) -> None:
        """Replace the script. Raises :class:`pydantic.ValidationError` and leaves the old one in force."""
        self.script = Script.model_validate(raw)
        self.raw = dict(raw)

    def reset(self) -> None:
        """Empty invoice and statistics; luck and time line start anew."""
        self.invoice.reset()
        self.stats.reset()
        self._throttles.clear()
        self._started = time.monotonic()
        self._rng = random.Random(self.script.seed)

    def close(self) -> None:
        """Close the files."""
        self.invoice.close()
        if self._log:
            self._log.close()

    async def _body(self, request: web.BaseRequest) -> Any:
        data = await request.read()
        if self._log:
            self._log.write(data.replace(b"\n", b" ") + b"\n")
            self._log.flush()
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            return None

    async def _chat(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await self._body(request)
        if not isinstance(body, dict) or not isinstance(body.get("messages"), list) or (body.get("n") or 1) != 1:
            return _error("400")
        name = str(body.get("model", ""))
        model = self.script.model(name)
        if model is None:
            return _error("404")
        if model.instant:
            return self._instant.answer(request, body, name, model)
        tokens = wire.prompt_tokens(body["messages"])
        call = Call(
            body=body,
            headers=request.headers,
            name=name,
            model=model,
            script=self.script,
            started_ms=now_ms(),
            prompt_tokens=tokens,
        )
        self.stats.begin(name)
        outcome = "client_gone"
        reply = _HttpReply(request)
        try:
            refused = self._refused(name, model, tokens, body)
            if refused is not None:
                outcome = "429" if refused.status == 429 else "context_length"
                return refused
            outage = self.script.outage(name, self.elapsed_s)
            forced = outage.kind if outage and self._rng.random() < outage.share else None
            outcome = await play(call, reply, self.invoice, self._rng, forced)
        finally:
            self.stats.end(name, outcome)
        return reply.response or web.Response(status=502)

    def _refused(self, name: str, model: Model, tokens: int, body: Mapping[str, Any]) -> web.Response | None:
        limits = model.limits
        wanted = body.get("max_completion_tokens") or body.get("max_tokens") or 0
        if limits.context_tokens and tokens + int(wanted) > limits.context_tokens:
            return _error("context_length")
        wait_s = self._throttles[name].wait_s(limits, tokens, self.stats.in_flight[name])
        return None if wait_s is None else _error("429", {"retry-after": f"{wait_s:.1f}"})

    async def _embed(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await self._body(request)
        given = body.get("input") if isinstance(body, dict) else None
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            return _error("400")
        name = str(body.get("model", ""))
        model = self.script.model(name)
        if model is None:
            return _error("404")
        tokens = sum(-(-len(text) // 4) for text in texts)
        call = Call(
            body=body,
            headers=request.headers,
            name=name,
            model=model,
            script=self.script,
            started_ms=now_ms(),
            prompt_tokens=tokens,
        )
        self.stats.begin(name)
        call.bill(self.invoice, "ok")
        self.stats.end(name, "ok")
        dimensions = int(body.get("dimensions") or 384)
        payload = wire.embeddings(texts, name, dimensions, body.get("encoding_format") or "float", tokens)
        return web.Response(body=payload, headers=JSON)

    async def _models(self, _request: web.BaseRequest) -> web.StreamResponse:
        data = [{"id": name, "object": "model", "owned_by": "simulator"} for name in self.script.models if name != "*"]
        return json_reply({"object": "list", "data": data})

    async def _health(self, _request: web.BaseRequest) -> web.StreamResponse:
        return json_reply({"status": "ok"})


def _error(kind: str, headers: Mapping[str, str] | None = None) -> web.Response:
    status, body = wire.error_body(kind)
    return web.Response(status=status, body=body, headers=JSON | dict(headers or {}))


def serving(simulator: Simulator) -> web.Server:
    """The protocol factory for :meth:`asyncio.loop.create_server`."""
    return web.Server(simulator.handle, handler_cancellation=True, access_log=None, loop=asyncio.get_running_loop())
