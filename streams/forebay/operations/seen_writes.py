"""How does no operator write over what he has not seen? He names the record he saw, and is refused if another came.

Kafka has no such condition, so the topic has one writer at a time (:mod:`forebay.kafka.transactions`): take over, read
to the end, compare, write. Whoever else takes over in between fences the first before anything of it is written; the
first looks again, and finds the other's record of its key (it is refused) or none (it goes on).
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from forebay.contract.handlers import Output
from forebay.kafka.transactions import FencedError, NotAllowedError, UnexplainedError
from forebay.operations.topic_view import Entry, Position, TopicView

_TRIES = 6
_PAUSE_S = 0.1
_VISIBLE_S = 5.0
"""Markers of a transaction are written after the producer has its answer: within milliseconds, if all is well."""


class OutdatedError(Exception):
    """Somebody has written since it was looked at; nothing was published.

    Attributes:
        entries: what the topic says now of the keys concerned; ``None`` where their records have expired.
    """

    def __init__(self, entries: Mapping[str, Entry[Any] | None]) -> None:
        super().__init__(f"somebody else has changed {', '.join(sorted(entries))} meanwhile; look again")
        self.entries = entries


class Writer(Protocol):
    """The only writer while it is entered; see :class:`forebay.kafka.transactions.Transactions`."""

    def step(self, outputs: Sequence[Output]) -> None:
        """Publish all or nothing."""
        ...


def publish(
    view: TopicView[Any],
    writer: Callable[[], AbstractContextManager[Writer]],
    outputs: Sequence[Output],
    seen: Mapping[str, Position | None],
    *,
    unfenced: Callable[[Sequence[Output]], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Publish ``outputs`` if no key of ``seen`` has changed; the view has them when this returns.

    Args:
        writer: opens the only writer of the topic: all who write to it against a view use the same name.
        outputs: among them a record of each key of ``seen``.
        seen: key to where its newest record stood when the operator looked; ``None``: there was none.
        unfenced: how to publish where the brokers do not allow the user that name. The keys are compared then as well,
            but somebody may write in the milliseconds between.

    Returns:
        Whether nobody could write at the same time.

    Raises:
        OutdatedError: a key has changed; nothing was published.
        FencedError: others took over again and again; nothing was published.
        StepError: the brokers refused; without a reason (``UnexplainedError``), then again and again.
    """
    with view.writing:
        fenced = True
        for attempt in range(_TRIES):
            try:
                with writer() as only:
                    _compare(view, seen)
                    only.step(outputs)
                break
            except NotAllowedError:
                if unfenced is None:
                    raise
                _compare(view, seen)
                unfenced(outputs)
                fenced = False
                break
            except (FencedError, UnexplainedError):
                if attempt == _TRIES - 1:
                    raise
                sleep(_PAUSE_S * (attempt + random.random()))  # noqa: S311 - so that two do not go on in step
        _await_visible(view, seen)
        return fenced


def _compare(view: TopicView[Any], seen: Mapping[str, Position | None]) -> None:
    view.refresh(settled=True)
    changed = {key: view.get(key) for key, position in seen.items() if view.position(key) != position}
    if changed:
        raise OutdatedError(changed)


def _await_visible(view: TopicView[Any], seen: Mapping[str, Position | None]) -> None:
    deadline = time.monotonic() + _VISIBLE_S
    while any(view.position(key) == position for key, position in seen.items()) and time.monotonic() < deadline:
        view.follow(0.05)
