"""How do many records at once ask Redis? What they ask in one turn of the event loop goes out as one write.

A command of its own costs a connection, a write, a wake-up and 140 µs of CPU here, most of it in the client; sixteen in
one write cost 40 each. A command that is asked while no other is on its way goes as it is: gathering would only make it
wait a turn. Nothing waits for anything else than the turn's end, and order was never promised between commands that
nobody waited for one after the other.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

_AT_ONCE = 64
"""Commands from which on a write is full: the last of them waits for the answers to all before it."""
_BROKEN = (RedisConnectionError, RedisTimeoutError, OSError, TimeoutError)
"""What says that the connection's next answer may not be the next command's."""
_ONES_OWN = (RedisError, ValueError, TypeError, LookupError)
"""What is wrong with one command's values, or with what redis-py makes of one answer."""


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A command, and who waits for its answer; done before there is one if nobody waits any more."""

    args: tuple[Any, ...]
    options: Mapping[str, Any]
    answer: "asyncio.Future[Any]"

    def fail(self, error: Exception) -> None:
        """End it so, if it has not ended."""
        if not self.answer.done():
            self.answer.set_exception(error)
            self.answer.exception()  # else asyncio logs it, with its text, where nobody waits any more


class GatheringRedis(Redis):
    """A client that sends together what is asked together; for one event loop.

    What a caller that is cancelled had asked is not sent if it was not yet, and done for nobody otherwise. An error
    that Redis answers is one command's; one of the connection is of all that have no answer yet.
    """

    def __init__(self, pool: BlockingConnectionPool) -> None:
        super().__init__(connection_pool=pool)
        self.auto_close_connection_pool = True
        self._waiting: list[list[_Asked]] = []
        self._on_their_way = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """The answer to a command. Raises what redis-py does."""
        if self._on_their_way or self._waiting:
            [asked] = self._ask([(args, options)])
            return await asked.answer
        self._on_their_way += 1
        plain: Any = super()
        try:
            return await plain.execute_command(*args, **options)
        finally:
            self._on_their_way -= 1

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """Several commands of one caller; those that are no transaction join what others ask."""
        return _Joining(self, transaction, shard_hint)

    async def together(self, commands: Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]]) -> list[Any]:
        """The answers to ``commands``, done in their order; errors that Redis answered stand among them."""
        asked = self._ask(commands)
        found: list[Any] = []
        try:
            for one in asked:
                try:
                    found.append(await one.answer)
                except ResponseError as error:
                    found.append(error)
        finally:
            for one in asked:
                one.answer.cancel()
        return found

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way."""
        return not (self._on_their_way or self._waiting)

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close the connections; who waits for an answer hears that there will be none."""
        self._flush()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await super().aclose(close_connection_pool)

    def _ask(self, commands: Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]]) -> list[_Asked]:
        loop = asyncio.get_running_loop()
        asked = [_Asked(args, options, loop.create_future()) for args, options in commands]
        if not self._waiting:
            loop.call_soon(self._flush)
        self._waiting.append(asked)
        return asked

    def _flush(self) -> None:
        """Send what waits; what one caller asked for in an order stays in one write: others may overtake it."""
        waiting, self._waiting = self._waiting, []
        together: list[_Asked] = []
        for number, asked in enumerate(waiting, 1):
            together += asked
            if len(together) >= _AT_ONCE or number == len(waiting):
                task = asyncio.ensure_future(self._send(together))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                together = []

    async def _send(self, asked: Sequence[_Asked]) -> None:
        pool: Any = self.connection_pool
        connection: Any = None
        self._on_their_way += 1
        try:
            connection = await pool.get_connection()
            await self._converse(connection, asked)
        except BaseException as error:
            failure = error if isinstance(error, Exception) else RedisConnectionError("the client was closed")
            for one in asked:
                one.fail(failure)
            if connection is not None:
                await connection.disconnect(nowait=True)  # there may be answers left in it that are nobody's
            if not isinstance(error, Exception):
                raise
        finally:
            self._on_their_way -= 1
            if connection is not None:
                await pool.release(connection)

    async def _converse(self, connection: Any, asked: Sequence[_Asked]) -> None:
        packed: list[bytes] = []
        sent: list[_Asked] = []
        for one in asked:
            if one.answer.done():
                continue
            try:
                packed.append(b"".join(connection.pack_command(*one.args)))
            except _ONES_OWN as error:
                one.fail(error)
                continue
            sent.append(one)
        if not sent:
            return
        await connection.send_packed_command(b"".join(packed))
        for one in sent:
            try:
                found = await self.parse_response(connection, one.args[0], **one.options)
            except _BROKEN:
                raise
            except _ONES_OWN as error:
                one.fail(error)
            else:
                if not one.answer.done():
                    one.answer.set_result(found)


class _Joining(Pipeline):
    """A pipeline whose commands go with those of others when there are others."""

    def __init__(self, client: GatheringRedis, transaction: bool, shard_hint: str | None) -> None:
        super().__init__(client.connection_pool, client.response_callbacks, transaction, shard_hint)
        self._client = client

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        """The answers in the order of the commands. Raises what redis-py does."""
        alone = self.is_transaction or self.explicit_transaction or self.watching or self.scripts
        if alone or self._client.idle or not self.command_stack:
            self._client._on_their_way += 1  # noqa: SLF001 - two halves of one client
            try:
                return await super().execute(raise_on_error)
            finally:
                self._client._on_their_way -= 1  # noqa: SLF001
        commands, self.command_stack = self.command_stack, []
        found = await self._client.together(commands)
        if raise_on_error:
            self.raise_first_error(commands, found)
        return found
