"""Which ids may a request have, and as what do they travel? One rule, for clients, for the door, and for headers.

An id is a name that the application gave: it goes into keys, headers and logs as it is, and it is no place for personal
data. So it must be plain. A request with one that is not is refused; its refusal still has to find whoever asked, so it
comes back under the id that was sent, or under a digest of it where that is too long to be a key (:func:`returned_id`).
"""

from hashlib import sha256
from typing import Protocol
from unicodedata import is_normalized
from urllib.parse import quote

LONGEST = 128
"""Characters of an id."""

LONGEST_RETURNED = 1_024
"""Bytes of an id under which a refusal comes back as it was sent."""

_RULE = "must be 1 to 128 printable characters without blanks or |, as Unicode's NFKC has them"

_IN_HEADERS = "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"  # all of ASCII that is printable, but % and the blank
_LONGEST_IN_HEADERS = 512


class HasIds(Protocol):
    """The part of a request that is looked at here."""

    @property
    def request_id(self) -> str: ...

    @property
    def tenant_id(self) -> str: ...

    @property
    def user_id(self) -> str: ...

    @property
    def conversation_id(self) -> str | None: ...


def plain_id(text: str) -> bool:
    """Whether ``text`` may be an id.

    Printable as Unicode says: no control characters, line ends or surrogates, no characters of private use, and nothing
    that turns the direction of text or joins what stands beside it; letters of all scripts and emoji are. And none that
    NFKC makes another: two ids that look alike would be two.
    """
    if not 0 < len(text) <= LONGEST or "|" in text or not text.isprintable():
        return False
    if text.isascii():
        return " " not in text
    return not any(map(str.isspace, text)) and is_normalized("NFKC", text)


def id_fault(request: HasIds) -> str | None:
    """What is wrong with the ids of ``request``: names the first that will be refused, and quotes nothing."""
    for name in ("request_id", "tenant_id", "user_id", "conversation_id"):
        value = getattr(request, name)
        if not (plain_id(value) if value is not None else name == "conversation_id"):
            return f"{name} {_RULE}"
    return None


def refused_id(sent: str) -> str:
    """A plain id in place of one that is none: the same for the same, and nobody reads the other in it."""
    return f"refused-{sha256(sent.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


def returned_id(sent: str) -> str:
    """Under which id the refusal of a request with the id ``sent`` comes back."""
    size = len(sent.encode("utf-8", "surrogatepass"))
    return sent if 0 < size <= LONGEST_RETURNED else refused_id(sent)


def for_header(text: str) -> str:
    """``text`` as the value of an HTTP header: ASCII as it is, all else percent-encoded; too long: a digest."""
    encoded = quote(text, safe=_IN_HEADERS, errors="surrogatepass")
    return encoded if len(encoded) <= _LONGEST_IN_HEADERS else refused_id(text)
