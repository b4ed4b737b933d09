"""Is this the body of an answer? From bytes to parsed JSON, and what else it is where it is none."""

import json
from collections.abc import Mapping
from typing import Any

import orjson

from forebay_agents.models.providers.assembly import Assembly
from forebay_agents.models.providers.refusals import told_code

DONE = b"[DONE]"


class NoAnswerError(Exception):
    """What came is no answer; ``code`` of :data:`forebay.contract.error_codes.CODES`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parsed(data: bytes) -> Any:
    """JSON as providers write it: NaN, halves of surrogate pairs and stray bytes too, for the rest is paid.

    Raises:
        ValueError: it is none.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            return json.loads(data.decode("utf-8", "replace"))
        except RecursionError:
            raise ValueError("nested too deeply") from None


def read_body(data: bytes, found: Assembly) -> None:
    """Read a whole answer into ``found``; also one that is a stream although none was asked for.

    Raises:
        NoAnswerError: it is none.
    """
    data = data.strip().removeprefix(b"\xef\xbb\xbf")
    try:
        body = parsed(data)
    except ValueError:
        if data.startswith(b"data:"):
            read_events(data, found)
            return
        raise NoAnswerError("provider_cut_off" if data.startswith(b"{") else "provider_not_json") from None
    if not isinstance(body, dict):
        raise NoAnswerError("provider_not_json")
    raise_told(body)
    found.add_whole(body)
    if not found.ended:
        raise NoAnswerError("provider_no_answer")


def read_events(data: bytes, found: Assembly) -> None:
    """Read a stream's whole body into ``found``. Raises :class:`NoAnswerError`."""
    for line in data.split(b"\n"):
        event = event_of(line, found)
        if event is not None:
            found.add(event)
    if not found.ended:
        raise NoAnswerError("provider_no_end")


def event_of(line: bytes, found: Assembly) -> Mapping[str, Any] | None:
    """The chunk in a line of a stream (server-sent events: WHATWG HTML, section 9.2); ``None`` where there is none.

    Raises:
        NoAnswerError: it tells of an error, or broke off, and the answer has not ended yet.
    """
    name, _, value = line.partition(b":")
    data = value.strip()
    if name != b"data" or data == DONE:
        return None
    try:
        event = parsed(data)
    except ValueError:
        if found.ended:
            return None
        raise NoAnswerError("provider_cut_off") from None
    if not isinstance(event, dict):
        return None  # a value without a name can hold no text
    if not found.ended:
        raise_told(event)
    return event


def raise_told(body: Mapping[str, Any]) -> None:
    """Raise the error that a body with status 200 tells of, if it does."""
    error = body.get("error")
    if error:
        raise NoAnswerError(told_code(error, "provider_unavailable"))
