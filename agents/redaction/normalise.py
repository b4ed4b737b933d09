"""What would a person read? The text without the tricks that hide personal data from patterns.

Zero-width and direction marks vanish; full-width and mathematical characters, other scripts' digits, HTML entities,
percent and backslash escapes become what they stand for; look-alike letters inside Latin words become Latin. Every
character of the result knows where it came from, so findings are redacted in the original.
"""

import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

_Z = "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff\ud800-\udfff]"
"""What is not seen, and may stand inside an escape to hide it."""
_HEX = f"{_Z}*[0-9a-fA-F]"
_SPECIAL = re.compile(
    rf"&{_Z}*(?:#(?:{_Z}*[0-9]){{1,7}}|#{_Z}*[xX](?:{_HEX}){{1,6}}|[a-zA-Z](?:{_Z}*[a-zA-Z]){{1,7}}){_Z}*;|(?:%(?:{_HEX}){{2}})+"
    rf"|\\{_Z}*u(?:{_HEX}){{4}}|\\{_Z}*x(?:{_HEX}){{2}}|\\{_Z}*[nrt]"
    r"|[^\x00-\x7f][\u0300-\u036f]*|[a-zA-Z][\u0300-\u036f]+"
)
_UNSEEN = re.compile(_Z)
# A small part of the confusables of Unicode UTS #39: Cyrillic, Greek, Armenian and Cherokee letters that look Latin.
_LOOKALIKES = str.maketrans(
    "аАвВсСԁеЕѐнНһіІїјЈкКӏмМոоОӧрРԛѕЅтТυսԝхХуУүΑαΒΕεΖΗΙιΚκΜΝνΟοΡρΤτΥγΧχԍցհᎪᏴᏟᎠᎬᏀᎻᎫᏦᏞᎷᎾᏢᏒᏚᎢᏌᏙᏔᏃ",
    "aAbBcCdeEehHhiIijJkKlmMnoOopPqsStTuuwxXyYyAaBEeZHIiKkMNvOoPpTtYyXxgghABCDEGHJKLMOPRSTUVWZ",
)
_INVISIBLE = frozenset({"Cf", "Mn", "Me"})
_ESCAPED = {"\\n": "\n", "\\r": "\n", "\\t": "\t"}
"""Line ends in JSON text that nobody has parsed: ``Phone:\\n555 0187`` has a number after a line end."""
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
    """

    text: str
    changes: Sequence[tuple[int, int, int, int]] = ()

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Where ``text[start:end]`` came from; what stands for one character is never cut."""
        if not self.changes:
            return start, end
        return self._at(start, opening=True), self._at(end, opening=False)

    def here(self, position: int) -> int:
        """The place in the result of a place in the original that no change covers."""
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
    if text.isascii() and "&" not in text and "%" not in text and "\\" not in text:
        return View(text=text)
    pieces: list[str] = []
    changes: list[tuple[int, int, int, int]] = []
    position = length = 0
    for match in _SPECIAL.finditer(text):
        replacement = _read(match[0])
        if replacement == match[0]:
            continue
        start, end = match.span()
        pieces += (text[position:start], replacement)
        length += start - position
        changes.append((length, length + len(replacement), start, end))
        length += len(replacement)
        position = end
    pieces.append(text[position:])
    return View(text=_latinised("".join(pieces)), changes=tuple(changes))


@lru_cache(maxsize=4096)
def _read(piece: str) -> str:
    """What ``piece`` stands for."""
    first = piece[0]
    if first in "&%\\" and not piece.isascii():
        return _read(_UNSEEN.sub("", piece))
    if first == "&" and len(piece) > 1:
        meant = html.unescape(piece)
        return meant if meant != piece and meant.isprintable() else piece
    if first == "%":
        try:
            meant = unquote_to_bytes(piece).decode()
        except UnicodeDecodeError:
            return piece
        return meant if meant.isprintable() else piece
    if piece in _ESCAPED:
        return _ESCAPED[piece]
    if first == "\\" and len(piece) > 1:
        meant = chr(int(piece[2:], 16))  # noqa: FURB166 - the prefix is a backslash, which int() does not know
        return meant if meant.isprintable() else piece
    return _character(piece)


def _character(piece: str) -> str:
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
    # Only single characters: "㎏" or "½" are no disguise, and lengths stay close.
    return compatible if len(compatible) == 1 else composed


def _latinised(text: str) -> str:
    """Look-alikes become Latin in words that also have Latin letters; a word in one other script stays itself."""
    if text.isascii():
        return text

    def read(match: re.Match[str]) -> str:
        word = match[0]
        return word if word.isascii() or not _LATIN.search(word) else word.translate(_LOOKALIKES)

    return _LETTERS.sub(read, text)
