"""Is personal data hidden in another writing? Base64, hexadecimal, and digits spelled as words.

Found pieces are looked at again in plain writing; if there is personal data in them, the whole piece is redacted.
"""

import base64
import binascii
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from forebay_agents.redaction.detection.spans import Span
from forebay_agents.redaction.detection.windows import matches

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_\-])[A-Za-z0-9+/_\-]{16,65536}(?:={1,2}|(?![A-Za-z0-9+/_\-=]))")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{2}){8,4096}(?![0-9A-Za-z])")
_DIGIT = {
    "zero": "0", "oh": "0", "nought": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9", "niner": "9",
}  # fmt: skip
_TEEN = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15", "sixteen": "16",
    "seventeen": "17", "eighteen": "18", "nineteen": "19",
}  # fmt: skip
_TENS = {
    "twenty": "2", "thirty": "3", "forty": "4", "fourty": "4", "fifty": "5", "sixty": "6", "seventy": "7",
    "eighty": "8", "ninety": "9",
}  # fmt: skip
_NUMBER_WORD = rf"(?:{'|'.join([*_DIGIT, *_TEEN, *_TENS, 'double', 'triple', 'hundred'])})"
_SPOKEN = re.compile(rf"\b(?:{_NUMBER_WORD}[ ,.\-–]{{1,3}}){{4,60}}{_NUMBER_WORD}\b", re.IGNORECASE)
_HINTS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "oh ")
_ABROAD = (
    "null nul eins ein zwo zwei drei vier fünf funf sechs sieben acht neun zéro cero sıfır sifir ноль нуль noll "
    "un une uno um uma une deux trois quatre cinq six sept huit neuf dos tres cuatro cinco seis siete ocho "
    "nueve due tre quattro cinque sei sette otto nove dois duas três quatro sete oito meia een één twee drie "
    "vijf zes zeven negen jeden dwa trzy cztery pięć piec sześć szesc siedem osiem dziewięć dziewiec bir iki üç "
    "uc dört dort beş bes altı alti yedi sekiz dokuz один два три четыре пять шесть семь восемь девять ett två "
    "tva fyra fem sex sju åtta nio to fire fem seks syv otte ni zero dix onze douze treize quatorze quinze "
    "seize vingt trente quarante cinquante soixante"
)
"""Digits as words in a dozen languages."""
_ABROAD_HINTS = (
    "null", "nul ", "zero", "zéro", "cero", "sıfır", "ноль", "eins", "drei", "vier", "trois", "quatre", "cinco",
    "seis", "tres", "quattro", "cinque", "sette", "três", "sete", "oito", "drie", "vijf", "zeven", "trzy",
    "cztery", "siedem", "dört", "yedi", "sekiz", "четыре", "семь", "восемь", "fyra", "åtta", "siete", "ocho",
    "sieben", "sept ", "huit",
)  # fmt: skip
_OF_ABROAD = rf"(?:{'|'.join(sorted(set(_ABROAD.split()), key=len, reverse=True))})"
_SPOKEN_ABROAD = re.compile(rf"\b(?:{_OF_ABROAD}[ ,.\-–]{{1,3}}){{6,40}}{_OF_ABROAD}\b", re.IGNORECASE)
_LEAST = 7
"""Digits from which spelled-out digits are an identifier: nobody spells an amount digit by digit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A piece in another writing: its place, and what it says."""

    start: int
    end: int
    plain: str
    spoken: bool = False


