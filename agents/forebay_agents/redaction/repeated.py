"""Was exactly this request read before? Then what was found is known: places and types, never a word.

People send a request again, and applications ask the same of many. A request is known by a digest of its parts under a
key that this process alone has, with its tenant, language and profile; what is kept are offsets. Nothing is kept of a
request whose conversation says more than its parts do, and nothing of one that failed.
"""

import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from threading import Lock
from typing import Protocol

from forebay_agents.redaction.detection.detector import Asked, Found
from forebay_agents.redaction.detection.spans import Span
from forebay_agents.redaction.public.deciding import Decision
from forebay_agents.redaction.request_parts import Part


class Finds(Protocol):
    """See :class:`forebay_agents.redaction.detection.detector.Detector`."""

    def find_all(self, asked: Sequence[Asked]) -> list[Found | Exception]:
        """Findings of each request, or its failure."""

    def asked_about(self, parts: Sequence[Part], spans: Sequence[Sequence[Span]]) -> tuple[str, ...]:
        """Of which findings a fact is asked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    spans: tuple[tuple[Span, ...], ...]
    language: str | None
    public: tuple[Decision, ...]


class Repeated:
    """Detection that remembers what it found; thread-safe.

    Args:
        detector: finds what was not found before.
        most: requests that are kept, those that were asked for last: one or two kB each.
    """

    def __init__(self, detector: Finds, most: int) -> None:
        self._detector = detector
        self._most = most
        self._secret = os.urandom(32)
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def find_all(self, asked: Sequence[Asked]) -> list[Found | Exception]:
        """See :meth:`forebay_agents.redaction.detection.detector.Detector.find_all`; the same findings."""
        digests = [None if one.known else self._digest(one) for one in asked]
        recalled = [None if digest is None else self._recalled(digest) for digest in digests]
        new = [one for one, kept in zip(asked, recalled, strict=True) if kept is None]
        read = iter(self._detector.find_all(new) if new else ())
        found: list[Found | Exception] = []
        for one, digest, kept in zip(asked, digests, recalled, strict=True):
            if kept is not None:
                found.append(self._again(one, kept))
                continue
            outcome = next(read)
            if digest is not None and isinstance(outcome, Found) and not outcome.open:
                self._keep(digest, outcome)
            found.append(outcome)
        return found

    def _digest(self, asked: Asked) -> bytes:
        parts = [(part.text, part.sort.value, part.speaker, part.joined, part.said) for part in asked.parts]
        content = repr((asked.tenant_id, asked.language, asked.profile, parts))
        return blake2b(content.encode("utf-8", "surrogatepass"), key=self._secret, digest_size=32).digest()

    def _recalled(self, digest: bytes) -> _Kept | None:
        with self._lock:
            kept = self._kept.get(digest)
            if kept is not None:
                self._kept.move_to_end(digest)
            return kept

    def _again(self, asked: Asked, kept: _Kept) -> Found:
        spans = [list(own) for own in kept.spans]
        about = self._detector.asked_about(asked.parts, spans)
        return Found(spans=spans, language=kept.language, public=kept.public, asked=about)

    def _keep(self, digest: bytes, found: Found) -> None:
        kept = _Kept(
            spans=tuple(map(tuple, found.spans)),
            language=found.language,
            public=tuple(replace(one, keys=()) for one in found.public),
        )
        with self._lock:
            self._kept[digest] = kept
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)


def finding(detector: Finds, most: int) -> Callable[[Sequence[Asked]], list[Found | Exception]]:
    """Detection that remembers ``most`` requests; 0: none."""
    return Repeated(detector, most).find_all if most else detector.find_all
