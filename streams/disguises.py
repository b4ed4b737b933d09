"""In which forms may a text hide an identifier? As it is, and as what it decodes to.

Only for the last check (:mod:`streams.egress`), which asks whether something is there, not where: no offsets are kept.
"""

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_\-])[A-Za-z0-9+/_\-]{16,8192}={0,2}(?![A-Za-z0-9+/_\-=])")
_UNSEEN = frozenset({"Cf", "Mn", "Cs"})
_LATIN = str.maketrans("АВСЕНІЈКМОРЅТХУаеіјоресхуԁ", "ABCEHIJKMOPSTXYaeijopecxyd")


def plain_forms(text: str) -> Iterator[str]:
    """``text`` as a person reads it, and what pieces of it decode to."""
    read = text if text.isascii() else _readable(text)
    if "&" in read:
        read = html.unescape(read)
    if "%" in read:
        read = unquote(read)
    if "\\" in read:
        read = re.sub(r"\\[nrt]", "\n", read)
        read = re.sub(r"\\(?:u00|x)([0-7][0-9a-fA-F])", lambda match: chr(int(match[1], 16)), read)
    yield read
    for match in _BASE64.finditer(read):
        decoded = _decoded(match[0])
        if decoded:
            yield decoded


def _readable(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text)
    return "".join(_digit(char) for char in folded if unicodedata.category(char) not in _UNSEEN).translate(_LATIN)


def _digit(char: str) -> str:
    if char.isascii():
        return char
    if unicodedata.category(char) == "Pd":
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
