"""Which addresses had the user's own text? Personal data comes back into those, as far as they are the same.

Compared are addresses as they are called: with and without ``https:``, the host in any case, and a pseudonym in its
exact form, however it is written.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from forebay.privacy.answers.addresses import MARK, is_address, is_host, openers
from forebay.privacy.occurrences import common_start

_WEB = re.compile(r"(?:https?|wss?):(?=[/\\]{2})", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:(?![0-9])|[/\\]{2}")
_HOST = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.\-]*:)?[/\\]{2}")
_BEHIND_HOST = re.compile(r"[/?#\\]")
_LOWER = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})
_PATH = tuple("/?#\\")
"""What ends a host."""
_RUN = re.compile(r"\s+", re.ASCII)


class Original:
    """What a pseudonym stands for; looked at once, however often it is written.

    Args:
        name: the pseudonym's exact form.
        value: the text that it replaced.
    """

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self.value = value
        self._address = is_address(value)
        self._host = is_host(value)
        scheme = _HOST.match(value)
        self._whole = _BEHIND_HOST.search(value, scheme.end() if scheme else 0) is not None

    def begins_address(self, behind: str) -> bool:
        """Whether it is an address, or the host of one with what stands ``behind`` it."""
        return self._address or (self._host and behind in _PATH)

    def decides(self, rest: str) -> bool:
        """Whether it alone says who is called, with ``rest`` of the address behind it."""
        if not self._address or self._whole or not rest or rest[0] in _PATH:
            return True
        return not any(sign.isalnum() or sign == MARK for sign in rest)


@dataclass(frozen=True, slots=True)
class Pseudonym:
    """A pseudonym as it is ``written`` in a text; ``ending``: what has to follow the original, as an "s"."""

    written: str
    original: Original
    ending: str = ""

    @property
    def value(self) -> str:
        """What stands for it when it is restored."""
        return self.original.value + self.ending


Piece = str | Pseudonym


@dataclass(frozen=True, slots=True)
class Address:
    """An address in its comparable form.

    Attributes:
        places: where its pseudonyms are in ``text``, in order.
        host_end: where the host has ended: before that, what is put in decides who is called.
    """

    text: str
    places: Sequence[int]
    host_end: int


def address_of(pieces: Iterable[Piece]) -> Address:
    """The comparable form of an address in ``pieces``."""
    texts, places, length = [], [], 0
    for piece in pieces:
        if isinstance(piece, Pseudonym):
            places.append(length)
        text = piece.original.name if isinstance(piece, Pseudonym) else piece
        texts.append(text)
        length += len(text)
    whole = "".join(texts)
    if places[:1] == [0]:  # the host is the original's
        return Address(text=whole, places=places, host_end=0)
    web = _WEB.match(whole)
    cut, put = (web.end(), "") if web else (0, "") if _SCHEME.match(whole) else (0, "//")
    whole = put + whole[cut:]
    places = [place - cut + len(put) for place in places]
    host = _HOST.match(whole)
    if host is None:
        return Address(text=whole, places=places, host_end=0)
    end = _BEHIND_HOST.search(whole, host.end())
    if end is None:
        whole += "/"
    host_end = end.start() if end else len(whole) - 1
    return Address(text=whole[:host_end].translate(_LOWER) + whole[host_end:], places=places, host_end=host_end)


class OwnAddresses:
    """The addresses in the texts of whoever asked.

    Args:
        texts: each in pieces.
    """

    def __init__(self, texts: Iterable[Iterable[Piece]]) -> None:
        self._texts = texts
        self._known: list[str] | None = None

    def shared(self, address: Address) -> int:
        """How much of ``address``, in characters from its beginning, is in one of them; 0 if not even the host is."""
        if self._known is None:  # only now: few answers have an address with a pseudonym
            self._known = sorted({known.text for text in self._texts for known in _addresses(text)})
        at = bisect_left(self._known, address.text)
        near = self._known[max(0, at - 1) : at + 1]
        length = max((common_start(known, address.text) for known in near), default=0)
        return length if length > address.host_end else 0


def _addresses(text: Iterable[Piece]) -> Iterable[Address]:
    run: list[Piece] = []
    for piece in text:
        if isinstance(piece, Pseudonym):
            run.append(piece)
            continue
        first, *others = _RUN.split(piece)
        run.append(first)
        for other in others:
            yield from _in_run(run)
            run = [other]
    yield from _in_run(run)


def _in_run(run: Sequence[Piece]) -> Iterable[Address]:
    masked, marks = mask(run)
    for region in openers(masked, beginnings(masked, marks)):
        yield address_of(between(run, region.start, region.end))


def mask(run: Iterable[Piece]) -> tuple[str, dict[int, Pseudonym]]:
    """``run`` with one character in place of each pseudonym, and which is where."""
    texts, marks, length = [], {}, 0
    for piece in run:
        if isinstance(piece, Pseudonym):
            marks[length] = piece
        text = MARK if isinstance(piece, Pseudonym) else piece
        texts.append(text)
        length += len(text)
    return "".join(texts), marks


def beginnings(masked: str, marks: Mapping[int, Pseudonym]) -> list[int]:
    """Where a pseudonym of ``marks`` stands for an address, or begins one."""
    return [at for at, pseudonym in marks.items() if pseudonym.original.begins_address(masked[at + 1 : at + 2])]


def between(run: Iterable[Piece], start: int, end: int) -> Iterable[Piece]:
    """The pieces of ``run`` from one place of its masked form to another."""
    at = 0
    for piece in run:
        length = 1 if isinstance(piece, Pseudonym) else len(piece)
        if at >= end:
            return
        if at + length > start:
            yield piece if isinstance(piece, Pseudonym) else piece[max(0, start - at) : end - at]
        at += length
