"""Was this already done, is somebody doing it, or may I? A claim in Redis for each request with a paid call.

A claim has an owner and a lease that is renewed while the work runs; when the owner dies, the lease ends and another
takes over. The outputs of finished work are kept: a redelivered record publishes them again instead of paying again.
Every step is one Lua script, so that two workers cannot both believe that they own a request.
"""

import asyncio
import json
import uuid
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

import structlog

from forebay.avro.codec import Codec
from forebay.contract.failures import Transient
from forebay.contract.handlers import Output
from forebay.state.keys import Key, Prefix
from forebay.state.redis_client import redis_errors, refused

log = structlog.get_logger(__name__)

_POLL_S = 0.1
_RENEWALS = 3  # per lease: two may fail before the lease is lost

# KEYS[1]; ARGV: owner, lease in ms. Returns {state, outputs or remaining ms}.
_CLAIM = """
local done = redis.call('HGET', KEYS[1], 'outputs')
if done then return {'done', done} end
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] then return {'held', tostring(redis.call('PTTL', KEYS[1]))} end
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'mine', ''}
"""

# KEYS[1]; ARGV: owner, lease in ms.
_RENEW = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

# KEYS[1]; ARGV: owner, outputs, time to keep them in ms. Kept also when the lease was lost: done is done.
_FINISH = """
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'outputs', ARGV[2])
return redis.call('PEXPIRE', KEYS[1], ARGV[3])
"""

# KEYS[1]; ARGV: owner.
_RELEASE = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] or redis.call('HEXISTS', KEYS[1], 'outputs') == 1 then return 0 end
return redis.call('DEL', KEYS[1])
"""


class ClaimStore(Protocol):
    """The steps of a claim; all raise ``Transient("redis_unavailable")``."""

    async def claim(self, key: Key, owner: str, lease_ms: int) -> tuple[str, bytes]:
        """``mine``, ``held`` with the lease's remaining ms, or ``done`` with the kept outputs."""
        ...

    async def kept(self, key: Key) -> bytes | None:
        """The kept outputs, if the work is done."""
        ...

    async def renew(self, key: Key, owner: str, lease_ms: int) -> bool:
        """Whether the lease was still ours."""
        ...

    async def finish(self, key: Key, owner: str, outputs: bytes, keep_ms: int) -> None:
        """Keep the outputs."""
        ...

    async def release(self, key: Key, owner: str) -> None:
        """Give an unfinished claim up."""
        ...


