"""A door on loopback, with brokers in memory: what it publishes is looked at, and answered by the test."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry

from forebay.client.door_channel import Arrived
from forebay.client.errors import NotDeliveredError, RequestTooLargeError
from forebay.contract import headers as h
from forebay.contract.records import ApiKey, Error, Feedback, KeyRole, Request, Response, ResponseStatus
from forebay.edge.answers import Answers
from forebay.edge.app import App
from forebay.edge.asked.models import Models
from forebay.edge.desk import Desk
from forebay.edge.keys import MemoryKeys
from forebay.edge.metrics import EdgeMetrics
from forebay.edge.past import Past, Topic
from forebay.edge.pieces import NoPieces, Pieces
from forebay.edge.settings import EdgeSettings
from forebay.edge.spoken.listening import Listening
from forebay.privacy.fingerprints import fingerprint
from forebay.state.rates import Taken
from forebay.testing import codecs
from forebay.trust.api_keys import new_key, read_key

SECRET = new_key()
_READ = read_key(SECRET)
assert _READ is not None
KEY = ApiKey(key_id=_READ.key_id, secret_hash=_READ.secret_hash, tenant_id="acme", user_id="u-1", role=KeyRole.ASK)
HELLO: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "Hello?"}]}


def another_key(**changes: Any) -> tuple[str, ApiKey]:
    """A key and its record."""
    text = new_key()
    read = read_key(text)
    assert read is not None
    return text, replace(KEY, **{"key_id": read.key_id, "secret_hash": read.secret_hash, **changes})


class MemoryChannel:
    """See :class:`forebay.client.door_channel.DoorChannel`."""

    def __init__(self, answers: Answers) -> None:
        self.published: list[tuple[str, str, Any, Mapping[str, bytes]]] = []
        self.arrived = asyncio.Event()
        self.away = False
        self.held: list[Future[None]] | None = None
        """What the brokers have not taken yet, where they let it wait."""
        self.most_bytes = 2_000_000
        self._answers = answers
        self._codecs = codecs()

    @property
    def requests(self) -> list[Request]:
        return [record for kind, _, record, _ in self.published if kind == "requests"]

    def encode(self, kind: str, record: Request | Feedback) -> bytes:
        value = self._codecs[kind].encode(record)
        if len(value) > self.most_bytes:
            raise RequestTooLargeError("the record is too large")
        return value

    def publish(self, kind: str, tenant_id: str, key: str, value: bytes, headers: Mapping[str, bytes]) -> Future[None]:
        future: Future[None] = Future()
        if self.away:
            future.set_exception(NotDeliveredError("no broker"))
            return future
        self.published.append((kind, tenant_id, self._codecs[kind].decode(value), headers))
        self.arrived.set()
        if self.held is not None:
            self.held.append(future)
        else:
            future.set_result(None)
        return future

    def answer(self, request: Request, **changes: Any) -> None:
        """A response to ``request``, as it would come from its topic."""
        known = {"request_id": request.request_id, "tenant_id": request.tenant_id, "user_id": request.user_id}
        response = Response(**{"status": ResponseStatus.OK, "finish_reason": "stop", **known, **changes})
        value = self._codecs["responses"].encode(response)
        headers = {h.FINGERPRINT: fingerprint(request).encode()}
        self._answers.arrived(Arrived(request_id=request.request_id, value=value, headers=headers, at_ms=0))

    def decode(self, arrived: Arrived) -> Response | None:
        found: Response = self._codecs["responses"].decode(arrived.value)
        return found

    def surely(self, arrived: Arrived) -> bool:
        return False


class Unlimited:
    def __init__(self) -> None:
        self.taken = Taken()

    async def take(self, _key: ApiKey) -> Taken:
        return self.taken


@dataclass
class Bench:
    """The door and what is around it."""

    url: str
    channel: MemoryChannel
    app: App
    keys: dict[str, ApiKey]
    rates: Unlimited
    session: aiohttp.ClientSession
    metrics: CollectorRegistry
    lag: list[int] = field(default_factory=lambda: [0])
    runner: web.ServerRunner | None = None

    @property
    def unread(self) -> int:
        """Connections whose reader leaves an answer where it is."""
        assert self.runner is not None
        assert self.runner.server is not None
        return sum(one.writing_paused for one in self.runner.server.connections)

    async def call(
        self, body: Any = None, path: str = "/v1/chat/completions", *, key: str | None = SECRET, **more: Any
    ) -> tuple[int, Any, Mapping[str, str]]:
        """Status, JSON and headers of a call; ``body``: bytes as they are, all else as JSON; ``None``: a GET."""
        headers = {"content-type": "application/json", **more.pop("headers", {})}
        if key is not None:
            headers.setdefault("authorization", f"Bearer {key}")
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        method = more.pop("method", "GET" if body is None else "POST")
        async with self.session.request(method, self.url + path, data=data, headers=headers, **more) as answer:
            text = await answer.read()
            return answer.status, json.loads(text) if text else None, answer.headers

    async def asked(self, number: int = 1) -> Request:
        """The request number ``number`` that was published, once it is."""
        while len(self.channel.requests) < number:
            self.channel.arrived.clear()
            await self.channel.arrived.wait()
        return self.channel.requests[number - 1]

    async def answered(self, body: Any = None, *, with_: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """A call, and the answer to what it publishes."""
        before = len(self.channel.requests)
        call = asyncio.create_task(self.call(HELLO if body is None else body, **more))
        request = await self.asked(before + 1)
        self.channel.answer(request, **(with_ or {"content": "Hello!"}))
        return await call

    async def streamed(self, body: Any, **more: Any) -> tuple[int, list[str]]:
        """Status and lines of a stream, read to its end."""
        headers = {"authorization": f"Bearer {SECRET}", **more.pop("headers", {})}
        async with self.session.post(self.url + "/v1/chat/completions", json=body, headers=headers) as answer:
            return answer.status, (await answer.text()).split("\n")


def failed(code: str) -> dict[str, Any]:
    return {"status": ResponseStatus.FAILED, "error": Error(code=code, message="why")}


@asynccontextmanager
async def bench(
    pieces: Pieces | None = None,
    answers: Answers | None = None,
    most_bytes: int = 2 << 20,
    past: Topic | None = None,
    tls: ssl.SSLContext | None = None,
    **settings: Any,
) -> AsyncIterator[Bench]:
    registry = CollectorRegistry()
    metrics = EdgeMetrics(registry)
    answers = answers or Answers(keep_s=600, keep_bytes=1 << 20)
    channel = MemoryChannel(answers)
    answers.read_with(channel)
    keys, rates, lag = {KEY.key_id: KEY}, Unlimited(), [0]
    chosen = EdgeSettings(**settings)
    app = App(
        chosen,
        Desk(channel, answers, metrics, keep_s=600, past=None if past is None else Past(past, answers, channel)),
        MemoryKeys(keys),
        Models(["small", "large"], {"gpt-4o-mini": "small"}, 1_700_000_000),
        pieces or NoPieces(),
        rates,
        metrics,
        most_bytes=most_bytes,
        lag=lambda: lag[0],
    )
    runner = app.server().runner()
    await runner.setup()
    await Listening(runner, "127.0.0.1", 0, tls, chosen.head_s).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as session:
        try:
            yield Bench(url, channel, app, keys, rates, session, registry, lag, runner)
        finally:
            app.cut()
            await runner.cleanup()
