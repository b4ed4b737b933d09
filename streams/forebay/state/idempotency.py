"""Was this already done, is somebody doing it, or may I? A claim in Redis for each request with a paid call.

A claim has an owner and a lease that is renewed while the work runs; when the owner dies, the lease ends and another
takes over. The outputs of finished work are kept: a redelivered record publishes them again instead of paying again.
What is kept where is in :mod:`forebay.state.claim_store`.
"""

import asyncio
import json
import uuid
import zlib
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import structlog

from forebay.avro.codec import Codec
from forebay.contract.clock import elapsed_s
from forebay.contract.failures import Transient
from forebay.contract.handlers import Output
from forebay.state.claim_store import ClaimStore
from forebay.state.keys import Key

log = structlog.get_logger(__name__)

_POLL_S = 0.1
_RENEWALS = 3  # per lease: two may fail before the lease is lost


class ClaimLostError(Exception):
    """Another owner has the request, or is done with it: no call may be made for it here any more."""


class Claim:
    """A request that is ours for the length of an ``async with``, or whose ``outputs`` are known already.

    A block that calls :meth:`finish` leaves its outputs behind; one that does not, or raises, gives the claim up.
    """

    def __init__(self, claims: "Claims", key: Key, owner: str, taken_s: float, outputs: list[Output] | None) -> None:
        self.outputs = outputs
        self._claims = claims
        self._key = key
        self._owner = owner
        self._renewed_s = taken_s
        self._lost = self._finished = self._over = self._asking = self._checked = False
        self._renewing: asyncio.Task[None] | None = None

    async def check(self) -> None:
        """Return if the request is still ours: to be asked right before each call.

        A process that stood still does not know that its lease ran out. Within half a lease of the last renewal the
        first question costs nothing; later, and before a second call, it asks: the owner that was taken for dead may
        have come back meanwhile, and finished.

        Raises:
            ClaimLostError: it is not.
            Transient: nobody can say, and by time the lease ran out.
        """
        fresh = not self._checked and self._claims.elapsed() - self._renewed_s <= self._claims.lease_s / 2
        if not self._lost and not fresh:
            await self._renew()
        self._checked = True
        if self._lost:
            raise ClaimLostError

    async def finish(self, outputs: Sequence[Output]) -> Sequence[Output]:
        """The work is done; what is to be published.

        Who finishes first is right, also if another has the claim by now: what was paid is not thrown away. Of one who
        comes second only what is to be published in any case (``Output.always``) is, beside the first one's outputs.

        Never raises: the work is done and paid, its outputs are about to be published, and a retry would pay again.
        """
        self._finished = True
        # Shielded: also a cancelled owner should not make the next one pay again.
        first = await asyncio.shield(self._claims.keep(self._key, self._owner, outputs))
        return outputs if first is None else [*(output for output in outputs if output.always), *first]

    async def __aenter__(self) -> Self:
        if self.outputs is None:
            self._renewing = asyncio.create_task(self._renew_on())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._renewing is None:
            return
        self._over = True
        if not self._asking:
            self._renewing.cancel()
        if not self._finished:
            await asyncio.shield(self._give_up(self._renewing))

    async def _give_up(self, renewing: "asyncio.Task[None]") -> None:
        # A renewal that is out is waited for, not cancelled. redis-py may swallow that (asyncio.wait_for does before
        # Python 3.12, when what it waits for is done in the same turn), and an orphan renewed a claim for ever: each
        # try of its request waited for it until the stage's time-out. And it would renew what is released by then.
        await asyncio.wait({renewing})
        await self._claims.release(self._key, self._owner)

    async def _renew(self) -> None:
        asked_s = self._claims.elapsed()
        try:
            held = await self._claims.renew(self._key, self._owner)
        except Transient:
            if self._claims.elapsed() - self._renewed_s < self._claims.lease_s:
                return  # by time nobody can have taken it over
            raise
        if held:
            self._renewed_s = asked_s
        elif not self._lost and not self._finished:  # finished meanwhile, it has no lease to be renewed
            self._lost = True
            log.warning("claim_lost", after_s=round(asked_s - self._renewed_s, 1))

    async def _renew_on(self) -> None:
        """Renew the lease until it is lost or the work is over."""
        while not self._lost and not self._over:
            await asyncio.sleep(self._claims.lease_s / _RENEWALS)
            self._asking = True
            with suppress(Transient):  # the lease may end; then the request may be paid twice, but is never lost
                await self._renew()
            self._asking = False


class Claims:
    """Claims on requests.

    Args:
        codecs: logical topic to codec, to keep outputs as bytes.
        lease_s: seconds after which the claim of a dead owner can be taken over.
        keep_s: seconds that outputs are kept for redelivered records.
        elapsed: seconds, those included in which the process stood still.
    """

    def __init__(
        self,
        store: ClaimStore,
        codecs: Mapping[str, Codec[Any]],
        *,
        lease_s: float = 5.0,
        keep_s: float = 3600.0,
        elapsed: Callable[[], float] = elapsed_s,
    ) -> None:
        self.lease_s = lease_s
        self.elapsed = elapsed
        self._store = store
        self._codecs = codecs
        self._lease_ms = round(1000 * lease_s)
        self._keep_ms = round(1000 * keep_s)

    async def once(
        self, key: Key, work: Callable[[Claim | None], Awaitable[Sequence[Output]]], *, required: bool = True
    ) -> Sequence[Output]:
        """The outputs of the work on ``key``, which one owner does at a time; waits while another lives.

        Args:
            work: is given the claim; when that is lost (``ClaimLostError``), what became of it is waited for.
            required: whether a claim must be had; otherwise the work is done without one while claims are away.

        Raises:
            Transient: ``redis_unavailable``.
        """
        while True:
            try:
                claim = await self.acquire(key)
            except Transient:
                if required:
                    raise
                return await work(None)
            if claim.outputs is not None:
                return claim.outputs
            async with claim:
                try:
                    outputs = await work(claim)
                except ClaimLostError:
                    continue
                return await claim.finish(outputs)

    async def acquire(self, key: Key) -> Claim:
        """A claim on ``key``, waiting while another owner lives. Raises ``Transient("redis_unavailable")``."""
        owner = uuid.uuid4().hex
        while True:
            asked_s = self.elapsed()
            state, rest = await self._store.claim(key, owner, self._lease_ms)
            if state in ("mine", "done"):
                return Claim(self, key, owner, asked_s, None if state == "mine" else self._unpack(rest))
            await asyncio.sleep(_POLL_S)

    async def kept(self, key: Key) -> list[Output] | None:
        """Outputs of ``key`` if they are known. Raises ``Transient("redis_unavailable")``."""
        outputs = await self._store.kept(key)
        return None if outputs is None else self._unpack(outputs)

    async def renew(self, key: Key, owner: str) -> bool:
        """Whether the claim is still this owner's, for another lease. Raises ``Transient``."""
        return await self._store.renew(key, owner, self._lease_ms)

    async def keep(self, key: Key, owner: str, outputs: Sequence[Output]) -> Sequence[Output] | None:
        """Keep the outputs of finished work; those of another owner if that was first. Never raises ``Transient``."""
        packed = self._pack(outputs)
        try:
            first = await self._store.finish(key, owner, packed, self._keep_ms)
        except Transient as failure:
            log.warning("claim_not_settled", code=failure.code, message=failure.message)
            return None
        return None if first is None or first == packed else self._unpack(first)

    async def release(self, key: Key, owner: str) -> None:
        """Give an unfinished claim up. Never raises ``Transient``."""
        try:
            await self._store.release(key, owner)
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
