"""How does an asyncio application ask? The same client with coroutines: nothing in it blocks the event loop.

The brokers are served by the channel's one thread; the loop is woken once a response. Requests without a response are
bounded, so that a loop that asks faster than models answer waits instead of filling the memory.
"""

from typing import TYPE_CHECKING, Any, Self, TypeVar

from forebay.client.errors import ClientClosedError, InvalidRequestError

if TYPE_CHECKING:
    import concurrent.futures
    from asyncio import Future, Task
    from collections.abc import Callable
    from types import TracebackType

    from forebay.avro.registry import Registry
    from forebay.client.asking import Asked
    from forebay.client.channel import Channel
    from forebay.contract.records import Feedback, Request, Response
    from forebay.settings import Settings

T = TypeVar("T")

_ROOM_S = 0.02


class AsyncForebayClient:
    """The methods of :class:`ForebayClient` as coroutines; for one event loop. Close it, or use it in ``async with``.

    It connects when it is first used, or by ``async with``; that raises what opening a :class:`ForebayClient` raises.

    Args:
        settings: by default those of the installation at hand, as for :class:`ForebayClient`.
        max_outstanding: requests without a response; further ones wait until there is room.
        channel: instead of a connection of its own, one that is open already, or stands for one.
    """

    def __init__(
        self,
        settings: "Settings | None" = None,
        *,
        registry: "Registry | None" = None,
        max_outstanding: int = 1_000,
        channel: "Channel | None" = None,
    ) -> None:
        # Imported here and below: 0.06 s that naming the class need not take.
        from asyncio import Semaphore

        self._arguments = settings, registry
        self._given = channel
        self._room = Semaphore(max_outstanding)
        self._waiting: set[Future[Response]] = set()
        self._opening: Task[Channel] | None = None
        self._closed = False

    async def submit(self, request: "Asked", **fields: Any) -> "Future[Response]":
        """Publish a request, once there is room; a future of its response. See :meth:`ForebayClient.submit`.

        Who gives the future up (``cancel()``) makes room for another request.
        """
        from forebay.client.asking import request_of

        record = request_of(request, fields)
        return await self._publish(record.request_id, await self.encode(record), record)

    async def encode(self, request: "Request") -> bytes:
        """The bytes of a complete request, for :meth:`submit_raw`. Raises what :meth:`submit` does."""
        from forebay.contract.ids import id_fault

        if (fault := id_fault(request)) is not None:
            raise InvalidRequestError(fault)
        return (await self._open()).encode("requests", request)

    async def submit_raw(self, request_id: str, value: bytes) -> "Future[Response]":
        """Publish the bytes of a request that was encoded before, under the key ``request_id``."""
        return await self._publish(request_id, value, None)

    async def ask(self, request: "Asked", *, timeout_s: float | None = 60.0, **fields: Any) -> "Response":
        """Publish a request and wait for its response. Raises ``TimeoutError`` after ``timeout_s`` seconds, in which
        connecting and waiting for room are counted; otherwise what :meth:`submit` and its future raise.
        """
        import asyncio

        async with asyncio.timeout(timeout_s):
            return await (await self.submit(request, **fields))

    async def send_feedback(self, feedback: "Feedback", *, timeout_s: float = 30.0) -> None:
        """Publish what a user thinks of an answer. See :meth:`ForebayClient.send_feedback`."""
        import asyncio

        from forebay.client.asking import feedback_of

        record = feedback_of(feedback)
        async with asyncio.timeout(timeout_s):
            channel = await self._open()
            value = await asyncio.to_thread(channel.encode, "feedback", record)  # the first asks the registry
            await _in_this_loop(await _when_room(lambda: channel.deliver("feedback", record.request_id, value)))

    @property
    def outstanding(self) -> int:
        """Requests of this client that still wait for a response."""
        return len(self._waiting)

    async def close(self) -> None:
        """Deliver what is queued (for 30 s at most), stop reading; who still waits gets :class:`ClientClosedError`."""
        import asyncio

        if self._closed:
            return
        self._closed = True
        opening = [] if self._opening is None else [self._opening]
        for channel in await asyncio.gather(*opening, return_exceptions=True):
            if not isinstance(channel, BaseException):
                await asyncio.to_thread(channel.close)

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        await self.close()

    async def _open(self) -> "Channel":
        import asyncio

        if self._closed:
            raise ClientClosedError("the client is closed")
        opening = self._opening
        if opening is None or (opening.done() and (opening.cancelled() or opening.exception() is not None)):
            opening = self._opening = asyncio.create_task(asyncio.to_thread(self._connected))
        return await asyncio.shield(opening)  # who gives up must not close what others wait for

    def _connected(self) -> "Channel":
        if self._given is not None:
            return self._given
        from forebay.client.kafka_channel import open_channel

        return open_channel(*self._arguments)

    async def _publish(self, request_id: str, value: bytes, request: "Request | None") -> "Future[Response]":
        channel = await self._open()
        await self._room.acquire()
        try:
            answer = await _when_room(lambda: channel.ask(request_id, value, request))
        except BaseException:
            self._room.release()
            raise
        future = _in_this_loop(answer)
        self._waiting.add(future)

        def ended(_: "Future[Response]") -> None:
            channel.give_up(request_id, answer)
            self._waiting.discard(future)
            self._room.release()

        future.add_done_callback(ended)
        return future


async def _when_room(offer: "Callable[[], T]") -> T:
    from asyncio import sleep

    while True:
        try:
            return offer()
        except BufferError:  # librdkafka's queue is full; the channel's thread makes room
            await sleep(_ROOM_S)


def _in_this_loop(answer: "concurrent.futures.Future[T]") -> "Future[T]":
    """A future of the running loop for one of the channel's.

    Not ``asyncio.wrap_future``: a closed channel cancels who waits, and in a task that would look as if the task itself
    had been cancelled.
    """
    from asyncio import get_running_loop

    loop = get_running_loop()
    future: Future[T] = loop.create_future()

    def settle() -> None:
        if future.done():  # given up
            return
        if answer.cancelled():
            future.set_exception(ClientClosedError("the client was closed before the response came"))
            future.exception()  # nobody need look at it: no complaint of asyncio's when the future goes
        elif (error := answer.exception()) is not None:
            future.set_exception(error)
        else:
            future.set_result(answer.result())

    def ended(_: object) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle)

    answer.add_done_callback(ended)
    return future
