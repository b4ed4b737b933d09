"""Which status has an error? One table: of what the door refuses itself, and of every code that a response may have.

What must not be repeated blindly says so (``x-should-retry: false``): the clients of OpenAI repeat on 408, 409, 429 and
5xx unless they are told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from forebay.contract.clock import Clock, now_ms
from forebay.contract.error_codes import CODES, FailureClass

INVALID, AUTH, PERMISSION = "invalid_request_error", "authentication_error", "permission_error"
RATE, QUOTA, SERVER = "rate_limit_error", "insufficient_quota", "server_error"
_DAY_MS = 86_400_000
_AT_ONCE, _PROVIDER_S, _RATE_S = 1, 30, 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """How an error is told.

    Attributes:
        status: of HTTP.
        kind: what OpenAI calls ``type``.
        code: what clients of OpenAI look for, where that is another word than ours.
        retry_after_s: seconds after which it may be better.
        repeat: whether a client may try again by itself.
    """

    status: int
    kind: str
    code: str | None = None
    retry_after_s: int | None = None
    repeat: bool = True


class Refused(Exception):
    """A request that the door answers with an error.

    Args:
        code: one of :data:`ROWS`.
        message: for people; quotes nothing but names of fields.
        param: place of the fault in the body.
        retry_after_s: seconds, where they are known better than the table has them.
        headers: further ones.
    """

    def __init__(
        self,
        code: str,
        message: str,
        param: str | None = None,
        *,
        retry_after_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s
        self.headers = dict(headers or {})


def _own() -> dict[str, Row]:
    """Codes that the door alone has."""
    bad, unauthorised = Row(status=400, kind=INVALID), Row(status=401, kind=AUTH)
    return {
        "invalid_json": bad,
        "invalid_value": bad,
        "unsupported_parameter": bad,
        "unsupported_content": bad,
        "unknown_parameter": bad,
        "missing_api_key": unauthorised,
        "invalid_api_key": unauthorised,
        "expired_api_key": unauthorised,
        "revoked_api_key": unauthorised,
        "not_allowed": Row(status=403, kind=PERMISSION),
        "model_not_found": Row(status=404, kind=INVALID),
        "not_found": Row(status=404, kind=INVALID),
        "unsupported_endpoint": Row(status=404, kind=INVALID),
        "method_not_allowed": Row(status=405, kind=INVALID),
        "request_timeout": Row(status=408, kind=INVALID),
        "length_required": Row(status=411, kind=INVALID),
        "unsupported_media_type": Row(status=415, kind=INVALID),
        "headers_too_large": Row(status=431, kind=INVALID),
        "draining": Row(status=503, kind=SERVER, retry_after_s=_AT_ONCE),
        "stream_restarted": Row(status=500, kind=SERVER, repeat=False),
        "still_running": Row(status=504, kind=SERVER, repeat=False),
    }


def _of_records() -> dict[str, Row]:
    """Codes of responses."""
    bad, never = Row(status=400, kind=INVALID), Row(status=500, kind=SERVER, repeat=False)
    forbidden = Row(status=403, kind=PERMISSION)
    soon = Row(status=503, kind=SERVER, retry_after_s=_AT_ONCE)
    rows = {code: soon if one.failure_class is FailureClass.TRANSIENT else never for code, one in CODES.items()}
    for code, row in rows.items():
        if code.startswith("provider_") and row is soon:
            rows[code] = Row(status=503, kind=SERVER, retry_after_s=_PROVIDER_S)
    for code in ("invalid_request", "max_cost", "pii_blocked", "language_unsupported", "provider_bad_request"):
        rows[code] = bad
    for code in ("tenant_unproven", "tenant_mismatch", "unknown_tenant"):
        rows[code] = forbidden
    return rows | {
        "context_length": Row(status=400, kind=INVALID, code="context_length_exceeded"),
        "content_policy": Row(status=400, kind=INVALID, code="content_filter"),
        "no_tier": Row(status=404, kind=INVALID),
        "unknown_request": Row(status=404, kind=INVALID),
        "idempotency_conflict": Row(status=409, kind=INVALID, repeat=False),
        "request_too_large": Row(status=413, kind=INVALID),
        "record_too_large": Row(status=413, kind=INVALID),
        "rate_limited": Row(status=429, kind=RATE, code="rate_limit_exceeded", retry_after_s=_RATE_S),
        "budget_exceeded": Row(status=429, kind=QUOTA, code="insufficient_quota", repeat=False),
        "deadline_exceeded": Row(status=504, kind=SERVER, repeat=False),
    }


ROWS: Mapping[str, Row] = MappingProxyType({**_own(), **_of_records()})
"""Code to how it is told; :func:`row` of one that is not here."""
OWN: Mapping[str, Row] = MappingProxyType(_own())
"""Of these, what the door alone has."""


def row(code: str) -> Row:
    """How ``code`` is told; of a newer stage's, which this door does not know, as a fault of the server."""
    return ROWS.get(code) or Row(status=500, kind=SERVER, repeat=False)


def passes(code: str) -> bool:
    """Whether ``code`` is of a failure that tells when to come again: who does is a new try, and no repetition."""
    told = row(code)
    return told.retry_after_s is not None or told.kind == QUOTA


def body(code: str, message: str, param: str | None = None, **more: Any) -> dict[str, Any]:
    """The JSON of an error."""
    told = row(code)
    return {"error": {"message": message, "type": told.kind, "param": param, "code": told.code or code, **more}}


def headers(code: str, retry_after_s: float | None = None, clock: Clock = now_ms) -> dict[str, str]:
    """Headers of an error: when to come again, and whether to.

    Args:
        retry_after_s: as the limiter knows it.
        clock: for the end of UTC's day, where nobody says when a budget begins anew.
    """
    told, found = row(code), dict[str, str]()
    after = told.retry_after_s if retry_after_s is None else max(1, -int(-retry_after_s // 1))
    if told.kind == QUOTA and after is None:
        after = (_DAY_MS - clock() % _DAY_MS) // 1000 + 1
    if after is not None:
        found["retry-after"] = str(after)
    if not told.repeat:
        found["x-should-retry"] = "false"
    if told.status == 401:
        found["www-authenticate"] = "Bearer"
    return found
