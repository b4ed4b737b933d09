"""How is an answer written with originals in it? Piece by piece, and none into an address that the model made up."""

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from forebay.privacy.answers.addresses import AddressScanner, Region, plain_until
from forebay.privacy.answers.own_addresses import (
    OwnAddresses,
    Piece,
    Pseudonym,
    address_of,
    beginnings,
    between,
    mask,
)

_TOKEN = re.compile(r"(?P<blank>\s+)|\S+", re.ASCII)


class AnswerWriter:
    """Takes an answer's pieces in order; what it gives out is the same for any way of cutting.

    A run that has a pseudonym in it waits for its end: whether it is an address may be decided behind the pseudonym.

    Args:
        own: addresses of the user's own texts; ``None``: put originals into any address.
    """

    def __init__(self, own: OwnAddresses | None) -> None:
        self.withheld = 0
        """Pseudonyms that stayed, since they are in an address."""
        self._own = own
        self._scanner = AddressScanner()
        self._run: list[Piece] = []
        self._shown = 0
        """Pieces of the run that were given out."""
        self._waits = False
        self._out: list[str] = []

    def add(self, piece: Piece) -> None:
        """The next piece."""
        if self._own is None:
            self._out.append(piece.value if isinstance(piece, Pseudonym) else piece)
            return
        if isinstance(piece, Pseudonym):
            self._waits = True
            self._run.append(piece)
            return
        at = 0
        while at < len(piece):
            if not self._run:
                at = self._plain(piece, at)
            token = _TOKEN.match(piece, at)
            if token is None:
                break
            text, at = token[0], token.end()
            if token["blank"] is None:
                self._run.append(text)
                if self._waits:
                    continue
                self._shown = len(self._run)
            else:
                self._end_run()
                self._scanner.blank(text)
            self._out.append(text)

    def _plain(self, piece: str, start: int) -> int:
        """Show what stands from ``start`` on and means nothing for addresses; returns where its last run begins."""
        if not self._scanner.idle:
            return start
        end = plain_until(piece, start)
        self._out.append(piece[start:end])
        return end

    def take(self) -> str:
        """What can be shown by now and was not taken before."""
        text = "".join(self._out)
        self._out.clear()
        return text

    def close(self) -> str:
        """The rest."""
        self._end_run()
        return self.take()

    def _end_run(self) -> None:
        if not self._run:
            return
        masked, marks = mask(self._run)
        regions = self._scanner.run(masked, beginnings(masked, marks))
        if self._waits:
            written = self._written(masked, marks, regions)
            for piece in self._run[self._shown :]:
                self._out.append(next(written) if isinstance(piece, Pseudonym) else piece)
        self._run, self._shown, self._waits = [], 0, False

    def _written(self, masked: str, marks: Mapping[int, Pseudonym], regions: Iterable[Region]) -> Iterator[str]:
        """What stands for each of ``marks`` in the answer."""
        rest = iter(marks.items())
        each = next(rest, None)
        for region in regions:
            inside = []
            while each is not None and each[0] < region.end:
                if each[0] < region.start:
                    yield each[1].value
                else:
                    inside.append(each)
                each = next(rest, None)
            if inside:
                yield from self._in_address(masked, dict(inside), region)
        while each is not None:
            yield each[1].value
            each = next(rest, None)

    def _in_address(self, masked: str, inside: Mapping[int, Pseudonym], region: Region) -> Iterator[str]:
        """What stands for each pseudonym of one address: itself, unless the user had this address up to there."""
        address = address_of(between(self._run, region.start, region.end))
        shared = 0 if region.goes_on or self._own is None else self._own.shared(address)
        for place, (at, pseudonym) in zip(address.places, inside.items(), strict=True):
            first = at == region.start and not region.goes_on
            if first and pseudonym.original.decides(masked[at + 1 : region.end]):
                yield pseudonym.value
            elif 0 < place <= shared:
                yield quote(pseudonym.value, safe="")
            else:
                self.withheld += 1
                yield pseudonym.written
