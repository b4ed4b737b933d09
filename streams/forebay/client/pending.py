"""Who gets which response? Requests that wait, by id; several askers of one id may wait for its one response.

Two bodies under one id are a mistake that the redaction stage refuses (:mod:`forebay.privacy.fingerprints`). The
refusal is a response under the same id, and the two askers may sit in two processes: a response is for those whose body
has the fingerprint in its header.
"""

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field

from forebay.contract.records import Request, Response
from forebay.privacy.fingerprints import fingerprint


@dataclass(slots=True, eq=False)
class _Asker:
    """``request`` is ``None`` when only its bytes are known; ``mark``: its fingerprint, if somebody made it before."""

    request: Request | None
    mark: str = ""
    future: "Future[Response]" = field(default_factory=Future)

    def is_meant(self, about: str, *, surely: bool) -> bool:
        if self.request is None or not about:
            return not surely
        return (self.mark or fingerprint(self.request)) == about


class Waiting:
    """The requests without a response; safe to use from several threads."""

    def __init__(self) -> None:
        self._askers: dict[str, list[_Asker]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Ids that wait."""
        with self._lock:
            return len(self._askers)

    def add(self, request_id: str, request: Request | None, mark: str = "") -> "Future[Response]":
        """A future of the response to ``request``; ``None``: only its bytes are known. ``mark``: its fingerprint."""
        with self._lock:
            asker = _Asker(request, mark)
            self._askers.setdefault(request_id, []).append(asker)
        return asker.future

    def remove(self, request_id: str, future: "Future[Response]") -> None:
        """Nobody waits for ``future`` any more; others may wait for the same id."""
        with self._lock:
            self._keep(request_id, [one for one in self._askers.get(request_id, ()) if one.future is not future])

    def has(self, request_id: str) -> bool:
        """Whether anybody waits for ``request_id``."""
        with self._lock:
            return request_id in self._askers

    def take(self, request_id: str, about: str, *, surely: bool = False) -> "list[Future[Response]]":
        """The futures that a response is for, which wait no longer.

        Args:
            request_id: of the response.
            about: fingerprint of the body that it is about; empty when nobody can tell, it is for all then.
            surely: only for those whose body it is, for sure: anybody may have caused it.
        """
        with self._lock:
            askers = self._askers.get(request_id, [])
            meant = [one for one in askers if one.is_meant(about, surely=surely)]
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
