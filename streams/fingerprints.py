"""Was this id used for another request? A fingerprint of the first body, kept as long as answers are.

A producer that sends a request again (same id, same body) is welcome: everything behind works by id, and gives the same
answer. The same id with another body is a mistake, and the second would get the first one's answer; so it is refused,
and the first one's answer stands. An operator's replay may change the body (``--transform``): it sets the fingerprint.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from streams import headers as h
from streams.failures import Failure, Rejected, Transient
from streams.handlers import Context, FailureHandler, Handler, Output
from streams.json_lines import to_json
from streams.records import Completion, RedactedRequest, Request

CONFLICT = "idempotency_conflict"

REFUSED = "forebay.refused"
"""Key in the metadata of the refusal, with the fingerprint of the body that it is about: a client whose request has
another one is not meant."""


class Fingerprints(Protocol):
    """What ids were used for; raises ``Transient("redis_unavailable")``."""

    async def first(self, key: str, fingerprint: str) -> str:
        """The fingerprint under ``key``, which is ours if there was none."""
        ...

    async def put(self, key: str, fingerprint: str) -> None:
        """Replace it."""
        ...


def fingerprint(request: Request) -> str:
    """A digest of all that makes ``request`` what it is; not of when it was made. It cannot be undone."""
    body = to_json(replace(request, created_at=0))
    encoded = json.dumps(body, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()
    return hashlib.blake2b(encoded, digest_size=16).hexdigest()


class RedisFingerprints:
    """Fingerprints in Redis; ``client`` is a ``redis.asyncio`` client, ``keep_s`` in seconds."""

    def __init__(self, client: Any, prefix: str, keep_s: int) -> None:
        self._client = client
        self._prefix = f"{prefix}payload:"
        self._keep_s = keep_s

    async def first(self, key: str, fingerprint: str) -> str:
        """See :class:`Fingerprints`."""
        known = await self._set(key, fingerprint, nx=True, get=True)
        return fingerprint if known is None else str(known.decode())

    async def put(self, key: str, fingerprint: str) -> None:
        """See :class:`Fingerprints`."""
        await self._set(key, fingerprint)

    async def _set(self, key: str, fingerprint: str, **options: Any) -> Any:
        from redis.exceptions import RedisError

        try:
            return await self._client.set(self._prefix + key, fingerprint, ex=self._keep_s, **options)
        except (RedisError, OSError, TimeoutError) as error:
            raise Transient("redis_unavailable", f"fingerprints: {type(error).__name__}") from None


def guarded(handle: Handler, known: Fingerprints) -> Handler:
    """``handle``, for requests whose id was not used for another body; its outputs carry the id in a header."""

    async def check(request: Request, context: Context) -> Sequence[Output]:
        if request.request_id:
            key, ours = f"{request.tenant_id}:{request.request_id}", fingerprint(request)
            if h.REPLAYED_AT in context.source.headers:
                await known.put(key, ours)
            elif await known.first(key, ours) != ours:
                raise Rejected(CONFLICT, "the request_id was used for a request with another body")
        named = {h.REQUEST_ID: request.request_id.encode()} if request.request_id else {}
        return [replace(output, headers=output.headers | named) for output in await handle(request, context)]

    return check


def told(on_failure: FailureHandler) -> FailureHandler:
    """``on_failure``, with :data:`REFUSED` in the completion of a refused request."""

    def outputs(request: Request | None, context: Context, failure: Failure) -> Sequence[Output]:
        made = on_failure(request, context, failure)
        if failure.code != CONFLICT or request is None:
            return made
        return [_marked(output, fingerprint(request)) for output in made]

    return outputs


def _marked(output: Output, of: str) -> Output:
    if not isinstance(output.value, Completion):
        return output
    about = RedactedRequest(request_id=output.value.request_id, metadata={REFUSED: of})
    return replace(output, value=replace(output.value, request=about))
