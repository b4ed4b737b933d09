"""Who gets which response? Requests that wait, by id; several askers of one id may wait for its one response.

Two bodies under one id are a mistake that the redaction stage refuses (:mod:`streams.fingerprints`). The refusal is a
response under the same id: it is for the second asker, and the answer is for the first.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from streams.fingerprints import REFUSED, fingerprint
from streams.records import Request, Response


@dataclass(slots=True, eq=False)
class _Asker:
    """``request`` is ``None`` when only its bytes are known; ``second`` when another body has its id."""

    request: Request | None
    second: bool
    future: "Future[Response]" = field(default_factory=Future)

    def is_meant(self, response: Response) -> bool:
        refused = response.metadata.get(REFUSED)
        if refused is None:
            return not self.second
        return self.request is None or fingerprint(self.request) == refused


class Waiting:
    """The requests without a response; safe to use from several threads."""

    def __init__(self) -> None:
        self._askers: dict[str, list[_Asker]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Ids that wait."""
        with self._lock:
            return len(self._askers)

    def add(self, request_id: str, request: Request | None) -> "Future[Response]":
        """A future of the response to ``request``; ``None``: only its bytes are known."""
        with self._lock:
            askers = self._askers.setdefault(request_id, [])
            asker = _Asker(request, _differs(request, askers))
            askers.append(asker)
        return asker.future

    def remove(self, request_id: str, future: "Future[Response]") -> None:
        """Nobody waits for ``future`` any more; others may wait for the same id."""
        with self._lock:
            self._keep(request_id, [one for one in self._askers.get(request_id, ()) if one.future is not future])

    def has(self, request_id: str) -> bool:
        """Whether anybody waits for ``request_id``."""
        with self._lock:
            return request_id in self._askers

    def take(self, request_id: str, response: Response | None) -> "list[Future[Response]]":
        """The futures that ``response`` is for, which wait no longer; ``None``: nobody can read it, it is for all."""
        with self._lock:
            askers = self._askers.get(request_id, [])
            meant = [one for one in askers if response is None or one.is_meant(response)]
            self._keep(request_id, [one for one in askers if one not in meant])
        return [one.future for one in meant]

    def take_all(self) -> "list[Future[Response]]":
        """All futures; nobody waits any longer."""
        with self._lock:
            futures = [one.future for askers in self._askers.values() for one in askers]
            self._askers.clear()
        return futures

    def _keep(self, request_id: str, askers: list[_Asker]) -> None:
        if askers:
            self._askers[request_id] = askers
        else:
            self._askers.pop(request_id, None)


def _differs(request: Request | None, askers: Sequence[_Asker]) -> bool:
    first = next((one.request for one in askers if not one.second), None)
    if request is None or first is None or request is first:
        return False
    return fingerprint(request) != fingerprint(first)
