"""In which forms may a text hide an identifier? As it is, and as what it decodes to.

Only for the last check (:mod:`forebay.privacy.egress`), which asks whether something is there, not where: no offsets
are kept.
"""

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Iterator
from html.entities import html5
from urllib.parse import unquote

from forebay.contract.canonical import normal

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_\-])[A-Za-z0-9+/_\-]{16,8192}={0,2}(?![A-Za-z0-9+/_\-=])")
_ENTITY = re.compile(r"&(?:#0*[0-9]{1,7}(?![0-9]);?|#[xX]0*[0-9a-fA-F]{1,6}(?![0-9a-fA-F]);?|\w{2,32};)", re.ASCII)
"""Longer numbers are no characters: ``&#4111111111111111`` may be a card's."""
_CODE = re.compile(r"\\u(?![dD][89a-fA-F])([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_NESTED = 3
"""Escapes within escapes that are undone."""
_FRACTION = re.compile("[¼-¾⅐-⅟↉⑴-⒛]")
"""And "⑴", "⒈": parts of words, but no digits of a number beside them, as NFKC would make of them."""
_UNSEEN = frozenset({"Cf", "Mn", "Me", "Cs"})
_MINUS = "\N{MINUS SIGN}"
_LATIN = str.maketrans("АВСЕНІЈКМОРЅТХУаеіјоресхуԁ", "ABCEHIJKMOPSTXYaeijopecxyd")


def plain_forms(text: str) -> Iterator[str]:
    """``text`` as a person reads it, and what pieces of it decode to."""
    read = text
    for _ in range(_NESTED):
        before = read
        if not read.isascii():
            read = _readable(read)
        if "&" in read:
            read = _ENTITY.sub(_meant, read)
        if "%" in read:
            read = unquote(read)
        if "\\" in read:
            read = re.sub(r"\\[nrt]", "\n", read)
            read = _CODE.sub(lambda match: chr(int(match[1] or match[2], 16)), read)
        if read == before:
            break
    yield read
    for match in _BASE64.finditer(read):
        decoded = _decoded(match[0])
        if decoded:
            yield decoded


def _meant(entity: re.Match[str]) -> str:
    return html.unescape(entity[0]) if entity[0][1] == "#" else html5.get(entity[0][1:], entity[0])


def _readable(text: str) -> str:
    folded = normal("NFKC", _FRACTION.sub("_", text))
    return "".join(_digit(char) for char in folded if unicodedata.category(char) not in _UNSEEN).translate(_LATIN)


def _digit(char: str) -> str:
    if char.isascii():
        return char
    category = unicodedata.category(char)
    if category == "Zs":
        return " "
    if category == "Pd" or char == _MINUS:
        return "-"
    value = unicodedata.decimal(char, -1)
    return char if value < 0 else str(value)


def _decoded(piece: str) -> str:
    if piece.isalpha() or piece.isdigit():
        return ""
    body = piece.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        text = base64.b64decode(body + "=" * (-len(body) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return text if text.isprintable() else ""
