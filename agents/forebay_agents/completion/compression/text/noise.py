"""What says nothing, or says it again? Markup, blanks, boilerplate and repeated sentences: dropped at any budget."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from forebay_agents.completion.compression.text.units import Kind, Sentence, Word

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
    r"|terms (?:of (?:use|service)|and conditions) apply|subscribe to our|sign up for our|newsletter|follow us on"
    r"|share this|skip to (?:main )?content|click here to|read more:|advertisement|unsubscribe"
    r"|view in (?:your )?browser|©|\(c\) \d{4}",
    re.IGNORECASE,
)
_HINTS = (
    "rights reserved", "cookie", "privacy policy", "terms of use apply", "terms of service apply", "conditions apply",
    "subscribe", "sign up for our", "newsletter", "follow us on", "share this", "skip to", "click here to",
    "read more:", "advertisement", "browser", "©", "(c) ",
)  # fmt: skip
"""One of them is in whatever the pattern finds: looking for them takes a hundredth of its time."""

_SHORT_LINE = 25  # words: a longer sentence that mentions a newsletter is about newsletters
_ALIKE = 0.9  # Jaccard similarity of the stems of two sentences that say the same
_LEAST = 6  # words: shorter sentences ("Yes, we do.") repeat without being redundant


def markup(text: str) -> list[Span]:
    """Tags, comments and rules, but for a tag that alone separates two words."""
    merged = _merged([match.span() for match in _MARKUP.finditer(text)])
    return [(a, b) for a, b in merged if not (text[a - 1 : a].isalnum() and text[b : b + 1].isalnum())]


def idle(text: str) -> list[Span]:
    """Markup, and white space beyond what separates words (two blanks are left alone) and paragraphs."""
    return _merged(sorted([*markup(text), *(match.span() for match in _BLANKS.finditer(text))]))


def _merged(spans: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def boilerplate(text: str, words: Sequence[Word], sentences: Sequence[Sentence]) -> set[int]:
    """Indexes of short sentences with a phrase that says nothing of the subject."""
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS):
        return set()
    ends = [words[sentence.last - 1].end for sentence in sentences]
    found = {bisect_right(ends, match.start()) for match in _BOILERPLATE.finditer(text)}
    return {i for i in found if i < len(ends) and sentences[i].last - sentences[i].first <= _SHORT_LINE}


def repeated(words: Sequence[Word], sentences: Sequence[Sentence]) -> set[int]:
    """Indexes of sentences that repeat an earlier one nearly word for word."""
    found: set[int] = set()
    seen: dict[tuple[str, ...], list[int]] = {}
    for index, sentence in enumerate(sentences):
        if sentence.last - sentence.first < _LEAST:
            continue
        # Sentences that say the same share their two longest words, or the two after them.
        longest = sorted([word[4] for word in words[sentence.first : sentence.last]], key=len)
        keys = (tuple(longest[-2:]), ("", *longest[-4:-2]))
        if any(_alike(words, sentences[i], sentence) for key in keys for i in seen.get(key, ())):
            found.add(index)
            continue
        for key in keys:
            seen.setdefault(key, []).append(index)
    return found


def _alike(words: Sequence[Word], one: Sentence, other: Sentence) -> bool:
    """Whether ``other`` has nearly the same words as ``one``, and no number or name that it lacks."""
    first, second = words[one.first : one.last], words[other.first : other.last]
    own, others = {word.stem for word in first}, {word.stem for word in second}
    exact = {word.stem for word in second if word.kind in (Kind.NUMBER, Kind.NAME)}
    return exact <= own and len(own & others) >= _ALIKE * len(own | others)


def without(kept: Iterable[Span], dropped: Sequence[Span]) -> list[Span]:
    """``kept`` less ``dropped``; both in order and without overlaps."""
    result: list[Span] = []
    first = 0
    for start, end in kept:
        while first < len(dropped) and dropped[first][1] <= start:
            first += 1
        at, index = start, first
        while index < len(dropped) and dropped[index][0] < end:
            low, high = dropped[index]
            if low > at:
                result.append((at, low))
            at = max(at, high)
            index += 1
        if at < end:
            result.append((at, end))
    return result
