"""What is a handler? A pure async function from one record to a list of outputs, or an exception that says what it is.

It never touches Kafka; everything that makes its work safe is in :mod:`forebay.runtime.processing` and
:mod:`forebay.runtime.stage`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from forebay.contract import headers as h
from forebay.contract.failures import Failure
from forebay.contract.ids import plain_id
from forebay.contract.records import Record
from forebay.contract.topics import topic_named
from forebay.contract.wire import Delivered
from forebay.observability.spans import Span

P = ParamSpec("P")
R = TypeVar("R")
_SHORT = 20_000
"""Characters that any step before or behind detection reads in 100 ms at most, whatever they are."""


async def aside(characters: int, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """What ``work`` returns; off the event loop if it reads many characters, so that heartbeats do not wait for it.

    Args:
        characters: of all the texts that it reads.
    """
    if characters <= _SHORT:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """A record to be published; ``headers`` are added to those inherited from the source.

    Attributes:
        always: published also when the source record is another worker's by now: what was paid stands in the ledger,
            whoever answers.
        partition: of hints alone, where their reader said that it reads; all else goes by its key.
    """

    topic: str
    key: str | bytes | None
    value: Record | bytes | None
    headers: dict[str, bytes] = field(default_factory=dict)
    always: bool = False
    partition: int | None = None


WriteAhead = Callable[[Sequence[Output]], Awaitable[None]]
"""Publishes outputs and waits for their delivery."""


async def _no_write_ahead(_outputs: Sequence[Output]) -> None:
    raise RuntimeError("this context cannot write ahead: it does not come from a running stage")


Hint = Callable[[Sequence[Output]], None]
"""Publishes outputs that may be lost: they are not waited for, never tried again, and never fail the handler."""


def _unheard(_outputs: Sequence[Output]) -> None:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What a handler may know about the delivery it works on.

    Attributes:
        source: the record's bytes and place.
        attempt: 1 for the first try.
        accepted_at: broker's timestamp of the first delivery, ms since the epoch.
        taken_at: when this delivery was taken in hand, ms since the epoch by the broker's clock.
        write_ahead: publishes outputs *before* the handler goes on, and returns once they are delivered; for the few
            records that must exist before a side effect does (the ledger's entry before a paid call).
        tenant_id: whose the record is, as was proved; empty: nobody's; ``None``: whose it says.
        hint: publishes outputs that may be lost, at once; they inherit no headers.
    """

    source: Delivered
    attempt: int
    accepted_at: int
    write_ahead: WriteAhead = field(default=_no_write_ahead, repr=False, compare=False)
    tenant_id: str | None = None
    hint: Hint = field(default=_unheard, repr=False, compare=False)
    taken_at: int = 0

    def span(self, stage: str, worked_s: float, outcome: str = "ok") -> Span:
        """What ``stage`` did with the record, so far or in all."""
        waited_ms = max(0, self.taken_at - self.source.timestamp_ms)
        micros = round(1e6 * worked_s)
        return Span(stage=stage, accepted_ms=self.taken_at, waited_ms=waited_ms, worked_us=micros, outcome=outcome)

    @property
    def named_id(self) -> str:
        """The id that the header or the key of the record names, a plain one first; empty if none of them is text."""
        names = [text for given in (self.source.headers.get(h.REQUEST_ID), self.source.key) if (text := _text(given))]
        return next(filter(plain_id, names), names[0] if names else "")

    @property
    def fallback_id(self) -> str:
        """An id for a record that cannot be read: the one that it names, if that is plain, else its place.

        On a topic that applications write to its place in any case: a key may be anything, an e-mail address too.
        """
        place = f"{self.source.topic}-{self.source.partition}-{self.source.offset}"
        topic = topic_named(self.source.topic)
        if topic is not None and topic.outside:
            return place
        named = self.named_id
        return named if plain_id(named) else place


def _text(given: bytes | None) -> str:
    try:
        return (given or b"").decode()
    except UnicodeDecodeError:
        return ""


Handler = Callable[[Any, Context], Awaitable[Sequence[Output]]]
"""A pure async function from one decoded record (bytes where the topic has no record type) to its outputs."""

FailureHandler = Callable[[Any, Context, Failure], Sequence[Output]]
"""Outputs for a record that ended without success, beside its dead letter; the record is ``None`` if undecodable."""


Skip = Callable[[bytes], bool]
"""Whether the key of a record says that there is nothing to do with it; never wrongly, and of any bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Urgency:
    """Of a record with a deadline: ms for which it has lain here, and ms that are left until the deadline."""

    waited_ms: int
    left_ms: int


def no_outputs(_record: Any, _context: Context, _failure: Failure) -> Sequence[Output]:
    """For stages beside the request path: nobody waits for an answer."""
    return ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """What a stage does with the records of one topic.

    Attributes:
        topic: logical name.
        handle: see :data:`Handler`.
        on_failure: see :data:`FailureHandler`; this is where the terminal response of a failed request comes from.
        ordered: one record at a time, in order (tables need this); otherwise concurrent.
        raw: the handler gets the :class:`Delivered` bytes undecoded.
        in_flight: records of this topic in work at once, where the stage's limit does not suit.
        turns: of these, in the handler at once; tenants take turns (:mod:`forebay.runtime.fair_queue`), the others
            wait. Without it
            all are in the handler, in order of arrival.
        restarts: a record still in the handler when its partition went to another worker is left to that one, for
            handlers that wait and cost nothing; otherwise the handler goes on, and its outputs may come twice.
        patient: nobody waits for what becomes of a record: many may be fetched at once, a little later
            (:mod:`forebay.runtime.reading.pacing`).
        skip: asked before a record is decoded and before it has a task; what it skips is finished at once
            (:mod:`forebay.runtime.reading.passing_over`).
        in_time: asked of records with a deadline, before the handler begins and before its turn is waited for; raises
            what such a record ends with that is too late (:mod:`forebay.runtime.load.deadlines`).
    """

    topic: str
    handle: Handler
    on_failure: FailureHandler = no_outputs
    ordered: bool = False
    raw: bool = False
    in_flight: int | None = None
    turns: int | None = None
    restarts: bool = False
    patient: bool = False
    skip: Skip | None = None
    in_time: Callable[[Urgency], None] | None = None
