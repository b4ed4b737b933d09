"""How are pseudonyms restored in an answer that arrives in pieces? By holding back what could still become one.

That is asked of the pattern itself: from where on could it match, if more came? (``regex`` can say so, ``re`` cannot.)
Of "the person" nothing is held back for long, of ``<PERS`` all. Every other word is shown at once, and a word with a
pseudonym in it when it ends, since it may be an address.

For any way of cutting a text that is no JSON, what comes out is what
:meth:`forebay.privacy.restoring.Restorer.restore_text` makes of the whole; see there for addresses.
"""

from collections.abc import Sequence
from functools import lru_cache

import regex

from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.restoring import Restorer

_NEVER = "\ue000\ue001"
"""Follows no pseudonym, so that nothing is a whole match, and the first partial one is the earliest that may become
one: a search for both would pass that by for a later whole match."""
_SAME_LENGTH = {0x130: "i"}
"""``re`` takes a dotted capital I for an "i" where case is ignored, ``regex`` does not."""


@lru_cache(maxsize=256)
def _beginning(pattern: str) -> "regex.Pattern[str]":
    """What matches partially from the first place on in which ``pattern`` may match yet."""
    return regex.compile(f"(?:{pattern}){_NEVER}")


_NOTHING = Restorer(PseudonymMap())


class StreamRestorer:
    """Restores pieces of one answer.

    Args:
        pseudonyms: what the request's pseudonyms stand for.
        own: redacted texts of whoever asked, as for :class:`forebay.privacy.restoring.Restorer`.
        withhold: put no original into an address that the model wrote.
    """

    def __init__(self, pseudonyms: PseudonymMap, own: Sequence[str] = (), *, withhold: bool = True) -> None:
        self._restorer = Restorer(pseudonyms, own, withhold=withhold) if pseudonyms.originals else _NOTHING
        self._writer = None if self._restorer.pattern is None else self._restorer.writer()
        self._held = ""
        self._done = 0

    def feed(self, piece: str) -> str:
        """What can be shown after ``piece``."""
        pattern = self._restorer.pattern
        if pattern is None:
            return piece
        self._held += piece
        told = self._held.translate(_SAME_LENGTH)
        begun = _beginning(pattern.pattern).search(told, self._done, partial=True)
        return self._advance(len(told) if begun is None else begun.start())

    def close(self) -> str:
        """The rest."""
        shown = self._advance(len(self._held))
        return shown if self._writer is None else shown + self._writer.close()

    @property
    def withheld(self) -> int:
        """Pseudonyms that stayed what they are, since they stood in an address that the model wrote."""
        return 0 if self._writer is None else self._writer.withheld

    def _advance(self, limit: int) -> str:
        """Everything that begins before ``limit``: all that could change it is there."""
        pattern, writer = self._restorer.pattern, self._writer
        if pattern is None or writer is None:
            return ""
        while self._done < limit:
            match = pattern.search(self._held, self._done)
            if match is None or match.start() >= limit:
                break
            writer.add(self._held[self._done : match.start()])
            writer.add(self._restorer.pseudonym(match) or match[0])
            self._done = match.end()
        if self._done < limit:
            writer.add(self._held[self._done : limit])
            self._done = limit
        # One character stays: whether a word begins depends on what stands before it.
        cut = max(0, self._done - 1)
        self._held, self._done = self._held[cut:], self._done - cut
        return writer.take()
