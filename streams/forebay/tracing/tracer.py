"""What does a stage tell of a record in its hands? When it began, whose child it is, which calls it made, how it ended.

Nothing of this costs anything where no collector is named: there is no tracer then, and :func:`current` is ``None``.
"""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Protocol

from forebay.contract import headers as h
from forebay.contract.records import UsageEvent
from forebay.contract.wire import Delivered, Encoded

_LETTERS = "dlq"
_RETRIES = "retry."


class Work(Protocol):
    """One record in the hands of a stage."""

    @property
    def traceparent(self) -> bytes:
        """What the records that come of it name as their parent."""
        ...

    def called(self, entry: UsageEvent, seconds: float, first_s: float | None) -> None:
        """A call of a model has ended; ``entry`` is its closed ledger entry."""
        ...

    def end(self, failed: str) -> None:
        """``failed``: code of the failure, or empty."""
        ...


class Tracer(Protocol):
    """Makes spans."""

    def begin(self, stage: str, source: Delivered) -> Work:
        """A stage has taken ``source`` in hand."""
        ...


_CURRENT: ContextVar[Work | None] = ContextVar("work", default=None)


def current() -> Work | None:
    """The work in whose course this is called."""
    return _CURRENT.get()


Process = Callable[[Delivered], Awaitable[list[Encoded]]]


async def traced(tracer: Tracer, stage: str, source: Delivered, process: Process) -> list[Encoded]:
    """What ``process`` makes of ``source``, with a span of it; what is made names that span as its parent."""
    work = tracer.begin(stage, source)
    token = _CURRENT.set(work)
    failed = "ended"
    try:
        outputs = await process(replace(source, headers={**source.headers, h.TRACEPARENT: work.traceparent}))
        failed = _failure(outputs)
    finally:
        _CURRENT.reset(token)
        work.end(failed)
    return outputs


def _failure(outputs: list[Encoded]) -> str:
    for output in outputs:
        if output.topic == _LETTERS or output.topic.startswith(_RETRIES):
            headers = dict(output.headers)
            return h.text(headers, "forebay-dlq-code") or h.text(headers, h.LAST_CODE) or "failed"
    return ""
