"""How does what a model says reach whoever waits, while it says it? In pieces, gathered for some milliseconds each.

Pieces are hints (:attr:`forebay.contract.handlers.Context.hint`): the first goes out at once, the others when
``flush_s`` have passed, since a piece costs the same whether it is a token or twenty. Nothing of a call depends on
them, and they end in nothing: what is said last goes out with the timer.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from forebay.contract.handlers import Hint, Output
from forebay.contract.records import Delta, RedactedRequest
from forebay_agents.models.providers.assembly import clean
from forebay_agents.models.providers.provider import Said

Later = Callable[[float, Callable[[], None]], object]
"""Calls something after so many seconds, on the same thread."""

_HIGH_HALF = ("\ud800", "\udbff")


def _on_the_loop(seconds: float, then: Callable[[], None]) -> object:
    return asyncio.get_running_loop().call_later(seconds, then)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pieces:
    """Publishes what calls for one request say.

    Args:
        hint: publishes.
        partition: of ``deltas``, where the door of the request reads.
        flush_s: seconds between two pieces.
        clock: monotonic, in seconds.
    """

    hint: Hint
    partition: int
    request: RedactedRequest
    flush_s: float
    clock: Callable[[], float] = time.monotonic
    later: Later = _on_the_loop

    def of(self, attempt_id: str, tier: str, model: str) -> Said:
        """What hears the call ``attempt_id``."""
        return _Gathering(self, attempt_id, tier, model)


class _Gathering:
    """The pieces of one call."""

    def __init__(self, pieces: Pieces, attempt_id: str, tier: str, model: str) -> None:
        self._pieces = pieces
        self._attempt_id, self._tier, self._model = attempt_id, tier, model
        self._texts: list[str] = []
        self._at = 0
        self._next_s = float("-inf")
        self._waits = False

    def __call__(self, text: str) -> None:
        self._texts.append(text)
        if self._waits:
            return
        left_s = self._next_s - self._pieces.clock()
        if left_s <= 0:
            self._flush()
            return
        self._waits = True
        self._pieces.later(left_s, self._flush)

    def _flush(self) -> None:
        self._waits = False
        text = "".join(self._texts)
        self._texts.clear()
        if _HIGH_HALF[0] <= text[-1:] <= _HIGH_HALF[1]:  # of a pair whose other half comes with the next token
            self._texts.append(text[-1])
            text = text[:-1]
        if not text:
            return
        text = clean(text)
        pieces = self._pieces
        piece = Delta(
            attempt_id=self._attempt_id,
            at=self._at,
            text=text,
            user_id=pieces.request.user_id,
            vault_ref=pieces.request.vault_ref,
            tier=self._tier,
            model=self._model,
        )
        self._at += len(text)
        self._next_s = pieces.clock() + pieces.flush_s
        pieces.hint([Output(topic="deltas", key=pieces.request.request_id, value=piece, partition=pieces.partition)])
