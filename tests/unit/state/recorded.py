"""A Redis that notes the names of all it is asked for. What is ``set`` is there to ``get``; otherwise it is empty."""

import json
import zlib
from collections.abc import Generator, Iterator, Sequence
from typing import Any

NOTHING_DONE = zlib.compress(json.dumps([]).encode())
"""Kept outputs of a claim: none."""
_REPLIES: dict[str, Any] = {"hget": NOTHING_DONE, "hmget": [None, None], "hincrby": 1, "lrange": [b"1.0"], "zrange": []}
_SCRIPTS: dict[str, Any] = {"'done'": [b"done", NOTHING_DONE], "'TIME'": [0]}


class Reply:
    """An answer that may be awaited, or left alone as the commands of a pipeline are."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> Generator[None, None, Any]:
        yield from ()
        return self.value


class RecordingRedis:
    """Stands for ``redis.asyncio.Redis``.

    Attributes:
        names: of all keys that commands were about.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._values: dict[str, Any] = {}
        self._queue: list[Any] = []

    def pipeline(self, transaction: bool) -> "RecordingRedis":
        pipe = RecordingRedis()
        pipe.names, pipe._values = self.names, self._values
        return pipe

    def execute(self) -> Reply:
        replies, self._queue = self._queue, []
        return Reply(replies)

    def set(self, name: str, value: Any, *, nx: bool = False, get: bool = False, **_: Any) -> Reply:
        before = self._values.get(name)
        if before is None or not nx:
            self._values[name] = value.encode() if isinstance(value, str) else value
        return self._reply([name], before if get else True)

    def get(self, name: str) -> Reply:
        return self._reply([name], self._values.get(name))

    def mget(self, names: Sequence[str]) -> Reply:
        return self._reply(names, [self._values.get(name) for name in names])

    def eval(self, script: str, count: int, *arguments: Any) -> Reply:
        if "INCRBY', KEYS[1]" in script:  # of a tenant's hour: its sum, since when, and the days before
            return self._reply(arguments[:count], [0] * (count - 1))
        if "answer[1]" in script:  # of budgets: a number for each account, whose keys come with their former ones
            return self._reply(arguments[:count], [0] * (1 + count // 2))
        return self._reply(arguments[:count], next((it for part, it in _SCRIPTS.items() if part in script), 0))

    def execute_command(self, command: str, name: str, *_: Any) -> Reply:
        return self._reply([name], [] if command in ("VSIM", "VRANDMEMBER") else 0)

    def __getattr__(self, command: str) -> Any:
        return lambda name, *_, **__: self._reply([name], _REPLIES.get(command, 0))

    def _reply(self, names: Sequence[str], value: Any) -> Reply:
        self.names.update(names)
        self._queue.append(value)
        return Reply(value)


def lengths_and_texts(key: str) -> Iterator[str]:
    """The parts of ``|4:acme|3:r-1``."""
    while key:
        assert key[0] == "|", key
        length, _, rest = key[1:].partition(":")
        yield rest[: int(length)]
        key = rest[int(length) :]
