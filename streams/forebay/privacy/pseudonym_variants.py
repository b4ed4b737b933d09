"""What may be read as a tag, though it is not written like one? The variants that models and people write."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from forebay.privacy.pseudonyms import LONGEST_NUMBER, TAG, parse


def reserved_tags(texts: Iterable[str], kinds: Iterable[str]) -> frozenset[tuple[str, int]]:
    """Kind and number of everything in ``texts`` that could be read as a tag of one of ``kinds``."""
    known = tuple(sorted(set(kinds)))
    if not known:
        return frozenset()
    found: set[tuple[str, int]] = set()
    for text in texts:
        for match in TAG.finditer(text):
            found.add((match[1], int(match[2])))
        low = _lower(text)
        for each in known:
            for start, end in _marked(low, each.lower().split("_")):
                # One pattern a kind: there are dozens of kinds, but no end of sets of them, and each takes
                # milliseconds.
                pattern, names = variants((each,))
                for match in pattern.finditer(text, start, end):
                    kind, number = read(match, names)
                    if number is not None:
                        found.add((kind, number))
    return frozenset(found)


def _lower(text: str) -> str:
    """``text`` in lower case, of the same length, and the characters that are an ASCII letter where case is ignored."""
    if not text.isascii():
        for char, letter in _FOLDED:
            text = text.replace(char, letter)
    return text.lower()


_FOLDED = (("İ", "i"), ("ı", "i"), ("ſ", "s"), ("\N{KELVIN SIGN}", "k"))


def may_name(text: str, kinds: Iterable[str]) -> bool:
    """Whether ``text`` may hold a variant of a tag of ``kinds``.

    All variants write all words of the kind, behind a bracket or before a digit. This costs microseconds; a kind's
    pattern takes milliseconds to compile, and "person" or "location" are words that any text may have.
    """
    low = _lower(text)
    return any(True for kind in kinds for _ in _marked(low, kind.lower().split("_")))


def _marked(low: str, words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where the first of ``words`` stands in ``low`` behind a bracket or before a digit, and all are in it.

    Start and end of what has to be read there, none overlapping.
    """
    for word in words:
        if word not in low:
            return
    reach = sum(map(len, words)) + _AROUND * len(words)
    start = end = 0
    at = low.find(words[0])
    while at >= 0:
        if not _BRACKETS.isdisjoint(low[max(0, at - _AROUND) : at]) or _DIGIT.search(low, at, at + reach):
            if end and at - _BEFORE > end:
                yield start, end
                end = 0
            start = start if end else max(0, at - _BEFORE)
            end = at + reach + _BEHIND
        at = low.find(words[0], at + 1)
    if end:
        yield start, end


_BEFORE, _BEHIND = 16, 32
"""Characters that any variant has before its first word, and behind its last one with its number, and more."""
_AROUND = 8
"""More than any variant has between its words, before the first or behind the last of them."""
_BRACKETS = frozenset("<[{«‹⟨【&%\\")
"""One of these begins each way of writing an opening bracket."""
_DIGIT = re.compile("[0-9]")


_SEP = r"[ _\-\\]{0,3}"
_OPEN = r"(?:<{1,2}|\[{1,2}|\{{1,2}|«|‹|⟨|【|&lt;|&#60;|%3C|\\u003[cC]|\\<)"
_CLOSE = r"(?:>{1,2}|\]{1,2}|\}{1,2}|»|›|⟩|】|&gt;|&#62;|%3E|\\u003[eE]|\\>)"


@lru_cache(maxsize=256)
def variants(kinds: tuple[str, ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    """Pattern of all variants of tags of ``kinds``, and folded kind to kind.

    In order: the exact tag; brackets of another sort, any case and spacing; a lone kind in brackets (the number was
    dropped); no brackets, which needs ``_`` or ``-`` before the number, or capitals: "person 1" is plain English.
    """
    names = {_folded(kind): kind for kind in kinds}
    longest_first = sorted(kinds, key=len, reverse=True)
    any_case = "(?i:" + "|".join(_words(kind, str) for kind in longest_first) + ")"
    upper = "(?:" + "|".join(_words(kind, str) for kind in longest_first) + ")"
    title = "(?:" + "|".join(_words(kind, str.capitalize) for kind in longest_first) + ")"
    number = rf"[0-9]{{1,{LONGEST_NUMBER}}}"
    exact = f"<(?:{'|'.join(longest_first)})_[1-9][0-9]{{0,{LONGEST_NUMBER - 1}}}>"
    bracketed = rf"{_OPEN}[ /]{{0,2}}(?P<kind>{any_case})(?i:E?S)??{_SEP}(?P<number>{number})(?i:s)?[ /]{{0,2}}{_CLOSE}"
    lone = rf"{_OPEN} ?(?P<lone>{any_case}) ?{_CLOSE}"
    bare = (
        rf"(?<![A-Za-z0-9_])"
        rf"(?P<bare>{any_case}(?=(?i:E?S)?\\?[_\-])|{upper}(?=E?S?[ ]?[0-9])|{title}(?=(?:e?s)?[ ][0-9]))"
        rf"(?i:E?S)?{_SEP}(?P<digits>{number})(?P<plural>s)?(?![A-Za-z0-9_])"
    )
    pattern = "|".join((exact, bracketed, lone, bare))
    return re.compile(pattern), names


def _words(kind: str, write: Callable[[str], str]) -> str:
    return r"[ _\-\\]{1,2}".join(write(part) for part in kind.split("_"))


def read(match: re.Match[str], names: Mapping[str, str]) -> tuple[str, int | None]:
    """Kind and number of what :func:`variants` matched; no number where it was dropped."""
    groups = match.groupdict()
    kind = groups["kind"] or groups["bare"] or groups["lone"]
    if kind is None:
        exact = parse(match[0])
        assert exact is not None
        return exact
    digits = groups["number"] or groups["digits"]
    return names[_folded(kind)], int(digits) if digits else None


def _folded(kind: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", _lower(kind).upper())
