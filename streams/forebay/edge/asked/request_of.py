"""Which record is published for a body? Whose it is says the key, all else the body and the headers beside it."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace

from forebay.contract import headers as h
from forebay.contract.json_lines import new_id
from forebay.contract.records import ApiKey, CacheMode, Request
from forebay.edge.asked.parsing import Chat, conversation
from forebay.edge.errors import Refused

USER, STREAM = "x-forebay-user", "x-forebay-stream"
NAMED = "idem-"
"""Begins the ids of requests whose clients chose them."""
_USER = re.compile(r"[A-Za-z0-9._:@-]{1,64}")
_PRINTABLE = re.compile(r"[\x20-\x7e]{1,255}")
_TRACE = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_PROFILES = ("strict", "balanced")
_MS = re.compile(r"[0-9]{1,15}")


def request_of(chat: Chat, key: ApiKey, headers: Mapping[str, str], now_ms: int) -> tuple[Request, bool]:
    """The request, and whether its id is one that the client chose.

    Raises:
        Refused: a header cannot be what it is, or the key does not allow it.
    """
    chosen = headers.get("idempotency-key")
    request = Request(
        request_id=new_id() if chosen is None else _id(key.tenant_id, chosen),
        tenant_id=key.tenant_id,
        user_id=user_of(key, headers),
        conversation_id=chat.conversation_id,
        messages=chat.messages,
        task=chat.task,
        tools=chat.tools,
        response_format=chat.response_format,
        params=chat.params,
        tier=chat.tier,
        max_cost_nanousd=chat.max_cost_nanousd,
        deadline_ms=chat.deadline_ms,
        priority=chat.priority,
        cache=chat.cache,
        metadata=chat.metadata,
        created_at=now_ms,
        redaction=_profile(key, headers),
        key_id=key.key_id,
    )
    if (given := headers.get("x-forebay-conversation")) is not None:
        request = replace(request, conversation_id=conversation(given, "x-forebay-conversation"))
    if (given := headers.get("x-forebay-deadline-ms")) is not None:
        if not _MS.fullmatch(given) or int(given) == 0:
            raise Refused("invalid_value", "x-forebay-deadline-ms: milliseconds are needed", "x-forebay-deadline-ms")
        request = replace(request, deadline_ms=int(given))
    wanted = {word.strip().lower() for word in headers.get("cache-control", "").split(",")}
    if "no-store" in wanted:
        request = replace(request, cache=replace(request.cache, mode=CacheMode.BYPASS))
    elif "no-cache" in wanted:
        request = replace(request, cache=replace(request.cache, mode=CacheMode.REFRESH))
    return request, chosen is not None


def user_of(key: ApiKey, headers: Mapping[str, str]) -> str:
    """Who asks. Raises :class:`Refused`: the key speaks for many, and nobody is named."""
    if not key.user_from_header:
        return key.user_id
    given = headers.get(USER, "")
    if not _USER.fullmatch(given):
        raise Refused("invalid_value", f"{USER}: this API key speaks for many people, so name one", USER)
    return given


def record_headers(headers: Mapping[str, str], reply_to: int | None) -> dict[str, bytes]:
    """What goes into the record's headers: the trace that the client began, or a new one, and how it is streamed.

    Args:
        reply_to: where pieces of the answer are read; ``None``: it is not streamed.

    Raises:
        Refused: it is to be streamed in a way that there is not.
    """
    given = headers.get("traceparent", "")
    found = {h.TRACEPARENT: given.encode() if _TRACE.fullmatch(given) else h.new_traceparent()}
    how = headers.get(STREAM, "")
    if how not in ("", "early"):
        raise Refused("invalid_value", f"{STREAM}: early, or nothing", STREAM)
    if reply_to is not None:
        found[h.REPLY_TO] = str(reply_to).encode()
        if how:
            found[h.STREAM] = h.EARLY
    return found


def _id(tenant_id: str, chosen: str) -> str:
    """The same for the same at every door, and nobody else's."""
    if not _PRINTABLE.fullmatch(chosen):
        rule = "idempotency-key: 1 to 255 printable characters of ASCII are needed"
        raise Refused("invalid_value", rule, "idempotency-key")
    digest = hashlib.blake2b(json.dumps([tenant_id, chosen]).encode(), digest_size=15).digest()
    return f"{NAMED}{base64.b32encode(digest).decode().lower()}"


def _profile(key: ApiKey, headers: Mapping[str, str]) -> str | None:
    """Of redaction: what the request chooses among what its key allows, else the key's first."""
    given = headers.get("x-forebay-redaction")
    if given is None:
        return key.redaction[0] if key.redaction else None
    if given not in _PROFILES:
        raise Refused("invalid_value", f"x-forebay-redaction: {' or '.join(_PROFILES)}", "x-forebay-redaction")
    if key.redaction and given not in key.redaction:
        raise Refused("not_allowed", "this API key does not allow that profile of redaction", "x-forebay-redaction")
    return given
