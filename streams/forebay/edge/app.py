"""What can be asked of the door? Its endpoints; each says who asks, what, and what becomes of it."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from aiohttp import web

from forebay.contract.clock import Clock, elapsed_s, now_ms
from forebay.contract.json_lines import new_id
from forebay.contract.records import ApiKey, Feedback, FeedbackRating, Response, ResponseStatus
from forebay.edge import answering, rates, sse
from forebay.edge.asked import parsing
from forebay.edge.asked.json_body import json_object
from forebay.edge.asked.models import Models
from forebay.edge.asked.preferences import preferred, wait_s
from forebay.edge.asked.request_of import record_headers, request_of, user_of
from forebay.edge.desk import Desk, Open
from forebay.edge.errors import Refused
from forebay.edge.keys import Known, WrongKeys, holder, may_ask, source_address
from forebay.edge.metrics import EdgeMetrics
from forebay.edge.pieces import Pieces
from forebay.edge.settings import EdgeSettings, is_loopback
from forebay.edge.spoken.connection import Patience
from forebay.edge.spoken.server import KEY_ID, REQUEST_ID, SHOWN, Route, Server, body_of, json_response
from forebay.edge.streaming import Streamed
from forebay.state.rates import Taken

_REASON = re.compile(r"[a-z_]{1,32}")
_DRAINING = Refused("draining", "the door is being stopped; ask another one")

log = structlog.get_logger(__name__)


class Rates(Protocol):
    """What a key may use a minute."""

    async def take(self, key: ApiKey) -> Taken:
        """One request; if the holder of ``key`` has to wait, none was taken."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """A request for an answer, as far as it counts while that is awaited; ``shown``: headers of whatever is said."""

    one: Open
    model: str
    stream: bool
    include_usage: bool
    shown: Mapping[str, str]


class App:
    """The door, but for where it listens; for one event loop.

    Args:
        most_bytes: of a body.
        ready: whether requests can be served.
        lag: unfinished records of ``requests``, as last looked at.
    """

    def __init__(
        self,
        settings: EdgeSettings,
        desk: Desk,
        keys: Known,
        models: Models,
        pieces: Pieces,
        rates_of_keys: Rates,
        metrics: EdgeMetrics,
        *,
        most_bytes: int,
        lag: Callable[[], int] = lambda: 0,
        clock: Clock = now_ms,
    ) -> None:
        self._settings = settings
        self._desk = desk
        self._keys = keys
        self._models = models
        self._pieces = pieces
        self._rates = rates_of_keys
        self._metrics = metrics
        self._most_bytes = most_bytes
        self._lag = lag
        self._clock = clock
        self._wrong = WrongKeys()
        self._busy = 0
        self.idle = asyncio.Event()
        self.idle.set()
        self._cut: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.draining = False
        """New requests are refused."""

    @property
    def busy(self) -> int:
        """Requests that wait for their answers."""
        return self._busy

    def cut(self) -> None:
        """Wait for nobody any more: whoever is left is told where the answer will be."""
        if not self._cut.done():
            self._cut.set_result(None)

    def server(self) -> Server:
        """Serves the endpoints."""
        chosen = self._settings
        return Server(
            [
                Route(method="POST", path="/chat/completions", serve=self._counted(self.chat)),
                Route(method="GET", path="/models", serve=self.list_models),
                Route(method="GET", path="/models", serve=self.one_model, rest=True),
                Route(method="GET", path="/requests", serve=self._counted(self.look_up), rest=True),
                Route(method="POST", path="/feedback", serve=self.feedback),
                Route(method="GET", path="/healthz", serve=_alive),
            ],
            self._metrics,
            hosts=chosen.hosts if is_loopback(chosen.host) else None,
            origins=chosen.cors_origins,
            most=self._most_bytes,
            patience=Patience(head_s=chosen.head_s, body_s=chosen.body_s, idle_s=chosen.idle_s, take_s=chosen.reader_s),
        )

    async def chat(self, http: web.BaseRequest, _rest: str) -> web.StreamResponse:
        """``POST /v1/chat/completions``."""
        began_s = elapsed_s()
        asked = await self._asked(http)
        one, shown = asked.one, asked.shown
        prefer = preferred(http.headers.get("prefer", ""))
        timeout_s = min(self._settings.timeout_s, prefer.wait_s or self._settings.timeout_s)
        created = self._clock() // 1000
        if asked.stream and not prefer.respond_async:
            chunks = sse.Stream(one.request.request_id, asked.model, created, include_usage=asked.include_usage)
            streamed = Streamed(
                http, one, chunks, shown, desk=self._desk, metrics=self._metrics, cut=self._cut,
                open_after_s=self._settings.open_after_s, timeout_s=timeout_s,
            )  # fmt: skip
            return await streamed.run(self._pieces)
        if prefer.respond_async:
            await self._desk.delivered(one)
            response = await self._answer(one, prefer.wait_s or 0.0)
            if response is None:
                return _accepted(one, shown)
        else:
            response = await self._answer(one, timeout_s)
            if response is None:
                where = {"location": f"/v1/requests/{one.request.request_id}", **shown}
                raise Refused("still_running", "no answer yet; the request goes on, see `location`", headers=where)
        if not one.replayed:
            self._metrics.note_added(elapsed_s() - began_s, response)
        if http.transport is None or http.transport.is_closing():
            self._metrics.gone.inc()
        return _answered(response, asked.model, created, shown)

    async def _asked(self, http: web.BaseRequest) -> "_Asked":
        """What was asked, and published. Its texts end here: whoever waits for an answer keeps none."""
        key = self._holder(http)
        may_ask(key)
        body = json_object(await body_of(http, self._most_bytes, self._settings.body_s))
        chat = parsing.chat(
            body,
            lambda name: self._models.tier_of(name, key),
            strict=self._settings.strict,
            accept_metadata=self._settings.accept_metadata,
        )
        for name in chat.ignored:
            self._metrics.ignored.labels(name if name in parsing.IGNORED else "other").inc()
        request, named = request_of(chat, key, http.headers, self._clock())
        headers = record_headers(http.headers, self._pieces.reply_to if chat.stream else None)
        taken = await self._rates.take(key)
        limits: dict[str, str] = {**rates.shown(taken)}
        http[SHOWN] = limits
        if taken.wait_s > 0:
            raise Refused("rate_limited", "this API key asks faster than it may", retry_after_s=taken.wait_s)
        tries = http.headers.get("x-stainless-retry-count", "")
        one = self._desk.ask(request, headers, named=named, tries=int(tries[:6]) if tries.isdigit() else None)
        http[REQUEST_ID] = one.request.request_id
        shown = {"x-request-id": one.request.request_id, **limits} | (
            {"idempotent-replayed": "true"} if one.replayed else {}
        )
        return _Asked(one=one, model=chat.model, stream=chat.stream, include_usage=chat.include_usage, shown=shown)

    async def list_models(self, http: web.BaseRequest, _rest: str) -> web.StreamResponse:
        """``GET /v1/models``."""
        return json_response({"object": "list", "data": self._models.listed(self._holder(http))})

    async def one_model(self, http: web.BaseRequest, rest: str) -> web.StreamResponse:
        """``GET /v1/models/ID``."""
        return json_response(self._models.one(rest, self._holder(http)))

    async def look_up(self, http: web.BaseRequest, rest: str) -> web.StreamResponse:
        """``GET /v1/requests/ID``: of the key's tenant alone; nobody learns that others have one of that id."""
        key = self._holder(http)
        request_id, ends_at = answering.request_id_of(rest), elapsed_s() + wait_s(http.query.get("wait", "0"))
        created = self._clock() // 1000
        one = self._desk.open_for(request_id, key.tenant_id)
        response = None if one is not None else self._desk.known(request_id, key.tenant_id)  # not of an earlier try
        if one is not None:
            response = await self._answer(one, ends_at - elapsed_s())
            if response is None:
                return json_response(answering.looked_up(request_id, None, parsing.AUTO, created))
        elif response is None:
            response = await self._desk.elsewhere(request_id, key.tenant_id, ends_at, self._cut)
        if response is None:
            raise Refused(
                "unknown_request", "there is no such request here, or its answer is too old, or not there yet"
            )
        return json_response(answering.looked_up(request_id, response, parsing.AUTO, created))

    async def feedback(self, http: web.BaseRequest, _rest: str) -> web.StreamResponse:
        """``POST /v1/feedback``."""
        key = self._holder(http)
        may_ask(key)
        body = json_object(await body_of(http, self._most_bytes, self._settings.body_s))
        request_id, reason = body.get("request_id"), body.get("reason")
        if not isinstance(request_id, str) or not request_id:
            raise Refused("invalid_value", "request_id: which answer is it about?", "request_id")
        if body.get("rating") not in list(FeedbackRating):
            raise Refused("invalid_value", "rating: up or down", "rating")
        if reason is not None and (not isinstance(reason, str) or not _REASON.fullmatch(reason)):
            raise Refused("invalid_value", "reason: at most 32 of a-z and _ are needed: it is a code", "reason")
        feedback = Feedback(
            feedback_id=new_id(),
            request_id=answering.request_id_of(request_id)[:128],
            tenant_id=key.tenant_id,
            user_id=user_of(key, http.headers),
            rating=FeedbackRating(body["rating"]),
            reason=reason,
            created_at=self._clock(),
        )
        await self._desk.tell(feedback)
        return json_response({"id": feedback.feedback_id, "object": "forebay.feedback"}, 202)

    def _counted(self, serve: Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]) -> Any:
        """``serve``, for as many at once as there may be; refused before the body is read."""

        async def counted(http: web.BaseRequest, rest: str) -> web.StreamResponse:
            if self.draining:
                raise _DRAINING
            if self._busy >= self._settings.max_in_flight:
                raise Refused("overloaded", "too many requests wait for their answers")
            if self._lag() > self._settings.max_lag and http.method == "POST":
                raise Refused("overloaded", "too many requests wait to be worked on")
            self._busy += 1
            self.idle.clear()
            self._metrics.in_flight.set(self._busy)
            try:
                return await serve(http, rest)
            finally:
                self._busy -= 1
                self._metrics.in_flight.set(self._busy)
                if not self._busy:
                    self.idle.set()

        return counted

    def _holder(self, http: web.BaseRequest) -> ApiKey:
        peer = http.remote or ""
        address = source_address(peer, http.headers.get("x-forwarded-for"), self._settings.trusted_proxies)
        key = holder(http.headers.get("authorization"), address, self._keys, self._wrong, self._clock)
        http[KEY_ID] = key.key_id
        return key

    async def _answer(self, one: Open, timeout_s: float) -> Response | None:
        """The answer, unless it takes longer or the door goes. Raises :class:`Refused`: it was not even taken."""
        ends_at = elapsed_s() + timeout_s
        watched: set[asyncio.Future[Any]] = {one.answer, self._cut}
        if one.sent is not None:
            watched.add(one.sent)
        while not one.answer.done():
            left = ends_at - elapsed_s()
            if left <= 0 or self._cut.done():
                return None
            await asyncio.wait(watched, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            self._desk.check_sent(one)
            if one.sent is not None and one.sent.done():
                watched.discard(one.sent)
        return one.answer.result()


def _accepted(one: Open, shown: Mapping[str, str]) -> web.Response:
    request_id = one.request.request_id
    content = {"id": request_id, "object": "forebay.request", "status": "in_progress"}
    headers = {"location": f"/v1/requests/{request_id}", "preference-applied": "respond-async", **shown}
    return json_response(content, 202, headers)


def _answered(response: Response, model: str, created: int, shown: Mapping[str, str]) -> web.Response:
    if response.status is ResponseStatus.OK:
        headers = {**answering.headers(response), **shown}
        return json_response(answering.completion(response, model, created), 200, headers)
    raise answering.refusal(response, shown)


async def _alive(_http: web.BaseRequest, _rest: str) -> web.StreamResponse:
    return json_response({"status": "alive"})
