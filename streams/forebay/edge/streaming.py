"""How does a stream come to its client? Pieces as they come, the rest from the record, and an honest end."""

import asyncio
from collections.abc import Callable, Mapping

from aiohttp import web

from forebay.contract.clock import elapsed_s
from forebay.contract.records import Response, ResponseStatus
from forebay.edge import answering, errors, sse
from forebay.edge.desk import Desk, Open
from forebay.edge.errors import Refused
from forebay.edge.metrics import EdgeMetrics
from forebay.edge.pieces import Pieces
from forebay.edge.spoken.server import SERVED_BY

_SILENCE_S = 15.0
_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
    **SERVED_BY,
}


class Streamed:
    """One stream.

    Args:
        cut: set when the door goes and waits for nobody any more.
        open_after_s: after so long it begins, whatever there is.
        timeout_s: after so long it ends; the request goes on.
    """

    __slots__ = (
        "_answer", "_began", "_chunks", "_cut", "_desk", "_due", "_ends_at", "_expired", "_metrics", "_one", "_open_at",
        "_pieces", "_request", "_said", "_timer", "_timer_at", "_waiter",
    )  # fmt: skip

    def __init__(
        self,
        request: web.BaseRequest,
        one: Open,
        chunks: sse.Stream,
        headers: Mapping[str, str],
        *,
        desk: Desk,
        metrics: EdgeMetrics,
        cut: "asyncio.Future[None]",
        open_after_s: float,
        timeout_s: float,
    ) -> None:
        self._request = request
        self._one = one
        self._chunks = chunks
        self._desk = desk
        self._metrics = metrics
        self._cut = cut
        self._began = elapsed_s()
        self._open_at = self._began + open_after_s
        self._ends_at = self._began + timeout_s
        self._answer = web.StreamResponse(headers={**_HEADERS, **headers})
        self._pieces: list[str] = []
        self._said = False
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = self._due = 0.0
        self._expired = False

    async def run(self, pieces: Pieces) -> web.StreamResponse:
        """Send it.

        Raises:
            Refused: it failed before anything was sent.
        """
        ends: list[Callable[[], object]] = [pieces.follow(self._one.request, self._heard)]
        futures = [future for future in (self._one.answer, self._one.sent, self._cut) if future is not None]
        for future in futures:
            future.add_done_callback(self._woken)
        self._metrics.streams.inc()
        try:
            await self._send_all()
        except ConnectionError:  # it went on without its client, and can be fetched
            self._metrics.gone.inc()
            if self._request.transport is not None:
                self._request.transport.abort()
        finally:
            if self._timer is not None:
                self._timer.cancel()
            self._metrics.streams.dec()
            for future in futures:
                future.remove_done_callback(self._woken)
            for end in ends:
                end()
        return self._answer

    def _heard(self, text: str) -> None:
        self._pieces.append(text)
        self._woken(text)

    def _woken(self, _news: object) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _send_all(self) -> None:
        while not self._one.answer.done():
            now = elapsed_s()
            if self._pieces:
                text = "".join(self._pieces)
                self._pieces.clear()
                await self._write(self._chunks.piece(text))
                continue
            if self._cut.done():
                await self._fail("draining", "the door is being stopped; the request goes on")
                return
            if now >= self._ends_at:
                await self._fail("still_running", "no answer yet; the request goes on")
                return
            try:
                self._desk.check_sent(self._one)
            except Refused as refused:
                if not self._answer.prepared:
                    raise
                await self._say(errors.body(refused.code, refused.message))
                return
            if not self._answer.prepared:
                until = min(self._open_at, self._ends_at)
            else:
                until = min(now + _SILENCE_S, self._ends_at)
            if not await self._news(until):
                await self._write(self._chunks.begin() or sse.WAITING)
        await self._end(self._one.answer.result())

    async def _news(self, until: float) -> bool:
        """Wait for news; whether there is any before ``until``.

        One timer, which is set again when it rings too early: one for each piece took a tenth of a piece's CPU time.
        """
        loop = asyncio.get_running_loop()
        self._waiter, self._due, self._expired = loop.create_future(), until, False
        if self._timer is None or self._timer_at > until:
            self._set_timer(loop)
        try:
            await self._waiter
        finally:
            self._waiter = None
        return not self._expired

    def _set_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = self._due
        self._timer = loop.call_later(max(0.0, self._due - elapsed_s()), self._rung, loop)

    def _rung(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        if elapsed_s() < self._due:
            self._set_timer(loop)
        elif self._waiter is not None and not self._waiter.done():
            self._expired = True
            self._waiter.set_result(None)

    async def _end(self, response: Response) -> None:
        if not self._one.replayed:
            self._metrics.note_added(elapsed_s() - self._began, response)
        if response.status is not ResponseStatus.OK:
            if not self._answer.prepared:
                raise answering.refusal(response)
            await self._say(answering.failure(response))
            return
        if not self._answer.prepared:
            self._answer.headers.update(answering.headers(response))
        try:
            await self._write(b"".join(self._chunks.end(response)))
        except sse.Restarted:
            message = "the answer was made again and is another one; it is at /v1/requests/ID"
            await self._fail("stream_restarted", message)
            return
        await self._answer.write_eof()

    async def _fail(self, code: str, message: str) -> None:
        if not self._answer.prepared:
            where = f"/v1/requests/{self._one.request.request_id}"
            raise Refused("still_running", message, headers={"location": where})
        await self._say(errors.body(code, message, id=answering.PREFIX + self._one.request.request_id))

    async def _say(self, error: dict[str, object]) -> None:
        """An end that is none: the error, and the connection is closed."""
        await self._answer.write(sse.event(error))
        await self._answer.write_eof()
        if self._request.transport is not None:
            self._request.transport.close()

    async def _write(self, content: bytes) -> None:
        if not content:
            return
        if not self._answer.prepared:
            await self._answer.prepare(self._request)
        if not self._said and self._chunks.said:
            self._said = True
            self._metrics.first.observe(elapsed_s() - self._began)
        await self._answer.write(content)
