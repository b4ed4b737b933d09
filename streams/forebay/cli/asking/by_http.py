"""How does a command ask a door? By HTTP alone, as whoever has no part of Forebay does."""

import http.client
import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit


class AnswerError(Exception):
    """There is no answer, or no end of one; the message says why."""


def asked(
    base_url: str,
    key: str,
    model: str,
    question: str,
    *,
    stream: bool,
    timeout_s: float,
    max_tokens: int | None = None,
) -> Iterator[str]:
    """Parts of the answer, in order; without ``stream`` it is one.

    Args:
        base_url: of the API, with ``/v1``.
        timeout_s: of each wait.
        max_tokens: of the answer; ``None``: as the tier has it.

    Raises:
        AnswerError: also in the middle of an answer.
    """
    place = urlsplit(base_url)
    if place.scheme not in ("http", "https") or not place.hostname:
        raise AnswerError(f"{base_url} is no address of an API, such as http://127.0.0.1:8600/v1")
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": question}]}
    body |= {} if max_tokens is None else {"max_tokens": max_tokens}
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    with closing(kind(place.hostname, place.port, timeout=timeout_s)) as connection:
        try:
            path = f"{place.path.rstrip('/')}/chat/completions"
            connection.request("POST", path, json.dumps(body).encode(), headers)
            with connection.getresponse() as answer:  # of a stream it has the socket, and the connection no more
                if answer.status != 200:
                    raise AnswerError(_told(_parsed(answer.read()), f"status {answer.status}"))
                if stream:
                    yield from texts(answer)
                else:
                    yield _content(_parsed(answer.read()), "message")
        except (OSError, http.client.HTTPException) as error:
            raise AnswerError(f"no answer from {base_url}: {type(error).__name__}") from None


def texts(lines: Iterable[bytes]) -> Iterator[str]:
    """What a stream of chunks says.

    Raises:
        AnswerError: it tells of an error, or stops before its end.
    """
    for line in lines:
        name, _, data = line.strip().partition(b":")
        if name != b"data":
            continue
        if data.strip() == b"[DONE]":
            return
        chunk = _parsed(data)
        if chunk.get("error"):
            raise AnswerError(_told(chunk, "the answer has no end"))
        if text := _content(chunk, "delta"):
            yield text
    raise AnswerError("the connection ended before the answer did")


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _content(body: dict[str, Any], where: str) -> str:
    choices = body.get("choices") or [{}]
    return (choices[0].get(where) or {}).get("content") or ""


def _told(body: dict[str, Any], otherwise: str) -> str:
    error = body.get("error")
    if not isinstance(error, dict):
        return otherwise
    return f"{error.get('code') or otherwise}: {error.get('message') or ''}"