def pieces(text: str) -> Iterator[Piece]:
    """Pieces of ``text`` that are written in another way."""
    if len(text) >= 16:
        for pattern, decode in ((_BASE64, _base64), (_HEX, _hex)):
            for match in pattern.finditer(text):
                plain = decode(match[0])
                if plain:
                    yield Piece(start=match.start(), end=match.end(), plain=plain)
    low = text.lower()
    if sum(hint in low for hint in _HINTS) >= 2:
        for match in matches(_SPOKEN, text):
            digits = spelled(match[0])
            if len(digits) >= _LEAST:
                yield Piece(start=match.start(), end=match.end(), plain=digits, spoken=True)
    if sum(hint in low for hint in _ABROAD_HINTS) >= _LEAST_HINTS:
        for match in matches(_SPOKEN_ABROAD, text):
            said = re.findall(r"\w+", match[0].lower())
            if len(set(said)) < len(said) or said != sorted(said, key=_ABROAD.split().index):
                yield Piece(start=match.start(), end=match.end(), plain="", spoken=True)


_LEAST_HINTS = 2


def hidden(text: str, look: Callable[[str], list[Span]]) -> list[Span]:
    """Spans of pieces that hide personal data.

    Args:
        look: finds personal data in plain text.
    """
    found = []
    written = list(pieces(text))
    for piece in written[:_APART]:
        before = text[max(0, piece.start - 64) : piece.start] if piece.spoken else ""
        after = text[piece.end : piece.end + 24] if piece.spoken else ""
        inner = [s for s in look(f"{before}{piece.plain}{after}") if s.end > len(before)]
        found += _told(piece, [s for s in inner if not piece.spoken or s.start <= len(before)])
    return found + _together(written[_APART:], look)


_APART = 128
"""Pieces that are looked at one by one. Each costs as much as a request of its own, and a text may have thousands."""


def _together(written: Sequence[Piece], look: Callable[[str], list[Span]]) -> list[Span]:
    """Spans of the pieces beyond those: what is found in all of them, one below the other."""
    if not written:
        return []
    ends = list(accumulate(len(piece.plain) + 1 for piece in written))
    inside: list[list[Span]] = [[] for _ in written]
    for span in look("\n".join(piece.plain for piece in written)):
        for number in range(bisect_right(ends, span.start), min(bisect_left(ends, span.end), len(ends) - 1) + 1):
            inside[number].append(span)
    return [span for piece, own in zip(written, inside, strict=True) for span in _told(piece, own)]


def _told(piece: Piece, inner: Sequence[Span]) -> list[Span]:
    """The whole piece, as what is surest of ``inner``; digits that are spelled are somebody's in any case."""
    best = max(inner, key=lambda span: span.score, default=None)
    if best is None and not piece.spoken:
        return []
    kind, score = (best.kind, best.score) if best else ("PHONE_NUMBER", 0.6)
    return [Span(start=piece.start, end=piece.end, kind=kind, score=score)]


def spelled(text: str) -> str:
    """The digits that ``text`` spells: "four double one twenty three" is 41123."""
    result, repeat, tens = "", 1, ""
    for word in re.findall(r"[a-z]+", text.lower()):
        if word in ("double", "triple"):
            repeat = 2 if word == "double" else 3
            continue
        if word in _TENS:
            result, tens = result + (tens + "0" if tens else ""), _TENS[word]
            continue
        digit = _DIGIT.get(word) or _TEEN.get(word)
        if digit is None:
            continue
        if tens:
            result += tens + digit if len(digit) == 1 and digit != "0" else tens + "0" + digit
            tens = ""
        else:
            result += digit * repeat
        repeat = 1
    return result + (tens + "0" if tens else "")


def _base64(text: str) -> str:
    if text.isalpha() and (text.islower() or text.isupper() or text.istitle()):
        return ""  # a long word
    body = text.rstrip("=").replace("-", "+").replace("_", "/")
    if len(body) % 4 == 1:
        return ""
    try:
        return _readable(base64.b64decode(body + "=" * (-len(body) % 4), validate=True))
    except (binascii.Error, ValueError):
        return ""


def _hex(text: str) -> str:
    return "" if text.isdigit() else _readable(bytes.fromhex(text))


def _readable(data: bytes) -> str:
    """``data`` as text, if it is text that a person could have written."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ""
    printable = sum(char.isprintable() or char in "\n\t\r" for char in text)
    return text if text and printable == len(text) and any(map(str.isalnum, text)) else ""
