"""What says nothing, or says it again? Markup, blanks, boilerplate and repeated sentences: dropped at any budget."""

import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from agents.completion.compression.units import Kind, Sentence, Word

Span = tuple[int, int]

_MARKUP = re.compile(
    r"<!--.*?-->|<(?:script|style)\b.*?</(?:script|style)>"
    r"|</?(?:p|div|span|br|hr|a|b|i|u|em|strong|font|table|tbody|thead|tr|td|th|ul|ol|li|h[1-6]|img|section|article|nav"
    r"|header|footer|center|small|sup|sub|blockquote)\b[^<>]*>|^[ \t]*(?:[-*_=~#] ?){4,}[ \t]*$",
    re.DOTALL | re.IGNORECASE | re.MULTILINE,
)
_BLANKS = re.compile(r"(?<=[ \t])[ \t]{2,}|(?<=\n\n)\n+|[ \t]+(?=\n)")
_BOILERPLATE = re.compile(
    r"all rights reserved|accept (?:all )?cookies|we use cookies|cookie (?:policy|settings|preferences)|privacy policy"
    r"|terms (?:of (?:use|service)|and conditions) apply|subscribe to our|sign up for our|newsletter|follow us on|share this"
    r"|skip to (?:main )?content|click here to|read more:|advertisement|unsubscribe|view in (?:your )?browser|©|\(c\) \d{4}",
    re.IGNORECASE,
)
_SHORT_LINE = 25  # words: a longer sentence that mentions a newsletter is about newsletters
_ALIKE = 0.9  # Jaccard similarity of the stems of two sentences that say the same
_LEAST = 6  # words: shorter sentences ("Yes, we do.") repeat without being redundant


def markup(text: str) -> list[Span]:
    """Tags, comments and rules."""
    return [match.span() for match in _MARKUP.finditer(text)]


def blanks(text: str) -> list[Span]:
    """White space beyond what separates words (two blanks are left alone) and paragraphs."""
    return [match.span() for match in _BLANKS.finditer(text)]


def empty_sentences(words: Sequence[Word], sentences: Sequence[Sentence]) -> set[int]:
    """Indexes of sentences that are boilerplate, or that repeat an earlier one nearly word for word."""
    found: set[int] = set()
    exact: set[bytes] = set()
    by_stem: dict[str, list[int]] = {}
    stems: dict[int, frozenset[str]] = {}
    for index, sentence in enumerate(sentences):
        part = words[sentence.first : sentence.last]
        if len(part) <= _SHORT_LINE and _BOILERPLATE.search("".join(word.text for word in part)):
            found.add(index)
            continue
        if len(part) < _LEAST:
            continue
        key = blake2b(" ".join(word.bare.lower() for word in part).encode("utf-8", "surrogatepass"), digest_size=8)
        if key.digest() in exact or _near(part, index, by_stem, stems):
            found.add(index)
        exact.add(key.digest())
    return found


def _near(part: Sequence[Word], index: int, by_stem: dict[str, list[int]], stems: dict[int, frozenset[str]]) -> bool:
    """Whether an earlier sentence has nearly the same words, and the very same numbers and names."""
    own = frozenset(word.stem for word in part if word.bare)
    if not own:
        return False
    anchors = sorted((word.stem for word in part if word.kind is not Kind.FUNCTION and word.bare), key=len)[-2:]
    exact = {word.stem for word in part if word.kind in (Kind.NUMBER, Kind.NAME)}
    for earlier in {i for anchor in anchors for i in by_stem.get(anchor, ())}:
        other = stems[earlier]
        if exact <= other and len(own & other) >= _ALIKE * len(own | other):
            return True
    stems[index] = own
    for anchor in anchors:
        by_stem.setdefault(anchor, []).append(index)
    return False


def without(kept: Iterable[Span], dropped: Sequence[Span]) -> list[Span]:
    """``kept`` less ``dropped``; both in order."""
    result: list[Span] = []
    pending = list(dropped)
    for start, end in kept:
        at = start
        for low, high in pending:
            if high <= at or low >= end:
                continue
            if low > at:
                result.append((at, low))
            at = max(at, min(high, end))
        if at < end:
            result.append((at, end))
    return result
