"""Was this id used for another request? A fingerprint of the first body, kept as long as answers are.

A producer that sends a request again (same id, same body) is welcome: everything behind works by id, and gives the same
answer. The same id with another body is a mistake, and the second would get the first one's answer; so it is refused,
and the first one's answer stands. An operator's replay may change the body (``--transform``): it sets the fingerprint.

The fingerprint travels with the request and ends as a header of the response, so that each asker takes only what is
about its own body. Who has the redacted text could guess the few digits that are missing in it until the fingerprint
fits; so it is sealed wherever personal data must not be: in Redis, and on all topics between redaction and response.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from forebay.contract import headers as h
from forebay.contract.failures import Failure, Rejected
from forebay.contract.handlers import Context, FailureHandler, Handler, Output
from forebay.contract.ids import plain_id, refused_id, returned_id
from forebay.contract.json_lines import to_json
from forebay.contract.records import Request
from forebay.privacy.sealing import Keyring, SealError
from forebay.state.keys import Key, Owned, Prefix, owned
from forebay.state.redis_client import redis_errors, refused

CONFLICT = "idempotency_conflict"
_LATER = ("tool_choice", "parallel_tool_calls", "reasoning_effort")
"""Parameters that requests did not always have. Unset they count for nothing: while workers are upgraded, and for what
is delivered once more after that, the fingerprint of a body is the one of before."""


class Fingerprints(Protocol):
    """What ids were used for; raises ``Transient("redis_unavailable")``."""

    async def first(self, key: Key, fingerprint: str) -> str:
        """The fingerprint under ``key``, which is ours if there was none."""
        ...

    async def put(self, key: Key, fingerprint: str) -> None:
        """Replace it."""
        ...


def fingerprint(request: Request) -> str:
    """A digest of all that makes ``request`` what it is; not of when it was made, nor by which key it came."""
    body = to_json(replace(request, created_at=0))
    if request.redaction is None:
        del body["redaction"]  # a request from before there was such a field is the same request
    del body["key_id"]
    for name in _LATER:
        if body["params"][name] is None:
            del body["params"][name]
    encoded = json.dumps(body, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()
    return hashlib.blake2b(encoded, digest_size=16).hexdigest()


class FingerprintHeaders:
    """The header :data:`forebay.contract.headers.FINGERPRINT`, sealed while it travels between redaction and response.

    Args:
        keyring: seals it; bound to the request id, so that it cannot be moved to another request.
    """

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def sealed(self, request_id: str, fingerprint: str) -> dict[str, bytes]:
        """The header as it leaves redaction."""
        mark = self._keyring.seal(fingerprint.encode(), _context(request_id))
        return {h.FINGERPRINT: base64.b64encode(mark)}

    def opened(self, headers: h.Headers, request_id: str) -> dict[str, bytes]:
        """The header of the response: plain, or empty when there is none that can be opened (a producer's own)."""
        if h.FINGERPRINT not in headers:
            return {}
        try:
            mark = base64.b64decode(headers[h.FINGERPRINT], validate=True)
            return {h.FINGERPRINT: self._keyring.open(mark, _context(request_id))}
        except (SealError, ValueError):
            return {h.FINGERPRINT: b""}

    def with_id(self, sent: str, request_id: str) -> dict[str, bytes]:
        """The id or key that a request was sent under, while it travels as ``request_id``: any text, so sealed."""
        mark = self._keyring.seal(sent.encode("utf-8", "surrogatepass"), _sent(request_id))
        return {h.SENT_ID: base64.b64encode(mark)}

    def sent_id(self, headers: h.Headers, request_id: str) -> str:
        """The id under which the response to ``request_id`` goes back."""
        if h.SENT_ID not in headers:
            return request_id
        try:
            mark = base64.b64decode(headers[h.SENT_ID], validate=True)
            return returned_id(self._keyring.open(mark, _sent(request_id)).decode("utf-8", "surrogatepass"))
        except (SealError, ValueError):  # a producer's own header
            return request_id


def _sent(request_id: str) -> str:
    return f"sent-id/{request_id}"


def _context(request_id: str) -> str:
    return f"fingerprint/{request_id}"


class RedisFingerprints:
    """Fingerprints in Redis; ``client`` is a ``redis.asyncio`` client, ``keep_s`` in seconds."""

    def __init__(self, client: Any, prefix: str, keep_s: int, keyring: Keyring) -> None:
        self._client = client
        self._prefix = Prefix(prefix)
        self._keep_s = keep_s
        self._keyring = keyring

    async def first(self, key: Key, fingerprint: str) -> str:
        """See :class:`Fingerprints`."""
        known = await self._set(key, fingerprint, nx=True, get=True)
        if known is None:
            return fingerprint
        try:
            return self._keyring.open(known, _context(key)).decode()
        except SealError:  # its key was taken out of the ring: as good as forgotten, like all that it sealed
            await self._set(key, fingerprint)
            return fingerprint

    async def put(self, key: Key, fingerprint: str) -> None:
        """See :class:`Fingerprints`."""
        await self._set(key, fingerprint)

    async def _set(self, key: Key, fingerprint: str, **options: Any) -> Any:
        sealed = self._keyring.seal(fingerprint.encode(), _context(key))
        try:
            return await self._client.set(self._prefix + key, sealed, ex=self._keep_s, **options)
        except redis_errors() as error:
            raise refused(error, "fingerprints") from None


def guarded(handle: Handler, known: Fingerprints, marks: FingerprintHeaders) -> Handler:
    """``handle``, for requests whose id was not used for another body; outputs carry id and fingerprint in headers."""

    async def check(request: Request, context: Context) -> Sequence[Output]:
        if not plain_id(request.request_id):
            return await handle(request, context)  # which refuses it; no key is made of such an id
        key, ours = owned(Owned.FINGERPRINT, request.tenant_id, request.request_id), fingerprint(request)
        if h.REPLAYED_AT in context.source.headers:
            await known.put(key, ours)
        elif await known.first(key, ours) != ours:
            raise Rejected(CONFLICT, "the request_id was used for a request with another body")
        named = {h.REQUEST_ID: request.request_id.encode()} | marks.sealed(request.request_id, ours)
        return _with(await handle(request, context), named)

    return check


def marked(on_failure: FailureHandler, marks: FingerprintHeaders) -> FailureHandler:
    """``on_failure``, whose outputs say which body they are about, and under which id they were asked for."""

    def outputs(request: Request | None, context: Context, failure: Failure) -> Sequence[Output]:
        made = on_failure(request, context, failure)
        given = "" if request is None else request.request_id
        sent = given or context.named_id
        about = {} if request is None or not sent else marks.sealed(sent, fingerprint(request))
        if sent and not plain_id(given):
            about |= marks.with_id(sent, answered_id(given, context))
        return _with(made, about)

    return outputs


def answered_id(given: str, context: Context) -> str:
    """The id under which a request with the id ``given`` is answered for, plain in any case.

    Of one without an id it is the record's place, not its key, which may be anything; its key comes back with the
    response (:meth:`FingerprintHeaders.with_id`).
    """
    return given if plain_id(given) else refused_id(given) if given else context.fallback_id


def _with(outputs: Sequence[Output], headers: h.Headers) -> list[Output]:
    return [replace(output, headers=dict(output.headers) | dict(headers)) for output in outputs]
