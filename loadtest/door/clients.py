"""How does a careful client ask? Under a key of its own, at the next door where one does not answer, until it knows.

A stream has ended when it said ``[DONE]``; whatever else ends it is noted and asked again.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp

_PAUSE_S = 0.3
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(kw_only=True)
class Seen:
    """One question, and what its client saw.

    Attributes:
        request_id: as the door told it; empty: never.
        text: of the whole answer.
        status: of the last try; 0: the connection broke.
        failed: code of the answer, where that is a failure: to be had again under the same key as often as one likes.
        wholes: texts of all tries that ended as if whole.
        cut: tries that ended otherwise, by why.
        first_s: until the first text; ``took_s``: until the end; of the try that had one.
        gaps_s: between pieces of that try.
        replayed: the answer was there already.
    """

    name: str
    stream: bool
    request_id: str = ""
    text: str = ""
    status: int = 0
    failed: str = ""
    wholes: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    first_s: float = 0.0
    took_s: float = 0.0
    gaps_s: list[float] = field(default_factory=list)
    replayed: bool = False

    @property
    def answered(self) -> bool:
        """Whether it has an end."""
        return bool(self.wholes or self.failed)


class Clients:
    """Asks at ``doors`` (base URLs with ``/v1``); for the length of an ``async with``."""

    def __init__(self, doors: Sequence[str], key: str) -> None:
        self._doors = doors
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        self._session: aiohttp.ClientSession | None = None
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        """Names of streams as they begin."""

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=0, force_close=True)  # a killed door leaves no connection to trip over
        self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    async def ask(
        self, name: str, question: str, *, stream: bool, model: str = "small", patience_s: float = 0.0, **more: Any
    ) -> Seen:
        """Ask under the idempotency key ``name``, first at the first door; again for ``patience_s`` seconds."""
        seen, deadline, tries = Seen(name=name, stream=stream), time.monotonic() + patience_s, 0
        messages = [{"role": "user", "content": question}]
        body = json.dumps({"model": model, "messages": messages, "stream": stream, **more}).encode()
        while True:
            door = self._doors[tries % len(self._doors)]
            tries += 1
            try:
                if await self._try(door, name, body, seen):
                    return seen
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                seen.status = 0
                seen.cut.append(type(error).__name__)
            if time.monotonic() >= deadline:
                return seen
            await asyncio.sleep(_PAUSE_S)

    async def _try(self, door: str, name: str, body: bytes, seen: Seen) -> bool:
        assert self._session is not None
        headers, begun = {**self._headers, "idempotency-key": name}, time.perf_counter()
        async with self._session.post(f"{door}/chat/completions", data=body, headers=headers) as answer:
            seen.status = answer.status
            seen.replayed = answer.headers.get("idempotent-replayed") == "true"
            if answer.status != 200:
                error = (await answer.json())["error"]
                if "x-forebay-source" in answer.headers:  # of a record: this is the answer
                    seen.failed, seen.request_id = str(error["code"]), answer.headers["x-request-id"]
                    return True
                seen.cut.append(str(error["code"]))
                return answer.status not in _AGAIN
            if seen.stream:
                return await self._read(answer, seen, begun)
            told = await answer.json()
            seen.text = told["choices"][0]["message"]["content"] or ""
            seen.took_s = time.perf_counter() - begun
            seen.request_id = str(told["id"]).removeprefix("chatcmpl-")
            seen.wholes.append(seen.text)
            return True

    async def _read(self, answer: aiohttp.ClientResponse, seen: Seen, begun: float) -> bool:
        text, last, seen.gaps_s = "", begun, []
        self.begun.put_nowait(seen.name)
        async for line in answer.content:
            if not line.startswith(b"data: "):
                continue
            if line == b"data: [DONE]\n":
                seen.text, seen.took_s = text, time.perf_counter() - begun
                seen.wholes.append(text)
                return True
            chunk = json.loads(line[6:])
            if "error" in chunk:
                seen.cut.append(str(chunk["error"]["code"]))
                return False
            seen.request_id = str(chunk["id"]).removeprefix("chatcmpl-")
            if piece := "".join(choice["delta"].get("content") or "" for choice in chunk["choices"]):
                now = time.perf_counter()
                if text:
                    seen.gaps_s.append(now - last)
                else:
                    seen.first_s = now - begun
                last, text = now, text + piece
        seen.cut.append("no_end")
        return False
