"""How does a coroutine go on that was stepped by hand? Most that a record needs never wait, and need no task then."""

from collections.abc import Coroutine, Generator
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class _Started:
    """A coroutine that was stepped once and yielded ``waiting_for``; awaiting it goes on from there."""

    coroutine: Coroutine[Any, Any, Any]
    waiting_for: Any

    def __await__(self) -> Generator[Any, Any, Any]:
        waiting_for = self.waiting_for
        while True:
            try:
                sent = yield waiting_for
            except BaseException as error:  # noqa: BLE001 - cancellation too is for the coroutine to see
                step: Any = self.coroutine.throw
                argument: Any = error
            else:
                step, argument = self.coroutine.send, sent
            try:
                waiting_for = step(argument)
            except StopIteration as end:
                return end.value


async def go_on(coroutine: Coroutine[Any, Any, Any], waiting_for: Any) -> Any:
    """The result of ``coroutine``, which was sent ``None`` once and yielded ``waiting_for``."""
    return await _Started(coroutine, waiting_for)
