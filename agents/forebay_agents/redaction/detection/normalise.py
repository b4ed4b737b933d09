"""What would a person read? The text without the tricks that hide personal data from patterns.

Zero-width and direction marks vanish; full-width and mathematical characters, other scripts' digits, HTML entities,
percent and backslash escapes become what they stand for, also one inside another; look-alike letters inside Latin words
become Latin. Every character of the result knows where it came from, so findings are redacted in the original.

The last check (:mod:`forebay.privacy.encoded_forms`) reads texts on its own; what it decodes must be decoded here too.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import unescape
from html.entities import html5
from urllib.parse import unquote_to_bytes

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f][\u0300-\u036f]{0,30}|[a-zA-Z][\u0300-\u036f]{1,30}")
"""No text has more marks above one letter (Unicode's stream-safe format, UAX #15); to sort them takes their square."""
_ENTITY = re.compile(
    r"&(?:#0*[0-9]{1,7}(?![0-9]);?|#[xX]0*[0-9a-fA-F]{1,6}(?![0-9a-fA-F]);?|[a-zA-Z][a-zA-Z0-9]{1,31};)"
)
"""A number needs no semicolon, as browsers read it; one that is too long is no character, but may be a card's."""
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_BACKSLASH = re.compile(r"\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\[nrt]")
"""Halves of surrogate pairs stay: a pair is an emoji in JSON that nobody has parsed."""
_NESTED = 3
"""Escapes within escapes that are undone: "%2526%2352;"."""
# A small part of the confusables of Unicode UTS #39: Cyrillic, Greek, Armenian and Cherokee letters that look Latin.
_LOOKALIKES = str.maketrans(
    "аАвВсСԁеЕѐнНһіІїјЈкКӏмМոоОӧрРԛѕЅтТυսԝхХуУүΑαΒΕεΖΗΙιΚκΜΝνΟοΡρΤτΥγΧχԍցհᎪᏴᏟᎠᎬᏀᎻᎫᏦᏞᎷᎾᏢᏒᏚᎢᏌᏙᏔᏃ",
    "aAbBcCdeEehHhiIijJkKlmMnoOopPqsStTuuwxXyYyAaBEeZHIiKkMNvOoPpTtYyXxgghABCDEGHJKLMOPRSTUVWZ",
)
_INVISIBLE = frozenset({"Cf", "Mn", "Me"})
_BLANKS = frozenset({"Zs"})
_DASHES = frozenset("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u00ad")
_LETTERS = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(r"[a-zA-Z]")


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """A normalised text.

    Attributes:
        text: the result.
        changes: where it differs: (start, end) in the result, (start, end) in the original, ordered; between them the
            two run in step.
        before: what it was made of, if not of the original itself: "original" is that text then.
    """

    text: str
    changes: Sequence[tuple[int, int, int, int]] = ()
    before: "View | None" = None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Where ``text[start:end]`` came from; what stands for one character is never cut."""
        if self.changes:
            start, end = self._at(start, opening=True), self._at(end, opening=False)
        return self.before.original(start, end) if self.before else (start, end)

    def here(self, position: int) -> int:
        """The place in the result of a place in the original that no change covers."""
        if self.before:
            position = self.before.here(position)
        index = bisect_right(self.changes, position, key=lambda change: change[2]) - 1
        if index < 0:
            return position
        _, end, _, original_end = self.changes[index]
        return end + max(0, position - original_end)

    def _at(self, position: int, *, opening: bool) -> int:
        """The place in the original of a border in the result; the outer one if it falls into a change."""
        if opening:
            index = bisect_right(self.changes, position, key=lambda change: change[0]) - 1
        else:
            index = bisect_right(self.changes, position - 1, key=lambda change: change[0]) - 1
        if index < 0:
            return position
        start, end, original_start, original_end = self.changes[index]
        if opening and start <= position < end:
            return original_start
        if not opening and start < position <= end:
            return original_end
        return original_end + position - end


def normalised(text: str) -> View:
    """``text`` as a person reads it."""
    view = View(text=text)
    for _ in range(_NESTED):
        before = view
        if not view.text.isascii() and any(_character(char) != char for char in _beyond_ascii(view.text)):
            view = _reread(view, _BEYOND_ASCII, _character)
        for mark, pattern, read in _ESCAPES:
            if mark in view.text:
                view = _reread(view, pattern, read)
        if view is before:
            break
    return view if view.text.isascii() else replace(view, text=_latinised(view.text))


def _reread(view: View, pattern: re.Pattern[str], read: Callable[[str], str]) -> View:
    """``view`` with what ``read`` makes of each match; ``view`` itself if that is nothing else."""
    text = view.text
    pieces: list[str] = []
    changes: list[tuple[int, int, int, int]] = []
    position = length = 0
    for match in pattern.finditer(text):
        replacement = read(match[0])
        if replacement == match[0]:
            continue
        start, end = match.span()
        pieces += (text[position:start], replacement)
        length += start - position
        changes.append((length, length + len(replacement), start, end))
        length += len(replacement)
        position = end
    if not changes:
        return view
    pieces.append(text[position:])
    return View(text="".join(pieces), changes=tuple(changes), before=view)


def _entity(piece: str) -> str:
    return unescape(piece) if piece[1] == "#" else html5.get(piece[1:], piece)


def _percent(piece: str) -> str:
    # What is no UTF-8 ("%A0" of a page in Latin-1) is still no part of the number behind it.
    return unquote_to_bytes(piece).decode(errors="replace")


def _backslash(piece: str) -> str:
    # Line ends in JSON text that nobody has parsed: "Phone:\\n555 0187" has a number after a line end.
    return chr(int(piece[2:], 16)) if len(piece) > 2 else "\n"  # noqa: FURB166 - int() knows no backslash as a prefix


_ESCAPES = (("&", _ENTITY, _entity), ("%", _PERCENT, _percent), ("\\", _BACKSLASH, _backslash))
"""In the order in which they are undone: a page holds links, a link may hold JSON."""


def _beyond_ascii(text: str) -> list[str]:
    """The characters of ``text`` beyond ASCII, each once; marks are among them, and are read as nothing."""
    return [char for char in set(text) if char > "\x7f"]


@lru_cache(maxsize=1 << 16)
def _character(piece: str) -> str:
    """What one character and the marks above it stand for."""
    composed = unicodedata.normalize("NFC", piece)
    if len(composed) > 1:
        return _character(composed[0]) or ""
    category = unicodedata.category(composed)
    if composed in _DASHES:
        return "" if composed == "\u00ad" else "-"
    if category in _INVISIBLE or "\ud800" <= composed <= "\udfff" or 0xE0000 <= ord(composed) <= 0xE0FFF:
        return ""
    if category in _BLANKS:
        return " "
    if category == "Nd":
        return str(unicodedata.decimal(composed))
    compatible = unicodedata.normalize("NFKC", composed)
    # "⑪" is 11, but "½" and "㎏" are no disguise.
    return compatible if len(compatible) == 1 or compatible.isdecimal() else composed


def _latinised(text: str) -> str:
    """Look-alikes become Latin in words that also have Latin letters; a word in one other script stays itself."""
    if text.isascii():
        return text

    def read(match: re.Match[str]) -> str:
        word = match[0]
        return word if word.isascii() or not _LATIN.search(word) else word.translate(_LOOKALIKES)

    return _LETTERS.sub(read, text)
