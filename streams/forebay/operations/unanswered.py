"""Which requests will nobody answer, since their record was lost unread? Those behind redaction can be told.

A stage that finds a gap in its topic knows offsets and no ids. Their ids are in ``requests.redacted``, as long as that
keeps them, and whoever had an end has a record in ``completions``. So: asked, and not ended. That is true of everything
that is still on its way, too; so it is looked at while nothing is behind redaction, in no topic and no retry, and what
``completions`` may have forgotten is left alone. A stage at work cannot see that, which is why an operator asks for it.

What was lost in ``requests`` itself is in no other topic: nobody but its producer knows those ids.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from forebay.contract import headers as h
from forebay.contract.clock import Clock, now_ms
from forebay.contract.handlers import Output
from forebay.contract.records import Completion, Error, RedactedRequest, ResponseStatus
from forebay.kafka.decoding import ReadRecord
from forebay.kafka.lag import Lag
from forebay.operations.audit.recording import Recorder

CODE = "expired"
ASKED, ENDED = "requests.redacted", "completions"

_BEHIND = ("cache", "completion", "retry", "response")
_QUIET = 6
"""Looks in a row that find nothing: between two stages a record is in neither's lag, and there are four of them."""
_LOOK_S = 0.5
_MARGIN_MS = 60_000
"""A completion is written after its request was redacted, by another machine's clock."""


class Reader(Protocol):
    """The part of :class:`forebay.kafka.reader.TopicReader` that is needed here."""

    @property
    def firsts(self) -> Mapping[tuple[str, int], int]:
        """Offsets of the oldest records by topic and partition."""

    def read_to_end(self) -> Iterable[ReadRecord]:
        """What was not read yet."""
        ...


class NotAtRestError(Exception):
    """Something is still on its way, so that nobody can tell what was lost."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unanswered:
    """A request without an end; ``asked_at`` in ms since the epoch, by its record in ``requests.redacted``."""

    request_id: str
    tenant_id: str
    user_id: str
    asked_at: int
    headers: h.Headers


class _Ended:
    """What ``completions`` says, and since when it says everything."""

    def __init__(self, reader: Reader, clock_ms: Clock) -> None:
        self._reader = reader
        self._clock_ms = clock_ms
        self._oldest: dict[int, int] = {}
        self.ids: set[tuple[str, str]] = set()

    def read(self) -> None:
        for record in self._reader.read_to_end():
            if record.value is not None:
                self.ids.add((record.value.tenant_id, record.value.request_id))
                self._oldest.setdefault(record.source.partition, record.source.timestamp_ms)

    def whole_since(self) -> int:
        """Who was asked later and had an end has a record: no partition's beginning is younger, none was emptied."""
        if any(first and partition not in self._oldest for (_, partition), first in self._reader.firsts.items()):
            return self._clock_ms()
        return max(self._oldest.values(), default=self._clock_ms()) + _MARGIN_MS


def unanswered(
    asked: Reader,
    ended: Reader,
    lag: Callable[[], Lag],
    *,
    patience_s: float = 30.0,
    sleep: Callable[[float], None] = time.sleep,
    clock_ms: Clock = now_ms,
) -> Sequence[Unanswered]:
    """Requests that were redacted and have no end, the oldest first; nothing is published.

    Args:
        asked: of :data:`ASKED`, from its beginning.
        ended: of :data:`ENDED`, from its beginning.
        lag: unfinished records by stage and topic, as of now.
        patience_s: seconds to wait until nothing is on its way behind redaction.

    Raises:
        NotAtRestError: that did not come.
    """
    known = _Ended(ended, clock_ms)
    known.read()
    found: dict[tuple[str, str], Unanswered] = {}  # by tenant and id: two tenants may have one id
    for record in asked.read_to_end():
        request, source = record.value, record.source
        if not isinstance(request, RedactedRequest):
            continue
        key = (request.tenant_id, request.request_id)
        if key not in known.ids:
            found.setdefault(
                key,
                Unanswered(
                    request_id=request.request_id,
                    tenant_id=request.tenant_id,
                    user_id=request.user_id,
                    asked_at=source.timestamp_ms,
                    headers=source.headers,
                ),
            )
    if not found:
        return []
    _wait(lag, patience_s, sleep)
    known.read()
    since = known.whole_since()
    lost = [one for key, one in found.items() if key not in known.ids and one.asked_at >= since]
    return sorted(lost, key=lambda one: one.asked_at)


def expire(
    lost: Sequence[Unanswered],
    publish: Callable[[Sequence[Output]], None],
    record: Recorder,
    clock_ms: Clock = now_ms,
) -> None:
    """Tell whoever asked: ``failed``, with the code ``expired``.

    Raises:
        PublishError: it cannot be written down, then nothing was published; or brokers did not take an answer.
    """
    if not lost:
        return
    with record("requests.expire", subject=ENDED, count=len(lost)) as act:
        publish(expired(lost, clock_ms()))
        act.count = len(lost)


def expired(lost: Iterable[Unanswered], at_ms: int) -> list[Output]:
    """The completions of :func:`expire`."""
    return [
        Output(
            topic=ENDED,
            key=one.request_id,
            value=Completion(
                request_id=one.request_id,
                tenant_id=one.tenant_id,
                user_id=one.user_id,
                status=ResponseStatus.FAILED,
                error=Error(code=CODE, message="its record was gone before a stage had read it"),
                completed_at=at_ms,
            ),
            headers=h.inherited(one.headers),
        )
        for one in lost
    ]


def _wait(lag: Callable[[], Lag], patience_s: float, sleep: Callable[[float], None]) -> None:
    quiet, looks = 0, 0
    while quiet < _QUIET:
        if looks * _LOOK_S > patience_s:
            raise NotAtRestError(
                f"records are on their way behind redaction, still after {patience_s:g} s: try again when it is quiet, "
                "or stop the workers of redaction meanwhile (requests wait in their topic)"
            )
        behind = lag()
        # A stage that is not there has never run: all of its topic lies before it.
        busy = any(stage not in behind or any(behind[stage].values()) for stage in _BEHIND)
        quiet = 0 if busy else quiet + 1
        looks += 1
        sleep(_LOOK_S)