class RedisClaimStore:
    """Claims in Redis; ``client`` is a ``redis.asyncio`` client."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._prefix = Prefix(prefix)
        self._client = client

    async def claim(self, key: Key, owner: str, lease_ms: int) -> tuple[str, bytes]:
        """See :class:`ClaimStore`."""
        state, rest = await self._run(_CLAIM, key, owner, lease_ms)
        return state.decode(), rest

    async def kept(self, key: Key) -> bytes | None:
        """See :class:`ClaimStore`."""
        try:
            found: bytes | None = await self._client.hget(self._prefix + key, "outputs")
        except redis_errors() as error:
            raise _away(error) from None
        return found

    async def renew(self, key: Key, owner: str, lease_ms: int) -> bool:
        """See :class:`ClaimStore`."""
        return bool(await self._run(_RENEW, key, owner, lease_ms))

    async def finish(self, key: Key, owner: str, outputs: bytes, keep_ms: int) -> None:
        """See :class:`ClaimStore`."""
        await self._run(_FINISH, key, owner, outputs, keep_ms)

    async def release(self, key: Key, owner: str) -> None:
        """See :class:`ClaimStore`."""
        await self._run(_RELEASE, key, owner)

    async def _run(self, script: str, key: Key, *arguments: Any) -> Any:
        try:
            return await self._client.eval(script, 1, self._prefix + key, *arguments)
        except redis_errors() as error:
            raise _away(error) from None


def _away(error: Exception) -> Transient:
    return refused(error, "claims")


class Claim:
    """A request that is ours for the length of an ``async with``, or whose ``outputs`` are known already.

    A block that calls :meth:`finish` leaves its outputs behind; one that does not, or raises, gives the claim up.
    """

    def __init__(self, claims: "Claims", key: Key, owner: str, outputs: list[Output] | None) -> None:
        self.outputs = outputs
        self._claims = claims
        self._key = key
        self._owner = owner
        self._result: Sequence[Output] | None = None
        self._renewing: asyncio.Task[None] | None = None

    def finish(self, outputs: Sequence[Output]) -> None:
        """The work is done; these are its outputs."""
        self._result = outputs

    async def __aenter__(self) -> Self:
        if self.outputs is None:
            self._renewing = asyncio.create_task(self._claims.renew(self._key, self._owner))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._renewing is None:
            return
        self._renewing.cancel()
        # Shielded: also a cancelled owner should not make the next one wait for the lease.
        await asyncio.shield(self._claims.settle(self._key, self._owner, self._result))


class Claims:
    """Claims on requests.

    Args:
        codecs: logical topic to codec, to keep outputs as bytes.
        lease_s: seconds after which the claim of a dead owner can be taken over.
        keep_s: seconds that outputs are kept for redelivered records.
    """

    def __init__(
        self, store: ClaimStore, codecs: Mapping[str, Codec[Any]], *, lease_s: float = 5.0, keep_s: float = 3600.0
    ) -> None:
        self._store = store
        self._codecs = codecs
        self._lease_ms = round(1000 * lease_s)
        self._keep_ms = round(1000 * keep_s)

    async def acquire(self, key: Key) -> Claim:
        """A claim on ``key``, waiting while another owner lives. Raises ``Transient("redis_unavailable")``."""
        owner = uuid.uuid4().hex
        while True:
            state, rest = await self._store.claim(key, owner, self._lease_ms)
            if state == "mine":
                return Claim(self, key, owner, None)
            if state == "done":
                return Claim(self, key, owner, self._unpack(rest))
            await asyncio.sleep(_POLL_S)

    async def kept(self, key: Key) -> list[Output] | None:
        """Outputs of ``key`` if they are known. Raises ``Transient("redis_unavailable")``."""
        outputs = await self._store.kept(key)
        return None if outputs is None else self._unpack(outputs)

    async def renew(self, key: Key, owner: str) -> None:
        """Renew the lease until it is lost or this is cancelled."""
        while True:
            await asyncio.sleep(self._lease_ms / 1000 / _RENEWALS)
            try:
                if not await self._store.renew(key, owner, self._lease_ms):
                    return
            except Transient:
                continue  # the lease may end; then the request may be paid twice, but is never lost

    async def settle(self, key: Key, owner: str, outputs: Sequence[Output] | None) -> None:
        """Keep the outputs of finished work, or give the claim up.

        Never raises: the work is done and paid, its outputs are about to be published, and a retry would pay again.
        """
        try:
            if outputs is None:
                await self._store.release(key, owner)
            else:
                await self._store.finish(key, owner, self._pack(outputs), self._keep_ms)
        except Transient as failure:
            log.warning("claim_not_settled", code=failure.code, message=failure.message)

    def _pack(self, outputs: Sequence[Output]) -> bytes:
        packed = []
        for output in outputs:
            value = output.value if isinstance(output.value, bytes) else self._codecs[output.topic].encode(output.value)
            key = output.key.decode() if isinstance(output.key, bytes) else output.key
            headers = {name: b64encode(header).decode() for name, header in output.headers.items()}
            packed.append([output.topic, key, b64encode(value).decode(), headers])
        return zlib.compress(json.dumps(packed).encode(), 1)

    def _unpack(self, data: bytes) -> list[Output]:
        return [
            Output(
                topic=topic,
                key=key,
                value=b64decode(value),
                headers={name: b64decode(header) for name, header in headers.items()},
            )
            for topic, key, value, headers in json.loads(zlib.decompress(data))
        ]
