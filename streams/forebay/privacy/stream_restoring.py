"""How are pseudonyms restored in an answer that arrives in pieces? By holding back what could still become one.

For any way of cutting a text that is no JSON, what comes out is what
:meth:`forebay.privacy.restoring.Restorer.restore_text` makes of the whole; see there for addresses.
"""

from collections.abc import Sequence

from forebay.privacy.pseudonyms import PseudonymMap, parse
from forebay.privacy.restoring import Restorer

_AROUND = 48
"""Characters that brackets, blanks and a number add to a kind, at most, and one to look ahead."""


class StreamRestorer:
    """Restores pieces of one answer.

    Args:
        pseudonyms: what the request's pseudonyms stand for.
        own: redacted texts of whoever asked, as for :class:`forebay.privacy.restoring.Restorer`.
        withhold: put no original into an address that the model wrote.
    """

    def __init__(self, pseudonyms: PseudonymMap, own: Sequence[str] = (), *, withhold: bool = True) -> None:
        self._restorer = Restorer(pseudonyms, own, withhold=withhold)
        self._writer = self._restorer.writer()
        longest = 0
        for pseudonym in pseudonyms.originals:
            parsed = parse(pseudonym)
            # A kind of several words may be written with two separators instead of one.
            longest = max(longest, 2 * len(parsed[0]) if parsed else len(pseudonym))
        self._reach = longest + _AROUND
        self._held = ""
        self._done = 0

    def feed(self, piece: str) -> str:
        """What can be shown after ``piece``."""
        if self._restorer.pattern is None:
            return piece
        self._held += piece
        return self._advance(len(self._held) - self._reach)

    def close(self) -> str:
        """The rest."""
        return self._advance(len(self._held)) + self._writer.close()

    @property
    def withheld(self) -> int:
        """Pseudonyms that stayed what they are, since they stood in an address that the model wrote."""
        return self._writer.withheld

    def _advance(self, limit: int) -> str:
        """Everything that begins before ``limit``: all that could change it is there."""
        pattern = self._restorer.pattern
        while pattern is not None and self._done < limit:
            match = pattern.search(self._held, self._done)
            if match is None or match.start() >= limit:
                break
            self._writer.add(self._held[self._done : match.start()])
            self._writer.add(self._restorer.pseudonym(match) or match[0])
            self._done = match.end()
        if self._done < limit:
            self._writer.add(self._held[self._done : limit])
            self._done = limit
        # One character stays: whether a word begins depends on what stands before it.
        cut = max(0, self._done - 1)
        self._held, self._done = self._held[cut:], self._done - cut
        return self._writer.take()
