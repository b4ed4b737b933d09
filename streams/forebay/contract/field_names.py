"""Which field was meant? What is said of a wrong field of a request, with the nearest right name for a misspelt one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from forebay.contract.records import CachePolicy, Message, Params, Request

_RECORDS: Mapping[tuple[str, ...], Any] = {
    (): Request,
    ("messages",): Message,
    ("params",): Params,
    ("cache",): CachePolicy,
}
"""What stands where in a request."""
_IN_OTHER_WORDS = {
    "model": "tier",
    "max_completion_tokens": "params.max_tokens",
    "timeout": "timeout_s, an argument of the client's ask",
    "timeout_s": "timeout_s, an argument of the client's ask",
}
"""Names that are right elsewhere, and near to a wrong one here or to none."""
_NEAR_HERE, _NEAR_ELSEWHERE = 0.6, 0.75  # of difflib: `prio` is 0.67 from priority, `temprature` 0.95 from temperature
_UNKNOWN = "unexpected_keyword_argument"


def explained(problem: Mapping[str, Any]) -> str:
    """One line for an error of pydantic's about a request; names the place, never quotes the value."""
    place: Sequence[str | int] = problem["loc"]
    where = ".".join(map(str, place)) or "request"
    if problem["type"] != _UNKNOWN:
        return f"{where}: {problem['msg']}"
    meant = nearest(place)
    return f"{where}: there is no such field" + (f"; did you mean {meant}?" if meant else "")


def nearest(place: Sequence[str | int]) -> str:
    """The right name that is nearest to the last part of ``place``; empty when none is near.

    A field of another record is told with the way to it: ``temperature`` in a request is ``params.temperature``.
    """
    from difflib import get_close_matches  # only when something is wrong

    *parents, name = map(str, place)
    if not parents and name in _IN_OTHER_WORDS:
        return _IN_OTHER_WORDS[name]
    elsewhere = dict(_elsewhere())
    if name in elsewhere:
        return elsewhere[name]
    own = [field.name for field in fields(_RECORDS.get(tuple(part for part in parents if not part.isdigit()), Request))]
    for known, cutoff in ((dict(zip(own, own, strict=True)), _NEAR_HERE), (elsewhere, _NEAR_ELSEWHERE)):
        near = get_close_matches(name, known, n=1, cutoff=cutoff)
        if near:
            return known[near[0]]
    return ""


def _elsewhere() -> Iterator[tuple[str, str]]:
    for parents, record in _RECORDS.items():
        for field in fields(record):
            yield field.name, ".".join((*parents, field.name))
