"""What kind of failure is it? By the HTTP status that came, not by what the client library makes of it.

A 4xx will not get better, but for 408, 409, 425 and 429: it says something of the request, or of our key (401, 402,
403), and nothing about the deployment's health. Only of what has no status the library's exception decides.
"""

import json
import math
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from forebay.contract.clock import now_s
from forebay_agents.models.providers.exchange import Exchange
from forebay_agents.models.providers.provider import ProviderError

_BY_STATUS = {
    401: "provider_auth",
    402: "provider_auth",
    403: "provider_auth",
    404: "provider_not_found",
    408: "provider_timeout",
    409: "provider_unavailable",
    425: "provider_unavailable",
    429: "provider_rate_limited",
    504: "provider_timeout",
}


def code_of(status: int) -> str:
    """The code of an HTTP status that is no success."""
    known = _BY_STATUS.get(status)
    return known or ("provider_bad_request" if 400 <= status < 500 else "provider_unavailable")


def told_code(error: Any, otherwise: str) -> str:
    """The code of an ``error`` that a body tells of; ``otherwise`` when it does not say which kind it is."""
    told = _text(error)
    status = error.get("code") if isinstance(error, dict) else None
    if isinstance(status, str) and status.isdecimal():
        status = int(status[:4])
    if isinstance(status, int) and 400 <= status < 600:
        otherwise = code_of(status)
    if otherwise not in ("provider_bad_request", "provider_unavailable"):
        return otherwise
    if "context" in told and any(word in told for word in ("size", "length", "window")):
        return "context_length"
    if "content_policy" in told or "content_filter" in told:
        return "content_policy"
    return "provider_rate_limited" if "rate_limit" in told else otherwise


def explained(error: Exception, exchange: Exchange, kinds: Any, name: str) -> ProviderError:
    """What ``error`` of a call of deployment ``name`` means.

    Args:
        kinds: litellm's exceptions.
    """
    status = exchange.status or _status_of(error)
    if status is not None and not 200 <= status < 300:
        return refused(status, exchange, name, _wrong_with(error, kinds))
    if status is not None:
        code = "provider_timeout" if _timed_out(error, kinds) else "provider_cut_off"
        return ProviderError(code, f"{name}: its answer broke off", may_be_billed=True)
    code, billed = _by_class(error, kinds)
    return ProviderError(code, f"{name}: {type(error).__name__}", may_be_billed=billed and not _was_unreachable(error))


def refused(status: int, exchange: Exchange, name: str, wrong: str = "provider_bad_request") -> ProviderError:
    """A refusal by HTTP status, which is free.

    Args:
        wrong: the code if it is the request that is wrong.
    """
    code = code_of(status)
    if code == "provider_bad_request":
        code = wrong if wrong != code else told_code(_body(exchange), code)
    wait_s = retry_after_s(exchange.headers.get("retry-after") or "")
    return ProviderError(code, f"{name}: HTTP {status}", retry_after_s=wait_s)


def retry_after_s(asked: str, now: float | None = None) -> float | None:
    """Seconds to wait by a ``Retry-After`` header: a number or a date (RFC 9110, 10.2.3); ``None`` if it is neither."""
    try:
        seconds = float(asked)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(asked).timestamp() - (now_s() if now is None else now)
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _text(error: Any) -> str:
    try:
        return json.dumps(error, ensure_ascii=False).lower()
    except (TypeError, ValueError, RecursionError):
        return ""


def _body(exchange: Exchange) -> Any:
    try:
        body = orjson.loads(exchange.body or b"")
    except orjson.JSONDecodeError:
        return None
    return body.get("error") or body if isinstance(body, dict) else body


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _status_of(error: BaseException) -> int | None:
    """The HTTP status that is behind ``error``.

    litellm's own classes do not tell: a 200 whose body is no JSON, and a connection that broke in the middle of an
    answer, are an ``InternalServerError`` with status 500 like a real 500, and yet were billed. Their causes do.
    """
    import httpx

    statuses = (cause.response.status_code for cause in _causes(error) if isinstance(cause, httpx.HTTPStatusError))
    return next(statuses, None)


def _was_unreachable(error: BaseException) -> bool:
    """Whether there was no connection at all: only then a call without a status is surely free.

    litellm makes a ``ConnectError`` of every error of a socket, also of a reset after the request was sent.
    """
    import aiohttp
    import httpx

    never = httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout
    causes = list(_causes(error))
    later = (
        isinstance(one, aiohttp.ClientOSError) and not isinstance(one, aiohttp.ClientConnectorError) for one in causes
    )
    return any(isinstance(cause, never) for cause in causes) and not any(later)


def _timed_out(error: BaseException, kinds: Any) -> bool:
    import httpx

    return any(isinstance(cause, httpx.TimeoutException | TimeoutError | kinds.Timeout) for cause in _causes(error))


def _wrong_with(error: Exception, kinds: Any) -> str:
    """What of a request is wrong, as far as the library reads it out of the provider's words."""
    if isinstance(error, kinds.ContextWindowExceededError):
        return "context_length"
    if isinstance(error, kinds.ContentPolicyViolationError):
        return "content_policy"
    told = str(error).lower()  # llama.cpp: "exceeds the available context size"
    return "context_length" if "context" in told and "size" in told else "provider_bad_request"


def _by_class(error: Exception, kinds: Any) -> tuple[str, bool]:
    """Code, and whether the call may be billed, of an error without any HTTP status."""
    import httpx

    known: tuple[tuple[Any, str, bool], ...] = (
        (kinds.ContextWindowExceededError, "context_length", False),
        (kinds.ContentPolicyViolationError, "content_policy", False),
        (kinds.RateLimitError, "provider_rate_limited", False),
        ((kinds.Timeout, httpx.TimeoutException), "provider_timeout", True),
        ((kinds.AuthenticationError, kinds.PermissionDeniedError), "provider_auth", False),
        (kinds.NotFoundError, "provider_not_found", False),
        ((kinds.BadRequestError, kinds.UnprocessableEntityError), "provider_bad_request", False),
    )
    return next(
        ((code, billed) for kind, code, billed in known if isinstance(error, kind)), ("provider_unavailable", True)
    )
