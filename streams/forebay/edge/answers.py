"""Which answer is whose? Those that are waited for, and the last ones of all: a door answers for its dead sister.

Kept are a record's own bytes, in memory alone, since they are personal data; by age and size. An answer is given for an
equal body only: two bodies under one id have two answers, of which one is a refusal.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from typing import Protocol

from forebay.client.door_channel import Arrived
from forebay.client.pending import Waiting
from forebay.contract import headers as h
from forebay.contract.clock import elapsed_s
from forebay.contract.records import Request, Response
from forebay.privacy.fingerprints import CONFLICT, fingerprint

_OVERHEAD = 600
"""Bytes that an answer takes in memory beside its own: objects and headers."""


class Reading(Protocol):
    """What makes responses of records: see :class:`forebay.client.door_channel.DoorChannel`."""

    def decode(self, arrived: Arrived) -> Response | None:
        """The response; ``None``: it is for somebody else, or cannot be read."""
        ...

    def surely(self, arrived: Arrived) -> bool:
        """Whether it is only for whose body it is about for sure."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    arrived: Arrived
    about: str
    size: int
    at_s: float


class Answers:
    """Answers by request id; safe to use from several threads.

    Args:
        keep_s: how long answers are kept, in seconds.
        keep_bytes: how much of them.
        clock_s: monotonic.
    """

    def __init__(self, *, keep_s: float, keep_bytes: int, clock_s: Callable[[], float] = elapsed_s) -> None:
        self._keep_s = keep_s
        self._keep_bytes = keep_bytes
        self._clock_s = clock_s
        self._reading: Reading | None = None
        self._waiting = Waiting()
        self._recent: OrderedDict[str, list[_Kept]] = OrderedDict()
        self._bytes = 0
        self._full_at_s: float | None = None
        self._lock = threading.Lock()

    def read_with(self, reading: Reading) -> None:
        """What makes responses of records; nothing can be found before."""
        self._reading = reading

    @property
    def kept_bytes(self) -> int:
        """How much is kept."""
        return self._bytes

    @property
    def remembered_s(self) -> float:
        """Seconds for which everything is kept that came."""
        return self._keep_s if self._full_at_s is None else min(self._keep_s, self._clock_s() - self._full_at_s)

    def arrived(self, one: Arrived) -> None:
        """A record of ``responses``. The first of a body counts, unless that is a failure, or is made good."""
        about = h.text(one.headers, h.FINGERPRINT) or ""
        size = len(one.value or b"") + len(one.request_id) + _OVERHEAD
        self._keep(_Kept(arrived=one, about=about, size=size, at_s=self._clock_s()))
        if self._waiting.has(one.request_id) and self._reading is not None:
            response = self._reading.decode(one)
            if response is not None:
                surely = self._reading.surely(one)
                _settle(self._waiting.take(one.request_id, about, surely=surely), response)

    def wait(self, request_id: str, request: Request | None, mark: str = "") -> "Future[Response]":
        """A future of the answer; ``request``: whose body it has to be about, ``None``: any; ``mark``: fingerprint."""
        return self._waiting.add(request_id, request, mark)

    def give_up(self, request_id: str, future: "Future[Response]") -> None:
        """Nobody waits for ``future`` any more."""
        self._waiting.remove(request_id, future)

    def about(self, request: Request) -> Response | None:
        """The answer to an equal request that was kept; a refusal (``idempotency_conflict``) of this body too."""
        mark = fingerprint(request)
        return self._first(one for one in self._of(request.request_id) if one.about in (mark, ""))

    def conflicts(self, request: Request) -> bool:
        """Whether an answer is kept under the id of ``request``, and all there are are about other bodies."""
        mark = fingerprint(request)
        kept = self._of(request.request_id)
        return bool(kept) and not any(one.about in (mark, "") for one in kept)

    def of_tenant(self, request_id: str, tenant_id: str) -> Response | None:
        """The answer that was kept under ``request_id``, if it is this tenant's; no refusal if there is another."""
        found = [
            response
            for one in self._of(request_id)
            if (response := self._first([one])) is not None and response.tenant_id == tenant_id
        ]
        answers = [one for one in found if one.error is None or one.error.code != CONFLICT]
        return next(iter(answers or found), None)

    def _of(self, request_id: str) -> list[_Kept]:
        with self._lock:
            self._drop_old()
            return list(self._recent.get(request_id, ()))

    def _first(self, kept: Iterable[_Kept]) -> Response | None:
        if self._reading is None:
            return None
        return next((found for one in kept if (found := self._reading.decode(one.arrived)) is not None), None)

    def _keep(self, one: _Kept) -> None:
        with self._lock:
            self._drop_old()
            if one.size > self._keep_bytes:
                return
            others = self._recent.setdefault(one.arrived.request_id, [])
            same = next((other for other in others if other.about == one.about), None)
            if same is not None:
                if h.SUPERSEDES not in one.arrived.headers and not self._failed(same):
                    return
                others.remove(same)
                self._bytes -= same.size
            others.append(one)
            self._bytes += one.size
            while self._bytes > self._keep_bytes:
                self._full_at_s = next(iter(self._recent.values()))[0].at_s
                self._drop_first()

    def _failed(self, kept: _Kept) -> bool:
        """Whether what is kept is a failure: what comes after it under its id is of a further try."""
        first = self._first([kept])
        return first is not None and first.error is not None

    def _drop_old(self) -> None:
        oldest = self._clock_s() - self._keep_s
        while self._recent and next(iter(self._recent.values()))[0].at_s < oldest:
            self._drop_first()

    def _drop_first(self) -> None:
        _, dropped = self._recent.popitem(last=False)
        self._bytes -= sum(one.size for one in dropped)


def _settle(futures: "Iterable[Future[Response]]", response: Response) -> None:
    for future in futures:
        try:
            future.set_result(response)
        except InvalidStateError:  # given up
            continue
